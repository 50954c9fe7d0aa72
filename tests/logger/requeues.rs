//! Another try for mail that was set aside: what is moved back, what is counted, and what is left alone.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::LoggingPolicy;
use email_logging::directory::ContactDirectory;
use email_logging::error::codes;
use email_logging::logger::{EmailLoggerBuilder, RequeueReport, RunSettings, Skipped};
use email_logging::message::Address;
use email_logging::parties::AddressParties;
use email_logging::setup::EmailLoggingSetup;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{FolderPath, SightingKey, SourceCapabilities};
use email_logging::store::{
    Acquired, DecisionFilter, InteractionLog as _, MailLedger as _, MemoryStore, SetupStore,
    SightingState, StoreOperation,
};
use email_logging::{EmailLogger, Error, ErrorKind, Result, Scope, WorkerId};

use crate::bench::{Bench, quarantine, queue};
use crate::steered::Steered;

/// A bench with so many unreadable mails that were set aside: in the quarantine folder, or where they lie.
async fn set_aside(bench: Bench, mails: u32, in_folder: bool) -> (Bench, EmailLogger) {
    for number in 0..mails {
        bench.deliver(format!("unreadable {number}"));
    }
    let mut builder = bench.builder().with_policy(LoggingPolicy::default());
    if in_folder {
        builder = builder.with_quarantine_folder(quarantine());
    }
    let logger = builder.build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!(report.quarantined, u64::from(mails), "{report:?}");
    let aside = bench.source.items(&quarantine()).len();
    assert_eq!(aside, if in_folder { mails as usize } else { 0 });
    (bench, logger)
}

async fn keys(bench: &Bench) -> Vec<SightingKey> {
    let filter = DecisionFilter::default();
    let scope = Scope::default();
    let page = bench.store.decisions(&scope, &filter, None, 100).await;
    let rows = page.unwrap().rows.into_iter();
    rows.map(|row| row.sighting).collect()
}

async fn states(bench: &Bench, keys: &[SightingKey]) -> Vec<SightingState> {
    let (scope, mailbox) = (Scope::default(), "queue".into());
    let known = bench.store.known(&scope, &mailbox, keys).await.unwrap();
    known.into_iter().map(|it| it.unwrap().state).collect()
}

/// Each mail in a commit and a move of its own.
fn one_by_one() -> RunSettings {
    let mut settings = RunSettings::default();
    (
        settings.fetch_batch,
        settings.move_batch,
        settings.connections,
    ) = (1, 1, 1);
    settings
}

/// Requeued, moved back, in the queue, not found, failed.
fn counts(report: &RequeueReport) -> [u64; 5] {
    [
        report.requeued,
        report.moved_back,
        report.in_queue,
        report.not_found,
        report.failed,
    ]
}

/// A set-up under which email logging is disabled, for one logger alone.
async fn switched_off() -> Arc<dyn SetupStore> {
    let setup: Arc<dyn SetupStore> = Arc::new(MemoryStore::new());
    let off = EmailLoggingSetup::default();
    setup.save_setup(&Scope::default(), &off, 0).await.unwrap();
    setup
}

fn unfindable() -> Bench {
    let mut capabilities = SourceCapabilities::default();
    capabilities.locate = false;
    Bench::new().with_source(|source| source.with_capabilities(capabilities))
}

#[tokio::test]
async fn what_was_set_aside_goes_back_and_asking_again_finds_it_there() {
    let (bench, logger) = set_aside(Bench::new(), 3, true).await;
    let keys = keys(&bench).await;
    let report = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&report), [3, 3, 0, 0, 0]);
    assert_eq!((bench.queued(), report.failure), (3, None));
    let again = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&again), [0, 0, 3, 0, 0]);
    assert_eq!(bench.queued(), 3);
}

#[tokio::test]
async fn what_somebody_took_away_is_not_found() {
    let (bench, logger) = set_aside(Bench::new(), 2, true).await;
    let item = bench.source.items(&quarantine()).remove(0).item;
    assert!(bench.source.take_away(&item));
    let report = logger.requeue(&keys(&bench).await).await.unwrap();
    assert_eq!(counts(&report), [2, 1, 0, 1, 0]);
}

