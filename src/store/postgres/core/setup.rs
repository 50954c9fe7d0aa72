//! The set-up as rows: one per field that has a value, under a version that a change must name.

use std::collections::BTreeMap;

use super::many::{Kind, Many};
use super::{find_scope, make_scope, take_turn};
use crate::error::codes;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;
use crate::store::StoredSetup;
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::{Round, Tx};
use crate::store::postgres::values::column;
use crate::store::rows::{from_fields, text, to_fields, unsigned};

pub(crate) async fn load_setup(tx: &Tx, scope: &Scope) -> Done<Option<StoredSetup>> {
    let scope = find_scope(tx, scope).await?;
    stored(tx, scope).await
}

/// It waits for the turn of its scope, so that of two changes the second sees the first.
pub(crate) async fn save_setup(
    tx: &Tx,
    scope: &Scope,
    setup: &EmailLoggingSetup,
    expected_version: u64,
    time: Option<i64>,
    round: Round,
) -> Done<u64> {
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let stored = stored(tx, scope).await?;
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    let written = StoredSetup::new(setup.clone(), expected_version + 1);
    if round.unknown && stored == Some(written) {
        return Ok(version);
    }
    if version != expected_version {
        return Err((&codes::SETUP_VERSION).into());
    }
    let now = super::now(tx, time).await?;
    write(tx, scope, setup, now).await?;
    Ok(expected_version + 1)
}

async fn write(tx: &Tx, scope: i64, setup: &EmailLoggingSetup, now: i64) -> Done<()> {
    let raise = "INSERT INTO setup (scope, version, changed_at) VALUES ($1, 1, $2)
        ON CONFLICT (scope) DO UPDATE SET version = setup.version + 1, changed_at = $2";
    tx.run(raise, &[&scope, &now]).await?;
    tx.run("DELETE FROM setup_field WHERE scope = $1", &[&scope])
        .await?;
    let fields = to_fields(setup);
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> = fields.iter().map(|(_, value)| text(value)).collect();
    let many = Many::default()
        .with("scope", Kind::Number, Box::new(vec![scope; fields.len()]))
        .with("name", Kind::Text, Box::new(names))
        .with("value", Kind::Text, Box::new(values));
    tx.pipeline(&[many.insert("setup_field", "")]).await
}

async fn stored(tx: &Tx, scope: i64) -> Done<Option<StoredSetup>> {
    let find = "SELECT version FROM setup WHERE scope = $1";
    let Some(row) = tx.row(find, &[&scope]).await? else {
        return Ok(None);
    };
    let list = "SELECT name, value FROM setup_field WHERE scope = $1";
    let mut fields = BTreeMap::new();
    for row in &tx.rows(list, &[&scope]).await? {
        fields.insert(column(row, "name")?, column(row, "value")?);
    }
    let version = unsigned(column(&row, "version")?)?;
    Ok(Some(StoredSetup::new(from_fields(fields)?, version)))
}
