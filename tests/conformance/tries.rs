//! What every store tells apart where mail fails or gets another try: mailboxes, items, and the moves of other mail.

use std::time::Duration;

use email_logging::decision::{Decision, NotMatched, Outcome, Quarantine};
use email_logging::message::FastKey;
use email_logging::source::{ItemRef, SightingKey};
use email_logging::store::{
    Acquired, CommitBatch, CommitRow, DecidedRow, FailedAttempt, KnownSighting, Lease, MailLedger,
    MemoryStore, RowContent, RowResult, Sighting, SightingState,
};
use email_logging::{MailboxKey, MessageUid, Scope};
use jiff::Timestamp;

fn scope() -> Scope {
    Scope::default()
}

fn key(number: u8) -> SightingKey {
    SightingKey::SearchKey(vec![number; 16])
}

fn item(name: &str) -> ItemRef {
    ItemRef::new(name).with_change_key(format!("{name}-1"))
}

fn not_matched() -> Outcome {
    Outcome::NotMatched(NotMatched::NoContact)
}

fn set_aside() -> Outcome {
    Outcome::Quarantined(Quarantine::AttemptsExhausted)
}

fn decided(number: u8, name: &str, outcome: Outcome) -> CommitRow {
    let message = MessageUid::derive(&scope(), &FastKey::from_bytes([number; 32]));
    let row = DecidedRow::new(message, Decision::ended(outcome));
    let sighting = Sighting::new(key(number), item(name));
    CommitRow::new(sighting, RowContent::Decided(row.into()))
}

fn failed(number: u8, name: &str) -> CommitRow {
    let attempt = FailedAttempt::new("http.timeout", Timestamp::UNIX_EPOCH);
    let sighting = Sighting::new(key(number), item(name));
    CommitRow::new(sighting, RowContent::Failed(attempt))
}

async fn take(store: &impl MailLedger, mailbox: &str) -> Lease {
    let (mailbox, worker) = (MailboxKey::from(mailbox), "worker".into());
    let ttl = Duration::from_mins(1);
    match store.acquire(&scope(), &mailbox, &worker, ttl).await {
        Ok(Acquired::Held(lease)) => lease,
        other => panic!("{other:?}"),
    }
}

async fn put(store: &impl MailLedger, lease: &Lease, row: CommitRow) -> RowResult {
    let batch = CommitBatch::of_rows(vec![row]);
    let receipt = store.commit(&scope(), lease, batch).await.unwrap();
    receipt.rows.into_iter().next().unwrap()
}

async fn known(store: &impl MailLedger, lease: &Lease, number: u8) -> KnownSighting {
    let keys = [key(number)];
    let known = store.known(&scope(), &lease.mailbox, &keys).await.unwrap();
    known.into_iter().next().flatten().unwrap()
}

async fn of_two_mailboxes_one_gets_another_try(store: &impl MailLedger) {
    let leases = [take(store, "one").await, take(store, "two").await];
    for lease in &leases {
        put(store, lease, decided(1, "item", set_aside())).await;
    }
    let [one, two] = &leases;
    let keys = [key(1)];
    let requeued = store.requeue(&scope(), &one.mailbox, &keys).await;
    assert_eq!(requeued.unwrap(), 1);
    let states = [known(store, one, 1).await, known(store, two, 1).await].map(|it| it.state);
    assert_eq!(states, [SightingState::Pending, SightingState::Quarantined]);
    // Attempts are counted in the one, and not in the other.
    for (lease, counted) in [(one, 1), (two, 0)] {
        let result = put(store, lease, failed(1, "item")).await;
        let found = matches!(result, RowResult::Counted { attempts } if attempts == counted);
        assert!(found, "{result:?}");
    }
    let requeued = store.requeue_held(&scope(), one, &keys).await;
    assert_eq!(requeued.unwrap(), 0, "the other one is not its own");
    assert_eq!(known(store, two, 1).await.state, SightingState::Quarantined);
}

async fn another_try_leaves_the_moves_of_other_mail(store: &impl MailLedger) {
    let lease = take(store, "three").await;
    for (number, name) in [(1, "first"), (2, "second")] {
        put(store, &lease, decided(number, name, set_aside())).await;
    }
    let requeued = store.requeue_held(&scope(), &lease, &[key(1)]).await;
    assert_eq!(requeued.unwrap(), 1);
    let (mailbox, ever) = (&lease.mailbox, Timestamp::MAX);
    let moves = store.pending_moves(&scope(), mailbox, ever, 9).await;
    let moves: Vec<_> = moves.unwrap().into_iter().map(|it| it.key).collect();
    assert_eq!(moves, [key(2)]);
}

