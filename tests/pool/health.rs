//! What a pool says of its mailboxes, and what a mailbox does whose sign-in needs a person.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::error::codes;
use email_logging::logger::{
    CredentialWatch, LoggerPool, MailboxHealth, MailboxState, PoolSettings, RunStep, SecretWatch,
};
use email_logging::store::{
    Acquired, MailLedger as _, MemoryStore, SealedSecret, SecretName, SecretStore as _,
};
use email_logging::{ErrorKind, Result, Scope};

use crate::office::error;
use crate::yard::{Yard, minutes, named, settle};

fn of(pool: &LoggerPool, name: &str) -> MailboxHealth {
    pool.health().of(&named(name)).unwrap().clone()
}

fn calls(yard: &Yard, name: &str) -> u32 {
    yard.mailboxes[name].calls.load(Ordering::Relaxed)
}

#[test]
fn a_mailbox_that_is_emptied_is_well_and_has_no_lag() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 3)).unwrap();
    let begun = yard.clock.now();
    minutes(&yard, &pool, 1, |_| {});
    let health = of(&pool, "a");
    assert_eq!(health.last_success, Some(begun));
    assert_eq!((health.lag, health.oldest_move), (None, None));
    assert_eq!((health.failed_in_a_row, health.last_failure), (0, None));
    let until = begun + Duration::from_mins(10);
    assert_eq!(health.state, MailboxState::Waiting { until });
    assert!(pool.health().is_well() && pool.health().lag().is_none());
}

#[test]
fn the_lag_is_the_age_of_the_oldest_mail_that_waits_and_grows_with_time() {
    let mut yard = Yard::new();
    let mut settings = PoolSettings::default();
    (settings.turn, settings.runs) = (4, 1);
    let pool = yard.pool(settings);
    pool.add(yard.mailbox("a", 6)).unwrap();
    yard.clock.advance(Duration::from_mins(30));
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while yard.told().is_empty() {
        assert!(run.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(of(&pool, "a").lag, Some(Duration::from_mins(30)));
    assert_eq!(of(&pool, "a").queued, Some(2));
    yard.clock.advance(Duration::from_mins(5));
    assert_eq!(pool.health().lag(), Some(Duration::from_mins(35)));
    settle(run.as_mut());
    assert_eq!(pool.health().lag(), None);
}

#[test]
fn a_failure_is_told_with_its_step_and_code_and_the_back_off() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 3)).unwrap();
    yard.fail("a", Some(|| error(&codes::HTTP_CONNECT)));
    minutes(&yard, &pool, 5, |_| {});
    let health = of(&pool, "a");
    assert!(!health.is_well() && !pool.health().is_well());
    assert_eq!((health.failed_in_a_row, health.last_success), (3, None));
    let failure = health.last_failure.unwrap();
    assert_eq!(failure.step, RunStep::OpeningQueueFolder);
    let expected = (ErrorKind::Unavailable, "http.connect");
    assert_eq!((failure.kind, failure.code), expected);
    assert!(matches!(health.state, MailboxState::BackingOff { .. }));
    yard.fail("a", None);
    minutes(&yard, &pool, 10, |_| {});
    assert!(pool.health().is_well());
    assert_eq!(yard.stored("a"), 3);
}

#[tokio::test]
async fn a_mailbox_that_another_worker_has_is_looked_at_again_soon() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 3)).unwrap();
    let (scope, mailbox, other) = (Scope::default(), "a".into(), "other".into());
    let ttl = Duration::from_secs(90);
    let held = yard.store.acquire(&scope, &mailbox, &other, ttl).await;
    assert!(matches!(held, Ok(Acquired::Held(_))));
    let mut states = Vec::new();
    minutes(&yard, &pool, 3, |_| {
        let elsewhere = matches!(of(&pool, "a").state, MailboxState::Elsewhere { .. });
        states.push((elsewhere, yard.stored("a")));
    });
    assert_eq!(states, [(true, 0), (true, 0), (false, 3)]);
}

