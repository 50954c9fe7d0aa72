//! Pages of a memory store, and cursors that are bound to the question that was asked.

use std::cmp::Reverse;
use std::fmt::Debug;

use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::store::{Cursor, Page};

/// Where a row stands in its order: the time in microseconds, then a number.
pub(super) type Place = (i64, u64);

/// One question, by a digest of everything that it asks.
pub(super) struct Question {
    kind: &'static str,
    digest: String,
}

impl Question {
    pub(super) fn new(kind: &'static str, scope: &Scope, filter: &dyn Debug) -> Self {
        let asked = format!("{kind} {scope:?} {filter:?}");
        let digest = blake3::hash(asked.as_bytes()).to_hex().to_string();
        Self { kind, digest }
    }

    /// The rows below the cursor, newest first.
    pub(super) fn page<T>(
        &self,
        mut rows: Vec<(Place, T)>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<T>> {
        if let Some(cursor) = after {
            let after = self.read(cursor)?;
            rows.retain(|(place, _)| *place < after);
        }
        rows.sort_by_key(|(place, _)| Reverse(*place));
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| more);
        let next = last.map(|(place, _)| self.cursor(*place));
        Ok(Page::new(
            rows.into_iter().map(|(_, row)| row).collect(),
            next,
        ))
    }

    fn cursor(&self, (time, number): Place) -> Cursor {
        Cursor::new(format!("{}:{time}:{number}", self.digest))
    }

    fn read(&self, cursor: &Cursor) -> Result<Place> {
        let mut parts = cursor.as_str().split(':');
        let asked = parts.next() == Some(self.digest.as_str());
        let time = parts.next().and_then(|part| part.parse().ok());
        let number = parts.next().and_then(|part| part.parse().ok());
        match (asked, time, number, parts.next()) {
            (true, Some(time), Some(number), None) => Ok((time, number)),
            _ => Err(Error::new(&codes::STORE_CURSOR, self.kind)),
        }
    }
}
