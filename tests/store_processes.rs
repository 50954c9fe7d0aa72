//! Several processes on one file, and what a process leaves behind in it.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/store_rows.rs"]
mod store_rows;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use email_logging::source::{ItemRef, SightingKey};
use email_logging::store::{
    Acquired, CommitRow, EventFeed, InteractionLog, Lease, LogFilter, MailLedger, RowResult,
    Sighting, SqliteStore,
};
use email_logging::{MailboxKey, Scope, StageId, WorkerId};
use store_rows::{bytes, commit, lease, logged, open};

/// Set in a child: the number of the process.
const CHILD: &str = "EMAIL_LOGGING_STORE_CHILD";
const FILE: &str = "EMAIL_LOGGING_STORE_FILE";

fn scope() -> Scope {
    Scope::default()
}

const PROCESSES: u64 = 2;
const BATCHES: u64 = 40;
const ROWS: u64 = 5;

fn child(number: u64, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child", "--nocapture"])
        .env(CHILD, number.to_string())
        .env(FILE, file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn lease_of(store: &SqliteStore, mailbox: &str) -> Lease {
    let (mailbox, worker) = (MailboxKey::from(mailbox), WorkerId::from(mailbox));
    let ttl = Duration::from_mins(5);
    match store
        .acquire(&scope(), &mailbox, &worker, ttl)
        .await
        .unwrap()
    {
        Acquired::Held(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// Mail `n`, as this process saw it: the same mail, another copy.
fn seen(process: u64, n: u64) -> CommitRow {
    let row = logged(&scope(), n, 10_000);
    let mut key = n.to_be_bytes().to_vec();
    key.extend(process.to_be_bytes());
    let item = ItemRef::new(format!("item-{process}-{n}"));
    let sighting = Sighting::new(SightingKey::SearchKey(key), item);
    CommitRow::new(sighting, row.content)
}

/// What each process commits: half of its mails are its own, half of them all have.
fn mails(process: u64) -> impl Iterator<Item = u64> {
    (0..BATCHES * ROWS).map(move |n| if n % 2 == 0 { n } else { n + process * 10_000 })
}

/// Commits as one of several processes; nothing where it is not told to be one.
#[tokio::test]
async fn the_child() {
    let Ok(process) = std::env::var(CHILD) else {
        return;
    };
    let process: u64 = process.parse().unwrap();
    let file = std::env::var_os(FILE).unwrap();
    let store = SqliteStore::open(file).unwrap();
    let lease = lease_of(&store, &format!("queue-{process}")).await;
    let all: Vec<u64> = mails(process).collect();
    for batch in all.chunks(usize::try_from(ROWS).unwrap()) {
        let rows = batch.iter().map(|n| seen(process, *n)).collect();
        let receipt = commit(&store, &scope(), &lease, rows).await;
        for result in receipt.rows {
            let there = matches!(result, RowResult::Written { .. } | RowResult::AlreadyLogged);
            assert!(there, "{result:?}");
        }
    }
}

#[tokio::test]
async fn processes_that_commit_at_once_lose_nothing_and_log_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.sqlite");
    let store = open(&file).await;
    let children: Vec<Child> = (1..=PROCESSES).map(|n| child(n, &file)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let own = (BATCHES * ROWS / 2) * PROCESSES;
    let expected = BATCHES * ROWS / 2 + own;
    let all = LogFilter::default();
    let page = store.entries(&scope(), &all, None, 10_000).await.unwrap();
    let numbers: BTreeSet<u64> = page.rows.iter().map(|entry| entry.entry_no).collect();
    assert_eq!(page.rows.len() as u64, expected);
    assert!(numbers.into_iter().eq(1..=expected));
    let events = store.read_events(&scope(), "erp", 10_000).await.unwrap();
    assert!(events.iter().map(|event| event.number).eq(1..=expected));
    for process in 1..=PROCESSES {
        let mailbox = MailboxKey::new(format!("queue-{process}"));
        let keys: Vec<_> = mails(process)
            .map(|n| seen(process, n).sighting.key)
            .collect();
        let known = store.known(&scope(), &mailbox, &keys).await.unwrap();
        assert!(known.iter().flatten().count() == keys.len(), "{process}");
    }
    let uids: BTreeSet<_> = page.rows.iter().map(|entry| entry.entry.message).collect();
    for uid in uids {
        let original = store.original(&scope(), &uid, 0..99_999).await.unwrap();
        assert_eq!(original.bytes.len(), 10_000);
    }
}

const NEEDLE: &[u8] = b"a secret that nobody may find on the disk";

fn files_with_the_needle(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(NEEDLE.len()).any(|part| part == NEEDLE) {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

/// A piece of 200 kB with the needle at its beginning, in its middle and at its end.
fn piece(n: u64) -> Vec<u8> {
    let noise = bytes(n, 100_000);
    [NEEDLE, &noise, NEEDLE, &noise, NEEDLE].concat()
}

async fn stage(store: &SqliteStore, lease: &Lease) {
    for index in 0..3 {
        let stage = StageId::from_bytes([7; 16]);
        let piece = piece(u64::from(index));
        store
            .stage(&scope(), lease, stage, index, piece)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn no_byte_of_a_staged_piece_outlives_the_release_of_its_lease() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("log.sqlite")).await;
    let lease = lease(&store, &scope()).await;
    let rows = (0..20).map(|n| logged(&scope(), n, 30_000));
    commit(&store, &scope(), &lease, rows.collect()).await;
    stage(&store, &lease).await;
    assert_ne!(files_with_the_needle(dir.path()), Vec::<String>::new());
    store.release(&scope(), &lease).await.unwrap();
    assert_eq!(files_with_the_needle(dir.path()), Vec::<String>::new());
    store.close();
    assert_eq!(files_with_the_needle(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn no_byte_of_a_staged_piece_outlives_the_next_taking_of_its_mailbox() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("log.sqlite")).await;
    let first = lease(&store, &scope()).await;
    stage(&store, &first).await;
    store.close();
    let store = open(&dir.path().join("log.sqlite")).await;
    assert_ne!(files_with_the_needle(dir.path()), Vec::<String>::new());
    lease(&store, &scope()).await;
    assert_eq!(files_with_the_needle(dir.path()), Vec::<String>::new());
}

/// A stale lease is no error, and what the new holder staged stays.
#[tokio::test]
async fn the_release_of_a_stale_lease_sweeps_nothing() {
    let store = SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    let stale = lease(&store, &scope()).await;
    let newest = lease(&store, &scope()).await;
    stage(&store, &newest).await;
    store.release(&scope(), &stale).await.unwrap();
    let third = StageId::from_bytes([7; 16]);
    store
        .stage(&scope(), &newest, third, 3, piece(3))
        .await
        .unwrap();
}
