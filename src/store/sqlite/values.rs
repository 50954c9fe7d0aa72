//! How values stand in columns of SQLite: what every engine shares, with this one's faults.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::FromSql;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Done;
use crate::source::SightingKey;
use crate::store::rows;
pub(crate) use crate::store::rows::{key_bytes, maybe_micros, maybe_text, micros, text};

/// The time of a column.
pub(crate) fn timestamp(micros: i64) -> Done<Timestamp> {
    Ok(rows::timestamp(micros)?)
}

/// The time of a column that may be null.
pub(crate) fn maybe_timestamp(micros: Option<i64>) -> Done<Option<Timestamp>> {
    micros.map(timestamp).transpose()
}

/// A value as JSON.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Done<String> {
    Ok(rows::json(value)?)
}

/// The value of a JSON column.
pub(crate) fn from_json<T: DeserializeOwned>(json: &str) -> Done<T> {
    Ok(rows::from_json(json)?)
}

/// The sighting's key of a column.
pub(crate) fn sighting_key(bytes: &[u8]) -> Done<SightingKey> {
    Ok(rows::sighting_key(bytes)?)
}

/// A number that is never negative.
pub(crate) fn unsigned(value: i64) -> Done<u64> {
    Ok(rows::unsigned(value)?)
}

/// A number that fits into a column.
pub(crate) fn signed(value: u64) -> Done<i64> {
    Ok(rows::signed(value)?)
}

/// A column by name.
pub(crate) fn column<T: FromSql>(row: &Row<'_>, name: &str) -> Done<T> {
    Ok(row.get(name)?)
}

/// A column whose text is the code of an enum.
pub(crate) fn enum_column<T>(
    row: &Row<'_>,
    name: &str,
    from_code: impl Fn(&str) -> Option<T>,
) -> Done<T> {
    let code = row
        .get_ref(name)?
        .as_str()
        .map_err(|_| rows::UNKNOWN_CODE)?;
    Ok(from_code(code).ok_or(rows::UNKNOWN_CODE)?)
}
