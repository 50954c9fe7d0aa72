//! Two kinds of mail system over the same folders: other ids, other renderings, the same search keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use email_logging::error::codes;
use email_logging::source::{
    Disposal, FetchSink, Fetched, Folder, FolderSelector, ItemRef, ListRequest, ListedItem,
    Listing, MailSource, MemorySource, Moved, Removed, SightingKey, Sought, SourceCapabilities,
};
use email_logging::{Error, Result};

use crate::mails;

/// How a mailbox is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ids with a change key.
    Ews,
    /// Ids without one.
    Graph,
}

impl Kind {
    fn shown(self, item: &ItemRef) -> ItemRef {
        match self {
            Self::Ews => item.clone(),
            Self::Graph => ItemRef::new(format!("AAkALg-{}", item.id)),
        }
    }

    fn is_own(self, item: &ItemRef) -> bool {
        (self == Self::Ews) == item.change_key.is_some()
    }
}

/// The mailbox as one kind shows it.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) kind: Kind,
    pub(crate) mailbox: MemorySource,
    pub(crate) count: u32,
    pub(crate) with_ids: bool,
    /// Whether it takes every id for its own.
    pub(crate) blind: bool,
    /// Whether answers of moves cannot be relied on: of three items one moves, one moves and is said to have failed, and
    /// one fails.
    pub(crate) unsure: Arc<AtomicBool>,
    /// How many ids of the other kind it was sent.
    pub(crate) foreign: Arc<AtomicUsize>,
}

impl Reached {
    /// The item of the mailbox; nothing where the id is of the other kind.
    fn inner(&self, item: &ItemRef) -> ItemRef {
        if !self.kind.is_own(item) {
            self.foreign.fetch_add(1, Ordering::Relaxed);
            return ItemRef::new("unknown");
        }
        match self.kind {
            Kind::Ews => item.clone(),
            Kind::Graph => ItemRef::new(item.id.trim_start_matches("AAkALg-")),
        }
    }

    fn shown(&self, moved: Moved) -> Moved {
        match moved {
            Moved::Done(place) => Moved::Done(place.map(|it| self.kind.shown(&it))),
            other => other,
        }
    }
}

#[async_trait]
impl MailSource for Reached {
    fn capabilities(&self) -> SourceCapabilities {
        self.mailbox.capabilities()
    }

    fn is_own(&self, item: &ItemRef) -> bool {
        self.blind || self.kind.is_own(item)
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.mailbox.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let mut listing = self.mailbox.list(folder, request).await?;
        for listed in &mut listing.items {
            listed.item = self.kind.shown(&listed.item);
        }
        Ok(listing)
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let items: Vec<_> = items
            .iter()
            .map(|listed| {
                let mut listed = listed.clone();
                listed.item = self.inner(&listed.item);
                listed
            })
            .collect();
        let mut rendered = Rendered {
            of: self,
            bytes: Vec::new(),
            sink,
        };
        self.mailbox.fetch(from, &items, &mut rendered).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        let items: Vec<_> = items.iter().map(|item| self.inner(item)).collect();
        if !self.unsure.load(Ordering::Relaxed) {
            let moved = self.mailbox.move_to(from, &items, to).await?;
            return Ok(moved.into_iter().map(|it| self.shown(it)).collect());
        }
        let failed = || Moved::Failed(Error::new(&codes::HTTP_CLOSED, "move_to"));
        let mut moved = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let one = std::slice::from_ref(item);
            let done = match at % 3 {
                2 => Vec::new(),
                _ => self.mailbox.move_to(from, one, to).await?,
            };
            moved.push(match (at % 3, done.into_iter().next()) {
                (0, Some(done)) => self.shown(done),
                _ => failed(),
            });
        }
        Ok(moved)
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        if !self.capabilities().locate {
            return self.mailbox.locate(folder, sought).await;
        }
        // The mailbox in memory goes through the folder for each key, which ten thousand mails are too many for.
        let mut places: BTreeMap<SightingKey, Vec<ItemRef>> = BTreeMap::new();
        for item in self.mailbox.items(folder.path.as_ref().unwrap()) {
            let places = places.entry(item.key).or_default();
            places.push(self.kind.shown(&item.item));
        }
        let of = |it: &Sought| places.get(&it.key).cloned().unwrap_or_default();
        Ok(sought.iter().map(of).collect())
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        how: Disposal,
    ) -> Result<Vec<Removed>> {
        let items: Vec<_> = items.iter().map(|item| self.inner(item)).collect();
        self.mailbox.remove(from, &items, how).await
    }
}

/// Hands on what the kind makes of an original.
struct Rendered<'a> {
    of: &'a Reached,
    bytes: Vec<u8>,
    sink: &'a mut dyn FetchSink,
}

#[async_trait]
impl FetchSink for Rendered<'_> {
    fn begin(&mut self, index: usize, size_hint: Option<u64>) {
        self.bytes.clear();
        self.sink.begin(index, size_hint);
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        if matches!(fetched, Fetched::Complete(_)) {
            let number = mails::number_of(&self.bytes);
            if mails::class(number) == mails::Class::Damaged {
                let error = Error::new(&codes::EWS_ITEM_DAMAGED, "fetch");
                return self.sink.end(Fetched::Failed(error)).await;
            }
            let of = self.of;
            let mime = mails::render(number, of.kind, of.count, of.with_ids);
            self.sink.chunk(&mime).await?;
        }
        self.sink.end(fetched).await
    }
}
