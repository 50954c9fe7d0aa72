//! Every store of this crate keeps the contract of stores.

use std::sync::Arc;

use email_logging::store::MemoryStore;
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::testkit::conformance::store::{StoreBackend, run};

async fn memory() -> StoreBackend {
    let clock = ManualClock::default();
    let store = MemoryStore::new()
        .with_clock(Arc::new(clock.clone()))
        .with_entropy(Arc::new(SeededEntropy::new(1)));
    StoreBackend::new(store).with_clock(clock)
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    let report = run(memory).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn without_a_clock_the_cases_that_need_one_are_skipped() {
    let report = run(|| async { StoreBackend::new(MemoryStore::new()) }).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 3, "{report}");
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use email_logging::store::{SqliteStore, sqlite::SqliteOptions};

    fn options(clock: &ManualClock) -> SqliteOptions {
        SqliteOptions::default()
            .with_clock(Arc::new(clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(1)))
    }

    async fn in_memory() -> StoreBackend {
        let clock = ManualClock::default();
        let store = SqliteStore::in_memory_with(options(&clock)).unwrap();
        store.migrate().await.unwrap();
        StoreBackend::new(store).with_clock(clock)
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
}
