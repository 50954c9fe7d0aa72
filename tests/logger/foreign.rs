//! Moves that were planned under the ids of another mail system, as after a change from EWS to Graph.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::LoggingPolicy;
use email_logging::error::codes;
use email_logging::logger::{EmailLoggerBuilder, RunReport};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{
    Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
    MailSource, MemorySource, Moved, Removed, Sought, SourceCapabilities,
};
use email_logging::{Error, Result};

use crate::bench::{Bench, mail, numbered, queue, storage, subject};

/// A mail system that knows nothing of some ids, and must not be sent any of them.
#[derive(Debug)]
struct Changed {
    source: MemorySource,
    foreign: BTreeSet<String>,
}

impl Changed {
    fn check<'a>(&self, mut items: impl Iterator<Item = &'a ItemRef>) {
        assert!(
            items.all(|item| self.is_own(item)),
            "an id that it never gave"
        );
    }
}

#[async_trait]
impl MailSource for Changed {
    fn capabilities(&self) -> SourceCapabilities {
        self.source.capabilities()
    }

    fn is_own(&self, item: &ItemRef) -> bool {
        !self.foreign.contains(&item.id)
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
        self.source.fetch(from, items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.check(items.iter());
        self.source.move_to(from, items, to).await
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        self.check(sought.iter().filter_map(|it| it.item.as_ref()));
        self.source.locate(folder, sought).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        how: Disposal,
    ) -> Result<Vec<Removed>> {
        self.check(items.iter());
        self.source.remove(from, items, how).await
    }
}

fn builder(bench: &Bench) -> EmailLoggerBuilder {
    let mut policy = LoggingPolicy::default();
    policy.delete_not_logged = true;
    bench.builder().with_policy(policy)
}

/// A bench whose moves and deletions are all still to do, planned under ids that the mail system does not know any more.
async fn changed(bench: Bench, mails: &[Vec<u8>]) -> (Bench, Changed) {
    let busy = || Error::new(&codes::HTTP_TIMEOUT, "planned");
    let mut foreign = BTreeSet::new();
    for mail in mails {
        bench.deliver(mail.clone());
        let operation = if *mail == stranger() {
            SourceOperation::Remove
        } else {
            SourceOperation::MoveTo
        };
        let fault = SourceFault::ItemFailed(0, busy());
        bench.source.fail_next(operation, fault);
        let report = builder(&bench).build().unwrap().run_once().await.unwrap();
        assert_eq!(report.moves_pending, 1, "{report:?}");
    }
    for old in bench.source.items(&queue()) {
        foreign.insert(old.item.id.clone());
        let away = bench.source.move_by_hand(&old.item, &storage()).unwrap();
        bench.source.move_by_hand(&away, &queue()).unwrap();
    }
    bench.clock.advance(Duration::from_hours(1));
    let source = bench.source.clone();
    (bench, Changed { source, foreign })
}

async fn run(bench: &Bench, source: Changed) -> RunReport {
    let builder = builder(bench).with_source(Arc::new(source));
    builder.build().unwrap().run_once().await.unwrap()
}

fn stranger() -> Vec<u8> {
    mail("no@else.example", "ah@ours.example", "Strange", "strange@x")
}

#[tokio::test]
async fn each_item_is_moved_under_its_present_id() {
    let mails = [numbered(0), numbered(1), stranger()];
    let (bench, source) = changed(Bench::new(), &mails).await;
    let report = run(&bench, source).await;
    let ends = (report.recovered, report.moved, report.deleted);
    assert_eq!((ends, report.vanished), ((3, 2, 1), 0), "{report:?}");
    assert_eq!((bench.queued(), bench.stored()), (0, 2));
    let subjects: Vec<_> = bench.entries().await.into_iter().map(|it| it.0).collect();
    assert_eq!(subjects, [subject(0), subject(1)]);
}

#[tokio::test]
async fn what_lies_in_the_queue_no_more_is_let_go() {
    let (bench, source) = changed(Bench::new(), &[numbered(0), numbered(1), stranger()]).await;
    for lies in bench.source.items(&queue()) {
        assert!(bench.source.take_away(&lies.item));
    }
    let report = run(&bench, source).await;
    let ends = (report.recovered, report.vanished, report.deleted);
    assert_eq!(ends, (3, 2, 1), "who was to be deleted is gone: {report:?}");
}

#[tokio::test]
async fn what_cannot_be_looked_for_is_let_go_and_found_by_the_listing() {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.locate) = (false, false);
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    let (bench, source) = changed(bench, &[stranger()]).await;
    let report = run(&bench, source).await;
    assert_eq!((report.recovered, report.vanished), (1, 1), "{report:?}");
    assert_eq!((report.deleted, bench.queued()), (1, 0));
}
