//! What the server keeps: folders, items, directory entries. It knows nothing of SOAP or HTTP.

pub(crate) mod clock;
pub(crate) mod content;
pub(crate) mod delivery;
pub(crate) mod directory;
pub(crate) mod facts;
pub(crate) mod folder;
pub(crate) mod ids;
pub(crate) mod item;
pub(crate) mod rights;
pub(crate) mod subscription;
pub(crate) mod tree;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use self::clock::Clock;
use self::delivery::Delivery;
use self::directory::Directory;
use self::folder::{Folder, FolderKey, Home};
use self::ids::IdMaker;
use self::item::{Item, ItemKey};
use self::subscription::Subscriptions;

/// The whole state behind one server.
pub(crate) struct World {
    folders: BTreeMap<FolderKey, Folder>,
    folders_by_id: HashMap<String, FolderKey>,
    items: BTreeMap<ItemKey, Item>,
    items_by_id: HashMap<String, ItemKey>,
    items_by_lineage: HashMap<u64, ItemKey>,
    mailboxes: Vec<Mailbox>,
    /// Whether people see the folders of their own mailbox alone.
    pub(crate) private: bool,
    public_root: Option<FolderKey>,
    ids: IdMaker,
    clock: Clock,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) directory: Directory,
}

/// A mailbox: its address and the top of its folder tree.
pub(crate) struct Mailbox {
    pub(crate) smtp: String,
    pub(crate) root: FolderKey,
    pub(crate) messages_root: FolderKey,
}

