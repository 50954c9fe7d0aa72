//! A pool of loggers under a clock that stands still: fair, bounded, and each mailbox by itself.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::field_reassign_with_default
)]

#[path = "fault_matrix/office.rs"]
#[allow(dead_code)]
mod office;

#[path = "pool/bounded.rs"]
mod bounded;
#[path = "pool/clock.rs"]
mod clock;
#[path = "pool/health.rs"]
mod health;
#[path = "pool/left.rs"]
mod left;
#[path = "pool/turns.rs"]
mod turns;
#[path = "pool/waits.rs"]
mod waits;
#[path = "pool/yard.rs"]
mod yard;
