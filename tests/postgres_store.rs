//! What is PostgreSQL's own: migrations, TLS, time-outs, several workers, and connections that end at the worst moment.
//!
//! What every store must do is in the conformance suite.

#![cfg(all(unix, feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/postgres.rs"]
mod cluster;
#[path = "support/postgres_proxy.rs"]
mod proxy;
#[path = "support/store_rows.rs"]
mod store_rows;

mod postgres_store {
    mod connections;
    mod endings;
    mod logger;
    mod refusals;
    mod schema;
    mod silence;
    mod workers;
}

use email_logging::store::{InteractionLog, LogFilter};
use email_logging::{Error, ErrorKind, Scope};

fn scope() -> Scope {
    Scope::default()
}

fn codes(error: &Error) -> (ErrorKind, &'static str) {
    (error.kind(), error.code())
}

/// The numbers of all entries, lowest first.
async fn entry_numbers(store: &impl InteractionLog) -> Vec<u64> {
    let all = LogFilter::default();
    let page = store.entries(&scope(), &all, None, 100_000).await.unwrap();
    let mut numbers: Vec<u64> = page.rows.iter().map(|entry| entry.entry_no).collect();
    numbers.sort_unstable();
    numbers
}
