//! The contract of a store of opportunities: made of an entry in one step, saved over the version that was read, found,
//! counted, deleted, and apart from other scopes.

mod creation;
mod keeping;
mod reading;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use super::sample::Sample;
use super::{Bench, StoreBackend, sample};
use crate::error::Result;
use crate::opportunity::{
    ActivityStep, Amount, Creation, DateFormula, NumberSeries, Opportunity, Percent, PrivacyBlock,
    SalesCycle, SalesCycleStage, StageAction, StageUpdate, TaskKind,
};
use crate::store::{InteractionStore, OpportunitySetup, OpportunityStore, StoredOpportunity};
use crate::testkit::conformance::Report;
use crate::testkit::conformance::harness::{self, Case, Checked, Stop, cases};

/// A fresh and empty store with every role, as each case wants one.
pub struct OpportunityBackend {
    log: Bench,
    store: Arc<dyn OpportunityStore>,
}

impl OpportunityBackend {
    /// A store that was just made and migrated.
    pub fn new(store: impl InteractionStore + OpportunityStore) -> Self {
        Self::with_guard(store, ())
    }

    /// A store, and something to keep until the case ends, such as a temporary directory.
    pub fn with_guard(
        store: impl InteractionStore + OpportunityStore,
        guard: impl Any + Send + Sync,
    ) -> Self {
        let store = Arc::new(store);
        let log = Arc::clone(&store);
        Self {
            log: Bench::new(StoreBackend {
                store: log,
                reports: None,
                clock: None,
                guard: Some(Box::new(guard)),
            }),
            store,
        }
    }

    /// Sets up a series of numbers and a default sales cycle of three stages.
    async fn set_up(&self) -> Result<SalesCycle> {
        let cycle = cycle("FIRM");
        self.store.put_sales_cycle(&self.log.scope, &cycle).await?;
        let setup = OpportunitySetup::default()
            .with_number_series(NumberSeries::new("OPP", "OP009"))
            .with_default_sales_cycle("FIRM");
        let scope = &self.log.scope;
        self.store.put_opportunity_setup(scope, &setup).await?;
        Ok(cycle)
    }

    /// Logs a mail and makes an opportunity of its first entry.
    async fn made(&self, sample: &Sample) -> Checked<StoredOpportunity> {
        self.log.put_all(std::slice::from_ref(sample)).await?;
        Ok(self.create(sample).await?)
    }

    async fn create(&self, sample: &Sample) -> Result<StoredOpportunity> {
        let entry = &sample.row.entries[0].id;
        let creation = Creation::on(day(1), PrivacyBlock::NotBlocked);
        let scope = &self.log.scope;
        self.store.create_opportunity(scope, entry, &creation).await
    }

    /// Makes an opportunity and brings it to its first stage.
    async fn started(&self, number: u32) -> Checked<StoredOpportunity> {
        let cycle = cycle("FIRM");
        let mut stored = self.made(&sample::logged(number, &["C1"])).await?;
        drop(stored.opportunity.update(&cycle, &first(2))?);
        stored.version = self.save(&stored).await?;
        Ok(stored)
    }

    async fn save(&self, stored: &StoredOpportunity) -> Result<u64> {
        let (scope, one) = (&self.log.scope, &stored.opportunity);
        self.store
            .save_opportunity(scope, one, stored.version)
            .await
    }

    async fn load(&self, one: &Opportunity) -> Result<StoredOpportunity> {
        self.store.load_opportunity(&self.log.scope, &one.no).await
    }
}

impl fmt::Debug for OpportunityBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpportunityBackend")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Checks a store of opportunities. `make` answers a fresh and empty one for every case.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = OpportunityBackend>,
{
    harness::run("opportunity store", list(), make).await
}

fn list() -> Vec<Case<OpportunityBackend>> {
    cases! {
        creation::{
            an_opportunity_is_made_of_an_entry_with_a_number_and_a_link,
            what_cannot_be_made_takes_no_number_and_links_nothing,
            the_default_cycle_is_left_out_where_it_is_missing_or_blocked,
            of_many_who_make_one_of_the_same_entry_one_does,
            many_at_once_get_numbers_of_their_own,
        }
        keeping::{
            every_field_is_read_back,
            an_opportunity_is_saved_only_over_the_version_that_was_read,
            one_of_many_who_save_at_once_wins,
            a_history_that_does_not_add_up_is_refused,
            a_quote_belongs_to_one_opportunity,
            what_is_deleted_is_gone_and_its_entries_are_free,
            another_scope_sees_and_changes_nothing,
        }
        reading::{
            opportunities_are_found_by_every_filter,
            pages_are_the_last_made_first_and_complete,
            interactions_are_counted_without_the_cancelled_ones,
            the_stages_are_counted,
            cycles_codes_and_setup_are_kept,
        }
    }
}

fn day(number: i8) -> Date {
    Date::new(2026, 5, number).unwrap_or(Date::MIN)
}

fn cycle(code: &str) -> SalesCycle {
    let task = ActivityStep::new(TaskKind::PhoneCall, "Call", DateFormula::default());
    let stage = |no, completed, chance| {
        SalesCycleStage::new(no, Percent::whole(completed), Percent::whole(chance))
    };
    SalesCycle::new(code)
        .with_description("As a rule")
        .with_stage(stage(1, 10, 50).with_task(task))
        .with_stage(stage(2, 50, 60).with_allow_skip(true))
        .with_stage(stage(5, 80, 90).with_quote_required(true))
}

fn first(date: i8) -> StageUpdate {
    StageUpdate::new(StageAction::First, day(date)).with_estimated_value(Amount::from(1_000))
}

fn next(date: i8) -> StageUpdate {
    StageUpdate::new(StageAction::Next, day(date)).with_close_date(day(31))
}

/// Ends the case unless the call failed with this code.
fn refused<T: fmt::Debug>(what: &str, answer: Result<T>, code: &str) -> Checked {
    match answer {
        Err(error) if error.code() == code => Ok(()),
        other => Err(Stop::Failed(format!(
            "{what}: expected {code}, found {other:?}"
        ))),
    }
}
