//! A commit of several batches: what fetching has ready while another commit is written.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::Result;
use email_logging::error::codes;
use email_logging::logger::{
    Progress, ProgressEvent, RematchOptions, RunError, RunReport, RunSettings, RunStep,
};

use email_logging::message::MailFacts;
use email_logging::source::{FolderPath, ItemRef, ListRequest, MemorySource, SourceCapabilities};

use crate::bench::{Bench, mail, mail_with, numbered, queue, storage, subject};
use crate::meddled::{Meddled, Meddling};
use crate::steered::{Noted, Steered};

/// Batches, and mails of each.
const BATCHES: u32 = 6;
const BATCH: u32 = 3;
const MAILS: u32 = BATCHES * BATCH;

/// So many mails of a fetch, and enough calls at a time that all are fetched while the first commit is written.
fn settings(batch: u32) -> RunSettings {
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.connections) = (batch, 16);
    settings
}

async fn run(
    bench: &Bench,
    ledger: Steered,
    settings: RunSettings,
) -> (Result<RunReport, RunError>, Arc<Steered>) {
    let ledger = Arc::new(ledger);
    let steered = Arc::<Steered>::clone(&ledger);
    let builder = bench.builder().with_ledger(steered);
    let logger = builder.with_settings(settings).build().unwrap();
    (logger.run_once().await, ledger)
}

fn steered(bench: &Bench) -> Steered {
    Steered::new(&bench.store, 400)
}

fn sizes(commits: &[Noted]) -> Vec<usize> {
    commits.iter().map(|noted| noted.mails.len()).collect()
}

/// What the bench holds, and the ledger's word for each mail, once the faults have stopped.
async fn heal(bench: &Bench) {
    bench.clock.advance(std::time::Duration::from_hours(1));
    let report = bench.run().await.unwrap();
    assert!(report.closes(), "{report:?}");
    bench.assert_all_stored_and_logged_once(MAILS).await;
}

#[tokio::test]
async fn batches_that_are_ready_are_committed_together_in_the_order_of_the_queue() {
    let bench = Bench::new();
    bench.deliver_numbers(0..MAILS);
    let (report, ledger) = run(&bench, steered(&bench), settings(BATCH)).await;
    let report = report.unwrap();
    assert_eq!((report.logged, report.moved), (18, 18), "{report:?}");
    assert!(report.closes(), "{report:?}");
    let commits = ledger.commits();
    assert_eq!(sizes(&commits), [3, 15]);
    let mails: Vec<_> = commits.into_iter().flat_map(|it| it.mails).collect();
    assert_eq!(mails, (0..MAILS).map(subject).collect::<Vec<_>>());
    assert_eq!(ledger.count(), 3, "and one with the results of the moves");
    bench.assert_all_stored_and_logged_once(MAILS).await;
}

#[tokio::test]
async fn a_row_that_the_store_refuses_is_set_aside_and_the_others_of_its_commit_are_logged() {
    let bench = Bench::new();
    bench.deliver_numbers(0..MAILS);
    let ledger = steered(&bench).refusing(subject(7));
    let (report, ledger) = run(&bench, ledger, settings(BATCH)).await;
    let report = report.unwrap();
    assert_eq!((report.logged, report.quarantined), (17, 1), "{report:?}");
    assert_eq!(report.reasons.get("quarantined/row-refused"), Some(&1));
    assert!(report.closes(), "{report:?}");
    assert_eq!(sizes(&ledger.commits()), [3, 15, 1]);
    assert_eq!((bench.stored(), bench.queued()), (17, 1));
    assert_eq!(bench.entries().await.len(), 17);
}

#[tokio::test]
async fn a_mail_that_matches_again_and_whose_row_the_store_refuses_is_failed() {
    let bench = Bench::new();
    bench.deliver(mail(
        "new@contacts.example",
        "ah@ours.example",
        "New",
        "new@x",
    ));
    bench.run().await.unwrap();
    bench.company.add_contact("new@contacts.example", "C9");
    let builder = bench.builder().with_review_store(Arc::clone(&bench.store));
    let ledger = Arc::new(steered(&bench).refusing("New".into()));
    let logger = builder.with_ledger(ledger).build().unwrap();
    let report = logger.rematch(&RematchOptions::default()).await.unwrap();
    assert_eq!((report.matched, report.failed), (0, 1), "{report:?}");
    assert!(bench.entries().await.is_empty());
}

