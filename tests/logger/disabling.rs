//! Logging that is disabled in the middle of a run: what was begun is finished, nothing new is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use email_logging::directory::ContactDirectory;
use email_logging::logger::{RunSettings, Skipped};
use email_logging::message::Address;
use email_logging::parties::AddressParties;
use email_logging::setup::EmailLoggingSetup;
use email_logging::store::{MemoryStore, SetupStore as _};
use email_logging::{Result, Scope};

use crate::bench::{Bench, Company};

/// A directory during whose second answer an administrator disables logging.
#[derive(Debug)]
struct Administrator {
    company: Arc<Company>,
    store: Arc<MemoryStore>,
    asked: AtomicUsize,
}

#[async_trait]
impl ContactDirectory for Administrator {
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        if self.asked.fetch_add(1, Ordering::Relaxed) == 1 {
            switch(&self.store, false).await;
        }
        self.company.resolve(scope, addresses).await
    }
}

async fn switch(store: &MemoryStore, on: bool) {
    let scope = Scope::default();
    let stored = store.load_setup(&scope).await.unwrap();
    let version = stored.map_or(0, |stored| stored.version);
    let mut setup = EmailLoggingSetup::default();
    setup.enabled = on;
    store.save_setup(&scope, &setup, version).await.unwrap();
}

#[tokio::test]
async fn a_run_takes_no_new_batch_once_logging_is_disabled() {
    let bench = Bench::new();
    bench.deliver_numbers(0..40);
    switch(&bench.store, true).await;
    let administrator = Administrator {
        company: bench.company.clone(),
        store: bench.store.clone(),
        asked: AtomicUsize::new(0),
    };
    let mut settings = RunSettings::default();
    settings.fetch_batch = 2;
    settings.connections = 1;
    let logger = bench
        .builder()
        .with_directory(Arc::new(administrator))
        .with_settings(settings)
        .build()
        .unwrap();
    let report = logger.run_once().await.unwrap();
    assert!(report.closes(), "{report:?}");
    // While the second batch is committed the third is being fetched already.
    assert_eq!(
        (report.logged, report.moved, report.deferred),
        (6, 6, 34),
        "{report:?}"
    );
    assert_eq!((bench.stored(), bench.queued()), (6, 34));

    let report = logger.run_once().await.unwrap();
    assert_eq!(report.skipped, Some(Skipped::LoggingDisabled));
    switch(&bench.store, true).await;
    assert_eq!(logger.run_once().await.unwrap().logged, 34);
    bench.assert_all_stored_and_logged_once(40).await;
}
