//! What a run promises, on a source and a store in memory: whole runs, every single fault, crashes, copies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod copies;
mod crashes;
mod faults;
mod host;
mod runs;
mod schedule;
mod telemetry;
