//! The logger over Graph with SQLite: logged once, moved, whatever goes wrong.

use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::EmailLoggerBuilder;
use email_logging::parties::ContactKind;
use email_logging::source::graph::GraphSource;
use email_logging::store::{InteractionLog as _, LogFilter, SqliteStore};
use email_logging::testkit::graph::{SimulatedGraph, SimulatedGraphBuilder};
use email_logging::{EmailLogger, Scope};
use tempfile::TempDir;

use crate::support::*;

/// A company with a mailbox and a log.
pub(crate) struct Office {
    pub(crate) graph: SimulatedGraph,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) clock: Arc<TestClock>,
    source: Arc<GraphSource>,
    _folder: TempDir,
}

impl Office {
    pub(crate) async fn with(
        change: impl FnOnce(SimulatedGraphBuilder) -> SimulatedGraphBuilder,
    ) -> Self {
        // One clock for both sides: what the server wants waited for is time that passes by waiting.
        let clock = Arc::new(TestClock::default());
        let shared = || -> Arc<dyn Clock> { Arc::<TestClock>::clone(&clock) };
        let graph = graph_with(|it| change(it.with_clock(shared()))).await;
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(folder.path().join("log.sqlite")).unwrap();
        store.migrate().await.unwrap();
        let (source, _) = source_at(&service(&graph), |it| it.with_clock(shared()));
        Self {
            graph,
            store: Arc::new(store),
            clock,
            source: Arc::new(source),
            _folder: folder,
        }
    }

    pub(crate) fn logger(&self) -> EmailLogger {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> EmailLoggerBuilder {
        let people = MemoryDirectory::new()
            .with_salesperson(SalespersonRecord::new("AH", "Anna Hill", "ah@ours.example"))
            .with_contact(
                ContactRecord::new("C1", "Ada", ContactKind::Person)
                    .with_email("ada@contacts.example"),
            );
        let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&self.clock);
        EmailLogger::builder()
            .with_source(Arc::<GraphSource>::clone(&self.source))
            .with_directory(Arc::new(people))
            .with_store(Arc::clone(&self.store))
            .with_queue_folder(path(r"mailbox:\Queue\"))
            .with_storage_folder(path(r"mailbox:\Storage\"))
            .with_clock(clock)
    }

    pub(crate) fn deliver(&self, numbers: std::ops::Range<usize>, body: usize) {
        let body = "0123456789abcdef ".repeat(body / 17 + 1);
        for number in numbers {
            let mail = format!(
                "From: Ada <ada@contacts.example>\r\nTo: ah@ours.example\r\n\
                 Subject: Offer {number:05}\r\nMessage-ID: <n{number}@contacts.example>\r\n\
                 Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\nMail {number}: {body}\r\n"
            );
            self.graph.deliver(QUEUE, mail).unwrap();
        }
    }

    /// The subjects of the log, sorted.
    pub(crate) async fn logged(&self) -> Vec<String> {
        let (scope, filter) = (Scope::default(), LogFilter::default());
        let page = self.store.mails(&scope, &filter, None, 1000).await.unwrap();
        let subjects = page.rows.iter().map(|mail| mail.record.subject.clone());
        let mut subjects: Vec<String> = subjects.collect();
        subjects.sort();
        subjects
    }

    pub(crate) fn counts(&self) -> (usize, usize) {
        (
            self.graph.count(QUEUE).unwrap(),
            self.graph.count(STORAGE).unwrap(),
        )
    }

    pub(crate) async fn later(&self) {
        self.clock.sleep(Duration::from_hours(2)).await;
    }
}

pub(crate) fn offers(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("Offer {number:05}"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mails_are_logged_once_and_moved_with_101_requests_and_an_idle_poll_is_one() {
    let office = Office::with(|it| it).await;
    let logger = office.logger();
    logger.run_once().await.unwrap();
    office.deliver(0..1000, 3000);
    let before = office.graph.statistics();
    let report = logger.run_once().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!((report.logged, report.moved), (1000, 1000));
    let after = office.graph.statistics();
    let requests = after.requests - before.requests;
    assert!(requests <= 103, "{requests}");
    assert!(after.most_concurrent_of_mailbox <= 4, "{after:?}");
    assert_eq!((after.unauthorized, after.refused), (0, 0));
    assert_eq!(office.counts(), (0, 1000));
    assert_eq!(office.logged().await, offers(1000));
    let idle = logger.run_once().await.unwrap();
    assert_eq!(idle.listed, 0);
    assert_eq!(office.graph.statistics().requests - after.requests, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_copy_of_a_mail_is_moved_and_adds_no_entry() {
    let office = Office::with(|it| it).await;
    office.deliver(0..3, 100);
    office.logger().run_once().await.unwrap();
    office.deliver(0..3, 100);
    let report = office.logger().run_once().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!(office.logged().await, offers(3));
    assert_eq!(office.counts(), (0, 6));
}
