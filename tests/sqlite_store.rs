//! What is SQLite's own: files, migrations, several handles on one file, full disks, search, pages, large originals.
//!
//! What every store must do is in the conformance suite.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/store_rows.rs"]
mod store_rows;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use email_logging::clock::Clock;
use email_logging::message::MessageContent;
use email_logging::opportunity::{CloseCode, CloseKind, SalesCycle};
use email_logging::setup::EmailLoggingSetup;
use email_logging::store::{
    Acquired, Annotation, CommitBatch, ContentIndex, Cursor, DecisionFilter, EventFeed,
    InteractionLog, LogFilter, MailLedger, MoveOutcome, MoveResult, OpportunityStore, Original,
    RowContent, RowResult, SetupStore, SqliteOptions, SqliteStore,
};
use email_logging::testkit::clock::ManualClock;
use email_logging::{EntryId, Error, ErrorKind, Scope, StageId, WorkerId};
use store_rows::{commit, item, key, lease, logged, logged_row, mailbox, open, private, uid};

fn scope() -> Scope {
    Scope::default()
}

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.sqlite");
    (dir, path)
}

fn raw(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

fn codes(error: &Error) -> (ErrorKind, &'static str) {
    (error.kind(), error.code())
}

async fn subjects(store: &SqliteStore, text: &str) -> Vec<String> {
    let mut filter = LogFilter::default();
    filter.text = Some(text.into());
    let page = store.mails(&scope(), &filter, None, 100).await.unwrap();
    page.rows.into_iter().map(|m| m.record.subject).collect()
}

#[tokio::test]
async fn a_store_that_was_not_migrated_answers_schema_missing() {
    let (_dir, path) = file();
    let missing = (ErrorKind::Config, "store.schema_missing");
    for store in [
        SqliteStore::open(&path).unwrap(),
        SqliteStore::in_memory().unwrap(),
    ] {
        let read = store.load_setup(&scope()).await.unwrap_err();
        assert_eq!(codes(&read), missing);
        let write = store.acknowledge(&scope(), "erp", 1).await.unwrap_err();
        assert_eq!(codes(&write), missing);
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(store.load_setup(&scope()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_schema_that_is_newer_or_differs_is_refused_and_left_alone() {
    let cases = [
        (
            "INSERT INTO schema_migration VALUES (999, '0999_later', 'x', 0)",
            "store.schema_newer",
        ),
        (
            "UPDATE schema_migration SET checksum = 'x'",
            "store.schema_changed",
        ),
        (
            "UPDATE schema_migration SET name = '0001_other'",
            "store.schema_changed",
        ),
    ];
    for (change, code) in cases {
        let (_dir, path) = file();
        open(&path).await.close();
        raw(&path).execute_batch(change).unwrap();
        let store = SqliteStore::open(&path).unwrap();
        for error in [
            store.migrate().await.unwrap_err(),
            store.load_setup(&scope()).await.unwrap_err(),
        ] {
            assert_eq!(codes(&error), (ErrorKind::Config, code));
        }
    }
}

#[tokio::test]
async fn a_wish_to_be_left_alone_outlives_its_process_in_a_file_of_an_older_version_too() {
    let (_dir, path) = file();
    let old = open(&path).await;
    lease(&old, &scope()).await;
    old.close();
    let undo = "ALTER TABLE lease DROP COLUMN length;
        ALTER TABLE lease DROP COLUMN quiet_until;
        ALTER TABLE lease DROP COLUMN quiet_length;
        DELETE FROM schema_migration WHERE number > 7";
    raw(&path).execute_batch(undo).unwrap();
    let (ttl, day) = (Duration::from_mins(1), Duration::from_hours(24));
    let (first, second) = (open(&path).await, WorkerId::from("second"));
    let asked = first.acquire(&scope(), &mailbox(), &second, ttl).await;
    assert!(
        matches!(asked, Ok(Acquired::Busy { .. })),
        "its lease lasts"
    );
    let held = lease(&first, &scope()).await;
    first.release_quiet(&scope(), &held, day).await.unwrap();
    first.close();
    let next = open(&path).await;
    for worker in [&held.holder, &second] {
        let asked = next.acquire(&scope(), &held.mailbox, worker, ttl).await;
        let Acquired::Quiet { left } = asked.unwrap() else {
            panic!("it was taken")
        };
        assert!(left <= day && left > day / 2, "{left:?}");
    }
}

#[tokio::test]
async fn a_lease_of_an_older_version_ends_when_it_would_and_is_a_day_long_by_a_clock_that_is_set_back()
 {
    let (_dir, path) = file();
    let clock = ManualClock::default();
    let open = async || {
        let options = SqliteOptions::default().with_clock(Arc::new(clock.clone()));
        let store = SqliteStore::open_with(&path, options).unwrap();
        store.migrate().await.unwrap();
        store
    };
    let old = open().await;
    let held = lease(&old, &scope()).await;
    old.close();
    let undo = "ALTER TABLE lease DROP COLUMN length;
        DELETE FROM schema_migration WHERE number > 8";
    raw(&path).execute_batch(undo).unwrap();
    let newer = open().await;
    let until = async || {
        let (other, ttl) = (WorkerId::from("other"), Duration::from_mins(1));
        match newer.acquire(&scope(), &mailbox(), &other, ttl).await {
            Ok(Acquired::Busy { until, .. }) => until,
            asked => panic!("it is free: {asked:?}"),
        }
    };
    assert_eq!(until().await, held.until);
    clock.set(clock.now() - jiff::SignedDuration::from_hours(5 * 24));
    assert_eq!(until().await, clock.now_plus(Duration::from_hours(24)));
}

/// Shows an hour more while somebody writes into the file.
#[derive(Debug)]
struct WhileWritten(std::path::PathBuf);

#[async_trait::async_trait]
impl Clock for WhileWritten {
    fn now(&self) -> jiff::Timestamp {
        let other = raw(&self.0);
        other.busy_timeout(Duration::ZERO).unwrap();
        let is_free = other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok();
        jiff::Timestamp::from_second(if is_free { 0 } else { 3_600 }).unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

/// By the time at which the wait for another process began, a lease that was renewed meanwhile seems longer than it is.
#[tokio::test]
async fn a_lease_is_asked_for_by_the_time_at_which_the_file_is_its_own() {
    let (_dir, path) = file();
    let clock = Arc::new(WhileWritten(path.clone()));
    let options = SqliteOptions::default().with_clock(clock);
    let store = SqliteStore::open_with(&path, options).unwrap();
    store.migrate().await.unwrap();
    let held = lease(&store, &scope()).await;
    assert_eq!(held.until.as_second(), 3_600 + 60);
}

#[tokio::test]
async fn a_handle_that_is_open_while_a_newer_version_migrates_writes_nothing_more() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let held = lease(&store, &scope()).await;
    commit(&store, &scope(), &held, vec![logged(&scope(), 1, 100)]).await;
    let newer = "INSERT INTO schema_migration VALUES (999, '0999_later', 'x', 0)";
    raw(&path).execute_batch(newer).unwrap();
    let before = std::fs::read(path.with_extension("sqlite-wal")).unwrap();
    let (ttl, scope) = (Duration::from_mins(1), &scope());
    let (worker, free) = (WorkerId::from("worker"), "free".into());
    let batch = CommitBatch::of_rows(vec![logged(scope, 2, 100)]);
    let setup = EmailLoggingSetup::default();
    let content = vec![(uid(scope, 1), MessageContent::default())];
    let entry = EntryId::from_bytes([1; 16]);
    let graded = Annotation::Evaluation(Some(3));
    let cycle = SalesCycle::new("FIRM");
    let close = CloseCode::new("PRICE", CloseKind::Lost);
    for error in [
        store.commit(scope, &held, batch).await.unwrap_err(),
        store.renew(scope, &held, ttl).await.unwrap_err(),
        store.release(scope, &held).await.unwrap_err(),
        store.acquire(scope, &free, &worker, ttl).await.unwrap_err(),
        store.save_setup(scope, &setup, 0).await.unwrap_err(),
        store.acknowledge(scope, "erp", 1).await.unwrap_err(),
        store.put_content(scope, content).await.unwrap_err(),
        store.annotate(scope, &entry, graded).await.unwrap_err(),
        store.cancel(scope, &entry, true).await.unwrap_err(),
        store.put_sales_cycle(scope, &cycle).await.unwrap_err(),
        store.put_close_code(scope, &close).await.unwrap_err(),
    ] {
        let newer = (ErrorKind::Config, "store.schema_newer");
        assert_eq!(codes(&error), newer);
        let remedy = error.remedy();
        assert!(remedy.contains("newer version"), "{remedy}");
    }
    let after = std::fs::read(path.with_extension("sqlite-wal")).unwrap();
    assert_eq!(before, after, "no byte was written");
}

#[tokio::test]
async fn the_layout_is_the_measured_one() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let conn = raw(&path);
    let pragma = |name| -> String {
        let value = conn.pragma_query_value(None, name, |row| {
            let value: rusqlite::types::Value = row.get(0)?;
            Ok(value)
        });
        match value.unwrap() {
            rusqlite::types::Value::Integer(value) => value.to_string(),
            rusqlite::types::Value::Text(value) => value,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(pragma("page_size"), "16384");
    assert_eq!(pragma("journal_mode"), "wal");
    assert_eq!(pragma("auto_vacuum"), "2");
    drop(store);
}

#[cfg(unix)]
#[tokio::test]
async fn check_12_every_file_has_mode_0600_from_its_first_byte() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, path) = file();
    let store = open(&path).await;
    let lease = lease(&store, &scope()).await;
    commit(&store, &scope(), &lease, vec![logged(&scope(), 1, 30_000)]).await;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        names.push((entry.file_name().into_string().unwrap(), mode));
    }
    names.sort();
    let expected = ["log.sqlite", "log.sqlite-shm", "log.sqlite-wal"];
    assert_eq!(names, expected.map(|name| (name.to_owned(), 0o600)));
    store.close();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _again = SqliteStore::open(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[tokio::test]
async fn a_reopened_file_has_everything_and_passes_the_integrity_check() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let lease = lease(&store, &scope()).await;
    commit(&store, &scope(), &lease, vec![logged(&scope(), 1, 30_000)]).await;
    let mut setup = EmailLoggingSetup::default();
    setup.enabled = true;
    setup.queue_folder = Some(r"\Email Logging\Queue\".parse().unwrap());
    setup.email_batch_size = 50;
    assert_eq!(store.save_setup(&scope(), &setup, 0).await.unwrap(), 1);
    let mail = store.mail(&scope(), &uid(&scope(), 1)).await.unwrap();
    drop(store);

    let store = SqliteStore::open(&path).unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.mail(&scope(), &uid(&scope(), 1)).await.unwrap(), mail);
    assert_eq!(mail.record, store_rows::record(1, 30_000));
    let part = store
        .original(&scope(), &uid(&scope(), 1), 0..u64::MAX)
        .await
        .unwrap();
    assert_eq!(part.bytes, store_rows::bytes(1, 30_000));
    assert_eq!(part.digest, mail.record.identity.original_digest);
    let stored = store.load_setup(&scope()).await.unwrap().unwrap();
    assert_eq!((stored.setup, stored.version), (setup, 1));
    store.close();
    let check: String = raw(&path)
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn a_closed_store_says_so() {
    for inline in [false, true] {
        let (_dir, path) = file();
        let options = SqliteOptions::default().with_inline(inline);
        let store = SqliteStore::open_with(&path, options).unwrap();
        store.migrate().await.unwrap();
        store.close();
        store.close();
        let error = store.load_setup(&scope()).await.unwrap_err();
        assert_eq!(codes(&error), (ErrorKind::StoreUnavailable, "store.closed"));
    }
}

#[test]
fn a_store_without_threads_does_every_call_at_its_first_poll() {
    let (_dir, path) = file();
    let options = SqliteOptions::default().with_inline(true);
    let store = SqliteStore::open_with(&path, options).unwrap();
    let now = |future: &mut (dyn Future<Output = ()> + Unpin)| {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::Pin::new(future).poll(&mut context).is_ready());
    };
    now(&mut Box::pin(async {
        store.migrate().await.unwrap();
        let lease = lease(&store, &scope()).await;
        commit(&store, &scope(), &lease, vec![logged(&scope(), 1, 1_000)]).await;
        assert_eq!(subjects(&store, "offer").await.len(), 1);
    }));
}

#[tokio::test]
async fn what_is_no_database_is_called_damaged() {
    let (_dir, path) = file();
    std::fs::write(&path, vec![b'x'; 40_000]).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(
        codes(&error),
        (ErrorKind::StoreUnavailable, "store.corrupt")
    );
    let error = SqliteStore::open("/nonexistent/log.sqlite").unwrap_err();
    assert_eq!(
        codes(&error),
        (ErrorKind::StoreUnavailable, "store.unavailable")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_handles_may_make_and_migrate_a_new_file_at_once() {
    let (_dir, path) = file();
    let open_one = || {
        let path = path.clone();
        tokio::spawn(async move {
            let store = SqliteStore::open(&path)?;
            store.migrate().await?;
            store.load_setup(&scope()).await
        })
    };
    let opened: Vec<_> = (0..12).map(|_| open_one()).collect();
    for answer in opened {
        assert_eq!(answer.await.unwrap().unwrap(), None);
    }
    let applied: i64 = raw(&path)
        .query_row("SELECT count(*) FROM schema_migration", [], |r| r.get(0))
        .unwrap();
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/schema/sqlite");
    let files = std::fs::read_dir(files).unwrap().count();
    assert_eq!(usize::try_from(applied).unwrap(), files);
}

#[tokio::test]
async fn two_handles_on_one_file_see_one_ledger_and_the_stale_one_is_fenced() {
    let (_dir, path) = file();
    let (first, second) = (open(&path).await, open(&path).await);
    let old = lease(&first, &scope()).await;
    let other = WorkerId::from("other");
    let ttl = Duration::from_mins(1);
    let busy = second.acquire(&scope(), &mailbox(), &other, ttl).await;
    assert!(matches!(busy.unwrap(), Acquired::Busy { holder, .. } if holder.as_str() == "worker"));
    let new = lease(&second, &scope()).await;
    assert_eq!((old.epoch, new.epoch), (1, 2));

    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 100)]);
    let error = first
        .commit(&scope(), &old, batch.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseLost);
    let stage = StageId::from_bytes([1; 16]);
    let staged = first.stage(&scope(), &old, stage, 0, vec![1]).await;
    assert_eq!(staged.unwrap_err().kind(), ErrorKind::LeaseLost);
    for table in [
        "message", "entry", "sighting", "decision", "event", "original",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = raw(&path).query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    second.commit(&scope(), &new, batch.clone()).await.unwrap();
    let known = first.known(&scope(), &mailbox(), &[key(1)]).await.unwrap();
    assert_eq!(known[0].as_ref().unwrap().message, Some(uid(&scope(), 1)));
    let again = second.commit(&scope(), &new, batch).await.unwrap();
    assert!(matches!(again.rows[..], [RowResult::AlreadyLogged]));
}

#[tokio::test]
async fn a_write_that_another_process_keeps_waiting_is_unavailable_and_can_be_repeated() {
    let (_dir, path) = file();
    let options = SqliteOptions::default().with_busy_timeout(Duration::from_millis(20));
    let store = SqliteStore::open_with(&path, options).unwrap();
    store.migrate().await.unwrap();
    let held = lease(&store, &scope()).await;
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 1_000)]);
    let refused = store.commit(&scope(), &held, batch.clone()).await;
    let unavailable = (ErrorKind::StoreUnavailable, "store.unavailable");
    assert_eq!(codes(&refused.unwrap_err()), unavailable);
    let known = store.known(&scope(), &mailbox(), &[key(1)]).await.unwrap();
    assert_eq!(known, [None]);
    other.execute_batch("ROLLBACK").unwrap();
    let receipt = store.commit(&scope(), &held, batch).await.unwrap();
    assert!(matches!(&receipt.rows[..], [RowResult::Written { entries }] if entries.len() == 1));
}

#[tokio::test]
async fn a_lease_and_a_result_that_another_process_keeps_waiting_can_be_asked_for_again() {
    let (_dir, path) = file();
    let options = SqliteOptions::default().with_busy_timeout(Duration::from_millis(20));
    let store = SqliteStore::open_with(&path, options).unwrap();
    store.migrate().await.unwrap();
    let (scope, mailbox, ttl) = (&scope(), &mailbox(), Duration::from_mins(1));
    let worker = WorkerId::from("worker");
    let unavailable = (ErrorKind::StoreUnavailable, "store.unavailable");
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.acquire(scope, mailbox, &worker, ttl).await;
    assert_eq!(codes(&refused.unwrap_err()), unavailable);
    other.execute_batch("ROLLBACK").unwrap();
    let held = lease(&store, scope).await;
    commit(&store, scope, &held, vec![logged(scope, 1, 100)]).await;
    let planned = |until| store.pending_moves(scope, mailbox, until, 10);
    let until = jiff::Timestamp::MAX;
    assert_eq!(planned(until).await.unwrap().len(), 1);
    let mut batch = CommitBatch::default();
    batch.moves = vec![MoveResult::new(key(1), item(1), MoveOutcome::Done(None))];
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for refused in [
        store.renew(scope, &held, ttl).await.map(|_| ()),
        store.commit(scope, &held, batch.clone()).await.map(|_| ()),
        store.release(scope, &held).await,
    ] {
        assert_eq!(codes(&refused.unwrap_err()), unavailable);
    }
    assert_eq!(
        planned(until).await.unwrap().len(),
        1,
        "it is still planned"
    );
    other.execute_batch("ROLLBACK").unwrap();
    store.renew(scope, &held, ttl).await.unwrap();
    store.commit(scope, &held, batch).await.unwrap();
    assert_eq!(planned(until).await.unwrap(), []);
}

#[tokio::test]
async fn writers_of_two_handles_take_turns_and_numbers_have_no_gap() {
    let (_dir, path) = file();
    let stores = [open(&path).await, open(&path).await];
    let scope = &scope();
    let write = |store: usize| {
        let store = &stores[store];
        async move {
            let worker = WorkerId::from("w");
            let mailbox = format!("queue-{store:p}").as_str().into();
            let ttl = Duration::from_mins(1);
            let Acquired::Held(lease) = store.acquire(scope, &mailbox, &worker, ttl).await.unwrap()
            else {
                panic!("busy");
            };
            for n in 0..40 {
                commit(store, scope, &lease, vec![logged(scope, n, 2_000)]).await;
            }
        }
    };
    tokio::join!(write(0), write(1));
    let events = stores[0].read_events(scope, "erp", 1000).await.unwrap();
    let numbers: Vec<u64> = events.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<u64>>());
    let page = stores[1]
        .entries(scope, &LogFilter::default(), None, 1000)
        .await
        .unwrap();
    let mut entry_nos: Vec<u64> = page.rows.iter().map(|entry| entry.entry_no).collect();
    entry_nos.sort_unstable();
    assert_eq!(entry_nos, (1..=40).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_commit_whose_future_is_dropped_is_whole_or_absent() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let held = lease(&store, &scope()).await;
    let rows = (0..20).map(|n| logged(&scope(), n, 30_000)).collect();
    {
        let scope = scope();
        let commit = store.commit(&scope, &held, CommitBatch::of_rows(rows));
        tokio::pin!(commit);
        // One poll hands the batch to the writer; then nobody waits any more.
        tokio::select! { biased; _ = &mut commit => {}, () = std::future::ready(()) => {} }
    }
    store.close();
    let conn = raw(&path);
    let count = |table| -> i64 {
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))
            .unwrap()
    };
    let tables = [
        "message",
        "entry",
        "sighting",
        "decision",
        "pending_move",
        "event",
        "original",
    ];
    assert_eq!(tables.map(count), [20; 7]);
}

