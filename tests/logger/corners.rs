//! What a run asks, and what it leaves unasked, when a mail system can do less than Exchange or answers oddly.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::{LoggingHooks, LoggingPolicy};
use email_logging::error::{Code, codes};
use email_logging::interaction::InteractionLogEntry;
use email_logging::logger::{ReconcileOptions, RunSettings, RunStep};
use email_logging::message::{FactAddress, MailFacts, Message};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{FolderPath, ListRequest, MemorySource, SourceCapabilities};
use email_logging::store::{InteractionLog as _, LogFilter, MailLedger as _, StoreOperation};
use email_logging::testkit::clock::ManualClock;
use email_logging::{EmailLogger, Error, MailboxKey, Scope};
use jiff::Timestamp;

use crate::bench::{Bench, mail, mail_with, numbered, quarantine, queue, storage};
use crate::meddled::{Meddled, Meddling};

fn error(code: &'static Code) -> Error {
    Error::new(code, "planned")
}

/// A bench whose source can do what `change` leaves it.
fn able(change: impl FnOnce(&mut SourceCapabilities)) -> Bench {
    let mut capabilities = SourceCapabilities::default();
    change(&mut capabilities);
    Bench::new().with_source(|source| source.with_capabilities(capabilities))
}

fn stranger() -> Vec<u8> {
    mail("no@else.example", "ah@ours.example", "Strange", "strange@x")
}

/// What happens in the moment between the commit of a mail and its move.
struct Meanwhile<F>(F);

impl<F> std::fmt::Debug for Meanwhile<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl<F: Fn() + Send + Sync + 'static> LoggingHooks for Meanwhile<F> {
    fn after_entry(&self, _: &Message, _: &InteractionLogEntry) {
        (self.0)();
    }
}

fn meanwhile(bench: &Bench, what: impl Fn() + Send + Sync + 'static) -> EmailLogger {
    let hooks = Arc::new(Meanwhile(what));
    bench.builder().with_hooks(hooks).build().unwrap()
}

#[tokio::test]
async fn only_a_quarantine_folder_that_is_not_there_is_done_without() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let builder = bench.builder().with_quarantine_folder(quarantine());
    let logger = builder.build().unwrap();
    let outage = SourceFault::Error(error(&codes::HTTP_CONNECT));
    bench
        .source
        .fail_call(SourceOperation::OpenFolder, 3, outage);
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::OpeningStorageFolder, "http.connect")
    );
    assert_eq!(logger.run_once().await.unwrap().moved, 1);
}

#[tokio::test]
async fn a_source_that_cannot_move_has_its_mail_logged_where_it_lies() {
    let bench = able(|can| can.moves = false);
    bench.deliver_numbers(0..2);
    bench.deliver(stranger());
    let report = bench.run().await.unwrap();
    assert_eq!((report.logged, report.not_matched), (2, 1), "{report:?}");
    let again = bench.run().await.unwrap();
    assert_eq!((again.logged, again.deferred), (0, 3), "{again:?}");
    assert_eq!((bench.queued(), bench.stored()), (3, 0));
    assert_eq!(bench.source.count(SourceOperation::MoveTo), 0);
}

#[tokio::test]
async fn what_a_source_should_delete_and_cannot_is_moved() {
    for (remove, stored, removed) in [(false, 1, 0), (true, 0, 1)] {
        let bench = able(|can| can.remove = remove);
        bench.deliver(stranger());
        let mut policy = LoggingPolicy::default();
        policy.delete_not_logged = true;
        let logger = bench.builder().with_policy(policy).build().unwrap();
        logger.run_once().await.unwrap();
        assert_eq!((bench.queued(), bench.stored()), (0, stored));
        assert_eq!(bench.source.removed().len(), removed);
    }
}

