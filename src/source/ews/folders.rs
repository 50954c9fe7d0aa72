//! Opening, listing and creating folders.

use super::EwsSource;
use super::answer::{FolderRow, ResponseMessage, read_folders};
use super::codes::Class;
use super::request::{CreateFolder, FindFolder, FolderRef, GetFolder, Named, Request, Routed};
use super::routes::{
    DETOURS, Place, WRONG_SESSION, is_misrouted, may_be_misrouted, says_misrouted,
};
use super::soap::Tree;
use crate::error::{Error, Result, ServerContext, codes};
use crate::source::{Folder, FolderPage, FolderPath, FolderRoot, FolderSelector, ListRequest};

/// The folder that Exchange Online makes for a mailbox; 2013 SP1 has no distinguished name for it.
const ARCHIVE: &str = "Archive";

/// The folders of an answer, and whose answer it was.
struct Answered {
    rows: Vec<FolderRow>,
    complete: bool,
    server: ServerContext,
}

/// What a look for one folder gave.
struct Found {
    folder: Option<Folder>,
    server: ServerContext,
}

impl Found {
    fn or_missing(self, name: &str) -> Result<Folder> {
        let name: String = name.chars().take(60).collect();
        self.folder.ok_or_else(|| {
            Error::new(&codes::EWS_FOLDER_NOT_FOUND, "FindFolder")
                .with_detail(format!("no folder {name:?}"))
                .with_server(self.server)
        })
    }
}

impl EwsSource {
    pub(super) async fn open(&self, selector: &FolderSelector) -> Result<Folder> {
        match selector {
            FolderSelector::Id(id, path) => {
                let mut folder = Folder::new(id.clone());
                folder.path.clone_from(path);
                folder.public = path.as_ref().is_some_and(is_public);
                Ok(folder)
            }
            FolderSelector::Path(path) => self.open_path(path).await,
        }
    }

    async fn open_path(&self, path: &FolderPath) -> Result<Folder> {
        let (names, tree) = (names(path), tree_of(path));
        let mut at = self.root(path.root());
        let Some((last, parents)) = names.split_last() else {
            return self.open_root(&at, path).await;
        };
        for name in parents {
            at = folder_ref(&self.find(&at, name, tree).await?.or_missing(name)?);
        }
        let found = self.find(&at, last, tree).await?.or_missing(last)?;
        Ok(placed(found, path))
    }

    pub(super) async fn child_folders(
        &self,
        parent: &FolderSelector,
        page: ListRequest,
    ) -> Result<FolderPage> {
        let (parent, path, tree) = match parent {
            FolderSelector::Path(path) if names(path).is_empty() => {
                (self.root(path.root()), Some(path.clone()), tree_of(path))
            }
            selector => {
                let folder = self.open(selector).await?;
                let tree = if folder.public {
                    Place::Tree
                } else {
                    Place::Elsewhere
                };
                (folder_ref(&folder), folder.path, tree)
            }
        };
        let request = FindFolder {
            parent: &parent,
            which: Named::Any(page),
        };
        let answered = self.folders(&request, tree).await?;
        self.inner.routes.note(&parent, &answered.rows);
        let listed = u32::try_from(answered.rows.len()).unwrap_or(u32::MAX);
        let mail = answered.rows.into_iter().filter(|row| is_mail(&row.folder));
        Ok(FolderPage::new(
            mail.map(|row| below(row, path.as_ref())).collect(),
            answered.complete,
        )
        .with_listed(listed))
    }

    pub(super) async fn create_path(&self, path: &FolderPath) -> Result<Folder> {
        let mut at = self.root(path.root());
        let tree = tree_of(path);
        let mut opened = None;
        for name in &names(path) {
            let folder = match self.find(&at, name, tree).await?.folder {
                Some(folder) => folder,
                None => self.create_below(&at, name, tree).await?,
            };
            at = folder_ref(&folder);
            opened = Some(folder);
        }
        match opened {
            Some(folder) => Ok(placed(folder, path)),
            None => self.open_root(&at, path).await,
        }
    }

    async fn create_below(
        &self,
        parent: &FolderRef,
        name: &str,
        place: Place<'_>,
    ) -> Result<Folder> {
        let request = CreateFolder { parent, name };
        let mut tree = Tree::default();
        let message = self.ask_at(&request, place, &mut tree).await?;
        match message.class() {
            Class::Fine => {}
            Class::Exists => return self.find(parent, name, place).await?.or_missing(name),
            class => return Err(refusal(class, request.name(), &message)),
        }
        let created = read_folders(&tree)
            .0
            .into_iter()
            .next()
            .map(|row| row.folder);
        match created {
            Some(mut folder) => {
                folder.name.get_or_insert_with(|| name.to_owned());
                Ok(folder)
            }
            None => self.find(parent, name, place).await?.or_missing(name),
        }
    }

    async fn open_root(&self, root: &FolderRef, path: &FolderPath) -> Result<Folder> {
        let answered = self
            .folders(&GetFolder { folder: root }, tree_of(path))
            .await?;
        let found = Found {
            folder: answered.rows.into_iter().next().map(|row| row.folder),
            server: answered.server,
        };
        Ok(placed(found.or_missing(path.root().code())?, path))
    }

