//! What a walk over the folders reports and writes, count by count, on a store that knows nothing.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::LoggingHooks;
use email_logging::error::codes;
use email_logging::interaction::InteractionLogEntry;
use email_logging::logger::{
    ReconcileOptions, ReconcileReport, RunError, RunSettings, RunStep, Skipped,
};
use email_logging::message::{MailFacts, Message};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{
    Folder, FolderPath, ListRequest, ListedItem, Listing, MailSource as _, MemorySource,
    SourceCapabilities,
};
use email_logging::store::{EventFeed as _, MemoryStore, StoreOperation};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::{EmailLogger, Error, Result, Scope};

use crate::bench::{Bench, mail, numbered, quarantine, queue, storage};
use crate::meddled::{Meddled, Meddling};

struct Meanwhile(Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl LoggingHooks for Meanwhile {
    fn after_entry(&self, _: &Message, _: &InteractionLogEntry) {
        (self.0)();
    }
}

/// A bench with so many mails in the storage folder, and a new store.
async fn restored(mut bench: Bench, mails: u32) -> Bench {
    bench.deliver_numbers(0..mails);
    bench.run().await.unwrap();
    assert_eq!(bench.stored(), mails as usize);
    let store = MemoryStore::new().with_clock(Arc::new(bench.clock.clone()));
    bench.store = Arc::new(store.with_entropy(Arc::new(SeededEntropy::new(9))));
    bench
}

/// By threes, with something that happens after each entry.
fn walker(bench: &Bench, meanwhile: impl Fn() + Send + Sync + 'static) -> EmailLogger {
    let mut settings = RunSettings::default();
    settings.fetch_batch = 3;
    let hooks = Arc::new(Meanwhile(Box::new(meanwhile)));
    let builder = bench.builder().with_settings(settings).with_hooks(hooks);
    builder.build().unwrap()
}

async fn walk(logger: &EmailLogger) -> Result<ReconcileReport, RunError> {
    logger.reconcile(&ReconcileOptions::default()).await
}

#[tokio::test]
async fn each_mail_is_counted_once() {
    let bench = restored(Bench::new(), 7).await;
    let logger = walker(&bench, || ());
    let report = walk(&logger).await.unwrap();
    assert_eq!((report.listed, report.known, report.settled), (7, 0, 0));
    assert!(!report.nothing_missing());
    let decided = &report.decided;
    assert_eq!((decided.listed, decided.fetched, decided.logged), (7, 7, 7));
    assert_eq!((decided.deferred, decided.gone), (0, 0));
    let looks = bench.source.count(SourceOperation::Locate);
    let again = walk(&logger).await.unwrap();
    assert_eq!((again.listed, again.known, again.decided.listed), (7, 7, 0));
    assert!(again.nothing_missing());
    let looked = bench.source.count(SourceOperation::Locate) - looks;
    assert_eq!(looked, 0, "what is known is not looked for");
    assert_eq!(bench.entries().await.len(), 7);
}

#[tokio::test]
async fn what_a_directory_in_trouble_left_open_is_counted_as_deferred() {
    let bench = restored(Bench::new(), 7).await;
    let company = Arc::clone(&bench.company);
    let logger = walker(&bench, move || {
        company.out_of_order.store(true, Ordering::Relaxed);
    });
    let failed = walk(&logger).await.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::ResolvingAddresses, "directory.unavailable")
    );
    let report = &failed.report;
    assert_eq!(
        (report.listed, report.logged, report.deferred),
        (6, 3, 3),
        "{report:?}"
    );
}

/// What a walk finds known, and what it decides.
async fn found(logger: &EmailLogger) -> (u64, u64) {
    let report = walk(logger).await.unwrap();
    assert!(report.closes(), "{report:?}");
    (report.known, report.decided.listed)
}

#[tokio::test]
async fn a_logged_mail_that_has_another_id_by_now_is_known() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    bench.run().await.unwrap();
    let item = bench.source.items(&storage()).remove(0).item;
    let back = bench.source.move_by_hand(&item, &queue()).unwrap();
    bench.source.move_by_hand(&back, &storage()).unwrap();
    assert_eq!(found(&walker(&bench, || ())).await, (1, 0));
}

#[tokio::test]
async fn a_copy_of_mail_that_matched_nobody_is_known_while_the_first_lies_beside_it() {
    let bench = Bench::new();
    bench.deliver(mail("no@else.example", "ah@ours.example", "S", "1@x"));
    bench.run().await.unwrap();
    let first = bench.source.items(&storage()).remove(0).item;
    bench.source.copy_by_hand(&first, &storage()).unwrap();
    let logger = walker(&bench, || ());
    assert_eq!(found(&logger).await, (2, 0));
    assert!(bench.source.take_away(&first));
    assert_eq!(found(&logger).await, (0, 1));
}

