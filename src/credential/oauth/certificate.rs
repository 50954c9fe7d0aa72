//! The certificate of an application: when it ends, its thumbprint, and what is signed with its key.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, VerificationAlgorithm};
use jiff::Timestamp;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;
use serde_json::Value;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::credential::ClientCertificate;
use crate::error::{Error, Result, codes};

const OPERATION: &str = "client certificate";

/// A certificate whose leaf was read.
#[derive(Debug)]
pub(super) struct Certificate {
    pem: ClientCertificate,
    leaf: Vec<u8>,
    elliptic: Option<Algorithm>,
    ends: Timestamp,
}

impl Certificate {
    /// Reads the leaf.
    ///
    /// # Errors
    ///
    /// `Config` (`oauth.certificate_invalid`).
    pub(super) fn read(pem: ClientCertificate) -> Result<Self> {
        let leaf = CertificateDer::from_pem_slice(pem.certificates.as_bytes());
        let leaf = leaf.map_err(|_| invalid("the certificate is no PEM"))?;
        let (_, parsed) = X509Certificate::from_der(&leaf)
            .map_err(|_| invalid("the certificate cannot be read"))?;
        let ends = Timestamp::from_second(parsed.validity().not_after.timestamp());
        let elliptic = match parsed.public_key().parsed() {
            Ok(PublicKey::RSA(_)) => None,
            Ok(PublicKey::EC(point)) if point.key_size() == 256 => Some(Algorithm::ES256),
            Ok(PublicKey::EC(point)) if point.key_size() == 384 => Some(Algorithm::ES384),
            _ => return Err(invalid("the key is neither RSA nor P-256 nor P-384")),
        };
        Ok(Self {
            elliptic,
            ends: ends.map_err(|_| invalid("the certificate has no end"))?,
            leaf: leaf.to_vec(),
            pem,
        })
    }

    /// When it ends (`notAfter`).
    pub(super) fn ends(&self) -> Timestamp {
        self.ends
    }

    /// What tells it from another one.
    pub(super) fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// The header of an assertion: PS256 with the SHA-256 thumbprint (RFC 7515, 4.1.8), or RS256 with both thumbprints for
    /// services that know no better.
    pub(super) fn header(&self, older: bool) -> Header {
        let rsa = if older {
            Algorithm::RS256
        } else {
            Algorithm::PS256
        };
        let mut header = Header::new(self.elliptic.unwrap_or(rsa));
        header.x5t_s256 = Some(self.thumbprint(&digest::SHA256));
        header.x5t = older.then(|| self.thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY));
        header
    }

    fn thumbprint(&self, algorithm: &'static digest::Algorithm) -> String {
        let hash = digest::digest(algorithm, &self.leaf);
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(hash.as_ref())
    }

    /// Signs claims as a compact JWS (RFC 7515, 7.1).
    ///
    /// The library's own function would take whatever provider the process has; this names the one.
    pub(super) fn sign(&self, header: &Header, claims: &Value) -> Result<String> {
        let unusable = || invalid("the private key cannot be used");
        let key = self.pem.private_key.expose_secret().as_bytes();
        let key = match self.elliptic {
            None => EncodingKey::from_rsa_pem(key),
            Some(_) => EncodingKey::from_ec_pem(key),
        };
        let key = key.map_err(|_| unusable())?;
        let head = serde_json::to_vec(header).map_err(|_| unusable())?;
        let text = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
        let message = format!("{}.{}", text(&head), text(claims.to_string().as_bytes()));
        let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&header.alg, &key);
        let signature = signer.map_err(|_| unusable())?.try_sign(message.as_bytes());
        let signature = signature.map_err(|_| unusable())?;
        Ok(format!("{message}.{}", text(&signature)))
    }
}

