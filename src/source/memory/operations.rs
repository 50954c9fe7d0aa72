//! The source's operations, each as one step under the lock.

use async_trait::async_trait;

use super::calls::{SourceCall, SourceOperation};
use super::faults::{ItemFault, SourceFault};
use super::{MemoryItem, MemorySource, State};
use crate::error::{Error, Result, codes};
use crate::message::MailFacts;
use crate::source::{
    Disposal, FetchSink, Fetched, Folder, FolderId, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailSource, Moved, Removed, SightingKey, Sought, SourceCapabilities,
    Stamped,
};

#[async_trait]
impl MailSource for MemorySource {
    fn capabilities(&self) -> SourceCapabilities {
        self.capabilities
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        match folder {
            FolderSelector::Id(id, path) => Ok(Folder {
                path: path.clone(),
                ..Folder::new(id.clone())
            }),
            FolderSelector::Path(path) => {
                let call = SourceCall::new(SourceOperation::OpenFolder, None, 1);
                let (state, fault) = self.begin(call)?;
                SourceFault::lost_reply(fault)?;
                let id = state.room.folder_at(path);
                id.and_then(|id| state.room.folder(&id))
                    .ok_or_else(|| no_folder("open_folder"))
            }
        }
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let limit = request.limit.min(self.capabilities.list_page) as usize;
        let (state, fault) = self.begin(call(SourceOperation::List, folder, limit))?;
        SourceFault::lost_reply(fault)?;
        opened(&state, folder, "list")?;
        let mut all = state.room.list(&folder.id);
        if !self.capabilities.stable_keys {
            for item in &mut all {
                let stamped = matches!(item.key, Some(SightingKey::Stamp(_)));
                item.key = item.key.take().filter(|_| stamped);
            }
        }
        let total = all.len();
        let offset = request.offset as usize;
        let items: Vec<_> = all.into_iter().skip(offset).take(limit).collect();
        let complete = offset.saturating_add(items.len()) >= total;
        Ok(Listing::new(items, Some(total as u64), complete))
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        within(items.len(), self.capabilities.fetch_batch, "fetch")?;
        let mut fault = {
            let call = call(SourceOperation::Fetch, from, items.len());
            let (state, fault) = self.begin(call)?;
            opened(&state, from, "fetch")?;
            fault
        };
        for (index, item) in items.iter().enumerate() {
            let faulty = SourceFault::of_item(&mut fault, index);
            self.fetch_one(&from.id, index, item, faulty, sink).await?;
        }
        SourceFault::lost_reply(fault)
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        within(items.len(), self.capabilities.move_batch, "move_to")?;
        let call = call(SourceOperation::MoveTo, from, items.len());
        let (mut state, mut fault) = self.begin(call)?;
        opened(&state, from, "move_to")?;
        opened(&state, to, "move_to")?;
        let mut answers = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let faulty = SourceFault::of_item(&mut fault, index);
            answers.push(move_one(&mut state, &from.id, item, &to.id, faulty)?);
        }
        SourceFault::lost_reply(fault)?;
        Ok(answers)
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        if !self.capabilities.locate {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "locate"));
        }
        let call = call(SourceOperation::Locate, folder, sought.len());
        let (state, fault) = self.begin(call)?;
        SourceFault::lost_reply(fault)?;
        opened(&state, folder, "locate")?;
        let each = sought.iter();
        Ok(each
            .map(|it| state.room.locate(&folder.id, &it.key))
            .collect())
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        if !self.capabilities.remove {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "remove"));
        }
        within(items.len(), self.capabilities.move_batch, "remove")?;
        let call = call(SourceOperation::Remove, from, items.len());
        let (mut state, mut fault) = self.begin(call)?;
        opened(&state, from, "remove")?;
        let mut answers = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let faulty = SourceFault::of_item(&mut fault, index);
            answers.push(remove_one(&mut state, &from.id, item, disposal, faulty)?);
        }
        SourceFault::lost_reply(fault)?;
        Ok(answers)
    }

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        if !self.capabilities.stamps {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "stamp"));
        }
        let call = call(SourceOperation::Stamp, from, items.len());
        let (mut state, mut fault) = self.begin(call)?;
        opened(&state, from, "stamp")?;
        let mut answers = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let faulty = SourceFault::of_item(&mut fault, index);
            answers.push(stamp_one(&mut state, &from.id, item, faulty)?);
        }
        SourceFault::lost_reply(fault)?;
        Ok(answers)
    }
}

