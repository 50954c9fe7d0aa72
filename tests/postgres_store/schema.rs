//! Migrations, and the tables that both engines share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock as _;
use email_logging::message::MessageContent;
use email_logging::opportunity::{CloseCode, CloseKind, SalesCycle};
use email_logging::setup::EmailLoggingSetup;
use email_logging::store::{
    Acquired, Annotation, CommitBatch, ContentIndex, EventFeed, InteractionLog, MailLedger,
    OpportunityStore, PostgresOptions, PostgresStore, SetupStore,
};
use email_logging::testkit::clock::ManualClock;
use email_logging::{EntryId, ErrorKind, WorkerId};

use jiff::SignedDuration;
use tokio_postgres::Transaction;

use crate::cluster::{Server, migrated, server};
use crate::store_rows::{commit, lease, logged, mailbox, uid};
use crate::{codes, scope};

#[tokio::test]
async fn a_store_that_was_not_migrated_answers_schema_missing() {
    let Some(server) = server() else { return };
    let store = PostgresStore::open_with(server.options()).unwrap();
    let missing = (ErrorKind::Config, "store.schema_missing");
    let read = store.load_setup(&scope()).await.unwrap_err();
    assert_eq!(codes(&read), missing);
    let write = store.acknowledge(&scope(), "erp", 1).await.unwrap_err();
    assert_eq!(codes(&write), missing);
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.load_setup(&scope()).await.unwrap(), None);
}

#[tokio::test]
async fn a_schema_that_is_newer_or_differs_is_refused_and_left_alone() {
    let Some(server) = server() else { return };
    let cases = [
        (
            "INSERT INTO schema_migration VALUES (999, '0999_later', 'x', 0)",
            "store.schema_newer",
        ),
        (
            "UPDATE schema_migration SET checksum = 'x' WHERE number = 1",
            "store.schema_changed",
        ),
        (
            "UPDATE schema_migration SET name = '0002_other' WHERE number = 2",
            "store.schema_changed",
        ),
    ];
    for (change, code) in cases {
        let options = server.options();
        migrated(options.clone()).await;
        let raw = server.raw().await;
        let within = format!("SET search_path TO {}; {change}", options.schema);
        raw.batch_execute(&within).await.unwrap();
        let store = PostgresStore::open_with(options).unwrap();
        for error in [
            store.migrate().await.unwrap_err(),
            store.load_setup(&scope()).await.unwrap_err(),
        ] {
            assert_eq!(codes(&error), (ErrorKind::Config, code), "{change}");
        }
    }
}

#[tokio::test]
async fn a_handle_that_is_open_while_a_newer_version_migrates_writes_nothing_more() {
    let Some(server) = server() else { return };
    let options = server.options();
    let store = migrated(options.clone()).await;
    let held = lease(&store, &scope()).await;
    commit(&store, &scope(), &held, vec![logged(&scope(), 1, 100)]).await;
    let newer = format!(
        "INSERT INTO {}.schema_migration VALUES (999, '0999_later', 'x', 0)",
        options.schema
    );
    server.raw().await.batch_execute(&newer).await.unwrap();
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
    assert_eq!(crate::entry_numbers(&store).await, [1], "it still reads");
    let mut raw = server.raw().await;
    let lock = raw.transaction().await.unwrap();
    let find = format!("SELECT epoch FROM {}.lease", options.schema);
    let epochs: Vec<i64> = lock
        .query(&find, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(epochs, [1], "nobody took a mailbox");
}

/// Takes the last migration back.
async fn undo_last(server: &Server, schema: &str) {
    let undo = format!(
        "SET search_path TO {schema};
         ALTER TABLE lease DROP COLUMN length;
         DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)"
    );
    server.raw().await.batch_execute(&undo).await.unwrap();
}

async fn applied(server: &Server, schema: &str) -> i64 {
    let last = format!("SELECT max(number) FROM {schema}.schema_migration");
    let row = server.raw().await.query_one(&last, &[]).await.unwrap();
    row.get(0)
}

