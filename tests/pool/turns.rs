//! Whose turn it is: fairness, bounds, drain, mailboxes that come and go, and several pools.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::error::codes;
use email_logging::logger::{ConnectionBudget, LoggerPool, MailboxState, PoolSettings};
use email_logging::message::MailFacts;
use email_logging::source::{FolderSelector, MailSource};
use email_logging::store::{
    Acquired, HostReference, InteractionLog as _, InteractionSink, LogFilter, MailLedger as _,
    SinkDelivery,
};
use email_logging::testkit::clock::SeededEntropy;
use email_logging::{Result, Scope};
use tokio::sync::oneshot;

use crate::office::{Office, error, offer, queue, storage};
use crate::yard::{Line, Told, Yard, minutes, named, settle};

fn settings() -> PoolSettings {
    PoolSettings::default()
}

fn order(told: &[Told]) -> Vec<&str> {
    told.iter().map(|(name, _)| name.as_str()).collect()
}

async fn logged(yard: &Yard) -> Vec<String> {
    let page = yard
        .store
        .mails(&Scope::default(), &LogFilter::default(), None, 10_000)
        .await;
    let mut subjects: Vec<_> = page
        .unwrap()
        .rows
        .into_iter()
        .flat_map(|mail| std::iter::repeat_n(mail.record.subject, mail.entries.len()))
        .collect();
    subjects.sort();
    subjects
}

#[test]
fn full_mailboxes_take_turns_and_delay_nobody() {
    let mut yard = Yard::new();
    let mut settings = settings();
    (settings.turn, settings.runs) = (10, 1);
    let pool = yard.pool(settings);
    for (name, mails) in [("a", 35), ("b", 3), ("c", 12), ("d", 0)] {
        pool.add(yard.mailbox(name, mails)).unwrap();
    }
    minutes(&yard, &pool, 1, |_| {});
    let told = yard.told();
    assert_eq!(
        order(&told),
        ["a", "b", "c", "d", "a", "c", "a", "a"],
        "each has its turn before anybody has the next"
    );
    let counts: Vec<_> = told.iter().map(|(_, logged)| logged.unwrap()).collect();
    assert_eq!(counts, [10, 3, 10, 0, 10, 2, 10, 5]);
}

/// A host's log that refuses one mail for good.
#[derive(Debug)]
struct Picky;

#[async_trait]
impl InteractionSink for Picky {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        if delivery.record.subject == "a 3" {
            return Err(error(&codes::SINK_FAILED));
        }
        Ok(Vec::new())
    }
}

#[test]
fn a_mail_that_the_hosts_log_refuses_delays_no_other() {
    let mut yard = Yard::new();
    let mut settings = settings();
    (settings.turn, settings.runs) = (10, 1);
    let pool = yard.pool(settings);
    drop(yard.mailbox("a", 35));
    let builder = yard.builder("a", "worker-1").with_sink(Arc::new(Picky));
    pool.add(builder.build().unwrap()).unwrap();
    let begun = yard.clock.now();
    minutes(&yard, &pool, 1, |_| {});
    let told = yard.told();
    assert_eq!(order(&told), ["a"; 4], "a full mailbox goes on at once");
    assert!(told.iter().all(|(_, result)| *result == Err("sink.failed")));
    assert_eq!(yard.stored("a"), 34);
    let health = pool.health().mailboxes[0].clone();
    assert_eq!(health.last_failure.unwrap().code, "sink.failed");
    assert_eq!(
        (health.failed_in_a_row, health.last_success),
        (0, Some(begun))
    );
    assert_eq!(health.queued, Some(1), "the refused one is still seen");
    // The next outage is the first, and is tried again as soon as that.
    yard.fail("a", Some(|| error(&codes::HTTP_CONNECT)));
    minutes(&yard, &pool, 10, |_| {});
    assert_eq!(pool.health().mailboxes[0].failed_in_a_row, 1);
}

#[test]
fn a_mailbox_has_its_next_turn_when_its_time_has_come() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    pool.add(yard.mailbox("a", 1)).unwrap();
    let mut turns = Vec::new();
    let told = Arc::clone(&yard.told);
    minutes(&yard, &pool, 25, |minute| {
        turns.extend(told.lock().unwrap().drain(..).map(|_| minute));
    });
    assert_eq!(turns, [0, 10, 20]);
}

