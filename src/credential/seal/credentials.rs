//! The stored set-up as a credential provider: its ids and names from the set-up, its secrets from their envelopes.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::secrets::SealedSecrets;
use crate::credential::{ClientCertificate, CredentialProvider, UserPassword};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;
use crate::store::{SecretName, SetupStore};

const OPERATION: &str = "SealedCredentials";

/// How a key of the older form begins (RFC 5915), which nothing here can sign with.
const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----";

/// What the set-up of a scope holds: client id, redirect URL and user name as its fields, client secret, certificate and
/// password sealed. A blank field and a secret that is not stored are *not handled*; a secret that cannot be opened is an
/// error.
///
/// It reads at each question and keeps nothing. `Debug` shows no value.
#[derive(Clone)]
pub struct SealedCredentials {
    setup: Arc<dyn SetupStore>,
    secrets: SealedSecrets,
    /// A set-up whose fields count before the stored ones.
    given: Option<Arc<EmailLoggingSetup>>,
}

impl fmt::Debug for SealedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedCredentials")
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

impl SealedCredentials {
    /// The set-up's own credentials, with their secrets from here.
    pub fn new(setup: Arc<dyn SetupStore>, secrets: SealedSecrets) -> Self {
        Self {
            setup,
            secrets,
            given: None,
        }
    }

    /// Stores a client certificate with its key, sealed as one PEM text.
    ///
    /// # Errors
    ///
    /// `Config`: one of the two parts is no PEM of its kind, or the key is SEC1 and not PKCS #8 (`config.invalid`); with the
    /// feature `oauth2` also where the certificate cannot be used or the key is another one's
    /// (`oauth.certificate_invalid`). As [`SealedSecrets::put`].
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    pub async fn put_certificate(
        &self,
        scope: &Scope,
        certificate: &ClientCertificate,
    ) -> Result<()> {
        let key = certificate.private_key.expose_secret();
        let length = key.len() + certificate.certificates.len() + 1;
        let mut bundle = Zeroizing::new(String::with_capacity(length));
        bundle.push_str(key.trim_end());
        bundle.push('\n');
        bundle.push_str(&certificate.certificates);
        let bundle = SecretString::from(bundle.as_str());
        let invalid = |detail: &'static str| {
            Error::new(&codes::CONFIG_INVALID, OPERATION).with_detail(detail)
        };
        let read = parts(bundle.expose_secret())
            .ok_or_else(|| invalid("a certificate and its private key are PEM texts"))?;
        if read.private_key.expose_secret().starts_with(SEC1) {
            return Err(invalid(
                "the private key is SEC1 (BEGIN EC PRIVATE KEY): convert it to PKCS #8 (BEGIN PRIVATE KEY)",
            ));
        }
        #[cfg(feature = "oauth2")]
        crate::credential::check_certificate(&read)?;
        let name = SecretName::CertificateKey;
        self.secrets.put(scope, name, &bundle).await
    }

    async fn field(
        &self,
        scope: &Scope,
        field: impl Fn(&EmailLoggingSetup) -> &Option<String> + Send + Sync,
    ) -> Result<Option<String>> {
        let filled =
            |setup: &EmailLoggingSetup| field(setup).clone().filter(|value| !value.is_empty());
        if let Some(value) = self.given.as_deref().and_then(filled) {
            return Ok(Some(value));
        }
        let stored = self.setup.load_setup(scope).await?;
        Ok(stored.and_then(|stored| filled(&stored.setup)))
    }

    async fn secret(&self, scope: &Scope, name: SecretName) -> Result<Option<SecretString>> {
        let opened = self.secrets.load(scope, name).await?;
        Ok(opened.map(|opened| opened.value))
    }
}

#[async_trait]
impl CredentialProvider for SealedCredentials {
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        self.field(scope, |setup| &setup.exchange_client_id).await
    }

    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        self.secret(scope, SecretName::ClientSecret).await
    }

    async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>> {
        self.field(scope, |setup| &setup.exchange_redirect_url)
            .await
    }

    async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>> {
        let Some(bundle) = self.secret(scope, SecretName::CertificateKey).await? else {
            return Ok(None);
        };
        let invalid = || {
            Error::new(&codes::CREDENTIAL_PROVIDER, OPERATION)
                .with_detail("the stored certificate lacks its chain or its key")
        };
        parts(bundle.expose_secret()).map(Some).ok_or_else(invalid)
    }

    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        let user = self.field(scope, |setup| &setup.exchange_account_user_name);
        let Some(user) = user.await? else {
            return Ok(None);
        };
        let password = self.secret(scope, SecretName::AccountPassword).await?;
        Ok(password.map(|password| UserPassword::new(user, password)))
    }

    fn for_setup(&self, setup: &EmailLoggingSetup) -> Option<Arc<dyn CredentialProvider>> {
        let mut credentials = self.clone();
        credentials.given = Some(Arc::new(setup.clone()));
        Some(Arc::new(credentials))
    }
}

/// Chain and key of a PEM text (RFC 7468) that holds both.
fn parts(bundle: &str) -> Option<ClientCertificate> {
    let mut chain = String::new();
    let mut key = Zeroizing::new(String::with_capacity(bundle.len()));
    let mut label = None;
    for line in bundle.lines() {
        let line = line.trim_end();
        let begins = line.strip_prefix("-----BEGIN ");
        label = begins.and_then(|rest| rest.strip_suffix("-----")).or(label);
        let to = match label {
            Some("CERTIFICATE") => &mut chain,
            Some(label) if label.ends_with("PRIVATE KEY") => &mut *key,
            _ => continue,
        };
        to.push_str(line);
        to.push('\n');
        if line.starts_with("-----END ") {
            label = None;
        }
    }
    let whole = |pem: &str| pem.starts_with("-----BEGIN ") && pem.trim_end().ends_with("-----");
    (whole(&chain) && whole(&key) && label.is_none())
        .then(|| ClientCertificate::new(chain, SecretString::from(key.as_str())))
}
