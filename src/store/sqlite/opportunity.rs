//! The role of opportunities.

use async_trait::async_trait;

use super::SqliteStore;
use super::core::Core;
use crate::error::Result;
use crate::ids::{EntryId, OpportunityNo};
use crate::opportunity::{CloseCode, Creation, Opportunity, SalesCycle, StageStatistics};
use crate::scope::Scope;
use crate::store::{
    Cursor, OpportunityFilter, OpportunitySetup, OpportunityStore, Page, StoredOpportunity,
};

#[async_trait]
impl OpportunityStore for SqliteStore {
    async fn create_opportunity(
        &self,
        scope: &Scope,
        entry: &EntryId,
        creation: &Creation,
    ) -> Result<StoredOpportunity> {
        let (scope, entry, creation) = (scope.clone(), *entry, creation.clone());
        let job = move |core: &mut Core| core.create_opportunity(&scope, &entry, &creation);
        self.writer().call("create_opportunity", job).await
    }

    async fn load_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
    ) -> Result<StoredOpportunity> {
        let (scope, no) = (scope.clone(), no.clone());
        let job = move |core: &mut Core| core.load_opportunity(&scope, &no);
        self.log_reader().call("load_opportunity", job).await
    }

    async fn save_opportunity(
        &self,
        scope: &Scope,
        opportunity: &Opportunity,
        expected_version: u64,
    ) -> Result<u64> {
        let (scope, opportunity) = (scope.clone(), opportunity.clone());
        let job =
            move |core: &mut Core| core.save_opportunity(&scope, &opportunity, expected_version);
        self.writer().call("save_opportunity", job).await
    }

    async fn delete_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
        expected_version: u64,
    ) -> Result<()> {
        let (scope, no) = (scope.clone(), no.clone());
        let job = move |core: &mut Core| core.delete_opportunity(&scope, &no, expected_version);
        self.writer().call("delete_opportunity", job).await
    }

    async fn opportunities(
        &self,
        scope: &Scope,
        filter: &OpportunityFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<StoredOpportunity>> {
        let (scope, filter, after) = (scope.clone(), filter.clone(), after.cloned());
        let job = move |core: &mut Core| core.opportunities(&scope, &filter, after.as_ref(), limit);
        self.log_reader().call("opportunities", job).await
    }

    async fn count_interactions(&self, scope: &Scope, no: &OpportunityNo) -> Result<u64> {
        let (scope, no) = (scope.clone(), no.clone());
        let job = move |core: &mut Core| core.count_interactions(&scope, &no);
        self.log_reader().call("count_interactions", job).await
    }

    async fn stage_statistics(
        &self,
        scope: &Scope,
        sales_cycle: Option<&str>,
    ) -> Result<Vec<StageStatistics>> {
        let (scope, sales_cycle) = (scope.clone(), sales_cycle.map(str::to_owned));
        let job = move |core: &mut Core| core.stage_statistics(&scope, sales_cycle.as_deref());
        self.log_reader().call("stage_statistics", job).await
    }

    async fn sales_cycles(&self, scope: &Scope) -> Result<Vec<SalesCycle>> {
        let scope = scope.clone();
        let job = move |core: &mut Core| core.sales_cycles(&scope);
        self.log_reader().call("sales_cycles", job).await
    }

    async fn put_sales_cycle(&self, scope: &Scope, cycle: &SalesCycle) -> Result<()> {
        let (scope, cycle) = (scope.clone(), cycle.clone());
        let job = move |core: &mut Core| core.put_sales_cycle(&scope, &cycle);
        self.writer().call("put_sales_cycle", job).await
    }

    async fn close_codes(&self, scope: &Scope) -> Result<Vec<CloseCode>> {
        let scope = scope.clone();
        let job = move |core: &mut Core| core.close_codes(&scope);
        self.log_reader().call("close_codes", job).await
    }

    async fn put_close_code(&self, scope: &Scope, code: &CloseCode) -> Result<()> {
        let (scope, code) = (scope.clone(), code.clone());
        let job = move |core: &mut Core| core.put_close_code(&scope, &code);
        self.writer().call("put_close_code", job).await
    }

    async fn opportunity_setup(&self, scope: &Scope) -> Result<OpportunitySetup> {
        let scope = scope.clone();
        let job = move |core: &mut Core| core.opportunity_setup(&scope);
        self.log_reader().call("opportunity_setup", job).await
    }

    async fn put_opportunity_setup(&self, scope: &Scope, setup: &OpportunitySetup) -> Result<()> {
        let (scope, setup) = (scope.clone(), setup.clone());
        let job = move |core: &mut Core| core.put_opportunity_setup(&scope, &setup);
        self.writer().call("put_opportunity_setup", job).await
    }
}
