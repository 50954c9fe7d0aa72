//! Signing in as an application: OAuth 2.0 client credentials (RFC 6749, 4.4).

mod builder;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::cache::{Acquire, Acquired, TokenCache};
use super::client::Asked;
use super::exchange::{Grant, TokenEndpoint};
use super::service::{IdentityService, MicrosoftCloud};
use crate::credential::{AccessToken, CredentialProvider};
use crate::error::Result;
use crate::http::TokenSource;
use crate::setup::SignedIn;

pub use builder::AppSignInBuilder;

const OPERATION: &str = "AppSignIn";

/// Signs in as an application, with the client id and the certificate or secret that a provider supplies.
///
/// The provider is asked at each acquisition, and its answer is not kept, so that a rotated secret works without a restart.
/// A certificate comes before a secret: the application then signs an assertion (RFC 7523) and no secret leaves the process.
/// The token is renewed 5 minutes before its end, and once for all that wait. Cloning is cheap and shares the token.
/// `Debug` shows no secret.
#[derive(Clone)]
pub struct AppSignIn {
    tokens: Arc<TokenCache>,
}

impl AppSignIn {
    /// Starts to describe a sign-in at a token endpoint, of which nothing else is known.
    pub fn builder(
        token_url: impl Into<String>,
        provider: Arc<dyn CredentialProvider>,
    ) -> AppSignInBuilder {
        let service = IdentityService::at_token_endpoint(token_url.into());
        AppSignInBuilder::new(service, provider)
    }

    /// Starts to describe a sign-in at Microsoft's identity platform, worldwide, for a tenant id or one of its domains.
    pub fn microsoft(tenant: &str, provider: Arc<dyn CredentialProvider>) -> AppSignInBuilder {
        let service = IdentityService::microsoft(MicrosoftCloud::Worldwide, tenant);
        AppSignInBuilder::new(service, provider)
    }

    /// Starts to describe a sign-in at any identity service.
    pub fn at(service: IdentityService, provider: Arc<dyn CredentialProvider>) -> AppSignInBuilder {
        AppSignInBuilder::new(service, provider)
    }

    /// Signs in anew and says what came of it: what validation shows. The token is kept for the job.
    ///
    /// # Errors
    ///
    /// `Config` (`credential.missing`, `oauth.certificate_*` and what is wrong in the registration), `Unauthenticated`,
    /// `PermissionDenied`, `Blocked`, and what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// A request under way is kept, and the next call goes on with it.
    pub async fn sign_in(&self) -> Result<SignedIn> {
        let acquired = self.tokens.renew().await?;
        Ok(acquired.signed_in())
    }
}

#[async_trait]
impl TokenSource for AppSignIn {
    async fn token(&self) -> Result<AccessToken> {
        self.tokens.token().await
    }

    async fn invalidate(&self, refused: &str) {
        self.tokens.invalidate(refused).await;
    }
}

impl fmt::Debug for AppSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppSignIn").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct AppGrant {
    endpoint: TokenEndpoint,
    asked: Asked,
}

#[async_trait]
impl Acquire for AppGrant {
    async fn acquire(&self) -> Result<Acquired> {
        let client = self.asked.confidential_client().await?;
        let granted = self.endpoint.ask(&client, Grant::Application).await?;
        self.endpoint.check(&granted)?;
        Ok(granted.acquired(client.ends()))
    }
}
