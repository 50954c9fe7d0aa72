//! A mail source in memory, for tests and demonstrations.
//!
//! Folders by path with mail in them. Ids change on a move, search keys survive it; a test delivers mail, takes it away
//! as a person would, plans faults and reads which calls were made. It must not know the logger or any other source.

mod calls;
mod faults;
mod folders;
mod operations;
mod room;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::room::Room;
use super::{Disposal, FolderPath, ItemRef, SightingKey, SourceCapabilities};
use crate::error::Error;
use crate::faults::Faults;
use crate::message::MailFacts;

pub use calls::{SourceCall, SourceOperation};
pub use faults::SourceFault;

/// Folders with mail in memory. Clones share them.
///
/// Folders come into being when mail is delivered to them or when they are created.
#[derive(Clone)]
pub struct MemorySource {
    capabilities: SourceCapabilities,
    chunk_bytes: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    room: Room,
    calls: Vec<SourceCall>,
    faults: Faults<SourceOperation, SourceFault>,
    unreadable: BTreeSet<SightingKey>,
}

/// One item as a test looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryItem {
    /// Its present id.
    pub item: ItemRef,
    /// Its key.
    pub key: SightingKey,
    /// Its original.
    pub original: Arc<[u8]>,
    /// The server's facts.
    pub facts: MailFacts,
}

impl MemorySource {
    /// A source without folders.
    pub fn new() -> Self {
        Self::default()
    }

    /// A source that says and keeps other limits and abilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: SourceCapabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Hands originals over in pieces of this many bytes; default 64 KiB, at least 1.
    #[must_use]
    pub fn with_chunk_bytes(mut self, bytes: usize) -> Self {
        self.chunk_bytes = bytes.max(1);
        self
    }

    /// Keeps the old id of an item usable after a move, as some servers do: whoever moves by it again makes a second copy.
    #[must_use]
    pub fn with_lasting_ids(self) -> Self {
        self.state().room.keep_old_ids();
        self
    }

    /// Adds an empty folder.
    #[must_use]
    pub fn with_folder(self, path: &FolderPath) -> Self {
        self.state().room.create(path);
        self
    }

    /// Delivers a mail to a folder, after all that are there. The folder is created where it does not exist.
    pub fn deliver(
        &self,
        path: &FolderPath,
        original: impl Into<Vec<u8>>,
        facts: MailFacts,
    ) -> ItemRef {
        self.state().room.deliver(path, original.into(), facts)
    }

    /// The items of a folder, oldest first; none where it does not exist.
    pub fn items(&self, path: &FolderPath) -> Vec<MemoryItem> {
        self.state().room.items(path)
    }

    /// Everything that was removed, with where it went, in order.
    pub fn removed(&self) -> Vec<(MemoryItem, Disposal)> {
        self.state().room.removed()
    }

    /// Takes an item away, as a person would. Answers whether it was there.
    pub fn take_away(&self, item: &ItemRef) -> bool {
        self.state().room.take(item).is_some()
    }

    /// Moves an item, as a person would, and answers its new id.
    pub fn move_by_hand(&self, item: &ItemRef, to: &FolderPath) -> Option<ItemRef> {
        self.state().room.move_to_path(item, to)
    }

    /// Copies an item, as a person would, and answers the copy's id. Both have the same search key (MS-OXCMSG).
    pub fn copy_by_hand(&self, item: &ItemRef, to: &FolderPath) -> Option<ItemRef> {
        self.state().room.copy_to_path(item, to)
    }

    /// Changes the content of an item, as a person would, and answers its new version: id and search key stay, the change key
    /// is another one.
    pub fn edit_by_hand(&self, item: &ItemRef, original: impl Into<Vec<u8>>) -> Option<ItemRef> {
        self.state().room.edit(item, original.into())
    }

    /// Renames a folder; its id stays. Answers whether it was there.
    pub fn rename_folder(&self, from: &FolderPath, to: FolderPath) -> bool {
        self.state().room.rename(from, to)
    }

    /// Makes the server unable to render the originals of this item, as it is with damaged items, wherever it moves.
    pub fn damage(&self, item: &ItemRef) {
        let mut state = self.state();
        if let Some(key) = state.room.key_of(item) {
            state.unreadable.insert(key);
        }
    }

    /// Plans a fault for the n-th call of an operation, counted from 1, from the source's beginning.
    pub fn fail_call(&self, operation: SourceOperation, nth: u64, fault: SourceFault) {
        self.state().faults.plan(operation, nth, fault);
    }

    /// Plans a fault for the next call of an operation. Called again, it is the call after that.
    pub fn fail_next(&self, operation: SourceOperation, fault: SourceFault) {
        self.state().faults.plan_next(operation, fault);
    }

    /// Every call that would have been a request, in order.
    pub fn calls(&self) -> Vec<SourceCall> {
        self.state().calls.clone()
    }

    /// How often an operation was called.
    pub fn count(&self, operation: SourceOperation) -> usize {
        let state = self.state();
        let calls = state.calls.iter();
        calls.filter(|call| call.operation == operation).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a call and answers with the fault that was planned for it; a fault of the whole call is the error.
    fn begin(
        &self,
        call: SourceCall,
    ) -> Result<(MutexGuard<'_, State>, Option<SourceFault>), Error> {
        let mut state = self.state();
        let fault = state.faults.next(call.operation);
        state.calls.push(call);
        match fault {
            Some(SourceFault::Error(error)) => Err(error),
            fault => Ok((state, fault)),
        }
    }
}

impl Default for MemorySource {
    fn default() -> Self {
        Self {
            capabilities: SourceCapabilities::default(),
            chunk_bytes: 64 << 10,
            state: Arc::default(),
        }
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySource")
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}
