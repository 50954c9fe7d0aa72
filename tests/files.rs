//! Mail from files: a directory of .eml files, an mbox file, a Maildir, through the whole job.

#![cfg(all(feature = "files", feature = "sqlite", feature = "testkit"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;

#[path = "files/contract.rs"]
mod contract;
#[path = "files/corpus.rs"]
mod corpus;
#[path = "files/eml.rs"]
mod eml;
#[cfg(target_os = "linux")]
#[path = "files/kills.rs"]
mod kills;
#[path = "files/maildir.rs"]
mod maildir;
#[path = "files/mbox.rs"]
mod mbox;
#[path = "files/moving.rs"]
mod moving;
#[path = "files/world.rs"]
mod world;
