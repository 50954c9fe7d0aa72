//! Where two ways part that look alike from afar: counts that are exact, errors that are told, and what is not touched.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::LoggingPolicy;
use email_logging::error::{Code, codes};
use email_logging::logger::{RunSettings, RunStep, Schedule};
use email_logging::source::{
    Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
    MailSource, MemorySource, Moved, Removed, SightingKey, Sought, SourceCapabilities, Stamped,
};
use email_logging::store::{
    Acquired, CommitBatch, CommitReceipt, CommitRow, HostReference, InteractionSink, KnownMessage,
    KnownSighting, Lease, MailLedger, MemoryStore, PendingMove, RowResult, SinkDelivery,
    StoreOperation, Undelivered,
};
use email_logging::{Error, MailboxKey, Result, Scope, StageId, WorkerId};
use jiff::Timestamp;

use crate::bench::{Bench, mail_with, numbered, queue};
use crate::keyless::keyless;

fn error(code: &'static Code) -> Error {
    Error::new(code, "planned")
}

/// A ledger that refuses the rows of these items, whatever they say.
#[derive(Debug)]
struct Refusing(Arc<MemoryStore>, Vec<ItemRef>);

#[async_trait]
impl MailLedger for Refusing {
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired> {
        self.0.acquire(scope, mailbox, worker, ttl).await
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.0.renew(scope, lease, ttl).await
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        self.0.release(scope, lease).await
    }

    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        self.0.release_quiet(scope, lease, quiet).await
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        self.0.known(scope, mailbox, keys).await
    }

    async fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        self.0.keys_of(scope, mailbox, items).await
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        self.0.with_message_ids(scope, message_ids).await
    }

    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        self.0.stage(scope, lease, stage, index, bytes).await
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        self.0.staged(scope, lease, stage, limit).await
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        mut batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        let refused = |row: &CommitRow| self.1.contains(&row.sighting.item);
        let refused: Vec<bool> = batch.rows.iter().map(refused).collect();
        batch
            .rows
            .retain(|row| !self.1.contains(&row.sighting.item));
        let mut written = self.0.commit(scope, lease, batch).await?.rows.into_iter();
        let answer = |refused: bool| {
            let refusal = RowResult::Rejected(error(&codes::STORE_DATA));
            let written = if refused { None } else { written.next() };
            written.unwrap_or(refusal)
        };
        Ok(CommitReceipt::new(
            refused.into_iter().map(answer).collect(),
        ))
    }

    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>> {
        self.0.pending_moves(scope, mailbox, due, limit).await
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        self.0.undelivered(scope, mailbox, limit).await
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        self.0.requeue(scope, mailbox, keys).await
    }
}

fn refusing(bench: &Bench, items: std::ops::Range<usize>) -> email_logging::EmailLogger {
    let all = bench.source.items(&queue());
    let refused = all[items].iter().map(|item| item.item.clone());
    let ledger = Refusing(Arc::clone(&bench.store), refused.collect());
    let builder = bench.builder().with_ledger(Arc::new(ledger));
    builder.build().unwrap()
}

#[tokio::test]
async fn a_row_that_is_refused_though_it_holds_nothing_is_told_at_the_end() {
    let bench = Bench::new();
    bench.deliver_numbers(0..2);
    let failed = refusing(&bench, 0..2).run_once().await.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::LoggingMessages, "store.data")
    );
    assert_eq!(failed.report.deferred, 2, "{failed:?}");
    assert_eq!((bench.queued(), bench.stored()), (2, 0));
    assert_eq!(
        bench.store.calls(StoreOperation::Commit),
        2,
        "with the mail, and without it"
    );
}

#[tokio::test]
async fn a_mail_whose_row_is_always_refused_holds_up_no_other_and_ends_no_schedule() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let logger = refusing(&bench, 1..2);
    let (mut steps, mut runs) = (Vec::new(), 0);
    let (stop, asked) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let clock = bench.clock.clone();
    let advancing = tokio::spawn(async move {
        loop {
            clock.advance(Duration::from_mins(1));
            tokio::task::yield_now().await;
        }
    });
    let shutdown = async { asked.await.unwrap_or_default() };
    let schedule = Schedule::default();
    let ended = logger.run(&schedule, shutdown, |run| {
        let failed = run.as_ref().unwrap_err();
        steps.push((failed.step, failed.report.logged, failed.report.closes()));
        runs += 1;
        if runs == 5 {
            drop(stop.take());
        }
    });
    ended.await.unwrap();
    advancing.abort();
    let told = RunStep::LoggingMessages;
    let expected = [(told, 2, true), (told, 0, true), (told, 0, true)];
    assert_eq!(steps[..3], expected);
    assert_eq!((steps.len(), bench.queued(), bench.stored()), (5, 1, 2));
}

