//! How values stand in columns of PostgreSQL: ids as `uuid`, everything else as every engine has it.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::fault::{Done, Fault};
use crate::clock::Clock;
use crate::store::rows::{self, UNKNOWN_CODE};

/// The time of the database as a column has it, unless the parameter `$1` gives another one.
pub(super) const NOW: &str =
    "coalesce($1::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)";

/// The time of an injected clock.
pub(super) fn time_of(clock: Option<&dyn Clock>) -> Option<i64> {
    clock.map(|clock| rows::micros(clock.now()))
}

/// A column by name.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Done<T> {
    row.try_get(name).map_err(|_| Fault::Damaged("a column"))
}

/// A column whose text is the code of an enum.
pub(super) fn enum_column<T>(
    row: &Row,
    name: &str,
    from_code: impl Fn(&str) -> Option<T>,
) -> Done<T> {
    let code: &str = column(row, name)?;
    Ok(from_code(code).ok_or(UNKNOWN_CODE)?)
}

/// A column of a digest.
pub(super) fn digest(row: &Row, name: &str) -> Done<[u8; 32]> {
    maybe_digest(row, name)?.ok_or(Fault::Damaged("a digest"))
}

/// A column of a digest that may be null.
pub(super) fn maybe_digest(row: &Row, name: &str) -> Done<Option<[u8; 32]>> {
    let bytes: Option<&[u8]> = column(row, name)?;
    bytes
        .map(|bytes| bytes.try_into().map_err(|_| Fault::Damaged("a digest")))
        .transpose()
}

/// A column of an id.
pub(super) fn id(row: &Row, name: &str) -> Done<[u8; 16]> {
    Ok(column::<Uuid>(row, name)?.into_bytes())
}

/// A column of an id that may be null.
pub(super) fn maybe_id(row: &Row, name: &str) -> Done<Option<[u8; 16]>> {
    Ok(column::<Option<Uuid>>(row, name)?.map(Uuid::into_bytes))
}

/// An id as a parameter.
pub(super) fn uuid(bytes: &[u8; 16]) -> Uuid {
    Uuid::from_bytes(*bytes)
}

/// A column that is never negative and small.
pub(super) fn small(row: &Row, name: &str) -> Done<u32> {
    u32::try_from(column::<i64>(row, name)?).map_err(|_| Fault::Damaged("a number"))
}
