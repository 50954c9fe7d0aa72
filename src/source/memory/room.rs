//! The folders and the items in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::MemoryItem;
use crate::message::{ItemClass, MailFacts};
use crate::source::{
    Disposal, Folder, FolderId, FolderPath, FolderRoot, ItemRef, ListedItem, SightingKey,
};

/// All folders. Items are found by their present id.
#[derive(Default)]
pub(super) struct Room {
    folders: BTreeMap<FolderId, FolderPath>,
    items: BTreeMap<String, Stored>,
    removed: Vec<(Stored, Disposal)>,
    sequence: u64,
    /// From an old id to the one after it, where old ids stay usable.
    successors: Option<BTreeMap<String, String>>,
}

#[derive(Clone)]
struct Stored {
    folder: FolderId,
    /// Its place in the order of arrival, which it keeps when it moves.
    arrival: u64,
    item: ItemRef,
    key: SightingKey,
    original: Arc<[u8]>,
    facts: MailFacts,
}

impl Stored {
    fn view(&self) -> MemoryItem {
        MemoryItem {
            item: self.item.clone(),
            key: self.key.clone(),
            original: Arc::clone(&self.original),
            facts: self.facts.clone(),
        }
    }
}

impl Room {
    pub(super) fn folder_at(&self, path: &FolderPath) -> Option<FolderId> {
        let mut folders = self.folders.iter();
        folders
            .find(|(_, known)| *known == path)
            .map(|(id, _)| id.clone())
    }

    pub(super) fn has(&self, folder: &FolderId) -> bool {
        self.folders.contains_key(folder)
    }

    /// The folder as the source answers it.
    pub(super) fn folder(&self, id: &FolderId) -> Option<Folder> {
        let path = self.folders.get(id)?;
        let mut folder = Folder::new(id.clone());
        folder.name = path.segments().last().cloned();
        folder.public = *path.root() == FolderRoot::PublicFolders;
        folder.child_folders = u32::try_from(self.children(path).len()).ok();
        folder.path = Some(path.clone());
        Some(folder)
    }

