//! A source in which one mail always fails at one operation, alone or with the whole call.

use async_trait::async_trait;
use email_logging::Result;
use email_logging::error::{Code, codes};
use email_logging::source::{
    Disposal, FetchSink, Fetched, Folder, FolderSelector, ItemRef, ListRequest, ListedItem,
    Listing, MailSource, MemorySource, Moved, Removed, Sought, SourceCapabilities,
};

use crate::office::{error, queue};

/// How the mail fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poison {
    /// Its fetch answers an error for it.
    Fetch(&'static Code),
    /// Its move answers an error for it.
    Move(&'static Code),
    /// A call that moves it fails as a whole.
    WholeMove,
}

/// The mail with the subject `Poison` fails.
#[derive(Debug)]
pub(crate) struct Poisoned {
    pub(crate) source: MemorySource,
    pub(crate) poison: Poison,
}

impl Poisoned {
    fn hits(&self, item: &ItemRef) -> bool {
        let queued = self.source.items(&queue());
        let holds = |original: &[u8]| String::from_utf8_lossy(original).contains("Subject: Poison");
        queued
            .iter()
            .any(|it| it.item.id == item.id && holds(&it.original))
    }
}

#[async_trait]
impl MailSource for Poisoned {
    fn capabilities(&self) -> SourceCapabilities {
        self.source.capabilities()
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.source.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        self.source.list(folder, request).await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        for (index, item) in items.iter().enumerate() {
            if let (Poison::Fetch(code), true) = (self.poison, self.hits(&item.item)) {
                sink.begin(index, None);
                sink.end(Fetched::Failed(error(code))).await?;
            } else {
                let one = std::slice::from_ref(item);
                let mut at = At { index, sink };
                self.source.fetch(from, one, &mut at).await?;
            }
        }
        Ok(())
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        let mut moved = Vec::new();
        for item in items {
            match self.poison {
                Poison::WholeMove if self.hits(item) => return Err(error(&codes::HTTP_CLOSED)),
                Poison::Move(code) if self.hits(item) => moved.push(Moved::Failed(error(code))),
                _ => {
                    let one = std::slice::from_ref(item);
                    moved.extend(self.source.move_to(from, one, to).await?);
                }
            }
        }
        Ok(moved)
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
}

/// A sink whose items have another index.
struct At<'a> {
    index: usize,
    sink: &'a mut dyn FetchSink,
}

#[async_trait]
impl FetchSink for At<'_> {
    fn begin(&mut self, _: usize, size_hint: Option<u64>) {
        self.sink.begin(self.index, size_hint);
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.chunk(bytes).await
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        self.sink.end(fetched).await
    }
}
