//! Cells of the matrix that nothing else covers: leases, lists, commits, moves, and what people and clocks do.

use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock as _;
use email_logging::error::codes;
use email_logging::logger::{RunStep, Skipped};
use email_logging::message::MailFacts;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{MailSource as _, MemorySource, Moved, SourceCapabilities};
use email_logging::store::{
    Acquired, CommitBatch, EventFeed as _, InteractionLog as _, LogFilter, MailLedger as _,
    MemoryStore, MoveOutcome, MoveResult, StoreOperation,
};
use email_logging::{ErrorKind, Scope};
use jiff::{SignedDuration, Timestamp};

use crate::office::{
    Office, error, everything, folder, mail, offer, open, queue, small_batches, storage, subjects,
};

const MAILS: u32 = 7;

async fn loaded() -> Office {
    let office = Office::new().await;
    office.deliver_numbers(0..MAILS);
    office
}

#[tokio::test]
async fn a_lease_whose_reply_was_lost_counts_as_not_held_and_ends_by_itself() {
    let office = loaded().await;
    let store = Arc::new(MemoryStore::new().with_clock(Arc::new(office.clock.clone())));
    let logger = |worker: &str| {
        let builder = office.builder_on(Arc::clone(&store)).with_worker(worker);
        builder.build().unwrap()
    };
    store.lose_next_reply(StoreOperation::Acquire, error(&codes::STORE_UNAVAILABLE));
    let failed = logger("a").run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::TakingMailbox);
    assert!(office.source.count(SourceOperation::List) == 0, "not held");
    let busy = logger("b").run_once().await.unwrap();
    assert_eq!(busy.skipped, Some(Skipped::MailboxBusy));
    office.clock.advance(Duration::from_mins(6));
    assert_eq!(logger("b").run_once().await.unwrap().logged, 7);
}

#[tokio::test]
async fn the_lease_after_a_crash_has_the_next_epoch_and_the_old_one_writes_nothing() {
    let office = loaded().await;
    let (scope, mailbox) = (Scope::default(), "queue".into());
    let ttl = Duration::from_mins(5);
    let take = |worker: &'static str| {
        let (store, scope, mailbox) = (&office.store, &scope, &mailbox);
        async move {
            match store.acquire(scope, mailbox, &worker.into(), ttl).await {
                Ok(Acquired::Held(lease)) => lease,
                other => panic!("{other:?}"),
            }
        }
    };
    let crashed = take("crashed").await;
    office.clock.advance(ttl + Duration::from_secs(1));
    office.run().await.unwrap();
    let next = take("next").await;
    assert!(next.epoch > crashed.epoch + 1, "each holding has its own");
    let before = everything(office.store.as_ref()).await;
    let stale = office
        .store
        .commit(&scope, &crashed, CommitBatch::default());
    assert_eq!(stale.await.unwrap_err().kind(), ErrorKind::LeaseLost);
    assert_eq!(everything(office.store.as_ref()).await, before);
}

#[tokio::test]
async fn two_workers_may_list_and_decide_at_the_same_time_and_decide_alike() {
    let office = loaded().await;
    office.deliver(mail("no@else.example", "Unknown", "u@x.example", ""));
    let mut small = email_logging::logger::RunSettings::default();
    small.fetch_batch = 1;
    let (one, other) = (
        office.logger(),
        office.builder().with_settings(small).build().unwrap(),
    );
    let (one, other) = tokio::join!(one.dry_run(), other.dry_run());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.mails, other.mails);
    assert_eq!(one.report.reasons, other.report.reasons);
    assert_eq!(office.places(), [8, 0, 0]);
}

#[tokio::test]
async fn a_refused_sign_in_ends_the_run_and_the_next_one_goes_on() {
    for operation in [
        SourceOperation::List,
        SourceOperation::Fetch,
        SourceOperation::MoveTo,
    ] {
        let office = loaded().await;
        let refused = SourceFault::Error(error(&codes::HTTP_UNAUTHORIZED));
        office.source.fail_next(operation, refused);
        let mut settings = small_batches();
        settings.connections = 1;
        let logger = office.builder().with_settings(settings).build().unwrap();
        let failed = logger.run_once().await.unwrap_err();
        assert!(failed.report.closes(), "{failed:?}");
        assert_eq!(failed.error.kind(), ErrorKind::Unauthenticated);
        let last = office.source.calls().pop().unwrap();
        assert_eq!(last.operation, operation, "nothing is asked after it");
        assert_eq!(office.source.count(operation), 1);
        office.run().await.unwrap();
        office.assert_offers(MAILS).await;
    }
}

