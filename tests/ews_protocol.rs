//! The EWS source against a scripted server: every operation, every fault that Exchange is known for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ews/support.rs"]
mod support;

#[path = "ews/faults.rs"]
mod faults;
#[path = "ews/fetching.rs"]
mod fetching;
#[path = "ews/folders.rs"]
mod folders;
#[path = "ews/hostile.rs"]
mod hostile;
#[path = "ews/listing.rs"]
mod listing;
#[path = "ews/signing_in.rs"]
mod signing_in;
#[path = "ews/transferring.rs"]
mod transferring;
