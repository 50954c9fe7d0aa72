//! Moves that an earlier run planned: what is looked for, what is tried again, and when a run gives up.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::decision::LoggingPolicy;
use email_logging::error::{Code, codes};
use email_logging::logger::{RunSettings, RunStep};
use email_logging::message::{FactAddress, MailFacts};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{ItemRef, MemorySource, SourceCapabilities};
use email_logging::store::{
    CanceledEntries as _, Deletion, EventFeed as _, InteractionLog as _, LogFilter,
    MailLedger as _, PendingMove, StoreOperation,
};
use email_logging::testkit::clock::ManualClock;
use email_logging::{EmailLogger, Error, MailboxKey, Scope};
use jiff::{SignedDuration, Timestamp};

use crate::bench::{Bench, mail, numbered, quarantine, queue, storage};
use crate::meddled::{BeforeMove, Meddled, Meddling};

async fn events(bench: &Bench) -> usize {
    let scope = Scope::default();
    let events = bench.store.read_events(&scope, "test", 100).await;
    events.unwrap().len()
}

/// How many seconds the only move that is planned has to wait.
async fn wait(bench: &Bench) -> i64 {
    let (scope, due) = (Scope::default(), Timestamp::MAX);
    let mailbox = MailboxKey::from("queue");
    let pending = bench.store.pending_moves(&scope, &mailbox, due, 10).await;
    let [planned] = <[PendingMove; 1]>::try_from(pending.unwrap()).unwrap();
    let wait = planned.next_try.unwrap().duration_since(bench.clock.now());
    wait.as_secs()
}

fn move_fails(bench: &Bench, nth: u64, fault: SourceFault) {
    let made = bench.source.count(SourceOperation::MoveTo) as u64;
    let operation = SourceOperation::MoveTo;
    bench.source.fail_call(operation, made + nth, fault);
}

/// A bench with so many moves to recover.
async fn waiting(moves: u32) -> Bench {
    let bench = Bench::new();
    for number in 0..moves {
        bench.deliver_numbers(number..number + 1);
        let failed = Error::new(&codes::HTTP_TIMEOUT, "move_to");
        move_fails(&bench, 1, SourceFault::ItemFailed(0, failed));
        let report = bench.run().await.unwrap();
        assert_eq!((report.recovered, report.moves_pending), (0, 1));
    }
    bench.clock.advance(Duration::from_hours(1));
    bench
}

/// Whatever moves, the clock leaps after it by so many hours.
struct Leap(ManualClock, i64);

#[async_trait]
impl Meddling for Leap {
    async fn after_move(&self) {
        self.0
            .set(self.0.now() + SignedDuration::from_hours(self.1));
    }
}

#[tokio::test]
async fn a_clock_that_leaps_makes_no_failed_move_due_again() {
    for hours in [-49, -25, 1, 24, 25, 49, 24 * 365] {
        let bench = waiting(1).await;
        for nth in 1..=3 {
            let failed = Error::new(&codes::HTTP_TIMEOUT, "move_to");
            move_fails(&bench, nth, SourceFault::ItemFailed(0, failed));
        }
        let before = bench.source.count(SourceOperation::MoveTo);
        let meddled = Meddled {
            source: bench.source.clone(),
            meddling: Leap(bench.clock.clone(), hours),
        };
        let builder = bench.builder().with_source(Arc::new(meddled));
        let report = builder.build().unwrap().run_once().await.unwrap();
        let tried = bench.source.count(SourceOperation::MoveTo) - before;
        let seen = (report.recovered, report.moves_pending, tried);
        assert_eq!(seen, (0, 1, 1), "{hours} h");
    }
}

