//! Refresh tokens among the sealed secrets.

use async_trait::async_trait;
use secrecy::SecretString;

use super::secrets::SealedSecrets;
use crate::credential::{RefreshTokenStore, StoredRefreshToken};
use crate::error::Result;
use crate::scope::Scope;
use crate::store::SecretName;

/// Keeps refresh tokens sealed in the store. Sealing one anew under a new key does not change its version, so that a
/// sign-in that runs meanwhile still stores the token that it was given.
#[derive(Debug, Clone)]
pub struct SealedRefreshTokens {
    secrets: SealedSecrets,
}

impl SealedRefreshTokens {
    /// Refresh tokens among these secrets.
    pub fn new(secrets: SealedSecrets) -> Self {
        Self { secrets }
    }
}

#[async_trait]
impl RefreshTokenStore for SealedRefreshTokens {
    async fn load_refresh_token(&self, scope: &Scope) -> Result<Option<StoredRefreshToken>> {
        let opened = self.secrets.load(scope, SecretName::RefreshToken).await?;
        Ok(opened.map(|opened| StoredRefreshToken::new(opened.value, opened.version)))
    }

    async fn save_refresh_token(
        &self,
        scope: &Scope,
        token: &SecretString,
        expected_version: u64,
    ) -> Result<u64> {
        let name = SecretName::RefreshToken;
        self.secrets
            .save(scope, name, token, expected_version)
            .await
    }
}
