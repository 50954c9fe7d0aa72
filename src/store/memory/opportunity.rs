//! Opportunities of a memory store.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::cursor::Question;
use super::tables::{ScopeTables, not_found};
use super::{MemoryStore, StoreOperation};
use crate::error::{Error, Result, codes};
use crate::ids::{EntryId, OpportunityNo};
use crate::opportunity::{
    CloseCode, Creation, Opportunity, OpportunityEntry, SalesCycle, StagePart, StageStatistics,
};
use crate::scope::Scope;
use crate::store::{
    Cursor, OpportunityFilter, OpportunitySetup, OpportunityStore, Page, StoredOpportunity,
};

/// The opportunities of a scope and what they are made with.
#[derive(Default)]
pub(super) struct OpportunityTables {
    rows: BTreeMap<OpportunityNo, OpportunityRow>,
    cycles: BTreeMap<String, SalesCycle>,
    close_codes: BTreeMap<String, CloseCode>,
    setup: OpportunitySetup,
}

struct OpportunityRow {
    sequence: u64,
    stored: StoredOpportunity,
}

impl OpportunityTables {
    /// Whether an opportunity is there and not closed.
    pub(super) fn is_open(&self, no: &str) -> bool {
        let row = self.rows.get(&OpportunityNo::new(no));
        row.is_some_and(|row| !row.stored.opportunity.status.is_closed())
    }

    /// The opportunities to change, each with its version.
    pub(super) fn each(&mut self) -> impl Iterator<Item = &mut StoredOpportunity> {
        self.rows.values_mut().map(|row| &mut row.stored)
    }

    fn insert(&mut self, opportunity: Opportunity) -> StoredOpportunity {
        let last = self.rows.values().map(|row| row.sequence).max();
        let stored = StoredOpportunity::new(opportunity, 1);
        let row = OpportunityRow {
            sequence: last.unwrap_or(0) + 1,
            stored: stored.clone(),
        };
        self.rows.insert(stored.opportunity.no.clone(), row);
        stored
    }
}

#[async_trait]
impl OpportunityStore for MemoryStore {
    async fn create_opportunity(
        &self,
        scope: &Scope,
        entry: &EntryId,
        creation: &Creation,
    ) -> Result<StoredOpportunity> {
        self.call(StoreOperation::CreateOpportunity, scope, |tables, _| {
            create(tables, entry, creation)
        })
    }

    async fn load_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
    ) -> Result<StoredOpportunity> {
        self.call(StoreOperation::LoadOpportunity, scope, |tables, _| {
            let row = tables.opportunities.rows.get(no);
            let row = row.ok_or_else(|| not_found("load_opportunity", no))?;
            Ok(row.stored.clone())
        })
    }

    async fn save_opportunity(
        &self,
        scope: &Scope,
        opportunity: &Opportunity,
        expected_version: u64,
    ) -> Result<u64> {
        self.call(StoreOperation::SaveOpportunity, scope, |tables, _| {
            save(tables, opportunity, expected_version)
        })
    }

    async fn delete_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
        expected_version: u64,
    ) -> Result<()> {
        self.call(StoreOperation::DeleteOpportunity, scope, |tables, _| {
            let row = tables.opportunities.rows.get(no);
            let row = row.ok_or_else(|| not_found("delete_opportunity", no))?;
            if row.stored.version != expected_version {
                return Err(version("delete_opportunity"));
            }
            row.stored.opportunity.check_delete()?;
            tables.opportunities.rows.remove(no);
            let linked = |link: &Option<String>| link.as_deref() == Some(no.as_str());
            for row in tables.entries.values_mut() {
                if linked(&row.entry.opportunity_no) {
                    row.entry.opportunity_no = None;
                }
            }
            Ok(())
        })
    }

    async fn opportunities(
        &self,
        scope: &Scope,
        filter: &OpportunityFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<StoredOpportunity>> {
        self.call(StoreOperation::Opportunities, scope, |tables, _| {
            let question = Question::new("opportunities", scope, filter);
            let rows = tables.opportunities.rows.values();
            let rows = rows.filter(|row| filter.fits(&row.stored.opportunity));
            let rows = rows.map(|row| ((0, row.sequence), &row.stored)).collect();
            let page = question.page(rows, after, limit)?;
            let rows = page.rows.into_iter().cloned().collect();
            Ok(Page::new(rows, page.next))
        })
    }

    async fn count_interactions(&self, scope: &Scope, no: &OpportunityNo) -> Result<u64> {
        self.call(StoreOperation::CountInteractions, scope, |tables, _| {
            let entries = tables.entries.values().map(|row| &row.entry);
            let counted = entries.filter(|entry| {
                !entry.canceled && entry.opportunity_no.as_deref() == Some(no.as_str())
            });
            Ok(counted.count() as u64)
        })
    }

    async fn stage_statistics(
        &self,
        scope: &Scope,
        sales_cycle: Option<&str>,
    ) -> Result<Vec<StageStatistics>> {
        self.call(StoreOperation::StageStatistics, scope, |tables, _| {
            let rows = tables.opportunities.rows.values();
            let entries = rows.flat_map(|row| &row.stored.opportunity.entries);
            let wanted = |code: &str| sales_cycle.is_none_or(|wanted| wanted == code);
            Ok(statistics(entries.filter(|e| wanted(&e.sales_cycle_code))))
        })
    }

    async fn sales_cycles(&self, scope: &Scope) -> Result<Vec<SalesCycle>> {
        self.call(StoreOperation::SalesCycles, scope, |tables, _| {
            Ok(tables.opportunities.cycles.values().cloned().collect())
        })
    }

    async fn put_sales_cycle(&self, scope: &Scope, cycle: &SalesCycle) -> Result<()> {
        self.call(StoreOperation::PutSalesCycle, scope, |tables, _| {
            cycle.check()?;
            let cycles = &mut tables.opportunities.cycles;
            cycles.insert(cycle.code.clone(), cycle.clone());
            Ok(())
        })
    }

    async fn close_codes(&self, scope: &Scope) -> Result<Vec<CloseCode>> {
        self.call(StoreOperation::CloseCodes, scope, |tables, _| {
            Ok(tables.opportunities.close_codes.values().cloned().collect())
        })
    }

    async fn put_close_code(&self, scope: &Scope, code: &CloseCode) -> Result<()> {
        self.call(StoreOperation::PutCloseCode, scope, |tables, _| {
            let codes = &mut tables.opportunities.close_codes;
            codes.insert(code.code.clone(), code.clone());
            Ok(())
        })
    }

    async fn opportunity_setup(&self, scope: &Scope) -> Result<OpportunitySetup> {
        self.call(StoreOperation::OpportunitySetup, scope, |tables, _| {
            Ok(tables.opportunities.setup.clone())
        })
    }

    async fn put_opportunity_setup(&self, scope: &Scope, setup: &OpportunitySetup) -> Result<()> {
        self.call(StoreOperation::PutOpportunitySetup, scope, |tables, _| {
            tables.opportunities.setup = setup.clone();
            Ok(())
        })
    }
}

