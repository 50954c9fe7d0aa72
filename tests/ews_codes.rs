//! Every response code and every HTTP status: what each operation makes of it, against a scripted server.
//!
//! The expected values are the two tables in `tests/fixtures`. What a change does is the point: it is never repeated where it
//! may have happened.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ews/support.rs"]
mod support;

#[path = "ews_codes/crowds.rs"]
mod crowds;
#[path = "ews_codes/quiet.rs"]
mod quiet;
#[path = "ews_codes/response_codes.rs"]
mod response_codes;
#[path = "ews_codes/scripted.rs"]
mod scripted;
#[path = "support/skipped.rs"]
mod skipped;
#[path = "ews_codes/statuses.rs"]
mod statuses;