    /// The folders right below, by path.
    pub(super) fn children(&self, parent: &FolderPath) -> Vec<FolderId> {
        let mut below: Vec<_> = self
            .folders
            .iter()
            .filter(|(_, path)| is_below(path, parent))
            .collect();
        below.sort_by_key(|(_, path)| *path);
        below.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// Creates a folder and its parents.
    pub(super) fn create(&mut self, path: &FolderPath) -> FolderId {
        if let Some(id) = self.folder_at(path) {
            return id;
        }
        if let Some(parent) = parent_of(path) {
            self.create(&parent);
        }
        let id = FolderId::new(format!("folder-{}", self.next()));
        self.folders.insert(id.clone(), path.clone());
        id
    }

    pub(super) fn rename(&mut self, from: &FolderPath, to: FolderPath) -> bool {
        let mut paths = self.folders.values_mut();
        let found = paths.find(|path| *path == from);
        found.map(|path| *path = to).is_some()
    }

    pub(super) fn deliver(
        &mut self,
        path: &FolderPath,
        original: Vec<u8>,
        facts: MailFacts,
    ) -> ItemRef {
        let folder = self.create(path);
        let arrival = self.next();
        let mut key = [0; 16];
        key[8..].copy_from_slice(&arrival.to_be_bytes());
        let item = self.new_ref();
        self.put(Stored {
            folder,
            arrival,
            item,
            key: SightingKey::SearchKey(key.to_vec()),
            original: original.into(),
            facts,
        })
    }

    pub(super) fn items(&self, path: &FolderPath) -> Vec<MemoryItem> {
        let folder = self.folder_at(path);
        let items = folder.map(|folder| self.in_order(&folder));
        let items = items.unwrap_or_default().into_iter();
        items.map(Stored::view).collect()
    }

    pub(super) fn removed(&self) -> Vec<(MemoryItem, Disposal)> {
        let removed = self.removed.iter();
        removed.map(|(item, how)| (item.view(), *how)).collect()
    }

    /// The items of a folder as a listing has them, oldest first.
    pub(super) fn list(&self, folder: &FolderId) -> Vec<ListedItem> {
        let items = self.in_order(folder).into_iter();
        items
            .map(|stored| ListedItem {
                item: stored.item.clone(),
                key: Some(stored.key.clone()),
                size: Some(stored.original.len() as u64),
                class: stored.facts.class.unwrap_or(ItemClass::Mail),
                received: stored.facts.received,
                sensitivity: stored.facts.sensitivity,
            })
            .collect()
    }

    /// The item, where it is in this folder.
    pub(super) fn find(&self, folder: &FolderId, item: &ItemRef) -> Option<MemoryItem> {
        let stored = self.items.get(&item.id);
        let stored = stored.filter(|stored| stored.folder == *folder);
        stored.map(Stored::view)
    }

    pub(super) fn key_of(&self, item: &ItemRef) -> Option<SightingKey> {
        self.items.get(&item.id).map(|stored| stored.key.clone())
    }

    /// Gives an item of this folder a key of our own and another version, unless it has one. Answers its old key, its key and
    /// its version.
    pub(super) fn stamp(
        &mut self,
        folder: &FolderId,
        item: &ItemRef,
    ) -> Option<(SightingKey, SightingKey, ItemRef)> {
        let number = self.next();
        let stored = self.items.get_mut(&item.id);
        let stored = stored.filter(|stored| stored.folder == *folder)?;
        let old = stored.key.clone();
        if !matches!(old, SightingKey::Stamp(_)) {
            let mut stamp = [0x57; 16];
            stamp[8..].copy_from_slice(&number.to_be_bytes());
            stored.key = SightingKey::Stamp(stamp);
            stored.item = ItemRef::new(&*item.id).with_change_key(format!("change-{number}"));
        }
        Some((old, stored.key.clone(), stored.item.clone()))
    }

    /// Every copy in a folder that has the key, oldest first.
    pub(super) fn locate(&self, folder: &FolderId, key: &SightingKey) -> Vec<ItemRef> {
        let items = self.in_order(folder).into_iter();
        items
            .filter(|stored| stored.key == *key)
            .map(|stored| stored.item.clone())
            .collect()
    }

    pub(super) fn keep_old_ids(&mut self) {
        self.successors.get_or_insert_default();
    }

    /// The item that an old id still means, wherever it lies by now.
    pub(super) fn by_old_id(&self, item: &ItemRef) -> Option<MemoryItem> {
        let mut id = self.successors.as_ref()?.get(&item.id)?;
        while let Some(next) = self.successors.as_ref()?.get(id) {
            id = next;
        }
        self.items.get(id).map(Stored::view)
    }

    /// Moves an item: the old id ends, and a new one begins.
    pub(super) fn move_to(&mut self, item: &ItemRef, to: &FolderId) -> Option<ItemRef> {
        let mut stored = self.items.remove(&item.id)?;
        stored.folder = to.clone();
        stored.item = self.new_ref();
        let moved = self.put(stored);
        if let Some(successors) = &mut self.successors {
            successors.insert(item.id.clone(), moved.id.clone());
        }
        Some(moved)
    }

    pub(super) fn copy_to(&mut self, item: &ItemRef, to: &FolderId) -> Option<ItemRef> {
        let mut stored = self.items.get(&item.id)?.clone();
        stored.folder = to.clone();
        stored.item = self.new_ref();
        Some(self.put(stored))
    }

    pub(super) fn move_to_path(&mut self, item: &ItemRef, to: &FolderPath) -> Option<ItemRef> {
        let to = self.create(to);
        self.move_to(item, &to)
    }

    pub(super) fn copy_to_path(&mut self, item: &ItemRef, to: &FolderPath) -> Option<ItemRef> {
        let to = self.create(to);
        self.copy_to(item, &to)
    }

    /// Changes the content of an item: it keeps its id and its key, and has another version.
    pub(super) fn edit(&mut self, item: &ItemRef, original: Vec<u8>) -> Option<ItemRef> {
        let number = self.next();
        let stored = self.items.get_mut(&item.id)?;
        stored.original = original.into();
        stored.item = ItemRef::new(&*item.id).with_change_key(format!("change-{number}"));
        Some(stored.item.clone())
    }

    pub(super) fn remove(&mut self, item: &ItemRef, disposal: Disposal) -> bool {
        let stored = self.items.remove(&item.id);
        let was_there = stored.is_some();
        self.removed.extend(stored.map(|stored| (stored, disposal)));
        was_there
    }

    pub(super) fn take(&mut self, item: &ItemRef) -> Option<MemoryItem> {
        self.items.remove(&item.id).map(|stored| stored.view())
    }

    fn in_order(&self, folder: &FolderId) -> Vec<&Stored> {
        let items = self.items.values();
        let mut items: Vec<_> = items.filter(|stored| stored.folder == *folder).collect();
        items.sort_by_key(|stored| (stored.facts.received, stored.arrival, &stored.item));
        items
    }

    fn put(&mut self, stored: Stored) -> ItemRef {
        let item = stored.item.clone();
        self.items.insert(item.id.clone(), stored);
        item
    }

    fn new_ref(&mut self) -> ItemRef {
        let number = self.next();
        ItemRef::new(format!("item-{number:06}")).with_change_key(format!("change-{number}"))
    }

    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

/// Whether a folder is right below another one, or below a root.
fn is_below(path: &FolderPath, parent: &FolderPath) -> bool {
    let above = path.segments().split_last().map(|(_, above)| above);
    path.root() == parent.root() && above == Some(parent.segments())
}

/// The path of the folder above; `None` for what hangs at a root.
fn parent_of(path: &FolderPath) -> Option<FolderPath> {
    let (_, above) = path.segments().split_last()?;
    (!above.is_empty() || *path.root() != FolderRoot::PublicFolders)
        .then(|| FolderPath::new(path.root().clone(), above.iter().cloned()))
}
