//! Several workers: one holds a mailbox, numbers have no gap, and a reader of events skips nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use email_logging::source::{ItemRef, SightingKey};
use email_logging::store::{
    Acquired, CommitBatch, CommitRow, EventFeed, Lease, MailLedger, PostgresOptions, PostgresStore,
    RowResult, Sighting, SightingState,
};
use email_logging::{ErrorKind, MailboxKey, WorkerId};

use tokio_postgres::Transaction;

use crate::cluster::{Server, migrated, server};
use crate::postgres_store::schema::{process, wait_for_blocked};
use crate::store_rows::{key, logged, mailbox, set_aside};
use crate::{codes, entry_numbers, scope};

const TTL: Duration = Duration::from_mins(5);

async fn acquire(store: &PostgresStore, mailbox: &MailboxKey, worker: &str) -> Acquired {
    let worker = WorkerId::from(worker);
    store
        .acquire(&scope(), mailbox, &worker, TTL)
        .await
        .unwrap()
}

async fn held(store: &PostgresStore, mailbox: &MailboxKey, worker: &str) -> Lease {
    match acquire(store, mailbox, worker).await {
        Acquired::Held(lease) => lease,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lease_that_ended_by_the_databases_clock_is_taken_and_the_old_holder_is_fenced() {
    let Some(server) = server() else { return };
    let options = server.options();
    let (one, two) = (
        migrated(options.clone()).await,
        migrated(options.clone()).await,
    );
    let lease = held(&one, &mailbox(), "one").await;
    assert!(matches!(
        acquire(&two, &mailbox(), "two").await,
        Acquired::Busy { holder, .. } if holder.as_str() == "one"
    ));
    let end = format!("UPDATE {}.lease SET until = 1", options.schema);
    server.raw().await.batch_execute(&end).await.unwrap();
    let taken = held(&two, &mailbox(), "two").await;
    assert_eq!(taken.epoch, lease.epoch + 1);
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 10)]);
    let error = one
        .commit(&scope(), &lease, batch.clone())
        .await
        .unwrap_err();
    assert_eq!(codes(&error), (ErrorKind::LeaseLost, "lease.lost"));
    assert_eq!(entry_numbers(&one).await, Vec::<u64>::new());
    two.commit(&scope(), &taken, batch).await.unwrap();
    assert_eq!(entry_numbers(&one).await, [1]);
}

#[tokio::test]
async fn while_a_holder_writes_nobody_takes_its_mailbox() {
    let Some(server) = server() else { return };
    let options = server.options();
    let (one, two) = (
        migrated(options.clone()).await,
        migrated(options.clone()).await,
    );
    let lease = held(&one, &mailbox(), "one").await;
    let mut raw = server.raw().await;
    // Whoever has the lock of the scope keeps the commit waiting behind its fence.
    let lock = raw.transaction().await.unwrap();
    let sql = format!("SELECT 1 FROM {}.scope FOR UPDATE", options.schema);
    lock.query(&sql, &[]).await.unwrap();
    let end = format!("UPDATE {}.lease SET until = 1", options.schema);
    server.raw().await.batch_execute(&end).await.unwrap();
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 10)]);
    let (scope, mailbox) = (scope(), mailbox());
    let commit = one.commit(&scope, &lease, batch);
    let take = async {
        wait_for_locks(server, 1).await;
        let (taken, ()) = tokio::join!(held(&two, &mailbox, "two"), async {
            wait_for_locks(server, 2).await;
            lock.commit().await.unwrap();
        });
        taken
    };
    let (committed, taken) = tokio::join!(commit, take);
    assert!(matches!(
        committed.unwrap().rows[..],
        [RowResult::Written { .. }]
    ));
    assert_eq!(taken.epoch, lease.epoch + 1);
    assert_eq!(entry_numbers(&two).await, [1]);
}

/// Holds the row of the only lease until its end.
async fn hold_row<'a>(raw: &'a mut tokio_postgres::Client, schema: &str) -> Transaction<'a> {
    let held = raw.transaction().await.unwrap();
    let take = format!("SET LOCAL search_path TO {schema}; SELECT 1 FROM lease FOR UPDATE");
    held.batch_execute(&take).await.unwrap();
    held
}

#[tokio::test]
async fn who_asks_for_a_mailbox_that_is_taken_does_not_wait_for_who_writes_into_it() {
    let Some(server) = server() else { return };
    let options = server.options();
    let store = migrated(options.clone()).await;
    let lease = held(&store, &mailbox(), "one").await;
    let mut raw = server.raw().await;
    let row = hold_row(&mut raw, &options.schema).await;
    let Acquired::Busy { holder, until } = acquire(&store, &mailbox(), "two").await else {
        panic!("it is taken")
    };
    assert_eq!((holder, until), (lease.holder, lease.until));
    row.commit().await.unwrap();
}

/// A store in which the lease of the mailbox has ended.
async fn with_ended_lease(server: &Server, options: &PostgresOptions) -> Arc<PostgresStore> {
    let store = Arc::new(migrated(options.clone()).await);
    held(&store, &mailbox(), "one").await;
    let end = format!("UPDATE {}.lease SET until = 1", options.schema);
    server.raw().await.batch_execute(&end).await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_wait_for_a_lease_that_ended_one_gets_it() {
    let Some(server) = server() else { return };
    let options = server.options();
    let store = with_ended_lease(server, &options).await;
    let mut raw = server.raw().await;
    let row = hold_row(&mut raw, &options.schema).await;
    let by = process(&row).await;
    let ask = |worker| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { acquire(&store, &mailbox(), worker).await })
    };
    let asked = [ask("two"), ask("three")];
    wait_for_blocked(server, by, 2).await;
    row.commit().await.unwrap();
    let mut holders = 0;
    for answer in asked {
        holders += usize::from(matches!(answer.await.unwrap(), Acquired::Held(_)));
    }
    assert_eq!(holders, 1);
}

