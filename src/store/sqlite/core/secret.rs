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
            "INSERT INTO secret
               (scope, name, version, key_id, wrapped_key, nonce, ciphertext, changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (scope, name) DO UPDATE SET version = ?3, key_id = ?4,
               wrapped_key = ?5, nonce = ?6, ciphertext = ?7, changed_at = ?8",
            params![
                scope,
                name.code(),
                signed(version)?,
                sealed.key_id,
                sealed.wrapped_key,
                sealed.nonce,
                sealed.ciphertext,
                now
            ],
        )?;
        tx.commit()?;
        Ok(version)
    }

    pub(crate) fn erase_secrets(&mut self, scope: &Scope, names: &[SecretName]) -> Done<()> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        for name in names {
            tx.execute(
                "UPDATE secret SET version = -version, key_id = '', wrapped_key = x'',
                   nonce = x'', ciphertext = x'', changed_at = ?3
                 WHERE scope = ?1 AND name = ?2 AND version > 0",
                params![scope, name.code(), now],
            )?;
        }
        tx.commit()?;
        // Also where nothing was stored: an earlier call may have ended between its commit and this.
        self.empty_journal()
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

/// The version of a secret, negative where it was erased; 0 where there never was one.
fn last_version(conn: &Connection, scope: i64, name: SecretName) -> Done<i64> {
    let mut find =
        conn.prepare_cached("SELECT version FROM secret WHERE scope = ?1 AND name = ?2")?;
    let version = find.query_row(params![scope, name.code()], |row| row.get(0));
    Ok(version.optional()?.unwrap_or(0))
}

fn stored(row: &Row<'_>) -> Done<StoredSecret> {
    let sealed = SealedSecret::new(
        column::<String>(row, "key_id")?,
        column(row, "wrapped_key")?,
        column(row, "nonce")?,
        column(row, "ciphertext")?,
    );
    Ok(StoredSecret::new(
        sealed,
        unsigned(column(row, "version")?)?,
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