#[tokio::test]
async fn a_row_that_is_refused_leaves_no_trace_and_the_others_are_written() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let lease = lease(&store, &scope()).await;
    // The entry's id belongs to another pair: only SQLite's unique key can tell.
    let mut forged = logged_row(&scope(), 2, 1_000);
    forged.entries[0].id = store_rows::entry(&scope(), 1).id;
    let rows = vec![
        logged(&scope(), 1, 1_000),
        store_rows::decided(2, forged),
        logged(&scope(), 3, 1_000),
    ];
    let receipt = commit(&store, &scope(), &lease, rows).await;
    match &receipt.rows[..] {
        [
            RowResult::Written { entries: first },
            RowResult::Rejected(error),
            RowResult::Written { entries: third },
        ] => {
            assert_eq!((first[0].1, third[0].1), (1, 2));
            assert_eq!(codes(error), (ErrorKind::Conflict, "store.data"));
        }
        other => panic!("{other:?}"),
    }
    let gone = store.mail(&scope(), &uid(&scope(), 2)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    let known = store.known(&scope(), &mailbox(), &[key(2), key(3)]).await;
    let known: Vec<bool> = known.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(known, [false, true]);
    assert_eq!(subjects(&store, "offer").await.len(), 2);
}

#[tokio::test]
async fn a_full_database_fails_the_batch_whole_and_keeps_what_was_there() {
    let (_dir, path) = file();
    let options = SqliteOptions::default().with_max_bytes(2 * 1024 * 1024);
    let store = SqliteStore::open_with(&path, options).unwrap();
    store.migrate().await.unwrap();
    let lease = lease(&store, &scope()).await;
    let mut written = 0;
    let error = loop {
        let rows = (written..written + 5).map(|n| logged(&scope(), n, 30_000));
        let batch = CommitBatch::of_rows(rows.collect());
        match store.commit(&scope(), &lease, batch).await {
            Ok(_) => written += 5,
            Err(error) => break error,
        }
        assert!(written < 500, "the limit never bites");
    };
    assert_eq!(codes(&error), (ErrorKind::StoreUnavailable, "store.full"));
    assert!(written > 0);
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    let page = store
        .entries(&scope(), &LogFilter::default(), None, 1000)
        .await;
    assert_eq!(page.unwrap().rows.len() as u64, written);
    let known = store
        .known(&scope(), &mailbox(), &[key(written)])
        .await
        .unwrap();
    assert_eq!(known, [None]);
    let check: String = raw(&path)
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn a_private_mail_leaves_its_key_and_its_reason_alone() {
    let (dir, path) = file();
    let store = open(&path).await;
    let lease = lease(&store, &scope()).await;
    let receipt = commit(&store, &scope(), &lease, vec![private(&scope(), 7)]).await;
    assert!(matches!(&receipt.rows[..], [RowResult::Written { entries }] if entries.is_empty()));
    let filter = DecisionFilter::default();
    let page = store.decisions(&scope(), &filter, None, 10).await.unwrap();
    let decision = &page.rows[0];
    assert_eq!(
        (
            &*decision.outcome,
            &*decision.reason,
            decision.message,
            &decision.subject
        ),
        ("excluded", "private", None, &None)
    );
    let mut of_sighting = DecisionFilter::default();
    of_sighting.sighting = Some((mailbox(), key(7)));
    let page = store.decisions(&scope(), &of_sighting, None, 10).await;
    assert_eq!(page.unwrap().rows, std::slice::from_ref(decision));
    let moves = store
        .pending_moves(&scope(), &mailbox(), jiff::Timestamp::MAX, 10)
        .await
        .unwrap();
    assert_eq!(moves.len(), 1);
    store.close();
    let uid = uid(&scope(), 7);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|window| window == uid.as_bytes()));
    }
    let messages: i64 = raw(&path)
        .query_row("SELECT count(*) FROM message", [], |row| row.get(0))
        .unwrap();
    assert_eq!(messages, 0);
}

