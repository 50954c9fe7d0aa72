//! The EWS source keeps the contract of sources, on the simulated Exchange over HTTP.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use email_logging::credential::{CredentialProvider, UserPassword};
use email_logging::error::codes;
use email_logging::source::ews::EwsSource;
use email_logging::source::{FolderPath, ItemRef, MailFolders, MailSource};
use email_logging::testkit::conformance::source::{SourceFixture, run};
use email_logging::testkit::exchange::{Delivery, SimulatedExchange};
use email_logging::{Error, Result, Scope};

use crate::conformance::source::path;

#[derive(Debug)]
struct Account;

#[async_trait]
impl CredentialProvider for Account {
    async fn password(&self, _: &Scope) -> Result<Option<UserPassword>> {
        Ok(Some(UserPassword::new("logger@corp.example", "pass")))
    }
}

struct OnExchange {
    server: SimulatedExchange,
    /// Whether what is delivered has no search key.
    keyless: bool,
    source: Arc<EwsSource>,
}

impl std::fmt::Debug for OnExchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnExchange")
    }
}

fn failed(cause: io::Error) -> Error {
    Error::new(&codes::INTERNAL, "fixture").with_source(cause)
}

#[async_trait]
impl SourceFixture for OnExchange {
    fn source(&self) -> Arc<dyn MailSource> {
        Arc::new(Arc::clone(&self.source))
    }

    fn folders(&self) -> Option<Arc<dyn MailFolders>> {
        Some(Arc::new(Arc::clone(&self.source)))
    }

    fn queue(&self) -> FolderPath {
        path("Queue")
    }

    fn storage(&self) -> FolderPath {
        path("Storage")
    }

    fn missing(&self) -> FolderPath {
        path("Missing")
    }

    async fn deliver(&self, original: Vec<u8>) -> Result<()> {
        if original.is_empty() {
            // Exchange renders no empty MIME: an answer without it means that there is no original.
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "deliver"));
        }
        let queue = self.queue().to_string();
        let delivery = Delivery::new(original);
        let delivery = if self.keyless {
            delivery.without_search_key()
        } else {
            delivery
        };
        let delivered = self.server.deliver_with(&queue, delivery);
        delivered.map_err(failed)?;
        Ok(())
    }

    async fn take_away(&self, item: &ItemRef) -> Result<()> {
        self.server.remove_item(&item.id).map_err(failed)
    }

    async fn copy(&self, item: &ItemRef, to: &FolderPath) -> Result<()> {
        let copied = self.server.copy_item(&item.id, &to.to_string());
        copied.map_err(failed)?;
        Ok(())
    }

    async fn contents(&self, folder: &FolderPath) -> Result<Vec<Vec<u8>>> {
        let items = self.server.items(&folder.to_string()).map_err(failed)?;
        Ok(items.into_iter().map(|item| item.mime.to_vec()).collect())
    }

    fn requests(&self) -> Option<u64> {
        Some(self.server.statistics().requests)
    }
}

async fn exchange() -> OnExchange {
    on_exchange(false).await
}

async fn on_exchange(keyless: bool) -> OnExchange {
    let server = SimulatedExchange::builder()
        .with_user("logger@corp.example", "pass")
        .with_public_folder(path("Queue").to_string())
        .with_public_folder(path("Storage").to_string())
        .start()
        .await
        .unwrap();
    let source = EwsSource::builder(server.url())
        .with_basic(Arc::new(Account))
        .with_stamps(keyless)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    OnExchange {
        server,
        keyless,
        source: Arc::new(source),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ews_source_keeps_the_contract() {
    let report = run(exchange).await;
    report.assert_passed();
    assert_eq!((report.passed(), report.skipped()), (26, 5), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ews_source_keeps_the_contract_with_stamps_for_mail_without_a_key() {
    let report = run(|| on_exchange(true)).await;
    report.assert_passed();
    assert_eq!((report.passed(), report.skipped()), (26, 5), "{report}");
}
