//! Keys that live as long as the process, for tests and for hosts that get theirs from elsewhere.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::key_provider::{KeyProvider, RecordKey};
use super::key_ring::{HeldKey, find};
use crate::error::{Error, Result, codes};

/// Keys in memory, the newest current. What they wrap cannot be opened without them: they end with this value unless the
/// host keeps the bytes that it gave.
///
/// `Debug` shows the ids alone.
#[derive(Default)]
pub struct MemoryKeys {
    keys: Mutex<Vec<HeldKey>>,
}

impl MemoryKeys {
    /// No key yet; the first is drawn when it is needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key of the host's own 32 random bytes and makes it current. Its id follows from it.
    #[must_use]
    pub fn with_key(self, bytes: &[u8; 32]) -> Self {
        let key = HeldKey::new(RecordKey::new(bytes));
        self.keys().push(key);
        self
    }

    /// Draws a key and makes it current; answers its id.
    ///
    /// # Errors
    ///
    /// `Unavailable` (`secret.key_provider`) where the system has no randomness.
    pub fn add_key(&self) -> Result<String> {
        let key = HeldKey::random("add_key")?;
        let id = key.id.clone();
        self.keys().push(key);
        Ok(id)
    }

    fn keys(&self) -> MutexGuard<'_, Vec<HeldKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        let ids: Vec<_> = keys.iter().map(|key| &key.id).collect();
        f.debug_struct("MemoryKeys").field("ids", &ids).finish()
    }
}

#[async_trait]
impl KeyProvider for MemoryKeys {
    async fn current_key_id(&self) -> Result<String> {
        let mut keys = self.keys();
        if keys.is_empty() {
            keys.push(HeldKey::random("current_key_id")?);
        }
        let current = keys.last().map(|key| key.id.clone());
        current.ok_or_else(|| Error::new(&codes::INTERNAL, "current_key_id"))
    }

    async fn wrap_key(&self, key_id: &str, key: &RecordKey, context: &[u8]) -> Result<Vec<u8>> {
        find(&*self.keys(), key_id, "wrap_key")?.wrap(key, context)
    }

    async fn unwrap_key(&self, key_id: &str, wrapped: &[u8], context: &[u8]) -> Result<RecordKey> {
        find(&*self.keys(), key_id, "unwrap_key")?.unwrap(wrapped, context)
    }

    async fn retire_unused_keys(&self, in_use: &BTreeSet<String>) -> Result<Vec<String>> {
        let mut keys = self.keys();
        let current = keys.last().map(|key| key.id.clone());
        let mut retired = Vec::new();
        keys.retain(|key| {
            let stays = in_use.contains(&key.id) || Some(&key.id) == current.as_ref();
            if !stays {
                retired.push(key.id.clone());
            }
            stays
        });
        Ok(retired)
    }
}