/// While a later move is under way the clock leaps, so that the wait of the one that failed before it is over.
#[tokio::test]
async fn a_move_that_failed_is_due_in_the_same_run_only_where_more_than_a_day_has_gone_by() {
    for (hours, moves) in [(24, 2), (25, 3)] {
        let bench = waiting(2).await;
        let failed = Error::new(&codes::HTTP_TIMEOUT, "move_to");
        move_fails(&bench, 1, SourceFault::ItemFailed(0, failed));
        let before = bench.source.count(SourceOperation::MoveTo);
        let (clock, leap) = (bench.clock.clone(), SignedDuration::from_hours(hours));
        let meddling = BeforeMove(move |source: &MemorySource, _: &[ItemRef]| {
            if source.count(SourceOperation::MoveTo) == before + 1 {
                clock.set(clock.now() + leap);
            }
            Ok(())
        });
        let source = bench.source.clone();
        let mut settings = RunSettings::default();
        settings.move_batch = 1;
        let builder = bench.builder().with_settings(settings);
        let builder = builder.with_source(Arc::new(Meddled { source, meddling }));
        let report = builder.build().unwrap().run_once().await.unwrap();
        let tried = bench.source.count(SourceOperation::MoveTo) - before;
        assert_eq!(tried, moves, "{hours} h: {report:?}");
    }
}

#[tokio::test]
async fn a_server_that_asks_for_more_than_a_day_is_left_alone_for_a_day() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let busy = Error::new(&codes::HTTP_TIMEOUT, "move_to");
    let busy = busy.with_retry_after(Duration::from_hours(36));
    move_fails(&bench, 1, SourceFault::ItemFailed(0, busy));
    assert_eq!(bench.run().await.unwrap().moves_pending, 1);
    assert_eq!(wait(&bench).await, 24 * 3_600);
}

#[tokio::test]
async fn what_failed_under_a_clock_that_ran_ahead_is_tried_once_it_is_put_right() {
    let bench = waiting(1).await;
    let ahead = SignedDuration::from_hours(24 * 365);
    let now = bench.clock.now();
    bench.clock.set(now + ahead);
    let failed = Error::new(&codes::HTTP_TIMEOUT, "move_to");
    move_fails(&bench, 1, SourceFault::ItemFailed(0, failed));
    assert_eq!(bench.run().await.unwrap().moves_pending, 1);
    bench.clock.set(now);
    let report = bench.run().await.unwrap();
    assert_eq!((report.recovered, report.moves_pending), (1, 0));
}

#[tokio::test]
async fn only_moves_that_ended_count_as_recovered() {
    let bench = waiting(2).await;
    let failed = Error::new(&codes::HTTP_TIMEOUT, "move_to");
    move_fails(&bench, 1, SourceFault::ItemFailed(1, failed));
    let report = bench.run().await.unwrap();
    assert_eq!((report.recovered, report.moves_pending), (1, 1));
    bench.clock.advance(Duration::from_hours(1));
    bench.run().await.unwrap();
    bench.assert_all_stored_and_logged_once(2).await;
}

/// The code that ends a run whose first moves fail with these, one each, and how many moves it tried.
async fn ends(moves: u32, errors: &[&'static Code]) -> (&'static str, usize) {
    let bench = waiting(moves).await;
    let before = bench.source.count(SourceOperation::MoveTo);
    for (nth, code) in (1..).zip(errors) {
        let fault = SourceFault::Error(Error::new(code, "move_to"));
        move_fails(&bench, nth, fault);
    }
    let code = match bench.run().await {
        Ok(_) => "",
        Err(failed) => failed.error.code(),
    };
    (code, bench.source.count(SourceOperation::MoveTo) - before)
}

#[tokio::test]
async fn recovery_goes_on_item_by_item_only_where_one_item_may_be_the_trouble() {
    let (auth, late) = (&codes::OAUTH_SECRET_WRONG, &codes::HTTP_TIMEOUT);
    assert_eq!(ends(3, &[auth]).await, (auth.code, 1));
    assert_eq!(ends(3, &[late, auth]).await, (auth.code, 2));
    assert_eq!(ends(3, &[late, late]).await, ("", 4));
    assert_eq!(ends(6, &[late; 9]).await, (late.code, 3));
}

#[tokio::test]
async fn two_that_cannot_be_moved_end_one_run_and_hold_up_nothing_in_the_next() {
    let bench = waiting(4).await;
    let all = bench.source.items(&queue());
    let stuck: Vec<ItemRef> = all[..2].iter().map(|it| it.item.clone()).collect();
    let fails = move |_: &MemorySource, items: &[ItemRef]| {
        let fails = items.iter().any(|item| stuck.contains(item));
        let late = || Error::new(&codes::HTTP_TIMEOUT, "move_to");
        if fails { Err(late()) } else { Ok(()) }
    };
    let source = Arc::new(Meddled {
        source: bench.source.clone(),
        meddling: BeforeMove(fails),
    });
    let logger = bench.builder().with_source(source).build().unwrap();
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::Recovering);
    assert_eq!(failed.report.moves_pending, 2, "{failed:?}");
    bench.deliver_numbers(4..5);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.recovered), (1, 2), "{report:?}");
    assert_eq!((bench.queued(), bench.stored()), (2, 3));
}

