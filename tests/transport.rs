//! The rules of the transport: which servers get a byte, which addresses are connected to, and what errors and logs say.
//!
//! Every server here listens on loopback and keeps what reaches it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "transport/addresses.rs"]
mod addresses;
#[path = "transport/certificates.rs"]
mod certificates;
#[path = "transport/listener.rs"]
mod listener;
#[path = "transport/plain_http.rs"]
mod plain_http;
#[path = "transport/redirects.rs"]
mod redirects;
#[path = "transport/said.rs"]
mod said;
#[path = "transport/signing.rs"]
mod signing;
#[path = "ews/support.rs"]
mod support;
#[path = "transport/trust.rs"]
mod trust;
