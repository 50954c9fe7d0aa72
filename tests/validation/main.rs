//! Validation: each check fails for its own reason, with its code and its remedy, and hides no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::clone_on_ref_ptr, clippy::option_option)]

mod access;
mod bench;
#[path = "../support/fake_mail.rs"]
mod fake_mail;
mod folders;
mod host;
mod report;
mod service;
#[cfg(feature = "ews")]
mod simulated;
