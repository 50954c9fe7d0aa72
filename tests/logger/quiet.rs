//! A mail system that wants to be left alone is, by every run, whichever worker or process makes it.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::directory::ContactDirectory;
use email_logging::error::codes;
use email_logging::logger::{ReconcileOptions, RematchOptions, RunError, RunReport, RunStep};
use email_logging::message::Address;
use email_logging::parties::AddressParties;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::store::{
    Acquired, DecisionFilter, InteractionLog as _, MailLedger as _, StoreOperation,
};
use email_logging::{EmailLogger, Error, ErrorKind, Result, Scope};

use crate::bench::{Bench, quarantine};
use crate::meddled::{Meddled, Meddling};

const WISH: Duration = Duration::from_mins(30);

fn throttled() -> SourceFault {
    let error = Error::new(&codes::EWS_THROTTLED, "planned");
    SourceFault::Error(error.with_retry_after(WISH))
}

/// A source of another process: it has the mailbox in common with the first, and nothing that it was told.
struct Elsewhere;

impl Meddling for Elsewhere {}

/// A source that is still held when the run ends.
struct Held(Option<Duration>);

impl Meddling for Held {
    fn asked_to_wait(&self) -> Option<Duration> {
        self.0
    }
}

fn logger(bench: &Bench, worker: &str, meddling: impl Meddling) -> EmailLogger {
    let source = bench.source.clone();
    bench
        .builder()
        .with_review_store(Arc::clone(&bench.store))
        .with_quarantine_folder(quarantine())
        .with_source(Arc::new(Meddled { source, meddling }))
        .with_worker(worker)
        .build()
        .unwrap()
}

async fn run_as(bench: &Bench, worker: &str) -> Result<RunReport, RunError> {
    logger(bench, worker, Elsewhere).run_once().await
}

fn assert_quiet(error: &Error, left: Duration) {
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Throttled, "lease.quiet")
    );
    assert_eq!(error.retry_after(), Some(left));
    assert!(error.is_transient(), "a schedule goes on");
}

/// Nobody asks the mail system for anything until so much time has passed; then the mailbox is logged.
async fn assert_quiet_for(bench: &Bench, wish: Duration) {
    let calls = bench.source.calls().len();
    // What is shorter is waited for.
    let last = Duration::from_secs(6);
    for (wait, left) in [(Duration::ZERO, wish), (wish.saturating_sub(last), last)] {
        bench.clock.advance(wait);
        for worker in ["worker-1", "worker-2"] {
            let failed = run_as(bench, worker).await.unwrap_err();
            assert_eq!(failed.step, RunStep::TakingMailbox);
            assert_quiet(&failed.error, left);
        }
    }
    assert_eq!(bench.source.calls().len(), calls, "nothing is asked");
    bench.clock.advance(last);
    run_as(bench, "worker-2").await.unwrap();
    run_as(bench, "worker-1").await.unwrap();
    bench.assert_all_stored_and_logged_once(3).await;
}

#[tokio::test]
async fn after_a_run_that_was_told_to_wait_no_worker_asks_before_the_time_is_over() {
    for operation in [
        SourceOperation::OpenFolder,
        SourceOperation::List,
        SourceOperation::Fetch,
        SourceOperation::MoveTo,
    ] {
        let bench = Bench::new();
        bench.deliver_numbers(0..3);
        bench.source.fail_next(operation, throttled());
        let failed = run_as(&bench, "worker-1").await.unwrap_err();
        assert_eq!(failed.error.code(), "ews.throttled", "{operation:?}");
        assert_quiet_for(&bench, WISH).await;
    }
}

#[tokio::test]
async fn what_a_source_still_has_to_wait_when_a_run_ends_is_kept_too() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let held = Held(Some(Duration::from_secs(20)));
    logger(&bench, "worker-1", held).run_once().await.unwrap();
    assert_quiet_for(&bench, Duration::from_secs(20)).await;
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    bench.source.fail_next(SourceOperation::List, throttled());
    let shorter = Held(Some(Duration::from_secs(20)));
    let failed = logger(&bench, "worker-1", shorter).run_once().await;
    failed.unwrap_err();
    assert_quiet_for(&bench, WISH).await;
}

