//! The one TLS configuration: TLS 1.2 or newer, platform roots or given ones, never an unchecked certificate.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Result, codes};

/// Builds the configuration; `roots` (PEM) replaces the platform's roots.
pub(crate) fn client_config(roots: Option<&str>) -> Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(&codes::INTERNAL, "TLS").with_source(error))?;
    let mut config = match roots {
        Some(pem) => builder
            .with_root_certificates(root_store(pem)?)
            .with_no_client_auth(),
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(platform_verifier(provider)?)
            .with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn platform_verifier(provider: Arc<CryptoProvider>) -> Result<Arc<Verifier>> {
    let verifier = Verifier::new(provider);
    verifier.map(Arc::new).map_err(|error| {
        Error::new(&codes::CONFIG_INVALID, "TLS")
            .with_detail("the platform's certificate roots cannot be read")
            .with_source(error)
    })
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
    use super::client_config;

    #[test]
    fn roots_without_a_certificate_are_refused() {
        for pem in ["", "no certificate"] {
            assert_eq!(
                client_config(Some(pem)).unwrap_err().code(),
                "config.invalid"
            );
        }
    }
}