#[tokio::test]
async fn recovery_tells_the_host_unless_events_are_off() {
    for (on, expected) in [(true, 1), (false, 0)] {
        let bench = Bench::new();
        bench.deliver_numbers(0..1);
        let refused = Error::new(&codes::HTTP_TIMEOUT, "move_to");
        let fault = SourceFault::ItemFailed(0, refused);
        bench.source.fail_next(SourceOperation::MoveTo, fault);
        bench.run().await.unwrap();
        let item = bench.source.items(&queue()).remove(0).item;
        assert!(bench.source.take_away(&item));
        bench.clock.advance(Duration::from_mins(1));
        let before = events(&bench).await;
        let settings = RunSettings::default().with_events(on);
        let report = bench.run_with(settings).await.unwrap();
        assert_eq!(report.vanished, 1, "{report:?}");
        assert_eq!(events(&bench).await - before, expected);
    }
}

#[tokio::test]
async fn a_mail_that_was_to_be_deleted_is_deleted_by_the_next_run() {
    let bench = Bench::new();
    bench.deliver(mail("no@else.example", "ah@ours.example", "S", "1@x"));
    let mut policy = LoggingPolicy::default();
    policy.delete_not_logged = true;
    let logger = bench.builder().with_policy(policy).build().unwrap();
    let busy = Error::new(&codes::HTTP_TIMEOUT, "remove");
    let fault = SourceFault::ItemFailed(0, busy);
    bench.source.fail_next(SourceOperation::Remove, fault);
    assert_eq!(logger.run_once().await.unwrap().deleted, 0);
    bench.clock.advance(Duration::from_mins(1));
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.deleted, report.recovered), (1, 1), "{report:?}");
    assert_eq!((bench.queued(), bench.source.removed().len()), (0, 1));
}

#[tokio::test]
async fn a_mail_that_can_never_be_moved_is_deleted_by_a_later_run_too_where_the_store_holds_it() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let policy = LoggingPolicy::business_central();
    let logger = bench.builder().with_policy(policy).build().unwrap();
    let lost = SourceFault::Error(Error::new(&codes::HTTP_TIMEOUT, "move_to"));
    bench.source.fail_next(SourceOperation::MoveTo, lost);
    logger.run_once().await.unwrap_err();
    bench.clock.advance(Duration::from_hours(1));
    let lasting = Error::new(&codes::EWS_ITEM_TOO_LARGE, "move_to");
    let fault = SourceFault::ItemFailed(0, lasting);
    bench.source.fail_next(SourceOperation::MoveTo, fault);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.deleted, report.recovered), (1, 1), "{report:?}");
    assert_eq!((bench.queued(), bench.source.removed().len()), (0, 1));
    assert_eq!(bench.entries().await.len(), 1);
}

