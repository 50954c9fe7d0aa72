//! The one TLS configuration: TLS 1.2 or newer, platform roots, given roots or a pinned key, never an unchecked certificate.
//!
//! Mail servers and databases are reached with it. It knows neither.

mod pinned;

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Result, codes};
use pinned::{Pin, PinnedVerifier};

/// Builds the configuration. Given roots (PEM) replace the platform's. Pinned keys stand instead of the platform's roots,
/// and beside given ones.
pub(crate) fn client_config(roots: Option<&str>, pinned_keys: &[String]) -> Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = verifier(roots, pinned_keys, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| Error::new(&codes::INTERNAL, "TLS").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

fn verifier(
    roots: Option<&str>,
    pinned_keys: &[String],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>> {
    let chain = match roots {
        Some(pem) => Some(root_verifier(pem, Arc::clone(provider))?),
        None => None,
    };
    let pins: Result<Vec<Pin>> = pinned_keys.iter().map(|key| Pin::parse(key)).collect();
    match (pins?, chain) {
        (pins, None) if pins.is_empty() => platform_verifier(Arc::clone(provider)),
        (pins, Some(chain)) if pins.is_empty() => Ok(chain),
        (pins, chain) => {
            let algorithms = provider.signature_verification_algorithms;
            Ok(Arc::new(PinnedVerifier::new(pins, chain, algorithms)))
        }
    }
}

fn platform_verifier(provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    let verifier = Verifier::new(provider).map_err(|error| {
        Error::new(&codes::CONFIG_INVALID, "TLS")
            .with_detail("the platform's certificate roots cannot be read")
            .with_source(error)
    })?;
    Ok(Arc::new(verifier))
}

fn root_verifier(pem: &str, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    let roots = Arc::new(root_store(pem)?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    let verifier =
        verifier.map_err(|error| Error::new(&codes::INTERNAL, "TLS").with_source(error))?;
    Ok(verifier)
}

fn root_store(pem: &str) -> Result<RootCertStore> {
    let invalid = || {
        Error::new(&codes::CONFIG_INVALID, "TLS").with_detail("the given roots hold no certificate")
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| invalid().with_source(error))?;
        store
            .add(certificate)
            .map_err(|error| invalid().with_source(error))?;
    }
    if store.is_empty() {
        Err(invalid())
    } else {
        Ok(store)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn code(roots: Option<&str>, pinned_keys: &[String]) -> &'static str {
        client_config(roots, pinned_keys).unwrap_err().code()
    }

    #[test]
    fn roots_without_a_certificate_are_refused() {
        for pem in ["", "no certificate"] {
            assert_eq!(code(Some(pem), &[]), "config.invalid");
        }
    }

    #[test]
    fn a_pin_is_read_with_and_without_its_prefix_even_if_it_begins_with_a_slash() {
        let digest = "/".repeat(42) + "8=";
        for pin in [
            digest.clone(),
            format!("sha256/{digest}"),
            format!("sha256//{digest}"),
            format!(" {digest}\n"),
        ] {
            assert_eq!(Pin::parse(&pin).unwrap(), Pin::parse(&digest).unwrap());
        }
    }

    #[test]
    fn a_pin_that_is_no_digest_is_refused() {
        for pin in [
            "",
            "sha256/",
            "AAAA",
            "sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "*",
        ] {
            assert_eq!(code(None, &[pin.into()]), "config.invalid", "{pin}");
        }
    }
}
