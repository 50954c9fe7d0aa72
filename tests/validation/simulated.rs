//! Validation through real HTTP, TLS and SOAP: an EWS source over the simulated Exchange.

use std::sync::Arc;

use async_trait::async_trait;
use email_logging::credential::StaticCredentials;
use email_logging::setup::{
    AuthenticationType, Check, ConnectionProbe, EmailLoggingSetup, MailConnection, MailConnector,
    ServiceFacts, SetupValidator, SignedIn, TemplateList, ValidationReport,
};
use email_logging::source::ews::EwsSource;
use email_logging::source::{FolderPath, FolderRoot, ListRequest, MailFolders as _};
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::{
    FolderRights, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};
use email_logging::{Result, Scope};

use crate::fake_mail::complete;

const QUEUE: &str = r"\Email Logging\Queue\";
const STORAGE: &str = r"\Email Logging\Storage\";

/// Connects to one simulated Exchange. The probe asks for the root of the public folders.
#[derive(Debug, Clone)]
struct Connector(Arc<EwsSource>);

#[async_trait]
impl MailConnector for Connector {
    async fn connect(&self, _: &Scope, _: &EmailLoggingSetup) -> Result<MailConnection> {
        let source = self.0.clone();
        Ok(MailConnection::new(
            source.clone(),
            source,
            Arc::new(self.clone()),
        ))
    }
}

#[async_trait]
impl ConnectionProbe for Connector {
    async fn sign_in(&self) -> Result<SignedIn> {
        Ok(SignedIn::opaque())
    }

    async fn reach(&self) -> Result<ServiceFacts> {
        let root = FolderPath::new(FolderRoot::PublicFolders, [""; 0]);
        self.0
            .children(&root.into(), ListRequest::new(0, 1))
            .await?;
        Ok(ServiceFacts::new(false))
    }
}

fn exchange() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user("svc@example.com", "canary-secret")
        .with_public_folder(QUEUE)
        .with_public_folder(STORAGE)
        .with_tls(TlsCertificate::Trusted)
}

fn setup(exchange: &SimulatedExchange) -> EmailLoggingSetup {
    let mut setup = complete();
    setup.authentication_type = AuthenticationType::Basic;
    setup.exchange_account_user_name = Some("svc@example.com".into());
    setup.exchange_client_id = None;
    setup.exchange_tenant_id = None;
    setup.exchange_service_url = Some(exchange.url());
    setup
}

async fn validate(exchange: &SimulatedExchange, trusted: &str, password: &str) -> ValidationReport {
    let account = StaticCredentials::new().with_password("svc@example.com", password);
    let source = EwsSource::builder(exchange.url())
        .with_basic(Arc::new(account))
        .with_trusted_roots(trusted)
        .build()
        .unwrap();
    let validator = SetupValidator::new(Arc::new(Connector(Arc::new(source))))
        .with_templates(Arc::new(TemplateList::new(["EMAIL"])))
        .with_clock(Arc::new(ManualClock::default()));
    let setup = setup(exchange);
    validator.validate(&Scope::default(), &setup).finish().await
}

fn code(report: &ValidationReport, check: Check) -> Option<&'static str> {
    report.result(check).unwrap().code
}

#[tokio::test]
async fn a_simulated_exchange_is_green() {
    let exchange = exchange().start().await.unwrap();
    let pem = exchange.ca_pem().unwrap().to_owned();
    let report = validate(&exchange, &pem, "canary-secret").await;
    assert!(report.is_green(), "{report}");
    let warnings: Vec<_> = report.warnings().map(|result| result.code).collect();
    assert_eq!(warnings, [Some("check.no_mail")]);
    for check in [Check::Tls, Check::QueueRights, Check::StorageRights] {
        assert_eq!(report.result(check).unwrap().verdict.to_string(), "passed");
    }
    exchange.deliver(QUEUE, "Subject: One\r\n\r\n").unwrap();
    let report = validate(&exchange, &pem, "canary-secret").await;
    assert_eq!(report.warnings().count(), 0, "{report}");
}

#[tokio::test]
async fn each_bad_certificate_is_told_apart() {
    let other = exchange().start().await.unwrap();
    for (certificate, expected) in [
        (TlsCertificate::WrongHost, "check.tls_wrong_host"),
        (TlsCertificate::Expired, "check.tls_expired"),
        (TlsCertificate::SelfSigned, "check.tls_unknown_issuer"),
    ] {
        let exchange = exchange().with_tls(certificate).start().await.unwrap();
        let pem = exchange.ca_pem().unwrap().to_owned();
        let report = validate(&exchange, &pem, "canary-secret").await;
        assert_eq!(code(&report, Check::Tls), Some(expected));
        assert_eq!(exchange.statistics().requests, 0);
    }
    let exchange = exchange().start().await.unwrap();
    let report = validate(&exchange, other.ca_pem().unwrap(), "canary-secret").await;
    assert_eq!(code(&report, Check::Tls), Some("check.tls_unknown_issuer"));
    assert_eq!(exchange.statistics().requests, 0);
}

#[tokio::test]
async fn a_wrong_password_fails_the_connection_and_not_the_certificate() {
    let exchange = exchange().start().await.unwrap();
    let pem = exchange.ca_pem().unwrap().to_owned();
    let report = validate(&exchange, &pem, "canary-wrong").await;
    assert_eq!(code(&report, Check::Connection), Some("http.unauthorized"));
    assert_eq!(code(&report, Check::Tls), None);
    let text = format!("{report} {report:?}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn rights_and_folders_that_are_missing_are_found_over_the_wire() {
    let exchange = exchange().start().await.unwrap();
    let pem = exchange.ca_pem().unwrap().to_owned();
    let rights = FolderRights::OWNER.with_delete(false);
    exchange.set_rights(QUEUE, rights).unwrap();
    exchange.delete_folder(STORAGE).unwrap();
    let report = validate(&exchange, &pem, "canary-secret").await;
    assert_eq!(
        code(&report, Check::QueueRights),
        Some("check.queue_rights")
    );
    let storage = code(&report, Check::StorageFolder);
    assert_eq!(storage, Some("ews.folder_not_found"));
}
