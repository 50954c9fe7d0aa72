//! An opportunity out of an interaction log entry (Business Central: CreateFromInteractionLogEntry).

use jiff::civil::Date;

use super::{Opportunity, SalesCycle};
use crate::error::{Error, Result, codes};
use crate::ids::{OpportunityNo, SalespersonCode};
use crate::interaction::InteractionLogEntry;

/// What the host knows when an opportunity is made of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Creation {
    /// The work date.
    pub work_date: Date,
    /// Who works on it where the entry names no salesperson (Business Central: User Setup).
    pub fallback_salesperson: Option<SalespersonCode>,
    /// Whether the contact or its company is blocked for privacy.
    pub privacy: PrivacyBlock,
}

/// Whether somebody asked not to be processed (Business Central: Privacy Blocked). The host's directory knows it, so the
/// host has to look: there is no answer that holds by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrivacyBlock {
    /// Neither the contact nor its company is blocked.
    NotBlocked,
    /// The contact or its company is blocked.
    Blocked,
}

impl PrivacyBlock {
    /// Of a contact and its company, each blocked or not. A contact without a company passes `false` for it.
    pub fn of(contact_blocked: bool, company_blocked: bool) -> Self {
        if contact_blocked || company_blocked {
            Self::Blocked
        } else {
            Self::NotBlocked
        }
    }
}

impl Creation {
    /// On this work date, of a contact that is blocked for privacy or not, itself or its company.
    pub fn on(work_date: Date, privacy: PrivacyBlock) -> Self {
        Self {
            work_date,
            fallback_salesperson: None,
            privacy,
        }
    }

    /// With the salesperson of an entry that names none.
    #[must_use]
    pub fn with_fallback_salesperson(mut self, code: SalespersonCode) -> Self {
        self.fallback_salesperson = Some(code);
        self
    }
}

impl Opportunity {
    /// Whether an opportunity can be made of an entry.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.entry_canceled`, `opportunity.entry_linked`, `opportunity.contact_blocked`.
    pub fn check_entry(entry: &InteractionLogEntry, creation: &Creation) -> Result<()> {
        let code = if entry.canceled {
            &codes::OPPORTUNITY_ENTRY_CANCELED
        } else if entry
            .opportunity_no
            .as_ref()
            .is_some_and(|no| !no.is_empty())
        {
            &codes::OPPORTUNITY_ENTRY_LINKED
        } else if creation.privacy == PrivacyBlock::Blocked {
            &codes::OPPORTUNITY_CONTACT_BLOCKED
        } else {
            return Ok(());
        };
        Err(Error::new(code, "create_opportunity").with_item(entry.entry.id.to_string()))
    }

    /// Makes an opportunity of an entry: not started, without a stage and without estimates. The entry's comments are copied.
    ///
    /// `default_cycle` is the sales cycle of the set-up; a blocked one is left out.
    ///
    /// # Errors
    ///
    /// As [`check_entry`](Self::check_entry).
    pub fn from_entry(
        no: OpportunityNo,
        entry: &InteractionLogEntry,
        creation: &Creation,
        default_cycle: Option<&SalesCycle>,
    ) -> Result<Self> {
        Self::check_entry(entry, creation)?;
        let from = &entry.entry;
        let named = Some(&from.salesperson_code).filter(|code| !code.as_str().is_empty());
        let salesperson = named.or(creation.fallback_salesperson.as_ref());
        let cycle = default_cycle.filter(|cycle| !cycle.blocked);
        Ok(Self {
            description: from.description.clone(),
            salesperson_code: salesperson.cloned(),
            contact_company_no: from.contact_company_no.clone(),
            campaign_no: from.campaign_no.clone(),
            sales_cycle_code: cycle.map(|cycle| cycle.code.clone()),
            comments: entry.comments.clone(),
            ..Self::new(no, from.contact_no.clone(), creation.work_date)
        })
    }
}
