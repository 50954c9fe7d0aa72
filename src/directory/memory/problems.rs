//! What is odd about a record. Names the record and the field, never the address.

use crate::message::UnusableAddress;

/// A record that cannot be found as its owner meant it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct RecordProblem {
    /// The salesperson's code or the contact's number.
    pub record: String,
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub kind: ProblemKind,
}

/// What is wrong with a field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The address cannot be used for a match.
    UnusableAddress(UnusableAddress),
    /// Another record has this key; this one was left out.
    DuplicateKey,
}

impl RecordProblem {
    pub(super) fn unusable(record: &str, field: &'static str, reason: UnusableAddress) -> Self {
        Self {
            record: record.to_owned(),
            field,
            kind: ProblemKind::UnusableAddress(reason),
        }
    }

    pub(super) fn duplicate(record: &str) -> Self {
        Self {
            record: record.to_owned(),
            field: "key",
            kind: ProblemKind::DuplicateKey,
        }
    }
}
