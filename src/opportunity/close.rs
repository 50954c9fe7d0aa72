//! The end of an opportunity: won or lost.

use jiff::civil::Date;

use super::{
    ActionTaken, Amount, Changed, CloseCode, CloseKind, Opportunity, OpportunityStatus, Percent,
};
use crate::error::{Error, Result, codes};

/// How an opportunity is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closing {
    /// Won or lost.
    pub kind: CloseKind,
    /// The day.
    pub date: Date,
    /// What was sold. The value of an assigned quote wins over it.
    pub sales_value: Option<Amount>,
    /// Whether the open tasks are cancelled.
    pub cancel_open_tasks: bool,
}

impl Closing {
    /// Won on this day; with the value that was sold where no quote is assigned.
    pub fn won(date: Date, sales_value: Option<Amount>) -> Self {
        Self {
            kind: CloseKind::Won,
            date,
            sales_value,
            cancel_open_tasks: false,
        }
    }

    /// Lost on this day.
    pub fn lost(date: Date) -> Self {
        Self {
            kind: CloseKind::Lost,
            date,
            sales_value: None,
            cancel_open_tasks: false,
        }
    }

    /// Cancels the open tasks, or not.
    #[must_use]
    pub fn with_cancel_open_tasks(mut self, cancel: bool) -> Self {
        self.cancel_open_tasks = cancel;
        self
    }
}

impl Opportunity {
    /// Closes an opportunity in progress. Nothing is changed where it fails.
    ///
    /// Won: chance, completed and probability are 100 %, the calculated value is what was sold, and the contact is to become a
    /// customer, a person without a company as well. Lost: chance, probability and calculated value are 0, completed is 100 %.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.status`, `.close_code` (missing or for the other way), `.date`, `.sales_value` (won without one).
    pub fn close(&mut self, closing: &Closing, code: Option<&CloseCode>) -> Result<Changed> {
        self.require(OpportunityStatus::InProgress, "close")?;
        let code = code.filter(|code| code.kind == closing.kind && !code.code.is_empty());
        let code = code.ok_or_else(|| Error::new(&codes::OPPORTUNITY_CLOSE_CODE, "close"))?;
        self.check_date(closing.date, "close")?;
        let won = closing.kind == CloseKind::Won;
        let sales_value = if won {
            self.sales_value(closing)?
        } else {
            Amount::ZERO
        };
        let rate = if won { Percent::HUNDRED } else { Percent::ZERO };
        let action = if won {
            ActionTaken::Won
        } else {
            ActionTaken::Lost
        };
        let Some(active) = self.active() else {
            return Err(Error::new(&codes::OPPORTUNITY_STATUS, "close"));
        };
        let cycle = &active.sales_cycle_code;
        let mut entry = self.successor(action, cycle, active.stage, closing.date);
        entry.estimated_value = active.estimated_value;
        entry.estimated_close_date = closing.date;
        entry.chance = rate;
        entry.probability = rate;
        entry.completed = Percent::HUNDRED;
        entry.calculated_value = sales_value;
        entry.close_code = Some(code.code.clone());
        self.push(entry);
        self.status = if won {
            OpportunityStatus::Won
        } else {
            OpportunityStatus::Lost
        };
        self.date_closed = Some(closing.date);
        let canceled_tasks = if closing.cancel_open_tasks {
            self.cancel_open_tasks()
        } else {
            Vec::new()
        };
        Ok(Changed {
            canceled_tasks,
            contact_becomes_customer: won,
            ..Changed::default()
        })
    }

    fn sales_value(&self, closing: &Closing) -> Result<Amount> {
        let quoted = self.quote.as_ref().map(|quote| quote.value);
        let value = quoted.or(closing.sales_value).unwrap_or_default();
        if !value.is_positive() {
            return Err(Error::new(&codes::OPPORTUNITY_SALES_VALUE, "close"));
        }
        Ok(value)
    }
}
