//! One mailbox of the store, as the caller of a request sees it.

use super::answer::Answer;
use super::ids::{MessageId, folder_key};
use super::links::Links;
use super::problem::Problem;
use super::request::GraphRequest;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::folder::{Folder, FolderKey, Home};
use crate::testkit::exchange::store::item::Item;
use crate::testkit::exchange::store::rights::FolderRights;

/// The names that stand for a folder's id (Microsoft, "mailFolder resource type").
const WELL_KNOWN: [&str; 16] = [
    "archive",
    "clutter",
    "conflicts",
    "conversationhistory",
    "deleteditems",
    "drafts",
    "inbox",
    "junkemail",
    "localfailures",
    "msgfolderroot",
    "outbox",
    "recoverableitemsdeletions",
    "scheduled",
    "searchfolders",
    "sentitems",
    "syncissues",
];

/// What an operation works on.
pub(super) struct Desk<'a> {
    pub(super) world: &'a mut World,
    /// The address of the mailbox.
    pub(super) smtp: String,
    pub(super) request: &'a GraphRequest,
    pub(super) base: &'a str,
    pub(super) effects: &'a super::fault::Effects,
    pub(super) settings: &'a super::service::Settings,
}

/// What operations give back.
pub(super) type Outcome = Result<Answer, Problem>;

impl Desk<'_> {
    pub(super) fn links(&self) -> Links<'_> {
        Links {
            base: self.base,
            request: self.request,
        }
    }

    pub(super) fn immutable(&self) -> bool {
        self.request.wants_immutable_ids()
    }

    /// The folder of an id or a well-known name, in this mailbox.
    pub(super) fn folder(&self, named: &str) -> Result<&Folder, Problem> {
        let mailbox = self
            .world
            .mailbox(&self.smtp)
            .ok_or_else(Problem::not_found)?;
        let lower = named.to_lowercase();
        if WELL_KNOWN.contains(&lower.as_str()) {
            let found = self.world.distinguished(mailbox, &lower);
            return found.ok_or_else(Problem::not_found);
        }
        let key = folder_key(named).ok_or_else(Problem::malformed_id)?;
        let home = self.world.folder(mailbox.root).map(|root| root.home);
        let folder = self.world.folder(key).filter(|one| Some(one.home) == home);
        folder.ok_or_else(Problem::not_found)
    }

    /// A folder in which the caller has a right.
    pub(super) fn folder_with(
        &self,
        named: &str,
        has: fn(FolderRights) -> bool,
    ) -> Result<&Folder, Problem> {
        let folder = self.folder(named)?;
        if has(folder.rights) {
            Ok(folder)
        } else {
            Err(Problem::access_denied())
        }
    }

    /// The top of the folders that people see.
    pub(super) fn top(&self) -> Result<&Folder, Problem> {
        self.folder("msgfolderroot")
    }

    /// The message of an id, with its folder; below a folder in the path it must lie there.
    pub(super) fn message(
        &self,
        id: &str,
        folder: Option<&str>,
        has: fn(FolderRights) -> bool,
    ) -> Result<(&Item, &Folder), Problem> {
        let item = match MessageId::parse(id).ok_or_else(Problem::malformed_id)? {
            MessageId::Changing(key) => self.world.item(key),
            MessageId::Immutable(lineage) => self.world.item_by_lineage(lineage),
        };
        let item = item.ok_or_else(Problem::not_found)?;
        let home = self
            .world
            .folder(item.folder)
            .ok_or_else(Problem::not_found)?;
        if !self.is_mine(home.home) {
            return Err(Problem::not_found());
        }
        if let Some(named) = folder
            && self.folder(named)?.key != item.folder
        {
            return Err(Problem::not_found());
        }
        if has(home.rights) {
            Ok((item, home))
        } else {
            Err(Problem::access_denied())
        }
    }

    fn is_mine(&self, home: Home) -> bool {
        let owner = self.world.mailbox_of(&home);
        owner.is_some_and(|owner| owner.smtp.eq_ignore_ascii_case(&self.smtp))
    }

    /// The folder into which a message of this size shall go.
    pub(super) fn target(&self, named: &str, bytes: u64) -> Result<FolderKey, Problem> {
        let target = self.folder_with(named, |rights| rights.create_contents)?;
        if target.has_room(bytes) {
            Ok(target.key)
        } else {
            Err(Problem::of_store("ErrorQuotaExceeded"))
        }
    }
}