#[tokio::test]
async fn words_are_found_without_case_and_accents_and_syntax_is_only_words() {
    let store = SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    let lease = lease(&store, &scope()).await;
    let rows = (1..=2).map(|n| logged(&scope(), n, 1_000)).collect();
    commit(&store, &scope(), &lease, rows).await;
    let (one, both) = (vec!["Offer 1 for the Stühle"], 2);
    assert_eq!(subjects(&store, "1 offer").await, one);
    for text in ["STUHLE", "stüh", "anna.holm@cronus.example", "Holm off"] {
        assert_eq!(subjects(&store, text).await.len(), both, "{text}");
    }
    for text in [
        "offer NOT 1",
        "nobody",
        "subject:offer zzz",
        "* OR \"",
        "off 1 xyz",
        "",
        " - \" * ",
    ] {
        let found = subjects(&store, text).await.len();
        assert_eq!(found, 0, "{text}");
    }

    assert_eq!(subjects(&store, "swivel").await.len(), 0);
    let mut content = MessageContent::default();
    content.text = Some("Forty swivel chairs, as discussed.".into());
    let contents = vec![(uid(&scope(), 1), content)];
    store.put_content(&scope(), contents.clone()).await.unwrap();
    store.put_content(&scope(), contents).await.unwrap();
    assert_eq!(subjects(&store, "chairs holm swiv").await, one);
    assert_eq!(subjects(&store, "stuhle").await.len(), both);
    let mut filter = LogFilter::default();
    filter.text = Some("swivel".into());
    let page = store.mails(&scope(), &filter, None, 10).await.unwrap();
    assert_eq!((page.rows.len(), page.not_indexed), (1, 1));
    let waiting = store.unindexed(&scope(), 10).await.unwrap();
    assert_eq!(waiting, [uid(&scope(), 2)]);
}

