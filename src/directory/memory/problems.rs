//! What is odd about a record. Names the record and the field, never the address.

use std::fmt;

use crate::message::UnusableAddress;

/// A record that cannot be found as its owner meant it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
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
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The address cannot be used for a match.
    UnusableAddress(UnusableAddress),
    /// Another record has this key; this one was left out.
    DuplicateKey,
    /// The record has no address at all. Only an audit says so.
    NoAddress,
}

impl ProblemKind {
    fn words(self) -> &'static str {
        match self {
            Self::UnusableAddress(UnusableAddress::NameOnly) => "holds no address",
            Self::UnusableAddress(UnusableAddress::Malformed) => "is malformed",
            Self::UnusableAddress(UnusableAddress::EncodedWord) => "holds an encoded-word",
            Self::UnusableAddress(UnusableAddress::Invisible) => "holds invisible characters",
            Self::UnusableAddress(UnusableAddress::Domain) => "has an impossible domain",
            Self::UnusableAddress(UnusableAddress::TooLong) => "is too long",
            Self::DuplicateKey => "is the key of another record",
            Self::NoAddress => "is missing",
        }
    }
}

impl fmt::Display for RecordProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.record, self.field, self.kind.words())
    }
}

impl RecordProblem {
    /// A problem of a record's field, as a host's own directory finds it.
    pub fn new(record: impl Into<String>, field: &'static str, kind: ProblemKind) -> Self {
        Self {
            record: record.into(),
            field,
            kind,
        }
    }

    pub(super) fn no_address(record: &str) -> Self {
        Self::new(record, "email", ProblemKind::NoAddress)
    }

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
