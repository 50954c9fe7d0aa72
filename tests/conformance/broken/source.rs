//! Sources that break one rule each fail the suite.

use std::sync::Arc;

use async_trait::async_trait;
use email_logging::Result;
use email_logging::source::{
    Disposal, FetchSink, Fetched, Folder, FolderId, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailSource, MemorySource, Moved, Removed, SightingKey, Sought,
    SourceCapabilities, Stamped,
};
use email_logging::testkit::conformance::source::run;

use crate::conformance::source::{InMemory, path, room, stamping};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Breaks {
    Nothing,
    ListOrder,
    Complete,
    FolderMissing,
    FetchOrder,
    Bytes,
    SinkError,
    OneChunk,
    MovedCount,
    MoveIsCopy,
    MoveLoses,
    OneCopyOnly,
    OldIdIsAll,
    RemoveIsMove,
    StampIsForgotten,
    StampsAreEqual,
    StampIsMove,
    StampChangesId,
    StampCount,
}

#[derive(Debug)]
struct Broken {
    inner: MemorySource,
    breaks: Breaks,
}

impl Broken {
    fn is(&self, breaks: Breaks) -> bool {
        self.breaks == breaks
    }
}

/// What the id of an item ends with whose stamp changed it.
const NEW_ID: &str = "-stamped";

/// The item as the source within knows it.
fn old(item: &ItemRef) -> ItemRef {
    let mut item = item.clone();
    item.id = item.id.trim_end_matches(NEW_ID).into();
    item
}

/// Hands on what it is told, changed.
struct Changing<'a> {
    sink: &'a mut dyn FetchSink,
    breaks: Breaks,
    kept: Vec<u8>,
}

#[async_trait]
impl FetchSink for Changing<'_> {
    fn begin(&mut self, index: usize, size_hint: Option<u64>) {
        self.sink.begin(index, size_hint);
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        match self.breaks {
            Breaks::Bytes => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.sink.chunk(text.as_bytes()).await
            }
            Breaks::OneChunk => {
                self.kept.extend_from_slice(bytes);
                Ok(())
            }
            Breaks::SinkError => {
                let _ = self.sink.chunk(bytes).await;
                Ok(())
            }
            _ => self.sink.chunk(bytes).await,
        }
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        let kept = std::mem::take(&mut self.kept);
        if !kept.is_empty() {
            self.sink.chunk(&kept).await?;
        }
        let answer = self.sink.end(fetched).await;
        if self.breaks == Breaks::SinkError {
            Ok(())
        } else {
            answer
        }
    }
}

#[async_trait]
impl MailSource for Broken {
    fn capabilities(&self) -> SourceCapabilities {
        self.inner.capabilities()
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        let opened = self.inner.open_folder(folder).await;
        if self.is(Breaks::FolderMissing) {
            return Ok(opened.unwrap_or_else(|_| Folder::new(FolderId::new("made up"))));
        }
        opened
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let mut listing = self.inner.list(folder, request).await?;
        if self.is(Breaks::ListOrder) {
            listing.items.reverse();
        }
        listing.complete |= self.is(Breaks::Complete);
        if self.is(Breaks::StampChangesId) {
            for listed in &mut listing.items {
                if let Some(SightingKey::Stamp(_)) = listed.key {
                    listed.item.id.push_str(NEW_ID);
                }
            }
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
            listed.item = old(&listed.item);
        }
        if self.is(Breaks::FetchOrder) {
            items.sort_by(|a, b| a.item.cmp(&b.item));
        }
        let mut changing = Changing {
            sink,
            breaks: self.breaks,
            kept: Vec::new(),
        };
        self.inner.fetch(from, &items, &mut changing).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        let copies = items
            .iter()
            .filter(|_| self.is(Breaks::MoveIsCopy))
            .filter_map(|item| self.inner.copy_by_hand(item, &path("Queue")))
            .count();
        let items: Vec<_> = items.iter().map(old).collect();
        let mut moved = self.inner.move_to(from, &items, to).await?;
        assert!(copies <= moved.len());
        match self.breaks {
            Breaks::MovedCount => moved.retain(|moved| !matches!(moved, Moved::Gone)),
            Breaks::MoveLoses => {
                if let Some(Moved::Done(Some(place))) = moved.first() {
                    self.inner.take_away(place);
                }
            }
            _ => {}
        }
        Ok(moved)
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        let mut found = self.inner.locate(folder, sought).await?;
        if self.is(Breaks::OneCopyOnly) {
            for copies in &mut found {
                copies.truncate(1);
            }
        }
        if self.is(Breaks::OldIdIsAll) {
            for (copies, sought) in found.iter_mut().zip(sought) {
                copies.retain(|copy| sought.item.as_ref().is_none_or(|item| item == copy));
            }
        }
        Ok(found)
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        if self.is(Breaks::RemoveIsMove) {
            for item in items {
                self.inner.copy_by_hand(item, &path("Storage"));
            }
        }
        self.inner.remove(from, items, disposal).await
    }

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        if self.is(Breaks::StampIsForgotten) {
            let answers = items.iter().enumerate();
            let key = |at| SightingKey::Stamp([u8::try_from(at).unwrap(); 16]);
            let answers = answers.map(|(at, item)| Stamped::Done(key(at), item.clone()));
            return Ok(answers.collect());
        }
        let mut stamped = self.inner.stamp(from, items).await?;
        for answer in &mut stamped {
            match (self.breaks, &answer) {
                (Breaks::StampsAreEqual, Stamped::Done(_, item)) => {
                    *answer = Stamped::Done(SightingKey::Stamp([1; 16]), item.clone());
                }
                (Breaks::StampIsMove, Stamped::Done(_, item)) => {
                    self.inner.move_by_hand(item, &path("Storage"));
                }
                (Breaks::StampChangesId, Stamped::Done(key, item)) => {
                    let new = ItemRef::new(format!("{}{NEW_ID}", item.id));
                    *answer = Stamped::Done(key.clone(), new);
                }
                _ => {}
            }
        }
        if self.is(Breaks::StampCount) {
            stamped.retain(|answer| !matches!(answer, Stamped::Gone));
        }
        Ok(stamped)
    }
}