/// One unreadable mail whose move to the quarantine folder is still to do.
async fn to_set_aside() -> Bench {
    let bench = Bench::new();
    bench.deliver("unreadable");
    let builder = bench.builder().with_quarantine_folder(quarantine());
    let busy = Error::new(&codes::HTTP_TIMEOUT, "move_to");
    move_fails(&bench, 1, SourceFault::ItemFailed(0, busy));
    builder.build().unwrap().run_once().await.unwrap();
    bench.clock.advance(Duration::from_mins(1));
    bench
}

#[tokio::test]
async fn a_move_to_a_folder_that_is_no_longer_configured_waits_a_day() {
    let bench = to_set_aside().await;
    let report = bench.run().await.unwrap();
    assert_eq!((report.recovered, report.moves_pending), (0, 1));
    assert_eq!(wait(&bench).await, 24 * 3_600);
}

#[tokio::test]
async fn a_move_to_a_quarantine_folder_that_is_missing_waits_as_a_failed_one() {
    let bench = to_set_aside().await;
    let renamed = r"\Email Logging\Elsewhere\".parse().unwrap();
    assert!(bench.source.rename_folder(&quarantine(), renamed));
    let builder = bench.builder().with_quarantine_folder(quarantine());
    let report = builder.build().unwrap().run_once().await.unwrap();
    assert_eq!((report.recovered, report.moves_pending), (0, 1));
    assert_eq!(wait(&bench).await, 120);
}

#[tokio::test]
async fn a_look_that_is_refused_ends_the_run() {
    let bench = waiting(1).await;
    let moves = bench.source.count(SourceOperation::MoveTo);
    let refused = Error::new(&codes::OAUTH_SECRET_WRONG, "locate");
    let fault = SourceFault::Error(refused);
    bench.source.fail_next(SourceOperation::Locate, fault);
    let failed = bench.run().await.unwrap_err();
    assert_eq!(failed.error.code(), "oauth.secret_wrong");
    assert_eq!(bench.source.count(SourceOperation::MoveTo), moves);
}

/// A run that may delete what can never be moved, over a move that an earlier one left.
async fn never_moves(bench: &Bench, mail: ItemRef, damaged: bool) -> EmailLogger {
    if damaged {
        bench.source.damage(&mail);
    }
    let policy = LoggingPolicy::business_central();
    let logger = bench.builder().with_policy(policy).build().unwrap();
    let busy = SourceFault::ItemFailed(0, Error::new(&codes::HTTP_TIMEOUT, "move_to"));
    bench.source.fail_next(SourceOperation::MoveTo, busy);
    assert_eq!(logger.run_once().await.unwrap().moves_pending, 1);
    bench.clock.advance(Duration::from_hours(1));
    let lasting = Error::new(&codes::EWS_ITEM_TOO_LARGE, "move_to");
    move_fails(bench, 1, SourceFault::ItemFailed(0, lasting));
    logger
}

fn described(bench: &Bench) -> ItemRef {
    let mut facts = MailFacts::default();
    facts.from = Some(FactAddress::smtp("ada@contacts.example"));
    facts.to = vec![FactAddress::smtp("ah@ours.example")];
    bench.source.deliver(&queue(), numbered(0), facts)
}

