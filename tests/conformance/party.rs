//! Directories and credential providers keep their contracts.

use std::sync::Arc;

use async_trait::async_trait;
use email_logging::credential::{AccessToken, ClientCertificate, CredentialProvider, UserPassword};
use email_logging::directory::{
    CachedDirectory, ContactDirectory, ContactRecord, MemoryDirectory, SalespersonRecord,
};
use email_logging::error::codes;
use email_logging::message::Address;
use email_logging::parties::{AddressParties, ContactKind, ContactMatch, SalespersonMatch};
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::conformance::credential::{self, CredentialBackend};
use email_logging::testkit::conformance::directory::{self, DirectoryBackend};
use email_logging::{Error, Result, Scope};
use secrecy::SecretString;

/// A directory that is away.
#[derive(Debug)]
pub(super) struct Away;

#[async_trait]
impl ContactDirectory for Away {
    async fn resolve(&self, _: &Scope, _: &[Address]) -> Result<Vec<AddressParties>> {
        Err(Error::new(&codes::DIRECTORY_UNAVAILABLE, "resolve"))
    }
}

pub(super) fn records() -> MemoryDirectory {
    let person = |no: &str, name: &str| {
        ContactRecord::new(no, name, ContactKind::Person).with_email("bob@contoso.example")
    };
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new(
            "AH",
            "Anna Hall",
            "anna@cronus.example",
        ))
        .with_contact(person("C2", "Bob Two"))
        .with_contact(person("C1", "Bob One"))
}

pub(super) fn backend(directory: impl ContactDirectory) -> DirectoryBackend {
    let contact = |no, name| ContactMatch::new(no, name, ContactKind::Person);
    DirectoryBackend::new(directory)
        .with_known(
            "anna@cronus.example",
            AddressParties::nobody().with_salesperson(SalespersonMatch::new("AH", "Anna Hall")),
        )
        .with_known(
            "bob@contoso.example",
            AddressParties::nobody()
                .with_contact(contact("C1", "Bob One"))
                .with_contact(contact("C2", "Bob Two")),
        )
        .with_unknown("carla@contoso.example")
}

fn cached(inner: impl ContactDirectory) -> CachedDirectory {
    CachedDirectory::new(Arc::new(inner), Arc::new(ManualClock::default()))
}

#[tokio::test]
async fn the_directory_in_memory_keeps_the_contract() {
    let report = directory::run(|| async {
        let records = records();
        backend(records.clone()).with_editor(records)
    })
    .await;
    report.assert_passed();
    assert_eq!((report.passed(), report.skipped()), (10, 2), "{report}");
}

#[tokio::test]
async fn the_cached_directory_keeps_the_contract() {
    let report = directory::run(|| async { backend(cached(records())).with_outage(cached(Away)) });
    let report = report.await;
    report.assert_passed();
    assert_eq!((report.passed(), report.skipped()), (10, 2), "{report}");
}

/// A provider that handles everything for one scope, or fails.
#[derive(Debug)]
pub(super) struct Everything {
    pub(super) fails: bool,
}

impl Everything {
    fn answer<T>(&self, scope: &Scope, answer: T) -> Result<Option<T>> {
        if self.fails {
            return Err(Error::new(&codes::CREDENTIAL_PROVIDER, "provider"));
        }
        Ok((*scope == Scope::default()).then_some(answer))
    }
}

#[async_trait]
impl CredentialProvider for Everything {
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        self.answer(scope, "id".into())
    }
    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        self.answer(scope, "s3cret".into())
    }
    async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>> {
        self.answer(scope, "https://erp.example/back".into())
    }
    async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>> {
        self.answer(scope, ClientCertificate::new("chain", "k3y"))
    }
    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        self.answer(scope, UserPassword::new("user", "p4ss"))
    }
    async fn access_token(&self, scope: &Scope, _: &str) -> Result<Option<AccessToken>> {
        self.answer(scope, AccessToken::new("t0ken", None))
    }
}

pub(super) fn credentials(provider: impl CredentialProvider) -> CredentialBackend {
    CredentialBackend::new(provider)
        .with_other_scope(Scope::new("other", "default").unwrap())
        .with_client_id("id")
        .with_client_secret("s3cret")
        .with_redirect_url("https://erp.example/back")
        .with_certificate("chain", "k3y")
        .with_password("user", "p4ss")
        .with_access_token("t0ken")
}

#[tokio::test]
async fn a_provider_that_handles_everything_keeps_the_contract() {
    let report = credential::run(|| async {
        let failing = Arc::new(Everything { fails: true });
        credentials(Box::new(Everything { fails: false })).with_failing(failing)
    });
    let report = report.await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

/// A provider that leaves every question to the next.
#[derive(Debug)]
struct Nothing;

impl CredentialProvider for Nothing {}

#[tokio::test]
async fn a_provider_that_handles_nothing_keeps_the_contract() {
    credential::run(|| async { CredentialBackend::new(Nothing) })
        .await
        .assert_passed();
}
