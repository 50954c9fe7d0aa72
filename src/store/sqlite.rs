//! The default store: one SQLite file.
//!
//! [`SqliteStore`] is a thread shell around a synchronous core. The core (`core` and below) knows SQL and no threads; the
//! shell (`thread`, `roles`) knows threads and no SQL. Nothing here knows mail servers, directories or the decision's rules.

mod connect;
mod core;
mod fault;
mod migrate;
mod opportunity;
mod options;
mod privacy_role;
mod review_roles;
mod roles;
mod thread;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::connect::Access;
use self::core::Core;
use self::fault::{Done, Fault};
pub use self::options::SqliteOptions;
use self::thread::Worker;
use crate::error::Result;

/// Every role of the store in one SQLite file, written by one named thread.
///
/// The file, its write-ahead log (`-wal`) and the log's index (`-shm`) have mode 0600. Several processes may open one
/// file; a write waits for the other one's, for [`SqliteOptions::busy_timeout`] at most. A file system that does not keep
/// POSIX locks or shared memory, such as most network file systems, cannot hold it. A back-up copies the file through
/// SQLite (`VACUUM INTO`, `.backup`), not with `cp`.
///
/// [`open`](Self::open) changes nothing that is stored; [`migrate`](Self::migrate) makes or updates the tables. Until
/// then every call answers `Config` (`store.schema_missing`).
///
/// # Durability
///
/// A write that returned survives a loss of power: the journal is a write-ahead log that is synced once per commit besides
/// checkpoints, not for what is staged before its commit. Where SQLite makes no write-ahead log, as on some network file
/// systems, the journal is a rollback journal, and everything is synced (`synchronous=EXTRA`): as durable and slower, and
/// readers and the writer wait for each other. A full disk (`store.full`), a damaged file
/// (`store.corrupt`), and everything else that SQLite cannot do (`store.unavailable`) is `StoreUnavailable`; nothing of that
/// write is there then.
///
/// # The layout
///
/// Originals lie in the same file, in pieces of a table of their own, on pages of 16 KiB; the journal is a write-ahead log. One
/// file is one back-up, what is erased is gone with one statement, and who reads the log never waits for who writes it. What
/// that costs was measured against the alternatives (`cargo bench --bench layout`: mails of 30 kB, a smaller schema than this
/// one; time of the writing thread and bytes written for a mail, on 2026-11-27):
///
/// | layout | µs | kB | why not |
/// |---|---|---|---|
/// | write-ahead log, pages of 16 KiB: this one | 63 | 81 | |
/// | the same, pages of 4 KiB | 95 | 72 | |
/// | the same, pages of 64 KiB | 59 | 98 | each index that a commit touches writes a whole page |
/// | rollback journal (`PERSIST`), pages of 16 KiB | 40 | 58 | readers and the writer wait for each other |
/// | originals in an append-only file, write-ahead log for the rest | 51 | 40 | two files to back up and to erase in |
/// | originals in a second database, pages of 64 KiB | 57 | 81 | likewise, and a commit of both is not atomic with a write-ahead log |
///
/// # The tables
///
/// A host may read and join every table; it must not write one. Times are microseconds since 1970-01-01 UTC, ids are blobs
/// of 16 bytes, enums are the short texts of the `code()` of their types, lists are JSON arrays. Every column has its
/// comment in `src/store/schema/sqlite`.
///
/// | table | a row is | key |
/// |---|---|---|
/// | `scope` | a tenant's company; its `id` is `scope` in all other tables | `tenant, company` |
/// | `mailbox` | a mailbox of a scope; its `id` is `mailbox` in other tables | `scope, key` |
/// | `entry` | an interaction log entry; `message_no` leads to its mail | `scope, id`; `scope, entry_no` |
/// | `entry_comment` | a comment on an entry | `scope, entry_id, no` |
/// | `message` | a mail whose content may be kept; its `no` is `message_no` in other tables | `scope, uid` |
/// | `participant` | somebody whom a mail names, by role; `no / 65536` is `message_no` | `no` |
/// | `original` | the original of a mail; without `message_no` it is being staged | `scope, message_no` |
/// | `original_chunk` | a piece of an original: `id / 4096` is `original.no` | `id` |
/// | `content` | the readable text and the attachments of a mail | `message_no` |
/// | `search` | the words of a mail (FTS5); `rowid` is `message.no` | |
/// | `sighting` | one copy of a mail in a folder, with its state | `mailbox, key` |
/// | `decision` | why a sighting was logged or not, with its trace | `sighting_no` |
/// | `pending_move` | a move that was planned and has no result | `sighting_no, item_id` |
/// | `lease` | who works on a mailbox | `mailbox` |
/// | `event`, `event_cursor` | what happened; how far a consumer has read | `scope, number`; `scope, consumer` |
/// | `setup`, `setup_field` | the set-up's version; its fields | `scope`; `scope, name` |
/// | `secret` | a secret in its envelope; an erased one keeps its last version, negative, and no envelope | `scope, name` |
/// | `opportunity` | an opportunity; its `id` is `opportunity` in the next three tables | `scope, no` |
/// | `opportunity_entry`, `opportunity_comment`, `opportunity_task` | its history, comments and tasks | `opportunity, no` |
/// | `sales_cycle`, `close_code` | what opportunities go through, and why they end | `scope, code` |
/// | `opportunity_setup` | their series of numbers and default sales cycle | `scope` |
/// | `tombstone` | a keyed hash of what was removed, or of who is never logged again; the key is `scope.tombstone_key` | `scope, hash` |
/// | `mail_mark` | what a person says about a whole mail: private, or to be kept | `message_no, kind` |
/// | `schema_migration` | a migration that was applied, with its checksum | `number` |
///
/// A key that begins with a message, a mailbox or a sighting begins with a scope, since each of those belongs to one.
///
/// A mail of which nothing may be kept (marked private, for instance) has rows in `sighting`, `decision`, `event` and
/// `pending_move` alone: its key, the reason, and the server's id of the item.
///
/// # What is removed
///
/// A mail that is removed ([`PrivacyStore`](crate::store::PrivacyStore)) loses its rows in every table but `sighting`,
/// `decision`, `event` and `pending_move`, where no message and no word of it is left. Freed pages are overwritten,
/// [`shred`](crate::store::PrivacyStore::shred) writes the search index anew without the words that went and empties the
/// write-ahead log: then no byte of it is in the files. Copies of the file are the host's.
///
/// # Search
///
/// Words are what `unicode61` calls a word, without regard to case and diacritics. Subject and participants are found from
/// the commit on, the body once the second stage has read it. Text without spaces between words (Chinese, Japanese,
/// Thai) is one long word, found by its beginning.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Worker,
    /// A database in memory, and one without threads, has one connection: its readers are its writer.
    readers: Option<Readers>,
    path: Option<PathBuf>,
}

