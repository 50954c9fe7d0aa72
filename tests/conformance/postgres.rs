//! The PostgreSQL store keeps the contract of stores, with `tsvector` and without.

use std::sync::Arc;

use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::testkit::conformance::secrets::{self, SecretBackend};
use email_logging::testkit::conformance::store::privacy::{self, PrivacyBackend};
use email_logging::testkit::conformance::store::review::{self, ReviewBackend};
use email_logging::testkit::conformance::store::{StoreBackend, run, run_reports};

use crate::postgres_support::{Server, migrated, server};

async fn with_a_clock(server: &Server, search: bool) -> StoreBackend {
    let clock = ManualClock::default();
    let options = server
        .options()
        .with_search(search)
        .with_clock(Arc::new(clock.clone()))
        .with_entropy(Arc::new(SeededEntropy::new(1)));
    StoreBackend::reporting(migrated(options).await).with_clock(clock)
}

#[tokio::test]
async fn the_postgres_store_keeps_the_contract() {
    let Some(server) = server() else { return };
    let report = run(|| with_a_clock(server, true)).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn the_postgres_store_without_vectors_keeps_the_contract() {
    let Some(server) = server() else { return };
    let report = run(|| with_a_clock(server, false)).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn the_postgres_store_keeps_the_contract_by_the_clock_of_the_database() {
    let Some(server) = server() else { return };
    let make = || async { StoreBackend::new(server.store().await) };
    let report = run(make).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 9, "{report}");
}

#[tokio::test]
async fn the_postgres_store_keeps_the_contract_of_reviewing() {
    let Some(server) = server() else { return };
    let make = || async { ReviewBackend::new(server.store().await) };
    let report = review::run(make).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn the_postgres_store_keeps_the_contract_of_privacy() {
    let Some(server) = server() else { return };
    for search in [true, false] {
        let make =
            || async { PrivacyBackend::new(migrated(server.options().with_search(search)).await) };
        let report = privacy::run(make).await;
        report.assert_passed();
        assert_eq!(report.skipped(), 0, "{report}");
    }
}

#[tokio::test]
async fn the_postgres_store_keeps_the_contract_of_secrets() {
    let Some(server) = server() else { return };
    let make = || async { SecretBackend::new(server.store().await) };
    let report = secrets::run(make).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn the_postgres_store_keeps_the_contract_of_reports() {
    let Some(server) = server() else { return };
    for search in [true, false] {
        let report = run_reports(|| with_a_clock(server, search)).await;
        report.assert_passed();
        assert_eq!(report.skipped(), 0, "{report}");
    }
}
