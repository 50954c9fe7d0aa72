//! What the simulated servers share: a listener on the loopback address, its certificate, its answers.
//!
//! Knows HTTP and TLS, and nothing of what is served.

pub(crate) mod reply;
pub(crate) mod server;
pub(crate) mod tls;
