//! The whole job as it ships: simulated Exchange over HTTPS, the EWS source, the SQLite store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::clone_on_ref_ptr
)]

mod corpus;
mod counts;
mod faults;
mod leases;
mod schema;
mod setting;
#[path = "../support/skipped.rs"]
mod skipped;
mod stamps;
