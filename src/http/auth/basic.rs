//! Basic (RFC 7617).

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;

use super::Authenticator;
use crate::credential::CredentialProvider;
use crate::error::{Error, Result, codes};
use crate::scope::Scope;

/// User name and password, asked of the provider for every request and kept nowhere.
#[derive(Debug)]
pub(crate) struct Basic {
    provider: Arc<dyn CredentialProvider>,
    scope: Scope,
}

impl Basic {
    /// Basic with what this provider supplies.
    pub(crate) fn new(provider: Arc<dyn CredentialProvider>, scope: Scope) -> Self {
        Self { provider, scope }
    }
}

#[async_trait]
impl Authenticator for Basic {
    async fn authorize(&self) -> Result<HeaderValue> {
        let missing = || Error::new(&codes::CREDENTIAL_MISSING, "Basic");
        let account = self.provider.password(&self.scope).await?;
        let account = account
            .filter(|account| !account.user_name.is_empty())
            .ok_or_else(missing)?;
        if account.user_name.contains(':') {
            let error = Error::new(&codes::CONFIG_INVALID, "Basic");
            return Err(error.with_detail("a user name for Basic must not hold a colon"));
        }
        let pair = format!("{}:{}", account.user_name, account.password.expose_secret());
        let text = format!("Basic {}", base64_simd::STANDARD.encode_to_string(pair));
        let mut value = HeaderValue::try_from(text).map_err(|_| missing())?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn challenge(&self, _: &HeaderValue) -> bool {
        false
    }
}
