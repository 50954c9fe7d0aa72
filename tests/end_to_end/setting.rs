//! A company with Exchange and a store file.

use std::path::PathBuf;
use std::sync::Arc;

use email_logging::EmailLogger;
use email_logging::credential::StaticCredentials;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::EmailLoggerBuilder;
use email_logging::parties::ContactKind;
use email_logging::source::ews::{AddressPolicy, EwsSource, EwsSourceBuilder};
use email_logging::store::SqliteStore;
use email_logging::testkit::exchange::{
    SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};
use tempfile::TempDir;

pub(crate) const QUEUE: &str = r"\Email Logging\Queue\";
pub(crate) const STORAGE: &str = r"\Email Logging\Storage\";
pub(crate) const USER: &str = "svc@ours.example";
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct Setting {
    pub(crate) exchange: SimulatedExchange,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) directory: TempDir,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(
        change: impl FnOnce(SimulatedExchangeBuilder) -> SimulatedExchangeBuilder,
    ) -> Self {
        let builder = SimulatedExchange::builder()
            .with_user(USER, PASSWORD)
            .with_tls(TlsCertificate::Trusted)
            .with_public_folder(QUEUE)
            .with_public_folder(STORAGE);
        let exchange = change(builder).start().await.unwrap();
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(directory.path().join("log.sqlite")).unwrap();
        store.migrate().await.unwrap();
        Self {
            exchange,
            store: Arc::new(store),
            directory,
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("log.sqlite")
    }

    pub(crate) fn source_builder(&self) -> EwsSourceBuilder {
        let builder = EwsSource::builder(self.exchange.url()).with_basic(Arc::new(
            StaticCredentials::new().with_password(USER, PASSWORD),
        ));
        match self.exchange.ca_pem() {
            Some(pem) => builder
                .with_trusted_roots(pem)
                .with_address_policy(AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap()),
            None => builder.dangerously_allow_plain_http_on_loopback(),
        }
    }

    pub(crate) fn source(&self) -> EwsSource {
        self.source_builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> EmailLoggerBuilder {
        self.builder_on(self.source())
    }

    pub(crate) fn builder_on(&self, source: EwsSource) -> EmailLoggerBuilder {
        EmailLogger::builder()
            .with_source(Arc::new(source))
            .with_directory(Arc::new(people()))
            .with_store(Arc::clone(&self.store))
            .with_queue_folder(QUEUE.parse::<email_logging::source::FolderPath>().unwrap())
            .with_storage_folder(
                STORAGE
                    .parse::<email_logging::source::FolderPath>()
                    .unwrap(),
            )
    }

    pub(crate) fn deliver_numbers(&self, numbers: std::ops::Range<u32>, body_bytes: usize) {
        let body = "0123456789abcdef ".repeat(body_bytes / 17 + 1);
        for number in numbers {
            self.exchange
                .deliver(QUEUE, numbered(number, &body))
                .unwrap();
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.exchange.count(QUEUE).unwrap()
    }

    pub(crate) fn stored(&self) -> usize {
        self.exchange.count(STORAGE).unwrap()
    }
}

pub(crate) fn numbered(number: u32, body: &str) -> Vec<u8> {
    format!(
        "From: Ada <ada@contacts.example>\r\nTo: ah@ours.example\r\nSubject: Offer {number:05}\r\n\
         Message-ID: <n{number}@contacts.example>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n\
         Mail {number}: {body}\r\n"
    )
    .into_bytes()
}

fn people() -> MemoryDirectory {
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AH", "Anna Hill", "ah@ours.example"))
        .with_contact(
            ContactRecord::new("C1", "Ada", ContactKind::Person).with_email("ada@contacts.example"),
        )
}