    /// The folder with this name right below another one. Exchange compares names without case; one that is written
    /// exactly so goes before others.
    async fn find(&self, parent: &FolderRef, name: &str, place: Place<'_>) -> Result<Found> {
        let request = FindFolder {
            parent,
            which: Named::Exactly(name),
        };
        let answered = self.folders(&request, place).await?;
        self.inner.routes.note(parent, &answered.rows);
        let mut rows = answered.rows;
        rows.retain(|row| row.name.to_lowercase() == name.to_lowercase());
        if rows.len() > 1 {
            let exact: Vec<_> = rows.iter().filter(|row| row.name == name).collect();
            if exact.len() != 1 {
                let error = Error::new(&codes::EWS_FOLDER_AMBIGUOUS, request.name());
                return Err(error.with_server(answered.server));
            }
            rows.retain(|row| row.name == name);
        }
        Ok(Found {
            folder: rows.pop().map(|row| row.folder),
            server: answered.server,
        })
    }

    async fn folders(&self, request: &dyn Request, place: Place<'_>) -> Result<Answered> {
        let mut tree = Tree::default();
        let message = self.ask_at(request, place, &mut tree).await?;
        match message.class() {
            Class::Fine => {
                let (rows, complete) = read_folders(&tree);
                let server = message.server;
                Ok(Answered {
                    rows,
                    complete,
                    server,
                })
            }
            Class::Gone => Err(refusal(Class::FolderGone, request.name(), &message)),
            class => Err(refusal(class, request.name(), &message)),
        }
    }

    /// Asks on the way to a place, and on another one where the first shows that it is the wrong one.
    async fn ask_at(
        &self,
        request: &dyn Request,
        place: Place<'_>,
        tree: &mut Tree,
    ) -> Result<ResponseMessage> {
        let mut first = None;
        for _ in 0..=DETOURS {
            let way = self.way(place).await;
            let routed = Routed::new(request, way.as_ref());
            let asked = self.session().ask(&routed, tree).await;
            let wrong = match &asked {
                Ok(message) => message.misrouted || message.class() == Class::FolderGone,
                Err(error) => may_be_misrouted(error),
            };
            if !wrong {
                self.inner.routes.note_answer(place, way.as_ref(), true);
                return asked;
            }
            let trouble = match &asked {
                Ok(message) => message.misrouted,
                Err(error) => is_misrouted(error),
            };
            first.get_or_insert(asked);
            if self.reroute(place, way.as_ref()).await {
                continue;
            }
            if trouble && way.is_some() {
                let way = self.way(place).await;
                let routed = Routed::patient(request, way.as_ref());
                return self.session().ask(&routed, tree).await;
            }
            break;
        }
        first.unwrap_or_else(|| Err(Error::new(&codes::INTERNAL, "EwsSource")))
    }

    fn root(&self, root: &FolderRoot) -> FolderRef {
        let mailbox = self.inner.mailbox.clone();
        match root {
            // Exchange refuses a mailbox beside this one.
            FolderRoot::PublicFolders => FolderRef::Distinguished("publicfoldersroot", None),
            FolderRoot::Inbox => FolderRef::Distinguished("inbox", mailbox),
            FolderRoot::Mailbox | FolderRoot::Archive => {
                FolderRef::Distinguished("msgfolderroot", mailbox)
            }
        }
    }
}

/// The error of a response message that is no success.
pub(super) fn refusal(class: Class, operation: &'static str, message: &ResponseMessage) -> Error {
    class.error(operation, message.decisive_code(), message.server.clone())
}

/// The error of a response message that has come from the wrong mailbox.
pub(super) fn misrouted(operation: &'static str, message: &ResponseMessage) -> Error {
    let error = refusal(message.class(), operation, message);
    if says_misrouted(&message.code, "") {
        error
    } else {
        error.with_detail(WRONG_SESSION)
    }
}

/// The error of a success that lacks what it has to hold.
pub(super) fn unreadable(message: &ResponseMessage, detail: &'static str) -> Error {
    Error::new(&codes::EWS_NOT_SOAP, "FindItem")
        .with_detail(detail)
        .with_server(message.server.clone())
}

/// The id of an open folder.
pub(super) fn folder_ref(folder: &Folder) -> FolderRef {
    FolderRef::Id(folder.id.as_str().to_owned())
}

fn names(path: &FolderPath) -> Vec<String> {
    let archive = (path.root() == &FolderRoot::Archive).then(|| ARCHIVE.to_owned());
    archive
        .into_iter()
        .chain(path.segments().iter().cloned())
        .collect()
}

fn placed(mut folder: Folder, path: &FolderPath) -> Folder {
    folder.public = is_public(path);
    folder.path = Some(path.clone());
    folder
}

fn below(row: FolderRow, parent: Option<&FolderPath>) -> Folder {
    let FolderRow { folder, name, .. } = row;
    let Some(parent) = parent else { return folder };
    let segments = parent.segments().iter().cloned().chain([name]);
    let path = FolderPath::new(parent.root().clone(), segments);
    placed(folder, &path)
}

fn tree_of(path: &FolderPath) -> Place<'static> {
    if is_public(path) {
        Place::Tree
    } else {
        Place::Elsewhere
    }
}

fn is_public(path: &FolderPath) -> bool {
    path.root() == &FolderRoot::PublicFolders
}

fn is_mail(folder: &Folder) -> bool {
    let class = folder.class.as_deref().unwrap_or_default();
    class.is_empty() || class == "IPF" || class == "IPF.Note" || class.starts_with("IPF.Note.")
}
