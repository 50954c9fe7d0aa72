//! Every source of this crate keeps the contract of sources.

use std::sync::Arc;

use async_trait::async_trait;
use email_logging::Result;
use email_logging::message::MailFacts;
use email_logging::source::memory::SourceOperation;
use email_logging::source::{
    FolderPath, ItemRef, MailFolders, MailSource, MemorySource, SourceCapabilities,
};
use email_logging::testkit::conformance::source::{SourceFixture, run};

#[derive(Debug)]
pub(super) struct InMemory<S> {
    pub(super) room: MemorySource,
    pub(super) source: Arc<S>,
}

pub(super) fn path(name: &str) -> FolderPath {
    format!(r"\Email Logging\{name}\").parse().unwrap()
}

pub(super) fn room() -> MemorySource {
    MemorySource::new()
        .with_folder(&path("Queue"))
        .with_folder(&path("Storage"))
        .with_chunk_bytes(10_000)
}

#[async_trait]
impl<S: MailSource> SourceFixture for InMemory<S> {
    fn source(&self) -> Arc<dyn MailSource> {
        Arc::new(Arc::clone(&self.source))
    }

    fn folders(&self) -> Option<Arc<dyn MailFolders>> {
        Some(Arc::new(self.room.clone()))
    }

    fn queue(&self) -> FolderPath {
        path("Queue")
    }

    fn storage(&self) -> FolderPath {
        path("Storage")
    }

    fn missing(&self) -> FolderPath {
        path("Missing")
    }

    async fn deliver(&self, original: Vec<u8>) -> Result<()> {
        self.room
            .deliver(&self.queue(), original, MailFacts::default());
        Ok(())
    }

    async fn take_away(&self, item: &ItemRef) -> Result<()> {
        assert!(self.room.take_away(item));
        Ok(())
    }

    async fn copy(&self, item: &ItemRef, to: &FolderPath) -> Result<()> {
        self.room.copy_by_hand(item, to).unwrap();
        Ok(())
    }

    async fn contents(&self, folder: &FolderPath) -> Result<Vec<Vec<u8>>> {
        let items = self.room.items(folder).into_iter();
        Ok(items.map(|item| item.original.to_vec()).collect())
    }

    fn requests(&self) -> Option<u64> {
        Some(self.room.calls().len() as u64)
    }
}

async fn memory() -> InMemory<MemorySource> {
    let room = room();
    InMemory {
        source: Arc::new(room.clone()),
        room,
    }
}

#[tokio::test]
async fn the_source_in_memory_keeps_the_contract() {
    let report = run(memory).await;
    report.assert_passed();
    assert_eq!((report.passed(), report.skipped()), (27, 4), "{report}");
}

/// Items come without a key, and can be given one.
pub(super) fn stamping() -> MemorySource {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.stamps) = (false, true);
    room().with_capabilities(capabilities)
}

#[tokio::test]
async fn a_source_in_memory_that_gives_stamps_keeps_the_contract() {
    let report = run(|| async {
        let room = stamping();
        InMemory {
            source: Arc::new(room.clone()),
            room,
        }
    })
    .await;
    report.assert_passed();
    assert_eq!((report.passed(), report.skipped()), (27, 4), "{report}");
}

#[tokio::test]
async fn a_source_without_keys_and_deletion_keeps_the_rest_of_the_contract() {
    let report = run(|| async {
        let mut capabilities = SourceCapabilities::default();
        capabilities.stable_keys = false;
        capabilities.locate = false;
        capabilities.remove = false;
        let room = room().with_capabilities(capabilities);
        InMemory {
            source: Arc::new(room.clone()),
            room,
        }
    })
    .await;
    report.assert_passed();
    let skipped = report.skipped();
    assert_eq!((report.passed(), skipped), (22, 9), "{report}");
}

#[tokio::test]
async fn calls_are_counted_and_recorded_in_order() {
    let fixture = memory().await;
    fixture
        .deliver(b"Subject: x\r\n\r\n".to_vec())
        .await
        .unwrap();
    let folder = fixture
        .room
        .open_folder(&path("Queue").into())
        .await
        .unwrap();
    let request = email_logging::source::ListRequest::new(0, 7);
    fixture.room.list(&folder, request).await.unwrap();
    let calls = fixture.room.calls();
    let calls: Vec<_> = calls
        .iter()
        .map(|call| (call.operation, call.items))
        .collect();
    let expected = [(SourceOperation::OpenFolder, 1), (SourceOperation::List, 7)];
    assert_eq!(calls, expected);
    assert_eq!(fixture.room.count(SourceOperation::List), 1);
}
