//! The folder trees: creation, look-up by path and by distinguished name, renaming, removal.

use std::collections::BTreeSet;

use super::folder::{Folder, FolderKey, Home};
use super::ids;
use super::rights::FolderRights;
use super::{Mailbox, World};

/// Distinguished folders below the message root: id, display name, class.
const MAIL_FOLDERS: [(&str, &str, &str); 7] = [
    ("inbox", "Inbox", "IPF.Note"),
    ("drafts", "Drafts", "IPF.Note"),
    ("outbox", "Outbox", "IPF.Note"),
    ("sentitems", "Sent Items", "IPF.Note"),
    ("deleteditems", "Deleted Items", "IPF.Note"),
    ("junkemail", "Junk Email", "IPF.Note"),
    ("archive", "Archive", "IPF.Note"),
];

const DEFAULT_CLASS: &str = "IPF.Note";

/// What a new folder is given.
#[derive(Clone, Copy)]
pub(crate) struct NewFolder<'a> {
    pub(crate) parent: Option<FolderKey>,
    pub(crate) name: &'a str,
    pub(crate) class: &'static str,
    pub(crate) distinguished: Option<&'static str>,
    pub(crate) home: Home,
}

impl World {
    pub(crate) fn add_mailbox(&mut self, smtp: &str) {
        if self.mailbox(smtp).is_some() {
            return;
        }
        let home = Home::Mailbox(self.mailboxes.len());
        let root = self.add_special(None, ("root", "Root", ""), home);
        let top = ("msgfolderroot", "Top of Information Store", "IPF.Note");
        let messages_root = self.add_special(Some(root), top, home);
        for folder in MAIL_FOLDERS {
            self.add_special(Some(messages_root), folder, home);
        }
        let smtp = smtp.to_owned();
        self.mailboxes.push(Mailbox {
            smtp,
            root,
            messages_root,
        });
    }

