//! Where opportunities live, with their sales cycles, close codes and number series.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Cursor, Page};
use crate::error::Result;
use crate::ids::{ContactNo, EntryId, OpportunityNo, SalespersonCode};
use crate::opportunity::{
    CloseCode, Creation, NumberSeries, Opportunity, OpportunityStatus, SalesCycle, StageStatistics,
};
use crate::scope::Scope;

/// Keeps the opportunities of each scope.
///
/// The rules of their life are in [`crate::opportunity`]: load one, change it by its methods, save it under the version that
/// was loaded.
#[async_trait]
pub trait OpportunityStore: Debug + Send + Sync + 'static {
    /// Makes an opportunity of an interaction log entry, in one step with the link on the entry and the next number of the
    /// series. It has the default sales cycle, unless that is missing or blocked.
    ///
    /// # Errors
    ///
    /// `NotFound` for an entry that is not there. `Config`: `opportunity.no_series`, `opportunity.series_end`. `Conflict`:
    /// `opportunity.entry_canceled`, `opportunity.entry_linked`, `opportunity.contact_blocked`; `store.data` where the number is
    /// taken. `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: repeat it; `opportunity.entry_linked` says that it was done.
    async fn create_opportunity(
        &self,
        scope: &Scope,
        entry: &EntryId,
        creation: &Creation,
    ) -> Result<StoredOpportunity>;

    /// One opportunity with its version.
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn load_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
    ) -> Result<StoredOpportunity>;

    /// Stores an opportunity if the stored one still has the expected version; 0 makes a new one, whose number the caller
    /// chose. Answers the new version.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.version` where it was changed or made meanwhile, `opportunity.quote_assigned` where another
    /// opportunity has its quote, `store.data` where its history does not add up. `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: load it again.
    async fn save_opportunity(
        &self,
        scope: &Scope,
        opportunity: &Opportunity,
        expected_version: u64,
    ) -> Result<u64>;

    /// Deletes an opportunity that is not in progress, with its history, comments and tasks, and takes its number from the
    /// interaction log entries that had it.
    ///
    /// # Errors
    ///
    /// `NotFound`. `Conflict`: `opportunity.in_progress`, `opportunity.version`. `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: repeat it; `NotFound` says that it was done.
    async fn delete_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
        expected_version: u64,
    ) -> Result<()>;

    /// Opportunities that fit the filter, the last one made first.
    ///
    /// # Errors
    ///
    /// `Protocol` (`store.cursor`) for a cursor of something else; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn opportunities(
        &self,
        scope: &Scope,
        filter: &OpportunityFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<StoredOpportunity>>;

    /// How many interaction log entries belong to an opportunity, without the cancelled ones.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn count_interactions(&self, scope: &Scope, no: &OpportunityNo) -> Result<u64>;

    /// The figures of each stage that an opportunity has been at, by cycle and stage; of one sales cycle or of all.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn stage_statistics(
        &self,
        scope: &Scope,
        sales_cycle: Option<&str>,
    ) -> Result<Vec<StageStatistics>>;

    /// Every sales cycle, by code.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn sales_cycles(&self, scope: &Scope) -> Result<Vec<SalesCycle>>;

    /// Stores a sales cycle in place of the one with its code.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.cycle_invalid`), `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn put_sales_cycle(&self, scope: &Scope, cycle: &SalesCycle) -> Result<()>;

    /// Every close code, by code.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn close_codes(&self, scope: &Scope) -> Result<Vec<CloseCode>>;

    /// Stores a close code in place of the one with its code.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn put_close_code(&self, scope: &Scope, code: &CloseCode) -> Result<()>;

    /// The set-up of opportunities; an empty one where none is stored.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn opportunity_setup(&self, scope: &Scope) -> Result<OpportunitySetup>;

    /// Stores the set-up of opportunities. Whoever sets the number series back makes numbers that are taken.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn put_opportunity_setup(&self, scope: &Scope, setup: &OpportunitySetup) -> Result<()>;
}

/// What opportunities are made with (Business Central: Marketing Setup).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OpportunitySetup {
    /// The series of their numbers (Opportunity Nos.).
    pub number_series: Option<NumberSeries>,
    /// The code of the sales cycle that a new one follows (Default Sales Cycle Code).
    pub default_sales_cycle: Option<String>,
}

impl OpportunitySetup {
    /// With this series of numbers.
    #[must_use]
    pub fn with_number_series(mut self, series: NumberSeries) -> Self {
        self.number_series = Some(series);
        self
    }

    /// With this default sales cycle.
    #[must_use]
    pub fn with_default_sales_cycle(mut self, code: impl Into<String>) -> Self {
        self.default_sales_cycle = Some(code.into());
        self
    }
}

/// An opportunity as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredOpportunity {
    /// The opportunity.
    pub opportunity: Opportunity,
    /// Its version, from 1.
    pub version: u64,
}

impl StoredOpportunity {
    /// An opportunity with its version.
    pub fn new(opportunity: Opportunity, version: u64) -> Self {
        Self {
            opportunity,
            version,
        }
    }
}

/// Which opportunities to read. Every field that is set must fit; empty fits all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OpportunityFilter {
    /// Of this contact.
    pub contact: Option<ContactNo>,
    /// Of this company and of the persons in it.
    pub company: Option<ContactNo>,
    /// Of this salesperson.
    pub salesperson: Option<SalespersonCode>,
    /// Of this campaign.
    pub campaign: Option<String>,
    /// Of this sales cycle.
    pub sales_cycle: Option<String>,
    /// With this status.
    pub status: Option<OpportunityStatus>,
    /// Neither won nor lost.
    pub open: bool,
}

impl OpportunityFilter {
    /// Whether an opportunity fits.
    pub(crate) fn fits(&self, one: &Opportunity) -> bool {
        fn same<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let company = one.contact_company_no.as_ref().unwrap_or(&one.contact_no);
        same(self.contact.as_ref(), Some(&one.contact_no))
            && same(self.company.as_ref(), Some(company))
            && same(self.salesperson.as_ref(), one.salesperson_code.as_ref())
            && same(self.campaign.as_ref(), one.campaign_no.as_ref())
            && same(self.sales_cycle.as_ref(), one.sales_cycle_code.as_ref())
            && same(self.status.as_ref(), Some(&one.status))
            && !(self.open && one.status.is_closed())
    }
}