#[tokio::test]
async fn no_move_begins_under_a_lease_that_may_end_before_it() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let clock: ManualClock = bench.clock.clone();
    let logger = meanwhile(&bench, move || clock.advance(Duration::from_mins(4)));
    let lost = error(&codes::LEASE_LOST);
    bench.store.fail_next(StoreOperation::Renew, lost);
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.error.code(), "lease.lost");
    assert_eq!(bench.source.count(SourceOperation::MoveTo), 0);
    bench.clock.advance(Duration::from_mins(10));
    bench.run().await.unwrap();
    bench.assert_all_stored_and_logged_once(1).await;
}

#[tokio::test]
async fn a_run_in_which_nothing_is_odd_looks_for_nothing() {
    let bench = Bench::new();
    bench.deliver_numbers(0..60);
    bench.run().await.unwrap();
    assert_eq!(bench.source.count(SourceOperation::Locate), 0);
    bench.assert_all_stored_and_logged_once(60).await;
}

#[tokio::test]
async fn what_cannot_be_found_by_its_key_is_not_looked_for() {
    let kinds: [fn(&mut SourceCapabilities); 2] = [
        |can| can.locate = false,
        |can| can.stable_keys = false, // known by its digest alone
    ];
    for change in kinds {
        let bench = able(change);
        bench.deliver_numbers(0..1);
        let gone = SourceFault::ItemGone(0);
        bench.source.fail_next(SourceOperation::MoveTo, gone);
        let report = bench.run().await.unwrap();
        assert_eq!((report.moved, report.vanished), (0, 1), "{report:?}");
        assert_eq!(bench.source.count(SourceOperation::Locate), 0);
    }
}

#[tokio::test]
async fn what_somebody_moved_to_the_storage_folder_counts_as_moved_once() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let source: MemorySource = bench.source.clone();
    let logger = meanwhile(&bench, move || {
        let item = source.items(&queue()).remove(0).item;
        source.move_by_hand(&item, &storage()).unwrap();
    });
    let report = logger.run_once().await.unwrap();
    assert_eq!(
        (report.moved, report.duplicate_copies, report.vanished),
        (1, 0, 0),
        "{report:?}"
    );
}

async fn folders_opened_after_a_failed_move(code: &'static Code) -> usize {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let logger = bench.builder().build().unwrap();
    let failed = SourceFault::ItemFailed(0, error(code));
    bench.source.fail_next(SourceOperation::MoveTo, failed);
    logger.run_once().await.unwrap();
    let before = bench.source.count(SourceOperation::OpenFolder);
    bench.clock.advance(Duration::from_hours(1));
    logger.run_once().await.unwrap();
    bench.assert_all_stored_and_logged_once(1).await;
    bench.source.count(SourceOperation::OpenFolder) - before
}

#[tokio::test]
async fn folders_are_opened_anew_only_after_one_was_not_found() {
    for (code, opened) in [
        (&codes::SOURCE_FOLDER_NOT_FOUND, 2),
        (&codes::HTTP_TIMEOUT, 0),
    ] {
        assert_eq!(folders_opened_after_a_failed_move(code).await, opened);
    }
}

#[tokio::test]
async fn the_wait_before_a_move_doubles_with_each_failed_one() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    for (wait, moves) in [(0, 1), (59, 1), (1, 2), (119, 2), (1, 3), (239, 3)] {
        let failed = SourceFault::ItemFailed(0, error(&codes::HTTP_TIMEOUT));
        bench.clock.advance(Duration::from_secs(wait));
        bench.source.fail_next(SourceOperation::MoveTo, failed);
        bench.run().await.unwrap();
        let made = bench.source.count(SourceOperation::MoveTo);
        assert_eq!(made, moves, "after {wait} s more");
    }
}

#[tokio::test]
async fn a_walk_that_is_asked_to_stop_lists_nothing_more() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    bench.run().await.unwrap();
    let logger = bench.builder().build().unwrap();
    let before = bench.source.count(SourceOperation::List);
    let options = ReconcileOptions::default();
    let report = logger.reconcile_until(&options, ready(())).await.unwrap();
    assert_eq!((report.complete, report.listed), (false, 0), "{report:?}");
    assert_eq!(bench.source.count(SourceOperation::List), before);
}

