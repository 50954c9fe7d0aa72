//! A mail system with which something happens around its lists and moves.

use std::fmt::{Debug, Formatter};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::Result;
use email_logging::source::{
    Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
    MailSource, MemorySource, Moved, Removed, Sought, SourceCapabilities, Stamped,
};

/// What happens.
#[async_trait]
pub(crate) trait Meddling: Send + Sync + 'static {
    async fn before_list(&self, _: ListRequest) {}

    /// A list as the server answers it.
    async fn list(
        &self,
        source: &MemorySource,
        folder: &Folder,
        request: ListRequest,
    ) -> Result<Listing> {
        source.list(folder, request).await
    }

    /// A fetch as the source does it.
    async fn fetch(
        &self,
        source: &MemorySource,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        source.fetch(from, items, sink).await
    }

    /// Right before a move reaches the mailbox. Its error is the call's.
    async fn before_move(&self, _: &MemorySource, _: &[ItemRef]) -> Result<()> {
        Ok(())
    }

    async fn after_move(&self) {}

    /// Stamps as the source writes them.
    async fn stamp(
        &self,
        source: &MemorySource,
        from: &Folder,
        items: &[ItemRef],
    ) -> Result<Vec<Stamped>> {
        source.stamp(from, items).await
    }

    /// How long the server still wants to be left alone.
    fn asked_to_wait(&self) -> Option<Duration> {
        None
    }
}

/// Something that is done right before each move.
pub(crate) struct BeforeMove<F>(pub(crate) F);

#[async_trait]
impl<F> Meddling for BeforeMove<F>
where
    F: Fn(&MemorySource, &[ItemRef]) -> Result<()> + Send + Sync + 'static,
{
    async fn before_move(&self, source: &MemorySource, items: &[ItemRef]) -> Result<()> {
        (self.0)(source, items)
    }
}

/// The source, and what is done with it.
pub(crate) struct Meddled<M> {
    pub(crate) source: MemorySource,
    pub(crate) meddling: M,
}

impl<M> Debug for Meddled<M> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meddled").finish_non_exhaustive()
    }
}

#[async_trait]
impl<M: Meddling> MailSource for Meddled<M> {
    fn capabilities(&self) -> SourceCapabilities {
        self.source.capabilities()
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        self.meddling.asked_to_wait()
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.source.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        self.meddling.before_list(request).await;
        self.meddling.list(&self.source, folder, request).await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        self.meddling.fetch(&self.source, from, items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.meddling.before_move(&self.source, items).await?;
        let moved = self.source.move_to(from, items, to).await;
        self.meddling.after_move().await;
        moved
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        self.source.locate(folder, sought).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        how: Disposal,
    ) -> Result<Vec<Removed>> {
        self.source.remove(from, items, how).await
    }

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        self.meddling.stamp(&self.source, from, items).await
    }
}
