//! A crash before and after every effect: the run is dropped at each point where it waits, and the next runs heal.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::logger::RunSettings;
use email_logging::source::{
    Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
    MailSource, MemorySource, Moved, Removed, SightingKey, Sought, SourceCapabilities, Stamped,
};
use email_logging::store::{
    Acquired, CommitBatch, CommitReceipt, KnownMessage, KnownSighting, Lease, MailLedger,
    MemoryStore, PendingMove, Undelivered,
};
use email_logging::{MailboxKey, Result, Scope, StageId, WorkerId};
use jiff::Timestamp;

use crate::bench::{Bench, queue, storage};

/// Waits once: a point where the run can be dropped.
#[derive(Default)]
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Pauses before and after every call.
#[derive(Debug)]
struct Pausing<T>(T);

macro_rules! paused {
    ($call:expr) => {{
        Pause::default().await;
        let answer = $call.await;
        Pause::default().await;
        answer
    }};
}

#[async_trait]
impl MailSource for Pausing<MemorySource> {
    fn capabilities(&self) -> SourceCapabilities {
        self.0.capabilities()
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        paused!(self.0.open_folder(folder))
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        paused!(self.0.list(folder, request))
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        paused!(self.0.fetch(from, items, sink))
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        paused!(self.0.move_to(from, items, to))
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        paused!(self.0.locate(folder, sought))
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        paused!(self.0.remove(from, items, disposal))
    }

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        paused!(self.0.stamp(from, items))
    }
}

#[async_trait]
impl MailLedger for Pausing<Arc<MemoryStore>> {
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired> {
        paused!(self.0.acquire(scope, mailbox, worker, ttl))
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        paused!(self.0.renew(scope, lease, ttl))
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        paused!(self.0.release(scope, lease))
    }

    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        paused!(self.0.release_quiet(scope, lease, quiet))
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        paused!(self.0.known(scope, mailbox, keys))
    }

    async fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        paused!(self.0.keys_of(scope, mailbox, items))
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        paused!(self.0.with_message_ids(scope, message_ids))
    }

    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        paused!(self.0.stage(scope, lease, stage, index, bytes))
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        paused!(self.0.staged(scope, lease, stage, limit))
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        paused!(self.0.commit(scope, lease, batch))
    }

    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>> {
        paused!(self.0.pending_moves(scope, mailbox, due, limit))
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        paused!(self.0.undelivered(scope, mailbox, limit))
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        paused!(self.0.requeue(scope, mailbox, keys))
    }
}

/// Polls a run `polls` times and drops it there. Answers whether it had ended by then.
fn crash_after(bench: &Bench, polls: u32) -> bool {
    let mut settings = RunSettings::default();
    (
        settings.fetch_batch,
        settings.move_batch,
        settings.inline_bytes,
    ) = (2, 2, 1_000);
    let logger = bench
        .builder()
        .with_source(Arc::new(Pausing(bench.source.clone())))
        .with_ledger(Arc::new(Pausing(Arc::clone(&bench.store))))
        .with_settings(settings)
        .build()
        .unwrap();
    let mut run = pin!(logger.run_once());
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| run.as_mut().poll(&mut context).is_ready())
}

const MAILS: u32 = 5;

#[tokio::test]
async fn a_run_that_is_dropped_at_any_point_is_healed_by_the_next() {
    dropped_at_every_point(Bench::new).await;
}

/// Items have no key until they are given one.
#[tokio::test]
async fn a_run_that_stamps_and_is_dropped_at_any_point_is_healed_by_the_next() {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.stamps) = (false, true);
    let make = || Bench::new().with_source(|source| source.with_capabilities(capabilities));
    let last = dropped_at_every_point(make).await;
    let stored = last.source.items(&storage());
    let stamped = |key: &SightingKey| matches!(key, SightingKey::Stamp(_));
    assert!(stored.iter().all(|item| stamped(&item.key)));
}

/// Answers the bench of the run that came to its end.
async fn dropped_at_every_point(make: impl Fn() -> Bench) -> Bench {
    let mut points = 0;
    for polls in 0..1_000 {
        let bench = make();
        bench.deliver_numbers(0..MAILS);
        let ended = crash_after(&bench, polls);
        assert!(
            bench.stored() <= bench.mails().await.len(),
            "log before move at {polls}"
        );
        assert_eq!(
            bench.queued() + bench.stored(),
            MAILS as usize,
            "nothing lost at {polls}"
        );
        let report = bench.run().await.unwrap();
        assert!(report.closes(), "{report:?}");
        bench.assert_all_stored_and_logged_once(MAILS).await;
        assert_eq!(bench.stored(), MAILS as usize, "no second copy at {polls}");
        points += 1;
        if ended {
            assert!(points > 20, "{points} points");
            return bench;
        }
    }
    panic!("the run never ended");
}

#[tokio::test]
async fn two_crashes_in_a_row_are_healed() {
    for first in (0..40).step_by(3) {
        for second in (0..40).step_by(4) {
            let bench = Bench::new();
            bench.deliver_numbers(0..MAILS);
            crash_after(&bench, first);
            crash_after(&bench, second);
            bench.run().await.unwrap();
            bench.assert_all_stored_and_logged_once(MAILS).await;
            assert_eq!(bench.stored(), MAILS as usize, "{first} {second}");
        }
    }
}

#[tokio::test]
async fn a_large_mail_that_was_half_staged_is_staged_anew() {
    let body: String = (0..100_000)
        .map(|line| format!("line {line}\r\n"))
        .collect();
    let text = (
        "ada@contacts.example",
        "ah@ours.example",
        "Offer 00000",
        "1@x",
    );
    let original = crate::bench::mail_with(text.0, text.1, text.2, text.3, "", &body);
    for polls in 0..40 {
        let bench = Bench::new();
        bench.deliver(original.clone());
        crash_after(&bench, polls);
        bench.run().await.unwrap();
        bench.assert_all_stored_and_logged_once(1).await;
        assert!(bench.source.items(&queue()).is_empty());
    }
}