#[tokio::test]
async fn what_somebody_takes_away_meanwhile_is_counted_as_gone() {
    let bench = restored(Bench::new(), 7).await;
    let (source, last) = (bench.source.clone(), bench.source.items(&storage()).pop());
    let last = last.unwrap().item;
    let logger = walker(&bench, move || {
        source.take_away(&last);
    });
    let report = walk(&logger).await.unwrap();
    let decided = &report.decided;
    assert_eq!((decided.listed, decided.logged, decided.gone), (7, 6, 1));
    assert!(decided.closes(), "{report:?}");
}

#[tokio::test]
async fn what_a_broken_fetch_left_open_is_counted_as_deferred() {
    let bench = restored(Bench::new(), 7).await;
    let logger = walker(&bench, || ());
    let cut = SourceFault::CutOff(1, Error::new(&codes::HTTP_CLOSED, "fetch"));
    bench.source.fail_call(
        SourceOperation::Fetch,
        bench.source.count(SourceOperation::Fetch) as u64 + 2,
        cut,
    );
    let failed = walk(&logger).await.unwrap_err();
    assert_eq!(failed.error.code(), "http.closed");
    let report = &failed.report;
    assert_eq!(
        (report.listed, report.logged, report.deferred),
        (6, 4, 2),
        "{report:?}"
    );
    assert!(report.closes(), "{report:?}");
}

#[tokio::test]
async fn a_move_without_a_reply_is_settled_by_the_digest_where_there_is_no_key() {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.locate) = (false, false);
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    bench.deliver_numbers(0..1);
    let lost = SourceFault::LostReply(Error::new(&codes::HTTP_TIMEOUT, "move_to"));
    bench.source.fail_next(SourceOperation::MoveTo, lost);
    bench.run().await.unwrap_err();
    assert_eq!((bench.queued(), bench.stored()), (0, 1));
    let logger = walker(&bench, || ());
    let report = walk(&logger).await.unwrap();
    assert_eq!((report.listed, report.known, report.settled), (1, 0, 1));
    assert_eq!(report.decided.listed, 0, "{report:?}");
    let again = walk(&logger).await.unwrap();
    assert_eq!((again.listed, again.known, again.settled), (1, 1, 0));
    assert_eq!(bench.entries().await.len(), 1);
}

async fn events(bench: &Bench) -> usize {
    let scope = Scope::default();
    let events = bench.store.read_events(&scope, "test", 100).await;
    events.unwrap().len()
}

#[tokio::test]
async fn a_walk_tells_the_host_unless_events_are_off() {
    for (on, expected) in [(true, 2), (false, 0)] {
        let bench = restored(Bench::new(), 2).await;
        let settings = RunSettings::default().with_events(on);
        let builder = bench.builder().with_settings(settings);
        walk(&builder.build().unwrap()).await.unwrap();
        assert_eq!(events(&bench).await, expected);
    }
}

#[tokio::test]
async fn a_long_walk_keeps_its_mailbox_and_gives_it_back() {
    let bench = restored(Bench::new(), 7).await;
    let clock = bench.clock.clone();
    let logger = walker(&bench, move || clock.advance(Duration::from_mins(1)));
    walk(&logger).await.unwrap();
    assert_eq!(bench.store.calls(StoreOperation::Renew), 2);
    let other = bench.builder().with_worker("worker-2").build().unwrap();
    let report = other.run_once().await.unwrap();
    assert_eq!(report.skipped, None, "the mailbox is free at once");
}

/// A server that takes its time for a list, while another worker asks for the mailbox.
struct Contested {
    clock: ManualClock,
    other: EmailLogger,
}

#[async_trait]
impl Meddling for Contested {
    async fn before_list(&self, _: ListRequest) {
        self.clock.advance(Duration::from_mins(1));
        let report = self.other.run_once().await.unwrap();
        assert_eq!(report.skipped, Some(Skipped::MailboxBusy));
    }
}

