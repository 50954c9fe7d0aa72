//! The schema's migrations: append-only files, checksummed, each applied once in a transaction of its own.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::fault::Done;
use crate::error::codes;
use crate::store::rows::checksum;

/// One file of `store/schema/sqlite`.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_first",
        sql: include_str!("../schema/sqlite/0001_first.sql"),
    },
    Migration {
        name: "0002_log",
        sql: include_str!("../schema/sqlite/0002_log.sql"),
    },
    Migration {
        name: "0003_opportunity",
        sql: include_str!("../schema/sqlite/0003_opportunity.sql"),
    },
    Migration {
        name: "0004_review",
        sql: include_str!("../schema/sqlite/0004_review.sql"),
    },
    Migration {
        name: "0005_privacy",
        sql: include_str!("../schema/sqlite/0005_privacy.sql"),
    },
    Migration {
        name: "0006_own_addresses",
        sql: include_str!("../schema/sqlite/0006_own_addresses.sql"),
    },
    Migration {
        name: "0007_unkeyed",
        sql: include_str!("../schema/sqlite/0007_unkeyed.sql"),
    },
    Migration {
        name: "0008_quiet",
        sql: include_str!("../schema/sqlite/0008_quiet.sql"),
    },
    Migration {
        name: "0009_lease_length",
        sql: include_str!("../schema/sqlite/0009_lease_length.sql"),
    },
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL) STRICT";

/// Brings the schema to the version of this crate.
pub(crate) fn migrate(conn: &mut Connection, now: i64) -> Done<()> {
    // A check before the first write, so that a newer file is left as it is.
    if applied(conn)?.len() == MIGRATIONS.len() {
        return check(conn);
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(TABLE)?;
    let done = verify(&applied(&tx)?)?;
    for (number, migration) in (1_i64..).zip(MIGRATIONS).skip(done) {
        tx.execute_batch(migration.sql)?;
        tx.execute(
            "INSERT INTO schema_migration (number, name, checksum, applied_at)
             VALUES (?1, ?2, ?3, ?4)",
            params![number, migration.name, checksum(migration.sql), now],
        )?;
    }
    Ok(tx.commit()?)
}

/// Whether the schema is exactly the one of this crate.
pub(crate) fn check(conn: &Connection) -> Done<()> {
    if verify(&applied(conn)?)? < MIGRATIONS.len() {
        return Err((&codes::STORE_SCHEMA_MISSING).into());
    }
    Ok(())
}

/// Refuses to write where a newer version has migrated the file since it was [checked](check). Asked within the transaction
/// that writes, it is true until its end.
pub(crate) fn check_newer(conn: &Connection) -> Done<()> {
    let last: i64 = conn
        .prepare_cached("SELECT max(number) FROM schema_migration")?
        .query_row([], |row| row.get(0))?;
    if usize::try_from(last).is_ok_and(|last| last > MIGRATIONS.len()) {
        return Err((&codes::STORE_SCHEMA_NEWER).into());
    }
    Ok(())
}

/// How many of the migrations are applied.
fn verify(applied: &[(String, String)]) -> Done<usize> {
    if applied.len() > MIGRATIONS.len() {
        return Err((&codes::STORE_SCHEMA_NEWER).into());
    }
    for ((name, sum), migration) in applied.iter().zip(MIGRATIONS) {
        if name != migration.name || *sum != checksum(migration.sql) {
            return Err((&codes::STORE_SCHEMA_CHANGED).into());
        }
    }
    Ok(applied.len())
}

/// Names and checksums of what was applied, in order.
fn applied(conn: &Connection) -> Done<Vec<(String, String)>> {
    let table = conn
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'",
            [],
            |_| Ok(()),
        )
        .optional()?;
    if table.is_none() {
        return Ok(Vec::new());
    }
    let mut rows = conn.prepare("SELECT name, checksum FROM schema_migration ORDER BY number")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
