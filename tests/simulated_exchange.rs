//! The simulated Exchange, asked over HTTP as a client asks it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "simulated_exchange/exchangelib.rs"]
mod exchangelib;
