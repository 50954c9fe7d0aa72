//! Signing in as an application: OAuth 2.0 client credentials (RFC 6749, 4.4).
//!
//! Owns the token: it is got once for all that wait, kept until shortly before its end, and forgotten when it is refused.
//! Consent and refresh tokens are not here.

mod adapter;
mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{AuthType, ClientId, ClientSecret, RequestTokenError, TokenResponse, TokenUrl};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::{AccessToken, CredentialProvider};
use crate::error::{Error, Result, codes};
use crate::http::TokenSource;
use crate::scope::Scope;

use adapter::TokenClient;
pub use builder::AppSignInBuilder;

const OPERATION: &str = "AppSignIn";

/// How long before its end a token is renewed, at most; a token that lives shortly, after nine tenths of its life.
const EARLY: Duration = Duration::from_mins(5);

/// Signs in as an application, with the client id and secret that a provider supplies.
///
/// The provider is asked at each acquisition, and its answer is not kept. `Debug` shows no secret.
pub struct AppSignIn {
    provider: Arc<dyn CredentialProvider>,
    scope: Scope,
    token_scope: String,
    client: TokenClient,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: AccessToken,
    renew_at: Timestamp,
}

impl AppSignIn {
    /// Starts to describe a sign-in at a token endpoint.
    pub fn builder(
        token_url: impl Into<String>,
        provider: Arc<dyn CredentialProvider>,
    ) -> AppSignInBuilder {
        AppSignInBuilder::new(token_url.into(), provider)
    }

    /// Starts to describe a sign-in at Microsoft's identity platform, for a tenant id or one of its domains.
    pub fn microsoft(tenant: &str, provider: Arc<dyn CredentialProvider>) -> AppSignInBuilder {
        AppSignInBuilder::microsoft(tenant, provider)
    }

    async fn acquire(&self) -> Result<Kept> {
        let missing =
            |detail| Error::new(&codes::CREDENTIAL_MISSING, OPERATION).with_detail(detail);
        let id = self.provider.client_id(&self.scope).await?;
        let id = id
            .filter(|id| !id.is_empty())
            .ok_or_else(|| missing("client id"))?;
        let secret = self.provider.client_secret(&self.scope).await?;
        let secret = secret.filter(|secret| !secret.expose_secret().is_empty());
        let secret = secret.ok_or_else(|| missing("client secret"))?;
        let response = self.exchange(id, &secret).await?;
        Ok(self.keep(&response))
    }

    async fn exchange(&self, id: String, secret: &SecretString) -> Result<BasicTokenResponse> {
        let endpoint = TokenUrl::from_url(self.client.token_url.as_url().clone());
        let client = BasicClient::new(ClientId::new(id))
            .set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(endpoint);
        let exchange = client
            .exchange_client_credentials()
            .add_scope(oauth2::Scope::new(self.token_scope.clone()))
            .request_async(&self.client);
        exchange.await.map_err(sign_in_error)
    }

    fn keep(&self, response: &BasicTokenResponse) -> Kept {
        let lifetime = response.expires_in().unwrap_or_default();
        let now = self.client.clock.now();
        let after = |wait: Duration| {
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            now.saturating_add(wait).unwrap_or(Timestamp::MAX)
        };
        let token = SecretString::from(response.access_token().secret().as_str());
        let expires_at = response.expires_in().map(after);
        Kept {
            token: AccessToken::new(token, expires_at),
            renew_at: after(lifetime.saturating_sub(EARLY.min(lifetime / 10))),
        }
    }
}

#[async_trait]
impl TokenSource for AppSignIn {
    async fn token(&self) -> Result<AccessToken> {
        // Held over the acquisition: whoever comes meanwhile waits for the same token.
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept
            .as_ref()
            .filter(|kept| self.client.clock.now() < kept.renew_at)
        {
            return Ok(kept.token.clone());
        }
        let fresh = self.acquire().await?;
        let token = fresh.token.clone();
        *kept = Some(fresh);
        Ok(token)
    }

    async fn invalidate(&self, refused: &str) {
        let mut kept = self.kept.lock().await;
        if kept
            .as_ref()
            .is_some_and(|kept| kept.token.token.expose_secret() == refused)
        {
            *kept = None;
        }
    }
}

impl fmt::Debug for AppSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppSignIn")
            .field("token_scope", &self.token_scope)
            .finish_non_exhaustive()
    }
}

/// The service's error code and its number, never its description: that may name people and applications.
fn sign_in_error(error: RequestTokenError<Error, BasicErrorResponse>) -> Error {
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            let mut detail = refusal.error().to_string();
            detail.retain(|c| c.is_ascii_alphanumeric() || c == '_');
            detail.truncate(60);
            let number = refusal.error_description().and_then(|text| number_of(text));
            let detail = number.map_or(detail.clone(), |number| format!("{detail} {number}"));
            Error::new(&codes::OAUTH_TOKEN_REFUSED, OPERATION).with_detail(detail)
        }
        RequestTokenError::Request(error) => error,
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Error::new(&codes::OAUTH_TOKEN_INVALID, OPERATION)
        }
    }
}

/// Microsoft's number of the refusal, such as `AADSTS7000215`.
fn number_of(description: &str) -> Option<String> {
    let start = description.find("AADSTS")?;
    let text = description.get(start..)?;
    let length = text
        .bytes()
        .take(16)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    text.get(..length).map(str::to_owned)
}