#[test]
fn a_sign_in_that_needs_a_person_pauses_its_mailbox_alone_until_the_credentials_change() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    for name in ["a", "b"] {
        pool.add(yard.mailbox(name, 2)).unwrap();
    }
    yard.fail("a", Some(|| error(&codes::OAUTH_REAUTH)));
    minutes(&yard, &pool, 300, |minute| {
        if minute % 10 == 0 {
            yard.deliver("b", minute + 2..minute + 3);
        }
    });
    assert_eq!(calls(&yard, "a"), 1, "nothing is asked while it is paused");
    assert!(yard.stored("b") >= 30, "{}", yard.stored("b"));
    assert!(matches!(of(&pool, "a").state, MailboxState::Paused { .. }));
    assert!(!pool.health().is_well());
    assert!(pool.wake(&named("a")), "a hint is no new sign-in");
    minutes(&yard, &pool, 30, |_| {});
    assert_eq!(calls(&yard, "a"), 1);
    yard.fail("a", None);
    assert!(pool.credentials_changed(&named("a")));
    minutes(&yard, &pool, 1, |_| {});
    assert_eq!(yard.stored("a"), 2);
    assert!(pool.health().is_well());
}

/// The version at which the watch panics.
const PANICS: u64 = u64::MAX - 1;

/// A version that a test sets.
#[derive(Debug, Default)]
struct Version(AtomicU64);

#[async_trait]
impl CredentialWatch for Version {
    async fn version(&self) -> Result<u64> {
        match self.0.load(Ordering::Relaxed) {
            u64::MAX => Err(error(&codes::STORE_UNAVAILABLE)),
            PANICS => panic!("nobody can say which it is"),
            version => Ok(version),
        }
    }
}

#[test]
fn a_watched_mailbox_goes_on_when_another_process_stored_new_credentials() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let version = Arc::new(Version::default());
    let logger = yard.mailbox("a", 2);
    pool.add_watched(logger, Arc::<Version>::clone(&version))
        .unwrap();
    yard.fail("a", Some(|| error(&codes::OAUTH_REAUTH)));
    minutes(&yard, &pool, 60, |_| {});
    assert_eq!(calls(&yard, "a"), 1);
    yard.fail("a", None);
    for unreadable in [u64::MAX, PANICS] {
        version.0.store(unreadable, Ordering::Relaxed);
        minutes(&yard, &pool, 60, |_| {});
        assert_eq!(calls(&yard, "a"), 1, "what cannot be read has not changed");
    }
    version.0.store(2, Ordering::Relaxed);
    minutes(&yard, &pool, 11, |_| {});
    assert_eq!(yard.stored("a"), 2);
}

#[tokio::test]
async fn a_stored_secret_is_watched_by_its_version() {
    let (store, scope) = (Arc::new(MemoryStore::new()), Scope::default());
    let name = SecretName::RefreshToken;
    let watch = SecretWatch::new(Arc::<MemoryStore>::clone(&store), scope.clone(), name);
    assert_eq!(watch.version().await.unwrap(), 0);
    let sealed = SealedSecret::new("key", vec![1], vec![2], vec![3]);
    let version = store.save_secret(&scope, name, &sealed, 0).await.unwrap();
    assert_eq!(watch.version().await.unwrap(), version);
    assert_ne!(version, 0);
}

#[test]
fn new_credentials_that_come_during_a_turn_are_not_paused_away() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let a = pool.add(yard.mailbox("a", 2)).unwrap();
    yard.fail("a", Some(|| error(&codes::OAUTH_REAUTH)));
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    yard.begin(run.as_mut(), "a");
    assert!(pool.credentials_changed(&a));
    let asks = |wait| *yard.mailboxes["a"].asks.lock().unwrap() = wait;
    asks(Some(Duration::from_secs(10)));
    yard.go_on(run.as_mut());
    assert_eq!(yard.told(), [("a".to_owned(), Err("oauth.reauth"))]);
    // Its next turn is under way.
    yard.fail("a", None);
    asks(None);
    yard.go_on(run.as_mut());
    assert_eq!(yard.stored("a"), 2);
}
