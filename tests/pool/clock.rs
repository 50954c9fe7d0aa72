//! A clock that is set back or forth by a day while mailboxes wait for their turns.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock as _;
use email_logging::error::codes;
use email_logging::logger::{LoggerPool, MailboxState, PoolSettings};
use email_logging::source::WakeupSignal;
use jiff::SignedDuration;

use crate::office::error;
use crate::yard::{Yard, named, settle};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn shift(yard: &Yard, by: SignedDuration) {
    yard.clock.set(yard.clock.now() + by);
}

/// The minutes at whose beginning a mailbox was told of, while the pool runs on.
fn turns<F: Future<Output = ()>>(
    yard: &Yard,
    mut run: Pin<&mut F>,
    name: &str,
    minutes: u32,
    mut each: impl FnMut(u32),
) -> Vec<u32> {
    let mut turns = Vec::new();
    for minute in 0..minutes {
        each(minute);
        assert!(settle(run.as_mut()).is_none());
        let told = yard.told().into_iter().filter(|(told, _)| told == name);
        turns.extend(told.map(|_| minute));
        yard.clock.advance(Duration::from_mins(1));
    }
    turns
}

fn waits_until(pool: &LoggerPool) -> jiff::Timestamp {
    match pool.health().mailboxes[0].state {
        MailboxState::Waiting { until } | MailboxState::BackingOff { until } => until,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_mailbox_wait_longer() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 1)).unwrap();
    let run = pin!(pool.run(std::future::pending(), yard.tell()));
    let turns = turns(&yard, run, "a", 25, |minute| {
        if minute == 3 {
            shift(&yard, -DAY);
            yard.deliver("a", 1..3);
            let left = waits_until(&pool).duration_since(yard.clock.now());
            assert_eq!(left, SignedDuration::from_mins(10));
        }
    });
    assert_eq!((turns, yard.stored("a")), (vec![0, 10, 20], 3));
}

#[test]
fn a_clock_that_is_set_back_is_noticed_beside_mailboxes_that_are_woken() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 1)).unwrap();
    pool.add(yard.mailbox("b", 1)).unwrap();
    let run = pin!(pool.run(std::future::pending(), yard.tell()));
    let turns = turns(&yard, run, "a", 25, |minute| {
        if minute == 3 {
            shift(&yard, -DAY);
        }
        pool.wake(&named("b"));
    });
    assert_eq!(turns, [0, 13, 23], "its length, from the clock's step on");
}

#[test]
fn a_clock_that_is_set_back_makes_no_back_off_longer() {
    let mut yard = Yard::new();
    let mut settings = PoolSettings::default();
    settings.first_backoff = Duration::from_mins(4);
    let pool = yard.pool(settings);
    pool.add(yard.mailbox("a", 1)).unwrap();
    yard.fail("a", Some(|| error(&codes::HTTP_CONNECT)));
    let run = pin!(pool.run(std::future::pending(), yard.tell()));
    let turns = turns(&yard, run, "a", 12, |minute| {
        if minute == 2 {
            yard.fail("a", None);
            shift(&yard, -DAY);
        }
    });
    assert_eq!((turns, yard.stored("a")), (vec![0, 5], 1));
}

#[test]
fn a_hint_is_heard_under_a_clock_that_was_set_back() {
    let mut yard = Yard::new();
    let mut settings = PoolSettings::default();
    settings.hint_pause = Duration::from_mins(2);
    let pool = yard.pool(settings);
    let signal = WakeupSignal::new();
    drop(yard.mailbox("a", 1));
    let builder = yard.builder("a", "worker-1");
    let builder = builder.with_wakeup(Arc::new(signal.clone()));
    pool.add(builder.build().unwrap()).unwrap();
    let run = pin!(pool.run(std::future::pending(), yard.tell()));
    let turns = turns(&yard, run, "a", 12, |minute| {
        if minute == 1 {
            shift(&yard, -DAY);
            yard.deliver("a", 1..3);
            signal.wake();
        }
    });
    assert_eq!(turns, [0, 3], "the pause, from the hint on");
    assert_eq!(yard.stored("a"), 3);
}

#[test]
fn a_clock_that_is_set_forth_makes_every_mailbox_due() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 1)).unwrap();
    let run = pin!(pool.run(std::future::pending(), yard.tell()));
    let turns = turns(&yard, run, "a", 25, |minute| match minute {
        3 => shift(&yard, DAY),
        5 => shift(&yard, -DAY),
        _ => {}
    });
    assert_eq!(turns, [0, 3, 13, 23]);
}

#[test]
fn a_wish_that_was_waited_for_is_told_no_more_though_the_clock_is_set_back() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 1)).unwrap();
    yard.fail(
        "a",
        Some(|| error(&codes::EWS_THROTTLED).with_retry_after(Duration::from_mins(2))),
    );
    let run = pin!(pool.run(std::future::pending(), yard.tell()));
    let asked = || pool.health().mailboxes[0].asked_to_wait;
    let mut told = Vec::new();
    let turns = turns(&yard, run, "a", 5, |minute| {
        told.push(asked());
        match minute {
            1 => yard.fail("a", None),
            3 => shift(&yard, -DAY),
            _ => {}
        }
    });
    assert_eq!((turns, yard.stored("a")), (vec![0, 2], 1));
    told.push(asked());
    assert_eq!(told[1], Some(Duration::from_mins(1)));
    assert_eq!(told[2..], [None; 4]);
}
