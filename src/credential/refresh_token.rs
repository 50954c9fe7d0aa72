//! Where the refresh token of a delegated sign-in is kept.

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::error::Result;
use crate::scope::Scope;

/// Keeps the refresh token of each scope. An identity service may hand out a new one with every access token; it is stored
/// here before the access token that came with it is used.
#[async_trait]
pub trait RefreshTokenStore: Debug + Send + Sync + 'static {
    /// The refresh token, if one is kept.
    ///
    /// # Errors
    ///
    /// Whatever kept the store from answering; never "none" instead.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn load_refresh_token(&self, scope: &Scope) -> Result<Option<StoredRefreshToken>>;

    /// Stores a refresh token if the stored one still has the expected version; 0 where none is stored. Answers the new
    /// version.
    ///
    /// # Errors
    ///
    /// `Conflict` (`secret.version`) where another worker stored one meanwhile: load it, and use that one.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: load it again.
    async fn save_refresh_token(
        &self,
        scope: &Scope,
        token: &SecretString,
        expected_version: u64,
    ) -> Result<u64>;
}

/// A refresh token as it is kept. `Debug` shows the version alone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoredRefreshToken {
    /// The token.
    pub token: SecretString,
    /// Its version, from 1.
    pub version: u64,
}

impl StoredRefreshToken {
    /// A token with its version.
    pub fn new(token: impl Into<SecretString>, version: u64) -> Self {
        Self {
            token: token.into(),
            version,
        }
    }
}
