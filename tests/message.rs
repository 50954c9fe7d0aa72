//! Reading of mail: the sample mails of the demo by a hand-written table, a corpus of awkward mail
//! where it is present, and a malformed fixture for each kind of bad input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "message/corpus.rs"]
mod corpus;
#[path = "message/facts.rs"]
mod facts;
#[path = "message/journal.rs"]
mod journal;
#[path = "message/malformed.rs"]
mod malformed;
#[path = "message/samples.rs"]
mod samples;
#[path = "support/skipped.rs"]
mod skipped;
#[path = "message/support.rs"]
mod support;