#[test]
fn the_bounds_on_connections_are_reached_and_never_exceeded() {
    for (total, per_mailbox, expected) in [(3, 2, [3, 2]), (1, 4, [1, 1]), (100, 2, [12, 2])] {
        let mut yard = Yard::new();
        let mut settings = settings();
        (settings.connections, settings.connections_per_mailbox) = (total, per_mailbox);
        let pool = yard.pool(settings);
        for number in 0..6 {
            let name = format!("m{number}");
            let logger = yard.mailbox(&name, 40);
            pool.add(logger).unwrap();
        }
        minutes(&yard, &pool, 1, |_| {});
        let own = yard.mailboxes.values().map(|it| it.own.most()).max();
        assert_eq!([yard.all.most(), own.unwrap()], expected);
        assert_eq!(pool.health().connections, 0);
        assert!(yard.mailboxes.keys().all(|name| yard.stored(name) == 40));
    }
}

#[test]
fn pools_may_share_a_budget() {
    let mut yard = Yard::new();
    let budget = ConnectionBudget::new(2, 2);
    let pools: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|name| {
            let pool = LoggerPool::with_budget(settings(), budget.clone());
            let pool = pool.with_clock(
                Arc::new(yard.clock.clone()),
                Arc::new(SeededEntropy::new(9)),
            );
            pool.add(yard.mailbox(name, 20)).unwrap();
            pool
        })
        .collect();
    let runs = pools
        .iter()
        .map(|pool| Box::pin(pool.run(std::future::pending(), yard.tell())));
    let mut all = pin!(futures_util::future::join_all(runs));
    assert!(settle(all.as_mut()).is_none());
    assert_eq!(yard.all.most(), 2);
    assert!(yard.mailboxes.keys().all(|name| yard.stored(name) == 20));
}

#[test]
fn no_more_turns_than_allowed_are_under_way() {
    let mut yard = Yard::new();
    let mut settings = settings();
    settings.runs = 2;
    let pool = yard.pool(settings);
    for name in ["a", "b", "c", "d"] {
        pool.add(yard.mailbox(name, 5)).unwrap();
        yard.mailboxes[name].hangs.store(true, Ordering::Relaxed);
    }
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    assert!(settle(run.as_mut()).is_none());
    let running = |it: &MailboxState| matches!(it, MailboxState::Running { .. });
    let health = pool.health();
    let count = health.mailboxes.iter().filter(|it| running(&it.state));
    assert_eq!((count.count(), health.connections), (2, 2));
}

#[test]
fn a_drain_finishes_what_is_committed_and_gives_every_lease_back() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    for name in ["a", "b"] {
        pool.add(yard.mailbox(name, 60)).unwrap();
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        let _ = stopped.await;
    };
    let mut run = pin!(pool.run(shutdown, yard.tell()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while yard.stored("a") < 4 {
        assert!(run.as_mut().poll(&mut context).is_pending());
    }
    stop.send(()).unwrap();
    assert_eq!(settle(run.as_mut()), Some(()), "it ends");
    let stored = ["a", "b"].map(|name| yard.stored(name));
    assert!(stored.iter().all(|count| *count < 60), "{stored:?}");
    let entries = tokio_test(logged(&yard)).len();
    assert_eq!(
        entries,
        stored.iter().sum::<usize>(),
        "what is logged is moved"
    );
    for name in ["a", "b"] {
        let (scope, mailbox) = (Scope::default(), name.into());
        let other = "other".into();
        let taken = yard
            .store
            .acquire(&scope, &mailbox, &other, Duration::from_mins(1));
        assert!(matches!(tokio_test(taken).unwrap(), Acquired::Held(_)));
    }
    yard.clock.advance(Duration::from_hours(1));
    minutes(&yard, &pool, 1, |_| {});
    assert_eq!(
        ["a", "b"].map(|name| yard.stored(name)),
        [60, 60],
        "it can be run again"
    );
}

use std::future::Future;

fn tokio_test<F: Future>(future: F) -> F::Output {
    settle(pin!(future)).unwrap()
}

#[test]
fn a_pool_that_is_dropped_in_its_middle_is_healed_by_its_next_run() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    pool.add(yard.mailbox("a", 30)).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for polls in [1, 3, 7, 15, 31] {
        let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
        for _ in 0..polls {
            assert!(run.as_mut().poll(&mut context).is_pending());
        }
    }
    yard.clock.advance(Duration::from_hours(1));
    minutes(&yard, &pool, 1, |_| {});
    assert_eq!(
        (yard.stored("a"), tokio_test(logged(&yard)).len()),
        (30, 30)
    );
}

