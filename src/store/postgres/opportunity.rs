//! The role of opportunities.

use async_trait::async_trait;

use super::PostgresStore;
use super::core::opportunity as rows;
use super::roles::{read, told, write};
use crate::error::Result;
use crate::ids::{EntryId, OpportunityNo};
use crate::opportunity::{CloseCode, Creation, Opportunity, SalesCycle, StageStatistics};
use crate::scope::Scope;
use crate::store::{
    Cursor, OpportunityFilter, OpportunitySetup, OpportunityStore, Page, StoredOpportunity,
};

#[async_trait]
impl OpportunityStore for PostgresStore {
    async fn create_opportunity(
        &self,
        scope: &Scope,
        entry: &EntryId,
        creation: &Creation,
    ) -> Result<StoredOpportunity> {
        write!(self, "create_opportunity", |tx, round| {
            rows::create_opportunity(&tx, scope, entry, creation, round)
        })
    }

    async fn load_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
    ) -> Result<StoredOpportunity> {
        read!(self, "load_opportunity", |tx| rows::load_opportunity(
            &tx, scope, no
        ))
    }

    async fn save_opportunity(
        &self,
        scope: &Scope,
        opportunity: &Opportunity,
        expected_version: u64,
    ) -> Result<u64> {
        write!(
            self,
            "save_opportunity",
            |tx, round| rows::save_opportunity(&tx, scope, opportunity, expected_version, round)
        )
    }

    async fn delete_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
        expected_version: u64,
    ) -> Result<()> {
        write!(self, "delete_opportunity", |tx, round| {
            rows::delete_opportunity(&tx, scope, no, expected_version, round)
        })
    }

    async fn opportunities(
        &self,
        scope: &Scope,
        filter: &OpportunityFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<StoredOpportunity>> {
        read!(self, "opportunities", |tx| rows::opportunities(
            &tx, scope, filter, after, limit
        ))
    }

    async fn count_interactions(&self, scope: &Scope, no: &OpportunityNo) -> Result<u64> {
        read!(self, "count_interactions", |tx| rows::count_interactions(
            &tx, scope, no
        ))
    }

    async fn stage_statistics(
        &self,
        scope: &Scope,
        sales_cycle: Option<&str>,
    ) -> Result<Vec<StageStatistics>> {
        read!(self, "stage_statistics", |tx| rows::stage_statistics(
            &tx,
            scope,
            sales_cycle
        ))
    }

    async fn sales_cycles(&self, scope: &Scope) -> Result<Vec<SalesCycle>> {
        read!(self, "sales_cycles", |tx| rows::sales_cycles(&tx, scope))
    }

    async fn put_sales_cycle(&self, scope: &Scope, cycle: &SalesCycle) -> Result<()> {
        write!(self, "put_sales_cycle", |tx, _round| rows::put_sales_cycle(
            &tx, scope, cycle
        ))
    }

    async fn close_codes(&self, scope: &Scope) -> Result<Vec<CloseCode>> {
        read!(self, "close_codes", |tx| rows::close_codes(&tx, scope))
    }

    async fn put_close_code(&self, scope: &Scope, code: &CloseCode) -> Result<()> {
        write!(self, "put_close_code", |tx, _round| rows::put_close_code(
            &tx, scope, code
        ))
    }

    async fn opportunity_setup(&self, scope: &Scope) -> Result<OpportunitySetup> {
        read!(self, "opportunity_setup", |tx| rows::opportunity_setup(
            &tx, scope
        ))
    }

    async fn put_opportunity_setup(&self, scope: &Scope, setup: &OpportunitySetup) -> Result<()> {
        write!(self, "put_opportunity_setup", |tx, _round| {
            rows::put_opportunity_setup(&tx, scope, setup)
        })
    }
}
