//! Cursors: the place after the last row of a page, bound to the question that was asked.

use crate::error::{Code, codes};
use crate::scope::Scope;
use crate::store::{Cursor, Page};

/// A place in an order of falling (time, number).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: i64,
    pub(crate) no: i64,
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
pub(crate) struct Question([u8; 8]);

impl Question {
    /// A question of this kind, in this scope, with this filter.
    pub(crate) fn new(kind: &str, scope: &Scope, filter: &dyn std::fmt::Debug) -> Self {
        let asked = format!("{kind} {scope:?} {filter:?}");
        let mut digest = [0; 8];
        digest.copy_from_slice(blake3::hash(asked.as_bytes()).as_bytes().split_at(8).0);
        Self(digest)
    }

    /// The cursor that goes on after a place.
    pub(crate) fn cursor(self, place: Place) -> Cursor {
        let question = u64::from_be_bytes(self.0);
        Cursor::new(format!("{question:016x}.{}.{}", place.at, place.no))
    }

    /// The place of a cursor, which must belong to this question.
    pub(crate) fn place(self, after: Option<&Cursor>) -> Result<Place, &'static Code> {
        let Some(cursor) = after else {
            return Ok(Place::START);
        };
        let place = self.parse(cursor.as_str());
        place.ok_or(&codes::STORE_CURSOR)
    }

    /// Cuts the row that is one too many, and makes the cursor of the last that stays.
    pub(crate) fn page<T>(self, mut rows: Vec<(Place, T)>, limit: u32) -> Page<T> {
        let full = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > full;
        rows.truncate(full);
        let last = rows.last().map(|(place, _)| *place);
        let next = last.filter(|_| more).map(|place| self.cursor(place));
        Page::new(rows.into_iter().map(|(_, row)| row).collect(), next)
    }

    fn parse(self, text: &str) -> Option<Place> {
        let mut parts = text.splitn(3, '.');
        let question = u64::from_str_radix(parts.next()?, 16).ok()?;
        let at = parts.next()?.parse().ok()?;
        let no = parts.next()?.parse().ok()?;
        (question == u64::from_be_bytes(self.0)).then_some(Place { at, no })
    }
}
