//! The default store: one SQLite file.

/// One SQLite file, written by one named thread.
#[derive(Debug)]
pub struct SqliteStore {}
