//! The refresh token in the store, and the newer one that is not stored yet.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::credential::{RefreshTokenStore, StoredRefreshToken};
use crate::error::{ErrorKind, Result};
use crate::scope::Scope;

/// Keeps a refresh token that the identity service handed out until the store has it: the old one may be of no use any more.
#[derive(Debug)]
pub(super) struct Rotation {
    store: Arc<dyn RefreshTokenStore>,
    scope: Scope,
    left: Mutex<Option<Left>>,
}

#[derive(Debug, Clone)]
struct Left {
    token: SecretString,
    expected_version: u64,
}

/// Whose token is stored now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saved {
    /// The newest that is known here.
    Own,
    /// That of another worker.
    ByAnother,
}

impl Rotation {
    pub(super) fn new(store: Arc<dyn RefreshTokenStore>, scope: Scope) -> Self {
        Self {
            store,
            scope,
            left: Mutex::default(),
        }
    }

    /// What is stored.
    pub(super) async fn load(&self) -> Result<Option<StoredRefreshToken>> {
        self.store.load_refresh_token(&self.scope).await
    }

    /// Takes a token that is to be stored over the one of this version.
    pub(super) fn put(&self, token: SecretString, expected_version: u64) {
        *self.left() = Some(Left {
            token,
            expected_version,
        });
    }

    /// Stores what is not stored yet. After an error it is still left, and stored by the next call.
    pub(super) async fn save_what_is_left(&self) -> Result<Saved> {
        let Some(left) = self.left().clone() else {
            return Ok(Saved::Own);
        };
        let (token, version) = (&left.token, left.expected_version);
        let saved = self
            .store
            .save_refresh_token(&self.scope, token, version)
            .await;
        let saved = match saved {
            Ok(_) => Saved::Own,
            Err(error) if error.kind() == ErrorKind::Conflict => self.met(&left).await?,
            Err(error) => return Err(error),
        };
        *self.left() = None;
        Ok(saved)
    }

    /// A conflict is none where an earlier attempt had stored this token and only its answer was lost.
    async fn met(&self, left: &Left) -> Result<Saved> {
        let stored = self.load().await?;
        let is_own =
            |stored: StoredRefreshToken| stored.token.expose_secret() == left.token.expose_secret();
        Ok(if stored.is_some_and(is_own) {
            Saved::Own
        } else {
            Saved::ByAnother
        })
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Option<Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
