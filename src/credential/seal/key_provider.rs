//! The host's keys: what wraps the keys of records. A provider never sees a secret.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretBox};

use super::cipher::{KEY, fill};
use crate::error::Result;
use crate::forward::forward;

/// Wraps the keys of records with a key that the host holds: in a key management service, in a hardware module, in the
/// system's key ring, or in a [`KeyFile`](super::KeyFile).
///
/// A key has an id that no other key ever gets. A new key becomes the current one; those before it stay, for what they
/// wrapped, until [`retire_unused_keys`](Self::retire_unused_keys). `testkit::conformance::keys` checks a provider.
#[async_trait]
pub trait KeyProvider: Debug + Send + Sync + 'static {
    /// The id of the key that wraps from now on, at most 200 characters. It is asked at each sealing, so that a new key
    /// counts at once.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from answering.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    async fn current_key_id(&self) -> Result<String>;

    /// Wraps the key of a record with the key of this id, and binds it to a context.
    ///
    /// The context says which format, tenant, company, secret and key it is for. A service that takes associated data or
    /// an encryption context is given it; one that does not may leave it out: the record itself is bound to it as well.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from answering.
    ///
    /// # Cancel safety
    ///
    /// Changes nothing.
    async fn wrap_key(&self, key_id: &str, key: &RecordKey, context: &[u8]) -> Result<Vec<u8>>;

    /// Unwraps the key of a record.
    ///
    /// # Errors
    ///
    /// `Config` (`secret.wrong_key`) where the key of this id is not at hand; `StoreUnavailable` (`secret.damaged`) where
    /// what was wrapped, or its context, is another; whatever kept the provider from answering.
    ///
    /// # Cancel safety
    ///
    /// Changes nothing.
    async fn unwrap_key(&self, key_id: &str, wrapped: &[u8], context: &[u8]) -> Result<RecordKey>;

    /// Destroys the keys that are neither current nor among these ids, and answers the ids of those that it destroyed.
    /// Without it the host retires its keys itself.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from doing it; some keys may be destroyed then.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    async fn retire_unused_keys(&self, in_use: &BTreeSet<String>) -> Result<Vec<String>> {
        let _ = in_use;
        Ok(Vec::new())
    }
}

forward! {
    KeyProvider {
        async fn current_key_id(&self) -> Result<String>;
        async fn wrap_key(
            &self,
            key_id: &str,
            key: &RecordKey,
            context: &[u8],
        ) -> Result<Vec<u8>>;
        async fn unwrap_key(
            &self,
            key_id: &str,
            wrapped: &[u8],
            context: &[u8],
        ) -> Result<RecordKey>;
        async fn retire_unused_keys(&self, in_use: &BTreeSet<String>) -> Result<Vec<String>>;
    }
}

/// The key of one record: 32 bytes that seal one secret once. It overwrites itself when it is dropped; `Debug` shows nothing.
pub struct RecordKey(SecretBox<[u8; KEY]>);

impl RecordKey {
    /// A key of these bytes, as a provider unwrapped them.
    pub fn new(bytes: &[u8; KEY]) -> Self {
        Self(SecretBox::init_with_mut(|key: &mut [u8; KEY]| {
            key.copy_from_slice(bytes);
        }))
    }

    /// The bytes, to be wrapped.
    pub fn as_bytes(&self) -> &[u8; KEY] {
        self.0.expose_secret()
    }

    /// A key that was just drawn.
    pub(super) fn random(operation: &'static str) -> Result<Self> {
        let mut filled = Ok(());
        let key = SecretBox::init_with_mut(|key: &mut [u8; KEY]| filled = fill(key, operation));
        filled.map(|()| Self(key))
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKey([redacted])")
    }
}