/// A host's log that refuses while it is told to.
#[derive(Debug, Default)]
struct Moody {
    refuses: AtomicBool,
    puts: AtomicU32,
}

impl Moody {
    fn refusing() -> Arc<Self> {
        let moody = Self::default();
        moody.refuses.store(true, Ordering::Relaxed);
        Arc::new(moody)
    }

    fn accepts(&self) {
        self.refuses.store(false, Ordering::Relaxed);
    }
}

#[async_trait]
impl InteractionSink for Moody {
    async fn put(&self, _: &Scope, _: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(error(&codes::SINK_FAILED));
        }
        self.puts.fetch_add(1, Ordering::Relaxed);
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn a_copy_waits_in_the_queue_until_the_hosts_log_has_the_entries_of_the_first() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let moody = Moody::refusing();
    let logger = bench.builder().with_sink(moody.clone()).build().unwrap();
    logger.run_once().await.unwrap_err();
    let item = bench.source.items(&queue()).remove(0);
    bench.source.copy_by_hand(&item.item, &queue()).unwrap();
    logger.run_once().await.unwrap_err();
    assert_eq!((bench.queued(), bench.stored()), (2, 0));
    moody.accepts();
    logger.run_once().await.unwrap();
    assert_eq!((bench.queued(), bench.stored()), (0, 2));
    assert_eq!(moody.puts.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn another_rendering_waits_as_well_until_the_hosts_log_has_the_entries() {
    let bench = Bench::new();
    for server in ["a.example", "b.example"] {
        let mut copy = format!("Received: by {server}\r\n").into_bytes();
        copy.extend(numbered(0));
        bench.deliver(copy);
    }
    let moody = Moody::refusing();
    let logger = bench.builder().with_sink(moody.clone()).build().unwrap();
    logger.run_once().await.unwrap_err();
    assert_eq!((bench.queued(), bench.stored()), (2, 0));
    moody.accepts();
    logger.run_once().await.unwrap();
    assert_eq!((bench.queued(), bench.stored()), (0, 2));
    assert_eq!(bench.entries().await.len(), 1);
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_hands_nothing_more_to_the_hosts_log() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let moody = Moody::refusing();
    let logger = bench.builder().with_sink(moody.clone()).build().unwrap();
    logger.run_once().await.unwrap_err();
    moody.accepts();
    let report = logger.run_until(ready(())).await.unwrap();
    assert_eq!(report.delivered, 0, "{report:?}");
    assert_eq!((moody.puts.load(Ordering::Relaxed), bench.queued()), (0, 3));
    assert_eq!(logger.run_once().await.unwrap().delivered, 3);
}

#[tokio::test]
async fn an_outage_of_the_store_is_no_refusal_of_the_host() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let moody = Moody::refusing();
    let logger = bench.builder().with_sink(moody.clone()).build().unwrap();
    logger.run_once().await.unwrap_err();
    moody.accepts();
    bench.deliver_numbers(1..2);
    let outage = error(&codes::STORE_UNAVAILABLE);
    bench.store.fail_next(StoreOperation::Mail, outage);
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::Recovering, "store.unavailable")
    );
    assert_eq!(failed.report.logged, 0, "nothing new is begun");
}

/// One mail in one chunk, with so many bytes inline at most.
async fn pieces_of(bench: &Bench, mail: &[u8], inline: usize, policy: LoggingPolicy) -> u64 {
    bench.deliver(mail);
    let mut settings = RunSettings::default();
    settings.inline_bytes = inline;
    let builder = bench.builder().with_settings(settings).with_policy(policy);
    builder.build().unwrap().run_once().await.unwrap();
    bench.store.calls(StoreOperation::Stage)
}

#[tokio::test]
async fn an_original_is_staged_only_beyond_the_inline_limit() {
    let mail = numbered(0);
    for (inline, pieces) in [
        (mail.len() + 1, 0),
        (mail.len(), 0),
        (mail.len() - 1, 1),
        (1, 1),
    ] {
        let bench = Bench::new().with_source(|source| source.with_chunk_bytes(1 << 20));
        let staged = pieces_of(&bench, &mail, inline, LoggingPolicy::default()).await;
        assert_eq!(staged, pieces, "{inline} bytes inline");
        bench.assert_all_stored_and_logged_once(1).await;
    }
}

#[tokio::test]
async fn nothing_of_a_large_private_mail_reaches_the_store() {
    let body = "Not for the log.\r\n".repeat(5_000);
    for (private, pieces) in [("Sensitivity: Private\r\n", 0), ("", 1)] {
        let (from, to) = ("ada@contacts.example", "ah@ours.example");
        let mail = mail_with(from, to, "Large", "1@x", private, &body);
        let bench = Bench::new().with_source(|source| source.with_chunk_bytes(1_000));
        let policy = LoggingPolicy::business_central();
        assert_eq!(pieces_of(&bench, &mail, 2_000, policy).await, pieces);
        assert_eq!(bench.mails().await.len() as u64, pieces);
    }
}

