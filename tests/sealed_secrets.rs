//! Secrets at rest: what is sealed opens where it belongs and nowhere else, survives a new key, and leaves no byte behind.

#![cfg(feature = "seal")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/canary.rs"]
mod canary;

mod sealed_secrets {
    #[cfg(feature = "sqlite")]
    mod at_rest;
    mod key_file;
    mod places;
    mod rotation;
    mod setup;
    mod support;
    mod writers;
}