#[test]
fn one_broken_mailbox_never_delays_another() {
    let mut whole = Yard::new();
    let mut broken = Yard::new();
    let mut ends = Vec::new();
    for (yard, breaks) in [(&mut whole, false), (&mut broken, true)] {
        let mut settings = settings();
        (settings.turn, settings.runs) = (5, 2);
        let pool = yard.pool(settings);
        for name in ["a", "b", "c"] {
            pool.add(yard.mailbox(name, 12)).unwrap();
        }
        if breaks {
            yard.fail("b", Some(|| error(&codes::HTTP_CONNECT)));
        }
        let told = Arc::clone(&yard.told);
        let mut times = Vec::new();
        minutes(yard, &pool, 180, |minute| {
            let turns = std::mem::take(&mut *told.lock().unwrap());
            times.extend(
                turns
                    .into_iter()
                    .map(|(name, logged)| (minute, name, logged)),
            );
        });
        ends.push(times);
    }
    let of = |times: &[(u32, String, _)], name: &str| -> Vec<(u32, Result<u64, &'static str>)> {
        let mine = times.iter().filter(|(_, of, _)| of == name);
        mine.map(|(minute, _, logged)| (*minute, *logged)).collect()
    };
    for name in ["a", "c"] {
        assert_eq!(of(&ends[0], name), of(&ends[1], name), "{name}");
    }
    let failed = of(&ends[1], "b");
    assert!(
        failed
            .iter()
            .all(|(_, logged)| *logged == Err("http.connect"))
    );
    let waits: Vec<u32> = failed
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect();
    let bounds = [
        (1, 2),
        (2, 3),
        (4, 5),
        (8, 10),
        (16, 20),
        (32, 40),
        (60, 75),
    ];
    assert!(waits.len() >= 5, "{waits:?}");
    for (wait, (least, most)) in waits.iter().zip(bounds) {
        assert!((least..=most).contains(wait), "{waits:?}");
    }
}

#[test]
fn a_mailbox_that_hangs_holds_its_own_connections_alone() {
    let mut yard = Yard::new();
    let mut settings = settings();
    (settings.connections, settings.connections_per_mailbox) = (3, 2);
    let pool = yard.pool(settings);
    for name in ["a", "b", "c"] {
        pool.add(yard.mailbox(name, 10)).unwrap();
    }
    yard.mailboxes["a"].hangs.store(true, Ordering::Relaxed);
    minutes(&yard, &pool, 30, |_| {});
    assert_eq!(["a", "b", "c"].map(|name| yard.stored(name)), [0, 10, 10]);
}

#[test]
fn throttled_mailboxes_give_their_turns_back_and_delay_nobody() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    for number in 0..20 {
        let name = format!("a{number:02}");
        pool.add(yard.mailbox(&name, 10)).unwrap();
        let asks = &yard.mailboxes[&name].asks;
        *asks.lock().unwrap() = Some(Duration::from_mins(3));
    }
    pool.add(yard.mailbox("z", 10)).unwrap();
    let mut stored = Vec::new();
    minutes(&yard, &pool, 2, |_| stored.push(yard.stored("z")));
    assert_eq!(stored, [10, 10], "in its first minute");
    for mailbox in &pool.health().mailboxes {
        match &mailbox.state {
            MailboxState::Waiting { .. } => assert_eq!(mailbox.mailbox.mailbox.as_str(), "z"),
            MailboxState::BackingOff { until } => {
                let left = until.duration_since(yard.clock.now()).as_secs();
                assert_eq!(left, 60, "as long as the server asked for");
            }
            other => panic!("{other:?}"),
        }
    }
    for mailbox in yard.mailboxes.values() {
        *mailbox.asks.lock().unwrap() = None;
    }
    minutes(&yard, &pool, 2, |_| {});
    assert!(yard.mailboxes.keys().all(|name| yard.stored(name) == 10));
}

