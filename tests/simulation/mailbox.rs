//! A mailbox as Exchange keeps one: over EWS with ids that end with a move and keys that survive it, over Graph with ids that
//! survive it too; copies, and people who interfere.
//!
//! Owns the items and the effect of every call. Knows nothing of who calls.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use email_logging::source::{ItemRef, SightingKey, Sought};
use jiff::Timestamp;

use crate::book::{item_id, item_ref};
use crate::mails::Mails;
use crate::world::Deed;

/// The folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Queue,
    Storage,
    Quarantine,
    NotLogged,
    /// Deleted Items: nothing is deleted past recovery.
    Deleted,
    /// A folder of a person, who took the mail away.
    Person,
}

impl Place {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Storage => "storage",
            Self::Quarantine => "quarantine",
            Self::NotLogged => "notlogged",
            Self::Deleted => "deleted",
            Self::Person => "person",
        }
    }

    pub(crate) fn of(id: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|place| place.id() == id).unwrap()
    }

    const ALL: [Self; 6] = [
        Self::Queue,
        Self::Storage,
        Self::Quarantine,
        Self::NotLogged,
        Self::Deleted,
        Self::Person,
    ];
}

/// What an item is listed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    SearchKey,
    /// Its id, which a move keeps.
    Id,
    /// A key that a worker gave it.
    Stamp(u64),
    Nothing,
}

/// One item.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) key: u64,
    pub(crate) label: Label,
    /// Which of the schedule's mails it is a copy of.
    pub(crate) mail: usize,
    pub(crate) original: Arc<[u8]>,
    pub(crate) place: Place,
    pub(crate) received: Timestamp,
}

/// By which service the mailbox is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Ews,
    /// A move keeps the id and never leaves a copy; each part of a batch is answered by itself.
    Graph,
}

impl Service {
    pub(crate) const ALL: [Self; 2] = [Self::Ews, Self::Graph];
}

/// What kind of server it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    pub(crate) service: Service,
    /// Listed items carry a key that survives a move, and can be found by it.
    pub(crate) stable_keys: bool,
    /// A move answers the new id.
    pub(crate) new_ids: bool,
    /// The old id still means the item after a move, so that the same move again makes a second copy.
    pub(crate) old_ids_live: bool,
}

/// The items by their present id.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) server: Server,
    pub(crate) items: BTreeMap<u64, Item>,
    /// Ids that ended, with the id that took their place.
    ended: BTreeMap<u64, u64>,
    next: u64,
    /// Folders that a person gave another name: their path leads nowhere, their id still does.
    pub(crate) renamed: BTreeSet<Place>,
    /// What persons did, by the key of the mail that they laid a hand on.
    pub(crate) deeds: BTreeSet<(u64, Deed)>,
    /// Keys of mails that were given another try.
    pub(crate) requeued: BTreeSet<u64>,
    /// Keys of mails that the server fails to render in passing, every time.
    pub(crate) flaky: BTreeSet<u64>,
    /// Whether the mail that could not be read can be by now.
    pub(crate) mended: bool,
    /// By key, how many copies beyond the first one something explains: half-done moves, and moves of a worker that had
    /// lost its lease, which no store can fence.
    pub(crate) explained: BTreeMap<u64, usize>,
    /// Keys of which a worker that had lost its lease made a copy that the holder has not seen since. Its own commit is
    /// fenced, and the holder may have ended the move before: nobody can write a note of it.
    pub(crate) unseen: BTreeSet<u64>,
    /// Keys of mails that nobody can know again by one key alone: the key that a worker gave them was not answered, was
    /// overwritten or came when the mail was known by another one.
    pub(crate) loose: BTreeSet<u64>,
    /// Keys of mails that the server never moves to the storage folder.
    pub(crate) stuck: BTreeSet<u64>,
    /// Ids whose move to the storage folder was refused for good.
    pub(crate) refused: BTreeSet<u64>,
    /// Ids that got a key which was not answered, or not in time.
    pub(crate) stamped_unasked: BTreeSet<u64>,
}

