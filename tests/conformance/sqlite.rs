//! The SQLite store keeps the contract of stores, in memory and in a file.

use std::sync::Arc;

use email_logging::store::{SqliteStore, sqlite::SqliteOptions};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::testkit::conformance::store::privacy::{self, PrivacyBackend};
use email_logging::testkit::conformance::store::review::{self, ReviewBackend};
use email_logging::testkit::conformance::store::{StoreBackend, run, run_reports};

fn options(clock: &ManualClock) -> SqliteOptions {
    SqliteOptions::default()
        .with_clock(Arc::new(clock.clone()))
        .with_entropy(Arc::new(SeededEntropy::new(1)))
}

async fn in_memory() -> StoreBackend {
    let clock = ManualClock::default();
    let store = SqliteStore::in_memory_with(options(&clock)).unwrap();
    store.migrate().await.unwrap();
    StoreBackend::reporting(store).with_clock(clock)
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_reviewing() {
    let make = || async {
        let store = SqliteStore::in_memory_with(options(&ManualClock::default())).unwrap();
        store.migrate().await.unwrap();
        ReviewBackend::new(store)
    };
    let report = review::run(make).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

async fn in_a_file() -> StoreBackend {
    let clock = ManualClock::default();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    let store = SqliteStore::open_with(path, options(&clock)).unwrap();
    store.migrate().await.unwrap();
    StoreBackend::new(store)
        .with_clock(clock)
        .with_guard(directory)
}

#[tokio::test]
async fn the_sqlite_store_in_memory_keeps_the_contract() {
    let report = run(in_memory).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn the_sqlite_store_in_a_file_keeps_the_contract() {
    let report = run(in_a_file).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_reports() {
    let report = run_reports(in_memory).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_privacy() {
    let make = || async {
        let store = SqliteStore::in_memory_with(options(&ManualClock::default())).unwrap();
        store.migrate().await.unwrap();
        PrivacyBackend::new(store)
    };
    let report = privacy::run(make).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}