/// By the time at which the wait began, a lease that was renewed meanwhile seems longer than it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_asked_for_by_the_time_at_which_its_row_is_free() {
    let Some(server) = server() else { return };
    let options = server.options();
    let store = with_ended_lease(server, &options).await;
    let mut raw = server.raw().await;
    let row = hold_row(&mut raw, &options.schema).await;
    let by = process(&row).await;
    let asks = Arc::clone(&store);
    let asked = tokio::spawn(async move { acquire(&asks, &mailbox(), "two").await });
    wait_for_blocked(server, by, 1).await;
    let renew = "UPDATE lease SET length = 60000000, until = 60000000
            + (extract(epoch FROM clock_timestamp()) * 1000000)::bigint RETURNING until";
    let until: i64 = row.query_one(renew, &[]).await.unwrap().get(0);
    row.commit().await.unwrap();
    let Acquired::Busy { until: told, .. } = asked.await.unwrap() else {
        panic!("it was renewed")
    };
    assert_eq!(told.as_microsecond(), until);
}

/// A sighting is read by some that write it later, in their turn: nobody changes it in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_try_waits_for_the_turn_of_its_scope() {
    let Some(server) = server() else { return };
    let options = server.options();
    let store = Arc::new(migrated(options.clone()).await);
    let lease = held(&store, &mailbox(), "one").await;
    for (n, under_lease) in [(1, false), (2, true)] {
        let batch = CommitBatch::of_rows(vec![set_aside(n)]);
        store.commit(&scope(), &lease, batch).await.unwrap();
        let mut raw = server.raw().await;
        let turn = raw.transaction().await.unwrap();
        let take = format!("SELECT 1 FROM {}.scope FOR NO KEY UPDATE", options.schema);
        turn.batch_execute(&take).await.unwrap();
        let by = process(&turn).await;
        let (asked, lease) = (Arc::clone(&store), lease.clone());
        let again = tokio::spawn(async move {
            if under_lease {
                asked.requeue_held(&scope(), &lease, &[key(n)]).await
            } else {
                asked.requeue(&scope(), &mailbox(), &[key(n)]).await
            }
        });
        wait_for_blocked(server, by, 1).await;
        let known = store.known(&scope(), &mailbox(), &[key(n)]).await.unwrap();
        let state = known[0].as_ref().map(|known| known.state);
        assert_eq!(state, Some(SightingState::Quarantined));
        turn.commit().await.unwrap();
        assert_eq!(again.await.unwrap().unwrap(), 1);
    }
}

/// Waits until this many statements of this test's schema wait for a lock.
async fn wait_for_locks(server: &crate::cluster::Server, count: i64) {
    let raw = server.raw().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND application_name = 'email-logging'";
    // Far more looks than it takes, so that a lock that nobody asks for ends the test.
    for _ in 0..5_000 {
        if raw.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{count} statements do not wait for a lock");
}

/// Mail `n`, as this worker saw it: the same mail, another copy.
fn seen(worker: u64, n: u64) -> CommitRow {
    let row = logged(&scope(), n, 3_000);
    let mut key = n.to_be_bytes().to_vec();
    key.extend(worker.to_be_bytes());
    let item = ItemRef::new(format!("item-{worker}-{n}"));
    let sighting = Sighting::new(SightingKey::SearchKey(key), item);
    CommitRow::new(sighting, row.content)
}

const WORKERS: u64 = 6;
const BATCHES: u64 = 10;
const ROWS: u64 = 5;

/// Half of the mails of a worker are its own, half of them all have.
fn mails(worker: u64) -> Vec<u64> {
    let all = 0..BATCHES * ROWS;
    all.map(|n| if n % 2 == 0 { n } else { n + worker * 10_000 })
        .collect()
}

async fn work(store: Arc<PostgresStore>, worker: u64) {
    let lease = held(&store, &MailboxKey::new(format!("queue-{worker}")), "w").await;
    for batch in mails(worker).chunks(usize::try_from(ROWS).unwrap()) {
        let rows = batch.iter().map(|n| seen(worker, *n)).collect();
        let batch = CommitBatch::of_rows(rows);
        let receipt = store.commit(&scope(), &lease, batch).await.unwrap();
        for result in receipt.rows {
            let there = matches!(result, RowResult::Written { .. } | RowResult::AlreadyLogged);
            assert!(there, "{result:?}");
        }
    }
}

/// Reads events until all are there. A number that is skipped would never come.
async fn read_all(store: Arc<PostgresStore>, expected: u64) {
    let mut last = 0;
    while last < expected {
        for event in store.read_events(&scope(), "erp", 7).await.unwrap() {
            assert_eq!(event.number, last + 1);
            last = event.number;
        }
        store.acknowledge(&scope(), "erp", last).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_commit_at_once_lose_nothing_and_a_reader_skips_no_event() {
    let Some(server) = server() else { return };
    let options = server.options();
    let store = Arc::new(migrated(options.with_pool_size(10)).await);
    let expected = BATCHES * ROWS / 2 * (WORKERS + 1);
    let reader = tokio::spawn(read_all(Arc::clone(&store), expected));
    let workers: Vec<_> = (1..=WORKERS)
        .map(|worker| tokio::spawn(work(Arc::clone(&store), worker)))
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    reader.await.unwrap();
    let numbers: BTreeSet<u64> = entry_numbers(&*store).await.into_iter().collect();
    assert!(numbers.into_iter().eq(1..=expected));
}