#[tokio::test]
async fn a_busy_server_ends_the_run_and_nothing_is_asked_of_a_mail_before_its_time() {
    for operation in [
        SourceOperation::List,
        SourceOperation::Fetch,
        SourceOperation::MoveTo,
    ] {
        let office = loaded().await;
        let busy = error(&codes::EWS_THROTTLED).with_retry_after(Duration::from_mins(30));
        office.source.fail_next(operation, SourceFault::Error(busy));
        let failed = office.run().await.unwrap_err();
        assert_eq!(failed.error.retry_after(), Some(Duration::from_mins(30)));
        office.clock.advance(Duration::from_mins(30));
        office.run().await.unwrap();
        office.assert_offers(MAILS).await;
    }
}

#[tokio::test]
async fn a_move_that_the_server_refuses_item_by_item_waits_as_long_as_it_asks() {
    for code in [
        &codes::EWS_MOVE_FAILED,
        &codes::EWS_QUOTA,
        &codes::EWS_UNAVAILABLE,
        &codes::EWS_THROTTLED,
    ] {
        let office = loaded().await;
        let refused = error(code).with_retry_after(Duration::from_mins(20));
        let fault = SourceFault::ItemFailed(1, refused);
        office.source.fail_next(SourceOperation::MoveTo, fault);
        let report = office.run().await.unwrap();
        assert_eq!((report.moved, report.moves_pending), (6, 1), "{code:?}");
        office.clock.advance(Duration::from_mins(19));
        assert_eq!(office.run().await.unwrap().recovered, 0, "not before");
        office.clock.advance(Duration::from_mins(1));
        assert_eq!(office.run().await.unwrap().recovered, 1);
        office.assert_offers(MAILS).await;
    }
}

#[tokio::test]
async fn mail_that_another_worker_took_is_passed_over() {
    let office = loaded().await;
    let gone = SourceFault::ItemGone(1);
    office.source.fail_next(SourceOperation::Fetch, gone);
    let report = office.run().await.unwrap();
    assert_eq!((report.gone, report.logged), (1, 6), "{report:?}");
    assert_eq!(office.run().await.unwrap().logged, 1);
    office.assert_offers(MAILS).await;
}

#[tokio::test]
async fn a_blind_second_move_makes_a_copy_where_old_ids_stay_usable() {
    let office = loaded().await;
    let office = office.with_source(MemorySource::with_lasting_ids);
    let open = async |path| office.source.open_folder(&path).await.unwrap();
    let (from, to) = (open(queue().into()).await, open(storage().into()).await);
    let item = office.source.items(&queue()).remove(0).item;
    for copies in 1..=2 {
        let moved = office
            .source
            .move_to(&from, std::slice::from_ref(&item), &to)
            .await;
        assert!(matches!(moved.unwrap()[..], [Moved::Done(Some(_))]));
        assert_eq!(office.count(&storage()), copies);
    }
}

#[tokio::test]
async fn recovery_makes_no_copy_where_old_ids_stay_usable() {
    let faults: [fn() -> SourceFault; 3] = [
        || SourceFault::LostReply(error(&codes::HTTP_TIMEOUT)),
        || SourceFault::Partial(1, error(&codes::HTTP_CLOSED)),
        || SourceFault::Error(error(&codes::HTTP_CONNECT)),
    ];
    for fault in faults {
        for nth in 1..=4 {
            let office = loaded().await;
            let office = office.with_source(MemorySource::with_lasting_ids);
            office
                .source
                .fail_call(SourceOperation::MoveTo, nth, fault());
            // The last batch has one item alone: then the fault hits nothing.
            let _ = office.run().await;
            office.clock.advance(Duration::from_hours(1));
            office.run().await.unwrap();
            office.assert_offers(MAILS).await;
            assert_eq!(office.count(&storage()), MAILS as usize, "no copy");
        }
    }
}

/// The request of a worker that lost its mailbox arrives after another one has finished its move.
#[tokio::test]
async fn a_late_move_of_a_stale_worker_makes_one_copy_at_most_and_no_entry() {
    for lasting in [false, true] {
        let office = loaded().await;
        let office = office.with_source(|source| {
            if lasting {
                source.with_lasting_ids()
            } else {
                source
            }
        });
        let late: Vec<_> = office.source.items(&queue()).into_iter().take(2).collect();
        let lost = SourceFault::Error(error(&codes::HTTP_TIMEOUT));
        office.source.fail_next(SourceOperation::MoveTo, lost);
        office.run().await.unwrap_err();
        office.run().await.unwrap();
        let open = async |path| office.source.open_folder(&path).await.unwrap();
        let (from, to) = (open(queue().into()).await, open(storage().into()).await);
        let items: Vec<_> = late.iter().map(|it| it.item.clone()).collect();
        office.source.move_to(&from, &items, &to).await.unwrap();
        let copies = if lasting { 2 } else { 0 };
        assert_eq!(office.count(&storage()), MAILS as usize + copies);
        let report = office.run().await.unwrap();
        assert_eq!((report.fetched, report.entries), (0, 0));
        office.assert_offers(MAILS).await;
    }
}

