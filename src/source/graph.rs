//! Microsoft Graph: a mailbox of Exchange Online.
//!
//! Owns the protocol: requests, batches, error codes, what may be repeated. Knows nothing of how mail is matched or stored.
//! HTTP, TLS and sign-in are the HTTP room's.

mod address;
mod batch;
mod builder;
mod cloud;
mod codes;
mod content;
mod delta;
mod everybodys;
mod facts;
mod failure;
mod fetch;
mod folders;
mod hints;
mod json;
mod known;
mod list;
mod locate;
mod probe;
mod session;
mod subscriptions;
mod transfer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Disposal, FetchSink, Folder, FolderPage, FolderPath, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailFolders, MailSource, Moved, Removed, Sought, SourceCapabilities,
};
use crate::error::codes::INTERNAL;
use crate::error::{Error, Result};
use known::KnownFacts;
use session::Session;

pub use crate::http::{AddressPolicy, NameResolver, ThrottlingGate, ThrottlingGates};
pub use builder::GraphSourceBuilder;
pub use cloud::GraphCloud;
pub use delta::GraphDelta;
pub use subscriptions::GraphSubscriptions;

/// The folder that a queue is proposed as.
pub const DEFAULT_QUEUE_FOLDER: &str = "inbox:";

/// The folder that a storage folder is proposed as: Archive, which Exchange Online makes for a mailbox.
pub const DEFAULT_STORAGE_FOLDER: &str = "archive:";

/// A mailbox of Exchange Online: a person's own, or a shared one.
///
/// One value is one mailbox with one credential: everything that the server says about waiting holds all its calls, on
/// every clone, and on every other source with the same [`ThrottlingGate`]. Cloning is cheap.
///
/// Graph has no public folders; a path into them is refused (`graph.public_folders`).
#[derive(Clone)]
pub struct GraphSource {
    inner: Arc<Inner>,
}

struct Inner {
    session: Session,
    capabilities: SourceCapabilities,
    /// One for each call that may be made at a time.
    slots: Semaphore,
    /// What listings told of messages that are not fetched yet.
    known: KnownFacts,
    foreign: fetch::ForeignItems,
    /// Bytes of the largest item that is asked for.
    largest_item: u64,
    /// Bytes of the items of one batch.
    run_bytes: u64,
}

impl GraphSource {
    /// Starts to describe a connection to Graph.
    pub fn builder() -> GraphSourceBuilder {
        GraphSourceBuilder::new()
    }

    fn session(&self) -> &Session {
        &self.inner.session
    }

    /// Waits until one more call of this source may be made. Each of its requests then waits for its own places, which
    /// all sources of the gate share.
    async fn slot(&self) -> Result<SemaphorePermit<'_>> {
        let permit = self.inner.slots.acquire().await;
        permit.map_err(|_| Error::new(&INTERNAL, "GraphSource"))
    }
}

impl fmt::Debug for GraphSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphSource")
            .field("session", &self.inner.session)
            .field("capabilities", &self.inner.capabilities)
            .finish()
    }
}

#[async_trait]
impl MailSource for GraphSource {
    /// An id of Graph comes without a change key, one of EWS with it (`ItemId`).
    fn is_own(&self, item: &ItemRef) -> bool {
        item.change_key.is_none()
    }

    fn wait_at_most(&self, longest: Duration) {
        self.inner.session.gate.wait_at_most(longest);
    }

    fn wait_in_all_at_most(&self, sum: Duration) {
        self.inner.session.gate.wait_in_all_at_most(sum);
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        self.inner.session.gate.asked_to_wait()
    }

    fn capabilities(&self) -> SourceCapabilities {
        self.inner.capabilities
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        let _slot = self.slot().await?;
        self.open(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let _slot = self.slot().await?;
        self.list_items(folder, request).await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let _slot = self.slot().await?;
        self.fetch_items(from, items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        let _slot = self.slot().await?;
        self.move_items(from, items, to).await
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        let _slot = self.slot().await?;
        self.locate_sought(folder, sought).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        let _slot = self.slot().await?;
        self.remove_items(from, items, disposal).await
    }
}

#[async_trait]
impl MailFolders for GraphSource {
    async fn children(&self, parent: &FolderSelector, request: ListRequest) -> Result<FolderPage> {
        let _slot = self.slot().await?;
        self.child_folders(parent, request).await
    }

    async fn create(&self, path: &FolderPath) -> Result<Folder> {
        let _slot = self.slot().await?;
        self.create_path(path).await
    }
}
