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

#[path = "pool/clock.rs"]
mod clock;
#[path = "pool/health.rs"]
mod health;
#[path = "pool/turns.rs"]
mod turns;
#[path = "pool/yard.rs"]
mod yard;
