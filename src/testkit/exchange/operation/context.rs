//! What an operation works with: the world, who asks, and the faults that touch its items.

use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::reference::{FolderRef, ItemRef};
use crate::testkit::exchange::routing::Route;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::folder::{Folder, FolderKey};
use crate::testkit::exchange::store::ids::{IdKind, kind_of};
use crate::testkit::exchange::store::item::{Item, ItemKey};
use crate::testkit::exchange::store::rights::FolderRights;
use crate::testkit::exchange::version::RequestVersion;

/// The surroundings of one call.
pub(crate) struct Context<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) user: &'a str,
    pub(crate) version: RequestVersion,
    pub(crate) effects: &'a Effects,
    pub(crate) route: Option<Route<'a>>,
}

/// Faults that change what an operation does, rather than how its answer travels.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fault"
)]
pub(crate) struct Effects {
    pub(crate) item_failures: Vec<(FailAt, Failure)>,
    pub(crate) missing_answers: usize,
    pub(crate) stop_batch_after: Option<usize>,
    pub(crate) move_leaves_original: bool,
    pub(crate) move_without_new_id: bool,
    pub(crate) duplicate_items: bool,
    pub(crate) endless_paging: bool,
}

/// Which item of a batch fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FailAt {
    Index(usize),
    Id(String),
    Every,
}

impl Effects {
    /// The failure that is ordered for this item of the batch.
    pub(crate) fn failure_at(&self, index: usize, id: Option<&str>) -> Option<&Failure> {
        let hits = |at: &FailAt| match at {
            FailAt::Index(wanted) => *wanted == index,
            FailAt::Id(wanted) => Some(wanted.as_str()) == id,
            FailAt::Every => true,
        };
        self.item_failures
            .iter()
            .find(|(at, _)| hits(at))
            .map(|(_, failure)| failure)
    }
}

impl Context<'_> {
    /// Finds a folder that the request was led to.
    pub(crate) fn folder(&self, reference: &FolderRef) -> Result<&Folder, Failure> {
        let folder = self.folder_anywhere(reference)?;
        if self.is_reached(folder) {
            Ok(folder)
        } else {
            Err(Failure::new("ErrorFolderNotFound"))
        }
    }

    /// Whether the routing header fields lead to the mailbox of the folder.
    pub(crate) fn is_reached(&self, folder: &Folder) -> bool {
        self.route.is_none_or(|route| route.reaches(&folder.home))
    }

    /// Finds a folder wherever it lives, as the target of a move may be.
    pub(crate) fn folder_anywhere(&self, reference: &FolderRef) -> Result<&Folder, Failure> {
        let folder = match reference {
            FolderRef::Id(id) => self.folder_by_id(id),
            FolderRef::Distinguished { id, mailbox } => self.distinguished(id, mailbox.as_deref()),
        }?;
        if self.world.shows(&folder.home, self.user) {
            Ok(folder)
        } else {
            Err(Failure::new("ErrorAccessDenied"))
        }
    }

    fn folder_by_id(&self, id: &str) -> Result<&Folder, Failure> {
        let missing = || match kind_of(id) {
            IdKind::Folder => Failure::new("ErrorFolderNotFound"),
            IdKind::Item => Failure::new("ErrorCannotUseItemIdForFolderId"),
            IdKind::Malformed => Failure::new("ErrorInvalidIdMalformed"),
        };
        self.world.folder_by_id(id).ok_or_else(missing)
    }

    fn distinguished(&self, id: &str, mailbox: Option<&str>) -> Result<&Folder, Failure> {
        let missing = || Failure::new("ErrorFolderNotFound");
        if id == "publicfoldersroot" {
            return self.world.public_root().ok_or_else(missing);
        }
        let owner = match mailbox {
            Some(smtp) => self.world.mailbox(smtp),
            None => self.world.mailbox_of_user(self.user),
        };
        let owner = owner.ok_or_else(|| Failure::new("ErrorNonExistentMailbox"))?;
        self.world.distinguished(owner, id).ok_or_else(missing)
    }

    /// Finds a folder in which the user has a right.
    pub(crate) fn folder_with(
        &self,
        reference: &FolderRef,
        right: fn(FolderRights) -> bool,
    ) -> Result<&Folder, Failure> {
        let folder = self.folder(reference)?;
        if right(folder.rights) {
            Ok(folder)
        } else {
            Err(Failure::new("ErrorAccessDenied"))
        }
    }

    /// Finds an item in whose folder the user has a right.
    pub(crate) fn item_with(
        &self,
        reference: &ItemRef,
        right: fn(FolderRights) -> bool,
    ) -> Result<(&Item, &Folder), Failure> {
        let item = self.item(reference)?;
        let folder = self.world.folder(item.folder);
        let folder = folder.ok_or_else(|| Failure::new("ErrorItemNotFound"))?;
        match (self.is_reached(folder), right(folder.rights)) {
            (true, true) => Ok((item, folder)),
            (true, false) => Err(Failure::new("ErrorAccessDenied")),
            (false, _) => Err(Failure::new("ErrorItemNotFound")),
        }
    }

    fn item(&self, reference: &ItemRef) -> Result<&Item, Failure> {
        let missing = || match kind_of(&reference.id) {
            IdKind::Item => Failure::new("ErrorItemNotFound"),
            IdKind::Folder => Failure::new("ErrorCannotUseFolderIdForItemId"),
            IdKind::Malformed => Failure::new("ErrorInvalidIdMalformed"),
        };
        self.world.item_by_id(&reference.id).ok_or_else(missing)
    }

    /// Checks that a folder takes `bytes` more.
    pub(crate) fn check_target(&self, target: FolderKey, bytes: u64) -> Result<(), Failure> {
        let folder = self.world.folder(target);
        let folder = folder.ok_or_else(|| Failure::new("ErrorToFolderNotFound"))?;
        match (folder.rights.create_contents, folder.has_room(bytes)) {
            (false, _) => Err(Failure::new("ErrorAccessDenied")),
            (true, false) => Err(Failure::new("ErrorQuotaExceeded")),
            (true, true) => Ok(()),
        }
    }

    /// An item that was just made.
    pub(crate) fn made(&self, key: Option<ItemKey>) -> Result<&Item, Failure> {
        let item = key.and_then(|key| self.world.item(key));
        item.ok_or_else(|| Failure::new("ErrorItemNotFound"))
    }
}
