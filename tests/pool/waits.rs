//! How long a mailbox waits after a turn that something came into: a wake-up, a hint, new credentials, or an end in its middle.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::error::codes;
use email_logging::logger::{CredentialWatch, LoggerPool, MailboxState, PoolSettings};
use email_logging::source::WakeupSignal;
use email_logging::{EmailLogger, Error, Result};

use crate::office::error;
use crate::yard::{Line, Yard, minutes, named, settle};

type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

fn running<'a>(yard: &Yard, pool: &'a LoggerPool) -> Running<'a> {
    Box::pin(pool.run(pending(), yard.tell()))
}

/// A mailbox with hints.
fn hinted(yard: &mut Yard, name: &str, mails: u32) -> (EmailLogger, WakeupSignal) {
    drop(yard.mailbox(name, mails));
    let signal = WakeupSignal::new();
    let builder = yard.builder(name, "worker-1");
    let builder = builder.with_wakeup(Arc::new(signal.clone()));
    (builder.build().unwrap(), signal)
}

fn state(pool: &LoggerPool, name: &str) -> MailboxState {
    pool.health().of(&named(name)).unwrap().state.clone()
}

#[test]
fn a_turn_that_fails_backs_off_whatever_came_into_it() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let (logger, signal) = hinted(&mut yard, "a", 1);
    let a = pool.add(logger).unwrap();
    yard.fail("a", Some(|| error(&codes::HTTP_CONNECT)));
    let mut run = running(&yard, &pool);
    yard.begin(run.as_mut(), "a");
    assert!(pool.wake(&a));
    signal.wake();
    settle(run.as_mut());
    yard.go_on(run.as_mut());
    assert_eq!(yard.told().len(), 1);
    let MailboxState::BackingOff { until } = state(&pool, "a") else {
        panic!("{:?}", state(&pool, "a"))
    };
    let left = until.duration_since(yard.clock.now()).as_secs();
    assert!((60..=75).contains(&left), "{left}");
}

/// The minutes between the turns of a mailbox that fails all the time.
fn waits(fails: fn() -> Error) -> Vec<u32> {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 1)).unwrap();
    yard.fail("a", Some(fails));
    let told = Arc::clone(&yard.told);
    let mut turns = Vec::new();
    minutes(&yard, &pool, 30, |minute| {
        let came = std::mem::take(&mut *told.lock().unwrap());
        turns.extend(came.into_iter().map(|_| minute));
    });
    turns.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn who_is_not_told_how_long_to_wait_waits_longer_each_time() {
    let throttled = || error(&codes::EWS_THROTTLED);
    let vague = || error(&codes::HTTP_CONNECT).with_retry_after(Duration::from_secs(1));
    for fails in [throttled as fn() -> Error, vague] {
        let waits = waits(fails);
        assert!(waits.len() >= 3, "{waits:?}");
        for (wait, bounds) in waits.iter().zip([1..=2, 2..=3, 4..=5, 8..=10]) {
            assert!(bounds.contains(wait), "{waits:?}");
        }
    }
}

/// Credentials that stay the same, and how often somebody looked.
#[derive(Debug, Default)]
struct Looks(AtomicU64);

#[async_trait]
impl CredentialWatch for Looks {
    async fn version(&self) -> Result<u64> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(7)
    }
}

/// How often somebody had looked at the credentials of a mailbox that is paused, minute by minute; the hint comes into its
/// turn, or a minute after it.
fn looks(comes_into_the_turn: bool) -> Vec<u64> {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let (logger, signal) = hinted(&mut yard, "a", 1);
    let looks = Arc::new(Looks::default());
    pool.add_watched(logger, Arc::<Looks>::clone(&looks))
        .unwrap();
    yard.fail("a", Some(|| error(&codes::OAUTH_REAUTH)));
    let mut run = running(&yard, &pool);
    yard.begin(run.as_mut(), "a");
    if comes_into_the_turn {
        signal.wake();
        settle(run.as_mut());
    }
    yard.go_on(run.as_mut());
    let mut looked = Vec::new();
    for minute in 0..21 {
        if minute == 1 && !comes_into_the_turn {
            signal.wake();
        }
        settle(run.as_mut());
        looked.push(looks.0.load(Ordering::Relaxed));
        yard.clock.advance(Duration::from_mins(1));
    }
    looked
}

#[test]
fn a_hint_has_no_credentials_looked_at_sooner() {
    let expected = [vec![1; 10], vec![2; 10], vec![3]].concat();
    assert_eq!([looks(true), looks(false)], [expected.clone(), expected]);
}

