//! Every single fault of a source and of a store, at every call: nothing lost, nothing twice, and the next run heals.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::LoggingPolicy;
use email_logging::error::{Code, codes};
use email_logging::logger::{Progress, ProgressEvent, RunReport, RunSettings, RunStep, Skipped};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{ItemRef, ListRequest, MemorySource, SourceCapabilities};
use email_logging::store::{Acquired, MailLedger as _, StoreOperation};
use email_logging::testkit::clock::ManualClock;
use email_logging::{Error, ErrorKind, Result, Scope};

use crate::bench::{Bench, mail, numbered, quarantine, queue, storage, subject};
use crate::meddled::{BeforeMove, Meddled, Meddling};

const MAILS: u32 = 7;

fn error(code: &'static Code) -> Error {
    Error::new(code, "planned")
}

fn small_batches() -> RunSettings {
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = (3, 2);
    settings
}

fn loaded() -> Bench {
    let bench = Bench::new();
    bench.deliver_numbers(0..MAILS);
    bench
}

/// Runs until the queue is empty. A fault that was planned for a later call may still end one of these runs.
async fn heal(bench: &Bench) {
    for _ in 0..4 {
        bench.clock.advance(Duration::from_hours(1));
        match bench.run_with(small_batches()).await {
            Ok(report) => assert!(report.closes(), "{report:?}"),
            Err(failed) => assert!(failed.report.closes(), "{failed:?}"),
        }
    }
}

type MakeFault = fn() -> SourceFault;