#[tokio::test]
async fn a_word_of_every_mail_and_a_word_of_few_are_paged_alike() {
    const MAILS: u64 = 2_100;
    let store = SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    let lease = lease(&store, &scope()).await;
    let rows = (0..MAILS).map(|n| logged(&scope(), n, 10)).collect();
    commit(&store, &scope(), &lease, rows).await;
    for (text, count) in [("offer", MAILS), ("2042", 1), ("offer 20", 120)] {
        let mut filter = LogFilter::default();
        filter.text = Some(text.into());
        let mut found = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = store.entries(&scope(), &filter, after.as_ref(), 500).await;
            let page = page.unwrap();
            found.extend(page.rows.into_iter().map(|entry| entry.entry_no));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found.len() as u64, count, "{text}");
        assert!(found.is_sorted_by(|a, b| a > b), "{text}");
    }
}

/// The numbers of the mails on the pages of a search, in their order.
async fn found(store: &SqliteStore, text: &str, limit: u32) -> Vec<u64> {
    let mut filter = LogFilter::default();
    filter.text = Some(text.to_owned());
    let mut numbers = Vec::new();
    let mut after = None;
    loop {
        let page = store.mails(&scope(), &filter, after.as_ref(), limit).await;
        let page = page.unwrap();
        let subjects = page.rows.iter().map(|mail| &mail.record.subject);
        let number = |subject: &String| subject.split(' ').nth(1).unwrap().parse::<u64>();
        numbers.extend(subjects.map(|subject| number(subject).unwrap()));
        after = page.next;
        if after.is_none() {
            return numbers;
        }
    }
}

