//! The source's operations, each as one job of the thread; a fetch is one job per chunk.

use std::sync::Arc;

use async_trait::async_trait;

use super::fault::{Refusal, refusal};
use super::reading::Reading;
use super::{ARCHIVE, FileSource, INBOX, name};
use crate::error::{Error, Result, codes};
use crate::message::MailFacts;
use crate::source::{
    Disposal, FetchSink, Fetched, Folder, FolderId, FolderPath, FolderRoot, FolderSelector,
    ItemRef, ListRequest, ListedItem, Listing, MailSource, Moved, Removed, SightingKey, Sought,
    SourceCapabilities,
};

/// Files of one page of a listing: each is read for its key.
const LIST_PAGE: u32 = 500;

#[async_trait]
impl MailSource for FileSource {
    fn capabilities(&self) -> SourceCapabilities {
        SourceCapabilities {
            remove: false,
            moves: self.inner.move_to.is_some(),
            list_page: LIST_PAGE,
            ..SourceCapabilities::default()
        }
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        match folder {
            FolderSelector::Id(id, path) => Ok(Folder {
                path: path.clone(),
                ..Folder::new(id.clone())
            }),
            FolderSelector::Path(path) => self.folder_at(path, "open_folder").await,
        }
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let (inner, folder) = (Arc::clone(&self.inner), folder.id.clone());
        let request = ListRequest::new(request.offset, request.limit.min(LIST_PAGE));
        let listed = self.desk.call("list", move || inner.list(&folder, request));
        listed.await?
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        for (index, item) in items.iter().enumerate() {
            self.fetch_one(&from.id, index, item, sink).await?;
        }
        Ok(())
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        if self.inner.move_to.is_none() {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "move_to"));
        }
        let (inner, items) = (Arc::clone(&self.inner), items.to_vec());
        let (from, to) = (from.id.clone(), to.id.clone());
        let moved = self
            .desk
            .call("move_to", move || inner.move_to(&from, &items, &to));
        moved.await?
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        let (inner, folder, sought) = (Arc::clone(&self.inner), folder.id.clone(), sought.to_vec());
        let found = self
            .desk
            .call("locate", move || inner.locate(&folder, &sought));
        found.await?
    }

    async fn remove(
        &self,
        _from: &Folder,
        _items: &[ItemRef],
        _disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "remove"))
    }
}

impl FileSource {
    /// The folder of a path, if it exists.
    pub(super) async fn folder_at(
        &self,
        path: &FolderPath,
        operation: &'static str,
    ) -> Result<Folder> {
        let missing = || Error::new(&codes::SOURCE_FOLDER_NOT_FOUND, operation);
        let id = id_of(path).ok_or_else(missing)?;
        let room = self.inner.room(&id).ok_or_else(missing)?;
        // The place for moved mail itself is made when it is needed.
        if !path.segments().is_empty() {
            let dir = room.dir().map(std::path::Path::to_owned);
            let exists = move || dir.is_some_and(|dir| dir.is_dir());
            if !self.desk.call(operation, exists).await? {
                return Err(missing());
            }
        }
        Ok(folder(id, path.clone()))
    }

    async fn fetch_one(
        &self,
        from: &FolderId,
        index: usize,
        item: &ListedItem,
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        sink.begin(index, item.size);
        let (inner, folder, place) = (Arc::clone(&self.inner), from.clone(), item.item.clone());
        let begin = move || step(inner.open(&folder, &place)?);
        let mut step_made = self.desk.call("fetch", begin).await?;
        loop {
            let (reading, chunk, more) = match step_made {
                Ok(made) => made,
                Err(Refusal::Gone) => return sink.end(Fetched::Gone).await,
                Err(Refusal::Failed(error)) => return sink.end(Fetched::Failed(error)).await,
            };
            if !chunk.is_empty() {
                sink.chunk(&chunk).await?;
            }
            if !more {
                return sink.end(ended(&reading, item)).await;
            }
            step_made = self.desk.call("fetch", move || step(reading)).await?;
        }
    }
}

type Step = std::result::Result<(Reading, Vec<u8>, bool), Refusal>;

/// Reads the next chunk.
fn step(mut reading: Reading) -> Step {
    let (chunk, more) = reading.next().map_err(|cause| refusal("fetch", cause))?;
    Ok((reading, chunk, more))
}

/// What came of a mail that was read to its end. It has to be the one that was listed.
fn ended(reading: &Reading, item: &ListedItem) -> Fetched {
    let survey = match reading.survey() {
        Ok(survey) => survey,
        Err(error) => return Fetched::Failed(error),
    };
    if survey.size == 0 {
        return Fetched::Failed(Error::new(&codes::FILES_EMPTY, "fetch"));
    }
    let listed = |key: &SightingKey| *key == SightingKey::Content(survey.digest);
    if !item.key.as_ref().is_none_or(listed) {
        return Fetched::Failed(Error::new(&codes::FILES_CHANGED, "fetch"));
    }
    Fetched::Complete(Box::new(MailFacts {
        received: survey.received,
        size: Some(survey.size),
        ..MailFacts::default()
    }))
}

/// The id of the folder with this path, if there can be one.
pub(super) fn id_of(path: &FolderPath) -> Option<FolderId> {
    let root = match path.root() {
        FolderRoot::Inbox if path.segments().is_empty() => INBOX,
        FolderRoot::Archive => ARCHIVE,
        _ => return None,
    };
    let mut id = root.to_owned();
    for segment in path.segments() {
        let plain = name::is_one_name(segment.as_ref()) && !segment.starts_with('.');
        let text = plain.then(|| name::encode(segment.as_ref()))?;
        id.push('/');
        id.push_str(&text);
    }
    Some(FolderId::new(id))
}

pub(super) fn folder(id: FolderId, path: FolderPath) -> Folder {
    let name = path.segments().last().cloned();
    Folder {
        path: Some(path),
        name,
        ..Folder::new(id)
    }
}
