//! Sealed secrets as rows. Knows no key.
//!
//! An erased secret keeps a row without an envelope: its version is negative, so that the next one goes on from there.

use tokio_postgres::Row;

use super::{find_scope, make_scope, take_turn};
use crate::error::codes;
use crate::scope::Scope;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::{Round, Tx};
use crate::store::postgres::values::{column, enum_column};
use crate::store::rows::unsigned;
use crate::store::{SealedSecret, SecretName, SecretPlace, StoredSecret};

pub(crate) async fn load_secret(
    tx: &Tx,
    scope: &Scope,
    name: SecretName,
) -> Done<Option<StoredSecret>> {
    let scope = find_scope(tx, scope).await?;
    let row = find(tx, scope, name).await?;
    let stored = row.as_ref().map(stored).transpose()?;
    Ok(stored.flatten())
}

pub(crate) async fn save_secret(
    tx: &Tx,
    scope: &Scope,
    name: SecretName,
    sealed: &SealedSecret,
    expected_version: u64,
    time: Option<i64>,
    round: Round,
) -> Done<u64> {
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let row = find(tx, scope, name).await?;
    let last: i64 = row.as_ref().map_or(Ok(0), |row| column(row, "version"))?;
    let there = row.as_ref().map(stored).transpose()?.flatten();
    if round.unknown && there.as_ref().is_some_and(|there| there.sealed == *sealed) {
        return Ok(unsigned(last)?);
    }
    if unsigned(last.max(0))? != expected_version {
        return Err((&codes::SECRET_VERSION).into());
    }
    let version = last.abs() + 1;
    let now = super::now(tx, time).await?;
    write(tx, scope, name, sealed, version, now).await?;
    Ok(unsigned(version)?)
}

/// Overwrites the envelopes. What the server keeps of the rows as they were is vacuumed by it later: its journal, its backups
/// and dead rows are the administrator's.
pub(crate) async fn erase_secrets(
    tx: &Tx,
    scope: &Scope,
    names: &[SecretName],
    time: Option<i64>,
) -> Done<()> {
    let now = super::now(tx, time).await?;
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let names: Vec<&str> = names.iter().map(|name| name.code()).collect();
    let erase = "UPDATE secret SET version = -version, key_id = '', wrapped_key = '', nonce = '',
            ciphertext = '', changed_at = $3
        WHERE scope = $1 AND name = ANY($2) AND version > 0";
    tx.run(erase, &[&scope, &names, &now]).await?;
    Ok(())
}

pub(crate) async fn list_secrets(tx: &Tx) -> Done<Vec<SecretPlace>> {
    let list =
        "SELECT tenant, company, name, key_id FROM secret JOIN scope ON scope.id = secret.scope
        WHERE version > 0";
    let rows = tx.rows(list, &[]).await?;
    let places: Done<Vec<_>> = rows.iter().map(place).collect();
    let mut places = places?;
    places.sort_unstable();
    Ok(places)
}

async fn find(tx: &Tx, scope: i64, name: SecretName) -> Done<Option<Row>> {
    let find = "SELECT version, key_id, wrapped_key, nonce, ciphertext FROM secret
        WHERE scope = $1 AND name = $2";
    tx.row(find, &[&scope, &name.code()]).await
}

async fn write(
    tx: &Tx,
    scope: i64,
    name: SecretName,
    sealed: &SealedSecret,
    version: i64,
    now: i64,
) -> Done<()> {
    let write = "INSERT INTO secret
            (scope, name, version, key_id, wrapped_key, nonce, ciphertext, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (scope, name) DO UPDATE SET version = excluded.version,
            key_id = excluded.key_id, wrapped_key = excluded.wrapped_key,
            nonce = excluded.nonce, ciphertext = excluded.ciphertext,
            changed_at = excluded.changed_at";
    let SealedSecret {
        key_id,
        wrapped_key,
        nonce,
        ciphertext,
    } = sealed;
    let name = name.code();
    tx.run(
        write,
        &[
            &scope,
            &name,
            &version,
            key_id,
            wrapped_key,
            nonce,
            ciphertext,
            &now,
        ],
    )
    .await?;
    Ok(())
}

/// The secret of a row, unless it was erased.
fn stored(row: &Row) -> Done<Option<StoredSecret>> {
    let version: i64 = column(row, "version")?;
    if version < 0 {
        return Ok(None);
    }
    let sealed = SealedSecret::new(
        column::<String>(row, "key_id")?,
        column(row, "wrapped_key")?,
        column(row, "nonce")?,
        column(row, "ciphertext")?,
    );
    Ok(Some(StoredSecret::new(sealed, unsigned(version)?)))
}

fn place(row: &Row) -> Done<SecretPlace> {
    let scope = Scope::new(
        column::<String>(row, "tenant")?,
        column::<String>(row, "company")?,
    );
    let scope = scope.map_err(|_| Fault::Damaged("a scope"))?;
    let name = enum_column(row, "name", SecretName::from_code)?;
    let key_id: String = column(row, "key_id")?;
    Ok(SecretPlace::new(scope, name, key_id))
}