#[tokio::test]
async fn a_mail_of_an_earlier_run_is_deleted_only_where_the_store_is_seen_to_hold_it() {
    for (keys, damaged, deleted) in [(true, false, 1), (true, true, 0), (false, false, 0)] {
        let mut capabilities = SourceCapabilities::default();
        (capabilities.stable_keys, capabilities.locate) = (keys, keys);
        let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
        let mail = described(&bench);
        let logger = never_moves(&bench, mail, damaged).await;
        let report = logger.run_once().await.unwrap();
        let ends = (report.deleted, report.moves_pending);
        assert_eq!(ends, (deleted, 1 - deleted), "{keys} {damaged} {report:?}");
        assert_eq!(bench.source.removed().len() as u64, deleted);
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_asked_for_an_original_ends_the_run_and_nothing_is_deleted() {
    let bench = Bench::new();
    let mail = described(&bench);
    let logger = never_moves(&bench, mail, false).await;
    let outage = Error::new(&codes::STORE_UNAVAILABLE, "original");
    bench.store.fail_next(StoreOperation::Original, outage);
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.error.code(), "store.unavailable");
    assert_eq!((bench.queued(), bench.source.removed().len()), (1, 0));
}

/// With the last entry of a mail its original goes as well, and no other item of it brings that back.
#[tokio::test]
async fn another_item_of_a_mail_whose_original_was_removed_is_not_deleted() {
    let (bench, scope) = (Bench::new(), Scope::default());
    let _ = described(&bench);
    bench.run().await.unwrap();
    let all = LogFilter::default();
    for mail in bench.mails().await {
        for row in mail.entries {
            let canceled = bench.store.cancel(&scope, &row.entry.id, true);
            canceled.await.unwrap();
        }
    }
    let removed = bench.store.delete_canceled(&scope, &all, Deletion::Delete);
    assert_eq!(removed.await.unwrap().entries, 1);
    let _ = described(&bench);
    let lasting = Error::new(&codes::EWS_ITEM_TOO_LARGE, "move_to");
    move_fails(&bench, 1, SourceFault::ItemFailed(0, lasting));
    let policy = LoggingPolicy::business_central();
    let logger = bench.builder().with_policy(policy).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!(
        (report.already_logged, report.deleted),
        (1, 0),
        "{report:?}"
    );
    assert_eq!((report.moves_pending, bench.queued()), (1, 1));
    assert!(bench.source.removed().is_empty());
}

/// One or two items of one mail that were moved, of which the reply was lost.
async fn moved_without_a_reply(items: u64) -> Bench {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    for _ in 1..items {
        let item = bench.source.items(&queue()).remove(0).item;
        bench.source.copy_by_hand(&item, &queue()).unwrap();
    }
    let lost = SourceFault::LostReply(Error::new(&codes::HTTP_TIMEOUT, "move_to"));
    bench.source.fail_next(SourceOperation::MoveTo, lost);
    bench.run().await.unwrap_err();
    bench.clock.advance(Duration::from_hours(1));
    bench
}

#[tokio::test]
async fn each_plan_has_a_copy_of_its_own_and_what_lies_there_beside_the_first_is_noted() {
    for (plans, more, noted) in [(1, false, 0), (1, true, 1), (2, false, 1), (2, true, 2)] {
        let bench = moved_without_a_reply(plans).await;
        let stored = bench.source.items(&storage());
        if more {
            let copied = bench.source.copy_by_hand(&stored[0].item, &storage());
            copied.unwrap();
        }
        let report = bench.run().await.unwrap();
        assert_eq!((report.recovered, report.duplicate_copies), (plans, noted));
        let keys = [stored[0].key.clone()];
        let (scope, mailbox) = (Scope::default(), MailboxKey::from("queue"));
        let known = bench.store.known(&scope, &mailbox, &keys).await.unwrap();
        let newest = &stored[stored.len() - 1].item;
        if !more {
            assert_eq!(known[0].as_ref().unwrap().item.id, newest.id);
        }
    }
}

#[tokio::test]
async fn where_one_of_two_moved_items_was_taken_away_the_other_is_no_second_copy() {
    let bench = moved_without_a_reply(2).await;
    let [first, second] = bench.source.items(&storage()).try_into().unwrap();
    assert!(bench.source.take_away(&second.item));
    let report = bench.run().await.unwrap();
    assert_eq!((report.recovered, report.moves_pending), (2, 0));
    assert_eq!(report.duplicate_copies, 0, "{report:?}");
    let (scope, mailbox) = (Scope::default(), MailboxKey::from("queue"));
    let known = bench.store.known(&scope, &mailbox, &[first.key]).await;
    let known = known.unwrap().remove(0).unwrap();
    assert_eq!(known.item.id, first.item.id);
}