#[tokio::test]
async fn a_result_that_is_written_twice_counts_once() {
    let office = loaded().await;
    let lost = SourceFault::LostReply(error(&codes::HTTP_TIMEOUT));
    office.source.fail_next(SourceOperation::MoveTo, lost);
    office.run().await.unwrap_err();
    let (scope, mailbox) = (Scope::default(), "queue".into());
    let pending = office
        .store
        .pending_moves(&scope, &mailbox, Timestamp::MAX, 10);
    let planned = pending.await.unwrap().remove(0);
    let other = "other".into();
    let ttl = Duration::from_mins(5);
    let held = office.store.acquire(&scope, &mailbox, &other, ttl).await;
    let Ok(Acquired::Held(lease)) = held else {
        panic!("{held:?}")
    };
    let mut events = Vec::new();
    for _ in 0..3 {
        let outcome = MoveOutcome::DuplicateCopy(None);
        let result = MoveResult::new(planned.key.clone(), planned.item.clone(), outcome);
        let mut batch = CommitBatch::default();
        batch.moves = vec![result];
        office.store.commit(&scope, &lease, batch).await.unwrap();
        let told = office.store.read_events(&scope, "test", 100).await.unwrap();
        events.push(told.len());
    }
    assert_eq!(events, [events[0]; 3]);
}

/// Runs on a file that was spoiled: the store says so, nothing moves, and the sound file goes on.
async fn stops_on(spoil: impl Fn(&mut Vec<u8>)) {
    let office = loaded().await;
    office.run().await.unwrap();
    let file = office.back_up("spoiled.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    spoil(&mut bytes);
    std::fs::write(&file, bytes).unwrap();
    office.deliver_numbers(MAILS..MAILS + 2);
    let moves = office.source.count(SourceOperation::MoveTo);
    let kind = match email_logging::store::SqliteStore::open(&file) {
        Err(refused) => refused.kind(),
        Ok(store) => {
            let logger = office.builder_on(Arc::new(store)).build().unwrap();
            logger.run_once().await.unwrap_err().error.kind()
        }
    };
    assert_eq!(kind, ErrorKind::StoreUnavailable);
    assert_eq!(office.source.count(SourceOperation::MoveTo), moves);
    assert_eq!(office.count(&queue()), 2);
    office.run().await.unwrap();
    office.assert_offers(MAILS + 2).await;
}

#[tokio::test]
async fn a_log_that_is_damaged_stops_the_run_and_moves_nothing() {
    // Every page but the first, which says what the file is.
    stops_on(|bytes| bytes[4096..].fill(0x5a)).await;
}

/// A file whose "file format write version" is above 2 can only be read (SQLite, "Database File Format", 1.3.3).
#[tokio::test]
async fn a_log_that_can_only_be_read_stops_the_run_and_moves_nothing() {
    stops_on(|bytes| bytes[18] = 3).await;
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_the_run_and_moves_nothing() {
    let full = email_logging::store::SqliteOptions::default();
    let place = Office::new().await;
    let (file, office) = (place.path("full.sqlite"), &place);
    drop(open(&file, &office.clock).await);
    let office = Office::new().await;
    let large = "x".repeat(2 << 20);
    office.deliver(mail(
        "ada@contacts.example",
        "Large",
        "l@x.example",
        &format!("\r\n{large}"),
    ));
    office.deliver_numbers(1..MAILS);
    let size = std::fs::metadata(&file).unwrap().len();
    let store = email_logging::store::SqliteStore::open_with(&file, full.with_max_bytes(size));
    let logger = office.builder_on(Arc::new(store.unwrap())).build().unwrap();
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::StoreUnavailable);
    assert_eq!(office.source.count(SourceOperation::MoveTo), 0);
    assert_eq!(office.places(), [MAILS as usize, 0, 0]);
    for code in [
        &codes::STORE_UNAVAILABLE,
        &codes::STORE_FULL,
        &codes::STORE_CORRUPT,
    ] {
        let store = Arc::new(MemoryStore::new());
        store.fail_call(StoreOperation::Commit, 1, error(code));
        let logger = office.builder_on(store).build().unwrap();
        let failed = logger.run_once().await.unwrap_err();
        assert_eq!(failed.error.code(), code.code);
        assert_eq!(office.source.count(SourceOperation::MoveTo), 0);
    }
}

#[tokio::test]
async fn mail_that_people_move_copy_and_delete_between_commit_and_move_is_settled() {
    let office = loaded().await;
    for _ in 0..4 {
        let lost = SourceFault::Error(error(&codes::HTTP_CONNECT));
        office.source.fail_next(SourceOperation::MoveTo, lost);
    }
    office.run().await.unwrap_err();
    let items = office.source.items(&queue());
    office
        .source
        .move_by_hand(&items[0].item, &storage())
        .unwrap();
    office
        .source
        .copy_by_hand(&items[1].item, &storage())
        .unwrap();
    assert!(office.source.take_away(&items[2].item));
    let aside = folder("Elsewhere");
    office.source.move_by_hand(&items[3].item, &aside).unwrap();
    office.clock.advance(Duration::from_hours(1));
    let report = office.run().await.unwrap();
    assert_eq!(report.vanished, 2, "{report:?}");
    office.run().await.unwrap();
    assert_eq!(office.count(&queue()), 0);
    let expected: Vec<_> = (0..MAILS).map(crate::office::subject).collect();
    assert_eq!(subjects(office.store.as_ref()).await, expected);
    assert_eq!(office.count(&aside), 1, "nobody touches it");
}

#[tokio::test]
async fn a_storage_folder_that_is_gone_keeps_the_mail_and_is_found_again() {
    let office = loaded().await;
    let gone = SourceFault::Error(error(&codes::SOURCE_FOLDER_NOT_FOUND));
    office.source.fail_next(SourceOperation::MoveTo, gone);
    let logger = office.logger();
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::MovingMessages);
    let other = folder("Renamed");
    assert!(office.source.rename_folder(&storage(), other.clone()));
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::OpeningStorageFolder);
    assert!(office.source.rename_folder(&other, storage()));
    logger.run_once().await.unwrap();
    office.assert_offers(MAILS).await;
}