fn version(operation: &'static str) -> Error {
    Error::new(&codes::OPPORTUNITY_VERSION, operation)
}

fn create(
    tables: &mut ScopeTables,
    id: &EntryId,
    creation: &Creation,
) -> Result<StoredOpportunity> {
    let row = tables.entries.get_mut(id);
    let row = row.ok_or_else(|| not_found("create_opportunity", id))?;
    Opportunity::check_entry(&row.entry, creation)?;
    let opportunities = &mut tables.opportunities;
    let setup = &opportunities.setup;
    let no_series = || Error::new(&codes::OPPORTUNITY_NO_SERIES, "create_opportunity");
    let series = setup.number_series.as_ref().ok_or_else(no_series)?;
    let (no, rest) = series.take()?;
    if opportunities.rows.contains_key(&no) {
        return Err(Error::new(&codes::STORE_DATA, "create_opportunity"));
    }
    let cycle = setup.default_sales_cycle.as_ref();
    let cycle = cycle.and_then(|code| opportunities.cycles.get(code));
    let made = Opportunity::from_entry(no, &row.entry, creation, cycle)?;
    opportunities.setup.number_series = Some(rest);
    row.entry.opportunity_no = Some(made.no.as_str().to_owned());
    Ok(opportunities.insert(made))
}

fn save(tables: &mut ScopeTables, opportunity: &Opportunity, expected: u64) -> Result<u64> {
    opportunity.check()?;
    let rows = &mut tables.opportunities.rows;
    let stored = rows
        .get(&opportunity.no)
        .map_or(0, |row| row.stored.version);
    if stored != expected {
        return Err(version("save_opportunity"));
    }
    let quote = |one: &Opportunity| one.quote.as_ref().map(|quote| quote.no.clone());
    let wanted = quote(opportunity);
    let mut others = rows.values().map(|row| &row.stored.opportunity);
    let taken = |one: &Opportunity| one.no != opportunity.no && quote(one) == wanted;
    if wanted.is_some() && others.any(taken) {
        return Err(Error::new(
            &codes::OPPORTUNITY_QUOTE_ASSIGNED,
            "save_opportunity",
        ));
    }
    if let Some(row) = rows.get_mut(&opportunity.no) {
        row.stored = StoredOpportunity::new(opportunity.clone(), expected + 1);
        return Ok(row.stored.version);
    }
    Ok(tables.opportunities.insert(opportunity.clone()).version)
}

fn statistics<'a>(entries: impl Iterator<Item = &'a OpportunityEntry>) -> Vec<StageStatistics> {
    let mut stages = BTreeMap::new();
    for entry in entries {
        let key = (entry.sales_cycle_code.clone(), entry.stage);
        let fresh = || StageStatistics::new(&entry.sales_cycle_code, entry.stage);
        stages.entry(key).or_insert_with(fresh).add(&StagePart {
            action: entry.action_taken,
            active: entry.active,
            count: 1,
            estimated_value: entry.estimated_value,
            calculated_value: entry.calculated_value,
            days: u64::from(entry.days_open),
        });
    }
    stages.into_values().collect()
}
