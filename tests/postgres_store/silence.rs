//! Servers that hang while their connections stand: every call ends, and nothing is written twice.

use std::process::Command;
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::store::{
    CommitBatch, EventFeed, MailLedger, PostgresStore, RowResult, SetupStore,
};

use crate::cluster::{Server, migrated, own_server};
use crate::proxy::{Break, Proxy};
use crate::store_rows::{lease, logged};
use crate::{codes, entry_numbers, scope};

/// What ends, and does not wait for ever.
async fn ended<T>(call: impl Future<Output = T>) -> T {
    let limit = Duration::from_mins(2);
    let ended = tokio::time::timeout(limit, call).await;
    ended.expect("it waits for an answer that does not come")
}

/// A process of the test's own cluster that is stopped; it goes on when this value goes, however that is.
struct Stopped(i32);

fn signal(name: &str, process: i32) {
    let command = format!("kill -{name} {process}");
    let sent = Command::new("sh").args(["-c", &command]).status();
    assert!(sent.unwrap().success());
}

impl Stopped {
    fn new(process: i32) -> Self {
        signal("STOP", process);
        Self(process)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal("CONT", self.0);
    }
}

/// Waits for a connection of this name in this state; answers its process.
async fn process(server: &Server, name: &str, condition: &str) -> i32 {
    let raw = server.raw().await;
    let find = format!(
        "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND {condition} LIMIT 1"
    );
    loop {
        if let Some(row) = raw.query_opt(&find, &[&name]).await.unwrap() {
            return row.get(0);
        }
        tokio::task::yield_now().await;
    }
}

/// Has a stopped COMMIT go on to its end: no time-out of the server ends what one waits for.
async fn go_on(server: &Server, stopped: Stopped) {
    let end_wait = "SELECT pg_cancel_backend($1)";
    let raw = server.raw().await;
    raw.query_one(end_wait, &[&stopped.0]).await.unwrap();
}