#[tokio::test]
async fn every_fault_of_the_source_at_every_call_is_healed() {
    let faults: [(&str, MakeFault); 8] = [
        ("error", || SourceFault::Error(error(&codes::HTTP_CONNECT))),
        ("lost reply", || {
            SourceFault::LostReply(error(&codes::HTTP_TIMEOUT))
        }),
        ("item failed", || {
            SourceFault::ItemFailed(0, error(&codes::EWS_UNAVAILABLE))
        }),
        ("item gone", || SourceFault::ItemGone(1)),
        ("partial", || {
            SourceFault::Partial(1, error(&codes::HTTP_CLOSED))
        }),
        ("half move", || {
            SourceFault::HalfMove(1, error(&codes::EWS_MOVE_FAILED))
        }),
        ("cut off", || {
            SourceFault::CutOff(1, error(&codes::HTTP_CLOSED))
        }),
        ("throttled", || {
            SourceFault::Error(error(&codes::EWS_THROTTLED))
        }),
    ];
    let operations = [
        SourceOperation::List,
        SourceOperation::Fetch,
        SourceOperation::MoveTo,
    ];
    let mut cases = 0;
    for operation in operations {
        for (name, fault) in faults {
            for nth in 1..=4 {
                let bench = loaded();
                bench.source.fail_call(operation, nth, fault());
                if let Err(failed) = bench.run_with(small_batches()).await {
                    assert!(
                        failed.report.closes(),
                        "{operation:?} {name} {nth}: {failed:?}"
                    );
                }
                heal(&bench).await;
                bench.assert_all_stored_and_logged_once(MAILS).await;
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 96);
}

#[tokio::test]
async fn a_half_done_move_ends_with_a_second_copy_that_is_noted() {
    let bench = loaded();
    let fault = SourceFault::HalfMove(0, error(&codes::EWS_MOVE_FAILED));
    bench.source.fail_call(SourceOperation::MoveTo, 1, fault);
    bench.run_with(small_batches()).await.unwrap();
    bench.clock.advance(Duration::from_hours(1));
    let report = bench.run_with(small_batches()).await.unwrap();
    assert_eq!((report.recovered, bench.queued()), (1, 0), "{report:?}");
    assert_eq!(bench.stored(), MAILS as usize + 1);
    assert_eq!(report.duplicate_copies, 1, "{report:?}");
    bench.assert_all_stored_and_logged_once(MAILS).await;
}

const STORE_OPERATIONS: [StoreOperation; 10] = [
    StoreOperation::Acquire,
    StoreOperation::Release,
    StoreOperation::Known,
    StoreOperation::WithMessageIds,
    StoreOperation::Commit,
    StoreOperation::PendingMoves,
    StoreOperation::Unindexed,
    StoreOperation::PutContent,
    StoreOperation::Original,
    StoreOperation::LoadSetup,
];

#[tokio::test]
async fn every_failing_call_of_the_store_is_healed_and_moves_nothing_uncommitted() {
    for operation in STORE_OPERATIONS {
        for nth in 1..=5 {
            for lost_reply in [false, true] {
                let bench = loaded();
                let unavailable = error(&codes::STORE_UNAVAILABLE);
                if lost_reply && nth == 1 {
                    bench.store.lose_next_reply(operation, unavailable);
                } else {
                    bench.store.fail_call(operation, nth, unavailable);
                }
                let result = bench.run_with(small_batches()).await;
                if let Err(failed) = result {
                    assert_eq!(failed.error.kind(), ErrorKind::StoreUnavailable);
                    assert!(failed.report.closes(), "{operation:?} {nth}: {failed:?}");
                }
                assert!(
                    bench.stored() <= bench.mails().await.len(),
                    "log before move"
                );
                heal(&bench).await;
                bench.assert_all_stored_and_logged_once(MAILS).await;
                assert_eq!(
                    bench.stored(),
                    MAILS as usize,
                    "{operation:?} {nth} {lost_reply}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_store_that_is_gone_ends_the_run_and_nothing_moves() {
    let bench = loaded();
    bench
        .store
        .fail_call(StoreOperation::Commit, 1, error(&codes::STORE_FULL));
    let failed = bench.run_with(small_batches()).await.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::LoggingMessages, "store.full")
    );
    assert_eq!(bench.source.count(SourceOperation::MoveTo), 0);
    assert_eq!(bench.queued(), MAILS as usize);
}

#[tokio::test]
async fn a_lost_lease_ends_the_run_and_nothing_more_moves() {
    let bench = loaded();
    bench
        .store
        .fail_call(StoreOperation::Commit, 2, error(&codes::LEASE_LOST));
    let failed = bench.run_with(small_batches()).await.unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::LeaseLost);
    assert!(bench.stored() <= bench.mails().await.len());
    assert!(failed.report.closes(), "{failed:?}");
}

#[tokio::test]
async fn a_store_that_a_newer_version_has_migrated_ends_the_run_and_nothing_more_moves() {
    let bench = loaded();
    let newer = error(&codes::STORE_SCHEMA_NEWER);
    bench.store.fail_call(StoreOperation::Commit, 2, newer);
    let failed = bench.run_with(small_batches()).await.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::LoggingMessages, "store.schema_newer")
    );
    let (logged, moved) = (failed.report.logged, failed.report.moved);
    assert_eq!(failed.report.moves_pending, logged - moved);
    assert!(failed.report.moves_pending > 0, "{failed:?}");
    assert!(failed.report.closes(), "{failed:?}");
}

#[tokio::test]
async fn a_directory_that_fails_is_an_error_of_the_run_and_never_no_match() {
    let bench = loaded();
    bench.company.out_of_order.store(true, Ordering::Relaxed);
    let failed = bench.run().await.unwrap_err();
    assert_eq!(failed.step, RunStep::ResolvingAddresses);
    assert_eq!(failed.error.code(), "directory.unavailable");
    assert!(failed.report.closes(), "{failed:?}");
    assert_eq!((failed.report.fetched, bench.queued()), (0, MAILS as usize));
    bench.company.out_of_order.store(false, Ordering::Relaxed);
    heal(&bench).await;
    bench.assert_all_stored_and_logged_once(MAILS).await;
}

#[tokio::test]
async fn a_mail_that_always_fails_is_retried_with_growing_waits_and_then_set_aside() {
    let bench = Bench::new();
    bench.deliver_numbers(0..2);
    let mut settings = RunSettings::default();
    settings.attempts = 3;
    for attempt in 1..=3_u32 {
        let fault = SourceFault::ItemFailed(0, error(&codes::EWS_UNAVAILABLE));
        bench.source.fail_next(SourceOperation::Fetch, fault);
        let report = bench.run_with(settings.clone()).await.unwrap();
        assert!(report.closes(), "{report:?}");
        let expected = if attempt < 3 { (1, 0) } else { (0, 1) };
        assert_eq!(
            (report.pending, report.quarantined),
            expected,
            "attempt {attempt}"
        );
        assert_eq!(
            report.logged,
            u64::from(attempt == 1),
            "the other mail is not held up"
        );
        let early = bench.run_with(settings.clone()).await.unwrap();
        assert_eq!(
            (early.deferred, early.fetched),
            (1, 0),
            "not before its time"
        );
        bench
            .clock
            .advance(Duration::from_secs(60 * 2_u64.pow(attempt - 1)));
    }
    assert_eq!(bench.queued(), 1, "it stays for a person");
    let keys: Vec<_> = bench
        .source
        .items(&queue())
        .into_iter()
        .map(|item| item.key)
        .collect();
    let requeued = bench
        .store
        .requeue(&Scope::default(), &"queue".into(), &keys)
        .await
        .unwrap();
    assert_eq!(requeued, 1);
    assert_eq!(bench.run_with(settings).await.unwrap().logged, 1);
    bench.assert_all_stored_and_logged_once(2).await;
}

#[tokio::test]
async fn an_item_that_cannot_be_fetched_for_good_is_set_aside_at_once() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let fault = SourceFault::ItemFailed(1, error(&codes::EWS_ITEM_DAMAGED));
    bench.source.fail_next(SourceOperation::Fetch, fault);
    let report = bench.run().await.unwrap();
    assert_eq!((report.logged, report.quarantined), (2, 1));
}

