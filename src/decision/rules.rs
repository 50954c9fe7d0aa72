//! The rules of the decision, one per file. Each sees the case, says what it saw, and goes on or ends it.

pub(super) mod authenticity;
pub(super) mod class;
pub(super) mod direction;
pub(super) mod disposition;
pub(super) mod hook;
pub(super) mod internal;
pub(super) mod matching;
mod never_log;
mod pairs;
mod party;
mod ranking;
pub(super) mod readable;
pub(super) mod recipients;
pub(super) mod sender;
pub(super) mod sensitivity;
pub(super) mod signals;
pub(super) mod unmatched;

use super::{DecidedEntry, Outcome};
use crate::parties::NewContact;

/// What the rules said together.
#[derive(Debug)]
pub(super) struct Ruling {
    /// The outcome.
    pub(super) outcome: Outcome,
    /// The entries, if it is logged.
    pub(super) entries: Vec<DecidedEntry>,
    /// The contacts to create first.
    pub(super) create_contacts: Vec<NewContact>,
}

impl Ruling {
    /// Ended without entries.
    pub(super) fn ended(outcome: Outcome) -> Self {
        Self {
            outcome,
            entries: Vec::new(),
            create_contacts: Vec::new(),
        }
    }

    /// Logged with these entries.
    pub(super) fn logged(entries: Vec<DecidedEntry>) -> Self {
        Self {
            outcome: Outcome::Logged,
            entries,
            create_contacts: Vec::new(),
        }
    }
}
