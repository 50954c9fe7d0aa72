//! The whole job as it ships: simulated Exchange over HTTPS, the EWS source, the SQLite store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod corpus;
mod counts;
mod faults;
mod schema;
mod setting;
#[path = "../support/skipped.rs"]
mod skipped;