#[tokio::test]
async fn an_original_that_was_not_kept_is_not_asked_for_to_compare() {
    let bench = Bench::new();
    for body in ["One.\r\n", "Another.\r\n"] {
        let (from, to) = ("no@else.example", "ah@ours.example");
        bench.deliver(mail_with(from, to, "S", "same@x", "", body));
        let report = bench.run().await.unwrap();
        assert_eq!((report.not_matched, report.moved), (1, 1), "{report:?}");
    }
    assert_eq!(bench.store.calls(StoreOperation::Original), 0);
}

async fn indexed(bench: &Bench, limit: u32) -> u64 {
    let mut settings = RunSettings::default();
    settings.index_batch = limit;
    bench.run_with(settings).await.unwrap().indexed
}

#[tokio::test]
async fn the_second_stage_of_a_run_ends_at_its_limit() {
    let bench = Bench::new();
    bench.deliver_numbers(0..50);
    assert_eq!(indexed(&bench, 0).await, 0);
    assert_eq!(indexed(&bench, 20).await, 20);
    assert_eq!(indexed(&bench, 21).await, 30);
    assert_eq!(indexed(&bench, 20).await, 0);
}

#[tokio::test]
async fn an_original_that_cannot_be_read_keeps_no_other_from_being_indexed() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let damaged = error(&codes::STORE_DATA);
    bench.store.fail_next(StoreOperation::Original, damaged);
    assert_eq!(bench.run().await.unwrap().indexed, 3);
}

#[tokio::test]
async fn an_outage_in_the_second_stage_is_told_and_the_next_run_indexes() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let outage = error(&codes::STORE_UNAVAILABLE);
    bench.store.fail_next(StoreOperation::Original, outage);
    let failed = bench.run().await.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::IndexingMessages, "store.unavailable")
    );
    assert_eq!(bench.run().await.unwrap().indexed, 3);
}

#[tokio::test]
async fn a_lease_is_renewed_only_when_half_of_it_is_over() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    bench.run().await.unwrap();
    assert_eq!(bench.store.calls(StoreOperation::Renew), 0);
}

/// A source without keys of its own that stamps items, unless it is out of order.
#[derive(Debug)]
struct Stamping {
    source: MemorySource,
    fails: Option<&'static Code>,
}

#[async_trait]
impl MailSource for Stamping {
    fn capabilities(&self) -> SourceCapabilities {
        let mut capabilities = self.source.capabilities();
        capabilities.stamps = true;
        capabilities
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.source.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        self.source.list(folder, request).await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        self.source.fetch(from, items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.source.move_to(from, items, to).await
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        self.source.locate(folder, sought).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        how: Disposal,
    ) -> Result<Vec<Removed>> {
        self.source.remove(from, items, how).await
    }

    async fn stamp(&self, _: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        if let Some(code) = self.fails {
            return Err(error(code));
        }
        let stamp = |item: &ItemRef| {
            let key = SightingKey::SearchKey(item.id.as_bytes().to_vec());
            Stamped::Done(key, item.clone())
        };
        Ok(items.iter().map(stamp).collect())
    }
}

fn two_keyless() -> Bench {
    let bench = keyless(100);
    bench.deliver_numbers(0..2);
    bench
}

fn stamping(bench: &Bench, fails: Option<&'static Code>) -> email_logging::EmailLogger {
    let source = bench.source.clone();
    let source = Arc::new(Stamping { source, fails });
    bench.builder().with_source(source).build().unwrap()
}

#[tokio::test]
async fn a_stamp_that_cannot_be_set_is_done_without_and_an_outage_is_told() {
    let bench = two_keyless();
    let failed = stamping(&bench, Some(&codes::HTTP_CONNECT))
        .run_once()
        .await;
    let failed = failed.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::ListingQueue, "http.connect")
    );
    assert_eq!((bench.queued(), bench.entries().await.len()), (2, 0));
    let logger = stamping(&bench, Some(&codes::EWS_ACCESS_DENIED));
    assert_eq!(logger.run_once().await.unwrap().logged, 2);
    bench.assert_all_stored_and_logged_once(2).await;
}

#[tokio::test]
async fn a_stamp_is_the_key_from_then_on() {
    let bench = two_keyless();
    assert_eq!(stamping(&bench, None).run_once().await.unwrap().logged, 2);
    let filter = email_logging::store::DecisionFilter::default();
    let log: &dyn email_logging::store::InteractionLog = bench.store.as_ref();
    let decided = log.decisions(&Scope::default(), &filter, None, 9).await;
    for row in decided.unwrap().rows {
        let stamped = matches!(row.sighting, SightingKey::SearchKey(_));
        assert!(stamped, "{:?}", row.sighting);
    }
}
