//! Exchange Web Services: a mailbox or the public folders of an Exchange server.
//!
//! Owns the protocol: requests, answers, response codes, what may be repeated. Knows nothing of how mail is matched or
//! stored. HTTP, TLS and sign-in are the HTTP room's.

mod answer;
mod builder;
mod codes;
mod failure;
mod fetch;
mod folders;
mod list;
mod locate;
mod names;
mod request;
mod session;
mod soap;
#[cfg(feature = "testkit")]
#[doc(hidden)]
pub mod testing;
mod transfer;
mod version;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Disposal, FetchSink, Folder, FolderPage, FolderPath, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailFolders, MailSource, Moved, Removed, SightingKey, SourceCapabilities,
};
use crate::error::Result;
use names::Names;
use session::Session;

pub use builder::EwsSourceBuilder;

/// A mailbox, or the public folders, of an Exchange server.
///
/// One value is one mailbox with one credential: everything that the server says about waiting holds all its calls, on
/// every clone. Cloning is cheap.
#[derive(Clone)]
pub struct EwsSource {
    inner: Arc<Inner>,
}

struct Inner {
    session: Session,
    names: Names,
    mailbox: Option<String>,
    capabilities: SourceCapabilities,
}

impl EwsSource {
    /// Starts to describe the connection to a service URL, which mostly ends with `/EWS/Exchange.asmx`.
    pub fn builder(service_url: impl Into<String>) -> EwsSourceBuilder {
        EwsSourceBuilder::new(service_url.into())
    }

    fn session(&self) -> &Session {
        &self.inner.session
    }
}

impl fmt::Debug for EwsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EwsSource")
            .field("session", &self.inner.session)
            .field("capabilities", &self.inner.capabilities)
            .finish()
    }
}

#[async_trait]
impl MailSource for EwsSource {
    fn capabilities(&self) -> SourceCapabilities {
        self.inner.capabilities
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.open(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        self.list_items(folder, request).await
    }

    async fn fetch(
        &self,
        _from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        self.fetch_items(items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.move_items(from, items, to).await
    }

    async fn locate(&self, folder: &Folder, keys: &[SightingKey]) -> Result<Vec<Vec<ItemRef>>> {
        self.locate_keys(folder, keys).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        self.remove_items(from, items, disposal).await
    }
}

#[async_trait]
impl MailFolders for EwsSource {
    async fn children(&self, parent: &FolderSelector, request: ListRequest) -> Result<FolderPage> {
        self.child_folders(parent, request).await
    }

    async fn create(&self, path: &FolderPath) -> Result<Folder> {
        self.create_path(path).await
    }
}