/// Checks that a key signs for its certificate, before both are stored.
///
/// # Errors
///
/// `Config` (`oauth.certificate_invalid`).
#[cfg_attr(not(feature = "seal"), allow(dead_code))]
pub(crate) fn check_certificate(pem: &ClientCertificate) -> Result<()> {
    let certificate = Certificate::read(pem.clone())?;
    let signed = certificate.sign(&certificate.header(false), &Value::Null)?;
    let mismatch = || invalid("the private key is not that of the certificate");
    let (message, mark) = signed.rsplit_once('.').ok_or_else(mismatch)?;
    let mark = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(mark);
    let mark = mark.map_err(|_| mismatch())?;
    let (_, parsed) = X509Certificate::from_der(certificate.leaf()).map_err(|_| mismatch())?;
    let algorithm: &dyn VerificationAlgorithm = match certificate.elliptic {
        None => &signature::RSA_PSS_2048_8192_SHA256,
        Some(Algorithm::ES384) => &signature::ECDSA_P384_SHA384_FIXED,
        Some(_) => &signature::ECDSA_P256_SHA256_FIXED,
    };
    let key = &parsed.public_key().subject_public_key.data;
    signature::UnparsedPublicKey::new(algorithm, key)
        .verify(message.as_bytes(), &mark)
        .map_err(|_| mismatch())
}

fn invalid(detail: &'static str) -> Error {
    Error::new(&codes::OAUTH_CERTIFICATE_INVALID, OPERATION).with_detail(detail)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn made(key: &rcgen::KeyPair) -> ClientCertificate {
        let mut parameters = rcgen::CertificateParams::new(vec!["app.example.com".into()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2031, 2, 3);
        let certificate = parameters.self_signed(key).unwrap();
        ClientCertificate::new(certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn the_end_and_the_kind_of_the_key_are_read() {
        for (kind, algorithm) in [
            (&rcgen::PKCS_RSA_SHA256, Algorithm::PS256),
            (&rcgen::PKCS_ECDSA_P256_SHA256, Algorithm::ES256),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Algorithm::ES384),
        ] {
            let key = rcgen::KeyPair::generate_for(kind).unwrap();
            let certificate = Certificate::read(made(&key)).unwrap();
            assert_eq!(certificate.ends().to_string(), "2031-02-03T00:00:00Z");
            let header = certificate.header(false);
            assert_eq!((header.alg, header.x5t), (algorithm, None));
            let header = certificate.header(false);
            let signed = certificate.sign(&header, &serde_json::json!({})).unwrap();
            assert_eq!(signed.split('.').count(), 3);
        }
    }

    #[test]
    fn a_key_that_is_not_the_certificates_own_is_found() {
        for kind in [
            &rcgen::PKCS_RSA_SHA256,
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
        ] {
            let key = || rcgen::KeyPair::generate_for(kind).unwrap();
            let own = made(&key());
            check_certificate(&own).unwrap();
            let other = ClientCertificate::new(own.certificates, key().serialize_pem());
            let error = check_certificate(&other).unwrap_err();
            assert_eq!(error.code(), "oauth.certificate_invalid");
        }
    }

    #[test]
    fn an_older_service_gets_rs256_and_both_thumbprints() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let header = Certificate::read(made(&key)).unwrap().header(true);
        assert_eq!(header.alg, Algorithm::RS256);
        assert!(header.x5t.is_some() && header.x5t_s256.is_some());
    }

    #[test]
    fn what_is_no_certificate_or_key_is_a_setting_that_cannot_work() {
        let key = rcgen::KeyPair::generate().unwrap();
        let good = made(&key);
        for text in [
            "",
            "canary",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        ] {
            let error = Certificate::read(ClientCertificate::new(text, "")).unwrap_err();
            assert_eq!(error.code(), "oauth.certificate_invalid");
        }
        let without = Certificate::read(ClientCertificate::new(good.certificates, "canary"));
        let without = without.unwrap();
        let header = without.header(false);
        let error = without.sign(&header, &serde_json::json!({})).unwrap_err();
        assert_eq!(error.code(), "oauth.certificate_invalid");
        assert!(!format!("{error:?}{error}").contains("canary"));
    }
}
