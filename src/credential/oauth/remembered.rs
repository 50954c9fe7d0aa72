//! Refresh tokens in memory: for tests, and for hosts that sign in anew after a restart.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::credential::{RefreshTokenStore, StoredRefreshToken};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;

/// Keeps the refresh token of each scope in memory. `Debug` shows none.
#[derive(Default)]
pub struct MemoryRefreshTokens {
    stored: Mutex<BTreeMap<Scope, StoredRefreshToken>>,
}

impl MemoryRefreshTokens {
    /// A store without a token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the token of a scope, as its first version.
    #[must_use]
    pub fn with_refresh_token(self, scope: Scope, token: impl Into<SecretString>) -> Self {
        self.stored
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(scope, StoredRefreshToken::new(token, 1));
        self
    }
}

impl fmt::Debug for MemoryRefreshTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRefreshTokens")
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl RefreshTokenStore for MemoryRefreshTokens {
    async fn load_refresh_token(&self, scope: &Scope) -> Result<Option<StoredRefreshToken>> {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(stored.get(scope).cloned())
    }

    async fn save_refresh_token(
        &self,
        scope: &Scope,
        token: &SecretString,
        expected_version: u64,
    ) -> Result<u64> {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let version = stored.get(scope).map_or(0, |stored| stored.version);
        if version != expected_version {
            return Err(Error::new(&codes::SECRET_VERSION, "save_refresh_token"));
        }
        let next = version.saturating_add(1);
        stored.insert(scope.clone(), StoredRefreshToken::new(token.clone(), next));
        Ok(next)
    }

    async fn hold_refresh_token(
        &self,
        scope: &Scope,
        expected_version: u64,
        until: Timestamp,
    ) -> Result<u64> {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = stored.get_mut(scope);
        let stored = stored.filter(|stored| stored.version == expected_version);
        let stored =
            stored.ok_or_else(|| Error::new(&codes::SECRET_VERSION, "hold_refresh_token"))?;
        stored.version = stored.version.saturating_add(1);
        stored.held_until = Some(until);
        Ok(stored.version)
    }

    async fn erase_refresh_token(&self, scope: &Scope, expected_version: u64) -> Result<()> {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        match stored.get(scope).map(|stored| stored.version) {
            None => Ok(()),
            Some(version) if version == expected_version => {
                stored.remove(scope);
                Ok(())
            }
            Some(_) => Err(Error::new(&codes::SECRET_VERSION, "erase_refresh_token")),
        }
    }
}