#[tokio::test]
async fn what_cannot_be_moved_is_told_with_the_first_reason() {
    let (bench, logger) = set_aside(Bench::new(), 3, true).await;
    let made = bench.source.count(SourceOperation::MoveTo) as u64;
    for (nth, code) in [(1, &codes::EWS_ACCESS_DENIED), (3, &codes::HTTP_TIMEOUT)] {
        let fault = SourceFault::ItemFailed(0, Error::new(code, "move_to"));
        let operation = SourceOperation::MoveTo;
        bench.source.fail_call(operation, made + nth, fault);
    }
    let keys = keys(&bench).await;
    let report = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&report), [1, 1, 0, 0, 2]);
    assert_eq!(
        report.failure.as_deref(),
        Some(codes::EWS_ACCESS_DENIED.code)
    );
    let again = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&again), [2, 2, 1, 0, 0]);
    assert_eq!(bench.queued(), 3);
}

#[tokio::test]
async fn what_came_back_in_part_stays_set_aside_until_all_of_it_does() {
    let (bench, logger) = set_aside(Bench::new(), 1, true).await;
    let half = SourceFault::HalfMove(0, Error::new(&codes::EWS_UNAVAILABLE, "move_to"));
    bench.source.fail_next(SourceOperation::MoveTo, half);
    let keys = keys(&bench).await;
    let report = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&report), [0, 0, 0, 0, 1]);
    let places = || [queue(), quarantine()].map(|folder| bench.source.items(&folder).len());
    assert_eq!(places(), [1, 1]);
    // What lies in the queue is not read in between: it would be logged, and the other copy left behind.
    let read = bench.source.count(SourceOperation::Fetch);
    logger.run_once().await.unwrap();
    assert_eq!(places(), [0, 2]);
    assert_eq!(bench.source.count(SourceOperation::Fetch), read);
    let again = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&again), [1, 2, 0, 0, 0]);
    assert_eq!(places(), [2, 0]);
}

#[tokio::test]
async fn what_is_gone_in_the_moment_of_its_move_was_moved_by_somebody_if_it_can_be_looked_for() {
    for (bench, expected) in [
        (Bench::new(), [1, 0, 1, 0, 0]),
        (unfindable(), [1, 0, 0, 1, 0]),
    ] {
        let (bench, logger) = set_aside(bench, 1, true).await;
        let gone = SourceFault::ItemGone(0);
        bench.source.fail_next(SourceOperation::MoveTo, gone);
        let report = logger.requeue(&keys(&bench).await).await.unwrap();
        assert_eq!(counts(&report), expected);
    }
}

#[tokio::test]
async fn what_cannot_be_looked_for_is_taken_from_where_it_was_seen_last() {
    let (bench, logger) = set_aside(unfindable(), 2, true).await;
    let report = logger.requeue(&keys(&bench).await).await.unwrap();
    assert_eq!(counts(&report), [2, 2, 0, 0, 0]);
    assert_eq!(bench.queued(), 2);
    assert_eq!(bench.source.count(SourceOperation::Locate), 0);
}

#[tokio::test]
async fn without_a_quarantine_folder_the_mail_never_left_the_queue() {
    let (bench, logger) = set_aside(Bench::new(), 2, false).await;
    let item = bench.source.items(&queue()).remove(0).item;
    assert!(bench.source.take_away(&item));
    let report = logger.requeue(&keys(&bench).await).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 1, 1, 0]);
}

#[tokio::test]
async fn of_two_copies_that_get_another_try_and_are_set_aside_again_the_second_is_noted() {
    let (bench, _) = set_aside(Bench::new(), 1, true).await;
    let item = bench.source.items(&quarantine()).remove(0).item;
    bench.source.copy_by_hand(&item, &quarantine()).unwrap();
    let settings = one_by_one();
    let builder = bench.builder().with_policy(LoggingPolicy::default());
    let builder = builder.with_quarantine_folder(quarantine());
    let logger = builder.with_settings(settings).build().unwrap();
    let report = logger.requeue(&keys(&bench).await).await.unwrap();
    assert_eq!(counts(&report), [1, 2, 0, 0, 0]);
    let report = logger.run_once().await.unwrap();
    assert_eq!(report.moved, 2, "{report:?}");
    assert_eq!(report.duplicate_copies, 1, "{report:?}");
    assert_eq!(bench.source.items(&quarantine()).len(), 2);
}

