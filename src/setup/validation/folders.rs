//! The two folders: that they are there, are two, and may be used as the job uses them.

use super::checks::Check;
use super::context::{Context, Judged, ended, not_checked};
use super::findings::{self, Finding};
use super::result::{CheckResult, NotChecked};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::source::{
    Folder, FolderId, FolderPath, FolderRoot, FolderSelector, ListRequest, MailSource,
};

/// A folder that was found, and whether its path still leads to it.
struct Found {
    folder: Folder,
    moved: bool,
}

impl Context {
    /// The original asks the root of the public folders for one folder; ours may lie in a mailbox.
    pub(super) async fn root_folder(&self) -> Judged {
        let check = Check::RootFolder;
        let connection = self.connection(check)?;
        let roots = self.roots();
        if roots.is_empty() {
            return Err(not_checked(check, NotChecked::NotApplicable));
        }
        for root in roots {
            let path = FolderPath::new(root, Vec::<String>::new());
            let request = ListRequest::new(0, 1);
            let page = connection.folders.children(&path.into(), request).await;
            let page = page.map_err(ended(check))?;
            if page.folders.is_empty() && page.complete {
                return Ok(CheckResult::failed(check, &findings::ROOT_EMPTY));
            }
        }
        Ok(CheckResult::passed(check))
    }

    /// The roots whose folders the set-up names. The Inbox itself may be the queue, without a folder below it.
    fn roots(&self) -> Vec<FolderRoot> {
        let paths = [&self.setup.queue_folder, &self.setup.storage_folder];
        let below = paths.into_iter().flatten();
        let below = below.filter(|path| !path.segments().is_empty());
        let mut roots: Vec<_> = below.map(|path| path.root().clone()).collect();
        roots.dedup();
        roots
    }

    pub(super) async fn queue_folder(&mut self) -> Judged {
        let check = Check::QueueFolder;
        let (id, path) = (&self.setup.queue_folder_id, &self.setup.queue_folder);
        let found = self.folder(check, id.as_ref(), path.as_ref()).await?;
        let result = judge(check, &found);
        self.queue = Some(found.folder);
        Ok(result)
    }

    pub(super) async fn storage_folder(&mut self) -> Judged {
        let check = Check::StorageFolder;
        let (id, path) = (&self.setup.storage_folder_id, &self.setup.storage_folder);
        let found = self.folder(check, id.as_ref(), path.as_ref()).await?;
        let result = judge(check, &found);
        self.storage = Some(found.folder);
        Ok(result)
    }

    async fn folder(
        &self,
        check: Check,
        id: Option<&FolderId>,
        path: Option<&FolderPath>,
    ) -> Judged<Found> {
        let unset = match check {
            Check::QueueFolder => &findings::QUEUE_UNSET,
            _ => &findings::STORAGE_UNSET,
        };
        if id.is_none() && path.is_none() {
            return Err(CheckResult::failed(check, unset).into());
        }
        let source = self.connection(check)?.source.as_ref();
        let found = find(source, id, path).await;
        let found = found.map_err(ended(check))?;
        // A folder that is opened by its id needs no request, so only this one proves that it is there.
        let listed = source.list(&found.folder, ListRequest::new(0, 1)).await;
        listed.map_err(ended(check))?;
        Ok(found)
    }

    pub(super) fn folders_distinct(&self) -> Judged {
        let check = Check::FoldersDistinct;
        let same = || Error::new(&codes::SETUP_QUEUE_EQUALS_STORAGE, "setup");
        let violations = self.setup.violations();
        let mut named = violations.iter();
        if named.any(|error| error.code() == codes::SETUP_QUEUE_EQUALS_STORAGE.code) {
            return Ok(CheckResult::error(check, &same()));
        }
        let (queue, storage) = (self.queue(check)?, self.storage(check)?);
        if queue.id == storage.id {
            return Ok(CheckResult::error(check, &same()));
        }
        Ok(CheckResult::passed(check))
    }

    /// A move is a copy and a deletion (Microsoft, "EWS identifiers in Exchange").
    pub(super) async fn queue_rights(&self) -> Judged {
        let check = Check::QueueRights;
        let queue = self.queue(check)?;
        let rights = self.connection(check)?.probe.rights(queue).await;
        let rights = rights.map_err(ended(check))?;
        let rights = rights.ok_or_else(|| not_checked(check, NotChecked::NotTold))?;
        let needed = [("read", rights.read), ("delete", rights.delete)];
        Ok(lacking(check, &needed, &findings::QUEUE_RIGHTS))
    }

    pub(super) async fn storage_rights(&self) -> Judged {
        let check = Check::StorageRights;
        let storage = self.storage(check)?;
        let rights = self.connection(check)?.probe.rights(storage).await;
        let rights = rights.map_err(ended(check))?;
        let rights = rights.ok_or_else(|| not_checked(check, NotChecked::NotTold))?;
        let needed = [("read", rights.read), ("create", rights.create_contents)];
        Ok(lacking(check, &needed, &findings::STORAGE_RIGHTS))
    }

    pub(super) async fn storage_room(&self) -> Judged {
        let check = Check::StorageRoom;
        let storage = self.storage(check)?;
        let room = self.connection(check)?.probe.room(storage).await;
        let room = room.map_err(ended(check))?;
        let room = room.ok_or_else(|| not_checked(check, NotChecked::NotTold))?;
        let Some(limit) = room.limit else {
            return Ok(CheckResult::passed(check).telling("there is no quota"));
        };
        let percent = u128::from(room.used) * 100 / u128::from(limit.max(1));
        Ok(match percent {
            0..90 => CheckResult::passed(check).telling(format!("{percent} % are taken")),
            90..100 => CheckResult::warning(check, &findings::STORAGE_FILLING)
                .and(format!("{percent} % are taken")),
            _ => CheckResult::failed(check, &findings::STORAGE_FULL),
        })
    }
}

fn judge(check: Check, found: &Found) -> CheckResult {
    if found.moved {
        CheckResult::warning(check, &findings::FOLDER_MOVED)
    } else {
        CheckResult::passed(check)
    }
}

/// The folder by its id, which outlives a new name; by its path where no id is known.
async fn find(
    source: &dyn MailSource,
    id: Option<&FolderId>,
    path: Option<&FolderPath>,
) -> Result<Found> {
    let by_path = match path {
        Some(path) => Some(source.open_folder(&path.clone().into()).await),
        None => None,
    };
    let Some(id) = id else {
        let missing = || Error::new(&codes::SETUP_INCOMPLETE, "open_folder");
        let folder = by_path.unwrap_or_else(|| Err(missing()))?;
        return Ok(Found {
            folder,
            moved: false,
        });
    };
    let moved = match by_path {
        Some(Ok(folder)) if folder.id == *id => {
            return Ok(Found {
                folder,
                moved: false,
            });
        }
        Some(Ok(_)) => true,
        Some(Err(error)) => error.kind() == ErrorKind::NotFound,
        None => false,
    };
    let selector = FolderSelector::Id(id.clone(), path.cloned());
    let folder = source.open_folder(&selector).await?;
    Ok(Found { folder, moved })
}

fn lacking(check: Check, needed: &[(&str, bool)], finding: &'static Finding) -> CheckResult {
    let lacking: Vec<_> = needed
        .iter()
        .filter_map(|(name, held)| (!held).then_some(*name))
        .collect();
    if lacking.is_empty() {
        return CheckResult::passed(check);
    }
    let result = CheckResult::failed(check, finding);
    result.and(format!("missing: {}", lacking.join(", ")))
}