#[tokio::test]
async fn a_short_while_is_waited_for_before_the_next_run() {
    for seconds in [2, 5] {
        let bench = Bench::new();
        bench.deliver_numbers(0..3);
        let held = Held(Some(Duration::from_secs(seconds)));
        logger(&bench, "worker-1", held).run_once().await.unwrap();
        let calls = bench.source.calls().len();
        let mut next = pin!(run_as(&bench, "worker-2"));
        for _ in 0..seconds {
            let waits = poll_fn(|context| Poll::Ready(next.as_mut().poll(context).is_pending()));
            assert!(waits.await, "{seconds} seconds");
            assert_eq!(bench.source.calls().len(), calls, "nothing is asked");
            bench.clock.advance(Duration::from_secs(1));
        }
        next.await.unwrap();
        bench.assert_all_stored_and_logged_once(3).await;
    }
}

/// A host's directory that wants to be left alone.
#[derive(Debug)]
struct Busy;

#[async_trait]
impl ContactDirectory for Busy {
    async fn resolve(&self, _: &Scope, _: &[Address]) -> Result<Vec<AddressParties>> {
        let error = Error::new(&codes::EWS_THROTTLED, "resolve");
        Err(error.with_retry_after(WISH))
    }
}

#[tokio::test]
async fn what_the_hosts_directory_asks_for_is_no_wish_of_the_mail_system() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let logger = bench.builder().with_directory(Arc::new(Busy));
    let failed = logger.build().unwrap().run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::ResolvingAddresses);
    run_as(&bench, "worker-2").await.unwrap();
    bench.assert_all_stored_and_logged_once(3).await;
}

#[tokio::test]
async fn a_run_that_was_told_no_time_leaves_the_mailbox_free() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let error = Error::new(&codes::EWS_THROTTLED, "planned");
    let late = Error::new(&codes::HTTP_TIMEOUT, "planned").with_retry_after(WISH);
    for error in [error, late] {
        let fault = SourceFault::Error(error);
        bench.source.fail_next(SourceOperation::List, fault);
        run_as(&bench, "worker-1").await.unwrap_err();
    }
    run_as(&bench, "worker-2").await.unwrap();
    bench.assert_all_stored_and_logged_once(3).await;
}

#[tokio::test]
async fn whatever_takes_the_mailbox_keeps_the_wish_and_is_held_by_it() {
    let bench = Bench::new();
    bench.deliver("unreadable");
    run_as(&bench, "worker-1").await.unwrap();
    let scope = Scope::default();
    let decisions = bench
        .store
        .decisions(&scope, &DecisionFilter::default(), None, 9)
        .await
        .unwrap();
    let keys = [decisions.rows[0].sighting.clone()];
    for told in ["requeue", "reconcile", "rematch"] {
        let first = logger(&bench, "worker-1", Elsewhere);
        bench
            .source
            .fail_next(SourceOperation::OpenFolder, throttled());
        let error = ask(&first, told, &keys).await;
        assert_eq!(error.code(), "ews.throttled", "{told}");
        let calls = bench.source.calls().len();
        let requeued = bench.store.calls(StoreOperation::Requeue);
        for asked in ["requeue", "reconcile", "rematch"] {
            let second = logger(&bench, "worker-2", Elsewhere);
            let error = ask(&second, asked, &keys).await;
            assert_quiet(&error, WISH);
        }
        assert_eq!(bench.source.calls().len(), calls, "nothing is asked");
        assert_eq!(bench.store.calls(StoreOperation::Requeue), requeued);
        bench.clock.advance(WISH);
    }
    let (mailbox, other) = ("queue".into(), "worker-2".into());
    let taken = bench.store.acquire(&scope, &mailbox, &other, WISH);
    assert!(matches!(taken.await.unwrap(), Acquired::Held(_)));
}

/// How a call ends.
async fn ask(
    logger: &EmailLogger,
    call: &str,
    keys: &[email_logging::source::SightingKey],
) -> Error {
    match call {
        "requeue" => logger.requeue(keys).await.unwrap_err(),
        "reconcile" => {
            let options = ReconcileOptions::default();
            logger.reconcile(&options).await.unwrap_err().error
        }
        _ => {
            let options = RematchOptions::default();
            logger.rematch(&options).await.unwrap_err().error
        }
    }
}
