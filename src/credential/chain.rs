//! Several providers, asked in order.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::{AccessToken, ClientCertificate, CredentialProvider, UserPassword};
use crate::error::Result;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;

/// Providers in order; the first that handles a question answers it.
///
/// `None` and an empty text mean *not handled*. An error is an error: later providers are not asked. A client proves itself
/// with what the first provider that has either supplies, certificate or secret: a secret is not passed over for the
/// certificate of a later provider.
#[derive(Debug, Default, Clone)]
pub struct CredentialChain {
    providers: Vec<Arc<dyn CredentialProvider>>,
}

impl CredentialChain {
    /// A chain that handles nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider that is asked after those that are there.
    #[must_use]
    pub fn with(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.providers.push(provider);
        self
    }
}

macro_rules! first {
    ($chain:expr, $provider:ident => $ask:expr, $handled:expr) => {{
        for $provider in &$chain.providers {
            if let Some(answer) = $ask.await?.filter($handled) {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }};
}

fn has_text(secret: &SecretString) -> bool {
    !secret.expose_secret().is_empty()
}

#[async_trait]
impl CredentialProvider for CredentialChain {
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        first!(self, provider => provider.client_id(scope), |text| !text.is_empty())
    }

    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        first!(self, provider => provider.client_secret(scope), has_text)
    }

    async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>> {
        first!(self, provider => provider.redirect_url(scope), |text| !text.is_empty())
    }

    async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>> {
        for provider in &self.providers {
            let certificate = provider.certificate(scope).await?;
            let found = certificate.filter(|found| !found.certificates.is_empty());
            if found.is_some() {
                return Ok(found);
            }
            if provider
                .client_secret(scope)
                .await?
                .as_ref()
                .is_some_and(has_text)
            {
                break;
            }
        }
        Ok(None)
    }

    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        first!(self, provider => provider.password(scope),
            |account: &UserPassword| !account.user_name.is_empty() && has_text(&account.password))
    }

    async fn access_token(&self, scope: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        first!(self, provider => provider.access_token(scope, resource),
            |token: &AccessToken| has_text(&token.token))
    }

    fn for_setup(&self, setup: &EmailLoggingSetup) -> Option<Arc<dyn CredentialProvider>> {
        let answers: Vec<_> = (self.providers.iter())
            .map(|provider| provider.for_setup(setup))
            .collect();
        if answers.iter().all(Option::is_none) {
            return None;
        }
        let both = self.providers.iter().zip(answers);
        let providers = both.map(|(as_is, answer)| answer.unwrap_or_else(|| Arc::clone(as_is)));
        Some(Arc::new(Self {
            providers: providers.collect(),
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::credential::StaticCredentials;
    use crate::error::{Error, codes};

    #[derive(Debug)]
    struct Broken;

    #[async_trait]
    impl CredentialProvider for Broken {
        async fn client_id(&self, _: &Scope) -> Result<Option<String>> {
            Err(Error::new(&codes::CREDENTIAL_PROVIDER, "client_id"))
        }
    }

    fn id(text: &str) -> Arc<dyn CredentialProvider> {
        Arc::new(StaticCredentials::new().with_client_id(text))
    }

    #[tokio::test]
    async fn an_empty_text_is_not_handled_and_the_first_answer_counts() {
        let chain = CredentialChain::new()
            .with(id(""))
            .with(id("a"))
            .with(id("b"));
        let scope = Scope::default();
        assert_eq!(chain.client_id(&scope).await.unwrap().as_deref(), Some("a"));
        assert!(chain.client_secret(&scope).await.unwrap().is_none());
        assert!(
            CredentialChain::new()
                .client_id(&scope)
                .await
                .unwrap()
                .is_none()
        );
    }

    #[tokio::test]
    async fn an_error_is_not_taken_for_not_handled() {
        let scope = Scope::default();
        let chain = CredentialChain::new().with(Arc::new(Broken)).with(id("a"));
        assert_eq!(
            chain.client_id(&scope).await.unwrap_err().code(),
            "credential.provider"
        );
        let chain = CredentialChain::new().with(id("a")).with(Arc::new(Broken));
        assert_eq!(chain.client_id(&scope).await.unwrap().as_deref(), Some("a"));
    }
}