async fn folders_opened_after_a_failed_walk(code: &'static Code) -> usize {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let logger = bench.builder().build().unwrap();
    logger.run_once().await.unwrap();
    let options = ReconcileOptions::default();
    let failed = SourceFault::Error(error(code));
    bench.source.fail_next(SourceOperation::List, failed);
    logger.reconcile(&options).await.unwrap_err();
    let before = bench.source.count(SourceOperation::OpenFolder);
    assert!(logger.reconcile(&options).await.unwrap().complete);
    bench.source.count(SourceOperation::OpenFolder) - before
}

#[tokio::test]
async fn a_walk_opens_folders_anew_only_after_one_was_not_found() {
    for (code, opened) in [
        (&codes::SOURCE_FOLDER_NOT_FOUND, 2),
        (&codes::HTTP_TIMEOUT, 0),
    ] {
        assert_eq!(folders_opened_after_a_failed_walk(code).await, opened);
    }
}

#[tokio::test]
async fn a_dry_run_lists_no_further_than_its_batch_size() {
    let bench = able(|can| can.list_page = 2);
    bench.deliver_numbers(0..7);
    let mut settings = RunSettings::default();
    settings.batch_size = 3;
    let builder = bench.builder().with_settings(settings);
    let dry = builder.build().unwrap().dry_run().await.unwrap();
    assert_eq!(dry.mails.len(), 3);
    assert_eq!(bench.source.count(SourceOperation::List), 2);
}

#[tokio::test]
async fn mails_for_one_folder_move_with_one_call_whatever_became_of_them() {
    let not_logged: FolderPath = r"\Email Logging\Not logged\".parse().unwrap();
    for (own_folder, moves) in [(false, 1), (true, 2)] {
        let bench = Bench::new().with_source(|source| source.with_folder(&not_logged));
        bench.deliver_numbers(0..2);
        bench.deliver(stranger());
        let mut builder = bench.builder();
        if own_folder {
            builder = builder.with_not_logged_folder(not_logged.clone());
        }
        let report = builder.build().unwrap().run_once().await.unwrap();
        assert_eq!((report.moved, bench.queued()), (3, 0), "{report:?}");
        assert_eq!(bench.source.count(SourceOperation::MoveTo), moves);
    }
}

#[tokio::test]
async fn without_a_quarantine_folder_no_move_is_planned_for_what_is_set_aside() {
    let bench = Bench::new();
    bench.deliver("unreadable");
    let report = bench.run().await.unwrap();
    assert_eq!((report.quarantined, report.moves_pending), (1, 0));
    let (scope, mailbox) = (Scope::default(), MailboxKey::from("queue"));
    let planned = bench
        .store
        .pending_moves(&scope, &mailbox, Timestamp::MAX, 10);
    assert_eq!(planned.await.unwrap(), []);
}

#[tokio::test]
async fn what_cannot_be_looked_for_is_deleted_only_where_its_original_was_kept() {
    for (damaged, deleted) in [(false, 1), (true, 0)] {
        let bench = able(|can| (can.stable_keys, can.locate) = (false, false));
        let mut facts = MailFacts::default();
        facts.from = Some(FactAddress::smtp("ada@contacts.example"));
        facts.to = vec![FactAddress::smtp("ah@ours.example")];
        let item = bench.source.deliver(&queue(), numbered(0), facts);
        if damaged {
            bench.source.damage(&item);
        }
        let lasting = SourceFault::ItemFailed(0, error(&codes::EWS_ITEM_TOO_LARGE));
        bench.source.fail_next(SourceOperation::MoveTo, lasting);
        let policy = LoggingPolicy::business_central();
        let logger = bench.builder().with_policy(policy).build().unwrap();
        let report = logger.run_once().await.unwrap();
        assert_eq!((report.logged, report.deleted), (1, deleted), "{report:?}");
        assert_eq!(bench.source.removed().len() as u64, deleted);
    }
}