impl World {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            folders: BTreeMap::new(),
            folders_by_id: HashMap::new(),
            items: BTreeMap::new(),
            items_by_id: HashMap::new(),
            items_by_lineage: HashMap::new(),
            mailboxes: Vec::new(),
            private: false,
            public_root: None,
            ids: IdMaker::default(),
            clock,
            subscriptions: Subscriptions::default(),
            directory: Directory::default(),
        }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn folder(&self, key: FolderKey) -> Option<&Folder> {
        self.folders.get(&key)
    }

    pub(crate) fn folder_mut(&mut self, key: FolderKey) -> Option<&mut Folder> {
        self.folders.get_mut(&key)
    }

    pub(crate) fn item(&self, key: ItemKey) -> Option<&Item> {
        self.items.get(&key)
    }

    pub(crate) fn item_by_id(&self, id: &str) -> Option<&Item> {
        self.items_by_id.get(id).and_then(|key| self.items.get(key))
    }

    pub(crate) fn item_by_lineage(&self, lineage: u64) -> Option<&Item> {
        let key = self.items_by_lineage.get(&lineage)?;
        self.items.get(key)
    }

    pub(crate) fn folder_by_id(&self, id: &str) -> Option<&Folder> {
        self.folders_by_id
            .get(id)
            .and_then(|key| self.folders.get(key))
    }

    /// The item that came last, wherever it is now.
    pub(crate) fn latest_item(&self) -> ItemKey {
        self.ids.latest_item()
    }

    /// The items of a folder in the order in which they came.
    pub(crate) fn items_in(&self, folder: &Folder) -> impl Iterator<Item = &Item> {
        folder.items.iter().filter_map(|key| self.items.get(key))
    }

    pub(crate) fn mailbox(&self, smtp: &str) -> Option<&Mailbox> {
        self.mailboxes
            .iter()
            .find(|mailbox| mailbox.smtp.eq_ignore_ascii_case(smtp))
    }

    pub(crate) fn mailbox_of(&self, home: &Home) -> Option<&Mailbox> {
        match home {
            Home::Mailbox(index) => self.mailboxes.get(*index),
            Home::Public { .. } => None,
        }
    }

    /// The mailbox of a signed-in user: the one of that address or local part, else the first.
    pub(crate) fn mailbox_of_user(&self, user: &str) -> Option<&Mailbox> {
        let local = user.rsplit('\\').next().unwrap_or(user);
        let owns = |mailbox: &&Mailbox| {
            let (name, _) = mailbox.smtp.split_once('@').unwrap_or((&mailbox.smtp, ""));
            name.eq_ignore_ascii_case(local)
        };
        let exact = self.mailbox(user);
        exact
            .or_else(|| self.mailboxes.iter().find(owns))
            .or(self.mailboxes.first())
    }

    /// Whether a signed-in user sees a folder that lives there.
    pub(crate) fn shows(&self, home: &Home, user: &str) -> bool {
        let Some(owner) = self.mailbox_of(home).filter(|_| self.private) else {
            return true;
        };
        let own = self.mailbox_of_user(user);
        own.is_some_and(|own| own.root == owner.root)
    }

    /// All mailboxes, in the order in which they were added.
    pub(crate) fn mailboxes(&self) -> &[Mailbox] {
        &self.mailboxes
    }

    pub(crate) fn has_mailboxes(&self) -> bool {
        !self.mailboxes.is_empty()
    }

    pub(crate) fn public_root(&self) -> Option<&Folder> {
        self.public_root.and_then(|key| self.folder(key))
    }

    /// Puts a new message into a folder and answers its key.
    pub(crate) fn deliver(&mut self, folder: FolderKey, delivery: Delivery) -> ItemKey {
        let now = self.now();
        let key = self.ids.next_item();
        let mut item = delivery.into_item(key, folder, now);
        self.stamp(&mut item);
        if item.search_key.is_none() && !item.lacks_search_key {
            item.search_key = Some(ids::search_key(key));
        }
        self.attach(item);
        key
    }

    /// Moves an item: as on Exchange the copy in the target gets a new id and keeps its search key.
    pub(crate) fn move_item(&mut self, key: ItemKey, target: FolderKey) -> Option<ItemKey> {
        let lineage = self.items.get(&key)?.lineage;
        let moved = self.copy_item(key, target)?;
        self.remove(key);
        if let Some(copy) = self.items.get_mut(&moved) {
            self.items_by_lineage.remove(&copy.lineage);
            copy.lineage = lineage;
            self.items_by_lineage.insert(lineage, moved);
        }
        Some(moved)
    }

    /// Copies an item, its search key included.
    pub(crate) fn copy_item(&mut self, key: ItemKey, target: FolderKey) -> Option<ItemKey> {
        let mut copy = self.items.get(&key)?.clone();
        copy.key = self.ids.next_item();
        copy.lineage = copy.key.0;
        copy.folder = target;
        copy.modified = self.now();
        self.stamp(&mut copy);
        let key = copy.key;
        self.attach(copy);
        Some(key)
    }

    pub(crate) fn remove(&mut self, key: ItemKey) -> Option<Item> {
        let item = self.items.remove(&key)?;
        self.items_by_id.remove(&item.id);
        self.items_by_lineage.remove(&item.lineage);
        if let Some(folder) = self.folders.get_mut(&item.folder) {
            folder.items.remove(&key);
            folder.bytes = folder.bytes.saturating_sub(item.size());
        }
        Some(item)
    }

    /// Changes an item and gives it a new change key.
    pub(crate) fn change(&mut self, key: ItemKey, change: impl FnOnce(&mut Item)) {
        let now = self.now();
        let change_key = self.ids.change_key();
        if let Some(item) = self.items.get_mut(&key) {
            change(item);
            item.modified = now;
            item.change_key = change_key;
        }
    }

    fn stamp(&mut self, item: &mut Item) {
        let public = self.folder(item.folder).is_some_and(|f| f.home.is_public());
        item.id = ids::item_id(item.key, public);
        item.change_key = self.ids.change_key();
    }

    fn attach(&mut self, item: Item) {
        if let Some(folder) = self.folders.get_mut(&item.folder) {
            folder.items.insert(item.key);
            folder.bytes += item.size();
        }
        self.items_by_id.insert(item.id.clone(), item.key);
        self.items_by_lineage.insert(item.lineage, item.key);
        self.items.insert(item.key, item);
    }
}

/// The bytes of a message, shared by all its copies.
pub(crate) type Mime = Arc<[u8]>;