#[tokio::test]
async fn a_mailbox_that_another_worker_holds_is_left_alone() {
    let bench = loaded();
    let (scope, mailbox) = (Scope::default(), "queue".into());
    let ttl = Duration::from_mins(5);
    let held = bench
        .store
        .acquire(&scope, &mailbox, &"other".into(), ttl)
        .await
        .unwrap();
    assert!(matches!(held, Acquired::Held(_)));
    let report = bench.run().await.unwrap();
    assert_eq!(report.skipped, Some(Skipped::MailboxBusy));
    assert!(bench.source.calls().is_empty());
    bench.clock.advance(ttl + Duration::from_secs(1));
    assert_eq!(bench.run().await.unwrap().logged, u64::from(MAILS));
}

#[tokio::test]
async fn two_workers_in_turn_log_nothing_twice() {
    let bench = loaded();
    let mut settings = small_batches();
    settings.batch_size = 2;
    for worker in ["a", "b", "a", "b"] {
        let builder = bench
            .builder()
            .with_worker(worker)
            .with_settings(settings.clone());
        builder.build().unwrap().run_once().await.unwrap();
    }
    bench.assert_all_stored_and_logged_once(MAILS).await;
}

#[tokio::test]
async fn mail_that_a_person_takes_away_keeps_its_entries() {
    let bench = loaded();
    bench.source.fail_call(
        SourceOperation::MoveTo,
        1,
        SourceFault::Error(error(&codes::HTTP_CONNECT)),
    );
    bench.run().await.unwrap_err();
    let item = bench.source.items(&queue()).remove(0);
    assert!(bench.source.take_away(&item.item));
    let report = bench.run().await.unwrap();
    assert_eq!(
        (report.vanished, report.recovered, report.moved),
        (1, 7, 6),
        "{report:?}"
    );
    assert_eq!(bench.mails().await.len(), MAILS as usize);
}

/// Where old ids stay usable, the move of a worker that lost its lease unawares makes the move of recovery a second one.
#[tokio::test]
async fn recovery_tells_of_the_copy_that_it_makes_when_a_stale_worker_overtakes_it() {
    let bench = loaded().with_source(MemorySource::with_lasting_ids);
    let fault = SourceFault::Error(error(&codes::HTTP_CONNECT));
    bench.source.fail_call(SourceOperation::MoveTo, 1, fault);
    bench.run().await.unwrap_err();
    let overtaken = subject(3);
    let meddling = BeforeMove(move |source: &MemorySource, _: &[ItemRef]| {
        for item in source.items(&queue()) {
            if String::from_utf8_lossy(&item.original).contains(&overtaken) {
                source.move_by_hand(&item.item, &storage());
            }
        }
        Ok(())
    });
    let source = bench.source.clone();
    let meddled = Arc::new(Meddled { source, meddling });
    let logger = bench.builder().with_source(meddled).build().unwrap();
    let report = logger.run_once().await.unwrap();
    let recovered = (report.recovered, report.moved, report.duplicate_copies);
    assert_eq!(recovered, (u64::from(MAILS), u64::from(MAILS), 1));
    assert_eq!(bench.stored(), MAILS as usize + 1);
    assert_eq!(bench.entries().await.len(), MAILS as usize);
}