#[tokio::test]
async fn of_two_renderings_in_batches_of_one_commit_the_older_is_logged() {
    let bench = Bench::new();
    let base64 = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                  Content-Transfer-Encoding: base64\r\n";
    let (ada, ah) = ("ada@contacts.example", "ah@ours.example");
    let mut older = 0;
    for number in 0..MAILS {
        match number {
            4 => {
                let plain = mail_with(ada, ah, "Twice", "twice@x", "", "Sent twice.\r\n");
                older = plain.len() as u64;
                bench.deliver(plain);
            }
            10 => bench.deliver(mail_with(
                ada,
                ah,
                "Twice",
                "twice@x",
                base64,
                "U2VudCB0d2ljZS4NCg==\r\n",
            )),
            number => bench.deliver(numbered(number)),
        }
    }
    let (report, ledger) = run(&bench, steered(&bench), settings(BATCH)).await;
    let report = report.unwrap();
    assert_eq!((report.logged, report.already_logged), (17, 1));
    assert!(report.closes(), "{report:?}");
    // The batch that has it again waits for the next one.
    let commits = ledger.commits();
    assert_eq!(sizes(&commits)[..3], [3, 6, 9], "{commits:?}");
    let mails = bench.mails().await;
    let twice = mails.iter().find(|it| it.record.subject == "Twice");
    assert_eq!(twice.unwrap().record.identity.size, older);
    assert_eq!((bench.stored(), mails.len()), (18, 17));
}

#[tokio::test]
async fn a_commit_of_several_batches_that_fails_writes_and_moves_none_of_them() {
    for (code, lost_reply) in [
        (&codes::STORE_UNAVAILABLE, false),
        (&codes::STORE_UNAVAILABLE, true),
        (&codes::LEASE_LOST, false),
    ] {
        let bench = Bench::new();
        bench.deliver_numbers(0..MAILS);
        let ledger = steered(&bench).failing(code, lost_reply);
        let (failed, ledger) = run(&bench, ledger, settings(BATCH)).await;
        let failed = failed.unwrap_err();
        assert_eq!(failed.error.code(), code.code);
        assert!(failed.report.closes(), "{failed:?}");
        assert_eq!(sizes(&ledger.commits()), [3, 15]);
        assert_eq!(ledger.count(), 2, "nothing is written after it");
        let (report, logged) = (&failed.report, failed.report.logged);
        assert_eq!((logged, report.deferred), (3, 15), "{report:?}");
        assert!(bench.stored() <= 3, "{}", bench.stored());
        let kept = if lost_reply { 18 } else { 3 };
        assert_eq!(bench.entries().await.len(), kept);
        heal(&bench).await;
    }
}

#[tokio::test]
async fn a_commit_has_no_more_mails_and_bytes_than_it_may() {
    let bench = Bench::new();
    bench.deliver_numbers(0..450);
    let (report, ledger) = run(&bench, steered(&bench), settings(45)).await;
    assert_eq!(report.unwrap().logged, 450);
    let commits = sizes(&ledger.commits());
    assert_eq!(commits, [45, 180, 180, 45], "at most 200 in whole batches");
    let bench = Bench::new();
    bench.deliver_numbers(0..MAILS);
    let size = numbered(0).len() as u64;
    let mut settings = settings(BATCH);
    settings.fetch_bytes = size * 7;
    let (report, ledger) = run(&bench, steered(&bench), settings).await;
    assert_eq!(report.unwrap().logged, u64::from(MAILS));
    let commits = ledger.commits();
    assert_eq!(sizes(&commits), [3, 6, 6, 3]);
    assert!(commits.iter().all(|noted| noted.bytes <= size * 7));
}

#[tokio::test]
async fn a_commit_that_fails_for_its_rows_leaves_what_was_committed_before_to_be_moved_and_noted() {
    let bench = Bench::new();
    bench.deliver_numbers(0..MAILS);
    let ledger = steered(&bench).failing(&codes::STORE_DATA, false);
    let (failed, ledger) = run(&bench, ledger, settings(BATCH)).await;
    let failed = failed.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::LoggingMessages, "store.data")
    );
    assert_eq!((failed.report.moved, bench.stored()), (3, 3));
    assert_eq!(ledger.count(), 3, "the moves are noted");
    heal(&bench).await;
}

/// Counts the batches that were fetched before each commit was done.
#[derive(Debug, Default)]
struct Ahead(Mutex<Vec<usize>>);

