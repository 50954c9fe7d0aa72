//! Every store of this crate keeps the contract of a store of sealed secrets.

use std::sync::Arc;

use email_logging::store::MemoryStore;
use email_logging::testkit::conformance::secrets::{SecretBackend, run};

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract_of_secrets() {
    let report = run(|| async { SecretBackend::new(MemoryStore::new()) }).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn a_shared_and_a_boxed_store_are_as_good_as_the_store() {
    let shared = || async { SecretBackend::new(Arc::new(Box::new(MemoryStore::new()))) };
    run(shared).await.assert_passed();
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use email_logging::store::{SqliteOptions, SqliteStore};

    async fn in_memory() -> SecretBackend {
        let store = SqliteStore::in_memory().unwrap();
        store.migrate().await.unwrap();
        SecretBackend::new(store)
    }

    async fn in_a_file(options: SqliteOptions) -> SecretBackend {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.db");
        let store = SqliteStore::open_with(path, options).unwrap();
        store.migrate().await.unwrap();
        SecretBackend::new(store).with_guard(directory)
    }

    #[tokio::test]
    async fn the_sqlite_store_keeps_the_contract_of_secrets() {
        let small = || SqliteOptions::default().with_page_size(512);
        for report in [
            run(in_memory).await,
            run(|| in_a_file(SqliteOptions::default())).await,
            run(|| in_a_file(small())).await,
        ] {
            report.assert_passed();
            assert_eq!(report.skipped(), 0, "{report}");
        }
    }
}