#[tokio::test]
async fn mail_that_was_decided_is_left_alone_and_nobody_is_asked() {
    let bench = Bench::new();
    bench.deliver_numbers(0..2);
    bench.run().await.unwrap();
    let calls = bench.source.calls().len();
    let logger = bench.builder().build().unwrap();
    let report = logger.requeue(&keys(&bench).await).await.unwrap();
    assert_eq!(counts(&report), [0; 5]);
    assert_eq!(bench.source.calls().len(), calls);
}

#[tokio::test]
async fn while_logging_is_off_nothing_is_asked_of_the_mail_system() {
    let (bench, _) = set_aside(Bench::new(), 2, true).await;
    let builder = bench.builder().with_quarantine_folder(quarantine());
    let logger = builder
        .with_setup_store(switched_off().await)
        .build()
        .unwrap();
    let calls = bench.source.calls().len();
    let report = logger.requeue(&keys(&bench).await).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 0, 2, 0]);
    assert_eq!(bench.source.calls().len(), calls);
}

fn assert_busy(error: &Error) {
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::LeaseLost, "lease.busy")
    );
    assert!(error.remedy().contains("Ask again"), "{}", error.remedy());
}

#[tokio::test]
async fn while_another_worker_has_the_mailbox_nothing_is_requeued_or_moved() {
    let (bench, logger) = set_aside(Bench::new(), 2, true).await;
    let keys = keys(&bench).await;
    let (scope, other) = (Scope::default(), WorkerId::from("other"));
    let ttl = Duration::from_mins(5);
    let mailbox = "queue".into();
    let taken = bench.store.acquire(&scope, &mailbox, &other, ttl).await;
    let Ok(Acquired::Held(lease)) = taken else {
        panic!("{taken:?}")
    };
    let calls = bench.source.calls().len();
    assert_busy(&logger.requeue(&keys).await.unwrap_err());
    assert_eq!(bench.source.calls().len(), calls);
    assert_eq!(bench.store.calls(StoreOperation::Requeue), 0);
    bench.store.release(&scope, &lease).await.unwrap();
    let report = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&report), [2, 2, 0, 0, 0]);
    let run = logger.run_once().await.unwrap();
    assert_eq!(
        (run.skipped, run.quarantined),
        (None, 2),
        "it was given back"
    );
}

/// A directory that never answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl ContactDirectory for Silent {
    async fn resolve(&self, _: &Scope, _: &[Address]) -> Result<Vec<AddressParties>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn while_the_logger_itself_runs_nothing_is_requeued() {
    let (bench, _) = set_aside(Bench::new(), 1, true).await;
    let keys = keys(&bench).await;
    bench.deliver_numbers(0..1);
    let builder = bench.builder().with_quarantine_folder(quarantine());
    let logger = builder.with_directory(Arc::new(Silent)).build().unwrap();
    {
        let mut run = pin!(logger.run_once());
        assert!(futures_util::poll!(run.as_mut()).is_pending());
        assert_busy(&logger.requeue(&keys).await.unwrap_err());
    }
    let report = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&report), [1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_requeue_holds_the_mailbox_and_gives_it_back_whatever_happens() {
    let (bench, logger) = set_aside(Bench::new(), 1, true).await;
    let keys = keys(&bench).await;
    let fault = SourceFault::Error(Error::new(&codes::HTTP_CLOSED, "move_to"));
    bench.source.fail_next(SourceOperation::MoveTo, fault);
    let before = [StoreOperation::Acquire, StoreOperation::Release];
    let before = before.map(|operation| bench.store.calls(operation));
    let failed = logger.requeue(&keys).await.unwrap_err();
    assert_eq!(failed.code(), "http.closed");
    let after = [StoreOperation::Acquire, StoreOperation::Release];
    let after = after.map(|operation| bench.store.calls(operation));
    assert_eq!(after, before.map(|calls| calls + 1));
    let other = bench.builder().with_worker("other").build().unwrap();
    let report = other.run_once().await.unwrap();
    assert_ne!(report.skipped, Some(Skipped::MailboxBusy));
    let again = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&again), [1, 1, 0, 0, 0]);
}

