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

/// All subscriptions of one receiver.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    by_id: BTreeMap<String, Arc<Slot>>,
    /// Of subscriptions that are being made, whose ids nobody knows yet.
    coming: Vec<Arc<Slot>>,
}

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
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a notice to its subscription, or to one that is being made. Answers whether there is one with this client state.
    pub(super) fn tell(&self, id: &str, client_state: &str, notice: ChangeNotice) -> bool {
        // Digests are compared in constant time, and say nothing about the length.
        let given = blake3::hash(client_state.as_bytes());
        let is_right = |slot: &&Arc<Slot>| slot.client_state == given;
        let slots = self.slots();
        let slot = match slots.by_id.get(id) {
            Some(slot) => Some(slot).filter(is_right),
            None => slots.coming.iter().find(is_right),
        };
        let Some(slot) = slot.map(Arc::clone) else {
            return false;
        };
        drop(slots);
        slot.came().insert(notice);
        slot.more.notify_one();
        true
    }
}

impl Slot {
    fn new(client_state: &SecretString) -> Arc<Self> {
        Arc::new(Self {
            client_state: blake3::hash(client_state.expose_secret().as_bytes()),
            came: Mutex::default(),
            more: Notify::new(),
        })
    }

    fn came(&self) -> MutexGuard<'_, BTreeSet<ChangeNotice>> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A subscription that is being made: what comes for it before its id is known is kept.
#[derive(Debug)]
pub(super) struct Coming {
    registry: Arc<Registry>,
    slot: Arc<Slot>,
}

impl Coming {
    pub(super) fn new(registry: &Arc<Registry>, client_state: &SecretString) -> Self {
        let slot = Slot::new(client_state);
        registry.slots().coming.push(Arc::clone(&slot));
        Self {
            registry: Arc::clone(registry),
            slot,
        }
    }

    /// It has this id: what came meanwhile comes first.
    pub(super) fn named(self, id: &str) -> Expected {
        Expected::of(&self.registry, id, Arc::clone(&self.slot))
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        let mut slots = self.registry.slots();
        slots.coming.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
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
        Self::of(registry, id, Slot::new(client_state))
    }

    fn of(registry: &Arc<Registry>, id: &str, slot: Arc<Slot>) -> Self {
        let known = Arc::clone(&slot);
        registry.slots().by_id.insert(id.to_owned(), known);
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
            .by_id
            .get(&self.id)
            .is_some_and(|slot| Arc::ptr_eq(slot, &self.slot))
        {
            slots.by_id.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_shows_no_client_state_and_not_its_digest() {
        let slot = Slot::new(&"secret".into());
        assert_eq!(format!("{slot:?}"), "Slot { .. }");
    }
}
