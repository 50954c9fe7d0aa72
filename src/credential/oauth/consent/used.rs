//! Which states were used: a consent that was carried as text could be handed back twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::{OPERATION, PendingConsent};
use crate::error::{Error, Result, codes};

/// The states that were used and have not ended yet, as hashes. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct UsedStates(Arc<Mutex<BTreeMap<[u8; 32], Timestamp>>>);

impl UsedStates {
    /// Uses a state, once.
    ///
    /// # Errors
    ///
    /// `Protocol` (`oauth.state_mismatch`) where it was used.
    pub(super) fn take(&self, pending: &PendingConsent, now: Timestamp) -> Result<()> {
        let hash = blake3::hash(pending.state.expose_secret().as_bytes());
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, ends| now < *ends);
        match used.insert(*hash.as_bytes(), pending.expires_at) {
            None => Ok(()),
            Some(_) => Err(Error::new(&codes::OAUTH_STATE_MISMATCH, OPERATION)),
        }
    }
    /// A consent whose code was shown to nobody may be finished after all.
    pub(super) fn give_back(&self, pending: &PendingConsent) {
        let hash = blake3::hash(pending.state.expose_secret().as_bytes());
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.remove(hash.as_bytes());
    }
}
