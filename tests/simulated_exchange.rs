//! The simulated Exchange, asked over HTTP as a client asks it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "simulated_exchange/certificates.rs"]
mod certificates;
#[path = "simulated_exchange/client.rs"]
mod client;
#[path = "simulated_exchange/exchangelib.rs"]
mod exchangelib;
#[path = "simulated_exchange/faults.rs"]
mod faults;
#[path = "simulated_exchange/protocol.rs"]
mod protocol;
#[path = "simulated_exchange/routing.rs"]
mod routing;
#[path = "support/skipped.rs"]
mod skipped;
#[path = "simulated_exchange/validation.rs"]
mod validation;
