//! A source under a budget: each of its calls takes a place, and it answers as the source itself does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::Result;
use email_logging::logger::ConnectionBudget;
use email_logging::message::MailFacts;
use email_logging::source::{
    Disposal, FetchSink, Fetched, Folder, FolderSelector, ItemRef, ListRequest, ListedItem,
    Listing, MailSource, MemorySource, Moved, Removed, SightingKey, Sought, SourceCapabilities,
    Stamped,
};

use crate::office::{offer, queue, storage};

/// What a source was asked.
#[derive(Debug, Default)]
struct Notes {
    /// How many calls were under way at each.
    places: Vec<u32>,
    /// The bounds on its waits.
    waits: Vec<Duration>,
}

/// A mail system that notes what it is asked, gives no ids without a change key, and wants to be left alone for a minute.
#[derive(Debug)]
struct Noting {
    inner: MemorySource,
    budget: ConnectionBudget,
    notes: Arc<Mutex<Notes>>,
}

impl Noting {
    fn noted(&self) -> &MemorySource {
        let places = self.budget.in_use();
        self.notes.lock().unwrap().places.push(places);
        &self.inner
    }
}

#[async_trait]
impl MailSource for Noting {
    fn capabilities(&self) -> SourceCapabilities {
        self.inner.capabilities()
    }

    fn is_own(&self, item: &ItemRef) -> bool {
        item.change_key.is_some()
    }

    fn wait_at_most(&self, longest: Duration) {
        self.notes.lock().unwrap().waits.push(longest);
    }

    fn wait_in_all_at_most(&self, sum: Duration) {
        self.notes.lock().unwrap().waits.push(sum);
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        Some(Duration::from_mins(1))
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.noted().open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        self.noted().list(folder, request).await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        self.noted().fetch(from, items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.noted().move_to(from, items, to).await
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        self.noted().locate(folder, sought).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        self.noted().remove(from, items, disposal).await
    }

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        self.noted().stamp(from, items).await
    }
}

/// What was read.
#[derive(Debug, Default)]
struct Read(Vec<u8>);

#[async_trait]
impl FetchSink for Read {
    fn begin(&mut self, _: usize, _: Option<u64>) {}

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        assert!(matches!(fetched, Fetched::Complete(_)), "{fetched:?}");
        Ok(())
    }
}

/// A source with a mail in its queue, as a budget bounds it, and what it notes.
fn bounded() -> (MemorySource, impl MailSource, Arc<Mutex<Notes>>) {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.stamps) = (false, true);
    let inner = MemorySource::new()
        .with_capabilities(capabilities)
        .with_folder(&queue())
        .with_folder(&storage());
    inner.deliver(&queue(), offer(1), MailFacts::default());
    let budget = ConnectionBudget::new(3, 2);
    let notes = Arc::default();
    let noting = Noting {
        inner: inner.clone(),
        budget: budget.clone(),
        notes: Arc::clone(&notes),
    };
    (inner, budget.bound(Arc::new(noting)), notes)
}

#[tokio::test]
async fn every_call_of_a_bounded_source_takes_one_place_and_is_done() {
    let (inner, source, notes) = bounded();
    let from = source.open_folder(&queue().into()).await.unwrap();
    let to = source.open_folder(&storage().into()).await.unwrap();
    let listed = source.list(&from, ListRequest::new(0, 10)).await.unwrap();
    let mut read = Read::default();
    source.fetch(&from, &listed.items, &mut read).await.unwrap();
    assert_eq!(read.0, offer(1));
    let item = listed.items[0].item.clone();
    let stamped = source.stamp(&from, &[item]).await.unwrap();
    let [Stamped::Done(key @ SightingKey::Stamp(_), item)] = &stamped[..] else {
        panic!("{stamped:?}")
    };
    let moved = source
        .move_to(&from, std::slice::from_ref(item), &to)
        .await
        .unwrap();
    assert!(matches!(&moved[..], [Moved::Done(_)]), "{moved:?}");
    let sought = [Sought::new(key.clone())];
    let found = source.locate(&to, &sought).await.unwrap();
    let stored = inner.items(&storage())[0].item.clone();
    assert_eq!(found, [vec![stored.clone()]]);
    let disposal = Disposal::DeletedItems;
    let removed = source.remove(&to, &[stored], disposal).await.unwrap();
    assert!(matches!(&removed[..], [Removed::Done]), "{removed:?}");
    assert_eq!(inner.removed().len(), 1);
    assert_eq!(notes.lock().unwrap().places, [1; 8]);
}

#[test]
fn a_bounded_source_says_and_hears_what_the_source_does() {
    let (inner, source, notes) = bounded();
    assert_eq!(source.capabilities(), inner.capabilities());
    let item = ItemRef::new("AAMk");
    assert!(!source.is_own(&item) && source.is_own(&item.with_change_key("CQ")));
    assert_eq!(source.asked_to_wait(), Some(Duration::from_mins(1)));
    let bounds = [5, 7].map(Duration::from_secs);
    source.wait_at_most(bounds[0]);
    source.wait_in_all_at_most(bounds[1]);
    assert_eq!(notes.lock().unwrap().waits, bounds);
}
