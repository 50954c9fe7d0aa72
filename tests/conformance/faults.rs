//! The faults that tests of a logger plan on the store and the source in memory.

use std::time::Duration;

use async_trait::async_trait;
use email_logging::error::{Error, ErrorKind, codes};
use email_logging::message::MailFacts;
use email_logging::setup::EmailLoggingSetup;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{
    FetchSink, Fetched, Folder, ItemRef, ListRequest, ListedItem, MailSource, MemorySource, Moved,
};
use email_logging::store::{MailLedger, MemoryStore, SetupStore, StoreOperation};
use email_logging::{MailboxKey, Result, Scope, WorkerId};

use crate::conformance::source::path;

fn timeout() -> Error {
    Error::new(&codes::HTTP_TIMEOUT, "test")
}

async fn queue(mails: u8) -> (MemorySource, Folder, Folder, Vec<ListedItem>) {
    let source = MemorySource::new().with_folder(&path("Storage"));
    for number in 1..=mails {
        source.deliver(&path("Queue"), vec![number; 8], MailFacts::default());
    }
    let queue = source.open_folder(&path("Queue").into()).await.unwrap();
    let storage = source.open_folder(&path("Storage").into()).await.unwrap();
    let listing = source.list(&queue, ListRequest::new(0, 9)).await.unwrap();
    (source, queue, storage, listing.items)
}

fn refs(items: &[ListedItem]) -> Vec<ItemRef> {
    items.iter().map(|item| item.item.clone()).collect()
}

fn held(source: &MemorySource, folder: &str) -> Vec<u8> {
    let items = source.items(&path(folder)).into_iter();
    items.map(|item| item.original[0]).collect()
}

#[tokio::test]
async fn a_move_fails_as_a_whole_or_loses_its_reply_or_stops_in_the_middle() {
    let (source, queue, storage, items) = queue(3).await;
    let items = refs(&items);
    let faults = [
        (SourceFault::Error(timeout()), vec![1, 2, 3], vec![]),
        (SourceFault::Partial(1, timeout()), vec![2, 3], vec![1]),
        (SourceFault::LostReply(timeout()), vec![], vec![1, 2, 3]),
    ];
    for (number, (fault, in_queue, in_storage)) in (1..).zip(faults) {
        source.fail_call(SourceOperation::MoveTo, number, fault);
        let error = source.move_to(&queue, &items, &storage).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(held(&source, "Queue"), in_queue, "call {number}");
        assert_eq!(held(&source, "Storage"), in_storage, "call {number}");
    }
    assert_eq!(source.count(SourceOperation::MoveTo), 3);
}

#[tokio::test]
async fn one_item_of_a_move_fails_is_gone_or_is_moved_by_half() {
    let (source, queue, storage, items) = queue(4).await;
    source.fail_next(
        SourceOperation::MoveTo,
        SourceFault::ItemFailed(0, timeout()),
    );
    source.fail_next(SourceOperation::MoveTo, SourceFault::HalfMove(0, timeout()));
    source.fail_next(SourceOperation::MoveTo, SourceFault::ItemGone(0));
    let mut answers = Vec::new();
    for item in refs(&items) {
        answers.extend(source.move_to(&queue, &[item], &storage).await.unwrap());
    }
    assert!(matches!(answers[0], Moved::Failed(_)));
    assert!(matches!(answers[1], Moved::Failed(_)));
    assert!(matches!(answers[2], Moved::Gone));
    assert!(matches!(answers[3], Moved::Done(Some(_))));
    assert_eq!(held(&source, "Queue"), [1, 2, 3]);
    assert_eq!(held(&source, "Storage"), [2, 4]);
    let key = items[1].key.clone().unwrap();
    let copies = source.locate(&storage, &[key.into()]).await.unwrap();
    assert_eq!(copies[0].len(), 1);
}

#[derive(Default)]
struct Sink(Vec<(usize, String)>);

