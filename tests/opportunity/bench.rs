//! A store with one logged mail, and the changes that the rules make.

use std::sync::Arc;

use email_logging::opportunity::{
    ActivityStep, Amount, Creation, NumberSeries, Opportunity, OpportunityEntry, Percent,
    PrivacyBlock, ProbabilityCalculation, SalesCycle, SalesCycleStage, StageAction, StageUpdate,
    TaskKind,
};
use email_logging::store::{
    InteractionStore, MailLedger, OpportunitySetup, OpportunityStore, StoredOpportunity,
};
use email_logging::{EntryId, Error, Scope};
use jiff::civil::Date;

use crate::store_rows;

/// A store that has both roles.
pub(crate) trait Store: InteractionStore + OpportunityStore {}

impl<T: InteractionStore + OpportunityStore> Store for T {}

pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scope: Scope,
    pub(crate) entries: Vec<EntryId>,
}

/// May 2026.
pub(crate) fn may(number: i8) -> Date {
    Date::new(2026, 5, number).unwrap()
}

pub(crate) fn amount(units: u32) -> Amount {
    Amount::from(units)
}

/// Four stages: 2 may be passed by, 4 needs a quote.
pub(crate) fn cycle() -> SalesCycle {
    let stage = |no, completed, chance| {
        SalesCycleStage::new(no, Percent::whole(completed), Percent::whole(chance))
    };
    SalesCycle::new("FIRM")
        .with_stage(stage(1, 10, 20).with_close_date("1M+CM".parse().unwrap()))
        .with_stage(stage(2, 40, 50).with_allow_skip(true))
        .with_stage(stage(3, 60, 70))
        .with_stage(stage(4, 80, 90).with_quote_required(true))
}

/// The cycle with two tasks in its first stage and one in its second.
pub(crate) fn cycle_with_tasks() -> SalesCycle {
    let step = |kind, what: &str, date: &str| ActivityStep::new(kind, what, date.parse().unwrap());
    let mut cycle = cycle();
    let stages = &mut cycle.stages;
    stages[0].activity = vec![
        step(TaskKind::PhoneCall, "Call", "2D"),
        step(TaskKind::Meeting, "Meet", "1W"),
    ];
    stages[1].activity = vec![step(TaskKind::Other, "Write the offer", "1D")];
    cycle
}

pub(crate) fn with(probability: ProbabilityCalculation) -> SalesCycle {
    cycle().with_probability(probability)
}

pub(crate) fn update(action: StageAction, date: i8) -> StageUpdate {
    StageUpdate::new(action, may(date))
}

pub(crate) fn first() -> StageUpdate {
    update(StageAction::First, 2).with_estimated_value(amount(1_000))
}

/// A change is refused with this code, and changes nothing.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, code: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.code(), code);
    assert!(!error.remedy().is_empty());
}

impl Bench {
    /// A store with a series of numbers and a default cycle, and a mail with two entries.
    pub(crate) async fn new(store: impl Store) -> Self {
        let scope = Scope::default();
        let setup = OpportunitySetup::default()
            .with_number_series(NumberSeries::new("OPP", "OP000001"))
            .with_default_sales_cycle("FIRM");
        store.put_sales_cycle(&scope, &cycle()).await.unwrap();
        store.put_opportunity_setup(&scope, &setup).await.unwrap();
        let entries = log(&store, &scope).await;
        Self {
            store: Arc::new(store),
            scope,
            entries,
        }
    }

    pub(crate) async fn create(&self) -> Opportunity {
        let creation = Creation::on(may(1), PrivacyBlock::NotBlocked);
        self.create_with(&creation).await.unwrap()
    }

    pub(crate) async fn create_with(&self, creation: &Creation) -> Result<Opportunity, Error> {
        let entry = &self.entries[0];
        let made = self.store.create_opportunity(&self.scope, entry, creation);
        Ok(made.await?.opportunity)
    }

    /// An opportunity at its first stage, worth 1000.
    pub(crate) async fn started(&self) -> Opportunity {
        self.create().await;
        self.change(|one| one.update(&cycle(), &first()).map(drop))
            .await
            .unwrap()
    }

    /// Loads the opportunity, changes it, saves it, and answers what was loaded again. A change that is refused must leave it
    /// as it was.
    pub(crate) async fn change(
        &self,
        change: impl FnOnce(&mut Opportunity) -> Result<(), Error>,
    ) -> Result<Opportunity, Error> {
        let mut stored = self.load().await;
        let before = stored.opportunity.clone();
        if let Err(error) = change(&mut stored.opportunity) {
            assert_eq!(stored.opportunity, before, "a refused change changed it");
            return Err(error);
        }
        let one = &stored.opportunity;
        let version = self
            .store
            .save_opportunity(&self.scope, one, stored.version)
            .await?;
        let again = self.load().await;
        assert_eq!((&again.opportunity, again.version), (one, version));
        Ok(again.opportunity)
    }

    pub(crate) async fn update(&self, update: &StageUpdate) -> Result<Opportunity, Error> {
        self.change(|one| one.update(&cycle(), update).map(drop))
            .await
    }

    pub(crate) async fn load(&self) -> StoredOpportunity {
        let no = "OP000001".into();
        self.store.load_opportunity(&self.scope, &no).await.unwrap()
    }
}

/// Makes a test of each rule on each store.
macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    let store = email_logging::store::SqliteStore::in_memory().unwrap();
                    store.migrate().await.unwrap();
                    super::$name(&crate::opportunity::bench::Bench::new(store).await).await;
                }
            )*
        }

        #[cfg(all(unix, feature = "postgres"))]
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    let Some(server) = crate::postgres_support::server() else { return };
                    let store = server.store().await;
                    super::$name(&crate::opportunity::bench::Bench::new(store).await).await;
                }
            )*
        }
    };
}
pub(crate) use rules;

pub(crate) fn active(one: &Opportunity) -> &OpportunityEntry {
    one.active().unwrap()
}

/// Logs one mail: to a contact by AH, and to another one by nobody.
async fn log(store: &impl MailLedger, scope: &Scope) -> Vec<EntryId> {
    let lease = store_rows::lease(store, scope).await;
    let mut row = store_rows::logged_row(scope, 1, 100);
    let mut other = row.entries[0].clone();
    other.contact_no = "CT000009".into();
    other.contact_company_no = None;
    other.salesperson_code = "".into();
    let (message, contact) = (&other.message, &other.contact_no);
    let (code, flow) = (&other.salesperson_code, other.information_flow);
    other.id = EntryId::derive(scope, message, contact, code, flow, 0);
    row.entries.push(other);
    let ids = row.entries.iter().map(|entry| entry.id).collect();
    let rows = vec![store_rows::decided(1, row)];
    let _ = store_rows::commit(store, scope, &lease, rows).await;
    ids
}
