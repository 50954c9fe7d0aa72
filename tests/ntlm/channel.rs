//! The channel binding: somebody between client and server, whom the client trusts by mistake, gets nowhere.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use email_logging::source::ews::NameResolver;
use email_logging::testkit::exchange::{SimulatedExchange, TlsCertificate};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::parts::{Counted, PASSWORD, QUEUE, USER, exchange, open, protected, source, source_to};
use crate::support::code_of;

/// Ends TLS with a certificate of its own and begins it anew: its address, and the root that a client has to trust.
async fn between(exchange: &SimulatedExchange) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .unwrap();
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(exchange.ca_pem().unwrap().as_bytes());
    roots.add(authority.unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(relay(
        listener,
        TlsAcceptor::from(Arc::new(server)),
        TlsConnector::from(Arc::new(client)),
        exchange.port(),
    ));
    let url = format!("https://localhost:{port}/EWS/Exchange.asmx");
    (url, certificate.pem())
}

async fn relay(listener: TcpListener, acceptor: TlsAcceptor, connector: TlsConnector, to: u16) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, connector) = (acceptor.clone(), connector.clone());
        tokio::spawn(async move {
            let Ok(mut near) = acceptor.accept(stream).await else {
                return;
            };
            let stream = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let mut far = connector.connect(name, stream).await.unwrap();
            let _ended = copy_bidirectional(&mut near, &mut far).await;
        });
    }
}

#[tokio::test]
async fn a_relayed_sign_in_is_refused_where_the_channel_is_looked_at() {
    for (protection, expected) in [(true, "http.unauthorized"), (false, "opened")] {
        let exchange = exchange()
            .with_tls(TlsCertificate::Trusted)
            .with_extended_protection(protection)
            .start()
            .await
            .unwrap();
        let account = Counted::new(USER, PASSWORD);
        assert!(open(&source(&exchange, &account), QUEUE).await.is_ok());
        let (url, pem) = between(&exchange).await;
        let source = source_to(&url, &account, |it| it.with_trusted_roots(pem));
        let opened = open(&source, QUEUE).await;
        let code = opened.as_ref().map_or_else(code_of, |_| "opened");
        assert_eq!(code, expected);
    }
}

#[tokio::test]
async fn only_a_trusted_certificate_gets_a_byte() {
    for (certificate, expected) in [
        (TlsCertificate::WrongHost, "http.tls_host"),
        (TlsCertificate::Expired, "http.tls_expired"),
        (TlsCertificate::SelfSigned, "http.tls_untrusted"),
    ] {
        let exchange = exchange().with_tls(certificate).start().await.unwrap();
        let account = Counted::new(USER, PASSWORD);
        let error = open(&source(&exchange, &account), QUEUE).await.unwrap_err();
        assert_eq!((code_of(&error), account.asked()), (expected, 0));
        assert_eq!(exchange.statistics().requests, 0);
    }
}

#[tokio::test]
async fn protection_without_a_channel_cannot_be_started() {
    let started = exchange().with_extended_protection(true).start().await;
    assert_eq!(started.unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

/// This machine for the first look-up, and an address on premises for every later one.
#[derive(Debug, Default)]
struct Rebinding(AtomicUsize);

#[async_trait]
impl NameResolver for Rebinding {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first { [127, 0, 0, 1] } else { [10, 0, 0, 1] };
        Ok(vec![IpAddr::from(address)])
    }
}

#[tokio::test]
async fn the_address_of_each_connection_is_checked() {
    let exchange = protected().start().await.unwrap();
    let pem = exchange.ca_pem().unwrap().to_owned();
    let account = Counted::new(USER, PASSWORD);
    let url = format!("https://localhost:{}/EWS/Exchange.asmx", exchange.port());
    let source = source_to(&url, &account, |it| {
        it.with_trusted_roots(pem)
            .with_name_resolver(Arc::new(Rebinding::default()))
    });
    let error = open(&source, QUEUE).await.unwrap_err();
    let found = (code_of(&error), account.asked());
    assert_eq!(found, ("http.address_refused", 0));
    assert_eq!(exchange.statistics().requests, 1);
}
