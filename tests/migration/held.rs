//! A mail system whose caller stands before one of its calls until it is let go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use email_logging::Result;
use email_logging::source::{
    Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
    MailSource, Moved, Removed, Sought, SourceCapabilities, Stamped,
};
use tokio::sync::Notify;

/// Before which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    List,
    Fetch,
    Move,
}

#[derive(Debug)]
pub(crate) struct Held {
    inner: Arc<dyn MailSource>,
    before: Before,
    passed: AtomicBool,
    pub(crate) stands: Notify,
    pub(crate) goes_on: Notify,
}

impl Held {
    pub(crate) fn new(inner: Arc<dyn MailSource>, before: Before) -> Arc<Self> {
        Arc::new(Self {
            inner,
            before,
            passed: AtomicBool::new(false),
            stands: Notify::new(),
            goes_on: Notify::new(),
        })
    }

    async fn reach(&self, call: Before) {
        if call == self.before && !self.passed.swap(true, Ordering::Relaxed) {
            self.stands.notify_one();
            self.goes_on.notified().await;
        }
    }
}

#[async_trait]
impl MailSource for Held {
    fn capabilities(&self) -> SourceCapabilities {
        self.inner.capabilities()
    }

    fn is_own(&self, item: &ItemRef) -> bool {
        self.inner.is_own(item)
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.inner.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        self.reach(Before::List).await;
        self.inner.list(folder, request).await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        self.reach(Before::Fetch).await;
        self.inner.fetch(from, items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.reach(Before::Move).await;
        self.inner.move_to(from, items, to).await
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        self.inner.locate(folder, sought).await
    }

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        self.inner.stamp(from, items).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        how: Disposal,
    ) -> Result<Vec<Removed>> {
        self.inner.remove(from, items, how).await
    }
}
