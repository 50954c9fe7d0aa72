//! What becomes of a mail: the decision, rule by rule.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authenticity;
mod business_central;
mod common;
mod hooks;
mod internal;
mod kinds;
mod matching;
mod matrix;
mod never_log;
mod policy;
mod privacy;
mod properties;
mod ranking;
mod sender;
mod sound;
mod unmatched;
mod words;