/// A mail whose move to the quarantine folder is half done: it lies there, and in the queue.
async fn half_set_aside() -> (Bench, EmailLogger) {
    let bench = Bench::new();
    bench.deliver("unreadable".to_owned());
    let half = SourceFault::HalfMove(0, Error::new(&codes::EWS_UNAVAILABLE, "move_to"));
    bench.source.fail_next(SourceOperation::MoveTo, half);
    let builder = bench.builder().with_policy(LoggingPolicy::default());
    let builder = builder.with_quarantine_folder(quarantine());
    let logger = builder.with_settings(one_by_one()).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!(
        (report.quarantined, report.moves_pending),
        (1, 1),
        "{report:?}"
    );
    let places = [queue(), quarantine()].map(|folder| bench.source.items(&folder).len());
    assert_eq!(places, [1, 1]);
    (bench, logger)
}

#[tokio::test]
async fn what_a_half_done_move_left_comes_back_before_its_plan_is_forgotten() {
    let (bench, logger) = half_set_aside().await;
    let outage = Error::new(&codes::STORE_UNAVAILABLE, "requeue");
    bench.store.lose_next_reply(StoreOperation::Requeue, outage);
    let keys = keys(&bench).await;
    let failed = logger.requeue(&keys).await.unwrap_err();
    assert_eq!(failed.code(), "store.unavailable");
    assert_eq!(bench.queued(), 2);
    // Nobody asks again: both copies are decided anew, and the second is noted.
    let report = logger.run_once().await.unwrap();
    assert_eq!(
        (report.moved, report.duplicate_copies),
        (2, 1),
        "{report:?}"
    );
    assert_eq!(bench.source.items(&quarantine()).len(), 2);
}

