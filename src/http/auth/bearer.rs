//! Bearer tokens (RFC 6750).

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::Authenticator;
use crate::credential::AccessToken;
use crate::error::{Error, Result, codes};

/// Gives access tokens and forgets one that was refused.
#[async_trait]
pub(crate) trait TokenSource: Debug + Send + Sync {
    /// A token that is valid now.
    async fn token(&self) -> Result<AccessToken>;

    /// Forgets the token that is kept, if it is this one: another call may have got a new one meanwhile.
    async fn invalidate(&self, refused: &str);
}

/// Signs in with tokens.
#[derive(Debug)]
pub(crate) struct Bearer(Arc<dyn TokenSource>);

impl Bearer {
    /// Bearer with the tokens of this source.
    pub(crate) fn new(source: Arc<dyn TokenSource>) -> Self {
        Self(source)
    }
}

#[async_trait]
impl Authenticator for Bearer {
    async fn authorize(&self) -> Result<HeaderValue> {
        let token = self.0.token().await?;
        let text = Zeroizing::new(["Bearer ", token.token.expose_secret()].concat());
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| Error::new(&codes::OAUTH_TOKEN_INVALID, "Bearer"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn challenge(&self, refused: &HeaderValue) -> bool {
        let text = refused.to_str().unwrap_or_default();
        self.0
            .invalidate(text.strip_prefix("Bearer ").unwrap_or_default())
            .await;
        true
    }
}
