//! Secrets of a scope, by name: sealed before they reach the store, opened after they left it.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::envelope::{self, LIMIT, Place};
use super::key_provider::KeyProvider;
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::store::{SealedSecret, SecretName, SecretStore};

/// How often a write begins anew because somebody else wrote the same secret.
const ROUNDS: u32 = 16;

/// The secrets of every scope: the store keeps envelopes, the key provider wraps their keys, and only here both meet.
///
/// Each write draws a key and a nonce of its own (AES-256-GCM-SIV, RFC 8452). An envelope opens only in the tenant, the
/// company and under the name that it was sealed for; what was changed or swapped is an error, and never *not stored*.
///
/// Nothing is kept between two calls. Keys and secrets are overwritten when they are dropped; `Debug` shows neither.
#[derive(Clone)]
pub struct SealedSecrets {
    pub(super) store: Arc<dyn SecretStore>,
    pub(super) keys: Arc<dyn KeyProvider>,
}

impl fmt::Debug for SealedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSecrets")
            .field("store", &self.store)
            .field("keys", &self.keys)
            .finish()
    }
}

/// A secret that was opened. `Debug` shows the version alone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OpenedSecret {
    /// The secret.
    pub value: SecretString,
    /// The version of the value, from 1. Sealing it anew does not change it, and no other value of this name ever has it.
    pub version: u64,
}

impl SealedSecrets {
    /// Secrets in a store, under a host's keys.
    pub fn new(store: Arc<dyn SecretStore>, keys: Arc<dyn KeyProvider>) -> Self {
        Self { store, keys }
    }

    /// Whether a secret is stored. It is not opened.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn is_stored(&self, scope: &Scope, name: SecretName) -> Result<bool> {
        Ok(self.store.load_secret(scope, name).await?.is_some())
    }

    /// Opens a secret, if one is stored.
    ///
    /// # Errors
    ///
    /// `Config` (`secret.wrong_key`): the key that sealed it is not at hand. `StoreUnavailable` (`secret.damaged`): a byte of
    /// it was changed, or it was sealed for another place. `StoreUnavailable` of the store; what the key provider answered.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn load(&self, scope: &Scope, name: SecretName) -> Result<Option<OpenedSecret>> {
        let Some(stored) = self.store.load_secret(scope, name).await? else {
            return Ok(None);
        };
        let value = envelope::open(self.keys.as_ref(), Place { scope, name }, &stored.sealed);
        Ok(Some(OpenedSecret {
            value: envelope::text(&value.await?, name)?,
            version: envelope::value_version(&stored),
        }))
    }

    /// Stores a secret, whatever is stored; an empty one erases it. The last writer counts. It works as well where the
    /// stored one cannot be opened any more.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save); `Conflict` only where others stored it again and again meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    pub async fn put(&self, scope: &Scope, name: SecretName, value: &SecretString) -> Result<()> {
        if value.expose_secret().is_empty() {
            return self.erase(scope, &[name]).await;
        }
        self.write(scope, name, value, None).await.map(drop)
    }

    /// Stores a secret if the value that is stored still has the expected version; 0 where none is stored. Answers the new
    /// version. A value that was meanwhile only sealed anew is the same value.
    ///
    /// # Errors
    ///
    /// `Conflict` (`secret.version`) where another value was stored meanwhile. `Config` (`config.invalid`): it has more than
    /// 64 KiB. `StoreUnavailable`; what the key provider answered.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: load it again.
    pub async fn save(
        &self,
        scope: &Scope,
        name: SecretName,
        value: &SecretString,
        expected_version: u64,
    ) -> Result<u64> {
        self.write(scope, name, value, Some(expected_version)).await
    }

    /// Erases secrets, so that no byte of their envelopes is left in the store.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`: they may be there still; repeat it.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    pub async fn erase(&self, scope: &Scope, names: &[SecretName]) -> Result<()> {
        self.store.erase_secrets(scope, names).await
    }

    async fn write(
        &self,
        scope: &Scope,
        name: SecretName,
        value: &SecretString,
        expected: Option<u64>,
    ) -> Result<u64> {
        let value = value.expose_secret().as_bytes();
        if value.len() > LIMIT {
            let large = Error::new(&codes::CONFIG_INVALID, "save secret");
            return Err(large.with_detail("a secret has at most 64 KiB"));
        }
        for _ in 0..ROUNDS {
            // The version before the key: who seals with a key that was retired meanwhile meets the version that the
            // rotation left, and begins anew.
            let stored = self.store.load_secret(scope, name).await?;
            let found = stored.as_ref().map_or(0, envelope::value_version);
            if expected.is_some_and(|expected| expected != found) {
                break;
            }
            let over = stored.map_or(0, |stored| stored.version);
            let sealed = envelope::seal(self.keys.as_ref(), Place { scope, name }, value, 0);
            if let Some(version) = self.store_over(scope, name, &sealed.await?, over).await? {
                return Ok(version);
            }
        }
        Err(Error::new(&codes::SECRET_VERSION, "save secret"))
    }

    /// Stores an envelope; `None` where another one was stored meanwhile.
    pub(super) async fn store_over(
        &self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        over: u64,
    ) -> Result<Option<u64>> {
        match self.store.save_secret(scope, name, sealed, over).await {
            Ok(version) => Ok(Some(version)),
            Err(error) if error.code() == codes::SECRET_VERSION.code => Ok(None),
            Err(error) => Err(error),
        }
    }
}
