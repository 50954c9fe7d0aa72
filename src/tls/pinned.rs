//! A server that is known by its key: SHA-256 of its SubjectPublicKeyInfo, as RFC 7469 writes pins.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, hash, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error as TlsError, RootCertStore};

use crate::error::{Error, Result, codes};

/// The SHA-256 of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin([u8; 32]);

impl Pin {
    /// Reads base64, with or without `sha256/` or `sha256//` before it.
    pub(super) fn parse(text: &str) -> Result<Self> {
        // A slash is a digit of base64 as well: only one of the readings has the length of a digest.
        let readings = ["", "sha256/", "sha256//"].into_iter();
        let mut digests = readings.filter_map(|prefix| {
            let base64 = text.trim().strip_prefix(prefix)?;
            let bytes = base64_simd::STANDARD.decode_to_vec(base64).ok()?;
            bytes.try_into().ok()
        });
        digests.next().map(Self).ok_or_else(|| {
            let detail = "a pinned key is base64 of a SHA-256, 32 bytes";
            Error::new(&codes::CONFIG_INVALID, "TLS").with_detail(detail)
        })
    }

    fn is_of(&self, digest: &hash::Output) -> bool {
        self.0.as_slice() == digest.as_ref()
    }
}

/// Accepts a certificate with one of the keys, after everything else about it was checked.
#[derive(Debug)]
pub(super) struct PinnedVerifier {
    pins: Vec<Pin>,
    chain: Option<Arc<dyn ServerCertVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedVerifier {
    /// One of the pins, and the chain as well if it is given.
    pub(super) fn new(
        pins: Vec<Pin>,
        chain: Option<Arc<dyn ServerCertVerifier>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            pins,
            chain,
            algorithms,
        }
    }

    /// Dates, purpose and name of a certificate, without its issuer.
    fn check_alone(
        &self,
        certificate: &ParsedCertificate<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsError> {
        // The issuer is looked for after everything else was found right, and there is none to find.
        let none = RootCertStore::empty();
        let all = self.algorithms.all;
        match verify_server_cert_signed_by_trust_anchor(certificate, &none, &[], now, all) {
            Ok(()) | Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                verify_server_name(certificate, name)
            }
            Err(error) => Err(error),
        }
    }

    fn check_key(&self, certificate: &ParsedCertificate<'_>) -> Result<(), TlsError> {
        let refused = TlsError::from(CertificateError::ApplicationVerificationFailure);
        let suite = TLS13_AES_128_GCM_SHA256.tls13();
        let Some(sha256) = suite.map(|suite| suite.common.hash_provider) else {
            return Err(refused);
        };
        let digest = sha256.hash(certificate.subject_public_key_info().as_ref());
        if self.pins.iter().any(|pin| pin.is_of(&digest)) {
            Ok(())
        } else {
            Err(refused)
        }
    }
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        match &self.chain {
            Some(chain) => chain
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map(drop)?,
            None => self.check_alone(&certificate, server_name, now)?,
        }
        self.check_key(&certificate)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
