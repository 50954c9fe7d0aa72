//! Where the refresh token of a delegated sign-in is kept.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::error::{Error, Result, codes};
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

    /// Marks the stored token as being refreshed until this time ([`StoredRefreshToken::held_until`]), if it still has the
    /// expected version. Answers the new version, with which the token is saved; saving one takes the mark away.
    ///
    /// An identity service that hands out a new token with every refresh may take a second use of the old one for theft and
    /// revoke the grant, so that of several processes one has to refresh at a time. A store that several share keeps the
    /// mark; the default keeps none and answers the expected version.
    ///
    /// # Errors
    ///
    /// As [`save_refresh_token`](Self::save_refresh_token).
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: the mark may stand until its time.
    async fn hold_refresh_token(
        &self,
        scope: &Scope,
        expected_version: u64,
        until: Timestamp,
    ) -> Result<u64> {
        let _ = (scope, until);
        Ok(expected_version)
    }

    /// Erases the stored token if it still has the expected version: the set-up that it was meant for was cleared or changed
    /// while it was being stored.
    ///
    /// # Errors
    ///
    /// `Conflict` (`secret.version`) where another worker stored one meanwhile, which stays. The default erases nothing and
    /// says so: `Config` (`config.missing`).
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    async fn erase_refresh_token(&self, scope: &Scope, expected_version: u64) -> Result<()> {
        let _ = (scope, expected_version);
        let error = Error::new(&codes::CONFIG_MISSING, "erase_refresh_token");
        Err(error.with_detail("this store of refresh tokens erases none"))
    }
}

/// A refresh token as it is kept. `Debug` shows no token.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoredRefreshToken {
    /// The token.
    pub token: SecretString,
    /// Its version, from 1.
    pub version: u64,
    /// Until when another worker refreshes it, where one does; nobody else may use it before.
    pub held_until: Option<Timestamp>,
}

impl StoredRefreshToken {
    /// A token with its version.
    pub fn new(token: impl Into<SecretString>, version: u64) -> Self {
        Self {
            token: token.into(),
            version,
            held_until: None,
        }
    }

    /// The same, with the mark of a worker that refreshes it.
    #[must_use]
    pub fn with_hold(mut self, until: Option<Timestamp>) -> Self {
        self.held_until = until;
        self
    }
}
