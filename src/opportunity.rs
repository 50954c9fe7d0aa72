//! Opportunities: what may become a sale, from an interaction log entry to won or lost.
//!
//! Pure: values and rules, after Business Central's tables Opportunity, Opportunity Entry, Sales Cycle, Sales Cycle Stage and
//! Close Opportunity Code. A change either does everything or fails with a code and changes nothing. It knows no store, no
//! clock and no host: the caller gives the day, the sales cycle and the quote.

mod amount;
mod change;
mod close;
mod create;
mod cycle;
mod date_formula;
mod entry;
mod number;
mod quote;
mod stage;
mod statistics;
mod task;

use jiff::civil::Date;

pub use self::amount::{Amount, Percent};
pub use self::change::{Campaign, NewContact};
pub use self::close::Closing;
pub use self::create::{Creation, PrivacyBlock};
pub use self::cycle::{
    ActivityStep, CloseCode, CloseKind, ProbabilityCalculation, SalesCycle, SalesCycleStage,
};
pub use self::date_formula::DateFormula;
pub use self::entry::{ActionTaken, OpportunityEntry};
pub use self::number::NumberSeries;
pub use self::quote::Quote;
pub use self::stage::{Changed, StageAction, StageUpdate};
pub(crate) use self::statistics::StagePart;
pub use self::statistics::{OpportunityStatistics, StageStatistics};
pub use self::task::{Task, TaskKind, TaskStatus};
use crate::error::{Error, Result, codes};
use crate::ids::{ContactNo, OpportunityNo, SalespersonCode};
use crate::interaction::Comment;
use crate::message::codes;

/// An opportunity with its history, comments and tasks.
///
/// The fields are for reading; the methods change them by the rules. A store refuses one whose history was broken by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Opportunity {
    /// The number.
    pub no: OpportunityNo,
    /// What it is about.
    pub description: String,
    /// The work date on which it was made.
    pub creation_date: Date,
    /// Where it stands.
    pub status: OpportunityStatus,
    /// The day on which it was won or lost.
    pub date_closed: Option<Date>,
    /// Who works on it.
    pub salesperson_code: Option<SalespersonCode>,
    /// The contact.
    pub contact_no: ContactNo,
    /// The contact's company, if it has one.
    pub contact_company_no: Option<ContactNo>,
    /// The campaign that it came from.
    pub campaign_no: Option<String>,
    /// The sales cycle that it follows.
    pub sales_cycle_code: Option<String>,
    /// The sales quote that is assigned.
    pub quote: Option<Quote>,
    /// The history, oldest first.
    pub entries: Vec<OpportunityEntry>,
    /// Comments of people, oldest first.
    pub comments: Vec<Comment>,
    /// Tasks by number.
    pub tasks: Vec<Task>,
}

/// Where an opportunity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum OpportunityStatus {
    /// No stage is activated.
    NotStarted,
    /// It is at a stage of its sales cycle.
    InProgress,
    /// It was closed with a sale.
    Won,
    /// It was closed without one.
    Lost,
}

codes!(OpportunityStatus {
    NotStarted => "not-started",
    InProgress => "in-progress",
    Won => "won",
    Lost => "lost",
});

impl OpportunityStatus {
    /// Whether it is won or lost.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

impl Opportunity {
    /// An opportunity that has not started, of a contact.
    pub fn new(no: OpportunityNo, contact_no: ContactNo, creation_date: Date) -> Self {
        Self {
            no,
            description: String::new(),
            creation_date,
            status: OpportunityStatus::NotStarted,
            date_closed: None,
            salesperson_code: None,
            contact_no,
            contact_company_no: None,
            campaign_no: None,
            sales_cycle_code: None,
            quote: None,
            entries: Vec::new(),
            comments: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// The entry of the history that holds now; none before the start.
    pub fn active(&self) -> Option<&OpportunityEntry> {
        self.entries.iter().find(|entry| entry.active)
    }

    /// Adds a comment.
    pub fn comment(&mut self, comment: Comment) {
        self.comments.push(comment);
    }

    /// Checks what always holds: no history before the start, exactly one active entry after it, which is the last; dates
    /// that do not fall; a day of closing where it is closed.
    ///
    /// # Errors
    ///
    /// `Conflict` (`store.data`), which only a change past the methods can cause.
    pub fn check(&self) -> Result<()> {
        let active = self.entries.iter().filter(|entry| entry.active).count();
        let last = self.entries.last().is_none_or(|entry| entry.active);
        let started = self.status != OpportunityStatus::NotStarted;
        let dates = self.entries.iter().map(|entry| entry.date_of_change);
        let closed = self.status.is_closed() == self.date_closed.is_some();
        if active == usize::from(started) && last && dates.is_sorted() && closed {
            return Ok(());
        }
        let broken = Error::new(&codes::STORE_DATA, "opportunity");
        Err(broken.with_detail("the history of the opportunity does not add up"))
    }

    /// Refuses what is possible in one status alone.
    fn require(&self, status: OpportunityStatus, operation: &'static str) -> Result<()> {
        if self.status == status {
            return Ok(());
        }
        Err(Error::new(&codes::OPPORTUNITY_STATUS, operation).with_detail(self.status.code()))
    }

    /// An entry that goes on from the active one with what the opportunity says now.
    fn successor(
        &self,
        action: ActionTaken,
        cycle: &str,
        stage: u32,
        date: Date,
    ) -> OpportunityEntry {
        let no = self.entries.last().map_or(1, |entry| entry.no + 1);
        let contact = self.contact_no.clone();
        let mut entry = OpportunityEntry::new(no, action, cycle, stage, date, contact);
        entry.salesperson_code.clone_from(&self.salesperson_code);
        entry
            .contact_company_no
            .clone_from(&self.contact_company_no);
        entry.campaign_no.clone_from(&self.campaign_no);
        entry.previous_stage = self.active().map(|active| active.stage);
        entry
    }

    /// Ends the active entry on this day and makes another one the active entry.
    fn push(&mut self, entry: OpportunityEntry) {
        for one in self.entries.iter_mut().filter(|one| one.active) {
            one.active = false;
            let days = entry.date_of_change.since(one.date_of_change);
            let days = days.map_or(0, |span| span.get_days());
            one.days_open = u32::try_from(days).unwrap_or(0);
        }
        self.entries.push(entry);
    }

    /// Refuses a date of change before the last one.
    fn check_date(&self, date: Date, operation: &'static str) -> Result<()> {
        if self
            .active()
            .is_some_and(|active| date < active.date_of_change)
        {
            return Err(Error::new(&codes::OPPORTUNITY_DATE, operation));
        }
        Ok(())
    }
}
