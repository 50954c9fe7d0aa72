//! The schema's migrations: append-only files, checksummed, each applied once in a transaction of its own.
//!
//! Who migrates holds the lock of a row, the one with number 0, so that two who begin at once take turns in every engine; and
//! the rows that writers hold, so that no transaction of an older version is under way meanwhile or goes on after it.

use tokio_postgres::Row;

use super::connect::quoted;
use super::fault::{Done, Fault};
use super::pool::{Pool, Tx};
use super::values::{NOW, column};
use crate::error::codes;
use crate::store::rows::checksum;

/// One file of `store/schema/postgres`.
struct Migration {
    name: &'static str,
    sql: &'static str,
    /// What an engine without `tsvector` gets in its place.
    plain: Option<&'static str>,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_first",
        sql: include_str!("../schema/postgres/0001_first.sql"),
        plain: None,
    },
    Migration {
        name: "0002_search",
        sql: include_str!("../schema/postgres/0002_search.sql"),
        plain: Some(include_str!("../schema/postgres/0002_search_plain.sql")),
    },
    Migration {
        name: "0003_log",
        sql: include_str!("../schema/postgres/0003_log.sql"),
        plain: None,
    },
    Migration {
        name: "0004_opportunity",
        sql: include_str!("../schema/postgres/0004_opportunity.sql"),
        plain: None,
    },
    Migration {
        name: "0005_review",
        sql: include_str!("../schema/postgres/0005_review.sql"),
        plain: None,
    },
    Migration {
        name: "0006_privacy",
        sql: include_str!("../schema/postgres/0006_privacy.sql"),
        plain: None,
    },
    Migration {
        name: "0007_own_addresses",
        sql: include_str!("../schema/postgres/0007_own_addresses.sql"),
        plain: None,
    },
    Migration {
        name: "0008_unkeyed",
        sql: include_str!("../schema/postgres/0008_unkeyed.sql"),
        plain: None,
    },
    Migration {
        name: "0009_quiet",
        sql: include_str!("../schema/postgres/0009_quiet.sql"),
        plain: None,
    },
    Migration {
        name: "0010_lease_length",
        sql: include_str!("../schema/postgres/0010_lease_length.sql"),
        plain: None,
    },
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
    applied_at bigint NOT NULL)";

/// How the words of messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// As `tsvector`.
    Vector,
    /// As text.
    Plain,
}

/// Brings the schema to the version of this crate.
pub(super) async fn migrate(
    pool: &Pool,
    schema: &str,
    search: bool,
    time: Option<i64>,
) -> Done<Words> {
    // A look before the first write: a newer schema is left as it is, and a role that may not change it need not.
    if pool.read(async |tx| applied(&tx).await).await?.len() >= MIGRATIONS.len() {
        return check(pool).await;
    }
    prepare(pool, schema).await?;
    let vector = search && knows_vectors(pool).await?;
    while !pool
        .write(async |tx, _| step(&tx, vector, time).await)
        .await?
    {}
    check(pool).await
}

/// Whether the schema is exactly the one of this crate, and how it keeps words.
pub(super) async fn check(pool: &Pool) -> Done<Words> {
    let applied = pool.read(async |tx| applied(&tx).await).await?;
    if verify(&applied)? < MIGRATIONS.len() {
        return Err((&codes::STORE_SCHEMA_MISSING).into());
    }
    let plain = applied
        .iter()
        .zip(MIGRATIONS)
        .any(|((_, sum), migration)| migration.plain.is_some_and(|sql| *sum == checksum(sql)));
    Ok(if plain { Words::Plain } else { Words::Vector })
}

/// What a statement selects to find out whether a newer version has migrated the schema since it was [checked](check).
pub(super) const LAST: &str = "(SELECT max(number) FROM schema_migration) AS last_migration";

/// Refuses to write where a newer version has migrated the schema. A statement of its own, for who waited for a lock: the one
/// that waited shows the schema as it was before.
pub(super) async fn refuse_newer(tx: &Tx) -> Done<()> {
    let row = tx.row(&format!("SELECT {LAST}"), &[]).await?;
    row.as_ref().map_or(Ok(()), check_newer)
}

/// Refuses to write where the row of a statement with [`LAST`] tells of a newer version.
pub(super) fn check_newer(row: &Row) -> Done<()> {
    let last: i64 = column(row, "last_migration")?;
    if usize::try_from(last).is_ok_and(|last| last > MIGRATIONS.len()) {
        return Err((&codes::STORE_SCHEMA_NEWER).into());
    }
    Ok(())
}

