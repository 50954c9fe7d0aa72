//! Who wants to be told of a folder.

use std::collections::BTreeMap;

use super::folder::FolderKey;

/// The subscriptions of all clients, by id.
#[derive(Default)]
pub(crate) struct Subscriptions {
    folders: BTreeMap<String, FolderKey>,
    made: u64,
}

impl Subscriptions {
    /// Makes a subscription and answers its id.
    pub(crate) fn make(&mut self, folder: FolderKey) -> String {
        self.made += 1;
        let id = base64_simd::STANDARD.encode_to_string(format!("subscription {}", self.made));
        self.folders.insert(id.clone(), folder);
        id
    }

    /// The folder of a subscription.
    pub(crate) fn folder(&self, id: &str) -> Option<FolderKey> {
        self.folders.get(id).copied()
    }

    /// Ends a subscription. Answers whether there was one.
    pub(crate) fn end(&mut self, id: &str) -> bool {
        self.folders.remove(id).is_some()
    }

    /// Loses all of them, as a server does that starts anew.
    pub(crate) fn lose(&mut self) {
        self.folders.clear();
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.folders.len()
    }
}