impl MemorySource {
    async fn fetch_one(
        &self,
        from: &FolderId,
        index: usize,
        item: &ListedItem,
        fault: Option<ItemFault>,
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let found = self.look(from, &item.item);
        let size = found.as_ref().map(|(found, _)| found.original.len() as u64);
        let ends = match fault {
            Some(ItemFault::Ends(error)) => return Err(error),
            Some(ItemFault::CutOff(error)) => Some(error),
            Some(ItemFault::Gone) => {
                sink.begin(index, size);
                return sink.end(Fetched::Gone).await;
            }
            Some(ItemFault::Failed(error) | ItemFault::Half(error)) => {
                sink.begin(index, size);
                return sink.end(Fetched::Failed(error)).await;
            }
            None => None,
        };
        sink.begin(index, size);
        let Some((found, damaged)) = found else {
            return sink.end(Fetched::Gone).await;
        };
        if damaged {
            let error = Error::new(&codes::EWS_ITEM_DAMAGED, "fetch").with_item(&item.item.id);
            let facts = Box::new(facts(&found));
            return sink.end(Fetched::WithoutOriginal(facts, error)).await;
        }
        let half = found.original.len() / 2;
        let bytes = if ends.is_some() {
            &found.original[..half]
        } else {
            &found.original[..]
        };
        for chunk in bytes.chunks(self.chunk_bytes) {
            sink.chunk(chunk).await?;
        }
        match ends {
            Some(error) => Err(error),
            None => sink.end(Fetched::Complete(Box::new(facts(&found)))).await,
        }
    }

    /// The item and whether it is damaged, where it is in the folder.
    fn look(&self, from: &FolderId, item: &ItemRef) -> Option<(MemoryItem, bool)> {
        let state = self.state();
        let found = state.room.find(from, item);
        let found = found.or_else(|| state.room.by_old_id(item))?;
        let damaged = state.unreadable.contains(&found.key);
        Some((found, damaged))
    }
}

fn facts(found: &MemoryItem) -> MailFacts {
    let mut facts = found.facts.clone();
    facts.size.get_or_insert(found.original.len() as u64);
    facts
}

fn move_one(
    state: &mut State,
    from: &FolderId,
    item: &ItemRef,
    to: &FolderId,
    fault: Option<ItemFault>,
) -> Result<Moved> {
    if state.room.find(from, item).is_none() {
        let Some(found) = state.room.by_old_id(item) else {
            return Ok(Moved::Gone);
        };
        return Ok(Moved::Done(state.room.copy_to(&found.item, to)));
    }
    match fault {
        Some(ItemFault::Gone) => Ok(Moved::Gone),
        Some(ItemFault::Failed(error)) => Ok(Moved::Failed(error)),
        Some(ItemFault::Half(error)) => {
            state.room.copy_to(item, to);
            Ok(Moved::Failed(error))
        }
        Some(ItemFault::Ends(error) | ItemFault::CutOff(error)) => Err(error),
        None => Ok(Moved::Done(state.room.move_to(item, to))),
    }
}

fn stamp_one(
    state: &mut State,
    from: &FolderId,
    item: &ItemRef,
    fault: Option<ItemFault>,
) -> Result<Stamped> {
    match fault {
        Some(ItemFault::Gone) => return Ok(Stamped::Gone),
        Some(ItemFault::Failed(error) | ItemFault::Half(error)) => {
            return Ok(Stamped::Failed(error));
        }
        Some(ItemFault::Ends(error) | ItemFault::CutOff(error)) => return Err(error),
        None => {}
    }
    let Some((old, key, item)) = state.room.stamp(from, item) else {
        return Ok(Stamped::Gone);
    };
    if state.unreadable.remove(&old) {
        state.unreadable.insert(key.clone());
    }
    Ok(Stamped::Done(key, item))
}

fn remove_one(
    state: &mut State,
    from: &FolderId,
    item: &ItemRef,
    disposal: Disposal,
    fault: Option<ItemFault>,
) -> Result<Removed> {
    if state.room.find(from, item).is_none() {
        return Ok(Removed::Gone);
    }
    match fault {
        Some(ItemFault::Gone) => Ok(Removed::Gone),
        Some(ItemFault::Failed(error) | ItemFault::Half(error)) => Ok(Removed::Failed(error)),
        Some(ItemFault::Ends(error) | ItemFault::CutOff(error)) => Err(error),
        None => {
            state.room.remove(item, disposal);
            Ok(Removed::Done)
        }
    }
}

fn call(operation: SourceOperation, folder: &Folder, items: usize) -> SourceCall {
    SourceCall::new(operation, Some(folder.id.clone()), items)
}

fn opened(state: &State, folder: &Folder, operation: &'static str) -> Result<()> {
    if state.room.has(&folder.id) {
        Ok(())
    } else {
        Err(no_folder(operation))
    }
}

pub(super) fn no_folder(operation: &'static str) -> Error {
    Error::new(&codes::SOURCE_FOLDER_NOT_FOUND, operation)
}

/// A caller that asks for more than the capabilities allow has a mistake that a real server would punish.
fn within(items: usize, limit: u32, operation: &'static str) -> Result<()> {
    if items <= limit as usize {
        return Ok(());
    }
    let error = Error::new(&codes::INTERNAL, operation);
    Err(error.with_detail("more items than the source's capabilities allow"))
}
