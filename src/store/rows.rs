//! How values stand in the columns of a database, whatever its engine: time, text, lists, keys.
//!
//! Knows no engine and no driver.

mod cursor;
pub(crate) mod opportunity;
pub(crate) mod people;
pub(crate) mod privacy;
mod setup;

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::cursor::{Place, Question};
pub(crate) use self::setup::{from_fields, to_fields};
use crate::source::SightingKey;
use crate::wish::Wish;

/// Why a value cannot stand in a column, or cannot be read from one. Neither text holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// What is to be written cannot be.
    Data(&'static str),
    /// What is stored cannot be read.
    Damaged(&'static str),
}

/// The result of a conversion.
pub(crate) type Fit<T> = std::result::Result<T, Flaw>;

/// A column whose text is no code of its enum.
pub(crate) const UNKNOWN_CODE: Flaw = Flaw::Damaged("an unknown code");

/// A time as microseconds.
pub(crate) fn micros(at: Timestamp) -> i64 {
    // Of the last second no part is read again.
    let last = Timestamp::MAX.as_second() * 1_000_000;
    at.as_microsecond().min(last)
}

/// A time that may be absent.
pub(crate) fn maybe_micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(micros)
}

/// The time of a column.
pub(crate) fn timestamp(micros: i64) -> Fit<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|_| Flaw::Damaged("a time"))
}

/// A mail system's wish to be left alone, as its two columns have it.
pub(crate) fn wish((until, length): (i64, i64)) -> Fit<Wish> {
    Ok(Wish {
        until: timestamp(until)?,
        length: Duration::from_micros(unsigned(length)?),
    })
}

/// The end and the length of a wish.
pub(crate) fn of_wish(wish: Wish) -> (i64, i64) {
    let length = i64::try_from(wish.length.as_micros()).unwrap_or(i64::MAX);
    (micros(wish.until), length)
}

/// Text without U+0000, which neither engine keeps in a text.
pub(crate) fn text(value: &str) -> Cow<'_, str> {
    if value.contains('\0') {
        value.replace('\0', "\u{FFFD}").into()
    } else {
        value.into()
    }
}

/// Text that may be absent.
pub(crate) fn maybe_text(value: Option<&str>) -> Option<Cow<'_, str>> {
    value.map(text)
}

/// A value as JSON.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Fit<String> {
    let json = serde_json::to_string(value).map_err(|_| Flaw::Data("a value without JSON"))?;
    Ok(without_escaped_nul(json))
}

/// JSON writes U+0000 as an escape, which `jsonb` refuses.
fn without_escaped_nul(json: String) -> String {
    if !json.contains("\\u0000") {
        return json;
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        // A backslash is ASCII and never the last character of valid JSON, so the escape has two.
        let (taken, after) = match escape.strip_prefix("\\u0000") {
            Some(after) => ("\\ufffd", after),
            None => escape.split_at_checked(2).unwrap_or((escape, "")),
        };
        clean.push_str(taken);
        rest = after;
    }
    clean + rest
}

/// The value of a JSON column.
pub(crate) fn from_json<T: DeserializeOwned>(json: &str) -> Fit<T> {
    serde_json::from_str(json).map_err(|_| Flaw::Damaged("a JSON value"))
}

/// A sighting's key as bytes: half the size of its text.
pub(crate) fn key_bytes(key: &SightingKey) -> Vec<u8> {
    let (kind, bytes): (u8, &[u8]) = match key {
        SightingKey::SearchKey(bytes) => (b's', bytes),
        SightingKey::ImmutableId(id) => (b'i', id.as_bytes()),
        SightingKey::Digest(digest) => (b'd', digest),
        SightingKey::Stamp(stamp) => (b'k', stamp),
        SightingKey::Content(digest) => (b'c', digest),
    };
    [&[kind], bytes].concat()
}

/// The sighting's key of a column.
pub(crate) fn sighting_key(bytes: &[u8]) -> Fit<SightingKey> {
    let damaged = Flaw::Damaged("a sighting key");
    match bytes.split_first() {
        Some((b's', key)) => Ok(SightingKey::SearchKey(key.to_vec())),
        Some((b'i', id)) => match String::from_utf8(id.to_vec()) {
            Ok(id) => Ok(SightingKey::ImmutableId(id)),
            Err(_) => Err(damaged),
        },
        Some((b'k', stamp)) => match stamp.try_into() {
            Ok(stamp) => Ok(SightingKey::Stamp(stamp)),
            Err(_) => Err(damaged),
        },
        Some((b'c', digest)) => match digest.try_into() {
            Ok(digest) => Ok(SightingKey::Content(digest)),
            Err(_) => Err(damaged),
        },
        Some((b'd', digest)) => match digest.try_into() {
            Ok(digest) => Ok(SightingKey::Digest(digest)),
            Err(_) => Err(damaged),
        },
        _ => Err(damaged),
    }
}

/// A number that is never negative.
pub(crate) fn unsigned(value: i64) -> Fit<u64> {
    u64::try_from(value).map_err(|_| Flaw::Damaged("a negative number"))
}

/// A number that fits into a column.
pub(crate) fn signed(value: u64) -> Fit<i64> {
    i64::try_from(value).map_err(|_| Flaw::Data("a number beyond the range of a column"))
}

/// A short hash of a Message-ID, which an index holds in its place.
pub(crate) fn message_id_hash(id: &str) -> i64 {
    let hash = blake3::hash(id.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(hash.as_bytes().split_at(8).0);
    i64::from_le_bytes(first)
}

/// The checksum of a migration. Line ends do not count, so that a checkout cannot change it.
pub(crate) fn checksum(sql: &str) -> String {
    blake3::hash(sql.replace("\r\n", "\n").as_bytes())
        .to_hex()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_that_is_written_is_read_again() {
        for at in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            let read = timestamp(micros(at)).unwrap_or_default();
            assert_eq!(read.as_second(), at.as_second());
        }
    }

    #[test]
    fn u_0000_is_replaced_in_text_and_in_json_and_nothing_else_is() {
        assert_eq!(text("a\0b"), "a\u{FFFD}b");
        assert_eq!(text("ab"), "ab");
        let words = ["a\0\\u0000\\\\u0000\0", "\\u0000"];
        let back: Vec<String> = from_json(&json(&words).unwrap_or_default()).unwrap_or_default();
        assert_eq!(back, ["a\u{FFFD}\\u0000\\\\u0000\u{FFFD}", "\\u0000"]);
    }
}