/// Makes the schema and the table of migrations, whoever else does so at the same time.
async fn prepare(pool: &Pool, schema: &str) -> Done<()> {
    let quoted = quoted(schema).map_err(|_| Fault::Coded(&codes::CONFIG_INVALID))?;
    let make_schema = format!("CREATE SCHEMA IF NOT EXISTS {quoted}");
    let there = "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1";
    let found = pool
        .read(async |tx| tx.row(there, &[&schema]).await)
        .await?;
    let lock = "INSERT INTO schema_migration (number, name, checksum, applied_at)
        VALUES (0, 'lock', '', 0) ON CONFLICT (number) DO NOTHING";
    let steps = [make_schema.as_str(), TABLE, lock];
    for sql in steps.into_iter().skip(usize::from(found.is_some())) {
        match pool.write(async |tx, _| tx.batch(sql).await).await {
            // Somebody else made it between the look and the making.
            Err(fault) if fault.is_there_already() => {}
            done => done?,
        }
    }
    Ok(())
}

/// Applies the next migration. Answers whether all are applied.
async fn step(tx: &Tx, vector: bool, time: Option<i64>) -> Done<bool> {
    tx.run(
        "UPDATE schema_migration SET applied_at = 0 WHERE number = 0",
        &[],
    )
    .await?;
    let done = verify(&applied(tx).await?)?;
    let Some(migration) = MIGRATIONS.get(done) else {
        return Ok(true);
    };
    if done > 0 {
        hold_writers(tx).await?;
    }
    let sql = match migration.plain {
        Some(plain) if !vector => plain,
        _ => migration.sql,
    };
    tx.batch(sql).await?;
    let number = i64::try_from(done + 1).unwrap_or(i64::MAX);
    let insert = format!(
        "INSERT INTO schema_migration (applied_at, number, name, checksum)
         VALUES ({NOW}, $2, $3, $4)"
    );
    tx.run(&insert, &[&time, &number, &migration.name, &checksum(sql)])
        .await?;
    Ok(done + 1 == MIGRATIONS.len())
}

/// Waits for the transactions that write, and takes what they hold, in the order in which commits do. Who waits meanwhile
/// writes nothing after it: a lease has another epoch then, so that its fence finds no row, and whoever holds the row of its
/// scope looks at the schema after that. The mailboxes stay taken: a move may be under way.
///
/// A scope that is made at the same time has no row yet that could be taken.
async fn hold_writers(tx: &Tx) -> Done<()> {
    let leases = "SELECT mailbox FROM lease ORDER BY mailbox FOR UPDATE";
    tx.rows(leases, &[]).await?;
    tx.run("UPDATE lease SET epoch = epoch + 1", &[]).await?;
    let scopes = "SELECT id FROM scope ORDER BY id FOR UPDATE";
    tx.rows(scopes, &[]).await?;
    Ok(())
}

/// Whether the engine has `tsvector` with all that the search needs. What the answer is stands for ever, so that a failure of
/// another kind is none.
async fn knows_vectors(pool: &Pool) -> Done<bool> {
    let probe = "SELECT array_to_tsvector(ARRAY['ab', 'c']) @@ '''a'':* & ''c'''::tsquery";
    match pool.read(async |tx| tx.rows(probe, &[]).await).await {
        Ok(_) => Ok(true),
        Err(fault) if fault.is_not_known() => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// How many of the migrations are applied.
fn verify(applied: &[(String, String)]) -> Done<usize> {
    if applied.len() > MIGRATIONS.len() {
        return Err((&codes::STORE_SCHEMA_NEWER).into());
    }
    for ((name, sum), migration) in applied.iter().zip(MIGRATIONS) {
        let texts = [Some(migration.sql), migration.plain];
        let known = texts.iter().flatten().any(|sql| *sum == checksum(sql));
        if name != migration.name || !known {
            return Err((&codes::STORE_SCHEMA_CHANGED).into());
        }
    }
    Ok(applied.len())
}

/// Names and checksums of what was applied, in order.
async fn applied(tx: &Tx) -> Done<Vec<(String, String)>> {
    let there = "SELECT 1 FROM information_schema.tables
        WHERE table_schema = current_schema() AND table_name = 'schema_migration'";
    if tx.row(there, &[]).await?.is_none() {
        return Ok(Vec::new());
    }
    let list = "SELECT name, checksum FROM schema_migration WHERE number > 0 ORDER BY number";
    let rows = tx.rows(list, &[]).await?;
    let pair = |row: &Row| Ok((column(row, "name")?, column(row, "checksum")?));
    rows.iter().map(pair).collect()
}