/// The ledger's reads never wait behind a long search.
#[derive(Debug)]
struct Readers {
    ledger: Worker,
    log: Worker,
}

const WRITER: &str = "email-logging-sqlite-writer";
const LEDGER_READER: &str = "email-logging-sqlite-ledger";
const LOG_READER: &str = "email-logging-sqlite-log";

impl SqliteStore {
    /// Opens a file, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`: the file cannot be opened or made, or it is not a database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, SqliteOptions::default())
    }

    /// Opens a file with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    // Options are taken by value, as every builder of this crate takes them.
    #[allow(clippy::needless_pass_by_value)]
    pub fn open_with(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self> {
        let path = path.as_ref();
        open_file(path, &options).map_err(|fault| fault.into_error("open"))
    }

    /// A store that lives in memory and ends with this value. It must be migrated as well.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    pub fn in_memory() -> Result<Self> {
        Self::in_memory_with(SqliteOptions::default())
    }

    /// A store in memory with options.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    #[allow(clippy::needless_pass_by_value)]
    pub fn in_memory_with(options: SqliteOptions) -> Result<Self> {
        let open = || {
            Ok(Self {
                writer: worker(WRITER, connect::memory(&options)?, &options)?,
                readers: None,
                path: None,
            })
        };
        open().map_err(|fault: Fault| fault.into_error("open"))
    }

    /// Makes the tables or brings them up to date. A store that is up to date is not changed.
    ///
    /// # Errors
    ///
    /// `Config`: `store.schema_newer` where a newer version of this crate wrote it, `store.schema_changed` where an applied
    /// migration differs from the one in this version. `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it. Each migration is applied whole or not at all.
    pub async fn migrate(&self) -> Result<()> {
        self.writer.call("migrate", Core::migrate).await
    }

    /// The file; `None` for a store in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Ends what is queued and joins the threads; every later call answers `store.closed`. It blocks for as long as the
    /// queued writes take. Dropping the store does the same.
    pub fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.ledger.close();
            readers.log.close();
        }
        // Last, so that the last connection to close is one that may write and can tidy up the write-ahead log.
        self.writer.close();
    }

    fn writer(&self) -> &Worker {
        &self.writer
    }

    fn ledger_reader(&self) -> &Worker {
        self.readers.as_ref().map_or(&self.writer, |r| &r.ledger)
    }

    fn log_reader(&self) -> &Worker {
        self.readers.as_ref().map_or(&self.writer, |r| &r.log)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

fn open_file(path: &Path, options: &SqliteOptions) -> Done<SqliteStore> {
    let start = |name, access| worker(name, connect::file(path, options, access)?, options);
    // The writer first: it makes the file and sets its journal.
    let writer = start(WRITER, Access::Write)?;
    let readers = if options.inline {
        None
    } else {
        Some(Readers {
            ledger: start(LEDGER_READER, Access::Read)?,
            log: start(LOG_READER, Access::Read)?,
        })
    };
    Ok(SqliteStore {
        writer,
        readers,
        path: Some(path.to_owned()),
    })
}

fn worker(name: &str, conn: rusqlite::Connection, options: &SqliteOptions) -> Done<Worker> {
    let core = Core::new(
        conn,
        Arc::clone(&options.clock),
        Arc::clone(&options.entropy),
    );
    if options.inline {
        return Ok(Worker::inline(core, options.busy_timeout));
    }
    Worker::start(name, core, options.busy_timeout).map_err(Fault::File)
}
