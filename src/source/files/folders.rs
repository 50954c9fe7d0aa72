//! Looking around and making directories, below the place that files are moved to.

use std::path::Path;

use async_trait::async_trait;

use super::fault::error;
use super::inner::prepare;
use super::operations::{folder, id_of};
use super::room::Room;
use super::{FileSource, INBOX};
use crate::error::{Error, Result, codes};
use crate::source::{Folder, FolderPage, FolderPath, FolderSelector, ListRequest, MailFolders};

#[async_trait]
impl MailFolders for FileSource {
    async fn children(&self, parent: &FolderSelector, request: ListRequest) -> Result<FolderPage> {
        let path = match parent {
            FolderSelector::Path(path) | FolderSelector::Id(_, Some(path)) => path.clone(),
            FolderSelector::Id(_, None) => {
                return Err(Error::new(&codes::SOURCE_FOLDER_NOT_FOUND, "children"));
            }
        };
        let above = self.folder_at(&path, "children").await?;
        let room = self.inner.room(&above.id);
        let dir = room.and_then(|room| room.dir().map(Path::to_owned));
        let Some(dir) = dir.filter(|_| above.id.as_str() != INBOX) else {
            return Ok(FolderPage::new(Vec::new(), true));
        };
        let names = self.desk.call("children", move || below(&dir)).await?;
        let names = names.map_err(|cause| error("children", cause))?;
        let (offset, limit) = (request.offset as usize, request.limit as usize);
        let page: Vec<&String> = names.iter().skip(offset).take(limit).collect();
        let complete = offset.saturating_add(page.len()) >= names.len();
        let folders = page.into_iter().filter_map(|name| {
            let segments = path.segments().iter().chain([name]).cloned();
            let path = FolderPath::new(path.root().clone(), segments);
            Some(folder(id_of(&path)?, path))
        });
        Ok(FolderPage::new(folders.collect(), complete))
    }

    async fn create(&self, path: &FolderPath) -> Result<Folder> {
        let refused = || Error::new(&codes::SOURCE_UNSUPPORTED, "create");
        let id = id_of(path).ok_or_else(refused)?;
        let room = self.inner.room(&id).ok_or_else(refused)?;
        if id.as_str() != INBOX && room != Room::Nowhere {
            let made = self.desk.call("create", move || prepare(&room)).await?;
            made.map_err(|cause| error("create", cause))?;
        }
        Ok(folder(id, path.clone()))
    }
}

/// The directories right below, by name. Names that are no text, and a Maildir's own directories, are left out.
fn below(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = match dir.read_dir() {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(names),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let own = name.starts_with('.') || ["cur", "new", "tmp"].contains(&name.as_str());
        if entry.file_type()?.is_dir() && !own {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
