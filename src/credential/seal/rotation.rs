//! A new key of the host's: every secret is sealed anew, and only then the old key may go.

use std::collections::BTreeSet;

use super::envelope::{self, Place};
use super::secrets::SealedSecrets;
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::store::SecretName;

/// How often a secret is sealed anew because somebody else wrote it meanwhile.
const ROUNDS: u32 = 16;

/// What a rotation did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Rotation {
    /// Secrets that were sealed anew.
    pub sealed_anew: u64,
    /// Secrets that could not be opened and stay as they are; so does the key that they name.
    pub unreadable: Vec<UnreadableSecret>,
}

/// A secret that a rotation could not open.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnreadableSecret {
    /// Whose secret it is.
    pub scope: Scope,
    /// Which secret.
    pub name: SecretName,
    /// Why: `secret.wrong_key` or `secret.damaged`.
    pub error: Error,
}

impl SealedSecrets {
    /// Seals every secret of every scope that another key wraps anew, under the current one. Run it after the key provider
    /// has a new key; the old one stays until [`retire_unused_keys`](Self::retire_unused_keys).
    ///
    /// Each secret is replaced in one step, so that a crash at any point leaves every secret readable; run it again then.
    /// The record gets a key of its own again: who had the old key opens nothing that is stored after this. Versions of
    /// values do not change, and a writer that meets it begins anew and loses nothing.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`; what the key provider answered. A secret that cannot be opened is no error here but a line of the
    /// answer.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    pub async fn rotate(&self) -> Result<Rotation> {
        let mut rotation = Rotation::default();
        for place in self.store.list_secrets().await? {
            match self.seal_anew(&place.scope, place.name).await {
                Ok(done) => rotation.sealed_anew += u64::from(done),
                Err(error) if is_unreadable(&error) => {
                    rotation.unreadable.push(UnreadableSecret {
                        scope: place.scope,
                        name: place.name,
                        error,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(rotation)
    }

    /// Has the key provider destroy the keys that wrap no stored secret and are not current; answers their ids.
    ///
    /// A back-up of the store that is older than the rotation cannot be opened without them. Where several processes share
    /// the store, call it once every write that began before the new key was made has ended.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`; what the key provider answered.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    pub async fn retire_unused_keys(&self) -> Result<Vec<String>> {
        let places = self.store.list_secrets().await?;
        let in_use: BTreeSet<_> = places.into_iter().map(|place| place.key_id).collect();
        self.keys.retire_unused_keys(&in_use).await
    }

    /// Whether a secret was sealed anew; not where the current key wraps it, or where it is gone.
    async fn seal_anew(&self, scope: &Scope, name: SecretName) -> Result<bool> {
        let (keys, place) = (self.keys.as_ref(), Place { scope, name });
        for _ in 0..ROUNDS {
            let Some(stored) = self.store.load_secret(scope, name).await? else {
                return Ok(false);
            };
            if stored.sealed.key_id == keys.current_key_id().await? {
                return Ok(false);
            }
            let value = envelope::open(keys, place, &stored.sealed).await?;
            let version = envelope::value_version(&stored);
            let sealed = envelope::seal(keys, place, &value, version).await?;
            let done = self.store_over(scope, name, &sealed, stored.version);
            if done.await?.is_some() {
                return Ok(true);
            }
        }
        Err(Error::new(&codes::SECRET_VERSION, "rotate"))
    }
}

fn is_unreadable(error: &Error) -> bool {
    [&codes::SECRET_WRONG_KEY, &codes::SECRET_DAMAGED]
        .iter()
        .any(|code| code.code == error.code())
}