async fn failures(breaks: Breaks) -> Vec<&'static str> {
    let make = || async move {
        let stamps = matches!(
            breaks,
            Breaks::StampIsForgotten
                | Breaks::StampsAreEqual
                | Breaks::StampIsMove
                | Breaks::StampChangesId
                | Breaks::StampCount
        );
        let room = if stamps { stamping() } else { room() };
        let source = Broken {
            inner: room.clone(),
            breaks,
        };
        InMemory {
            source: Arc::new(source),
            room,
        }
    };
    run(make).await.failures()
}

#[tokio::test]
async fn a_source_that_breaks_a_rule_fails() {
    let expected = [
        (Breaks::ListOrder, "items_are_listed_oldest_first"),
        (
            Breaks::Complete,
            "pages_are_bounded_and_the_last_is_complete",
        ),
        (Breaks::FolderMissing, "a_missing_folder_is_not_found"),
        (
            Breaks::FetchOrder,
            "answers_come_in_the_order_of_the_question",
        ),
        (Breaks::Bytes, "originals_are_fetched_bit_for_bit"),
        (Breaks::SinkError, "an_error_of_the_sink_ends_the_fetch"),
        (Breaks::OneChunk, "a_large_mail_comes_in_several_chunks"),
        (
            Breaks::MovedCount,
            "the_move_of_a_missing_item_is_its_own_answer",
        ),
        (
            Breaks::MoveIsCopy,
            "a_moved_mail_is_in_the_target_and_nowhere_else",
        ),
        (
            Breaks::MoveLoses,
            "a_moved_mail_is_in_the_target_and_nowhere_else",
        ),
        (Breaks::OneCopyOnly, "every_copy_is_located"),
        (
            Breaks::OldIdIsAll,
            "a_mail_is_located_whatever_id_it_was_last_seen_under",
        ),
        (Breaks::RemoveIsMove, "removed_mail_is_in_no_folder"),
        (
            Breaks::StampIsForgotten,
            "a_stamped_item_is_listed_under_its_stamp",
        ),
        (
            Breaks::StampsAreEqual,
            "a_stamp_survives_the_move_and_is_located",
        ),
        (
            Breaks::StampIsMove,
            "a_stamp_leaves_the_original_and_its_place",
        ),
        (
            Breaks::StampChangesId,
            "a_stamped_item_is_listed_under_its_stamp",
        ),
        (
            Breaks::StampCount,
            "the_stamp_of_a_missing_item_is_its_own_answer",
        ),
    ];
    assert_eq!(failures(Breaks::Nothing).await, Vec::<&str>::new());
    for (breaks, case) in expected {
        let failed = failures(breaks).await;
        assert!(failed.contains(&case), "{breaks:?}: {failed:?}");
    }
}
