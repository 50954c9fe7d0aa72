//! The fault matrix: what must happen where a step of the job fails, each cell with its named test.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::field_reassign_with_default
)]

mod edited;
mod office;
mod poison;
mod poisoned;
mod reconcile;
mod stamps;
mod steps;
mod table;
