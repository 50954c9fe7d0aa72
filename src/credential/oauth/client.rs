//! Who the application is and what it proves itself with, asked of the provider at each acquisition and then dropped.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::certificate::Certificate;
use super::service::IdentityService;
use crate::credential::CredentialProvider;
use crate::error::{Error, Result, codes};
use crate::scope::Scope;

/// How long a signed assertion is good for.
const ASSERTION_LIFE: Duration = Duration::from_mins(5);

/// An application with its proof.
#[derive(Debug)]
pub(super) struct Client {
    /// The client id.
    pub(super) id: String,
    /// The proof.
    pub(super) proof: Proof,
}

/// What an application proves itself with.
#[derive(Debug)]
pub(super) enum Proof {
    /// A signed assertion (RFC 7523).
    Certificate(Box<Certificate>),
    /// A shared secret.
    Secret(SecretString),
    /// Nothing: an application on a person's machine, which keeps no secret.
    Nothing,
}

/// Whose answers these are.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) provider: Arc<dyn CredentialProvider>,
    pub(super) scope: Scope,
    pub(super) operation: &'static str,
}

impl Asked {
    /// Asks the provider. A certificate comes before a secret; of several providers, the first that has either counts.
    ///
    /// # Errors
    ///
    /// `Config` (`credential.missing` without a client id, `oauth.certificate_invalid`), and the provider's own.
    pub(super) async fn client(&self) -> Result<Client> {
        let id = self.provider.client_id(&self.scope).await?;
        let id = id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| self.missing("client id"))?;
        let proof = match self.provider.certificate(&self.scope).await? {
            Some(pem) => Proof::Certificate(Box::new(Certificate::read(pem)?)),
            None => self.secret().await?,
        };
        Ok(Client { id, proof })
    }

    async fn secret(&self) -> Result<Proof> {
        let secret = self.provider.client_secret(&self.scope).await?;
        let secret = secret.filter(|secret| !secret.expose_secret().is_empty());
        Ok(secret.map_or(Proof::Nothing, Proof::Secret))
    }

    /// Asks for an application that can prove itself.
    pub(super) async fn confidential_client(&self) -> Result<Client> {
        let client = self.client().await?;
        match client.proof {
            Proof::Nothing => Err(self.missing("client secret")),
            _ => Ok(client),
        }
    }

    fn missing(&self, detail: &'static str) -> Error {
        Error::new(&codes::CREDENTIAL_MISSING, self.operation).with_detail(detail)
    }
}

impl Client {
    /// When the proof ends, where that is known: of a secret it is not.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        match &self.proof {
            Proof::Certificate(certificate) => Some(certificate.ends()),
            _ => None,
        }
    }

    /// The signed assertion, where a certificate is the proof (RFC 7523, 3; Microsoft, "Certificate credentials").
    ///
    /// # Errors
    ///
    /// `Config`: the certificate has ended (`oauth.certificate_expired`), the key cannot be used.
    pub(super) fn assertion(
        &self,
        service: &IdentityService,
        now: Timestamp,
        id: &str,
    ) -> Result<Option<String>> {
        let Proof::Certificate(certificate) = &self.proof else {
            return Ok(None);
        };
        if certificate.ends() <= now {
            return Err(Error::new(
                &codes::OAUTH_CERTIFICATE_EXPIRED,
                "client certificate",
            ));
        }
        let life = SignedDuration::try_from(ASSERTION_LIFE).unwrap_or_default();
        let claims = serde_json::json!({
            "iss": self.id, "sub": self.id, "aud": service.token_endpoint, "jti": id,
            "iat": now.as_second(), "nbf": now.as_second(),
            "exp": now.as_second().saturating_add(life.as_secs()),
        });
        let header = certificate.header(service.older_assertions);
        certificate.sign(&header, &claims).map(Some)
    }

    /// What tells this application and proof from others, without holding them.
    pub(super) fn mark(&self, more: &[&[u8]]) -> blake3::Hash {
        let proof = match &self.proof {
            Proof::Certificate(certificate) => certificate.leaf(),
            Proof::Secret(secret) => secret.expose_secret().as_bytes(),
            Proof::Nothing => &[],
        };
        let mut hasher = blake3::Hasher::new();
        for part in [self.id.as_bytes(), proof].iter().chain(more) {
            hasher.update(blake3::hash(part).as_bytes());
        }
        hasher.finalize()
    }
}