/// The key under which an item is listed, where it has one.
pub(crate) fn key_of(id: u64, item: &Item) -> Option<SightingKey> {
    match item.label {
        Label::SearchKey => Some(SightingKey::SearchKey(item.key.to_be_bytes().to_vec())),
        Label::Id => Some(SightingKey::ImmutableId(item_ref(id).id)),
        Label::Stamp(number) => Some(SightingKey::Stamp(u128::from(number).to_be_bytes())),
        Label::Nothing => None,
    }
}

impl Mailbox {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            items: BTreeMap::new(),
            ended: BTreeMap::new(),
            next: 1,
            renamed: BTreeSet::new(),
            deeds: BTreeSet::new(),
            requeued: BTreeSet::new(),
            flaky: BTreeSet::new(),
            mended: false,
            explained: BTreeMap::new(),
            unseen: BTreeSet::new(),
            loose: BTreeSet::new(),
            stuck: BTreeSet::new(),
            refused: BTreeSet::new(),
            stamped_unasked: BTreeSet::new(),
        }
    }

    pub(crate) fn digest(&self, hasher: &mut impl Hasher) {
        (&self.ended, self.next, &self.explained, &self.unseen).hash(hasher);
        (&self.loose, &self.refused, &self.requeued, self.mended).hash(hasher);
        self.stamped_unasked.hash(hasher);
        for (id, item) in &self.items {
            (id, item.key, item.label, item.mail, item.place).hash(hasher);
        }
    }

    /// Whether a person did one of these to a mail.
    fn was(&self, key: u64, deeds: &[Deed]) -> bool {
        deeds.iter().any(|deed| self.deeds.contains(&(key, *deed)))
    }

    /// Whether what becomes of a mail depends on the moment: a person took it away, or changed it.
    pub(crate) fn is_undetermined(&self, key: u64) -> bool {
        self.was(key, &[Deed::TakeAway, Deed::Edit])
    }

    /// Whether a person made a copy of a mail, or anything else of it.
    pub(crate) fn is_touched(&self, key: u64) -> bool {
        self.is_undetermined(key) || self.was(key, &[Deed::Copy, Deed::PutBack])
    }

    /// Whether an item is never read as it is.
    pub(crate) fn is_unreadable(&self, mails: &Mails, item: &Item) -> bool {
        self.flaky.contains(&item.key) || (mails.is_poison(item.mail) && !self.mended)
    }

    /// The key that an item is listed under.
    pub(crate) fn own_key(&self, id: u64, item: &Item) -> Option<SightingKey> {
        key_of(id, item).filter(|_| self.server.stable_keys)
    }

    /// Whether a mail that cannot be moved may stay in the queue: what has no key is not deleted either once a move of it was
    /// lost, since it may lie in the target already.
    pub(crate) fn may_stay(&self, mails: &Mails, id: u64) -> bool {
        let item = &self.items[&id];
        let is_keyless = self.own_key(id, item).is_none();
        self.stuck.contains(&item.key) && is_keyless && !self.is_unreadable(mails, item)
    }

    /// How many items have a key.
    pub(crate) fn count(&self, key: u64) -> usize {
        self.items.values().filter(|item| item.key == key).count()
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn deliver(
        &mut self,
        (mail, label): (usize, Label),
        original: Arc<[u8]>,
        received: Timestamp,
    ) -> u64 {
        let (id, key) = (self.fresh(), self.fresh());
        let place = Place::Queue;
        let item = Item {
            key,
            label,
            mail,
            original,
            place,
            received,
        };
        self.items.insert(id, item);
        key
    }

    /// The ids in a folder, oldest first.
    pub(crate) fn list(&self, place: Place) -> Vec<u64> {
        let there = self.items.iter().filter(|(_, item)| item.place == place);
        let mut there: Vec<_> = there.map(|(id, item)| (item.received, *id)).collect();
        there.sort_unstable();
        there.into_iter().map(|(_, id)| id).collect()
    }

    /// The item that an id means, in this folder.
    pub(crate) fn find(&self, place: Place, id: u64) -> Option<&Item> {
        self.items.get(&id).filter(|item| item.place == place)
    }

    /// Moves an item. `None`: it is not there.
    pub(crate) fn move_item(&mut self, from: Place, id: u64, to: Place) -> Option<u64> {
        if self.find(from, id).is_some() && self.server.service == Service::Graph {
            self.items.get_mut(&id)?.place = to;
            return Some(id);
        }
        if self.find(from, id).is_some() {
            let new = self.fresh();
            let mut item = self.items.remove(&id)?;
            item.place = to;
            self.items.insert(new, item);
            self.ended.insert(id, new);
            return Some(new);
        }
        // The old id is taken for the item, wherever it lies now, and moving it there again copies it.
        let lives_on = self.server.old_ids_live.then(|| self.ended.get(&id));
        let item = self.items.get(lives_on.flatten()?)?.clone();
        let new = self.fresh();
        self.items.insert(new, Item { place: to, ..item });
        Some(new)
    }

    /// Deletes an item. Answers where it lay; `None`: it is not there. A server that takes an old id for the item deletes it
    /// wherever it lies now.
    pub(crate) fn delete_item(&mut self, from: Place, id: u64) -> Option<Place> {
        let lives_on = self
            .server
            .old_ids_live
            .then(|| self.ended.get(&id).copied());
        let id = match self.find(from, id) {
            Some(_) => id,
            None => lives_on.flatten()?,
        };
        let place = self.items.get(&id)?.place;
        if place == Place::Deleted || self.server.service == Service::Graph {
            self.items.get_mut(&id)?.place = Place::Deleted;
        } else {
            let item = self.items.remove(&id)?;
            let place = Place::Deleted;
            let new = self.fresh();
            self.items.insert(new, Item { place, ..item });
            self.ended.insert(id, new);
        }
        Some(place)
    }

    /// Gives an item a key, instead of the one that it may have been given before. `None`: it is not there.
    pub(crate) fn stamp_item(&mut self, place: Place, id: u64) -> Option<SightingKey> {
        self.find(place, id)?;
        let number = self.fresh();
        let item = self.items.get_mut(&id)?;
        let before = std::mem::replace(&mut item.label, Label::Stamp(number));
        if before != Label::Nothing {
            self.loose.insert(item.key);
        }
        key_of(id, item)
    }

    /// A call that was to give these items keys was not answered: those that got one have it all the same.
    pub(crate) fn keys_not_answered(&mut self, items: &[ItemRef]) {
        for id in items.iter().map(item_id) {
            let label = self.meant(id).map(|item| item.label);
            if matches!(label, Some(Label::Stamp(_))) {
                self.stamped_unasked.insert(id);
            }
        }
    }

    /// The item that an id meant or means.
    pub(crate) fn meant(&self, id: u64) -> Option<&Item> {
        let mut id = id;
        while let Some(new) = self.ended.get(&id) {
            id = *new;
        }
        self.items.get(&id)
    }

    /// The first half of a move alone: the copy is made and the original stays.
    pub(crate) fn copy_item(&mut self, from: Place, id: u64, to: Place) {
        if let Some(item) = self.find(from, id).cloned() {
            let new = self.fresh();
            self.items.insert(new, Item { place: to, ..item });
        }
    }

    /// Another content under the same id and key.
    pub(crate) fn edit_item(&mut self, id: u64, mail: usize, original: Arc<[u8]>) {
        if let Some(item) = self.items.get_mut(&id) {
            item.mail = mail;
            item.original = original;
        }
    }

    /// The items of a sighting in a folder. Over Graph the one that an id means, wherever it lies; by the key only where the id
    /// means nothing.
    pub(crate) fn locate(&self, place: Place, sought: &Sought) -> Vec<u64> {
        if self.server.service == Service::Graph {
            let named = match (&sought.key, &sought.item) {
                (SightingKey::ImmutableId(id), _) => Some(ItemRef::new(id.clone())),
                (_, item) => item.clone(),
            };
            let named = named.map(|item| item_id(&item));
            if let Some((id, item)) = named.and_then(|id| self.items.get_key_value(&id)) {
                return Vec::from_iter((item.place == place).then_some(*id));
            }
        }
        let all = self.list(place).into_iter();
        all.filter(|id| key_of(*id, &self.items[id]).as_ref() == Some(&sought.key))
            .collect()
    }
}
