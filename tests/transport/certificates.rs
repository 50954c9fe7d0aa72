//! Certificates, good and bad in one way each, made anew for each test.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose,
    PublicKeyData as _, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

/// The host of every certificate that is for the right one.
pub(crate) const HOST: &str = "mail.corp.example";

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Good,
    WrongHost,
    Expired,
    NotYetValid,
    SelfSigned,
    OtherAuthority,
    /// For other hosts, whose names would steer a terminal.
    HostileNames,
}

/// A server's side of TLS, and what a client would have to trust.
pub(crate) struct Identity {
    pub(crate) acceptor: TlsAcceptor,
    /// The authority that the test trusts.
    pub(crate) roots: String,
    /// The certificate itself.
    pub(crate) leaf: String,
    /// SHA-256 of the public key, base64.
    pub(crate) pin: String,
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A new key with a certificate of this kind.
pub(crate) fn identity(shown: Shown) -> Identity {
    let (trusted, other) = (authority(), authority());
    let host = if shown == Shown::WrongHost {
        "other.example"
    } else {
        HOST
    };
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    match shown {
        Shown::HostileNames => {
            let name = |number| format!("{number}\u{1b}[31m\r\nFORGED line{}", "x".repeat(200));
            let names = (0..50).map(|number| SanType::DnsName(name(number).try_into().unwrap()));
            params.subject_alt_names = names.collect();
        }
        Shown::Expired => {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        Shown::NotYetValid => params.not_before = date_time_ymd(3000, 1, 1),
        _ => {}
    }
    let key = KeyPair::generate().unwrap();
    let leaf = match shown {
        Shown::SelfSigned => params.self_signed(&key),
        Shown::OtherAuthority => params.signed_by(&key, &other),
        _ => params.signed_by(&key, &trusted),
    };
    let leaf = leaf.unwrap();
    let server_key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], server_key.into())
        .unwrap();
    Identity {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        roots: trusted.pem(),
        leaf: leaf.pem(),
        pin: sha256_base64(&key.subject_public_key_info()),
    }
}

fn sha256_base64(bytes: &[u8]) -> String {
    let sha256 = TLS13_AES_128_GCM_SHA256
        .tls13()
        .unwrap()
        .common
        .hash_provider;
    base64_simd::STANDARD.encode_to_string(sha256.hash(bytes).as_ref())
}
