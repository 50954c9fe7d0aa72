//! Fuzzing: whatever the bytes, no panic, a bounded result, and the rules that hold for each reader.
//!
//! Every target starts from the files in `tests/fuzz/corpus/<target>`, which are read as they are first, and changes them.
//! `FUZZ_CASES` says how many cases each target gets (300), `FUZZ_SECONDS` for how long each goes on, `FUZZ_SEED` where it
//! starts (1); `FUZZ_SECONDS=600 cargo test --release --test fuzz -- --nocapture` is the long run. A failure prints the
//! smallest input that was found and where it was written; it belongs into the corpus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "fuzz/addresses.rs"]
mod addresses;
#[path = "fuzz/authenticity.rs"]
mod authenticity;
#[path = "fuzz/engine.rs"]
mod engine;
#[path = "fuzz/mail.rs"]
mod mail;
#[path = "fuzz/mutation.rs"]
mod mutation;
#[path = "fuzz/soap.rs"]
mod soap;
#[path = "fuzz/tokens.rs"]
mod tokens;
#[path = "fuzz/urls.rs"]
mod urls;
#[path = "fuzz/view.rs"]
mod view;
