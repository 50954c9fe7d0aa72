//! The application as itself: secret in the body or in the header, certificate, expiry, a wrong secret.

use std::sync::Arc;

use email_logging::ErrorKind;
use email_logging::clock::{Clock, SystemClock};
use email_logging::credential::{
    AppSignIn, ClientCertificate, CredentialProvider, IdentityService,
};
use email_logging::source::ews::EwsSource;
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::SimulatedExchange;

use super::mailbox::{self, MAILBOX};
use super::provider::{Provider, SECRET, Said, credentials};

const LONG: u32 = 600;
/// Seconds; short enough to be waited for.
const SHORT: u32 = 3;

fn sign_in(
    provider: &Provider,
    service: IdentityService,
    credentials: impl CredentialProvider,
) -> email_logging::credential::AppSignInBuilder {
    AppSignIn::at(service, Arc::new(credentials))
        .with_required_permission("full_access_as_app")
        .with_trusted_roots(&provider.authority)
}

fn source(exchange: &SimulatedExchange, sign_in: AppSignIn) -> EwsSource {
    mailbox::source(exchange, |builder| {
        builder
            .with_app_sign_in(sign_in)
            .with_impersonation(MAILBOX)
    })
}

#[tokio::test]
async fn secrets_in_the_body_or_the_header_and_a_certificate_open_the_mailbox() {
    let Some(provider) = Provider::start(LONG) else {
        return;
    };
    let exchange = mailbox::exchange(&provider).await;
    let certificate = &provider.client_certificate;
    let certificate =
        ClientCertificate::new(&certificate.certificate_pem, certificate.key_pem.as_str());
    for (service, credentials) in [
        (
            provider.service(),
            credentials("erp").with_client_secret(SECRET),
        ),
        (
            provider.service().with_secret_in_header(),
            credentials("erp-basic").with_client_secret(SECRET),
        ),
        (
            provider.service(),
            credentials("erp-certificate").with_certificate(certificate),
        ),
    ] {
        let sign_in = sign_in(&provider, service, credentials).build().unwrap();
        let signed_in = sign_in.sign_in().await.unwrap();
        assert!(
            signed_in
                .permissions
                .unwrap()
                .contains(&"full_access_as_app".to_owned())
        );
        mailbox::read_queue(&source(&exchange, sign_in))
            .await
            .unwrap();
    }
    let said = provider.said().await;
    assert_eq!(said.issued, ["client_credentials"; 3]);
    assert_eq!(said.refused, [""; 0]);
    assert_eq!(exchange.statistics().unauthorized, 0);
}

#[tokio::test]
async fn a_token_that_ends_is_replaced_before_anybody_notices() {
    let Some(provider) = Provider::start(SHORT) else {
        return;
    };
    let exchange = mailbox::exchange(&provider).await;
    let credentials = credentials("erp").with_client_secret(SECRET);
    let sign_in = sign_in(&provider, provider.service(), credentials)
        .build()
        .unwrap();
    let source = source(&exchange, sign_in);
    mailbox::read_until(&source, async || provider.said().await.issued.len() >= 3).await;
}

#[tokio::test]
async fn a_token_that_the_mailbox_finds_expired_is_replaced_within_the_call() {
    let Some(provider) = Provider::start(SHORT) else {
        return;
    };
    let exchange = mailbox::exchange(&provider).await;
    let credentials = credentials("erp").with_client_secret(SECRET);
    // A machine whose clock stands still believes that every token is fresh.
    let stopped: Arc<dyn Clock> = Arc::new(ManualClock::at(SystemClock.now()));
    let sign_in = sign_in(&provider, provider.service(), credentials)
        .with_clock(stopped)
        .build()
        .unwrap();
    let source = source(&exchange, sign_in);
    mailbox::read_until(&source, async || exchange.statistics().unauthorized > 0).await;
    assert!(provider.said().await.issued.len() >= 2);
}

#[tokio::test]
async fn a_wrong_secret_is_said_and_opens_nothing() {
    let Some(provider) = Provider::start(LONG) else {
        return;
    };
    let exchange = mailbox::exchange(&provider).await;
    let credentials = credentials("erp").with_client_secret("canary-wrong");
    let sign_in = sign_in(&provider, provider.service(), credentials)
        .build()
        .unwrap();
    let error = sign_in.sign_in().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unauthenticated, "oauth.token_refused")
    );
    assert!(!format!("{error} {error:?}").contains("canary"));
    let error = mailbox::read_queue(&source(&exchange, sign_in))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "oauth.token_refused");
    assert_eq!(exchange.statistics().requests, 0);
    let said = provider.said().await;
    assert_eq!(
        (said.issued.len(), said.refused),
        (0, vec!["invalid_client".to_owned(); 2])
    );
}

#[tokio::test]
async fn a_provider_whose_certificate_is_not_trusted_is_told_nothing() {
    let Some(provider) = Provider::start(LONG) else {
        return;
    };
    let other = super::certificate::ServerCertificate::make();
    let credentials = credentials("erp").with_client_secret(SECRET);
    let sign_in = sign_in(&provider, provider.service(), credentials)
        .with_trusted_roots(other.authority)
        .build()
        .unwrap();
    assert_eq!(sign_in.sign_in().await.unwrap_err().code(), "http.tls");
    assert_eq!(provider.said().await, Said::default());
}
