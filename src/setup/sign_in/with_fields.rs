//! A host's credentials, completed by the fields of the set-up.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::credential::{AccessToken, ClientCertificate, CredentialProvider, UserPassword};
use crate::error::Result;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;

/// A host's credentials; where they do not handle the client id or the redirect URL, the field of the set-up counts.
#[derive(Debug)]
pub(super) struct WithFields {
    credentials: Arc<dyn CredentialProvider>,
    client_id: Option<String>,
    redirect_url: Option<String>,
}

impl WithFields {
    /// The credentials as they are for this set-up; of those that know none, over its fields.
    pub(super) fn over(
        credentials: &Arc<dyn CredentialProvider>,
        setup: &EmailLoggingSetup,
    ) -> Arc<dyn CredentialProvider> {
        credentials.for_setup(setup).unwrap_or_else(|| {
            Arc::new(Self {
                credentials: Arc::clone(credentials),
                client_id: setup.exchange_client_id.clone(),
                redirect_url: setup.exchange_redirect_url.clone(),
            })
        })
    }
}

fn or_field(answer: Option<String>, field: Option<&String>) -> Option<String> {
    answer
        .filter(|answer| !answer.is_empty())
        .or_else(|| field.cloned())
}

#[async_trait]
impl CredentialProvider for WithFields {
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        let answer = self.credentials.client_id(scope).await?;
        Ok(or_field(answer, self.client_id.as_ref()))
    }

    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        self.credentials.client_secret(scope).await
    }

    async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>> {
        let answer = self.credentials.redirect_url(scope).await?;
        Ok(or_field(answer, self.redirect_url.as_ref()))
    }

    async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>> {
        self.credentials.certificate(scope).await
    }

    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        self.credentials.password(scope).await
    }

    async fn access_token(&self, scope: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        self.credentials.access_token(scope, resource).await
    }
}