/// Waits until a process has gone.
async fn gone(server: &Server, process: i32) {
    let raw = server.raw().await;
    let find = "SELECT 1 FROM pg_stat_activity WHERE pid = $1";
    while raw.query_opt(find, &[&process]).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_statement_without_an_answer_is_asked_again_over_another_connection() {
    let Some((server, _)) = own_server() else {
        return;
    };
    let options = server.options().with_pool_size(1);
    let options = options.with_statement_timeout(Duration::from_secs(1));
    let name = options.schema.clone();
    let store = migrated(options.with_application_name(&*name)).await;
    let hanging = process(server, &name, "state = 'idle'").await;
    let stopped = Stopped::new(hanging);
    assert_eq!(ended(store.load_setup(&scope())).await.unwrap(), None);
    let other = format!("state = 'idle' AND pid <> {hanging}");
    ended(process(server, &name, &other)).await;
    drop(stopped);
    ended(gone(server, hanging)).await;
    assert_eq!(ended(store.load_setup(&scope())).await.unwrap(), None);
}

/// Has the first COMMIT with an event take long, and be done once its wait is cancelled.
async fn slow_commit(server: &Server, schema: &str) {
    let slow = format!(
        "SET search_path TO {schema};
         CREATE SEQUENCE commits;
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('{schema}.commits') = 1 THEN
                 BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END;
             END IF;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION slow()"
    );
    server.raw().await.batch_execute(&slow).await.unwrap();
}

const COMMITS: &str = "wait_event = 'PgSleep' AND query = 'COMMIT'";
const WAITS: &str = "wait_event_type = 'Lock'";

async fn is_logged_once(store: &PostgresStore) {
    assert_eq!(entry_numbers(store).await, [1]);
    let events = store.read_events(&scope(), "erp", 10).await.unwrap();
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn a_commit_without_an_answer_is_looked_after_once_its_server_goes_on() {
    let Some((server, _)) = own_server() else {
        return;
    };
    let options = server.options();
    let options = options.with_statement_timeout(Duration::from_secs(3));
    let name = options.schema.clone();
    let store = migrated(options.with_application_name(&*name)).await;
    slow_commit(server, &name).await;
    let (scope, lease) = (scope(), lease(&store, &scope()).await);
    let batch = CommitBatch::of_rows(vec![logged(&scope, 1, 10)]);
    let going_on = async {
        let stopped = Stopped::new(process(server, &name, COMMITS).await);
        // The next round waits for what the lost transaction holds.
        process(server, &name, WAITS).await;
        go_on(server, stopped).await;
    };
    let commit = store.commit(&scope, &lease, batch);
    let (committed, ()) = ended(async { tokio::join!(commit, going_on) }).await;
    let rows = committed.unwrap().rows;
    assert!(matches!(rows[..], [RowResult::Written { .. }]), "{rows:?}");
    is_logged_once(&store).await;
}

#[tokio::test]
async fn a_commit_without_an_answer_ends_with_an_error_and_may_be_repeated() {
    let Some((server, _)) = own_server() else {
        return;
    };
    let options = server.options();
    let options = options.with_statement_timeout(Duration::from_secs(1));
    let name = options.schema.clone();
    let store = migrated(options.with_application_name(&*name)).await;
    slow_commit(server, &name).await;
    let (scope, lease) = (scope(), lease(&store, &scope()).await);
    let batch = CommitBatch::of_rows(vec![logged(&scope, 1, 10)]);
    let stop = async { Stopped::new(process(server, &name, COMMITS).await) };
    let commit = store.commit(&scope, &lease, batch.clone());
    let (refused, stopped) = ended(async { tokio::join!(commit, stop) }).await;
    // The lost transaction still holds the lease's row.
    let timeout = (ErrorKind::StoreUnavailable, "store.timeout");
    assert_eq!(codes(&refused.unwrap_err()), timeout);
    assert_eq!(entry_numbers(&store).await, Vec::<u64>::new());
    let hanging = stopped.0;
    go_on(server, stopped).await;
    ended(gone(server, hanging)).await;
    is_logged_once(&store).await;
    ended(store.commit(&scope, &lease, batch)).await.unwrap();
    is_logged_once(&store).await;
}

#[tokio::test]
async fn a_link_that_falls_silent_at_a_commit_ends_the_call_and_heals() {
    for (at, written) in [(Break::Before, 0), (Break::After, 1)] {
        let Some((server, own)) = own_server() else {
            return;
        };
        let proxy = Proxy::start(own.port).await;
        let port = proxy.port;
        let mut options = server.options();
        options.url = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres").into();
        options.statement_timeout = Duration::from_secs(1);
        options.connect_timeout = Duration::from_secs(1);
        let direct = PostgresStore::open_with({
            let mut direct = options.clone();
            direct.url = server.url.clone().into();
            direct
        });
        let (store, direct) = (migrated(options).await, direct.unwrap());
        let (scope, lease) = (scope(), lease(&store, &scope()).await);
        let batch = CommitBatch::of_rows(vec![logged(&scope, 1, 10)]);
        proxy.fall_silent(at);
        let before = proxy.begun();
        let refused = ended(store.commit(&scope, &lease, batch.clone())).await;
        assert!(proxy.is_silent(), "{at:?}");
        // Nobody could be asked what became of it.
        let none = (ErrorKind::StoreUnavailable, "store.connections");
        assert_eq!(codes(&refused.unwrap_err()), none);
        assert_eq!(entry_numbers(&direct).await.len(), written, "{at:?}");
        // The answer is waited for two seconds, each link one: with the second one the four seconds of two answers are over.
        let tried = proxy.begun() - before;
        assert!((1..=2).contains(&tried), "{tried} links, {at:?}");
        // None of those that bring no answer is kept.
        ended(async {
            while proxy.links() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        proxy.heal();
        ended(store.commit(&scope, &lease, batch)).await.unwrap();
        is_logged_once(&store).await;
    }
}
