//! Credentials from closures of the host's, one a question.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use secrecy::SecretString;

use super::{AccessToken, ClientCertificate, CredentialProvider, UserPassword};
use crate::error::Result;
use crate::scope::Scope;

/// A question that a closure answers.
type Ask<T> = Arc<dyn Fn(Scope) -> BoxFuture<'static, Result<Option<T>>> + Send + Sync>;

/// Closures of the host's, asked at each question. A question without a closure is *not handled*, and so is `Ok(None)`.
///
/// `Debug` shows which questions have one.
///
/// ```
/// use email_logging::credential::{ClosureCredentials, CredentialProvider};
/// use email_logging::Scope;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> email_logging::Result<()> {
/// let credentials = ClosureCredentials::new()
///     .with_client_id(|scope| async move { Ok(Some(format!("id of {}", scope.tenant()))) })
///     .with_client_secret(|_| async { Ok(Some("from the vault".into())) });
/// let id = credentials.client_id(&Scope::default()).await?;
/// assert_eq!(id.as_deref(), Some("id of default"));
/// assert_eq!(credentials.redirect_url(&Scope::default()).await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Default, Clone)]
pub struct ClosureCredentials {
    client_id: Option<Ask<String>>,
    client_secret: Option<Ask<SecretString>>,
    redirect_url: Option<Ask<String>>,
    certificate: Option<Ask<ClientCertificate>>,
    password: Option<Ask<UserPassword>>,
    access_token: Option<AskToken>,
}

/// The question for an access token, which names a resource.
type AskToken =
    Arc<dyn Fn(Scope, String) -> BoxFuture<'static, Result<Option<AccessToken>>> + Send + Sync>;

fn boxed<T, F, Answer>(ask: F) -> Ask<T>
where
    F: Fn(Scope) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Option<T>>> + Send + 'static,
{
    Arc::new(move |scope| Box::pin(ask(scope)))
}

async fn answer<T>(ask: Option<&Ask<T>>, scope: &Scope) -> Result<Option<T>> {
    match ask {
        Some(ask) => ask(scope.clone()).await,
        None => Ok(None),
    }
}

impl ClosureCredentials {
    /// Nothing is handled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the client id with this closure.
    #[must_use]
    pub fn with_client_id<F, Answer>(mut self, ask: F) -> Self
    where
        F: Fn(Scope) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<Option<String>>> + Send + 'static,
    {
        self.client_id = Some(boxed(ask));
        self
    }

    /// Answers the client secret with this closure.
    #[must_use]
    pub fn with_client_secret<F, Answer>(mut self, ask: F) -> Self
    where
        F: Fn(Scope) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<Option<SecretString>>> + Send + 'static,
    {
        self.client_secret = Some(boxed(ask));
        self
    }

    /// Answers the redirect URL with this closure.
    #[must_use]
    pub fn with_redirect_url<F, Answer>(mut self, ask: F) -> Self
    where
        F: Fn(Scope) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<Option<String>>> + Send + 'static,
    {
        self.redirect_url = Some(boxed(ask));
        self
    }

    /// Answers the client certificate with this closure.
    #[must_use]
    pub fn with_certificate<F, Answer>(mut self, ask: F) -> Self
    where
        F: Fn(Scope) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<Option<ClientCertificate>>> + Send + 'static,
    {
        self.certificate = Some(boxed(ask));
        self
    }

    /// Answers the account's user name and password with this closure.
    #[must_use]
    pub fn with_password<F, Answer>(mut self, ask: F) -> Self
    where
        F: Fn(Scope) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<Option<UserPassword>>> + Send + 'static,
    {
        self.password = Some(boxed(ask));
        self
    }

    /// Answers access tokens with this closure, which is given the resource as well.
    #[must_use]
    pub fn with_access_token<F, Answer>(mut self, ask: F) -> Self
    where
        F: Fn(Scope, String) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<Option<AccessToken>>> + Send + 'static,
    {
        self.access_token = Some(Arc::new(move |scope, resource| {
            Box::pin(ask(scope, resource))
        }));
        self
    }
}

impl fmt::Debug for ClosureCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosureCredentials")
            .field("client_id", &self.client_id.is_some())
            .field("client_secret", &self.client_secret.is_some())
            .field("redirect_url", &self.redirect_url.is_some())
            .field("certificate", &self.certificate.is_some())
            .field("password", &self.password.is_some())
            .field("access_token", &self.access_token.is_some())
            .finish()
    }
}

#[async_trait]
impl CredentialProvider for ClosureCredentials {
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        answer(self.client_id.as_ref(), scope).await
    }

    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        answer(self.client_secret.as_ref(), scope).await
    }

    async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>> {
        answer(self.redirect_url.as_ref(), scope).await
    }

    async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>> {
        answer(self.certificate.as_ref(), scope).await
    }

    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        answer(self.password.as_ref(), scope).await
    }

    async fn access_token(&self, scope: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        match &self.access_token {
            Some(ask) => ask(scope.clone(), resource.to_owned()).await,
            None => Ok(None),
        }
    }
}
