//! What every store tells apart about leases: mailboxes, holders, ends and lengths.

use std::time::Duration;

use email_logging::clock::Clock as _;
use email_logging::store::{Acquired, CommitBatch, Lease, MailLedger, MemoryStore};
use email_logging::testkit::clock::ManualClock;
use email_logging::{ErrorKind, MailboxKey, Scope, WorkerId};
use jiff::{SignedDuration, Timestamp};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// Three days, and less than a database keeps.
const LONG: Duration = Duration::new(3 * 24 * 3_600, 1);

fn scope() -> Scope {
    Scope::default()
}

async fn ask(store: &impl MailLedger, mailbox: &str, worker: &str, ttl: Duration) -> Acquired {
    let (mailbox, worker) = (MailboxKey::from(mailbox), WorkerId::from(worker));
    let asked = store.acquire(&scope(), &mailbox, &worker, ttl).await;
    asked.unwrap()
}

async fn take(store: &impl MailLedger, mailbox: &str, worker: &str, ttl: Duration) -> Lease {
    match ask(store, mailbox, worker, ttl).await {
        Acquired::Held(lease) => lease,
        other => panic!("{mailbox} is not free for {worker}: {other:?}"),
    }
}

/// Who holds a mailbox, and until when, as somebody else is told.
async fn holder(store: &impl MailLedger, mailbox: &str) -> (String, Timestamp) {
    match ask(store, mailbox, "asks", MINUTE).await {
        Acquired::Busy { holder, until } => (holder.as_str().to_owned(), until),
        other => panic!("nobody holds {mailbox}: {other:?}"),
    }
}

async fn is_held(store: &impl MailLedger, lease: &Lease) {
    let expected = (lease.holder.as_str().to_owned(), lease.until);
    let mailbox = lease.mailbox.as_str();
    assert_eq!(holder(store, mailbox).await, expected, "{mailbox}");
}

async fn writes(store: &impl MailLedger, lease: &Lease) -> Result<(), ErrorKind> {
    let batch = CommitBatch::default();
    let written = store.commit(&scope(), lease, batch).await;
    written.map(drop).map_err(|error| error.kind())
}

async fn a_lease_is_for_its_mailbox_alone(store: &impl MailLedger, clock: &ManualClock) {
    let one = take(store, "one", "worker", MINUTE).await;
    let two = take(store, "two", "worker", HOUR).await;
    assert_eq!(one.epoch, two.epoch, "they differ in the mailbox alone");
    clock.advance(MINUTE);
    // Neither the next holder of the one nor its renewal is anything to the other.
    let next = take(store, "one", "next", DAY * 2).await;
    is_held(store, &two).await;
    assert_eq!(writes(store, &one).await, Err(ErrorKind::LeaseLost));
    let renewed = store.renew(&scope(), &next, DAY * 3).await.unwrap();
    is_held(store, &renewed).await;
    is_held(store, &two).await;
    clock.set(clock.now() - SignedDuration::from_secs(1));
    assert_eq!(
        holder(store, "one").await.1,
        clock.now_plus(DAY * 3),
        "from now on"
    );
    is_held(store, &two).await;
    clock.advance(HOUR);
    take(store, "two", "next", MINUTE).await;
}

async fn a_write_makes_no_lease_shorter(store: &impl MailLedger, clock: &ManualClock) {
    let lease = take(store, "written", "worker", MINUTE).await;
    clock.advance(MINUTE / 2);
    assert_eq!(writes(store, &lease).await, Ok(()));
    is_held(store, &lease).await;
}

async fn whoever_takes_a_mailbox_has_it_for_a_time_of_its_own(
    store: &impl MailLedger,
    clock: &ManualClock,
) {
    for (worker, ttl) in [("first", MINUTE), ("second", HOUR), ("third", MINUTE)] {
        let lease = take(store, "taken", worker, ttl).await;
        is_held(store, &lease).await;
        // A clock that is set back lets it begin anew, at its own length.
        clock.set(clock.now() - SignedDuration::from_hours(48));
        let (_, until) = holder(store, "taken").await;
        assert_eq!(whole(until), whole(clock.now_plus(ttl)), "{worker}");
        clock.advance(ttl);
    }
}

/// At a whole microsecond, as databases keep a time.
fn whole(at: Timestamp) -> i64 {
    at.as_microsecond()
}

async fn a_lease_may_be_longer_than_a_day(store: &impl MailLedger, clock: &ManualClock) {
    let mut lease = take(store, "long", "worker", LONG).await;
    for _ in 0..2 {
        clock.advance(DAY * 2);
        is_held(store, &lease).await;
        lease = store.renew(&scope(), &lease, LONG).await.unwrap();
        assert_eq!(whole(lease.until), whole(clock.now_plus(LONG)));
    }
}

async fn tells_leases_apart(store: &impl MailLedger, clock: &ManualClock) {
    a_lease_is_for_its_mailbox_alone(store, clock).await;
    // What is told of a lease's end is what is kept, though a clock shows more than a store keeps.
    clock.advance(Duration::from_nanos(1_234));
    a_write_makes_no_lease_shorter(store, clock).await;
    whoever_takes_a_mailbox_has_it_for_a_time_of_its_own(store, clock).await;
    a_lease_may_be_longer_than_a_day(store, clock).await;
}

#[tokio::test]
async fn the_store_in_memory_tells_leases_apart() {
    let clock = ManualClock::default();
    let store = MemoryStore::new().with_clock(std::sync::Arc::new(clock.clone()));
    tells_leases_apart(&store, &clock).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_sqlite_store_tells_leases_apart() {
    use email_logging::store::{SqliteOptions, SqliteStore};

    let clock = ManualClock::default();
    let options = SqliteOptions::default().with_clock(std::sync::Arc::new(clock.clone()));
    let store = SqliteStore::in_memory_with(options).unwrap();
    store.migrate().await.unwrap();
    tells_leases_apart(&store, &clock).await;
}

#[cfg(all(unix, feature = "postgres"))]
#[tokio::test]
async fn the_postgres_store_tells_leases_apart() {
    let Some(server) = crate::postgres_support::server() else {
        return;
    };
    let clock = ManualClock::default();
    let options = server.options();
    let options = options.with_clock(std::sync::Arc::new(clock.clone()));
    let store = crate::postgres_support::migrated(options).await;
    tells_leases_apart(&store, &clock).await;
}