#[test]
fn a_mailbox_that_is_throttled_again_and_again_waits_no_longer_than_it_is_asked_to() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    pool.add(yard.mailbox("a", 1)).unwrap();
    *yard.mailboxes["a"].asks.lock().unwrap() = Some(Duration::from_mins(2));
    minutes(&yard, &pool, 60, |_| {});
    assert_eq!(yard.told().len(), 31);
}

#[test]
fn mailboxes_that_have_to_wait_at_every_call_delay_nobody_and_get_on() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    for number in 0..8 {
        let name = format!("a{number}");
        pool.add(yard.mailbox(&name, 10)).unwrap();
        let mailbox = &yard.mailboxes[&name];
        *mailbox.asks.lock().unwrap() = Some(Duration::from_secs(10));
        mailbox.relents.store(true, Ordering::Relaxed);
    }
    pool.add(yard.mailbox("z", 10)).unwrap();
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    let mut well_after = None;
    for second in (0..2_400).step_by(5) {
        assert!(settle(run.as_mut()).is_none());
        if yard.stored("z") == 10 {
            well_after.get_or_insert(second);
        }
        yard.clock.advance(Duration::from_secs(5));
    }
    assert_eq!(well_after, Some(10), "once each of the others has waited");
    for name in yard.mailboxes.keys() {
        assert_eq!(yard.stored(name), 10, "{name}");
    }
    assert_eq!(tokio_test(logged(&yard)).len(), 90);
}

#[test]
fn the_waits_of_a_source_are_bounded_in_its_turns_alone() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    let a = pool.add(yard.mailbox("a", 1)).unwrap();
    *yard.mailboxes["a"].asks.lock().unwrap() = Some(Duration::from_secs(10));
    let folder = FolderSelector::Path(queue());
    let source = Line(Arc::clone(&yard.mailboxes["a"]));
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    assert!(settle(run.as_mut()).is_none());
    assert_eq!(source.may_still_wait(), Duration::from_secs(5));
    yard.clock.advance(Duration::from_secs(10));
    assert!(settle(run.as_mut()).is_none());
    assert_eq!(order(&yard.told()), ["a"], "its turn is over");
    assert_eq!(source.may_still_wait(), Duration::MAX);
    assert!(pool.remove(&a));
    yard.mailboxes["a"].relents.store(true, Ordering::Relaxed);
    let mut call = pin!(source.open_folder(&folder));
    assert!(settle(call.as_mut()).is_none());
    yard.clock.advance(Duration::from_secs(10));
    assert!(settle(call).unwrap().is_ok());
}

#[test]
fn a_short_wait_is_part_of_the_turn() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    pool.add(yard.mailbox("a", 1)).unwrap();
    *yard.mailboxes["a"].asks.lock().unwrap() = Some(Duration::from_secs(15));
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    assert!(settle(run.as_mut()).is_none());
    let asked = |pool: &LoggerPool| pool.health().mailboxes[0].asked_to_wait;
    assert_eq!(asked(&pool), Some(Duration::from_secs(15)));
    *yard.mailboxes["a"].asks.lock().unwrap() = None;
    assert_eq!(asked(&pool), None);
    yard.clock.advance(Duration::from_secs(15));
    assert!(settle(run.as_mut()).is_none());
    assert_eq!((yard.told().len(), yard.stored("a")), (1, 1));
}

#[test]
fn pools_on_one_budget_have_one_share_for_a_mailbox() {
    let mut yard = Yard::new();
    for name in ["a", "b"] {
        drop(yard.mailbox(name, 1));
    }
    let budget = ConnectionBudget::new(100, 2);
    let line = |name: &str| Arc::new(Line(Arc::clone(&yard.mailboxes[name])));
    let first = budget.bound_to(&named("a"), line("a"));
    let second = budget.clone().bound_to(&named("a"), line("a"));
    let other = budget.bound_to(&named("b"), line("b"));
    let folder = FolderSelector::Path(queue());
    let sources: [&dyn MailSource; 3] = [&first, &second, &other];
    let calls = (0..12).map(|call| sources[call % 3].open_folder(&folder));
    let all = futures_util::future::join_all(calls);
    let opened = settle(pin!(all)).unwrap();
    assert!(opened.iter().all(Result::is_ok));
    let most = ["a", "b"].map(|name| yard.mailboxes[name].own.most());
    assert_eq!((most, yard.all.most()), ([2, 2], 4));
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn the_server_says_how_long_a_mailbox_waits() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    let a = pool.add(yard.mailbox("a", 3)).unwrap();
    yard.fail(
        "a",
        Some(|| error(&codes::EWS_THROTTLED).with_retry_after(Duration::from_mins(150))),
    );
    let calls = |yard: &Yard| yard.mailboxes["a"].calls.load(Ordering::Relaxed);
    let mut seen = Vec::new();
    minutes(&yard, &pool, 149, |minute| {
        if minute == 5 {
            assert!(pool.wake(&a), "a wake-up does not shorten it");
        }
        seen.push(calls(&yard));
    });
    seen.dedup();
    assert_eq!(seen, [1]);
    yard.fail("a", None);
    minutes(&yard, &pool, 2, |_| {});
    assert_eq!(yard.stored("a"), 3);
}

