//! The set-up as rows: one per field that has a value, under a version that a change must name.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Core;
use crate::error::codes;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;
use crate::store::StoredSetup;
use crate::store::rows::{from_fields, to_fields};
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{text, unsigned};

impl Core {
    pub(crate) fn load_setup(&self, scope: &Scope) -> Done<Option<StoredSetup>> {
        let (tx, scope) = self.read(scope)?;
        match version(&tx, scope)? {
            0 => Ok(None),
            version => {
                let setup = from_fields(fields(&tx, scope)?)?;
                Ok(Some(StoredSetup::new(setup, version)))
            }
        }
    }

    pub(crate) fn save_setup(
        &mut self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        expected_version: u64,
    ) -> Done<u64> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        if version(&tx, scope)? != expected_version {
            return Err((&codes::SETUP_VERSION).into());
        }
        tx.execute(
            "INSERT INTO setup (scope, version, changed_at) VALUES (?1, 1, ?2)
             ON CONFLICT (scope) DO UPDATE SET version = version + 1, changed_at = ?2",
            params![scope, now],
        )?;
        tx.execute("DELETE FROM setup_field WHERE scope = ?1", [scope])?;
        let mut insert =
            tx.prepare_cached("INSERT INTO setup_field (scope, name, value) VALUES (?1, ?2, ?3)")?;
        for (name, value) in to_fields(setup) {
            insert.execute(params![scope, name, text(&value)])?;
        }
        drop(insert);
        tx.commit()?;
        Ok(expected_version + 1)
    }
}

/// The version of the set-up; 0 where none is stored.
fn version(conn: &Connection, scope: i64) -> Done<u64> {
    let mut find = conn.prepare_cached("SELECT version FROM setup WHERE scope = ?1")?;
    let version = find.query_row([scope], |row| row.get(0)).optional()?;
    unsigned(version.unwrap_or(0))
}

fn fields(conn: &Connection, scope: i64) -> Done<BTreeMap<String, String>> {
    let mut list = conn.prepare_cached("SELECT name, value FROM setup_field WHERE scope = ?1")?;
    let rows = list.query_map([scope], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
