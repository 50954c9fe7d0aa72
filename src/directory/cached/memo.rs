//! The remembered answers, bounded, with the order of their last use.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::message::Address;
use crate::parties::AddressParties;
use crate::scope::Scope;

type Key = (Address, Scope);

/// Answers by address and scope. The key begins with the address, so that one address can be forgotten in every scope.
#[derive(Debug)]
pub(super) struct Memo {
    capacity: usize,
    answers: BTreeMap<Key, Remembered>,
    /// The keys by their last use, oldest first.
    used: BTreeMap<u64, Key>,
    uses: u64,
    generation: u64,
}

#[derive(Debug)]
struct Remembered {
    answer: AddressParties,
    expires: Timestamp,
    used: u64,
}

impl Memo {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            answers: BTreeMap::new(),
            used: BTreeMap::new(),
            uses: 0,
            generation: 0,
        }
    }

    /// Rises whenever something is forgotten on demand.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn resize(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.shrink();
    }

    pub(super) fn recall(
        &mut self,
        scope: &Scope,
        address: &Address,
        now: Timestamp,
    ) -> Option<AddressParties> {
        let key = (address.clone(), scope.clone());
        let known = self.answers.get_mut(&key)?;
        self.used.remove(&known.used);
        if known.expires <= now {
            self.answers.remove(&key);
            return None;
        }
        self.uses += 1;
        known.used = self.uses;
        let answer = known.answer.clone();
        self.used.insert(self.uses, key);
        Some(answer)
    }

    pub(super) fn remember(
        &mut self,
        scope: &Scope,
        address: &Address,
        answer: &AddressParties,
        expires: Timestamp,
    ) {
        let key = (address.clone(), scope.clone());
        self.uses += 1;
        let remembered = Remembered {
            answer: answer.clone(),
            expires,
            used: self.uses,
        };
        self.used.insert(self.uses, key.clone());
        if let Some(before) = self.answers.insert(key, remembered) {
            self.used.remove(&before.used);
        }
        self.shrink();
    }

    pub(super) fn forget(&mut self, address: &Address) {
        self.generation += 1;
        let Self { answers, used, .. } = self;
        answers.retain(|(known, _), remembered| {
            let stays = known != address;
            if !stays {
                used.remove(&remembered.used);
            }
            stays
        });
    }

    pub(super) fn clear(&mut self) {
        self.generation += 1;
        self.answers.clear();
        self.used.clear();
    }

    fn shrink(&mut self) {
        while self.answers.len() > self.capacity {
            let Some((_, oldest)) = self.used.pop_first() else {
                return;
            };
            self.answers.remove(&oldest);
        }
    }
}
