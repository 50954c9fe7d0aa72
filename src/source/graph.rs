//! Microsoft Graph: a mailbox of Exchange Online.
//!
//! Owns the protocol: requests, batches, error codes, what may be repeated. Knows nothing of how mail is matched or stored.
//! HTTP, TLS and sign-in are the HTTP room's.

mod address;
mod builder;
mod cloud;
mod probe;
mod session;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Disposal, FetchSink, Folder, FolderPage, FolderPath, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailFolders, MailSource, Moved, Removed, SightingKey, SourceCapabilities,
};
use crate::error::codes::{INTERNAL, SOURCE_UNSUPPORTED};
use crate::error::{Error, Result};
use crate::http::OpenPlace;
use session::Session;

pub use crate::http::{AddressPolicy, NameResolver, ThrottlingGate, ThrottlingGates};
pub use builder::GraphSourceBuilder;
pub use cloud::GraphCloud;

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

#[allow(dead_code)]
struct Inner {
    session: Session,
    capabilities: SourceCapabilities,
    /// One for each request that may be open at a time.
    slots: Semaphore,
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

    /// Waits until one more request may be open, for this source and for all of its gate.
    async fn slot(&self) -> Result<(SemaphorePermit<'_>, OpenPlace)> {
        let permit = self.inner.slots.acquire().await;
        let permit = permit.map_err(|_| Error::new(&INTERNAL, "GraphSource"))?;
        Ok((permit, self.inner.session.gate.place().await))
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
    fn capabilities(&self) -> SourceCapabilities {
        self.inner.capabilities
    }

    async fn open_folder(&self, _: &FolderSelector) -> Result<Folder> {
        Err(Error::new(&SOURCE_UNSUPPORTED, "open_folder"))
    }

    async fn list(&self, _: &Folder, _: ListRequest) -> Result<Listing> {
        Err(Error::new(&SOURCE_UNSUPPORTED, "list"))
    }

    async fn fetch(&self, _: &Folder, _: &[ListedItem], _: &mut dyn FetchSink) -> Result<()> {
        Err(Error::new(&SOURCE_UNSUPPORTED, "fetch"))
    }

    async fn move_to(&self, _: &Folder, _: &[ItemRef], _: &Folder) -> Result<Vec<Moved>> {
        Err(Error::new(&SOURCE_UNSUPPORTED, "move_to"))
    }

    async fn locate(&self, _: &Folder, _: &[SightingKey]) -> Result<Vec<Vec<ItemRef>>> {
        Err(Error::new(&SOURCE_UNSUPPORTED, "locate"))
    }

    async fn remove(&self, _: &Folder, _: &[ItemRef], _: Disposal) -> Result<Vec<Removed>> {
        Err(Error::new(&SOURCE_UNSUPPORTED, "remove"))
    }
}

#[async_trait]
impl MailFolders for GraphSource {
    async fn children(&self, _: &FolderSelector, _: ListRequest) -> Result<FolderPage> {
        Err(Error::new(&SOURCE_UNSUPPORTED, "children"))
    }

    async fn create(&self, _: &FolderPath) -> Result<Folder> {
        Err(Error::new(&SOURCE_UNSUPPORTED, "create"))
    }
}
