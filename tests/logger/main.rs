//! What a run promises, on a source and a store in memory: whole runs, every single fault, crashes, copies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::clone_on_ref_ptr,
    clippy::format_collect,
    clippy::field_reassign_with_default
)]

mod bench;
mod commits;
mod copies;
mod corners;
mod crashes;
mod directories;
mod disabling;
mod disorder;
mod edges;
mod faults;
mod foreign;
mod host;
mod keyless;
mod lasting;
mod leases;
mod meddled;
mod panics;
mod quiet;
mod recoveries;
mod requeues;
mod runs;
mod schedule;
mod siblings;
mod steered;
mod walks;
