//! Looking around and creating folders.

use async_trait::async_trait;

use super::MemorySource;
use super::calls::{SourceCall, SourceOperation};
use super::faults::SourceFault;
use super::operations::no_folder;
use crate::error::Result;
use crate::source::{Folder, FolderPage, FolderPath, FolderSelector, ListRequest, MailFolders};

#[async_trait]
impl MailFolders for MemorySource {
    async fn children(&self, parent: &FolderSelector, request: ListRequest) -> Result<FolderPage> {
        let call = SourceCall::new(SourceOperation::Children, None, request.limit as usize);
        let (state, fault) = self.begin(call)?;
        SourceFault::lost_reply(fault)?;
        let path = match parent {
            FolderSelector::Path(path) => Some(path.clone()),
            FolderSelector::Id(id, _) => state.room.folder(id).and_then(|folder| folder.path),
        };
        let path = path.ok_or_else(|| no_folder("children"))?;
        let known = path.segments().is_empty() || state.room.folder_at(&path).is_some();
        if !known {
            return Err(no_folder("children"));
        }
        let below = state.room.children(&path);
        let asked = below.iter().skip(request.offset as usize);
        let asked = asked.take(request.limit as usize);
        let folders: Vec<_> = asked.filter_map(|id| state.room.folder(id)).collect();
        let complete = request.offset as usize + folders.len() >= below.len();
        Ok(FolderPage::new(folders, complete))
    }

    async fn create(&self, path: &FolderPath) -> Result<Folder> {
        let call = SourceCall::new(SourceOperation::Create, None, 1);
        let (mut state, fault) = self.begin(call)?;
        let id = state.room.create(path);
        SourceFault::lost_reply(fault)?;
        state.room.folder(&id).ok_or_else(|| no_folder("create"))
    }
}
