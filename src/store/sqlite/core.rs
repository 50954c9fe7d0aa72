//! The store without threads: every call of the traits as a function over one connection.
//!
//! Nothing here blocks on anything but SQLite and nothing awaits, so that a simulator can run it inline. A function that
//! writes is one transaction; what is dropped before its end is rolled back by SQLite.

mod canceled;
mod commit;
mod content;
mod conversation;
mod decided;
mod decisions;
mod entries;
mod events;
mod filter;
mod identity;
mod lease;
mod links;
mod log;
mod moves;
mod opportunity;
mod original;
mod people;
mod privacy;
mod record;
mod reports;
mod review;
mod secret;
mod setup;
mod sightings;
mod words;

use std::cell::Cell;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::fault::Done;
use super::options::{JOURNAL_MODE, SYNCHRONOUS, SYNCHRONOUS_OF_STAGES};
use super::{migrate, values};
use crate::clock::{Clock, Entropy};
use crate::ids::MailboxKey;
use crate::scope::Scope;

/// One connection with what it needs to work.
#[derive(Debug)]
pub(crate) struct Core {
    conn: Connection,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    checked: Cell<bool>,
    /// Whether the write-ahead log may hold bytes that were swept from the database.
    unclean: Cell<bool>,
}

impl Core {
    /// A core over a connection whose pragmas are set.
    pub(crate) fn new(conn: Connection, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            conn,
            clock,
            entropy,
            checked: Cell::new(false),
            // An earlier process may have ended between a sweep and this.
            unclean: Cell::new(true),
        }
    }

    /// Brings the schema up to date.
    pub(crate) fn migrate(&mut self) -> Done<()> {
        let now = self.now();
        migrate::migrate(&mut self.conn, now)
    }

    /// The time of the injected clock, as a column has it.
    fn now(&self) -> i64 {
        values::micros(self.clock.now())
    }

    /// When a transaction that only stages syncs the disk. SQLite does not make a write-ahead log on every file system.
    pub(crate) fn synchronous_of_stages(&self) -> Done<&'static str> {
        let query = |row: &Row<'_>| row.get(0);
        let mode: String = self.conn.pragma_query_value(None, "journal_mode", query)?;
        if mode.eq_ignore_ascii_case(JOURNAL_MODE) {
            return Ok(SYNCHRONOUS_OF_STAGES);
        }
        Ok(SYNCHRONOUS)
    }

    /// When the following transactions sync the disk.
    fn synchronous(&self, when: &str) -> Done<()> {
        Ok(self.conn.pragma_update(None, "synchronous", when)?)
    }

    /// The connection, once its schema was found to be ours.
    fn ready(&self) -> Done<&Connection> {
        if !self.checked.get() {
            migrate::check(&self.conn)?;
            self.checked.set(true);
        }
        Ok(&self.conn)
    }

    /// A snapshot to read several statements from, and the scope's id in it.
    fn read(&self, scope: &Scope) -> Done<(Transaction<'_>, i64)> {
        let tx = self.ready()?.unchecked_transaction()?;
        let scope = find_scope(&tx, scope)?;
        Ok((tx, scope))
    }

    /// Empties the write-ahead log once something was swept, so that no byte of it is left there. What a reader of
    /// another process hinders is done by the next call.
    fn scrub(&self, swept: bool) {
        if !swept && !self.unclean.get() {
            return;
        }
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy = self.conn.query_row(checkpoint, [], |row| row.get(0));
        self.unclean.set(busy.unwrap_or(true));
    }

    /// Empties the write-ahead log, and fails where a reader hinders it for longer than a statement waits: what was erased
    /// may lie there until then.
    fn empty_journal(&self) -> Done<()> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: bool = self.conn.query_row(checkpoint, [], |row| row.get(0))?;
        self.unclean.set(busy);
        if busy {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            return Err(rusqlite::Error::SqliteFailure(code, None).into());
        }
        Ok(())
    }

    /// A transaction that holds the write lock from its beginning, and the scope's id, which is made if it is new.
    fn write(&mut self, scope: &Scope) -> Done<(Transaction<'_>, i64)> {
        self.ready()?;
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        migrate::check_newer(&tx)?;
        let id = match find_scope(&tx, scope)? {
            NOBODY => make_scope(&tx, scope)?,
            id => id,
        };
        Ok((tx, id))
    }
}

/// The id that no scope and no mailbox has: whatever is asked for it is not there.
const NOBODY: i64 = 0;

/// The id of a mailbox; one that no mailbox has where it is unknown.
fn find_mailbox(conn: &Connection, scope: i64, mailbox: &MailboxKey) -> Done<i64> {
    let mut find = conn.prepare_cached("SELECT id FROM mailbox WHERE scope = ?1 AND key = ?2")?;
    let key = values::text(mailbox.as_str());
    let id = find.query_row(params![scope, key], |row| row.get(0));
    Ok(id.optional()?.unwrap_or(NOBODY))
}

/// The id of a mailbox, which is made if it is new.
fn make_mailbox(conn: &Connection, scope: i64, mailbox: &MailboxKey) -> Done<i64> {
    match find_mailbox(conn, scope, mailbox)? {
        NOBODY => {
            conn.execute(
                "INSERT INTO mailbox (scope, key) VALUES (?1, ?2)",
                params![scope, values::text(mailbox.as_str())],
            )?;
            Ok(conn.last_insert_rowid())
        }
        id => Ok(id),
    }
}

fn find_scope(conn: &Connection, scope: &Scope) -> Done<i64> {
    let mut find =
        conn.prepare_cached("SELECT id FROM scope WHERE tenant = ?1 AND company = ?2")?;
    let id = find.query_row(params![scope.tenant(), scope.company()], |row| row.get(0));
    Ok(id.optional()?.unwrap_or(NOBODY))
}

fn make_scope(conn: &Connection, scope: &Scope) -> Done<i64> {
    conn.execute(
        "INSERT INTO scope (tenant, company) VALUES (?1, ?2)",
        params![scope.tenant(), scope.company()],
    )?;
    Ok(conn.last_insert_rowid())
}
