//! One folder.

use std::collections::BTreeSet;

use super::item::ItemKey;
use super::rights::FolderRights;

/// A folder inside the server; never shown to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FolderKey(pub(crate) u32);

/// Where the content of a folder lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// In the mailbox with this index.
    Mailbox(usize),
    /// In a public folder mailbox, known by its number.
    Public { content_mailbox: u32 },
}

impl Home {
    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Self::Public { .. })
    }
}

/// A folder with the keys of what is in it.
pub(crate) struct Folder {
    pub(crate) key: FolderKey,
    pub(crate) id: String,
    pub(crate) change_key: String,
    pub(crate) parent: Option<FolderKey>,
    pub(crate) name: String,
    pub(crate) class: &'static str,
    pub(crate) distinguished: Option<&'static str>,
    pub(crate) home: Home,
    pub(crate) rights: FolderRights,
    /// Whether Graph lists it only when hidden folders are asked for.
    pub(crate) hidden: bool,
    /// The most bytes that the folder may hold.
    pub(crate) quota: Option<u64>,
    pub(crate) bytes: u64,
    pub(crate) children: Vec<FolderKey>,
    pub(crate) items: BTreeSet<ItemKey>,
}

impl Folder {
    /// Whether `more` bytes still fit.
    pub(crate) fn has_room(&self, more: u64) -> bool {
        self.quota
            .is_none_or(|quota| self.bytes.saturating_add(more) <= quota)
    }
}