#[tokio::test]
async fn a_walk_keeps_its_mailbox_while_all_that_it_meets_is_known() {
    let bench = by_pages(Bench::new(), 2);
    bench.deliver_numbers(0..12);
    bench.run().await.unwrap();
    let unknown = numbered(12);
    bench
        .source
        .deliver(&storage(), unknown, MailFacts::default());
    let other = bench.builder().with_worker("worker-2").build().unwrap();
    let source = Meddled {
        source: bench.source.clone(),
        meddling: Contested {
            clock: bench.clock.clone(),
            other,
        },
    };
    let builder = bench.builder().with_source(Arc::new(source));
    let before = bench.store.calls(StoreOperation::Renew);
    let report = walk(&builder.build().unwrap()).await.unwrap();
    assert_eq!((report.known, report.decided.logged), (12, 1), "{report:?}");
    let renewed = bench.store.calls(StoreOperation::Renew) - before;
    assert_eq!(renewed, 4, "at half of its time, and no sooner");
    bench.assert_all_stored_and_logged_once(13).await;
}

/// A server whose places are not those of its items. Whoever asks it without end gets an error.
struct Misplacing<F> {
    asked: AtomicUsize,
    list: F,
}

#[async_trait]
impl<F> Meddling for Misplacing<F>
where
    F: Fn(&mut Vec<ListedItem>, ListRequest) -> bool + Send + Sync + 'static,
{
    async fn list(
        &self,
        source: &MemorySource,
        folder: &Folder,
        request: ListRequest,
    ) -> Result<Listing> {
        if self.asked.fetch_add(1, Ordering::Relaxed) > 100 {
            return Err(Error::new(&codes::INTERNAL, "it is asked without end"));
        }
        let whole = source
            .clone()
            .with_capabilities(SourceCapabilities::default());
        let mut all = whole.list(folder, ListRequest::new(0, 1_000)).await?;
        all.complete = (self.list)(&mut all.items, request);
        Ok(all)
    }
}

/// Walks by pages of so many over mails that no store knows. The server makes each page out of all items, and says whether it
/// is the last: whatever it does with its pages, each mail is walked over once, and the report says whether that is certain.
async fn assert_walked_once(
    mails: u32,
    page: u32,
    complete: bool,
    list: impl Fn(&mut Vec<ListedItem>, ListRequest) -> bool + Send + Sync + 'static,
) {
    let bench = by_pages(restored(Bench::new(), mails).await, page);
    let asked = AtomicUsize::new(0);
    let source = Meddled {
        source: bench.source.clone(),
        meddling: Misplacing { asked, list },
    };
    let logger = bench.builder().with_source(Arc::new(source));
    let logger = logger.build().unwrap();
    for options in [
        ReconcileOptions::default().with_dry_run(),
        ReconcileOptions::default(),
    ] {
        let report = logger.reconcile(&options).await.unwrap();
        let counts = (report.listed, report.known, report.decided.logged);
        assert_eq!(
            counts,
            (u64::from(mails), 0, u64::from(mails)),
            "{report:?}"
        );
        assert_eq!(report.complete, complete, "{report:?}");
        assert!(report.closes(), "{report:?}");
    }
    bench.assert_all_stored_and_logged_once(mails).await;
}

fn by_pages(bench: Bench, page: u32) -> Bench {
    let mut capabilities = SourceCapabilities::default();
    capabilities.list_page = page;
    bench.with_source(|source| source.with_capabilities(capabilities))
}

#[tokio::test]
async fn a_walk_over_a_server_that_repeats_its_page_comes_to_an_end() {
    for mails in 1..5 {
        assert_walked_once(mails, 4, false, |_, _| false).await;
    }
}

#[tokio::test]
async fn a_walk_is_not_complete_where_pages_do_not_fit_together() {
    // A server that counts its pages, and knows of no place between them.
    assert_walked_once(16, 4, false, |items, request| {
        let first = request.offset.div_ceil(4) * 4;
        cut(items, ListRequest::new(first, 4));
        first >= 12
    })
    .await;
}

#[tokio::test]
async fn a_folder_whose_pages_do_not_fit_together_hides_no_other_folder() {
    let bench = by_pages(Bench::new(), 4);
    for (number, folder) in [storage(), storage(), quarantine()].iter().enumerate() {
        let mime = numbered(u32::try_from(number).unwrap());
        bench.source.deliver(folder, mime, MailFacts::default());
    }
    let list = |_: &mut Vec<ListedItem>, _: ListRequest| false;
    let asked = AtomicUsize::new(0);
    let source = Meddled {
        source: bench.source.clone(),
        meddling: Misplacing { asked, list },
    };
    let builder = bench.builder().with_source(Arc::new(source));
    let builder = builder.with_quarantine_folder(quarantine());
    let logger = builder.build().unwrap();
    let report = walk(&logger).await.unwrap();
    let decided = &report.decided;
    let counts = (decided.logged, decided.quarantined, report.complete);
    assert_eq!(counts, (2, 1, false), "{report:?}");
    let again = walk(&logger).await.unwrap();
    assert_eq!((again.listed, again.known), (3, 3), "{again:?}");
    assert!(!again.nothing_missing(), "that is not certain");
}

