//! The set-up: the rules of its fields, and its life from the first change to clearing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::clone_on_ref_ptr, clippy::option_option)]

#[allow(dead_code)] // shared with the tests of validation
#[path = "../support/fake_mail.rs"]
mod fake_mail;
mod fields;
mod guide;
mod jobs;
mod lifecycle;
mod service_address;