    fn add_special(
        &mut self,
        parent: Option<FolderKey>,
        (id, name, class): (&'static str, &'static str, &'static str),
        home: Home,
    ) -> FolderKey {
        self.add_folder(NewFolder {
            parent,
            name,
            class,
            distinguished: Some(id),
            home,
        })
    }

    /// The root of the public folders, made at the first need.
    pub(crate) fn ensure_public_root(&mut self) -> FolderKey {
        if let Some(root) = self.public_root {
            return root;
        }
        let home = Home::Public { content_mailbox: 0 };
        let root = self.add_special(None, ("publicfoldersroot", "IPM_SUBTREE", ""), home);
        self.public_root = Some(root);
        root
    }

    /// Makes each folder of the path that is missing; new ones live in `content_mailbox`.
    pub(crate) fn ensure_public_path(&mut self, path: &str, content_mailbox: u32) -> FolderKey {
        let mut at = self.ensure_public_root();
        for name in segments(path) {
            let home = Home::Public { content_mailbox };
            at = self
                .child_named(at, name)
                .unwrap_or_else(|| self.add_plain(at, name, home));
        }
        at
    }

    /// Makes each folder of a mailbox path that is missing.
    pub(crate) fn ensure_mailbox_path(&mut self, path: &str) -> Option<FolderKey> {
        let (smtp, rest) = path.split_once('\\').unwrap_or((path, ""));
        let mut at = self.mailbox(smtp)?.messages_root;
        for name in segments(rest) {
            let home = self.folder(at)?.home;
            at = self
                .child_named(at, name)
                .unwrap_or_else(|| self.add_plain(at, name, home));
        }
        Some(at)
    }

    fn add_plain(&mut self, parent: FolderKey, name: &str, home: Home) -> FolderKey {
        let parent = Some(parent);
        let class = DEFAULT_CLASS;
        self.add_folder(NewFolder {
            parent,
            name,
            class,
            distinguished: None,
            home,
        })
    }

    pub(crate) fn add_folder(&mut self, new: NewFolder<'_>) -> FolderKey {
        let key = self.ids.next_folder();
        let id = ids::folder_id(key, new.home.is_public());
        let folder = Folder {
            key,
            id: id.clone(),
            change_key: self.ids.change_key(),
            parent: new.parent,
            name: new.name.to_owned(),
            class: new.class,
            distinguished: new.distinguished,
            home: new.home,
            rights: FolderRights::OWNER,
            hidden: false,
            quota: None,
            bytes: 0,
            children: Vec::new(),
            items: BTreeSet::new(),
        };
        self.folders.insert(key, folder);
        self.folders_by_id.insert(id, key);
        if let Some(parent) = new.parent.and_then(|key| self.folders.get_mut(&key)) {
            parent.children.push(key);
        }
        key
    }

    /// Finds a folder by `\Public\Path` or by `mailbox@address\Folder\Below`.
    ///
    /// A mailbox folder is found by its display name or, below the top, by its distinguished id.
    pub(crate) fn folder_at(&self, path: &str) -> Option<FolderKey> {
        if path.starts_with('\\') {
            let root = self.public_root?;
            return segments(path).try_fold(root, |at, name| self.child_named(at, name));
        }
        let (smtp, rest) = path.split_once('\\').unwrap_or((path, ""));
        let top = self.mailbox(smtp)?.messages_root;
        segments(rest).try_fold(top, |at, name| self.child_named(at, name))
    }

    pub(crate) fn child_named(&self, parent: FolderKey, name: &str) -> Option<FolderKey> {
        let matches = |folder: &&Folder| {
            folder.name.to_lowercase() == name.to_lowercase() || folder.distinguished == Some(name)
        };
        let children = &self.folder(parent)?.children;
        let mut folders = children.iter().filter_map(|key| self.folder(*key));
        folders.find(matches).map(|folder| folder.key)
    }

    /// Finds a distinguished folder of a mailbox.
    pub(crate) fn distinguished(&self, mailbox: &Mailbox, id: &str) -> Option<&Folder> {
        let root = self.folder(mailbox.root)?;
        let below = self.descendants(root.key);
        std::iter::once(root.key)
            .chain(below)
            .filter_map(|key| self.folder(key))
            .find(|folder| folder.distinguished == Some(id))
    }

    /// All folders below one, parents before children.
    pub(crate) fn descendants(&self, top: FolderKey) -> Vec<FolderKey> {
        let mut found = Vec::new();
        let mut open = vec![top];
        while let Some(key) = open.pop() {
            let Some(folder) = self.folder(key) else {
                continue;
            };
            found.extend(&folder.children);
            open.extend(folder.children.iter().rev());
        }
        found
    }

    pub(crate) fn rename(&mut self, key: FolderKey, name: &str) {
        let change_key = self.ids.change_key();
        if let Some(folder) = self.folders.get_mut(&key) {
            name.clone_into(&mut folder.name);
            folder.change_key = change_key;
        }
    }

    /// Lets the content of a public folder live in another mailbox.
    pub(crate) fn move_content(&mut self, key: FolderKey, content_mailbox: u32) {
        let folder = self.folders.get_mut(&key);
        if let Some(folder) = folder.filter(|folder| folder.home.is_public()) {
            folder.home = Home::Public { content_mailbox };
        }
    }

    /// Removes a folder with all that is in it and below it.
    pub(crate) fn delete_folder(&mut self, key: FolderKey) {
        for gone in self.descendants(key).into_iter().chain([key]) {
            self.empty(gone);
            let Some(folder) = self.folders.remove(&gone) else {
                continue;
            };
            self.folders_by_id.remove(&folder.id);
            if let Some(parent) = folder.parent.and_then(|key| self.folders.get_mut(&key)) {
                parent.children.retain(|child| *child != gone);
            }
        }
    }

    fn empty(&mut self, key: FolderKey) {
        let items = self.folder(key).map(|folder| folder.items.clone());
        for item in items.unwrap_or_default() {
            self.remove(item);
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('\\').filter(|segment| !segment.is_empty())
}
