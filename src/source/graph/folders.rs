//! Opening, listing and creating folders.

use serde::Serialize;

use super::GraphSource;
use super::address::{encoded, quoted};
use super::batch::json_of;
use super::json::{MailFolder, Page};
use super::session::Question;
use crate::error::{Error, Result, codes};
use crate::source::{
    Folder, FolderId, FolderPage, FolderPath, FolderRoot, FolderSelector, ListRequest,
};

const OPEN: &str = "open_folder";
const CHILDREN: &str = "children";
const CREATE: &str = "create";

const FIELDS: &str = "$select=id,displayName,childFolderCount";

/// Folders of one page, and pages of one level; beyond that somebody creates folders faster than one can look.
const PAGE: u32 = 250;
const PAGES: usize = 400;

/// What a mailbox may lack in which nobody has archived anything yet.
const NO_ARCHIVE: &str =
    "the mailbox has no Archive folder: archive one mail in Outlook, or choose another folder";

/// The names that stand for the id of a folder with mail (Microsoft Graph, "mailFolder resource type").
const WELL_KNOWN: [&str; 8] = [
    "archive",
    "clutter",
    "deleteditems",
    "drafts",
    "inbox",
    "junkemail",
    "msgfolderroot",
    "sentitems",
];

fn is_well_known(id: &str) -> bool {
    WELL_KNOWN.iter().any(|name| name.eq_ignore_ascii_case(id))
}

impl GraphSource {
    pub(super) async fn open(&self, selector: &FolderSelector) -> Result<Folder> {
        match selector {
            // A name in the place of an id: what lies in the folder is known by the folder's id.
            FolderSelector::Id(id, path) if is_well_known(id.as_str()) => {
                let mut folder = self.open_root(id.as_str()).await?;
                folder.path.clone_from(path);
                Ok(folder)
            }
            FolderSelector::Id(id, path) => {
                let mut folder = Folder::new(id.clone());
                folder.path.clone_from(path);
                Ok(folder)
            }
            FolderSelector::Path(path) => self.open_path(path).await,
        }
    }

    async fn open_path(&self, path: &FolderPath) -> Result<Folder> {
        let mut at = root(path.root(), OPEN)?.to_owned();
        let Some((last, parents)) = path.segments().split_last() else {
            return self.opened_root(&at, path).await;
        };
        for name in parents {
            at = or_missing(self.find(OPEN, &at, name).await?, name)?.id;
        }
        let found = or_missing(self.find(OPEN, &at, last).await?, last)?;
        Ok(placed(found, path))
    }

    async fn opened_root(&self, name: &str, path: &FolderPath) -> Result<Folder> {
        let mut folder = self.open_root(name).await.map_err(|error| {
            let missing = error.code() == codes::GRAPH_FOLDER_NOT_FOUND.code;
            if missing && *path.root() == FolderRoot::Archive {
                error.with_detail(NO_ARCHIVE)
            } else {
                error
            }
        })?;
        folder.path = Some(path.clone());
        Ok(folder)
    }

    /// A folder by its well-known name.
    async fn open_root(&self, name: &str) -> Result<Folder> {
        Ok(open_folder(self.told_of(OPEN, name).await?))
    }

    /// Whether a folder is there: an error says that it is not.
    pub(super) async fn look_at(&self, operation: &'static str, folder: &FolderId) -> Result<()> {
        self.told_of(operation, folder.as_str()).await.map(drop)
    }

    async fn told_of(&self, operation: &'static str, folder: &str) -> Result<MailFolder> {
        let path = format!("/mailFolders/{}?{FIELDS}", encoded(folder));
        let question = Question::of(operation, self.session().addresses.of(&path)?);
        let told = self.session().document::<MailFolder>(&question).await;
        Ok(told.map_err(of_folder)?.content)
    }

    pub(super) async fn child_folders(
        &self,
        parent: &FolderSelector,
        page: ListRequest,
    ) -> Result<FolderPage> {
        let (at, path) = match parent {
            FolderSelector::Path(path) if path.segments().is_empty() => {
                (root(path.root(), CHILDREN)?.to_owned(), Some(path.clone()))
            }
            selector => {
                let folder = self.open(selector).await?;
                (folder.id.as_str().to_owned(), folder.path)
            }
        };
        let limit = page.limit.min(PAGE);
        if limit == 0 {
            return Ok(FolderPage::default());
        }
        let url = self.session().addresses.of(&format!(
            "/mailFolders/{}/childFolders?$top={limit}&$skip={}&{FIELDS}",
            encoded(&at),
            page.offset,
        ))?;
        let question = Question::of(CHILDREN, url);
        let told = self.session().document::<Page<MailFolder>>(&question).await;
        let found = told.map_err(of_folder)?.content;
        let complete = found.next.is_none();
        let folders = found.value.into_iter();
        let folders = folders.map(|folder| below(folder, path.as_ref())).collect();
        Ok(FolderPage::new(folders, complete))
    }

