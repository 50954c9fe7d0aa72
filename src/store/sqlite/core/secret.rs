//! Sealed secrets as rows. Knows no key.
//!
//! An erased secret keeps a row without an envelope: its version is negative, so that the next one goes on from there.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Core;
use crate::error::codes;
use crate::scope::Scope;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{column, enum_column, signed, unsigned};
use crate::store::{SealedSecret, SecretName, SecretPlace, StoredSecret};

impl Core {
    pub(crate) fn load_secret(
        &self,
        scope: &Scope,
        name: SecretName,
    ) -> Done<Option<StoredSecret>> {
        let (tx, scope) = self.read(scope)?;
        let mut find = tx.prepare_cached(
            "SELECT version, key_id, wrapped_key, nonce, ciphertext FROM secret
             WHERE scope = ?1 AND name = ?2 AND version > 0",
        )?;
        let mut rows = find.query(params![scope, name.code()])?;
        rows.next()?.map(stored).transpose()
    }

    pub(crate) fn save_secret(
        &mut self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        expected_version: u64,
    ) -> Done<u64> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        let last = last_version(&tx, scope, name)?;
        if unsigned(last.max(0))? != expected_version {
            return Err((&codes::SECRET_VERSION).into());
        }
        let version = unsigned(last.abs())? + 1;
        tx.execute(
            "DELETE FROM secret WHERE scope = ?1 AND name = ?2",
            params![scope, name.code()],
        )?;
        let row = SecretRow {
            scope,
            name: name.code().to_owned(),
            version: signed(version)?,
            sealed: sealed.clone(),
            changed_at: now,
        };
        row.insert(&tx)?;
        tx.commit()?;
        Ok(version)
    }

    /// Writes the whole table anew, without the envelopes that go.
    ///
    /// `secure_delete` overwrites the cell of a row that is deleted, but a cell that was moved when pages were split or merged
    /// leaves its bytes between the cells of the page that it came from. Only a page that is freed is overwritten whole; a
    /// table is freed whole by a `DELETE` without `WHERE`, and only while no foreign key is looked after.
    pub(crate) fn erase_secrets(&mut self, scope: &Scope, names: &[SecretName]) -> Done<()> {
        self.ready()?.pragma_update(None, "foreign_keys", false)?;
        let erased = self.write_without(scope, names);
        self.conn.pragma_update(None, "foreign_keys", true)?;
        erased?;
        // Also where nothing was stored: an earlier call may have ended between its commit and this.
        self.empty_journal()
    }

    fn write_without(&mut self, scope: &Scope, names: &[SecretName]) -> Done<()> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        let mut all = rows(&tx)?;
        let goes = |row: &&mut SecretRow| {
            let asked = names.iter().any(|name| name.code() == row.name);
            row.scope == scope && row.version > 0 && asked
        };
        let mut erased = 0;
        for row in all.iter_mut().filter(goes) {
            row.erase(now);
            erased += 1;
        }
        if erased > 0 {
            tx.execute("DELETE FROM secret", [])?;
            for row in &all {
                row.insert(&tx)?;
            }
        }
        Ok(tx.commit()?)
    }

    pub(crate) fn list_secrets(&self) -> Done<Vec<SecretPlace>> {
        let mut list = self.ready()?.prepare_cached(
            "SELECT tenant, company, name, key_id FROM secret JOIN scope ON scope.id = secret.scope
             WHERE version > 0",
        )?;
        let mut rows = list.query([])?;
        let mut places = Vec::new();
        while let Some(row) = rows.next()? {
            places.push(place(row)?);
        }
        places.sort_unstable();
        Ok(places)
    }
}

/// A row of the table.
struct SecretRow {
    scope: i64,
    name: String,
    version: i64,
    sealed: SealedSecret,
    changed_at: i64,
}

impl SecretRow {
    fn erase(&mut self, now: i64) {
        self.version = -self.version;
        self.sealed = SealedSecret::new("", Vec::new(), Vec::new(), Vec::new());
        self.changed_at = now;
    }

    fn insert(&self, conn: &Connection) -> Done<()> {
        let mut insert = conn.prepare_cached(
            "INSERT INTO secret
               (scope, name, version, key_id, wrapped_key, nonce, ciphertext, changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let SealedSecret {
            key_id,
            wrapped_key,
            nonce,
            ciphertext,
        } = &self.sealed;
        insert.execute(params![
            self.scope,
            self.name,
            self.version,
            key_id,
            wrapped_key,
            nonce,
            ciphertext,
            self.changed_at
        ])?;
        Ok(())
    }
}

/// Every row, in the order of its key.
fn rows(conn: &Connection) -> Done<Vec<SecretRow>> {
    let mut list = conn.prepare_cached(
        "SELECT scope, name, version, key_id, wrapped_key, nonce, ciphertext, changed_at
         FROM secret ORDER BY scope, name",
    )?;
    let mut found = list.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(SecretRow {
            scope: column(row, "scope")?,
            name: column(row, "name")?,
            version: column(row, "version")?,
            sealed: envelope(row)?,
            changed_at: column(row, "changed_at")?,
        });
    }
    Ok(rows)
}

/// The version of a secret, negative where it was erased; 0 where there never was one.
fn last_version(conn: &Connection, scope: i64, name: SecretName) -> Done<i64> {
    let mut find =
        conn.prepare_cached("SELECT version FROM secret WHERE scope = ?1 AND name = ?2")?;
    let version = find.query_row(params![scope, name.code()], |row| row.get(0));
    Ok(version.optional()?.unwrap_or(0))
}

fn stored(row: &Row<'_>) -> Done<StoredSecret> {
    let version = unsigned(column(row, "version")?)?;
    Ok(StoredSecret::new(envelope(row)?, version))
}

fn envelope(row: &Row<'_>) -> Done<SealedSecret> {
    Ok(SealedSecret::new(
        column::<String>(row, "key_id")?,
        column(row, "wrapped_key")?,
        column(row, "nonce")?,
        column(row, "ciphertext")?,
    ))
}

fn place(row: &Row<'_>) -> Done<SecretPlace> {
    let scope = Scope::new(
        column::<String>(row, "tenant")?,
        column::<String>(row, "company")?,
    );
    let scope = scope.map_err(|_| Fault::Damaged("a scope"))?;
    let name = enum_column(row, "name", SecretName::from_code)?;
    Ok(SecretPlace::new(
        scope,
        name,
        column::<String>(row, "key_id")?,
    ))
}