/// The process of a connection's server.
pub(crate) async fn process(tx: &Transaction<'_>) -> i32 {
    let row = tx.query_one("SELECT pg_backend_pid()", &[]).await;
    row.unwrap().get(0)
}

/// Waits until so many connections wait for what this one holds, or for each other behind it.
pub(crate) async fn wait_for_blocked(server: &Server, by: i32, count: i64) {
    let raw = server.raw().await;
    let blocked = "WITH RECURSIVE blocked (pid) AS (
            SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))
            UNION SELECT a.pid FROM pg_stat_activity a
                JOIN blocked b ON b.pid = ANY (pg_blocking_pids(a.pid)))
        SELECT count(*) FROM blocked";
    // Far more looks than it takes, so that statements that do not wait end the test.
    for _ in 0..5_000 {
        let found: i64 = raw.query_one(blocked, &[&by]).await.unwrap().get(0);
        if found >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{count} statements do not wait");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_waits_for_who_writes_and_leaves_no_lease_of_before_it() {
    let Some(server) = server() else { return };
    for held_row in ["lease", "scope"] {
        let options = server.options();
        let store = migrated(options.clone()).await;
        let held = lease(&store, &scope()).await;
        commit(&store, &scope(), &held, vec![logged(&scope(), 1, 100)]).await;
        undo_last(server, &options.schema).await;
        let before = applied(server, &options.schema).await;
        let mut raw = server.raw().await;
        let open = raw.transaction().await.unwrap();
        let take = format!(
            "SELECT 1 FROM {}.{held_row} FOR NO KEY UPDATE",
            options.schema
        );
        open.batch_execute(&take).await.unwrap();
        let by = process(&open).await;
        let newer = PostgresStore::open_with(options.clone()).unwrap();
        let migration = tokio::spawn(async move { newer.migrate().await });
        wait_for_blocked(server, by, 1).await;
        assert_eq!(applied(server, &options.schema).await, before);
        open.commit().await.unwrap();
        migration.await.unwrap().unwrap();
        assert_eq!(applied(server, &options.schema).await, before + 1);
        let batch = CommitBatch::of_rows(vec![logged(&scope(), 2, 100)]);
        let stale = store.commit(&scope(), &held, batch).await.unwrap_err();
        assert_eq!(codes(&stale), (ErrorKind::LeaseLost, "lease.lost"));
        let free: i64 = {
            let find = format!("SELECT until FROM {}.lease", options.schema);
            server
                .raw()
                .await
                .query_one(&find, &[])
                .await
                .unwrap()
                .get(0)
        };
        assert!(free > 0, "the mailbox stays taken: a move may be under way");
        assert_eq!(crate::entry_numbers(&store).await, [1]);
    }
}

#[tokio::test]
async fn a_lease_of_an_older_version_ends_when_it_would_and_is_a_day_long_by_a_clock_that_is_set_back()
 {
    let Some(server) = server() else { return };
    let clock = ManualClock::default();
    let options = server.options().with_clock(Arc::new(clock.clone()));
    let store = migrated(options.clone()).await;
    let held = lease(&store, &scope()).await;
    undo_last(server, &options.schema).await;
    let newer = migrated(options).await;
    let until = async || {
        let (other, ttl) = (WorkerId::from("other"), Duration::from_mins(1));
        match newer.acquire(&scope(), &mailbox(), &other, ttl).await {
            Ok(Acquired::Busy { until, .. }) => until,
            asked => panic!("it is free: {asked:?}"),
        }
    };
    assert_eq!(until().await, held.until);
    clock.set(clock.now() - SignedDuration::from_hours(5 * 24));
    assert_eq!(until().await, clock.now_plus(Duration::from_hours(24)));
}

