//! The rules of the life of an opportunity, each by name, on SQLite and on PostgreSQL; and what holds after any actions.
//!
//! A rule that makes, changes or deletes runs on a store: each change is loaded, made, saved and loaded again, and what came
//! back must be what was saved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(all(unix, feature = "postgres"))]
#[path = "support/postgres.rs"]
mod postgres_support;

#[path = "support/store_rows.rs"]
mod store_rows;

mod opportunity {
    mod bench;
    mod properties;
    mod rules {
        mod closing;
        mod creation;
        mod estimates;
        mod other;
        mod stages;
    }
}