#[test]
fn mailboxes_come_and_go_while_the_pool_runs() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    let a = pool.add(yard.mailbox("a", 4)).unwrap();
    let logger = yard.mailbox("b", 5);
    let again = yard.logger("b", "worker-1");
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    settle(run.as_mut());
    let b = pool.add(logger).unwrap();
    let twice = pool.add(again).unwrap_err();
    assert_eq!(twice.code(), "config.invalid");
    settle(run.as_mut());
    assert_eq!(["a", "b"].map(|name| yard.stored(name)), [4, 5]);
    assert!(pool.remove(&a) && !pool.remove(&a));
    for name in ["a", "b"] {
        yard.deliver(name, 10..12);
    }
    assert!(pool.wake(&b) && !pool.wake(&a));
    settle(run.as_mut());
    assert_eq!(["a", "b"].map(|name| yard.stored(name)), [4, 7]);
    assert!(pool.logger(&a).is_none() && pool.logger(&b).is_some());
    assert_eq!(pool.health().mailboxes.len(), 1);
}

#[test]
fn a_mailbox_that_is_removed_in_its_turn_drains_first() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    let a = pool.add(yard.mailbox("a", 60)).unwrap();
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while yard.stored("a") < 4 {
        assert!(run.as_mut().poll(&mut context).is_pending());
    }
    assert!(pool.remove(&a));
    assert_eq!(pool.health().mailboxes[0].state, MailboxState::Leaving);
    settle(run.as_mut());
    assert!(pool.health().mailboxes.is_empty());
    let stored = yard.stored("a");
    assert!(stored < 60, "{stored}");
    assert_eq!(tokio_test(logged(&yard)).len(), stored);
}

#[test]
fn a_wake_up_during_a_turn_gives_another_one() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    let a = pool.add(yard.mailbox("a", 20)).unwrap();
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while yard.stored("a") < 4 {
        assert!(run.as_mut().poll(&mut context).is_pending());
    }
    pool.wake(&a);
    settle(run.as_mut());
    assert_eq!(order(&yard.told()), ["a", "a"]);
}

/// Two pools in one process, over one store: as two processes are.
#[test]
fn two_pools_on_one_store_share_the_work_and_log_nothing_twice() {
    let mut yard = Yard::new();
    for name in ["a", "b", "c"] {
        yard.mailbox(name, 25);
    }
    let mut settings = settings();
    (settings.turn, settings.busy_after) = (7, Duration::from_secs(30));
    let pools = ["one", "two"].map(|worker| {
        let pool = yard.pool(settings.clone());
        for name in ["a", "b", "c"] {
            pool.add(yard.logger(name, worker)).unwrap();
        }
        pool
    });
    let runs = pools
        .iter()
        .map(|pool| Box::pin(pool.run(std::future::pending(), yard.tell())));
    let mut all = pin!(futures_util::future::join_all(runs));
    for _ in 0..30 {
        assert!(settle(all.as_mut()).is_none());
        yard.clock.advance(Duration::from_mins(1));
    }
    for name in ["a", "b", "c"] {
        assert_eq!(yard.stored(name), 25);
    }
    let subjects = tokio_test(logged(&yard));
    let mut distinct = subjects.clone();
    distinct.dedup();
    assert_eq!((subjects.len(), distinct.len()), (75, 75));
}