fn cut<T>(rows: &mut Vec<T>, request: ListRequest) {
    let (from, limit) = (request.offset as usize, request.limit as usize);
    rows.drain(..from.min(rows.len()));
    rows.truncate(limit);
}

#[tokio::test]
async fn a_row_that_comes_twice_hides_no_mail_from_a_walk() {
    for (page, twice) in [2, 3, 5, 50]
        .into_iter()
        .flat_map(|page| (0..7).map(move |it| (page, it)))
    {
        // As a source lists a server that names one item once per category: each once in a page, and the end by the rows.
        assert_walked_once(7, page, true, move |items, request| {
            items.extend(items.get(twice).cloned());
            items.sort_by_key(|it| it.item.id.clone());
            let rows = items.len();
            cut(items, request);
            items.dedup_by_key(|it| it.item.id.clone());
            request.offset as usize + items.len() >= rows
        })
        .await;
    }
}

#[tokio::test]
async fn what_moves_up_while_a_walk_goes_on_is_walked_over_once() {
    for (page, leave) in [(4, 3), (3, 6)] {
        let bench = by_pages(restored(Bench::new(), 14).await, page);
        let (source, entries) = (bench.source.clone(), AtomicUsize::new(1));
        let logger = walker(&bench, move || {
            if entries.fetch_add(1, Ordering::Relaxed) == leave {
                for item in source.items(&storage()).into_iter().take(leave) {
                    source.take_away(&item.item);
                }
            }
        });
        let report = walk(&logger).await.unwrap();
        let counts = (report.listed, report.known, report.decided.logged);
        assert_eq!(counts, (14, 0, 14), "{report:?}");
        assert!(report.complete, "{report:?}");
        assert_eq!(bench.stored(), 14 - leave);
    }
}

/// A server that cannot hand out the first mail of the next fetch.
fn fail_a_fetch(bench: &Bench) {
    let fault = SourceFault::ItemFailed(0, Error::new(&codes::EWS_UNAVAILABLE, "fetch"));
    bench.source.fail_next(SourceOperation::Fetch, fault);
}

/// A mail at its last attempt, which a person moved to one of the folders.
async fn at_its_last_attempt(attempts: u32, folder: &FolderPath) -> (Bench, EmailLogger) {
    let bench = Bench::new();
    let mut settings = RunSettings::default();
    settings.attempts = attempts;
    let builder = bench.builder().with_settings(settings);
    let logger = builder
        .with_quarantine_folder(quarantine())
        .build()
        .unwrap();
    bench.deliver_numbers(0..1);
    for _ in 1..attempts {
        fail_a_fetch(&bench);
        assert_eq!(logger.run_once().await.unwrap().pending, 1);
        bench.clock.advance(Duration::from_hours(1));
    }
    let item = bench.source.items(&queue()).remove(0).item;
    bench.source.move_by_hand(&item, folder).unwrap();
    (bench, logger)
}

#[tokio::test]
async fn a_walk_that_fails_to_read_a_mail_uses_up_no_attempt_of_it() {
    for (attempts, folder) in [
        (1, storage()),
        (3, storage()),
        (1, quarantine()),
        (3, quarantine()),
    ] {
        let (bench, logger) = at_its_last_attempt(attempts, &folder).await;
        for options in [
            ReconcileOptions::default(),
            ReconcileOptions::default().with_dry_run(),
        ] {
            for _ in 0..2 {
                fail_a_fetch(&bench);
                let report = logger.reconcile(&options).await.unwrap();
                let decided = &report.decided;
                let counts = (decided.listed, decided.pending, decided.quarantined);
                assert_eq!(counts, (1, 1, 0), "{attempts} attempts: {report:?}");
                assert!(report.closes(), "{report:?}");
            }
        }
        let report = walk(&logger).await.unwrap();
        let expected = if folder == storage() { (1, 0) } else { (0, 1) };
        let counts = (report.decided.logged, report.decided.quarantined);
        assert_eq!(counts, expected, "{attempts} attempts: {report:?}");
    }
}

#[tokio::test]
async fn the_attempt_after_a_walk_is_the_one_that_it_was() {
    let (bench, logger) = at_its_last_attempt(3, &storage()).await;
    fail_a_fetch(&bench);
    assert_eq!(walk(&logger).await.unwrap().decided.pending, 1);
    let item = bench.source.items(&storage()).remove(0).item;
    bench.source.move_by_hand(&item, &queue()).unwrap();
    fail_a_fetch(&bench);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.pending, report.quarantined), (0, 1), "{report:?}");
}
