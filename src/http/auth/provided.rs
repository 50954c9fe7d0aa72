//! Tokens that the host makes.

use std::sync::Arc;

use async_trait::async_trait;

use super::TokenSource;
use crate::credential::{AccessToken, CredentialProvider};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;

/// Asks a provider for a ready-made token before every request; a cache is the provider's to keep.
#[derive(Debug)]
pub(crate) struct ProvidedToken {
    provider: Arc<dyn CredentialProvider>,
    scope: Scope,
    resource: String,
}

impl ProvidedToken {
    /// Tokens of this provider for one resource.
    pub(crate) fn new(
        provider: Arc<dyn CredentialProvider>,
        scope: Scope,
        resource: String,
    ) -> Self {
        Self {
            provider,
            scope,
            resource,
        }
    }
}

#[async_trait]
impl TokenSource for ProvidedToken {
    async fn token(&self) -> Result<AccessToken> {
        let token = self
            .provider
            .access_token(&self.scope, &self.resource)
            .await?;
        token.ok_or_else(|| Error::new(&codes::CREDENTIAL_MISSING, "Bearer"))
    }

    async fn invalidate(&self, _: &str) {}
}
