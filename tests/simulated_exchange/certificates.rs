//! Good and bad certificates, seen by a client that verifies.

use email_logging::testkit::exchange::TlsCertificate;
use reqwest::{Certificate, Client};

use super::client::builder;

#[tokio::test]
async fn only_the_good_certificate_is_trusted() {
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for (kind, trusted) in [
        (TlsCertificate::Trusted, true),
        (TlsCertificate::WrongHost, false),
        (TlsCertificate::Expired, false),
        (TlsCertificate::SelfSigned, false),
    ] {
        let exchange = builder().with_tls(kind).start().await.unwrap();
        let authority = Certificate::from_pem(exchange.ca_pem().unwrap().as_bytes()).unwrap();
        let client = Client::builder()
            .tls_certs_only([authority])
            .build()
            .unwrap();
        let answer = client.get(exchange.url()).send().await;
        assert_eq!(
            answer.map(|answer| answer.status().as_u16()).ok(),
            trusted.then_some(401),
            "{kind:?}"
        );
    }
}
