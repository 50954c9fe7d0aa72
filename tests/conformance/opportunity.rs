//! Every store of this crate keeps the contract of a store of opportunities.

use std::sync::Arc;

use email_logging::store::MemoryStore;
use email_logging::testkit::conformance::store::opportunity::{OpportunityBackend, run};

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract_of_opportunities() {
    let make = || async { OpportunityBackend::new(MemoryStore::new()) };
    run(make).await.assert_passed();
}

#[tokio::test]
async fn a_shared_and_a_boxed_store_are_as_good_as_the_store() {
    let make = || async { OpportunityBackend::new(Arc::new(Box::new(MemoryStore::new()))) };
    run(make).await.assert_passed();
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_opportunities() {
    use email_logging::store::SqliteStore;

    let in_memory = || async {
        let store = SqliteStore::in_memory().unwrap();
        store.migrate().await.unwrap();
        OpportunityBackend::new(store)
    };
    run(in_memory).await.assert_passed();
    let in_a_file = || async {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("log.db")).unwrap();
        store.migrate().await.unwrap();
        OpportunityBackend::with_guard(store, directory)
    };
    run(in_a_file).await.assert_passed();
}

#[cfg(all(unix, feature = "postgres"))]
#[tokio::test]
async fn the_postgres_store_keeps_the_contract_of_opportunities() {
    let Some(server) = crate::postgres_support::server() else {
        return;
    };
    let make = || async { OpportunityBackend::new(server.store().await) };
    run(make).await.assert_passed();
}
