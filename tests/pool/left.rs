//! What a turn leaves in the queue, and what the pool knows of it then.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::error::codes;
use email_logging::logger::{LoggerPool, MailboxHealth, MailboxState, PoolSettings, RunStep};
use email_logging::setup::EmailLoggingSetup;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::store::{
    Acquired, HostReference, InteractionSink, MailLedger as _, MemoryStore, SetupStore,
    SinkDelivery, StoreOperation,
};
use email_logging::{Result, Scope};

use crate::office::error;
use crate::yard::{Yard, minutes, settle};

fn health(pool: &LoggerPool) -> MailboxHealth {
    pool.health().mailboxes[0].clone()
}

fn failed(index: usize) -> SourceFault {
    SourceFault::ItemFailed(index, error(&codes::HTTP_TIMEOUT))
}

#[test]
fn a_queue_that_a_turn_emptied_is_not_looked_at_again() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 3)).unwrap();
    minutes(&yard, &pool, 1, |_| {});
    assert_eq!((health(&pool).queued, yard.stored("a")), (None, 3));
}

#[test]
fn a_mail_that_waits_for_another_try_is_seen_in_the_queue() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let a = pool.add(yard.mailbox("a", 1)).unwrap();
    let source = &yard.mailboxes["a"].source;
    source.fail_next(SourceOperation::Fetch, failed(0));
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    settle(run.as_mut());
    assert_eq!((health(&pool).queued, yard.stored("a")), (Some(1), 0));
    // It is not due yet, and is passed over.
    yard.deliver("a", 1..2);
    assert!(pool.wake(&a));
    settle(run.as_mut());
    assert_eq!((health(&pool).queued, yard.stored("a")), (Some(1), 1));
    assert_eq!(source.count(SourceOperation::Fetch), 2);
}

#[test]
fn a_mail_that_could_not_be_moved_is_seen_in_the_queue_with_its_move() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    pool.add(yard.mailbox("a", 1)).unwrap();
    let source = &yard.mailboxes["a"].source;
    source.fail_next(SourceOperation::MoveTo, failed(0));
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    settle(run.as_mut());
    yard.clock.advance(Duration::from_secs(1));
    let health = health(&pool);
    let expected = (Some(1), Some(Duration::from_secs(1)));
    assert_eq!((health.queued, health.oldest_move), expected);
}

#[test]
fn mail_that_somebody_took_counts_among_the_mails_of_a_turn() {
    let mut yard = Yard::new();
    let mut settings = PoolSettings::default();
    settings.turn = 2;
    let pool = yard.pool(settings);
    pool.add(yard.mailbox("a", 4)).unwrap();
    let gone = SourceFault::ItemGone(0);
    let source = &yard.mailboxes["a"].source;
    source.fail_next(SourceOperation::Fetch, gone);
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    settle(run.as_mut());
    let counts: Vec<_> = yard.told().into_iter().map(|(_, logged)| logged).collect();
    assert_eq!(counts, [Ok(1), Ok(2), Ok(1)], "a full turn is due at once");
}

#[test]
fn a_turn_without_a_limit_takes_everything_once() {
    let mut yard = Yard::new();
    let mut settings = PoolSettings::default();
    settings.turn = 0;
    let pool = yard.pool(settings);
    pool.add(yard.mailbox("a", 30)).unwrap();
    minutes(&yard, &pool, 1, |_| {});
    assert_eq!(yard.told(), [("a".to_owned(), Ok(30))]);
}

#[tokio::test]
async fn what_is_known_of_a_queue_stays_while_another_worker_has_its_mailbox() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    let a = pool.add(yard.mailbox("a", 1)).unwrap();
    let source = &yard.mailboxes["a"].source;
    source.fail_next(SourceOperation::Fetch, failed(0));
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    settle(run.as_mut());
    let (scope, mailbox, other) = (Scope::default(), "a".into(), "other".into());
    let ttl = Duration::from_mins(5);
    let held = yard.store.acquire(&scope, &mailbox, &other, ttl).await;
    assert!(matches!(held, Ok(Acquired::Held(_))));
    assert!(pool.wake(&a));
    settle(run.as_mut());
    let health = health(&pool);
    assert!(matches!(health.state, MailboxState::Elsewhere { .. }));
    assert_eq!(health.queued, Some(1));
}

/// A host's log that takes everything.
#[derive(Debug)]
struct Willing;

#[async_trait]
impl InteractionSink for Willing {
    async fn put(&self, _: &Scope, _: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        Ok(Vec::new())
    }
}

#[test]
fn a_failure_beside_the_mail_system_lets_the_queue_be_looked_at_and_backs_nothing_off() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    drop(yard.mailbox("a", 2));
    let builder = yard.builder("a", "worker-1").with_sink(Arc::new(Willing));
    pool.add(builder.build().unwrap()).unwrap();
    let outage = error(&codes::STORE_UNAVAILABLE);
    // What is open is asked for before the mails, and after them.
    yard.store.fail_call(StoreOperation::Undelivered, 2, outage);
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    settle(run.as_mut());
    let health = health(&pool);
    let failure = health.last_failure.unwrap();
    assert_eq!(failure.step, RunStep::DeliveringEntries);
    assert_eq!((health.failed_in_a_row, health.queued), (1, Some(0)));
    let until = failure.at + Duration::from_mins(10);
    assert_eq!(health.state, MailboxState::Waiting { until });
}

#[tokio::test]
async fn a_mailbox_whose_logging_is_off_is_looked_at_again_in_its_time() {
    let mut yard = Yard::new();
    let pool = yard.pool(PoolSettings::default());
    drop(yard.mailbox("a", 2));
    let setup: Arc<dyn SetupStore> = Arc::new(MemoryStore::new());
    let off = EmailLoggingSetup::default();
    setup.save_setup(&Scope::default(), &off, 0).await.unwrap();
    let builder = yard.builder("a", "worker-1").with_setup_store(setup);
    pool.add(builder.build().unwrap()).unwrap();
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    settle(run.as_mut());
    let health = health(&pool);
    let until = pool.health().at + Duration::from_mins(10);
    assert_eq!(health.state, MailboxState::Disabled { until });
    assert_eq!((health.last_success, yard.stored("a")), (None, 0));
}