#[tokio::test]
async fn a_clock_that_jumps_a_day_loses_nothing_and_logs_nothing_twice() {
    let day = SignedDuration::from_hours(24);
    for jumps in [[1, -1, -1, 1], [-1, 1, 1, -1], [-1, -1, 1, 1]] {
        let office = loaded().await;
        for jump in jumps {
            let lost = SourceFault::LostReply(error(&codes::HTTP_TIMEOUT));
            office.source.fail_next(SourceOperation::MoveTo, lost);
            let _ = office.run().await;
            let now = office.clock.now().checked_add(day * jump).unwrap();
            office.clock.set(now);
        }
        office.clock.advance(Duration::from_hours(72));
        office.run().await.unwrap();
        office.assert_offers(MAILS).await;
        assert_eq!(office.count(&storage()), MAILS as usize);
    }
}

#[tokio::test]
async fn the_hour_that_comes_twice_changes_no_entry() {
    let mut told = Vec::new();
    // Before, within and after the hour in which clocks in Europe are set back.
    for start in [
        "2026-10-24T12:00:00Z",
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:30:00Z",
    ] {
        let office = Office::new().await;
        office.clock.set(start.parse().unwrap());
        office.deliver_numbers(0..2);
        let headers = "X-Local: Sun, 25 Oct 2026 02:30:00 +0200\r\n";
        office.deliver(mail("ada@contacts.example", "Hour", "h@x.example", headers));
        office.run().await.unwrap();
        let filter = LogFilter::default();
        let page = office
            .store
            .mails(&Scope::default(), &filter, None, 10)
            .await;
        let sent: Vec<_> = page
            .unwrap()
            .rows
            .into_iter()
            .map(|it| it.record.sent)
            .collect();
        told.push((everything(office.store.as_ref()).await, sent));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[1], told[2]);
}

/// The same mailbox through another kind of source, which has other keys for the same mail.
#[tokio::test]
async fn a_mailbox_that_moves_to_another_kind_of_source_is_logged_once() {
    let office = loaded().await;
    office.run().await.unwrap();
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.locate) = (false, false);
    let office = office.with_source(|source| source.with_capabilities(capabilities));
    for number in 0..2 {
        let facts = MailFacts::default();
        office.source.deliver(&queue(), offer(number), facts);
    }
    office.deliver_numbers(MAILS..MAILS + 1);
    let report = office.run().await.unwrap();
    assert_eq!((report.logged, report.already_logged), (1, 2), "{report:?}");
    office.assert_offers(MAILS + 1).await;
}