#[tokio::test]
async fn recovery_looks_before_it_moves_and_needs_one_look_at_each_folder_for_a_batch() {
    let bench = loaded();
    let fault = SourceFault::LostReply(error(&codes::HTTP_TIMEOUT));
    bench.source.fail_call(SourceOperation::MoveTo, 1, fault);
    bench.run().await.unwrap_err();
    let moves = bench.source.count(SourceOperation::MoveTo);
    let report = bench.run().await.unwrap();
    assert_eq!(
        (report.recovered, report.duplicate_copies),
        (u64::from(MAILS), 0)
    );
    assert_eq!(bench.source.count(SourceOperation::Locate), 2);
    assert_eq!(
        bench.source.count(SourceOperation::MoveTo),
        moves,
        "nothing is moved again"
    );
    bench.assert_all_stored_and_logged_once(MAILS).await;
}

#[tokio::test]
async fn a_transient_move_failure_waits_and_a_later_run_moves() {
    let bench = Bench::new();
    bench.deliver_numbers(0..2);
    let fault = SourceFault::ItemFailed(0, error(&codes::EWS_QUOTA));
    bench.source.fail_call(SourceOperation::MoveTo, 1, fault);
    let report = bench.run().await.unwrap();
    assert_eq!((report.moved, report.moves_pending), (1, 1));
    let early = bench.run().await.unwrap();
    assert_eq!((early.moved, early.deferred), (0, 1), "it waits: {early:?}");
    bench.clock.advance(Duration::from_secs(61));
    assert_eq!(bench.run().await.unwrap().moved, 1);
    bench.assert_all_stored_and_logged_once(2).await;
}

#[tokio::test]
async fn a_mail_without_a_stable_key_is_known_by_its_digest() {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.locate) = (false, false);
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    bench.deliver_numbers(0..3);
    bench.deliver(numbered(1));
    let report = bench.run().await.unwrap();
    assert!(report.closes());
    assert_eq!((report.logged, report.already_logged), (3, 1), "{report:?}");
    assert_eq!((bench.queued(), bench.stored()), (0, 4));
    let one = bench.source.items(&storage()).remove(0);
    bench.source.move_by_hand(&one.item, &queue());
    let report = bench.run().await.unwrap();
    assert_eq!(
        (report.already_logged, report.entries, bench.stored()),
        (1, 0, 4)
    );
}

#[tokio::test]
async fn one_bad_mail_changes_nothing_for_the_others() {
    let with_bad = Bench::new();
    let without = Bench::new();
    for number in 0..5 {
        with_bad.deliver(numbered(number));
        without.deliver(numbered(number));
        with_bad.deliver(vec![0xff; 100]);
        with_bad.deliver(mail(
            "=?x?=@y",
            "ah@ours.example",
            "Odd",
            &format!("o{number}@x"),
        ));
    }
    with_bad.run().await.unwrap();
    without.run().await.unwrap();
    assert_eq!(with_bad.entries().await, without.entries().await);
}

#[tokio::test]
async fn a_lease_that_is_about_to_end_is_renewed_before_a_move() {
    let bench = loaded();
    let clock = bench.clock.clone();
    let lease = RunSettings::default().lease;
    // Each commit takes so long that the lease is nearly over.
    let listener = Arc::new(Hurry {
        clock,
        by: lease * 7 / 8,
    });
    let builder = bench
        .builder()
        .with_settings(small_batches())
        .with_progress(listener);
    let report = builder.build().unwrap().run_once().await.unwrap();
    assert_eq!(report.moved, u64::from(MAILS), "{report:?}");
    assert!(bench.store.calls(StoreOperation::Renew) >= 1);
    bench.assert_all_stored_and_logged_once(MAILS).await;
}