#[async_trait]
impl FetchSink for Sink {
    fn begin(&mut self, _: usize, _: Option<u64>) {
        self.0.push((0, "open".into()));
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.last_mut().unwrap().0 += bytes.len();
        Ok(())
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        let name = format!("{fetched:?}");
        let name = name.split('(').next().unwrap();
        name.clone_into(&mut self.0.last_mut().unwrap().1);
        Ok(())
    }
}

#[tokio::test]
async fn items_of_a_fetch_fail_are_damaged_or_are_cut_off() {
    let (source, queue, _, items) = queue(3).await;
    source.damage(&items[1].item);
    source.fail_next(
        SourceOperation::Fetch,
        SourceFault::ItemFailed(0, timeout()),
    );
    source.fail_next(SourceOperation::Fetch, SourceFault::CutOff(2, timeout()));
    let mut sink = Sink::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    let damaged = (0, "WithoutOriginal".to_owned());
    let complete = (8, "Complete".to_owned());
    assert_eq!(
        sink.0,
        [(0, "Failed".into()), damaged.clone(), complete.clone()]
    );
    let mut sink = Sink::default();
    let error = source.fetch(&queue, &items, &mut sink).await.unwrap_err();
    assert_eq!(error.code(), "http.timeout");
    assert_eq!(sink.0, [complete, damaged, (4, "open".into())]);
}

#[tokio::test]
async fn a_person_moves_renames_and_takes_away() {
    let (source, _, storage, items) = queue(2).await;
    let key = items[0].key.clone().unwrap();
    assert!(
        source
            .move_by_hand(&items[0].item, &path("Storage"))
            .is_some()
    );
    assert!(source.take_away(&items[1].item));
    assert!(!source.take_away(&items[1].item));
    assert!(source.rename_folder(&path("Storage"), path("Archive")));
    assert_eq!(held(&source, "Archive"), [1]);
    let found = source.locate(&storage, &[key.into()]).await.unwrap();
    assert_eq!(found[0], refs_of(&source, "Archive"));
    let error = source
        .open_folder(&path("Storage").into())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "source.folder_not_found");
}

fn refs_of(source: &MemorySource, folder: &str) -> Vec<ItemRef> {
    let items = source.items(&path(folder)).into_iter();
    items.map(|item| item.item).collect()
}

#[tokio::test]
async fn more_items_than_the_source_allows_are_refused() {
    let (source, queue, storage, items) = queue(1).await;
    let many = vec![items[0].item.clone(); 101];
    let error = source.move_to(&queue, &many, &storage).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(held(&source, "Queue"), [1]);
}

#[tokio::test]
async fn a_store_fails_before_or_after_the_effect_at_the_call_that_was_planned() {
    let store = MemoryStore::new();
    let (scope, setup) = (Scope::default(), EmailLoggingSetup::default());
    let full = || Error::new(&codes::STORE_FULL, "test");
    store.fail_next(StoreOperation::SaveSetup, full());
    store.lose_next_reply(StoreOperation::SaveSetup, full());
    store.fail_call(StoreOperation::SaveSetup, 4, full());
    let version = async || {
        let stored = store.load_setup(&scope).await.unwrap();
        stored.map_or(0, |stored| stored.version)
    };
    let mut seen = Vec::new();
    for _ in 1..=4 {
        let answer = store.save_setup(&scope, &setup, version().await).await;
        seen.push((answer.is_ok(), version().await));
    }
    assert_eq!(seen, [(false, 0), (false, 1), (true, 2), (false, 2)]);
    assert_eq!(store.calls(StoreOperation::SaveSetup), 4);
    let (mailbox, worker) = (MailboxKey::new("m"), WorkerId::new("w"));
    let ttl = Duration::from_secs(9);
    assert!(store.acquire(&scope, &mailbox, &worker, ttl).await.is_ok());
}

#[test]
fn debug_output_shows_no_mail() {
    let source = MemorySource::new();
    source.deliver(&path("Queue"), *b"s3cret", MailFacts::default());
    let shown = format!("{source:?} {:?}", MemoryStore::new());
    assert!(
        !shown.contains("s3cret") && !shown.contains("115"),
        "{shown}"
    );
}