async fn what_gets_another_try_is_as_if_nobody_had_set_it_aside(store: &impl MailLedger) {
    let lease = take(store, "five").await;
    for number in [1, 2] {
        put(store, &lease, failed(number, "item")).await;
        put(store, &lease, decided(number, "item", set_aside())).await;
    }
    let requeued = store.requeue(&scope(), &lease.mailbox, &[key(1)]).await;
    assert_eq!(requeued.unwrap(), 1);
    let requeued = store.requeue_held(&scope(), &lease, &[key(2)]).await;
    assert_eq!(requeued.unwrap(), 1);
    for number in [1, 2] {
        let known = known(store, &lease, number).await;
        assert_eq!(known.state, SightingState::Pending);
        let count = (known.attempts, known.next_try);
        assert_eq!(count, (0, None));
        assert_eq!((known.disposition, known.outcome), (None, None));
        assert_eq!((known.item, known.waiting), (item("item"), vec![]));
    }
}

async fn what_fails_is_where_it_was_seen_last_until_it_is_decided(store: &impl MailLedger) {
    let lease = take(store, "four").await;
    for name in ["first", "second"] {
        put(store, &lease, failed(1, name)).await;
        assert_eq!(known(store, &lease, 1).await.item, item(name));
    }
    put(store, &lease, decided(2, "third", not_matched())).await;
    put(store, &lease, failed(2, "fourth")).await;
    let known = known(store, &lease, 2).await;
    assert_eq!((known.item, known.attempts), (item("third"), 1));
}

/// Three mails that failed: one that nobody decided, one that was put back, and one that is set aside.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
async fn three_that_failed(store: &impl MailLedger) -> Lease {
    let lease = take(store, "queue").await;
    put(store, &lease, decided(2, "second", not_matched())).await;
    put(store, &lease, decided(3, "third", set_aside())).await;
    for (number, name) in [(1, "first"), (2, "second"), (3, "third")] {
        put(store, &lease, failed(number, name)).await;
    }
    lease
}

/// The codes that their rows have, in this order: what is set aside keeps what it had.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
const CODES: [Option<&str>; 3] = [Some("http.timeout"), Some("http.timeout"), None];

/// An earlier version left its count with what it set aside.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
const COUNTED: &str = "UPDATE sighting SET attempts = 8, next_try = 9 WHERE state = 'quarantined'";

#[cfg(any(feature = "sqlite", feature = "postgres"))]
async fn begins_its_count_anew(store: &impl MailLedger, lease: &Lease) {
    let before = known(store, lease, 3).await;
    assert_eq!((before.attempts, before.next_try.is_some()), (8, true));
    let requeued = store.requeue_held(&scope(), lease, &[key(3)]).await;
    assert_eq!(requeued.unwrap(), 1);
    let after = known(store, lease, 3).await;
    assert_eq!((after.attempts, after.next_try), (0, None));
}

/// Each in mailboxes of its own.
async fn tells_tries_apart(store: &impl MailLedger) {
    of_two_mailboxes_one_gets_another_try(store).await;
    another_try_leaves_the_moves_of_other_mail(store).await;
    what_gets_another_try_is_as_if_nobody_had_set_it_aside(store).await;
    what_fails_is_where_it_was_seen_last_until_it_is_decided(store).await;
}

#[tokio::test]
async fn the_store_in_memory_tells_tries_apart() {
    tells_tries_apart(&MemoryStore::new()).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_sqlite_store_tells_tries_apart() {
    let store = email_logging::store::SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    tells_tries_apart(&store).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_sqlite_row_has_the_code_that_was_counted_and_begins_anew_with_another_try() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    let store = email_logging::store::SqliteStore::open(&path).unwrap();
    store.migrate().await.unwrap();
    let lease = three_that_failed(&store).await;
    let raw = rusqlite::Connection::open(&path).unwrap();
    let mut rows = raw
        .prepare("SELECT code FROM sighting ORDER BY key")
        .unwrap();
    let codes = rows.query_map([], |row| row.get(0)).unwrap();
    let codes: Vec<Option<String>> = codes.map(Result::unwrap).collect();
    assert_eq!(codes, CODES.map(|code| code.map(str::to_owned)));
    assert_eq!(raw.execute(COUNTED, []).unwrap(), 1);
    begins_its_count_anew(&store, &lease).await;
}

#[cfg(all(unix, feature = "postgres"))]
#[tokio::test]
async fn a_postgres_row_has_the_code_that_was_counted_and_begins_anew_with_another_try() {
    let Some(server) = crate::postgres_support::server() else {
        return;
    };
    let options = server.options();
    let store = crate::postgres_support::migrated(options.clone()).await;
    let lease = three_that_failed(&store).await;
    let raw = server.raw().await;
    let path = format!("SET search_path TO {}", options.schema);
    raw.batch_execute(&path).await.unwrap();
    let rows = raw.query("SELECT code FROM sighting ORDER BY key", &[]);
    let rows = rows.await.unwrap();
    let codes: Vec<Option<&str>> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(codes, CODES);
    assert_eq!(raw.execute(COUNTED, &[]).await.unwrap(), 1);
    begins_its_count_anew(&store, &lease).await;
}

#[cfg(all(unix, feature = "postgres"))]
#[tokio::test]
async fn the_postgres_store_tells_tries_apart() {
    let Some(server) = crate::postgres_support::server() else {
        return;
    };
    tells_tries_apart(&server.store().await).await;
}
