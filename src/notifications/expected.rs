//! The subscriptions that notifications are expected of, and what came for each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use crate::source::Wakeup;

/// What a notification says, as far as it is believed. The first of them is told first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChangeNotice {
    /// Graph has ended the subscription: it needs another one.
    SubscriptionRemoved,
    /// The subscription ends soon unless it is renewed with a token that is good.
    ReauthorizationRequired,
    /// Notifications were lost: mail may have arrived.
    Missed,
    /// Mail may have arrived.
    MailArrived,
}

impl ChangeNotice {
    /// Whether mail may have arrived.
    pub fn is_hint(self) -> bool {
        matches!(self, Self::Missed | Self::MailArrived)
    }
}

/// All subscriptions of one receiver, by id.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<BTreeMap<String, Arc<Slot>>>);

/// What came for one subscription. Doubles are one, so that it is bounded.
struct Slot {
    client_state: blake3::Hash,
    came: Mutex<BTreeSet<ChangeNotice>>,
    more: Notify,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

impl Registry {
    fn slots(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Slot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a notice to its subscription. Answers whether there is one with this client state.
    pub(super) fn tell(&self, id: &str, client_state: &str, notice: ChangeNotice) -> bool {
        let slot = self.slots().get(id).map(Arc::clone);
        // Digests are compared in constant time, and say nothing about the length.
        let given = blake3::hash(client_state.as_bytes());
        let Some(slot) = slot.filter(|slot| slot.client_state == given) else {
            return false;
        };
        slot.came().insert(notice);
        slot.more.notify_one();
        true
    }
}

impl Slot {
    fn came(&self) -> MutexGuard<'_, BTreeSet<ChangeNotice>> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A subscription whose notifications are taken, until it is dropped.
///
/// As a [`Wakeup`] it tells the hints and passes over the rest.
#[derive(Debug)]
pub struct Expected {
    registry: Arc<Registry>,
    id: String,
    slot: Arc<Slot>,
}

impl Expected {
    pub(super) fn new(registry: &Arc<Registry>, id: &str, client_state: &SecretString) -> Self {
        let slot = Arc::new(Slot {
            client_state: blake3::hash(client_state.expose_secret().as_bytes()),
            came: Mutex::default(),
            more: Notify::new(),
        });
        registry.slots().insert(id.to_owned(), Arc::clone(&slot));
        Self {
            registry: Arc::clone(registry),
            id: id.to_owned(),
            slot,
        }
    }

    /// Waits for the next notice.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a notice is told once, and not lost by a drop.
    pub async fn next(&self) -> ChangeNotice {
        loop {
            let first = self.slot.came().pop_first();
            if let Some(notice) = first {
                return notice;
            }
            self.slot.more.notified().await;
        }
    }
}

#[async_trait]
impl Wakeup for Expected {
    async fn wait(&self) {
        while !self.next().await.is_hint() {}
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        let mut slots = self.registry.slots();
        // Whoever expects the same subscription after this one keeps it.
        if slots
            .get(&self.id)
            .is_some_and(|slot| Arc::ptr_eq(slot, &self.slot))
        {
            slots.remove(&self.id);
        }
    }
}