/// Moves the clock on whenever something was committed.
#[derive(Debug)]
struct Hurry {
    clock: ManualClock,
    by: Duration,
}

impl Progress for Hurry {
    fn on(&self, event: &ProgressEvent<'_>) {
        if matches!(event, ProgressEvent::Committed { .. }) {
            self.clock.advance(self.by);
        }
    }
}

#[tokio::test]
async fn a_move_that_fails_again_waits_for_its_next_attempt() {
    let bench = Bench::new();
    bench.deliver_numbers(0..2);
    for _ in 0..2 {
        let fault = SourceFault::ItemFailed(0, error(&codes::EWS_MOVE_FAILED));
        bench.source.fail_next(SourceOperation::MoveTo, fault);
    }
    bench.run().await.unwrap();
    bench.clock.advance(Duration::from_mins(2));
    let before = bench.source.count(SourceOperation::MoveTo);
    let report = bench.run().await.unwrap();
    assert_eq!(
        bench.source.count(SourceOperation::MoveTo) - before,
        1,
        "once a run"
    );
    assert_eq!(
        (report.moves_pending, report.deferred, report.already_logged),
        (1, 1, 0)
    );
    bench.clock.advance(Duration::from_mins(10));
    assert_eq!(bench.run().await.unwrap().recovered, 1);
    bench.assert_all_stored_and_logged_once(2).await;
}

#[tokio::test]
async fn items_that_wait_for_their_move_hide_no_new_mail() {
    let bench = loaded();
    let lost = SourceFault::Error(error(&codes::HTTP_CONNECT));
    bench.source.fail_next(SourceOperation::MoveTo, lost);
    bench.run().await.unwrap_err();
    for item in bench.source.items(&queue()) {
        bench.source.take_away(&item.item);
    }
    bench.deliver_numbers(MAILS..MAILS + 3);
    let report = bench.run().await.unwrap();
    assert_eq!(
        (report.logged, report.vanished),
        (3, u64::from(MAILS)),
        "{report:?}"
    );
}

#[tokio::test]
async fn what_a_person_can_mend_is_no_reason_to_delete() {
    for code in [
        &codes::EWS_QUOTA,
        &codes::EWS_ACCESS_DENIED,
        &codes::EWS_MOVE_FAILED,
    ] {
        let bench = Bench::new();
        bench.deliver_numbers(0..1);
        bench.deliver("unreadable");
        for _ in 0..2 {
            bench.source.fail_next(
                SourceOperation::MoveTo,
                SourceFault::ItemFailed(0, error(code)),
            );
        }
        let policy = LoggingPolicy::business_central();
        let builder = bench
            .builder()
            .with_policy(policy)
            .with_quarantine_folder(quarantine());
        let report = builder.build().unwrap().run_once().await.unwrap();
        assert_eq!((report.deleted, bench.queued()), (0, 2), "{report:?}");
    }
}

#[tokio::test]
async fn the_originals_fall_back_deletes_only_what_the_store_holds() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    bench.deliver("unreadable");
    for _ in 0..2 {
        let lasting = SourceFault::ItemFailed(0, error(&codes::EWS_ITEM_DAMAGED));
        bench.source.fail_next(SourceOperation::MoveTo, lasting);
    }
    let policy = LoggingPolicy::business_central();
    let builder = bench
        .builder()
        .with_policy(policy)
        .with_quarantine_folder(quarantine());
    let report = builder.build().unwrap().run_once().await.unwrap();
    assert_eq!(
        (report.deleted, bench.queued()),
        (1, 1),
        "the quarantined one stays: {report:?}"
    );
    assert_eq!(bench.entries().await.len(), 1);
}

