//! What reaches the disk: syncs per commit, and a disk that is full from its n-th write on, for every n.
//!
//! The work is done in a child process under a small library that stands between it and the C library.

#![cfg(all(feature = "sqlite", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/disk_shim.rs"]
mod disk_shim;
#[path = "support/skipped.rs"]
mod skipped;
#[path = "support/store_rows.rs"]
mod store_rows;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use disk_shim::shim;
use email_logging::store::{CommitBatch, CommitRow, MailLedger, MoveOutcome, MoveResult};
use email_logging::{ErrorKind, Scope};
use store_rows::{commit, item, key, lease, logged, open};

const CHILD: &str = "EMAIL_LOGGING_DISK_CHILD";
const BATCHES: u64 = 30;

/// Runs the child named `what` and answers the lines that the library wrote.
fn run(what: &str, dir: &Path, library: &Path, options: &[(&str, String)]) -> Vec<String> {
    let log = dir.join("events");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child", "--nocapture"])
        .env(CHILD, what)
        .env("DISK_DIR", dir)
        .env("LD_PRELOAD", library)
        .env("SHIM_LOG", &log)
        .env("SHIM_MATCH", "log.sqlite")
        .env("SHIM_ARM", dir.join("armed"))
        .envs(options.iter().map(|(name, value)| (*name, value)))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{options:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let events = fs::read_to_string(log).unwrap_or_default();
    events.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_child() {
    let Ok(what) = std::env::var(CHILD) else {
        return;
    };
    let dir = PathBuf::from(std::env::var_os("DISK_DIR").unwrap());
    match &*what {
        "sync" => commit_batches(&dir).await,
        "full" => commit_on_a_full_disk(&dir).await,
        other => panic!("{other}"),
    }
}

fn rows(first: u64, count: u64, size: usize) -> Vec<CommitRow> {
    let scope = Scope::default();
    (first..first + count)
        .map(|n| logged(&scope, n, size))
        .collect()
}

/// Commits batches of 50, each with the move results of the one before, with a mark after each.
async fn commit_batches(dir: &Path) {
    let scope = Scope::default();
    let store = open(&dir.join("log.sqlite")).await;
    let lease = lease(&store, &scope).await;
    let mark = || {
        let mut options = fs::OpenOptions::new();
        let path = dir.join("events");
        let mut events = options.append(true).create(true).open(path).unwrap();
        events.write_all(b"mark\n").unwrap();
    };
    mark();
    for batch in 0..BATCHES {
        let mut writes = CommitBatch::of_rows(rows(batch * 50, 50, 30_000));
        let done = |n| MoveResult::new(key(n), item(n), MoveOutcome::Done(Some(item(n + 100_000))));
        let earlier = batch.saturating_sub(1) * 50..batch * 50;
        writes.moves = earlier.map(done).collect();
        store.commit(&scope, &lease, writes).await.unwrap();
        mark();
    }
}

#[test]
fn a_batch_is_one_sync_besides_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = shim(dir.path()) else {
        return;
    };
    let events = run("sync", dir.path(), &library, &[]);
    let batches: Vec<&[String]> = events.split(|event| event == "mark").collect();
    assert_eq!(batches.len() as u64, BATCHES + 2);
    let of_batches = &batches[1..=usize::try_from(BATCHES).unwrap()];
    let syncs_of = |batch: &[String], suffix: &str| {
        batch.iter().filter(|event| event.ends_with(suffix)).count()
    };
    let mut checkpoints = 0;
    for batch in of_batches {
        let (log, database) = (syncs_of(batch, "-wal"), syncs_of(batch, "log.sqlite"));
        assert_eq!(log + database, batch.len(), "{batch:?}");
        if database > 0 {
            // A checkpoint syncs the log before and the database after it copies.
            checkpoints += 1;
            assert!(log + database <= 4, "{batch:?}");
        } else {
            assert!((1..=2).contains(&log), "{batch:?}");
        }
    }
    let single = of_batches.iter().filter(|batch| batch.len() == 1).count();
    eprintln!("{single} of {BATCHES} batches had one sync, {checkpoints} a checkpoint");
    assert!(
        single as u64 >= BATCHES - 2 * checkpoints - 1,
        "{of_batches:?}"
    );
}

/// Commits, fails to commit, finds nothing of it, and commits it once there is room.
async fn commit_on_a_full_disk(dir: &Path) {
    let scope = Scope::default();
    let path = dir.join("log.sqlite");
    let store = open(&path).await;
    let lease = lease(&store, &scope).await;
    commit(&store, &scope, &lease, rows(0, 2, 20_000)).await;
    let armed = dir.join("armed");
    fs::write(&armed, "").unwrap();
    let batch = CommitBatch::of_rows(rows(10, 3, 20_000));
    let answer = store.commit(&scope, &lease, batch.clone()).await;
    fs::remove_file(&armed).unwrap();
    let expected = match answer {
        Ok(_) => 5,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
            assert!(
                ["store.full", "store.unavailable"].contains(&error.code()),
                "{error}"
            );
            2
        }
    };
    assert_eq!(counts(&path), [expected; 8]);
    store.commit(&scope, &lease, batch).await.unwrap();
    assert_eq!(counts(&path), [5; 8]);
}

const TABLES: [&str; 8] = [
    "message",
    "entry",
    "sighting",
    "decision",
    "pending_move",
    "event",
    "original",
    "original_chunk",
];

fn counts(path: &Path) -> [i64; 8] {
    let conn = rusqlite::Connection::open(path).unwrap();
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        conn.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    TABLES.map(count)
}

#[test]
fn a_disk_that_is_full_from_any_write_on_loses_nothing_and_writes_no_half() {
    let root = tempfile::tempdir().unwrap();
    let Some(library) = shim(root.path()) else {
        return;
    };
    for once in [false, true] {
        let mut at = 1;
        loop {
            let dir = root.path().join(format!("{once}-{at}"));
            fs::create_dir(&dir).unwrap();
            let mut options = vec![("SHIM_AT", at.to_string())];
            options.extend(once.then(|| ("SHIM_ONCE", "1".to_owned())));
            let events = run("full", &dir, &library, &options);
            let path = dir.join("log.sqlite");
            let conn = rusqlite::Connection::open(&path).unwrap();
            let check: String = conn
                .pragma_query_value(None, "integrity_check", |row| row.get(0))
                .unwrap();
            assert_eq!(check, "ok", "write {at}");
            assert_eq!(counts(&path), [5; 8], "write {at}");
            if !events.iter().any(|event| event.starts_with("full")) {
                break;
            }
            at += if once { 5 } else { 1 };
        }
        eprintln!("the commit made {at} writes");
        assert!(at > 10, "too few to mean anything");
    }
}
