//! A store with the calls that every case makes.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::StoreBackend;
use super::sample::Sample;
use crate::ids::{EntryId, MailboxKey, WorkerId};
use crate::interaction::InteractionLogEntry;
use crate::scope::Scope;
use crate::source::SightingKey;
use crate::store::{
    Acquired, CommitBatch, CommitRow, DecisionFilter, DecisionRecord, Event, InteractionStore,
    KnownSighting, Lease, LogFilter, PendingMove, ReportingStore, RowResult,
};
use crate::testkit::clock::ManualClock;
use crate::testkit::conformance::harness::{Checked, Stop, equal};

pub(super) const TTL: Duration = Duration::from_mins(5);

/// A second less.
pub(super) const ALMOST: Duration = Duration::from_secs(299);

pub(super) struct Bench {
    pub(super) store: Arc<dyn InteractionStore>,
    reports: Option<Arc<dyn ReportingStore>>,
    pub(super) scope: Scope,
    pub(super) mailbox: MailboxKey,
    clock: Option<ManualClock>,
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Bench {
    pub(super) fn new(backend: StoreBackend) -> Self {
        Self {
            store: backend.store,
            reports: backend.reports,
            scope: Scope::default(),
            mailbox: "queue".into(),
            clock: backend.clock,
            _guard: backend.guard,
        }
    }

    /// Lets time pass, or skips the case where it cannot.
    pub(super) fn wait(&self, time: Duration) -> Checked {
        let clock = self.clock()?;
        clock.advance(time);
        Ok(())
    }

    /// Sets the clock back, where the backend has one.
    pub(super) fn set_back(&self, time: Duration) -> Checked {
        let clock = self.clock()?;
        clock.set(clock.now_plus(Duration::ZERO) - time);
        Ok(())
    }

    /// The store's reports, or skips the case where it has none.
    pub(super) fn reports(&self) -> Checked<&dyn ReportingStore> {
        let skipped = || Stop::Skipped("the backend has no roles for reports".into());
        self.reports.as_deref().ok_or_else(skipped)
    }

    pub(super) fn clock(&self) -> Checked<&ManualClock> {
        let skipped = || Stop::Skipped("the backend was given no clock that can be set".into());
        self.clock.as_ref().ok_or_else(skipped)
    }

    pub(super) async fn acquire(&self, mailbox: &MailboxKey, worker: &str) -> Checked<Acquired> {
        let worker = WorkerId::new(worker);
        Ok(self
            .store
            .acquire(&self.scope, mailbox, &worker, TTL)
            .await?)
    }

    /// The lease of a mailbox, which must be free.
    pub(super) async fn lease_of(&self, mailbox: &MailboxKey, worker: &str) -> Checked<Lease> {
        match self.acquire(mailbox, worker).await? {
            Acquired::Held(lease) => Ok(lease),
            _ => Err(Stop::Failed(format!("{worker} does not get the lease"))),
        }
    }

    /// Fails unless nobody may have the mailbox for exactly so much longer.
    pub(super) async fn quiet_for(&self, worker: &str, seconds: u64) -> Checked {
        let expected = Acquired::Quiet {
            left: Duration::from_secs(seconds),
        };
        let answer = self.acquire(&self.mailbox, worker).await?;
        equal(
            "the answer to who asks for a quiet mailbox",
            answer,
            expected,
        )
    }

    pub(super) async fn lease(&self) -> Checked<Lease> {
        self.lease_of(&self.mailbox, "worker").await
    }

    /// Commits a batch. One result per row is checked here, for every case.
    pub(super) async fn commit_batch(
        &self,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Checked<Vec<RowResult>> {
        let rows = batch.rows.len();
        let receipt = self.store.commit(&self.scope, lease, batch).await?;
        if receipt.rows.len() == rows {
            return Ok(receipt.rows);
        }
        let seen = format!("{} results for {rows} rows", receipt.rows.len());
        Err(Stop::Failed(seen))
    }

    pub(super) async fn commit(
        &self,
        lease: &Lease,
        rows: Vec<CommitRow>,
    ) -> Checked<Vec<RowResult>> {
        self.commit_batch(lease, CommitBatch::of_rows(rows)).await
    }

    /// Commits one row under a fresh lease and answers its result.
    pub(super) async fn put(&self, row: CommitRow) -> Checked<RowResult> {
        let lease = self.lease().await?;
        let mut results = self.commit(&lease, vec![row]).await?;
        results
            .pop()
            .ok_or_else(|| Stop::Failed("no result for a row".into()))
    }

    /// Commits rows that must all be written.
    pub(super) async fn put_all(&self, samples: &[Sample]) -> Checked {
        let lease = self.lease().await?;
        let rows = samples.iter().map(Sample::row).collect();
        for result in self.commit(&lease, rows).await? {
            if !matches!(result, RowResult::Written { .. }) {
                return Err(Stop::Failed(format!("a row is not written: {result:?}")));
            }
        }
        Ok(())
    }

    pub(super) async fn known(&self, key: &SightingKey) -> Checked<Option<KnownSighting>> {
        let keys = std::slice::from_ref(key);
        let mut known = self.store.known(&self.scope, &self.mailbox, keys).await?;
        match (known.len(), known.pop()) {
            (1, Some(known)) => Ok(known),
            (count, _) => Err(Stop::Failed(format!("{count} answers for one key"))),
        }
    }

    pub(super) async fn known_item(&self, key: &SightingKey) -> Checked<KnownSighting> {
        let known = self.known(key).await?;
        known.ok_or_else(|| Stop::Failed("the sighting is not known".into()))
    }

    /// Every entry that fits.
    pub(super) async fn entries(&self, filter: &LogFilter) -> Checked<Vec<InteractionLogEntry>> {
        let page = self.store.entries(&self.scope, filter, None, 1000).await?;
        Ok(page.rows)
    }

    pub(super) async fn all_entries(&self) -> Checked<Vec<InteractionLogEntry>> {
        self.entries(&LogFilter::default()).await
    }

    pub(super) async fn entry_ids(&self, filter: &LogFilter) -> Checked<Vec<EntryId>> {
        let entries = self.entries(filter).await?;
        Ok(entries.into_iter().map(|row| row.entry.id).collect())
    }

    pub(super) async fn decisions(&self, filter: &DecisionFilter) -> Checked<Vec<DecisionRecord>> {
        let store = &self.store;
        let page = store.decisions(&self.scope, filter, None, 1000).await?;
        Ok(page.rows)
    }

    pub(super) async fn events(&self) -> Checked<Vec<Event>> {
        Ok(self.store.read_events(&self.scope, "nobody", 1000).await?)
    }

    pub(super) async fn moves(&self) -> Checked<Vec<PendingMove>> {
        Ok(self
            .store
            .pending_moves(&self.scope, &self.mailbox, Timestamp::MAX, 1000)
            .await?)
    }

    /// How many entries, decisions, events and pending moves there are.
    pub(super) async fn counts(&self) -> Checked<[usize; 4]> {
        Ok([
            self.all_entries().await?.len(),
            self.decisions(&DecisionFilter::default()).await?.len(),
            self.events().await?.len(),
            self.moves().await?.len(),
        ])
    }
}