/// What a newer version does, as this one does it for an older one.
async fn migrate_as_newer(tx: &Transaction<'_>, schema: &str) {
    let newer = format!(
        "SET LOCAL search_path TO {schema};
         SELECT mailbox FROM lease ORDER BY mailbox FOR UPDATE;
         UPDATE lease SET epoch = epoch + 1;
         SELECT id FROM scope ORDER BY id FOR UPDATE;
         INSERT INTO schema_migration VALUES (999, '0999_later', 'x', 0)"
    );
    tx.batch_execute(&newer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_newer_versions_migration_writes_nothing_after_it() {
    let Some(server) = server() else { return };
    let options = server.options().with_pool_size(8);
    let store = Arc::new(migrated(options.clone()).await);
    let held = lease(&*store, &scope()).await;
    commit(&*store, &scope(), &held, vec![logged(&scope(), 1, 100)]).await;
    let mut raw = server.raw().await;
    let open = raw.transaction().await.unwrap();
    let by = process(&open).await;
    migrate_as_newer(&open, &options.schema).await;
    let scope = &scope();
    let batch = CommitBatch::of_rows(vec![logged(scope, 2, 100)]);
    let content = vec![(uid(scope, 1), MessageContent::default())];
    let (worker, ttl, key) = (WorkerId::from("worker"), Duration::from_mins(1), mailbox());
    let setup = EmailLoggingSetup::default();
    let close = CloseCode::new("PRICE", CloseKind::Lost);
    let calls = async {
        <[_; 7]>::from(tokio::join!(
            async { store.commit(scope, &held, batch).await.err() },
            async { store.renew(scope, &held, ttl).await.err() },
            async { store.acquire(scope, &key, &worker, ttl).await.err() },
            async { store.put_content(scope, content).await.err() },
            async { store.acknowledge(scope, "erp", 1).await.err() },
            async { store.save_setup(scope, &setup, 0).await.err() },
            async { store.put_close_code(scope, &close).await.err() },
        ))
    };
    let ending = async {
        wait_for_blocked(server, by, 7).await;
        open.commit().await.unwrap();
    };
    let (refused, ()) = tokio::join!(calls, ending);
    for (nth, refused) in refused.into_iter().enumerate() {
        let error = refused.unwrap_or_else(|| panic!("call {nth} wrote"));
        assert_eq!(
            codes(&error),
            (ErrorKind::Config, "store.schema_newer"),
            "{nth}"
        );
    }
    let find = format!(
        "SELECT (SELECT count(*) FROM {0}.event_cursor) + (SELECT count(*) FROM {0}.setup)
            + (SELECT count(*) FROM {0}.close_code)",
        options.schema
    );
    let written: i64 = server
        .raw()
        .await
        .query_one(&find, &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(written, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_make_and_migrate_a_new_schema_at_once() {
    let Some(server) = server() else { return };
    let options = server.options();
    let tasks = (0..8).map(|_| {
        let options = options.clone();
        tokio::spawn(async move {
            let store = PostgresStore::open_with(options).unwrap();
            store.migrate().await.unwrap();
            store.load_setup(&scope()).await.unwrap()
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap(), None);
    }
}

/// A role that may use the tables and make none.
async fn worker_role(options: &PostgresOptions, url: &str) -> PostgresOptions {
    let schema = &options.schema;
    let raw = crate::cluster::raw(url).await;
    let grants = format!(
        "CREATE ROLE worker_{schema} LOGIN;
         GRANT USAGE ON SCHEMA {schema} TO worker_{schema};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO worker_{schema};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO worker_{schema}"
    );
    raw.batch_execute(&grants).await.unwrap();
    let mut options = options.clone();
    options.url = format!("{url} user=worker_{schema}").into();
    options
}

#[tokio::test]
async fn a_role_without_ddl_does_everything_but_make_tables() {
    let Some((server, _)) = crate::cluster::own_server() else {
        return;
    };
    let options = server.options();
    migrated(options.clone()).await;
    let store = migrated(worker_role(&options, &server.url).await).await;
    let lease = crate::store_rows::lease(&store, &scope()).await;
    let rows = vec![crate::store_rows::logged(&scope(), 1, 100)];
    crate::store_rows::commit(&store, &scope(), &lease, rows).await;
    let setup = EmailLoggingSetup::default();
    assert_eq!(store.save_setup(&scope(), &setup, 0).await.unwrap(), 1);
    assert_eq!(crate::entry_numbers(&store).await, [1]);
}

#[tokio::test]
async fn words_are_kept_as_the_option_says_when_the_schema_is_made() {
    let Some(server) = server() else { return };
    for (search, kind) in [(true, "tsvector"), (false, "text")] {
        let options = server.options().with_search(search);
        migrated(options.clone()).await;
        // Later the schema decides.
        migrated(options.clone().with_search(!search)).await;
        let raw = server.raw().await;
        assert_eq!(kind_of_words(&raw, &options.schema).await, kind);
    }
}

async fn kind_of_words(raw: &tokio_postgres::Client, schema: &str) -> String {
    let find = "SELECT data_type FROM information_schema.columns
        WHERE table_schema = $1 AND table_name = 'search' AND column_name = 'words'";
    raw.query_one(find, &[&schema]).await.unwrap().get(0)
}

#[tokio::test]
async fn words_are_text_only_where_the_engine_does_not_know_vectors() {
    let Some((server, _)) = crate::cluster::own_server() else {
        return;
    };
    // What a role may not use differs from what the engine does not have; both are set in a database of this test's own.
    let (mut options, name) = (server.options(), crate::cluster::fresh_schema());
    let raw = server.raw().await;
    for sql in [
        format!("CREATE DATABASE {name}"),
        format!("CREATE ROLE {name} LOGIN"),
        format!("GRANT CREATE ON DATABASE {name} TO {name}"),
    ] {
        raw.batch_execute(&sql).await.unwrap();
    }
    let url = format!("{} dbname={name}", server.url);
    let raw = crate::cluster::raw(&url).await;
    options.url = format!("{url} user={name}").into();
    let function = "FUNCTION pg_catalog.array_to_tsvector(text[])";
    let forbid = format!("REVOKE EXECUTE ON {function} FROM PUBLIC");
    raw.batch_execute(&forbid).await.unwrap();
    let store = PostgresStore::open_with(options.clone()).unwrap();
    let error = store.migrate().await.unwrap_err();
    let unavailable = (ErrorKind::StoreUnavailable, "store.unavailable");
    assert_eq!(codes(&error), unavailable);
    let allow = format!("GRANT EXECUTE ON {function} TO PUBLIC");
    raw.batch_execute(&allow).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(kind_of_words(&raw, &options.schema).await, "tsvector");
    let take_away = format!("ALTER {function} RENAME TO unknown_here");
    raw.batch_execute(&take_away).await.unwrap();
    let options = options.with_schema("without_vectors");
    migrated(options.clone()).await;
    assert_eq!(kind_of_words(&raw, &options.schema).await, "text");
}

type Tables = BTreeMap<String, Vec<String>>;

#[cfg(feature = "sqlite")]
async fn sqlite_tables() -> Tables {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.sqlite");
    crate::store_rows::open(&path).await;
    let conn = rusqlite::Connection::open(path).unwrap();
    let list = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'search%'
        ORDER BY m.name, c.name";
    let mut list = conn.prepare(list).unwrap();
    let mut tables = Tables::new();
    let mut rows = list.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let columns = tables.entry(row.get(0).unwrap()).or_default();
        columns.push(row.get(1).unwrap());
    }
    tables
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let Some(server) = server() else { return };
    let options = server.options();
    migrated(options.clone()).await;
    let list = "SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_schema = $1 AND table_name <> 'search'
        ORDER BY table_name::text COLLATE \"C\", column_name::text COLLATE \"C\"";
    let mut tables = Tables::new();
    for row in server
        .raw()
        .await
        .query(list, &[&options.schema])
        .await
        .unwrap()
    {
        tables.entry(row.get(0)).or_default().push(row.get(1));
    }
    assert!(tables.len() >= 26, "{}", tables.len());
    assert!(tables.len() >= 22, "{}", tables.len());
    assert_eq!(tables, sqlite_tables().await);
}
