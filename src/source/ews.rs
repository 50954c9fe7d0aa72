//! Exchange Web Services: a mailbox or the public folders of an Exchange server.
//!
//! Owns the protocol: requests, answers, response codes, what may be repeated. Knows nothing of how mail is matched or
//! stored. HTTP, TLS and sign-in are the HTTP room's.

mod answer;
mod autodiscover;
mod builder;
mod codes;
mod failure;
mod fetch;
mod folders;
mod list;
mod locate;
mod names;
mod notifications;
mod probe;
mod public_folders;
mod request;
mod routes;
mod session;
mod soap;
mod stamp;
#[cfg(feature = "testkit")]
#[doc(hidden)]
pub mod testing;
mod transfer;
mod version;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Disposal, FetchSink, Folder, FolderPage, FolderPath, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailFolders, MailSource, Moved, Removed, Sought, SourceCapabilities,
    Stamped,
};
use crate::error::codes::INTERNAL;
use crate::error::{Error, Result};
use crate::http::OpenPlace;
use names::Names;
use routes::Routes;
use session::Session;

pub use crate::http::{AddressPolicy, NameResolver, ThrottlingGate, ThrottlingGates};
pub use autodiscover::{
    Autodiscover, AutodiscoverAnswer, AutodiscoverAttempt, AutodiscoverBuilder, AutodiscoverCloud,
    AutodiscoverProtocol,
};
pub use builder::EwsSourceBuilder;
pub use notifications::EwsWakeup;
pub use public_folders::PublicFolderRouting;

/// A mailbox, or the public folders, of an Exchange server.
///
/// One value is one mailbox with one credential: everything that the server says about waiting holds all its calls, on
/// every clone, and on every other source with the same [`ThrottlingGate`]. Cloning is cheap.
///
/// A batch of moves is one request of up to 100 items (`move_batch`). Exchange stops a request after about a minute; items
/// that it then says it did not reach are asked for again, and those whose answer is lost are the caller's to look for.
#[derive(Clone)]
pub struct EwsSource {
    inner: Arc<Inner>,
}

struct Inner {
    session: Session,
    names: Names,
    routes: Routes,
    mailbox: Option<String>,
    capabilities: SourceCapabilities,
    /// One for each request that may be open at a time.
    slots: Semaphore,
    /// One for the look-up that may be open beside them while an answer is being read: it must not wait for a slot, as all
    /// of them may be held by fetches that wait for a look-up.
    beside: Semaphore,
    stamps_refused: stamp::Refused,
    /// Bytes of the largest item that is asked for.
    largest_item: u64,
    /// Bytes of the items of one request, so that its answer keeps within the limit.
    run_bytes: u64,
}

impl EwsSource {
    /// Starts to describe the connection to a service URL, which mostly ends with `/EWS/Exchange.asmx`.
    pub fn builder(service_url: impl Into<String>) -> EwsSourceBuilder {
        EwsSourceBuilder::new(service_url.into())
    }

    fn session(&self) -> &Session {
        &self.inner.session
    }

    /// Waits until one more request may be open, for this source and for all of its gate.
    async fn slot(&self) -> Result<(SemaphorePermit<'_>, OpenPlace)> {
        let permit = self.inner.slots.acquire().await;
        let permit = permit.map_err(|_| Error::new(&INTERNAL, "EwsSource"))?;
        Ok((permit, self.session().gate.place().await))
    }

    /// Waits until a look-up may be open beside the other requests.
    async fn beside(&self) -> Result<SemaphorePermit<'_>> {
        let permit = self.inner.beside.acquire().await;
        permit.map_err(|_| Error::new(&INTERNAL, "EwsSource"))
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
    /// An id of EWS comes with a change key (`ItemId`), one of Graph without.
    fn is_own(&self, item: &ItemRef) -> bool {
        item.change_key.is_some()
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

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        let _slot = self.slot().await?;
        self.stamp_items(from, items).await
    }
}

#[async_trait]
impl MailFolders for EwsSource {
    async fn children(&self, parent: &FolderSelector, request: ListRequest) -> Result<FolderPage> {
        let _slot = self.slot().await?;
        self.child_folders(parent, request).await
    }

    async fn create(&self, path: &FolderPath) -> Result<Folder> {
        let _slot = self.slot().await?;
        self.create_path(path).await
    }
}