impl Progress for Ahead {
    fn on(&self, event: &ProgressEvent<'_>) {
        let mut counts = self.0.lock().unwrap();
        match (event, counts.last_mut()) {
            (ProgressEvent::Fetched { .. }, Some(fetched)) => *fetched += 1,
            (ProgressEvent::Started | ProgressEvent::Committed { .. }, _) => counts.push(0),
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_is_fetched_ahead_of_a_slow_commit_is_bounded_by_calls_and_by_bytes() {
    // Of one size each.
    let numbers = 10..40;
    let size = numbered(10).len() as u64;
    let much = 1_000 * size;
    // Connections, bytes of a fetch, and the batches that are fetched: one is written, and the others wait for it. The next
    // commit writes those, and while it does so they count as before.
    let rows = [
        (1, much, 2),
        (2, much, 3),
        (7, much, 8),
        (8, much, 11),
        (4, 2 * size, 4),
    ];
    for (connections, bytes, fetched) in rows {
        let bench = Bench::new();
        bench.deliver_numbers(numbers.clone());
        let ahead = Arc::new(Ahead::default());
        let mut settings = settings(1);
        (settings.connections, settings.fetch_bytes) = (connections, bytes);
        let builder = bench.builder().with_ledger(Arc::new(steered(&bench)));
        let builder = builder.with_progress(Arc::<Ahead>::clone(&ahead));
        let logger = builder.with_settings(settings).build().unwrap();
        assert_eq!(logger.run_once().await.unwrap().moved, 30);
        let counted = ahead.0.lock().unwrap()[..2].to_vec();
        assert_eq!(
            counted,
            [fetched, 1],
            "{connections} connections, {bytes} bytes"
        );
    }
}

/// Takes an item away once something was committed.
#[derive(Debug)]
struct Thief(MemorySource, ItemRef);

impl Progress for Thief {
    fn on(&self, event: &ProgressEvent<'_>) {
        if let ProgressEvent::Committed { .. } = event {
            self.0.take_away(&self.1);
        }
    }
}

#[tokio::test]
async fn what_waits_for_its_commit_when_the_store_fails_is_deferred_with_what_is_gone() {
    let bench = Bench::new();
    bench.deliver_numbers(0..12);
    let item = bench.source.items(&queue()).remove(10).item;
    let ledger = steered(&bench).failing(&codes::STORE_UNAVAILABLE, false);
    let mut settings = settings(BATCH);
    settings.connections = 2;
    let builder = bench.builder().with_ledger(Arc::new(ledger));
    let builder = builder.with_progress(Arc::new(Thief(bench.source.clone(), item)));
    let logger = builder.with_settings(settings).build().unwrap();
    let report = logger.run_once().await.unwrap_err().report;
    let counts = (report.listed, report.logged, report.deferred, report.gone);
    assert_eq!(counts, (12, 3, 9, 0), "{report:?}");
}

/// Each page takes its time.
struct SlowPages;

#[async_trait]
impl Meddling for SlowPages {
    async fn before_list(&self, _: ListRequest) {
        for _ in 0..300 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_copy_that_waits_for_its_commit_when_the_store_fails_is_deferred() {
    let mut capabilities = SourceCapabilities::default();
    capabilities.list_page = 2;
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    // The copy is the last in the queue, since its mail came last.
    let aside: FolderPath = r"\Aside\".parse().unwrap();
    for number in 0..4 {
        let facts = MailFacts::default();
        bench.source.deliver(&aside, numbered(number), facts);
    }
    bench.deliver_numbers(9..10);
    bench.run().await.unwrap();
    for mail in bench.source.items(&aside) {
        bench.source.move_by_hand(&mail.item, &queue()).unwrap();
    }
    let first = bench.source.items(&storage()).remove(0).item;
    bench.source.copy_by_hand(&first, &queue()).unwrap();
    let ledger = steered(&bench).failing(&codes::STORE_UNAVAILABLE, false);
    let meddled = Meddled {
        source: bench.source.clone(),
        meddling: SlowPages,
    };
    let builder = bench.builder().with_ledger(Arc::new(ledger));
    let logger = builder.with_source(Arc::new(meddled)).build().unwrap();
    let report = logger.run_once().await.unwrap_err().report;
    let counts = (report.listed, report.logged, report.deferred);
    assert_eq!(counts, (5, 2, 3), "{report:?}");
}