#[tokio::test]
async fn a_beginning_finds_the_same_mails_whether_many_have_it_or_few() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let lease = lease(&store, &scope()).await;
    let rows = (0..40).map(|n| logged(&scope(), n, 100)).collect();
    commit(&store, &scope(), &lease, rows).await;
    // A word of the oldest two alone, and one of every fourth.
    for n in 0..40 {
        let mut content = MessageContent::default();
        content.text = Some(match n {
            0 | 1 => "Zebras, \u{dc}bung".to_owned(),
            n if n % 4 == 0 => "a yak".to_owned(),
            _ => "nothing else".to_owned(),
        });
        let contents = vec![(uid(&scope(), n), content)];
        store.put_content(&scope(), contents).await.unwrap();
    }
    let all: Vec<u64> = (0..40).rev().collect();
    let fourth: Vec<u64> = (1..10).rev().map(|n| n * 4).collect();
    for limit in [1, 2, 7, 100] {
        for text in ["s", "st", "St\u{dc}hle", "offer an", "anna off", "ad"] {
            assert_eq!(found(&store, text, limit).await, all, "{text}");
        }
        for text in ["z", "zebra", "ub", "offer ze", "zebras off"] {
            assert_eq!(found(&store, text, limit).await, [1, 0], "{text}");
        }
        for text in ["y", "ya", "offer yak"] {
            assert_eq!(found(&store, text, limit).await, fourth, "{text}");
        }
        assert_eq!(found(&store, "7", limit).await, [7]);
        for text in ["q", "offer q", "off q", "zeb offer", "tuhle"] {
            assert_eq!(found(&store, text, limit).await, [0; 0], "{text}");
        }
    }
}

