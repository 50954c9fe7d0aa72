//! Hints that mail may have arrived: they bring runs forward, and nothing depends on them.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::field_reassign_with_default
)]

mod desk;
mod ews;
mod exactly_once;
mod graph;
mod hints;
mod keeper;
mod place;
mod pool;
mod receiver;
mod schedule;
mod whole_way;

#[path = "../fault_matrix/office.rs"]
#[allow(dead_code)]
mod office;
#[path = "../ews/support.rs"]
mod support;