    pub(super) async fn create_path(&self, path: &FolderPath) -> Result<Folder> {
        let mut at = root(path.root(), CREATE)?.to_owned();
        let mut opened = None;
        for name in path.segments() {
            let folder = match self.find(CREATE, &at, name).await? {
                Some(folder) => folder,
                None => self.create_below(&at, name).await?,
            };
            at.clone_from(&folder.id);
            opened = Some(folder);
        }
        match opened {
            Some(folder) => Ok(placed(folder, path)),
            None => self.opened_root(&at, path).await,
        }
    }

    async fn create_below(&self, parent: &str, name: &str) -> Result<MailFolder> {
        let path = format!("/mailFolders/{}/childFolders", encoded(parent));
        let url = self.session().addresses.of(&path)?;
        let body = json_of(CREATE, &NewFolder { display_name: name })?;
        let mut question = Question::of(CREATE, url);
        question.body = Some(body);
        question.changes = true;
        match self.session().document::<MailFolder>(&question).await {
            Ok(told) => Ok(told.content),
            // It exists by now, or an answer was lost: the name is looked for.
            Err(error) => match self.find(CREATE, parent, name).await {
                Ok(Some(folder)) => Ok(folder),
                _ => Err(of_folder(error)),
            },
        }
    }

    /// The folder with this name right below another one. Exchange compares names without case; one that is written
    /// exactly so goes before others.
    async fn find(
        &self,
        operation: &'static str,
        parent: &str,
        name: &str,
    ) -> Result<Option<MailFolder>> {
        let mut url = self.session().addresses.of(&format!(
            "/mailFolders/{}/childFolders?includeHiddenFolders=true&$top={PAGE}&$filter=displayName%20eq%20{}&{FIELDS}",
            encoded(parent),
            encoded(&quoted(name)),
        ))?;
        let mut rows: Vec<MailFolder> = Vec::new();
        for _ in 0..PAGES {
            let question = Question::of(operation, url);
            let told = self.session().document::<Page<MailFolder>>(&question).await;
            let page = told.map_err(of_folder)?.content;
            rows.extend(page.value.into_iter().filter(|row| {
                let found = row.display_name.as_deref().unwrap_or_default();
                found.to_lowercase() == name.to_lowercase()
            }));
            let Some(next) = page.next else {
                return only(operation, rows, name);
            };
            url = self.session().addresses.follow(operation, &next)?;
        }
        Err(Error::new(&codes::GRAPH_ANSWERS_MISSING, operation))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewFolder<'a> {
    display_name: &'a str,
}

fn only(
    operation: &'static str,
    mut rows: Vec<MailFolder>,
    name: &str,
) -> Result<Option<MailFolder>> {
    if rows.len() > 1 {
        rows.retain(|row| row.display_name.as_deref() == Some(name));
        if rows.len() != 1 {
            return Err(Error::new(&codes::GRAPH_FOLDER_AMBIGUOUS, operation));
        }
    }
    Ok(rows.pop())
}

/// The well-known name of a root (Microsoft Graph, "mailFolder resource type").
fn root(root: &FolderRoot, operation: &'static str) -> Result<&'static str> {
    match root {
        FolderRoot::PublicFolders => Err(Error::new(&codes::GRAPH_PUBLIC_FOLDERS, operation)),
        FolderRoot::Mailbox => Ok("msgfolderroot"),
        FolderRoot::Inbox => Ok("inbox"),
        FolderRoot::Archive => Ok("archive"),
    }
}

/// What is not found where a folder was asked for is the folder.
pub(super) fn of_folder(error: Error) -> Error {
    if error.code() != codes::GRAPH_NOT_FOUND.code {
        return error;
    }
    let missing = Error::new(&codes::GRAPH_FOLDER_NOT_FOUND, error.operation());
    match error.server() {
        Some(server) => missing.with_server(server.clone()),
        None => missing,
    }
}

fn or_missing(folder: Option<MailFolder>, name: &str) -> Result<MailFolder> {
    let name: String = name.chars().take(60).collect();
    folder.ok_or_else(|| {
        Error::new(&codes::GRAPH_FOLDER_NOT_FOUND, OPEN).with_detail(format!("no folder {name:?}"))
    })
}

fn open_folder(folder: MailFolder) -> Folder {
    let mut open = Folder::new(FolderId::new(folder.id));
    open.name = folder.display_name;
    open.child_folders = folder.child_folder_count;
    open
}

fn placed(folder: MailFolder, path: &FolderPath) -> Folder {
    let mut folder = open_folder(folder);
    folder.path = Some(path.clone());
    folder
}

fn below(folder: MailFolder, parent: Option<&FolderPath>) -> Folder {
    let Some(parent) = parent else {
        return open_folder(folder);
    };
    let name = folder.display_name.clone().unwrap_or_default();
    let segments = parent.segments().iter().cloned().chain([name]);
    let path = FolderPath::new(parent.root().clone(), segments);
    placed(folder, &path)
}