#[tokio::test]
async fn two_runs_of_one_logger_do_not_take_each_others_lease() {
    let bench = loaded();
    let logger = bench.builder().build().unwrap();
    let (first, second) = tokio::join!(logger.run_once(), async {
        tokio::task::yield_now().await;
        logger.run_once().await
    });
    let (first, second) = (first.unwrap(), second.unwrap());
    let busy = [&first, &second]
        .iter()
        .filter(|it| it.skipped.is_some())
        .count();
    assert_eq!(first.logged + second.logged, u64::from(MAILS));
    assert!(busy <= 1);
    bench.assert_all_stored_and_logged_once(MAILS).await;
}

/// Moves the only mail of the storage folder back into the queue, as a person does.
fn put_back(bench: &Bench) {
    let item = bench.source.items(&storage()).remove(0).item;
    bench.source.move_by_hand(&item, &queue()).unwrap();
}

/// A run in which the only mail of the queue cannot be read, and one before its next attempt.
async fn fails_once(bench: &Bench, settings: &RunSettings) -> (u64, u64) {
    let fault = SourceFault::ItemFailed(0, error(&codes::EWS_UNAVAILABLE));
    bench.source.fail_next(SourceOperation::Fetch, fault);
    let report = bench.run_with(settings.clone()).await.unwrap();
    assert!(report.closes(), "{report:?}");
    let early = bench.run_with(settings.clone()).await.unwrap();
    assert_eq!((early.deferred, early.fetched), (1, 0), "{early:?}");
    bench.clock.advance(Duration::from_hours(1));
    (report.pending, report.quarantined)
}

#[tokio::test]
async fn a_mail_that_is_put_back_and_always_fails_waits_and_is_then_set_aside() {
    let bench = Bench::new();
    let from = "nobody@else.example";
    bench.deliver(mail(from, "ah@ours.example", "Unknown", "unknown@x"));
    assert_eq!(bench.run().await.unwrap().not_matched, 1);
    let mut settings = RunSettings::default();
    settings.attempts = 3;
    put_back(&bench);
    for _ in 0..2 {
        assert_eq!(fails_once(&bench, &settings).await, (1, 0));
    }
    let report = bench.run_with(settings.clone()).await.unwrap();
    assert_eq!((report.not_matched, bench.stored()), (1, 1), "{report:?}");
    put_back(&bench);
    let mut found = Vec::new();
    for _ in 0..3 {
        found.push(fails_once(&bench, &settings).await);
    }
    let expected = [(1, 0), (1, 0), (0, 1)];
    assert_eq!(found, expected, "a decision ends the count of attempts");
    bench.company.add_contact(from, "C9");
    let report = bench.run_with(settings).await.unwrap();
    let read = (report.deferred, report.fetched, bench.queued());
    assert_eq!(read, (1, 0, 1), "it stays for a person");
}

#[tokio::test]
async fn attempts_of_a_mail_without_a_stable_key_are_counted() {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.locate) = (false, false);
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    bench.deliver_numbers(0..1);
    let mut settings = RunSettings::default();
    settings.attempts = 2;
    for expected in [(1, 0), (0, 1)] {
        let fault = SourceFault::ItemFailed(0, error(&codes::EWS_UNAVAILABLE));
        bench.source.fail_next(SourceOperation::Fetch, fault);
        let report = bench.run_with(settings.clone()).await.unwrap();
        assert_eq!((report.pending, report.quarantined), expected);
        bench.clock.advance(Duration::from_hours(1));
    }
    let report = bench.run_with(settings).await.unwrap();
    assert_eq!(
        (report.deferred, report.fetched),
        (1, 0),
        "it is passed over: {report:?}"
    );
}

/// Fails a move as a whole whenever one certain mail is among the items.
fn poison(
    subject: String,
) -> BeforeMove<impl Fn(&MemorySource, &[ItemRef]) -> Result<()> + Send + Sync + 'static> {
    BeforeMove(move |source: &MemorySource, items: &[ItemRef]| {
        let holds = |original: &[u8]| String::from_utf8_lossy(original).contains(&subject);
        let queued = source.items(&queue());
        let hit = queued
            .iter()
            .any(|it| items.contains(&it.item) && holds(&it.original));
        if hit {
            Err(error(&codes::HTTP_CLOSED))
        } else {
            Ok(())
        }
    })
}

