//! Cursors: the place after the last row of a page, bound to the question that was asked.

use crate::error::codes;
use crate::scope::Scope;
use crate::store::Cursor;
use crate::store::sqlite::fault::Done;

/// A place in an order of falling (time, number).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: i64,
    pub(super) no: i64,
}

impl Place {
    /// Before every row.
    const START: Self = Self {
        at: i64::MAX,
        no: i64::MAX,
    };
}

/// One question, by a digest of everything that it asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question([u8; 8]);

impl Question {
    /// A question of this kind, in this scope, with this filter.
    pub(super) fn new(kind: &str, scope: &Scope, filter: &dyn std::fmt::Debug) -> Self {
        let asked = format!("{kind} {scope:?} {filter:?}");
        let mut digest = [0; 8];
        digest.copy_from_slice(blake3::hash(asked.as_bytes()).as_bytes().split_at(8).0);
        Self(digest)
    }

    /// The cursor that goes on after a place.
    pub(super) fn cursor(self, place: Place) -> Cursor {
        let question = u64::from_be_bytes(self.0);
        Cursor::new(format!("{question:016x}.{}.{}", place.at, place.no))
    }

    /// The place of a cursor, which must belong to this question.
    pub(super) fn place(self, after: Option<&Cursor>) -> Done<Place> {
        let Some(cursor) = after else {
            return Ok(Place::START);
        };
        let place = self.parse(cursor.as_str());
        Ok(place.ok_or(&codes::STORE_CURSOR)?)
    }

    fn parse(self, text: &str) -> Option<Place> {
        let mut parts = text.splitn(3, '.');
        let question = u64::from_str_radix(parts.next()?, 16).ok()?;
        let at = parts.next()?.parse().ok()?;
        let no = parts.next()?.parse().ok()?;
        (question == u64::from_be_bytes(self.0)).then_some(Place { at, no })
    }
}
