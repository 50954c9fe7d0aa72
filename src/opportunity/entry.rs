//! The history of an opportunity: one entry per change, exactly one of them active once it has started.

use jiff::civil::Date;

use super::{Amount, Percent};
use crate::ids::{ContactNo, SalespersonCode};
use crate::message::codes;

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
pub enum ActionTaken {
    /// It came to the first stage.
    First,
    /// It came to the next stage.
    Next,
    /// It went back to the stage before.
    Previous,
    /// It passed stages by.
    Skipped,
    /// It went back more than one stage, or one.
    Jumped,
    /// It stayed in its stage with new estimates.
    Updated,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
}

codes!(ActionTaken {
    First => "first",
    Next => "next",
    Previous => "previous",
    Skipped => "skipped",
    Jumped => "jumped",
    Updated => "updated",
    Won => "won",
    Lost => "lost",
});

/// One line of the history (Business Central: Opportunity Entry).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct OpportunityEntry {
    /// Its number in the opportunity, from 1.
    pub no: u32,
    /// What was done.
    pub action_taken: ActionTaken,
    /// The sales cycle.
    pub sales_cycle_code: String,
    /// The stage that it came to, or was closed in.
    pub stage: u32,
    /// The stage before, if there was one.
    pub previous_stage: Option<u32>,
    /// The day of the change.
    pub date_of_change: Date,
    /// Whether it is the entry that holds now.
    pub active: bool,
    /// How many days it held; 0 for the active one.
    pub days_open: u32,
    /// What the sale may bring.
    pub estimated_value: Amount,
    /// When it may be decided.
    pub estimated_close_date: Date,
    /// The chance of success.
    pub chance: Percent,
    /// How much of the work is done.
    pub completed: Percent,
    /// The probability, as the sales cycle calculates it.
    pub probability: Percent,
    /// The estimated value times the probability; for a won opportunity the sales value.
    pub calculated_value: Amount,
    /// Why it was closed.
    pub close_code: Option<String>,
    /// The salesperson.
    pub salesperson_code: Option<SalespersonCode>,
    /// The contact.
    pub contact_no: ContactNo,
    /// The contact's company.
    pub contact_company_no: Option<ContactNo>,
    /// The campaign.
    pub campaign_no: Option<String>,
}

impl OpportunityEntry {
    /// An active entry without estimates, of a contact.
    pub fn new(
        no: u32,
        action_taken: ActionTaken,
        sales_cycle_code: impl Into<String>,
        stage: u32,
        date_of_change: Date,
        contact_no: ContactNo,
    ) -> Self {
        Self {
            no,
            action_taken,
            sales_cycle_code: sales_cycle_code.into(),
            stage,
            previous_stage: None,
            date_of_change,
            active: true,
            days_open: 0,
            estimated_value: Amount::ZERO,
            estimated_close_date: date_of_change,
            chance: Percent::ZERO,
            completed: Percent::ZERO,
            probability: Percent::ZERO,
            calculated_value: Amount::ZERO,
            close_code: None,
            salesperson_code: None,
            contact_no,
            contact_company_no: None,
            campaign_no: None,
        }
    }
}
