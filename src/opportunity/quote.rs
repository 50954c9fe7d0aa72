//! The sales quote of an opportunity. The host owns quotes; here is what the rules need of one.

use jiff::civil::Date;

use super::{Amount, Changed, CloseCode, Closing, Opportunity, OpportunityStatus};
use crate::error::{Error, Result, codes};

/// A sales quote of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Quote {
    /// Its number.
    pub no: String,
    /// Its value.
    pub value: Amount,
}

impl Quote {
    /// A quote.
    pub fn new(no: impl Into<String>, value: Amount) -> Self {
        Self {
            no: no.into(),
            value,
        }
    }
}

impl Opportunity {
    /// Assigns a quote, or gives the assigned one its new value.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.status` unless in progress, `opportunity.quote_assigned` where another one is assigned,
    /// `opportunity.no_company` for a contact that is a person without a company: a quote needs one. That is so where no company
    /// of the contact is known and `contact_is_person` says so.
    pub fn assign_quote(&mut self, quote: Quote, contact_is_person: bool) -> Result<()> {
        self.require(OpportunityStatus::InProgress, "assign_quote")?;
        if self
            .quote
            .as_ref()
            .is_some_and(|assigned| assigned.no != quote.no)
        {
            return Err(Error::new(
                &codes::OPPORTUNITY_QUOTE_ASSIGNED,
                "assign_quote",
            ));
        }
        if contact_is_person && self.contact_company_no.is_none() {
            return Err(Error::new(&codes::OPPORTUNITY_NO_COMPANY, "assign_quote"));
        }
        self.quote = Some(quote);
        Ok(())
    }

    /// Takes the quote away.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.status` unless in progress, `opportunity.no_quote` where there is none.
    pub fn remove_quote(&mut self) -> Result<Quote> {
        self.require(OpportunityStatus::InProgress, "remove_quote")?;
        let none = || Error::new(&codes::OPPORTUNITY_NO_QUOTE, "remove_quote");
        self.quote.take().ok_or_else(none)
    }

    /// The host made an order of the assigned quote: the opportunity is won with the quote's value.
    ///
    /// # Errors
    ///
    /// `Conflict` (`opportunity.no_quote`) without a quote; else as [`close`](Self::close).
    pub fn order_from_quote(&mut self, date: Date, code: &CloseCode) -> Result<Changed> {
        if self.quote.is_none() {
            return Err(Error::new(&codes::OPPORTUNITY_NO_QUOTE, "order_from_quote"));
        }
        self.close(&Closing::won(date, None), Some(code))
    }
}
