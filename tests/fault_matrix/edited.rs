//! A mail that a person edits while a run works on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use email_logging::Result;
use email_logging::error::codes;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{
    Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
    MailSource, MemorySource, Moved, Removed, Sought, SourceCapabilities,
};
use email_logging::store::{InteractionLog as _, LogFilter};

use crate::office::{Office, error, mail, queue, storage, subjects};

/// When the person edits the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Listed,
    Fetched,
    Committed,
}

/// A mailbox in which somebody edits the only mail at one moment, once.
#[derive(Debug)]
struct Edited {
    source: MemorySource,
    when: When,
    done: AtomicBool,
}

impl Edited {
    fn at(&self, when: When) {
        if self.when == when && !self.done.swap(true, Ordering::Relaxed) {
            let item = self.source.items(&queue()).remove(0).item;
            assert!(self.source.edit_by_hand(&item, after()).is_some());
        }
    }
}

#[async_trait]
impl MailSource for Edited {
    fn capabilities(&self) -> SourceCapabilities {
        self.source.capabilities()
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.source.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let listing = self.source.list(folder, request).await?;
        self.at(When::Listed);
        Ok(listing)
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        self.source.fetch(from, items, sink).await?;
        self.at(When::Fetched);
        Ok(())
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.at(When::Committed);
        self.source.move_to(from, items, to).await
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

fn before() -> Vec<u8> {
    mail("ada@contacts.example", "Before", "e@x.example", "")
}

fn after() -> Vec<u8> {
    mail("ada@contacts.example", "After", "e@x.example", "")
}

/// The original that is kept with the only mail.
async fn kept(office: &Office) -> Vec<u8> {
    let (scope, all) = (email_logging::Scope::default(), LogFilter::default());
    let page = office.store.mails(&scope, &all, None, 10).await.unwrap();
    let [mail] = &page.rows[..] else {
        panic!("{page:?}")
    };
    let part = office.store.original(&scope, &mail.message, 0..u64::MAX);
    part.await.unwrap().bytes
}

#[tokio::test]
async fn a_mail_that_is_edited_at_any_moment_is_logged_as_it_was_read_once_and_moved() {
    for (when, subject, original) in [
        (When::Listed, "After", after()),
        (When::Fetched, "Before", before()),
        (When::Committed, "Before", before()),
    ] {
        for lost in [false, true] {
            let office = Office::new().await;
            office.deliver(before());
            let source = Arc::new(Edited {
                source: office.source.clone(),
                when,
                done: AtomicBool::new(false),
            });
            if lost {
                let busy = SourceFault::Error(error(&codes::HTTP_CONNECT));
                office.source.fail_next(SourceOperation::MoveTo, busy);
            }
            let logger = office.builder().with_source(source).build().unwrap();
            let first = logger.run_once().await;
            let report = first.unwrap_or_else(|failed| *failed.report);
            assert!(report.closes(), "{report:?}");
            assert_eq!((report.logged, report.moved), (1, u64::from(!lost)));
            for _ in 0..2 {
                let report = logger.run_once().await.unwrap();
                assert_eq!((report.logged, report.already_logged), (0, 0), "{when:?}");
            }
            assert_eq!(subjects(office.store.as_ref()).await, [subject], "{when:?}");
            assert_eq!(kept(&office).await, original, "{when:?}");
            assert_eq!(office.places(), [0, 1, 0], "{when:?} {lost}");
            let stored = office.source.items(&storage()).remove(0);
            assert_eq!(stored.original.to_vec(), after(), "as the person left it");
        }
    }
}
