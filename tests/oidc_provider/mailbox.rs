//! The mailbox that tokens open: a simulated Exchange that knows the provider's published keys and nothing else.

use std::time::Duration;

use email_logging::Result;
use email_logging::source::ews::{EwsSource, EwsSourceBuilder};
use email_logging::source::{FolderPath, ListRequest, MailSource};
use email_logging::testkit::exchange::{SimulatedExchange, TlsCertificate};
use email_logging::testkit::identity::TokenAuthority;

use super::provider::{Provider, RESOURCE};

pub(crate) const MAILBOX: &str = "queue@corp.example";
const QUEUE: &str = r"\Email Logging\Queue\";
/// How often something is looked for that must happen, and the pause between: a minute in all.
const LOOKS: usize = 240;
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) fn http(authority: &str) -> reqwest::Client {
    // Only the first of many tests can install it, and all install the same.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([authority])
        .build()
        .unwrap()
}

pub(crate) async fn exchange(provider: &Provider) -> SimulatedExchange {
    let request = http(&provider.authority).get(format!("{}/jwks", provider.issuer));
    let keys = request.send().await.unwrap().text().await.unwrap();
    let exchange = SimulatedExchange::builder()
        .with_token_authority(TokenAuthority::from_jwks(&keys, RESOURCE, None))
        .with_mailbox(MAILBOX)
        .with_public_folder(QUEUE)
        .with_tls(TlsCertificate::Trusted)
        .start()
        .await
        .unwrap();
    exchange
        .deliver(QUEUE, "Subject: Offer\r\n\r\nHello")
        .unwrap();
    exchange
}

pub(crate) fn source(
    exchange: &SimulatedExchange,
    sign_in: impl FnOnce(EwsSourceBuilder) -> EwsSourceBuilder,
) -> EwsSource {
    let builder = EwsSource::builder(exchange.url()).with_trusted_roots(exchange.ca_pem().unwrap());
    sign_in(builder).build().unwrap()
}

/// Reads the queue, which holds one mail.
pub(crate) async fn read_queue(source: &EwsSource) -> Result<()> {
    let queue = source
        .open_folder(&QUEUE.parse::<FolderPath>()?.into())
        .await?;
    let listing = source.list(&queue, ListRequest::new(0, 10)).await?;
    assert_eq!(listing.items.len(), 1);
    Ok(())
}

/// Reads the queue until something has happened; every single reading must succeed.
pub(crate) async fn read_until(source: &EwsSource, happened: impl AsyncFn() -> bool) {
    for _ in 0..LOOKS {
        read_queue(source).await.unwrap();
        if happened().await {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("it has not happened in a minute");
}

/// Waits until Exchange refuses a token as expired.
pub(crate) async fn wait_until_expired(exchange: &SimulatedExchange, token: &str) {
    let http = http(exchange.ca_pem().unwrap());
    for _ in 0..LOOKS {
        let request = http.get(exchange.url()).bearer_auth(token);
        let answer = request.send().await.unwrap();
        if answer.status() == 401 {
            let diagnostics = answer.headers()["x-ms-diagnostics"].to_str().unwrap();
            assert!(diagnostics.contains("token_expired"), "{diagnostics}");
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("the token has not expired in a minute");
}
