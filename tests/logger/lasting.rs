//! A mail system whose items keep their ids when they are moved, as Graph's immutable ones do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::Result;
use email_logging::source::memory::SourceOperation;
use email_logging::source::{
    Disposal, FetchSink, Folder, FolderPath, FolderSelector, ItemRef, ListRequest, ListedItem,
    Listing, MailSource, MemorySource, Moved, Removed, Sought, SourceCapabilities,
};

use crate::bench::{Bench, queue, storage};

#[derive(Debug)]
struct Lasting {
    source: MemorySource,
    /// The lasting id of each item that was moved, by its present one.
    ids: Mutex<BTreeMap<String, String>>,
}

impl Lasting {
    fn lasting(&self, item: &ItemRef) -> ItemRef {
        let ids = self.ids.lock().unwrap();
        ids.get(&item.id)
            .map_or_else(|| item.clone(), |id| ItemRef::new(id.as_str()))
    }

    fn present(&self, item: &ItemRef) -> ItemRef {
        let ids = self.ids.lock().unwrap();
        let found = ids.iter().find(|(_, lasting)| **lasting == item.id);
        found.map_or_else(|| item.clone(), |(id, _)| ItemRef::new(id.as_str()))
    }

    fn all_present(&self, items: &[ItemRef]) -> Vec<ItemRef> {
        items.iter().map(|item| self.present(item)).collect()
    }

    /// It has another id in the room, and the one it had for everybody else.
    fn moved(&self, lasting: &ItemRef, to: &ItemRef) {
        let mut ids = self.ids.lock().unwrap();
        ids.retain(|_, id| *id != lasting.id);
        ids.insert(to.id.clone(), lasting.id.clone());
    }

    fn move_by_hand(&self, item: &ItemRef, to: &FolderPath) {
        let moved = self.source.move_by_hand(&self.present(item), to);
        self.moved(item, &moved.unwrap());
    }
}

#[async_trait]
impl MailSource for Lasting {
    fn capabilities(&self) -> SourceCapabilities {
        self.source.capabilities()
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.source.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let mut listing = self.source.list(folder, request).await?;
        for listed in &mut listing.items {
            listed.item = self.lasting(&listed.item);
        }
        Ok(listing)
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let mut items = items.to_vec();
        for listed in &mut items {
            listed.item = self.present(&listed.item);
        }
        self.source.fetch(from, &items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        let present = self.all_present(items);
        let mut moved = self.source.move_to(from, &present, to).await?;
        for (item, moved) in items.iter().zip(&mut moved) {
            if let Moved::Done(Some(place)) = moved {
                self.moved(item, place);
                *place = item.clone();
            }
        }
        Ok(moved)
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        let mut places = self.source.locate(folder, sought).await?;
        for (sought, places) in sought.iter().zip(&mut places) {
            for place in places.iter_mut() {
                *place = self.lasting(place);
            }
            if let Some(item) = &sought.item {
                places.retain(|place| place.id == item.id);
            }
        }
        Ok(places)
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        how: Disposal,
    ) -> Result<Vec<Removed>> {
        self.source
            .remove(from, &self.all_present(items), how)
            .await
    }
}

/// A bench with one mail that is logged and stored, with its mail system and the mail's item.
async fn stored() -> (Bench, Arc<Lasting>, ItemRef) {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let item = bench.source.items(&queue()).remove(0).item;
    let source = Arc::new(Lasting {
        source: bench.source.clone(),
        ids: Mutex::default(),
    });
    assert_eq!(run(&bench, &source).await, (1, 0, 0));
    (bench, source, item)
}

/// How many mails a run moved, how many copies it noted, and how often it looked for one.
async fn run(bench: &Bench, source: &Arc<Lasting>) -> (u64, u64, usize) {
    let before = bench.source.count(SourceOperation::Locate);
    let builder = bench.builder().with_source(Arc::<Lasting>::clone(source));
    let report = builder.build().unwrap().run_once().await.unwrap();
    let looks = bench.source.count(SourceOperation::Locate) - before;
    (report.moved, report.duplicate_copies, looks)
}

#[tokio::test]
async fn an_item_that_is_put_back_is_moved_again_without_a_look() {
    let (bench, source, item) = stored().await;
    source.move_by_hand(&item, &queue());
    assert_eq!(run(&bench, &source).await, (1, 0, 0));
    assert_eq!((bench.queued(), bench.stored()), (0, 1));
}

#[tokio::test]
async fn a_copy_is_noted_while_the_item_that_the_ledger_saw_lies_there() {
    for (first_stays, noted) in [(true, 1), (false, 0)] {
        let (bench, source, item) = stored().await;
        let first = source.present(&item);
        bench.source.copy_by_hand(&first, &queue()).unwrap();
        if !first_stays {
            assert!(bench.source.take_away(&first));
        }
        assert_eq!(run(&bench, &source).await, (1, noted, 1));
        let stored = bench.source.items(&storage()).len();
        assert_eq!(stored as u64, 1 + noted);
        assert_eq!(bench.entries().await.len(), 1);
    }
}
