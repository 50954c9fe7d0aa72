//! Opening the file: made with mode 0600 before SQLite writes a byte, then the pragmas of the layout.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::fault::{Done, Fault};
use super::options::{
    AUTO_VACUUM, CHECKPOINT_BYTES, JOURNAL_LIMIT_BYTES, JOURNAL_MODE, SECURE_DELETE, STATEMENTS,
    SYNCHRONOUS, SqliteOptions,
};
use super::thread::wait_of_a_statement;

/// SQLite counts a wait in milliseconds of 31 bits.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The one that writes.
    Write,
    /// One that only reads.
    Read,
}

/// A connection to the file, which is made if it is not there.
pub(crate) fn file(path: &Path, options: &SqliteOptions, access: Access) -> Done<Connection> {
    if access == Access::Write {
        make_private(path).map_err(Fault::File)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    prepare(&conn, options, access)?;
    Ok(conn)
}

/// A database that lives in memory as long as its connection.
pub(crate) fn memory(options: &SqliteOptions) -> Done<Connection> {
    let conn = Connection::open_in_memory()?;
    prepare(&conn, options, Access::Write)?;
    Ok(conn)
}

/// SQLite gives the write-ahead log and its index the mode of the database file. A file that is there is never opened
/// here: closing it would drop the locks that this process holds on it through SQLite.
fn make_private(path: &Path) -> std::io::Result<()> {
    match create_private(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            restrict(path)?;
            for suffix in ["-wal", "-shm"] {
                let mut side = path.as_os_str().to_owned();
                side.push(suffix);
                match restrict(&PathBuf::from(side)) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    other => other?,
                }
            }
            Ok(())
        }
        other => other,
    }
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).map(drop)
}

#[cfg(unix)]
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS: u32 = 0o077;
    if fs::metadata(path)?.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map(drop)
}

#[cfg(not(unix))]
fn restrict(path: &Path) -> std::io::Result<()> {
    fs::metadata(path).map(drop)
}

fn prepare(conn: &Connection, options: &SqliteOptions, access: Access) -> Done<()> {
    let wait = wait_of_a_statement(options.busy_timeout.min(LONGEST_WAIT));
    conn.busy_timeout(wait)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // A plan that depends on bound values is made again for each of them.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if access == Access::Write {
        // These two count only before the first page is written, so they come before the journal.
        conn.pragma_update(None, "page_size", options.page_size)?;
        conn.pragma_update(None, "auto_vacuum", AUTO_VACUUM)?;
        // Where there can be no write-ahead log the journal stays as it is, and stages are synced as well.
        conn.pragma_update_and_check(None, "journal_mode", JOURNAL_MODE, |_| Ok(()))?;
        conn.pragma_update(None, "synchronous", SYNCHRONOUS)?;
        conn.pragma_update_and_check(None, "secure_delete", SECURE_DELETE, |_| Ok(()))?;
        limit(conn, options)?;
    }
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    let cache = match access {
        Access::Write => options.cache_bytes,
        Access::Read => options.cache_bytes / 2,
    };
    conn.pragma_update(None, "cache_size", -i64::from(cache.div_ceil(1024)))?;
    conn.pragma_update(None, "query_only", access == Access::Read)?;
    Ok(())
}

fn limit(conn: &Connection, options: &SqliteOptions) -> Done<()> {
    let page: u32 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let page = page.max(512);
    let any = |_: &rusqlite::Row<'_>| Ok(());
    let checkpoint = CHECKPOINT_BYTES / page;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", checkpoint, any)?;
    conn.pragma_update_and_check(None, "journal_size_limit", JOURNAL_LIMIT_BYTES, any)?;
    if let Some(bytes) = options.max_bytes {
        let pages = i64::try_from(bytes / u64::from(page)).unwrap_or(i64::MAX);
        conn.pragma_update_and_check(None, "max_page_count", pages.max(1), any)?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{SystemClock, SystemEntropy};
    use crate::store::sqlite::core::Core;

    /// The journal of a connection, when it syncs, and when it does for what is staged.
    fn durability(conn: Connection) -> (String, i64, &'static str) {
        let journal = conn.pragma_query_value(None, "journal_mode", |row| row.get(0));
        let synchronous = conn.pragma_query_value(None, "synchronous", |row| row.get(0));
        let core = Core::new(conn, Arc::new(SystemClock), Arc::new(SystemEntropy));
        let stages = core.synchronous_of_stages().unwrap();
        (journal.unwrap(), synchronous.unwrap(), stages)
    }

    #[test]
    fn stages_are_synced_where_there_is_no_write_ahead_log() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::default();
        let usual = file(&directory.path().join("usual"), &options, Access::Write).unwrap();
        assert_eq!(durability(usual), ("wal".to_owned(), 3, "NORMAL"));
        // It keeps its locks without shared memory, as SQLite does on some network file systems.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let path = directory.path().join("without");
        let conn = Connection::open_with_flags_and_vfs(path, flags, "unix-dotfile").unwrap();
        prepare(&conn, &options, Access::Write).unwrap();
        assert_eq!(durability(conn), ("delete".to_owned(), 3, "EXTRA"));
    }
}
