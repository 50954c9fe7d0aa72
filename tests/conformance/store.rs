//! Every store of this crate keeps the contract of stores.

use std::sync::Arc;

use email_logging::store::MemoryStore;
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::testkit::conformance::store::privacy::{self, PrivacyBackend};
use email_logging::testkit::conformance::store::review::{self, ReviewBackend};
use email_logging::testkit::conformance::store::{StoreBackend, run, run_reports};

pub(super) async fn memory() -> StoreBackend {
    let clock = ManualClock::default();
    let store = MemoryStore::new()
        .with_clock(Arc::new(clock.clone()))
        .with_entropy(Arc::new(SeededEntropy::new(1)));
    StoreBackend::reporting(store).with_clock(clock)
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    let report = run(memory).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract_of_reviewing() {
    let report = review::run(|| async { ReviewBackend::new(MemoryStore::new()) }).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn without_a_clock_the_cases_that_need_one_are_skipped() {
    let report = run(|| async { StoreBackend::new(MemoryStore::new()) }).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 9, "{report}");
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract_of_reports() {
    let report = run_reports(memory).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn without_the_roles_for_reports_their_cases_are_skipped() {
    let report = run_reports(|| async { StoreBackend::new(MemoryStore::new()) }).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 14, "{report}");
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract_of_privacy() {
    let make = || async { PrivacyBackend::new(MemoryStore::new()) };
    let report = privacy::run(make).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}
