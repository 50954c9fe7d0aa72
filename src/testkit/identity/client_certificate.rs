//! Certificates with which an application proves itself (RFC 7523, RFC 7515 4.1.7 and 4.1.8).

use std::io;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    RsaKeySize, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;

use super::jwt::{Unchecked, encode};

/// A self-signed certificate and its key, made for a test.
///
/// Its debug form does not hold the key.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// The certificate (PEM), for [`Application::with_certificate`](super::Application::with_certificate).
    pub certificate_pem: String,
    /// The RSA key (PKCS #8, PEM), for the client.
    pub key_pem: String,
}

impl ClientCertificate {
    /// Makes a key of 2048 bits, and a certificate for it that is valid from 2024 to the last day of `last_year`.
    ///
    /// # Errors
    ///
    /// When the cryptographic library cannot.
    pub fn generate(last_year: i32) -> io::Result<Self> {
        Self::make(last_year).map_err(io::Error::other)
    }

    fn make(last_year: i32) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Simulated application");
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(Self {
            certificate_pem: params.self_signed(&key)?.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("certificate_pem", &self.certificate_pem)
            .finish_non_exhaustive()
    }
}

/// A registered certificate, as far as assertions need it.
pub(super) struct RegisteredCertificate {
    sha1: String,
    sha256: String,
    public_key: Vec<u8>,
}

impl RegisteredCertificate {
    pub(super) fn parse(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let parsed = ParsedCertificate::try_from(&der).ok()?;
        Some(Self {
            sha1: encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der).as_ref()),
            sha256: encode(digest(&SHA256, &der).as_ref()),
            public_key: parsed.subject_public_key_info().as_ref().to_vec(),
        })
    }

    /// Whether the header of an assertion names this certificate by its thumbprint.
    pub(super) fn is_named_by(&self, assertion: &Unchecked<'_>) -> bool {
        match assertion.header_text("x5t#S256") {
            Some(thumbprint) => thumbprint == self.sha256,
            None => assertion.header_text("x5t") == Some(&self.sha1),
        }
    }

    pub(super) fn has_signed(&self, assertion: &Unchecked<'_>) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match assertion.header_text("alg") {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, &self.public_key)
            .verify(assertion.signed.as_bytes(), &assertion.signature)
            .is_ok()
    }
}
