//! Directories in memory and behind a cache.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cached;
mod memory;
