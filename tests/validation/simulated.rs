//! Validation through real HTTP, TLS and SOAP: an EWS source over the simulated Exchange.

use std::sync::Arc;

use email_logging::Scope;
use email_logging::credential::StaticCredentials;
use email_logging::setup::{
    AuthenticationType, Check, EmailLoggingSetup, EwsConnector, SetupValidator, TemplateList,
    ValidationReport,
};
use email_logging::source::ews::AddressPolicy;
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::{
    FolderRights, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};

use crate::fake_mail::complete;

const QUEUE: &str = r"\Email Logging\Queue\";
const STORAGE: &str = r"\Email Logging\Storage\";

fn exchange() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user("svc@example.com", "canary-secret")
        .with_mailbox("logging@corp.example")
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
    let connector = EwsConnector::builder()
        .with_credentials(Arc::new(account))
        .with_trusted_roots(trusted)
        .with_address_policy(AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap())
        .build()
        .unwrap();
    let validator = SetupValidator::new(Arc::new(connector))
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
        (TlsCertificate::WrongHost, "http.tls_host"),
        (TlsCertificate::Expired, "http.tls_expired"),
        (TlsCertificate::SelfSigned, "http.tls_untrusted"),
    ] {
        let exchange = exchange().with_tls(certificate).start().await.unwrap();
        let pem = exchange.ca_pem().unwrap().to_owned();
        let report = validate(&exchange, &pem, "canary-secret").await;
        assert_eq!(code(&report, Check::Tls), Some(expected));
        assert_eq!(exchange.statistics().requests, 0);
    }
    let exchange = exchange().start().await.unwrap();
    let report = validate(&exchange, other.ca_pem().unwrap(), "canary-secret").await;
    assert_eq!(code(&report, Check::Tls), Some("http.tls_untrusted"));
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
