//! Browsing folders as a picker does: level by level, each asked for once.
//!
//! Owns what was seen so far. Knows the trait only, no protocol.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Folder, FolderPath, FolderRoot, FolderSelector, ListRequest, MailFolders};
use crate::error::{Error, Result, codes};

/// The queue folder that Business Central's set-up proposes.
pub const DEFAULT_QUEUE_FOLDER: &str = r"\Email Logging\Queue\";

/// The storage folder that Business Central's set-up proposes.
pub const DEFAULT_STORAGE_FOLDER: &str = r"\Email Logging\Storage\";

/// Folders of one question.
const PAGE: u32 = 1000;
/// Questions about one level; beyond that somebody creates folders faster than one can look.
const PAGES: usize = 100;
/// Characters of a path that the set-up can hold.
const PATH: usize = 250;

/// A tree of folders that is seen as far as a person has expanded it.
///
/// Only mail folders are seen. A level is asked for when it is expanded for the first time, and kept until it is
/// forgotten. Folders whose path is longer than 250 characters are left out, as the set-up cannot hold them; the first
/// level that leaves one out says so, and no other.
pub struct FolderBrowser {
    source: Arc<dyn MailFolders>,
    root: FolderPath,
    levels: BTreeMap<FolderPath, Vec<Folder>>,
    noticed: bool,
}

/// A level of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpandedLevel<'a> {
    /// The folders, in the order in which the server lists them.
    pub folders: &'a [Folder],
    /// Whether the server was asked now; else the level was known.
    pub asked: bool,
    /// How many folders were left out because of their long path; said once per tree.
    pub left_out: Option<usize>,
}

impl fmt::Debug for FolderBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderBrowser")
            .field("root", self.root.root())
            .field("levels", &self.levels.len())
            .finish_non_exhaustive()
    }
}

impl FolderBrowser {
    /// A tree of which nothing was seen yet.
    pub fn new(source: Arc<dyn MailFolders>, root: FolderRoot) -> Self {
        Self {
            source,
            root: FolderPath::new(root, [""; 0]),
            levels: BTreeMap::new(),
            noticed: false,
        }
    }

    /// The path of the root, which is where browsing starts.
    pub fn root(&self) -> &FolderPath {
        &self.root
    }

    /// The folders right below a path.
    ///
    /// # Errors
    ///
    /// What the source says; the level stays unknown then, and can be expanded again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the level unknown.
    pub async fn expand(&mut self, path: &FolderPath) -> Result<ExpandedLevel<'_>> {
        let mut left_out = None;
        let asked = !self.levels.contains_key(path);
        if asked {
            let (folders, long) = self.ask(path).await?;
            left_out = (long > 0 && !self.noticed).then_some(long);
            self.noticed |= long > 0;
            self.levels.insert(path.clone(), folders);
        }
        Ok(ExpandedLevel {
            folders: self.levels.get(path).map_or(&[], Vec::as_slice),
            asked,
            left_out,
        })
    }

    /// Whether a level was seen.
    pub fn is_expanded(&self, path: &FolderPath) -> bool {
        self.levels.contains_key(path)
    }

    /// A folder that was seen.
    pub fn seen(&self, path: &FolderPath) -> Option<&Folder> {
        let mut folders = self.levels.values().flatten();
        folders.find(|folder| folder.path.as_ref() == Some(path))
    }

    /// Forgets what was seen, such as after folders were created.
    pub fn forget(&mut self) {
        self.levels.clear();
    }

    /// Opens or creates the folders that Business Central proposes, queue first. Of any tree: the public folders have
    /// them at the top, a mailbox below its own root.
    ///
    /// # Errors
    ///
    /// What the source says.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may leave some of the folders created; creating them again is harmless.
    pub async fn create_default_folders(&mut self) -> Result<(Folder, Folder)> {
        let below = |name| FolderPath::new(self.root.root().clone(), ["Email Logging", name]);
        let (queue, storage) = (below("Queue"), below("Storage"));
        let queue = self.source.create(&queue).await?;
        let storage = self.source.create(&storage).await?;
        self.forget();
        Ok((queue, storage))
    }

    async fn ask(&self, path: &FolderPath) -> Result<(Vec<Folder>, usize)> {
        let parent = match self.seen(path) {
            Some(folder) => FolderSelector::Id(folder.id.clone(), Some(path.clone())),
            None => FolderSelector::Path(path.clone()),
        };
        let (mut folders, mut long, mut offset) = (Vec::new(), 0, 0);
        for _ in 0..PAGES {
            let request = ListRequest::new(offset, PAGE);
            let page = self.source.children(&parent, request).await?;
            for folder in page.folders {
                if folder.path.as_ref().is_some_and(is_long) {
                    long += 1;
                } else {
                    folders.push(folder);
                }
            }
            if page.complete || page.listed == 0 {
                return Ok((folders, long));
            }
            offset = offset.saturating_add(page.listed);
        }
        Err(Error::new(&codes::EWS_ANSWERS_MISSING, "FolderBrowser"))
    }
}

fn is_long(path: &FolderPath) -> bool {
    path.to_string().chars().count() > PATH
}