#[tokio::test]
async fn a_page_goes_on_where_it_ended_while_rows_are_added() {
    let store = SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    let lease = lease(&store, &scope()).await;
    let rows = (0..25).map(|n| logged(&scope(), n, 100)).collect();
    commit(&store, &scope(), &lease, rows).await;
    let filter = LogFilter::default();
    let mut seen = Vec::new();
    let mut after: Option<Cursor> = None;
    for round in 0..3 {
        let page = store
            .mails(&scope(), &filter, after.as_ref(), 10)
            .await
            .unwrap();
        seen.extend(page.rows.into_iter().map(|mail| mail.message));
        after = page.next;
        let newer = logged(&scope(), 100 + round, 100);
        commit(&store, &scope(), &lease, vec![newer]).await;
    }
    assert_eq!(after, None);
    let expected: Vec<_> = (0..25).rev().map(|n| uid(&scope(), n)).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_cursor_of_another_question_is_refused() {
    let store = SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    let lease = lease(&store, &scope()).await;
    let rows = (0..5).map(|n| logged(&scope(), n, 100)).collect();
    commit(&store, &scope(), &lease, rows).await;
    let filter = LogFilter::default();
    let page = store.mails(&scope(), &filter, None, 2).await.unwrap();
    let cursor = page.next.unwrap();
    let mut other = LogFilter::default();
    other.canceled = true;
    let refused = (ErrorKind::Protocol, "store.cursor");
    for cursor in [
        cursor.clone(),
        Cursor::new(""),
        Cursor::new("a.b.c"),
        Cursor::new("1.2.3"),
    ] {
        let mails = store.mails(&scope(), &other, Some(&cursor), 2).await;
        assert_eq!(codes(&mails.unwrap_err()), refused);
        let entries = store.entries(&scope(), &filter, Some(&cursor), 2).await;
        assert_eq!(codes(&entries.unwrap_err()), refused);
    }
    assert!(
        store
            .mails(&scope(), &filter, Some(&cursor), 2)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_large_original_is_staged_in_pieces_and_read_range_by_range() {
    const PIECE: usize = 1024 * 1024;
    const PIECES: usize = 20;
    let (_dir, path) = file();
    let store = open(&path).await;
    let lease = lease(&store, &scope()).await;
    let stage = StageId::from_bytes([9; 16]);
    let piece =
        |index: usize| store_rows::bytes(index as u64 + 1, PIECE - usize::from(index == 19));
    for index in 0..PIECES {
        let number = u32::try_from(index).unwrap();
        store
            .stage(&scope(), &lease, stage, number, piece(index))
            .await
            .unwrap();
    }
    let gap = store.stage(&scope(), &lease, stage, 30, vec![1]).await;
    assert_eq!(gap.unwrap_err().code(), "store.data");
    let total = PIECES * PIECE - 1;
    let mut row = logged_row(&scope(), 1, total);
    row.original = Original::Staged(stage);
    commit(&store, &scope(), &lease, vec![store_rows::decided(1, row)]).await;

    let whole: Vec<u8> = (0..PIECES).flat_map(piece).collect();
    let mib = PIECE as u64;
    let ranges = [
        0..10,
        mib - 3..mib + 3,
        5 * mib..7 * mib,
        total as u64 - 5..u64::MAX,
        total as u64..u64::MAX,
        7..7,
    ];
    for range in ranges {
        let message = uid(&scope(), 1);
        let part = store
            .original(&scope(), &message, range.clone())
            .await
            .unwrap();
        let at = |place: u64| usize::try_from(place).unwrap_or(total).min(total);
        assert_eq!(part.total, total as u64);
        assert!(
            part.bytes == whole[at(range.start)..at(range.end)],
            "{range:?}"
        );
    }
}

#[tokio::test]
async fn what_was_staged_and_never_linked_is_swept_when_the_mailbox_is_taken() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let first = lease(&store, &scope()).await;
    let stage = StageId::from_bytes([9; 16]);
    store
        .stage(&scope(), &first, stage, 0, vec![1; 1000])
        .await
        .unwrap();
    let second = lease(&store, &scope()).await;
    let count = |table| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        raw(&path).query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(["original", "original_chunk"].map(count), [0, 0]);
    let mut row = logged_row(&scope(), 1, 1000);
    row.original = Original::Staged(stage);
    let receipt = commit(&store, &scope(), &second, vec![store_rows::decided(1, row)]).await;
    assert!(
        matches!(&receipt.rows[..], [RowResult::Rejected(error)] if error.code() == "store.data")
    );
    assert_eq!(["message", "sighting"].map(count), [0, 0]);
}

#[tokio::test]
async fn a_host_joins_entries_mails_participants_and_pieces() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let lease = lease(&store, &scope()).await;
    commit(&store, &scope(), &lease, vec![logged(&scope(), 3, 30_000)]).await;
    let joined: (String, String, i64) = raw(&path)
        .query_row(
            "SELECT m.subject, p.address, sum(length(c.bytes))
             FROM scope s JOIN entry e ON e.scope = s.id JOIN message m ON m.no = e.message_no
             JOIN participant p ON p.message_no = m.no AND p.role = 'to'
             JOIN original o ON o.message_no = m.no JOIN original_chunk c ON c.id / 4096 = o.no
             WHERE s.tenant = 'default' AND s.company = 'default' AND e.contact_no = 'CT000003'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    let expected = (
        "Offer 3 for the Stühle".into(),
        "contact3@adatum.example".into(),
        30_000,
    );
    assert_eq!(joined, expected);
}

#[tokio::test]
async fn the_words_of_an_unread_row_are_not_the_word_of_another_scope() {
    let store = SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    let lease = lease(&store, &scope()).await;
    commit(&store, &scope(), &lease, vec![logged(&scope(), 1, 100)]).await;
    let other = Scope::new("default", "other").unwrap();
    let mut filter = LogFilter::default();
    filter.text = Some("offer".into());
    let page = store.mails(&other, &filter, None, 10).await.unwrap();
    assert_eq!((page.rows.len(), page.not_indexed), (0, 0));
    let RowContent::Decided(_) = logged(&scope(), 1, 100).content else {
        panic!("a decided row");
    };
    let gone = store.mail(&other, &uid(&scope(), 1)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

/// A clock that counts how often it is asked.
#[derive(Debug, Default)]
struct Asked(AtomicU32);

#[async_trait::async_trait]
impl Clock for Asked {
    fn now(&self) -> jiff::Timestamp {
        self.0.fetch_add(1, Ordering::Relaxed);
        jiff::Timestamp::UNIX_EPOCH
    }

    async fn sleep(&self, _: Duration) {}
}

#[tokio::test]
async fn only_a_batch_with_bad_data_is_written_once_more() {
    let (_dir, path) = file();
    let clock = Arc::new(Asked::default());
    let options = SqliteOptions::default()
        .with_max_bytes(2 * 1024 * 1024)
        .with_clock(Arc::clone(&clock) as _);
    let store = SqliteStore::open_with(&path, options).unwrap();
    store.migrate().await.unwrap();
    let held = lease(&store, &scope()).await;
    let before = clock.0.load(Ordering::Relaxed);
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 4 << 20)]);
    let full = store.commit(&scope(), &held, batch).await.unwrap_err();
    assert_eq!(codes(&full), (ErrorKind::StoreUnavailable, "store.full"));
    let asked = clock.0.load(Ordering::Relaxed) - before;
    assert_eq!(asked, 1, "a full disk is not tried again");
}

#[tokio::test]
async fn an_outage_while_rows_are_written_apart_is_no_refusal_of_a_row() {
    let (_dir, path) = file();
    let options = SqliteOptions::default().with_max_bytes(2 * 1024 * 1024);
    let store = SqliteStore::open_with(&path, options).unwrap();
    store.migrate().await.unwrap();
    let held = lease(&store, &scope()).await;
    let mut forged = logged_row(&scope(), 2, 1_000);
    forged.entries[0].id = store_rows::entry(&scope(), 1).id;
    let rows = vec![
        logged(&scope(), 1, 1_000),
        store_rows::decided(2, forged),
        logged(&scope(), 3, 4 << 20),
    ];
    let batch = CommitBatch::of_rows(rows);
    let full = store.commit(&scope(), &held, batch).await.unwrap_err();
    assert_eq!(codes(&full), (ErrorKind::StoreUnavailable, "store.full"));
    let known = store.known(&scope(), &mailbox(), &[key(1)]).await.unwrap();
    assert_eq!(known, [None], "nothing of the batch is written");
}

#[tokio::test]
async fn an_entry_that_is_there_takes_no_number() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let held = lease(&store, &scope()).await;
    commit(&store, &scope(), &held, vec![logged(&scope(), 1, 100)]).await;
    let copy = store_rows::decided(9, logged_row(&scope(), 1, 100));
    let rows = vec![copy, logged(&scope(), 2, 100)];
    let receipt = commit(&store, &scope(), &held, rows).await;
    match &receipt.rows[..] {
        [RowResult::AlreadyLogged, RowResult::Written { entries }] => {
            assert_eq!(entries[0].1, 2);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_mail_refers_to_others_at_once_only_where_no_second_stage_comes() {
    let kept = logged_row(&scope(), 1, 100);
    let mut without_original = kept.clone();
    without_original.original = Original::NotKept;
    let mut without_entries = without_original.clone();
    without_entries.entries.clear();
    for (row, references) in [(kept, 0), (without_original, 1), (without_entries, 0)] {
        let (_dir, path) = file();
        let store = open(&path).await;
        let held = lease(&store, &scope()).await;
        let rows = vec![store_rows::decided(1, row)];
        commit(&store, &scope(), &held, rows).await;
        let sql = "SELECT count(*) FROM message_reference";
        let written: i64 = raw(&path).query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(written, references);
    }
}

#[tokio::test]
async fn a_message_has_65536_participants_at_most() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let held = lease(&store, &scope()).await;
    for (number, count, fits) in [(1, 1_usize << 16, true), (2, (1 << 16) + 1, false)] {
        let mut row = logged_row(&scope(), number, 100);
        let record = row.record.as_mut().unwrap();
        let one = record.participants[0].clone();
        record.participants = vec![one; count];
        let rows = vec![store_rows::decided(number, row)];
        let receipt = commit(&store, &scope(), &held, rows).await;
        let written = matches!(receipt.rows[..], [RowResult::Written { .. }]);
        assert_eq!(written, fits, "{count} participants");
    }
}

#[tokio::test]
async fn a_lease_that_cannot_be_given_back_is_told_unless_it_is_lost() {
    let (_dir, path) = file();
    let store = open(&path).await;
    let lost = lease(&store, &scope()).await;
    let held = lease(&store, &scope()).await;
    store.release(&scope(), &lost).await.unwrap();
    raw(&path)
        .execute_batch("ALTER TABLE lease RENAME TO away")
        .unwrap();
    store.release(&scope(), &held).await.unwrap_err();
}

#[tokio::test]
async fn of_two_mails_with_one_message_id_in_a_commit_the_one_with_the_lower_id_is_written() {
    let (one, other) = (uid(&scope(), 1), uid(&scope(), 2));
    let lower = if one < other { 1 } else { 2 };
    for numbers in [[1, 2], [2, 1]] {
        let (_dir, path) = file();
        let store = open(&path).await;
        let lease = lease(&store, &scope()).await;
        let rows = numbers.map(|number| {
            let mut row = logged_row(&scope(), number, 1_000);
            let record = row.record.as_mut().unwrap();
            record.message_id = Some("same@x.example".into());
            store_rows::decided(number, row)
        });
        let receipt = commit(&store, &scope(), &lease, rows.into()).await;
        let answered = numbers.into_iter().zip(&receipt.rows);
        let written = answered.filter(|(_, row)| matches!(row, RowResult::Written { .. }));
        let written: Vec<_> = written.map(|(number, _)| number).collect();
        assert_eq!(written, [lower], "{numbers:?}: {receipt:?}");
    }
}
