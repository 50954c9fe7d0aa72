//! Other changes of an opportunity: who works on it, with whom, in which campaign and cycle; and whether it may go.

use jiff::civil::Date;

use super::{Opportunity, OpportunityEntry, OpportunityStatus, SalesCycle, Task, TaskStatus};
use crate::error::{Error, Result, codes};
use crate::ids::{ContactNo, SalespersonCode};

/// A contact that an opportunity is given to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewContact {
    /// Its number.
    pub no: ContactNo,
    /// Its company; for a company its own number.
    pub company: Option<ContactNo>,
}

impl NewContact {
    /// A contact with its company.
    pub fn new(no: ContactNo, company: Option<ContactNo>) -> Self {
        Self { no, company }
    }
}

/// A campaign of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Campaign {
    /// Its number.
    pub no: String,
    /// Its first day, if it has one.
    pub starting: Option<Date>,
    /// Its last day, if it has one.
    pub ending: Option<Date>,
}

impl Campaign {
    /// A campaign.
    pub fn new(no: impl Into<String>, starting: Option<Date>, ending: Option<Date>) -> Self {
        Self {
            no: no.into(),
            starting,
            ending,
        }
    }
}

impl Opportunity {
    /// Gives it to another salesperson: the active entry follows, and the open tasks if that is wanted.
    ///
    /// # Errors
    ///
    /// `Conflict` (`opportunity.status`) once it is closed.
    pub fn set_salesperson(&mut self, code: SalespersonCode, with_tasks: bool) -> Result<()> {
        self.require_open("set_salesperson")?;
        self.follow(|entry| entry.salesperson_code = Some(code.clone()));
        if with_tasks {
            self.open_tasks(|task| task.salesperson_code = Some(code.clone()));
        }
        self.salesperson_code = Some(code);
        Ok(())
    }

    /// Gives it to another contact: the active entry follows, and the open tasks if that is wanted.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.status` once it is closed; `opportunity.other_company` for a contact of another company once
    /// it has started.
    pub fn set_contact(&mut self, contact: NewContact, with_tasks: bool) -> Result<()> {
        self.require_open("set_contact")?;
        let started = self.status != OpportunityStatus::NotStarted;
        if started && contact.company != self.contact_company_no {
            return Err(Error::new(&codes::OPPORTUNITY_OTHER_COMPANY, "set_contact"));
        }
        let NewContact { no, company } = contact;
        self.follow(|entry| {
            entry.contact_no = no.clone();
            entry.contact_company_no.clone_from(&company);
        });
        if with_tasks {
            self.open_tasks(|task| task.contact_no = no.clone());
        }
        self.contact_no = no;
        self.contact_company_no = company;
        Ok(())
    }

    /// Puts it into a campaign, or into none: the active entry follows.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.status` once it is closed; `opportunity.campaign_dates` where it was created outside the
    /// campaign's days.
    pub fn set_campaign(&mut self, campaign: Option<&Campaign>) -> Result<()> {
        self.require_open("set_campaign")?;
        let created = self.creation_date;
        let outside = |campaign: &Campaign| {
            campaign.starting.is_some_and(|day| created < day)
                || campaign.ending.is_some_and(|day| created > day)
        };
        if campaign.is_some_and(outside) {
            return Err(Error::new(
                &codes::OPPORTUNITY_CAMPAIGN_DATES,
                "set_campaign",
            ));
        }
        let no = campaign.map(|campaign| campaign.no.clone());
        self.follow(|entry| entry.campaign_no.clone_from(&no));
        self.campaign_no = no;
        Ok(())
    }

    /// Chooses the sales cycle of an opportunity that has not started.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.status` once it has started; `opportunity.cycle_blocked`.
    pub fn set_sales_cycle(&mut self, cycle: &SalesCycle) -> Result<()> {
        self.require(OpportunityStatus::NotStarted, "set_sales_cycle")?;
        if cycle.blocked {
            return Err(Error::new(
                &codes::OPPORTUNITY_CYCLE_BLOCKED,
                "set_sales_cycle",
            ));
        }
        self.sales_cycle_code = Some(cycle.code.clone());
        Ok(())
    }

    /// Whether it may be deleted.
    ///
    /// # Errors
    ///
    /// `Conflict` (`opportunity.in_progress`) while it is in progress.
    pub fn check_delete(&self) -> Result<()> {
        if self.status == OpportunityStatus::InProgress {
            return Err(Error::new(
                &codes::OPPORTUNITY_IN_PROGRESS,
                "delete_opportunity",
            ));
        }
        Ok(())
    }

    fn require_open(&self, operation: &'static str) -> Result<()> {
        if self.status.is_closed() {
            let refused = Error::new(&codes::OPPORTUNITY_STATUS, operation);
            return Err(refused.with_detail(self.status.code()));
        }
        Ok(())
    }

    fn follow(&mut self, change: impl FnMut(&mut OpportunityEntry)) {
        self.entries
            .iter_mut()
            .filter(|entry| entry.active)
            .for_each(change);
    }

    fn open_tasks(&mut self, change: impl FnMut(&mut Task)) {
        let tasks = self.tasks.iter_mut();
        tasks
            .filter(|task| task.status == TaskStatus::Open)
            .for_each(change);
    }
}