#[tokio::test]
async fn what_came_back_while_the_store_failed_is_set_aside_until_it_is_asked_for_again() {
    let (bench, logger) = set_aside(Bench::new(), 1, true).await;
    let outage = Error::new(&codes::STORE_UNAVAILABLE, "requeue");
    bench.store.fail_next(StoreOperation::Requeue, outage);
    let keys = keys(&bench).await;
    logger.requeue(&keys).await.unwrap_err();
    assert_eq!(bench.queued(), 1);
    let read = bench.source.count(SourceOperation::Fetch);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.moved, bench.queued()), (1, 0), "{report:?}");
    assert_eq!(bench.source.count(SourceOperation::Fetch), read);
    let again = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&again), [1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_requeue_that_lost_the_mailbox_writes_nothing() {
    let (bench, _) = set_aside(Bench::new(), 1, true).await;
    let keys = keys(&bench).await;
    let ledger = Arc::new(Steered::new(&bench.store, 0));
    ledger.is_taken.store(true, Ordering::Relaxed);
    let builder = bench.builder().with_policy(LoggingPolicy::default());
    let builder = builder.with_quarantine_folder(quarantine());
    let logger = builder.with_ledger(ledger).build().unwrap();
    let lost = logger.requeue(&keys).await.unwrap_err();
    assert_eq!(lost.code(), "lease.lost");
    assert_eq!(states(&bench, &keys).await, [SightingState::Quarantined]);
}

#[tokio::test]
async fn a_requeue_that_takes_its_time_keeps_the_mailbox() {
    let (bench, _) = set_aside(Bench::new(), 3, true).await;
    let keys = keys(&bench).await;
    let ledger = Arc::new(Steered::new(&bench.store, 0));
    *ledger.slow.lock().unwrap() = Some(bench.clock.clone());
    let builder = bench.builder().with_quarantine_folder(quarantine());
    let builder = builder.with_settings(one_by_one()).with_ledger(ledger);
    let builder = builder.with_setup_store(switched_off().await);
    let report = builder.build().unwrap().requeue(&keys).await.unwrap();
    assert_eq!(counts(&report), [3, 0, 0, 3, 0]);
}

#[tokio::test]
async fn what_came_back_gets_its_try_though_another_mail_fails() {
    let (bench, logger) = set_aside(Bench::new(), 3, true).await;
    let made = bench.source.count(SourceOperation::MoveTo) as u64;
    let fault = SourceFault::Error(Error::new(&codes::HTTP_CLOSED, "move_to"));
    bench
        .source
        .fail_call(SourceOperation::MoveTo, made + 2, fault);
    let keys = keys(&bench).await;
    let builder = bench.builder().with_policy(LoggingPolicy::default());
    let builder = builder.with_quarantine_folder(quarantine());
    let slow = builder.with_settings(one_by_one()).build().unwrap();
    slow.requeue(&keys).await.unwrap_err();
    let before = states(&bench, &keys).await;
    let set_aside = [SightingState::Quarantined; 2];
    assert_eq!(before, [&[SightingState::Pending][..], &set_aside].concat());
    let again = logger.requeue(&keys).await.unwrap();
    assert_eq!(counts(&again), [2, 2, 1, 0, 0]);
}

/// A logger with this setting, of which nobody can look for a copy in the quarantine folder, and the code that says so.
async fn blind(bench: &Bench, is_missing: bool) -> (EmailLoggerBuilder, &'static str) {
    let builder = bench.builder().with_policy(LoggingPolicy::default());
    if is_missing {
        let elsewhere = r"\Elsewhere\".parse::<FolderPath>().unwrap();
        let builder = builder.with_quarantine_folder(elsewhere);
        return (builder, codes::SOURCE_FOLDER_NOT_FOUND.code);
    }
    let builder = builder.with_quarantine_folder(quarantine());
    let off = switched_off().await;
    (builder.with_setup_store(off), codes::SETUP_DISABLED.code)
}

#[tokio::test]
async fn what_waits_for_its_move_stays_set_aside_while_nobody_can_look_for_its_copy() {
    for is_missing in [false, true] {
        let (bench, logger) = half_set_aside().await;
        let keys = keys(&bench).await;
        let (blind, code) = blind(&bench, is_missing).await;
        let report = blind.build().unwrap().requeue(&keys).await.unwrap();
        let in_queue = u64::from(is_missing);
        assert_eq!(counts(&report), [0, 0, in_queue, 0, 1]);
        assert_eq!(report.failure.as_deref(), Some(code));
        assert_eq!(states(&bench, &keys).await, [SightingState::Quarantined]);
        let again = logger.requeue(&keys).await.unwrap();
        assert_eq!(counts(&again), [1, 1, 0, 0, 0]);
        assert_eq!(bench.queued(), 2);
    }
}

/// A mail that got another try, and a ledger over which the logger sets it aside again before anybody else takes the mailbox.
async fn set_aside_meanwhile(bench: Bench) -> (Bench, Arc<EmailLogger>, Arc<Steered>) {
    let (bench, logger) = set_aside(bench, 1, true).await;
    let logger = Arc::new(logger);
    let report = logger.requeue(&keys(&bench).await).await.unwrap();
    assert_eq!(counts(&report), [1, 1, 0, 0, 0]);
    let ledger = Arc::new(Steered::new(&bench.store, 0));
    *ledger.first.lock().unwrap() = Some(Arc::clone(&logger));
    (bench, logger, ledger)
}

#[tokio::test]
async fn what_a_run_leaves_half_moved_before_the_mailbox_is_taken_stays_set_aside() {
    for is_missing in [false, true] {
        let (bench, logger, ledger) = set_aside_meanwhile(Bench::new()).await;
        let half = SourceFault::HalfMove(0, Error::new(&codes::EWS_UNAVAILABLE, "move_to"));
        bench.source.fail_next(SourceOperation::MoveTo, half);
        let keys = keys(&bench).await;
        assert_eq!(states(&bench, &keys).await, [SightingState::Pending]);
        let (blind, code) = blind(&bench, is_missing).await;
        let blind = blind.with_ledger(ledger).build().unwrap();
        let report = blind.requeue(&keys).await.unwrap();
        let in_queue = u64::from(is_missing);
        assert_eq!(counts(&report), [0, 0, in_queue, 0, 1]);
        assert_eq!(report.failure.as_deref(), Some(code));
        assert_eq!(states(&bench, &keys).await, [SightingState::Quarantined]);
        let again = logger.requeue(&keys).await.unwrap();
        assert_eq!(counts(&again), [1, 1, 0, 0, 0]);
        assert_eq!(bench.queued(), 2);
    }
}

#[tokio::test]
async fn what_a_run_sets_aside_before_the_mailbox_is_taken_is_moved_back_from_where_it_lies_then() {
    let (bench, _, ledger) = set_aside_meanwhile(unfindable()).await;
    let builder = bench.builder().with_quarantine_folder(quarantine());
    let logger = builder.with_ledger(ledger).build().unwrap();
    let report = logger.requeue(&keys(&bench).await).await.unwrap();
    assert_eq!(counts(&report), [1, 1, 0, 0, 0]);
    assert_eq!(bench.queued(), 1);
}
