//! A source of a host's own that loses the order of a fetch: no content is taken for that of another item.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::logger::{RunReport, RunStep};
use email_logging::message::MailFacts;
use email_logging::source::{
    FetchSink, Fetched, Folder, ListedItem, MailSource as _, MemorySource,
};
use email_logging::{EmailLogger, Error, Result};

use crate::bench::{Bench, queue};
use crate::meddled::{Meddled, Meddling};

/// What the source tells of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The index of an item that begins.
    Begin(usize),
    /// The bytes of the item with this index in the question, and its end.
    Rest(usize),
    /// An end without anything else.
    Gone,
}
use Told::{Begin, Gone, Rest};

#[derive(Debug)]
struct Disordered {
    /// What it tells of the first fetch; the others are as they should be.
    tells: &'static [Told],
    /// Whether it passes over what the sink answers.
    is_deaf: bool,
    fetches: std::sync::atomic::AtomicU32,
    /// What the sink refused of the first fetch.
    refused: Mutex<Vec<&'static str>>,
}

impl Disordered {
    async fn tell(
        &self,
        told: Told,
        original: impl Fn(usize) -> Arc<[u8]>,
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        match told {
            Begin(index) => sink.begin(index, None),
            Rest(of) => {
                let said = sink.chunk(&original(of)).await;
                self.heard("a piece", said)?;
                let facts = Box::new(MailFacts::default());
                let said = sink.end(Fetched::Complete(facts)).await;
                self.heard("an end", said)?;
            }
            Gone => {
                let said = sink.end(Fetched::Gone).await;
                self.heard("an end", said)?;
            }
        }
        Ok(())
    }

    fn heard(&self, what: &'static str, said: Result<()>) -> Result<()> {
        if said.is_err() {
            self.refused.lock().unwrap().push(what);
        }
        if self.is_deaf { Ok(()) } else { said }
    }
}

#[async_trait]
impl Meddling for Disordered {
    async fn fetch(
        &self,
        source: &MemorySource,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let before = self
            .fetches
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if before > 0 {
            return source.fetch(from, items, sink).await;
        }
        let queued = source.items(&queue());
        let original = |index: usize| {
            let id = &items[index].item.id;
            let found = queued.iter().find(|it| it.item.id == *id).unwrap();
            found.original.to_vec().into()
        };
        for told in self.tells {
            self.tell(*told, original, sink).await?;
        }
        Ok(())
    }
}

/// Three mails of a source with such a fetch.
fn disordered(
    tells: &'static [Told],
    is_deaf: bool,
) -> (Bench, Arc<Meddled<Disordered>>, EmailLogger) {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let source = Arc::new(Meddled {
        source: bench.source.clone(),
        meddling: Disordered {
            tells,
            is_deaf,
            fetches: 0.into(),
            refused: Mutex::default(),
        },
    });
    let logger = bench.builder().with_source(source.clone()).build().unwrap();
    (bench, source, logger)
}

/// One run over three mails with such a fetch, and what follows once the source tells what it should.
async fn after(tells: &'static [Told], is_deaf: bool) -> (RunReport, Error) {
    let (bench, _, logger) = disordered(tells, is_deaf);
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::ReadingMessages, "{failed:?}");
    assert!(failed.report.closes(), "{failed:?}");
    logger.run_once().await.unwrap();
    // Each mail moved under its own key, with its own content.
    bench.assert_all_stored_and_logged_once(3).await;
    (*failed.report, failed.error)
}

#[tokio::test]
async fn a_source_that_leaves_an_item_out_gives_no_item_the_content_of_another() {
    for is_deaf in [false, true] {
        let skips = &[Begin(1), Rest(1), Begin(2), Rest(2)];
        let (report, error) = after(skips, is_deaf).await;
        assert_eq!(error.code(), "contract.count", "{error}");
        assert_eq!((report.fetched, report.deferred), (0, 3), "{report:?}");
    }
}

#[tokio::test]
async fn what_came_before_the_item_that_was_left_out_is_taken() {
    for is_deaf in [false, true] {
        let skips = &[Begin(0), Rest(0), Begin(2), Rest(2)];
        let (report, error) = after(skips, is_deaf).await;
        assert_eq!(error.code(), "contract.count", "{error}");
        assert_eq!((report.logged, report.deferred), (1, 2), "{report:?}");
    }
}

#[tokio::test]
async fn a_source_that_changes_the_order_gives_no_item_the_content_of_another() {
    for is_deaf in [false, true] {
        let reordered = &[Begin(2), Rest(2), Begin(1), Rest(1), Begin(0), Rest(0)];
        let (report, error) = after(reordered, is_deaf).await;
        assert_eq!(error.code(), "contract.count", "{error}");
        assert_eq!((report.fetched, report.deferred), (0, 3), "{report:?}");
    }
}

#[tokio::test]
async fn an_item_that_ends_twice_or_without_a_beginning_moves_no_other_up() {
    for is_deaf in [false, true] {
        let (twice, unbegun): (&[Told], &[Told]) = (
            &[Begin(0), Rest(0), Gone, Begin(2), Rest(2)],
            &[Begin(0), Rest(0), Rest(1), Begin(2), Rest(2)],
        );
        for tells in [twice, unbegun] {
            let (report, error) = after(tells, is_deaf).await;
            assert_eq!(error.code(), "contract.count", "{error}");
            assert_eq!((report.logged, report.deferred), (1, 2), "{report:?}");
        }
    }
}

#[tokio::test]
async fn a_source_that_leaves_the_last_item_out_is_told_of() {
    let (report, error) = after(&[Begin(0), Rest(0), Begin(1), Rest(1)], false).await;
    assert_eq!(error.code(), "contract.count", "{error}");
    assert_eq!((report.logged, report.deferred), (2, 1), "{report:?}");
}

#[tokio::test]
async fn what_is_told_behind_the_last_item_is_told_of() {
    for is_deaf in [false, true] {
        let more = &[
            Begin(0),
            Rest(0),
            Begin(1),
            Rest(1),
            Begin(2),
            Rest(2),
            Begin(0),
            Rest(0),
        ];
        let (report, error) = after(more, is_deaf).await;
        assert_eq!(error.code(), "contract.count", "{error}");
        assert_eq!((report.logged, report.deferred), (3, 0), "{report:?}");
    }
}

#[tokio::test]
async fn an_item_out_of_its_turn_is_refused_from_its_first_piece_on() {
    for (is_deaf, refused) in [(false, &["a piece"][..]), (true, &["a piece", "an end"])] {
        let (_bench, source, logger) = disordered(&[Begin(1), Rest(1)], is_deaf);
        logger.run_once().await.unwrap_err();
        assert_eq!(*source.meddling.refused.lock().unwrap(), refused);
    }
}

#[tokio::test]
async fn an_item_that_begins_once_more_before_its_end_is_in_its_turn() {
    let again = &[
        Begin(0),
        Begin(0),
        Rest(0),
        Begin(1),
        Rest(1),
        Begin(2),
        Gone,
    ];
    let (_bench, _, logger) = disordered(again, false);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.gone), (2, 1), "{report:?}");
}
