//! Keys that this process holds, under ids that follow from them. Knows no file.

use std::fmt::Write as _;

use super::cipher::{self, KEY, NONCE};
use super::key_provider::RecordKey;
use crate::error::{Error, Result, codes};

/// Sets the ids apart from every other use of the hash.
const ID_CONTEXT: &str = "email-logging 2026 id of a key that wraps the keys of records";

/// A key of the host's, with its id.
pub(super) struct HeldKey {
    pub(super) id: String,
    key: RecordKey,
}

impl HeldKey {
    /// A key that was just drawn.
    pub(super) fn random(operation: &'static str) -> Result<Self> {
        Ok(Self::new(RecordKey::random(operation)?))
    }

    /// A key with the id that follows from it: the same id is always the same key.
    pub(super) fn new(key: RecordKey) -> Self {
        let hash = blake3::derive_key(ID_CONTEXT, key.as_bytes());
        let mut id = String::with_capacity(16);
        for byte in hash.iter().take(8) {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self { id, key }
    }

    pub(super) fn as_bytes(&self) -> &[u8; KEY] {
        self.key.as_bytes()
    }

    /// Nonce and sealed key, one behind the other.
    pub(super) fn wrap(&self, key: &RecordKey, context: &[u8]) -> Result<Vec<u8>> {
        let sealed = cipher::seal(self.as_bytes(), context, key.as_bytes(), "wrap_key")?;
        Ok([&sealed.nonce[..], &sealed.text].concat())
    }

    pub(super) fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<RecordKey> {
        let damaged = || Error::new(&codes::SECRET_DAMAGED, "unwrap_key");
        let (nonce, sealed) = wrapped.split_at_checked(NONCE).ok_or_else(damaged)?;
        let key = cipher::open(self.as_bytes(), context, nonce, sealed).ok_or_else(damaged)?;
        let key: &[u8; KEY] = key.as_slice().try_into().map_err(|_| damaged())?;
        Ok(RecordKey::new(key))
    }
}

/// The key of an id.
pub(super) fn find<'a>(
    keys: impl IntoIterator<Item = &'a HeldKey>,
    id: &str,
    operation: &'static str,
) -> Result<&'a HeldKey> {
    let wrong = || Error::new(&codes::SECRET_WRONG_KEY, operation);
    let mut keys = keys.into_iter();
    keys.find(|key| key.id == id).ok_or_else(wrong)
}