#[tokio::test]
async fn a_run_makes_the_words_of_a_mail_findable() {
    let bench = Bench::new();
    let (ada, ah) = ("ada@contacts.example", "ah@ours.example");
    let body = "The quotation is attached.\r\n";
    bench.deliver(mail_with(ada, ah, "Offer", "1@x", "", body));
    bench.run().await.unwrap();
    let scope = Scope::default();
    for (text, found) in [("quotation", 1), ("invoice", 0)] {
        let mut filter = LogFilter::default();
        filter.text = Some(text.into());
        let page = bench.store.mails(&scope, &filter, None, 10);
        assert_eq!(page.await.unwrap().rows.len(), found, "{text}");
    }
}

#[tokio::test]
async fn a_run_that_an_error_ends_lists_nothing_more() {
    let bench = able(|can| can.list_page = 2);
    bench.deliver_numbers(0..6);
    bench
        .company
        .out_of_order
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let mut settings = RunSettings::default();
    (settings.connections, settings.fetch_batch) = (1, 2);
    let failed = bench.run_with(settings).await.unwrap_err();
    assert_eq!(failed.error.code(), "directory.unavailable");
    assert_eq!((failed.report.listed, failed.report.deferred), (2, 2));
    assert_eq!(bench.source.count(SourceOperation::List), 1);
}

/// Everything else goes on before a page is answered.
struct SlowList;

#[async_trait]
impl Meddling for SlowList {
    async fn before_list(&self, _: ListRequest) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_batch_of_moves_that_is_not_full_waits_for_the_mails_of_the_next_page() {
    let bench = able(|can| can.list_page = 2);
    bench.deliver_numbers(0..4);
    let meddled = Meddled {
        source: bench.source.clone(),
        meddling: SlowList,
    };
    let mut settings = RunSettings::default();
    (settings.connections, settings.fetch_batch) = (1, 2);
    let builder = bench.builder().with_source(Arc::new(meddled));
    let logger = builder.with_settings(settings).build().unwrap();
    assert_eq!(logger.run_once().await.unwrap().moved, 4);
    assert_eq!(bench.source.count(SourceOperation::MoveTo), 1);
}

#[tokio::test]
async fn the_mails_of_a_page_that_comes_after_an_error_are_counted_as_deferred() {
    let bench = able(|can| can.list_page = 2);
    bench.deliver_numbers(0..4);
    let meddled = Meddled {
        source: bench.source.clone(),
        meddling: SlowList,
    };
    let refused = SourceFault::Error(error(&codes::HTTP_CONNECT));
    bench.source.fail_call(SourceOperation::Fetch, 2, refused);
    let mut settings = RunSettings::default();
    settings.fetch_batch = 1;
    let builder = bench.builder().with_source(Arc::new(meddled));
    let logger = builder.with_settings(settings).build().unwrap();
    let report = logger.run_once().await.unwrap_err().report;
    assert_eq!((report.listed, report.logged, report.deferred), (4, 1, 3));
}

#[tokio::test]
async fn moves_whose_end_is_unknown_are_pending() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let lost = SourceFault::LostReply(error(&codes::HTTP_TIMEOUT));
    bench.source.fail_next(SourceOperation::MoveTo, lost);
    let report = bench.run().await.unwrap_err().report;
    assert_eq!((report.moved, report.moves_pending), (0, 3), "{report:?}");
}

#[tokio::test]
async fn a_run_lists_no_further_than_its_batch_size() {
    let bench = able(|can| can.list_page = 2);
    bench.deliver_numbers(0..6);
    let mut settings = RunSettings::default();
    settings.batch_size = 2;
    let report = bench.run_with(settings).await.unwrap();
    assert_eq!((report.listed, report.moved), (2, 2), "{report:?}");
    assert_eq!(bench.source.count(SourceOperation::List), 1);
}
