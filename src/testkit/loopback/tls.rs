//! Certificates: an own authority for each server and a leaf that is good or bad as wanted.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// The certificate that the server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsCertificate {
    /// Signed by the authority of `ca_pem`, for `localhost`, `127.0.0.1` and `::1`.
    Trusted,
    /// Signed by the authority, for another host.
    WrongHost,
    /// Signed by the authority, valid until the year 2001.
    Expired,
    /// Signed by itself and not by the authority.
    SelfSigned,
}

/// A TLS server and the authority that clients must trust.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
    /// The server's certificate, DER.
    pub(crate) leaf: Vec<u8>,
}

/// Makes keys and certificates anew, for these names beside the loopback ones.
pub(crate) fn make(kind: TlsCertificate, names: &[String]) -> io::Result<Tls> {
    let authority = authority().map_err(io::Error::other)?;
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let leaf = leaf(kind, names, &key, &authority).map_err(io::Error::other)?;
    let acceptor = acceptor(&leaf, &key)?;
    Ok(Tls {
        acceptor,
        ca_pem: authority.pem(),
        leaf: leaf.der().to_vec(),
    })
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "Simulated authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn leaf(
    kind: TlsCertificate,
    names: &[String],
    key: &KeyPair,
    authority: &CertifiedIssuer<'_, KeyPair>,
) -> Result<Certificate, rcgen::Error> {
    let hosts: &[&str] = match kind {
        TlsCertificate::WrongHost => &["other.example"],
        _ => &["localhost", "127.0.0.1", "::1"],
    };
    let names = names.iter().filter(|_| kind != TlsCertificate::WrongHost);
    let hosts = hosts
        .iter()
        .map(|host| (*host).to_owned())
        .chain(names.cloned());
    let mut params = CertificateParams::new(hosts.collect::<Vec<_>>())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Simulated server");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    if kind == TlsCertificate::Expired {
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
    }
    if kind == TlsCertificate::SelfSigned {
        return params.self_signed(key);
    }
    params.signed_by(key, authority)
}

fn acceptor(leaf: &Certificate, key: &KeyPair) -> io::Result<TlsAcceptor> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
