//! The store that all workers share, and the earlier state of it that a backup brings back.
//!
//! Owns how a store is opened and the journal of what was written. Knows nothing of workers and mailboxes.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use email_logging::source::SightingKey;
use email_logging::store::{
    CommitBatch, CommitReceipt, InteractionStore, Lease, MemoryStore, SqliteOptions, SqliteStore,
};
use email_logging::{Result, StageId, WorkerId};
use jiff::Timestamp;

use crate::book::{MAILBOX, scope};
use crate::postgres;
use crate::raw::{Tables, Told};
use crate::stage::{Dice, Stage, StageClock};

/// Opens an empty store whose calls answer at once, in the caller's thread.
pub(crate) type Open = fn(&Stage) -> Opened;

/// A store, with its tables where it has some.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn InteractionStore>,
    pub(crate) tables: Option<Tables>,
}

/// The store that `STORE` names.
pub(crate) fn chosen() -> Open {
    match std::env::var("STORE").as_deref() {
        Err(_) | Ok("memory") => memory,
        Ok("sqlite") => sqlite,
        Ok("postgres") => postgres::empty,
        Ok(other) => panic!("STORE={other} is not known here"),
    }
}

fn clock(stage: &Stage) -> Arc<StageClock> {
    Arc::new(StageClock {
        stage: stage.clone(),
        worker: usize::MAX,
    })
}

pub(crate) fn memory(stage: &Stage) -> Opened {
    let store = MemoryStore::new().with_clock(clock(stage));
    Opened {
        store: Arc::new(store.with_entropy(Arc::new(Dice::new(7)))),
        tables: None,
    }
}

/// A file in memory, where the system has a place for such.
fn sqlite(stage: &Stage) -> Opened {
    let options = SqliteOptions::default()
        .with_inline(true)
        .with_clock(clock(stage))
        .with_entropy(Arc::new(Dice::new(7)));
    let shared = Path::new("/dev/shm");
    let directory = if shared.is_dir() {
        tempfile::tempdir_in(shared)
    } else {
        tempfile::tempdir()
    };
    let directory = directory.unwrap();
    let path = directory.path().join("log.db");
    let store = SqliteStore::open_with(&path, options).unwrap();
    at_once(store.migrate()).unwrap();
    let ask = move |sql: &str| {
        let client = rusqlite::Connection::open(directory.path().join("log.db")).unwrap();
        client.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let prefix = String::new();
    Opened {
        store: Arc::new(store),
        tables: Some(Tables {
            prefix,
            ask: Box::new(ask),
        }),
    }
}

/// The answer of a call: at once where the store has no threads, and from PostgreSQL when it has come.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    if let Some(runtime) = postgres::runtime() {
        return runtime.block_on(future);
    }
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a store that answers at once is needed here"),
    }
}

/// What changes a store.
#[derive(Debug)]
pub(crate) enum Write {
    Acquire(WorkerId, Duration),
    Renew(Lease, Duration),
    Release(Lease),
    ReleaseQuiet(Lease, Duration),
    Stage(Lease, StageId, u32, Vec<u8>),
    Commit(Lease, CommitBatch),
    Requeue(Lease, Vec<SightingKey>),
}

pub(crate) struct Database {
    open: Open,
    stage: Stage,
    opened: Mutex<Opened>,
    /// Every write with its time, where an earlier state may be wanted.
    journal: Option<Mutex<Vec<(Timestamp, Write)>>>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

impl Database {
    pub(crate) fn new(open: Open, stage: &Stage, keeps_journal: bool) -> Self {
        Self {
            open,
            stage: stage.clone(),
            opened: Mutex::new(open(stage)),
            journal: keeps_journal.then(Mutex::default),
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn InteractionStore> {
        Arc::clone(&self.opened.lock().unwrap().store)
    }

    /// Looks past the store at its tables, where it has some.
    pub(crate) fn look(&self, told: impl FnOnce() -> Told) -> Result<(), String> {
        if self.opened.lock().unwrap().tables.is_none() {
            return Ok(());
        }
        let told = told();
        let opened = self.opened.lock().unwrap();
        let looked = opened.tables.as_ref().map(|it| it.look(&told));
        looked.unwrap_or(Ok(()))
    }

    /// Notes a write that is about to be done.
    pub(crate) fn note(&self, write: impl FnOnce() -> Write) {
        if let Some(journal) = &self.journal {
            journal.lock().unwrap().push((self.stage.now(), write()));
        }
    }

    /// The newest epoch of a lease in what the store holds.
    pub(crate) fn epoch(&self) -> u64 {
        let Some(journal) = &self.journal else {
            return 0;
        };
        let epoch = |(_, write): &(_, Write)| match write {
            Write::Renew(lease, _)
            | Write::Release(lease)
            | Write::ReleaseQuiet(lease, _)
            | Write::Commit(lease, _) => lease.epoch,
            _ => 0,
        };
        let journal = journal.lock().unwrap();
        journal.iter().map(epoch).max().unwrap_or_default()
    }

    /// How many writes there were.
    pub(crate) fn writes(&self) -> usize {
        let journal = self.journal.as_ref();
        journal.map_or(0, |journal| journal.lock().unwrap().len())
    }

    /// Puts the store back to where it was after so many writes. Every commit that it still holds is told.
    pub(crate) fn restore(
        &self,
        writes: usize,
        told: impl Fn(&dyn InteractionStore, &CommitBatch, &CommitReceipt),
    ) {
        let Some(journal) = &self.journal else {
            return;
        };
        let now = self.stage.now();
        let opened = (self.open)(&self.stage);
        let mut journal = journal.lock().unwrap();
        journal.truncate(writes);
        for (at, write) in journal.iter() {
            self.stage.set_clock(*at);
            redo(opened.store.as_ref(), write, &told);
        }
        self.stage.set_clock(now);
        *self.opened.lock().unwrap() = opened;
    }
}

fn redo(
    store: &dyn InteractionStore,
    write: &Write,
    told: &impl Fn(&dyn InteractionStore, &CommitBatch, &CommitReceipt),
) {
    let scope = scope();
    // What failed then fails now.
    match write {
        Write::Acquire(worker, ttl) => {
            drop::<Result<_>>(at_once(store.acquire(scope, &MAILBOX.into(), worker, *ttl)));
        }
        Write::Renew(lease, ttl) => drop(at_once(store.renew(scope, lease, *ttl))),
        Write::Release(lease) => drop(at_once(store.release(scope, lease))),
        Write::ReleaseQuiet(lease, quiet) => {
            drop(at_once(store.release_quiet(scope, lease, *quiet)));
        }
        Write::Stage(lease, stage, index, bytes) => {
            drop(at_once(store.stage(
                scope,
                lease,
                *stage,
                *index,
                bytes.clone(),
            )));
        }
        Write::Requeue(lease, keys) => drop(at_once(store.requeue_held(scope, lease, keys))),
        Write::Commit(lease, batch) => {
            if let Ok(receipt) = at_once(store.commit(scope, lease, batch.clone())) {
                told(store, batch, &receipt);
            }
        }
    }
}
