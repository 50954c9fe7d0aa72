//! Signing in at the simulated identity provider and reading the simulated mailbox, both over HTTPS.
#![cfg(feature = "oauth2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "oauth_simulated/application.rs"]
mod application;
#[path = "oauth_simulated/consent.rs"]
mod consent;
#[path = "oauth_simulated/tenant.rs"]
mod tenant;