#[tokio::test]
async fn a_mail_that_can_never_be_moved_holds_up_no_other() {
    let bench = loaded();
    let source = bench.source.clone();
    let poisoned = Meddled {
        source,
        meddling: poison(subject(3)),
    };
    let logger = bench
        .builder()
        .with_source(Arc::new(poisoned))
        .build()
        .unwrap();
    logger.run_once().await.unwrap_err();
    assert_eq!(bench.stored(), 0, "the first move failed as a whole");
    for round in 1..=3 {
        let first = MAILS + round * 2;
        bench.deliver_numbers(first..first + 1);
        bench.clock.advance(Duration::from_hours(1));
        let result = logger.run_once().await;
        let report = result.unwrap_or_else(|failed| panic!("{failed:?}"));
        assert!(report.closes(), "{report:?}");
        assert_eq!(report.logged, 1, "{report:?}");
        assert_eq!(bench.queued(), 1, "only that one stays");
    }
}

#[tokio::test]
async fn a_source_with_pages_of_one_is_read_to_its_end() {
    let mut capabilities = SourceCapabilities::default();
    capabilities.list_page = 1;
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    bench.deliver_numbers(0..5);
    assert_eq!(bench.run().await.unwrap().logged, 5);
    bench.assert_all_stored_and_logged_once(5).await;
}

/// A server that answers a later page only when a move came before it.
#[derive(Default)]
struct Overtaken(tokio::sync::Notify);

#[async_trait]
impl Meddling for Overtaken {
    async fn before_list(&self, request: ListRequest) {
        if request.offset == 10 {
            self.0.notified().await;
        }
    }

    async fn after_move(&self) {
        self.0.notify_one();
    }
}

/// A run over pages of ten, of which a move overtakes the second.
async fn run_overtaken(bench: &Bench) -> RunReport {
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = (5, 5);
    let overtaken = Meddled {
        source: bench.source.clone(),
        meddling: Overtaken::default(),
    };
    let builder = bench.builder().with_source(Arc::new(overtaken));
    let logger = builder.with_settings(settings).build().unwrap();
    logger.run_once().await.unwrap()
}

fn pages_of_ten() -> Bench {
    let mut capabilities = SourceCapabilities::default();
    capabilities.list_page = 10;
    Bench::new().with_source(|source| source.with_capabilities(capabilities))
}

#[tokio::test]
async fn a_move_that_overtakes_a_page_leaves_no_mail_behind() {
    let bench = pages_of_ten();
    bench.deliver_numbers(0..25);
    let report = run_overtaken(&bench).await;
    assert_eq!((report.listed, bench.queued()), (25, 0), "{report:?}");
    let lists = bench.source.count(SourceOperation::List);
    assert_eq!(lists, 3, "the folder, its end, and one look back");
    bench.assert_all_stored_and_logged_once(25).await;
}

#[tokio::test]
async fn a_move_that_overtakes_a_page_leaves_no_mail_behind_before_what_stays() {
    let bench = pages_of_ten();
    bench.deliver_numbers(0..22);
    for number in 0..3 {
        bench.deliver(format!("unreadable {number}"));
    }
    let report = run_overtaken(&bench).await;
    assert!(report.closes(), "{report:?}");
    assert_eq!((report.logged, report.quarantined), (22, 3), "{report:?}");
    // There is no folder for what is set aside.
    assert_eq!((bench.queued(), bench.stored()), (3, 22));
}

#[tokio::test]
async fn a_lease_that_cannot_be_renewed_ends_the_run() {
    for code in [&codes::LEASE_LOST, &codes::STORE_DATA] {
        let bench = loaded();
        let lease = RunSettings::default().lease;
        let clock = bench.clock.clone();
        let listener = Arc::new(Hurry {
            clock,
            by: lease * 7 / 8,
        });
        bench.store.fail_call(StoreOperation::Renew, 1, error(code));
        let builder = bench
            .builder()
            .with_settings(small_batches())
            .with_progress(listener);
        let failed = builder.build().unwrap().run_once().await.unwrap_err();
        assert_eq!(failed.error.code(), code.code);
        assert!(failed.report.closes(), "{failed:?}");
        heal(&bench).await;
        bench.assert_all_stored_and_logged_once(MAILS).await;
    }
}