/// The same on a SQLite file, with a handle per pool, in real threads of a runtime.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_pools_on_one_sqlite_file_log_nothing_twice() {
    let office = Office::new().await;
    for number in 0..60 {
        office
            .source
            .deliver(&queue(), offer(number), MailFacts::default());
    }
    let run = async |worker: &'static str| {
        let store = crate::office::open(&office.path("log.sqlite"), &office.clock).await;
        let mut settings = settings();
        (settings.turn, settings.every) = (10, Duration::ZERO);
        let pool = LoggerPool::new(settings).with_clock(
            Arc::new(office.clock.clone()),
            Arc::new(SeededEntropy::new(9)),
        );
        let builder = office.builder_on(store).with_worker(worker);
        pool.add(builder.build().unwrap()).unwrap();
        let source = office.source.clone();
        let clock = office.clock.clone();
        let emptied = async move {
            while !source.items(&queue()).is_empty() {
                clock.advance(Duration::from_secs(30));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let mut turns = 0;
        let told = |_: &_, result: &Result<email_logging::logger::RunReport, _>| {
            turns += usize::from(result.as_ref().is_ok_and(|it| it.skipped.is_none()));
        };
        tokio::time::timeout(Duration::from_mins(1), pool.run(emptied, told))
            .await
            .expect("it ends");
        turns
    };
    let (one, two) = tokio::join!(run("one"), run("two"));
    assert!(one + two >= 6, "{one} and {two} turns");
    office.clock.advance(Duration::from_hours(1));
    office.run().await.unwrap();
    office.assert_offers(60).await;
    assert_eq!(office.count(&storage()), 60);
}

#[test]
fn a_pool_in_another_process_waits_for_what_the_first_was_told() {
    let mut yard = Yard::new();
    let first = yard.pool(settings());
    first.add(yard.mailbox("a", 3)).unwrap();
    let second = yard.pool(settings());
    second.add(yard.logger("a", "worker-2")).unwrap();
    yard.fail(
        "a",
        Some(|| error(&codes::EWS_THROTTLED).with_retry_after(Duration::from_mins(30))),
    );
    minutes(&yard, &first, 1, |_| {});
    yard.fail("a", None);
    let calls = || yard.mailboxes["a"].calls.load(Ordering::Relaxed);
    assert_eq!(calls(), 1);
    let asked = |pool: &LoggerPool| pool.health().mailboxes[0].asked_to_wait;
    let mut left = Vec::new();
    minutes(&yard, &second, 28, |_| {
        assert_eq!(asked(&first), asked(&second));
        left.extend(asked(&second));
    });
    let expected: Vec<_> = (2..30).rev().map(Duration::from_mins).collect();
    assert_eq!((calls(), left), (1, expected), "nothing is asked meanwhile");
    assert_eq!(order(&yard.told()), ["a", "a"], "one turn of each");
    minutes(&yard, &second, 2, |_| {});
    assert_eq!((yard.stored("a"), asked(&second)), (3, None));
    assert!(second.health().is_well());
}

#[test]
fn a_mailbox_whose_host_panics_backs_off_and_the_others_go_on() {
    let mut yard = Yard::new();
    let pool = yard.pool(settings());
    for name in ["a", "b"] {
        pool.add(yard.mailbox(name, 2)).unwrap();
    }
    yard.fail("a", Some(|| panic!("what a mail holds")));
    minutes(&yard, &pool, 1, |_| {});
    let mut told = yard.told();
    told.sort();
    let panicked = Err("contract.panic");
    assert_eq!(told[0], ("a".into(), panicked));
    assert_eq!(told.last(), Some(&("b".into(), Ok(2))));
    let health = pool.health();
    assert!(!format!("{health:?}").contains("what a mail holds"));
    let [a, b] = health.mailboxes.try_into().unwrap();
    let backs_off = matches!(a.state, MailboxState::BackingOff { .. });
    assert!(backs_off && a.failed_in_a_row > 0, "{a:?}");
    assert_eq!(a.last_failure.unwrap().code, "contract.panic");
    assert_eq!(b.failed_in_a_row, 0);
    yard.deliver("b", 2..3);
    minutes(&yard, &pool, 20, |_| {});
    let failures = yard.told().iter().filter(|it| it.1 == panicked).count();
    assert!(
        failures < 10,
        "it backs off: {failures} turns in 20 minutes"
    );
    assert_eq!(yard.stored("b"), 3);
    yard.fail("a", None);
    minutes(&yard, &pool, 60, |_| {});
    assert_eq!(yard.stored("a"), 2);
}
