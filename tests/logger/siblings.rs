//! Two items under one key in one run: a person copied a mail, and may have edited the copy.

use std::sync::Arc;

use async_trait::async_trait;
use email_logging::logger::{EmailLoggerBuilder, RunSettings};
use email_logging::source::{FolderPath, ItemRef, MemorySource};
use email_logging::store::{EventFeed as _, EventKind};
use email_logging::{Result, Scope};

use crate::bench::{Bench, mail, numbered, queue};
use crate::meddled::{Meddled, Meddling};

const TO: &str = "ah@ours.example";

fn not_logged() -> FolderPath {
    r"\Email Logging\Not logged\".parse().unwrap()
}

/// A mail that matches nobody, and behind it a copy of it that somebody made one of a contact.
fn edited_copy() -> Bench {
    let bench = Bench::new().with_source(|source| source.with_folder(&not_logged()));
    bench.deliver(mail("no@else.example", TO, "Unknown", "u@x.example"));
    let first = bench.source.items(&queue()).remove(0).item;
    let copy = bench.source.copy_by_hand(&first, &queue()).unwrap();
    bench.source.edit_by_hand(&copy, numbered(0)).unwrap();
    bench
}

fn builder(bench: &Bench, settings: RunSettings) -> EmailLoggerBuilder {
    let builder = bench.builder().with_settings(settings);
    builder.with_not_logged_folder(not_logged())
}

/// Where the one item went, and where the other.
async fn lie_apart(bench: &Bench) {
    let aside = bench.source.items(&not_logged()).len();
    assert_eq!((bench.queued(), aside, bench.stored()), (0, 1, 1));
    assert_eq!(bench.entries().await.len(), 1);
}

#[tokio::test]
async fn what_is_decided_otherwise_than_what_is_about_to_move_stays_for_the_next_run() {
    let bench = edited_copy();
    let logger = builder(&bench, RunSettings::default()).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!((report.listed, report.not_matched), (2, 1), "{report:?}");
    assert_eq!((report.deferred, report.moved), (1, 1), "{report:?}");
    assert_eq!((report.logged, bench.queued()), (0, 1));
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (1, 1), "{report:?}");
    lie_apart(&bench).await;
}

#[tokio::test]
async fn what_is_decided_otherwise_in_a_later_commit_goes_where_the_ledger_says() {
    let bench = edited_copy();
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.connections) = (1, 1);
    let logger = builder(&bench, settings).build().unwrap();
    let mut entries = 0;
    for _ in 0..2 {
        let report = logger.run_once().await.unwrap();
        assert!(report.closes(), "{report:?}");
        entries += report.entries;
    }
    assert_eq!(entries, 1);
    lie_apart(&bench).await;
}

/// A mail system that takes its time for moves of more than one item.
struct SlowBatches;

#[async_trait]
impl Meddling for SlowBatches {
    async fn before_move(&self, _: &MemorySource, items: &[ItemRef]) -> Result<()> {
        for _ in 0..100 * (items.len() - 1) {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_second_item_looks_for_the_first_when_that_has_moved() {
    let bench = Bench::new();
    bench.deliver_numbers(0..2);
    let second = bench.source.items(&queue()).remove(1).item;
    bench.source.copy_by_hand(&second, &queue()).unwrap();
    let mut settings = RunSettings::default();
    settings.move_batch = 2;
    let source = Meddled {
        source: bench.source.clone(),
        meddling: SlowBatches,
    };
    let logger = bench.builder().with_source(Arc::new(source));
    let logger = logger.with_settings(settings).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.already_logged), (2, 1), "{report:?}");
    assert_eq!(
        (report.moved, report.duplicate_copies),
        (3, 1),
        "{report:?}"
    );
    let scope = Scope::default();
    let events = bench.store.read_events(&scope, "test", 100).await.unwrap();
    let notes = events
        .iter()
        .filter(|event| event.kind == EventKind::DuplicateCopy);
    assert_eq!(notes.count(), 1, "the second tells");
}
