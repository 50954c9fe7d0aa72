//! The simulated identity provider, asked over HTTP as a browser and a client ask it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "identity/assertions.rs"]
mod assertions;
#[path = "identity/bearer.rs"]
mod bearer;
#[path = "identity/browser.rs"]
mod browser;
#[path = "identity/client.rs"]
mod client;
#[path = "identity/faults.rs"]
mod faults;
#[path = "identity/grants.rs"]
mod grants;
#[path = "identity/keys.rs"]
mod keys;
