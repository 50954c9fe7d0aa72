//! The folders of a run, opened once and kept for the runs that follow.

use crate::decision::Disposition;
use crate::error::{Error, ErrorKind, Result, codes};
use crate::source::{Folder, FolderSelector, MailSource};

use super::report::RunStep;

/// Which folders a logger works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FolderPlan {
    pub(super) queue: FolderSelector,
    pub(super) storage: FolderSelector,
    pub(super) not_logged: Option<FolderSelector>,
    pub(super) quarantine: Option<FolderSelector>,
}

/// The same folders, open.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    pub(super) queue: Folder,
    storage: Folder,
    not_logged: Option<Folder>,
    quarantine: Option<Folder>,
    /// Whether the quarantine folder is configured and was not found: what is set aside waits in the queue until it is.
    pub(super) quarantine_is_missing: bool,
    /// What the source can do with mail that is decided.
    can: Can,
}

#[derive(Debug, Clone, Copy)]
struct Can {
    move_mail: bool,
    remove: bool,
}

impl FolderPlan {
    /// Opens every folder and checks that none of the targets is the queue.
    pub(super) async fn open(&self, source: &dyn MailSource) -> Result<Folders, (RunStep, Error)> {
        let queue = source
            .open_folder(&self.queue)
            .await
            .map_err(|error| (RunStep::OpeningQueueFolder, error))?;
        let storage = open_target(source, &self.storage, &queue).await?;
        let not_logged = open_optional(source, self.not_logged.as_ref(), &queue).await?;
        // It concerns only what is set aside: all other mail goes on without it.
        let quarantine = match open_optional(source, self.quarantine.as_ref(), &queue).await {
            Err((_, error)) if error.kind() == ErrorKind::NotFound => None,
            opened => opened?,
        };
        let capabilities = source.capabilities();
        let can = Can {
            move_mail: capabilities.moves,
            remove: capabilities.remove,
        };
        Ok(Folders {
            can,
            queue,
            storage,
            not_logged,
            quarantine_is_missing: self.quarantine.is_some() && quarantine.is_none(),
            quarantine,
        })
    }
}

async fn open_optional(
    source: &dyn MailSource,
    selector: Option<&FolderSelector>,
    queue: &Folder,
) -> Result<Option<Folder>, (RunStep, Error)> {
    match selector {
        Some(selector) => open_target(source, selector, queue).await.map(Some),
        None => Ok(None),
    }
}

async fn open_target(
    source: &dyn MailSource,
    selector: &FolderSelector,
    queue: &Folder,
) -> Result<Folder, (RunStep, Error)> {
    let step = RunStep::OpeningStorageFolder;
    let folder = source
        .open_folder(selector)
        .await
        .map_err(|error| (step, error))?;
    if folder.id == queue.id {
        return Err((
            step,
            Error::new(&codes::SETUP_QUEUE_EQUALS_STORAGE, "open_folder"),
        ));
    }
    Ok(folder)
}

impl Folders {
    /// The folder that a disposition moves to; `None` where the mail stays or is deleted.
    pub(super) fn target(&self, disposition: Disposition) -> Option<&Folder> {
        match disposition {
            Disposition::Storage => Some(&self.storage),
            Disposition::NotLogged => Some(self.not_logged.as_ref().unwrap_or(&self.storage)),
            Disposition::Quarantine => self.quarantine.as_ref(),
            Disposition::Leave | Disposition::Delete => None,
        }
    }

    /// What goes with one call: mails of one lane have one folder, and what is wrong with it concerns them all.
    pub(super) fn lane(&self, disposition: Disposition) -> &'static str {
        let target = self.target(disposition);
        match disposition {
            Disposition::NotLogged if target.is_some_and(|it| it.id == self.storage.id) => {
                Disposition::Storage.code()
            }
            other => other.code(),
        }
    }

    /// The folders that mail is moved to, each once, with the disposition that leads there.
    pub(super) fn targets(&self) -> Vec<(Disposition, &Folder)> {
        let mut targets = vec![(Disposition::Storage, &self.storage)];
        let others = [
            (Disposition::NotLogged, self.not_logged.as_ref()),
            (Disposition::Quarantine, self.quarantine.as_ref()),
        ];
        for (disposition, folder) in others {
            if let Some(folder) = folder
                && targets.iter().all(|(_, known)| known.id != folder.id)
            {
                targets.push((disposition, folder));
            }
        }
        targets
    }

    /// What becomes of a disposition with these folders: where no quarantine folder is configured the mail stays; so does
    /// all mail of a source that cannot move. What such a source should delete and cannot goes where mail that is not logged
    /// goes.
    pub(super) fn effective(&self, disposition: Disposition) -> Disposition {
        match disposition {
            _ if !self.can.move_mail => Disposition::Leave,
            Disposition::Delete if !self.can.remove => Disposition::NotLogged,
            Disposition::Quarantine if self.quarantine.is_none() && !self.quarantine_is_missing => {
                Disposition::Leave
            }
            other => other,
        }
    }
}