#[test]
fn a_hint_that_came_into_a_turn_brings_the_next_one_forward() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let (logger, signal) = hinted(&mut yard, "a", 1);
    pool.add(logger).unwrap();
    let mut run = running(&yard, &pool);
    yard.begin(run.as_mut(), "a");
    signal.wake();
    settle(run.as_mut());
    yard.go_on(run.as_mut());
    assert_eq!(yard.told().len(), 1);
    let until = yard.clock.now() + Duration::from_secs(10);
    assert_eq!(state(&pool, "a"), MailboxState::Waiting { until });
}

#[test]
fn a_mailbox_that_got_on_may_wait_no_longer_than_at_first() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let a = pool.add(yard.mailbox("a", 1)).unwrap();
    let source = Line(Arc::clone(&yard.mailboxes["a"]));
    yard.fail("a", Some(|| error(&codes::EWS_THROTTLED)));
    let mut run = running(&yard, &pool);
    settle(run.as_mut());
    yard.fail("a", None);
    yard.clock.advance(Duration::from_secs(75));
    for left in [20, 5] {
        yard.begin(run.as_mut(), "a");
        assert_eq!(source.may_still_wait(), Duration::from_secs(left));
        yard.go_on(run.as_mut());
        assert!(pool.wake(&a));
    }
}

#[test]
fn a_wake_up_makes_no_turn_due_later_than_it_was() {
    let mut yard = Yard::new();
    let mut settings = PoolSettings::default();
    settings.runs = 1;
    let pool = yard.pool(settings);
    pool.add(yard.mailbox("a", 1)).unwrap();
    yard.mailboxes["a"].hangs.store(true, Ordering::Relaxed);
    let mut run = running(&yard, &pool);
    settle(run.as_mut());
    let b = pool.add(yard.mailbox("b", 1)).unwrap();
    let until = yard.clock.now();
    yard.clock.advance(Duration::from_mins(1));
    assert!(pool.wake(&b));
    settle(run.as_mut());
    assert_eq!(state(&pool, "b"), MailboxState::Waiting { until });
}

#[test]
fn what_came_into_a_turn_that_was_dropped_counts_for_no_other_turn() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let a = pool.add(yard.mailbox("a", 1)).unwrap();
    let mut run = running(&yard, &pool);
    yard.begin(run.as_mut(), "a");
    assert!(pool.credentials_changed(&a));
    drop(run);
    // Past the lease of the turn that was dropped.
    yard.clock.advance(Duration::from_hours(1));
    let mut run = running(&yard, &pool);
    settle(run.as_mut());
    assert_eq!(yard.told(), [("a".to_owned(), Ok(1))], "one turn");
    yard.fail("a", Some(|| error(&codes::OAUTH_REAUTH)));
    drop(run);
    yard.clock.advance(Duration::from_hours(1));
    let mut run = running(&yard, &pool);
    yard.begin(run.as_mut(), "a");
    assert!(pool.credentials_changed(&a));
    drop(run);
    yard.clock.advance(Duration::from_hours(1));
    let mut run = running(&yard, &pool);
    settle(run.as_mut());
    assert!(matches!(state(&pool, "a"), MailboxState::Paused { .. }));
}

#[test]
fn a_mailbox_that_was_removed_in_a_turn_that_was_dropped_is_gone() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let a = pool.add(yard.mailbox("a", 1)).unwrap();
    let mut run = running(&yard, &pool);
    yard.begin(run.as_mut(), "a");
    assert!(pool.remove(&a));
    assert_eq!(state(&pool, "a"), MailboxState::Leaving);
    drop(run);
    assert!(pool.health().mailboxes.is_empty());
    pool.add(yard.logger("a", "worker-1")).unwrap();
}

#[cfg(feature = "ews")]
#[test]
fn a_pool_has_one_gate_for_each_mailbox_and_credential() {
    let pool = LoggerPool::new(PoolSettings::default());
    assert_eq!(
        format!("{:?}", pool.gates()),
        "ThrottlingGates { gates: 0 }"
    );
    for (mailbox, credential) in [("a@x", "job"), (" A@X", "JOB"), ("a@x", "other")] {
        pool.gate(mailbox, credential);
    }
    pool.clone().gates().of("b@x", "job");
    assert_eq!(
        format!("{:?}", pool.gates()),
        "ThrottlingGates { gates: 3 }"
    );
}
