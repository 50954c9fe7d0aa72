//! A lease whose renewal fails: in passing, or for as long as it lasts.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use email_logging::error::codes;
use email_logging::logger::{Progress, ProgressEvent, RunSettings, RunStep};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::store::StoreOperation;
use email_logging::testkit::clock::ManualClock;
use email_logging::{EmailLogger, Error};

use crate::bench::Bench;
use crate::meddled::Meddled;
use crate::steered::{SlowMoves, Steered};

const MAILS: u32 = 8;

/// Moves the clock on whenever something was committed.
#[derive(Debug)]
struct Slow {
    clock: ManualClock,
    by: Duration,
}

impl Progress for Slow {
    fn on(&self, event: &ProgressEvent<'_>) {
        if let ProgressEvent::Committed { .. } = event {
            self.clock.advance(self.by);
        }
    }
}

/// A logger of which each commit writes one mail and takes so long; its lease lasts five minutes.
fn slow(bench: &Bench, by: u64) -> EmailLogger {
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = (1, 1);
    (settings.connections, settings.fetch_bytes) = (1, 1);
    let listener = Slow {
        clock: bench.clock.clone(),
        by: Duration::from_secs(by),
    };
    let builder = bench.builder().with_settings(settings);
    builder.with_progress(Arc::new(listener)).build().unwrap()
}

fn unavailable() -> Error {
    Error::new(&codes::STORE_UNAVAILABLE, "planned")
}

#[tokio::test]
async fn a_renewal_that_fails_once_is_tried_again_while_the_lease_lasts() {
    for by in [30, 151] {
        let bench = Bench::new();
        bench.deliver_numbers(0..MAILS);
        bench.store.fail_next(StoreOperation::Renew, unavailable());
        let report = slow(&bench, by).run_once().await.unwrap();
        assert_eq!(report.moved, u64::from(MAILS), "{report:?}");
        assert!(bench.store.calls(StoreOperation::Renew) >= 2);
        bench.assert_all_stored_and_logged_once(MAILS).await;
    }
}

#[tokio::test]
async fn a_lease_is_not_renewed_once_nothing_is_left_to_do() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let report = slow(&bench, 160).run_once().await.unwrap();
    assert_eq!(report.moved, 1, "{report:?}");
    let renewed = bench.store.calls(StoreOperation::Renew);
    assert_eq!(renewed, 1, "before the move, and not after the last commit");
}

#[tokio::test]
async fn a_renewal_that_fails_until_the_lease_is_short_ends_the_run() {
    let bench = Bench::new();
    bench.deliver_numbers(0..40);
    for nth in 1..=50 {
        let operation = StoreOperation::Renew;
        bench.store.fail_call(operation, nth, unavailable());
    }
    let failed = slow(&bench, 10).run_once().await.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.code()),
        (RunStep::TakingMailbox, "store.unavailable")
    );
    assert!(failed.report.closes(), "{failed:?}");
    // Due at 150 s, short at 225 s; a commit ends every ten.
    let asked = bench.store.calls(StoreOperation::Renew);
    assert_eq!(asked, 9, "from 150 s on, every ten seconds");
    assert_eq!(
        bench.stored(),
        22,
        "each of them before the lease was short"
    );
}

/// A bench with one move to recover.
async fn waiting() -> Bench {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let lost = SourceFault::Error(unavailable());
    let operation = SourceOperation::MoveTo;
    bench.source.fail_next(operation, lost);
    bench.run().await.unwrap_err();
    bench.clock.advance(Duration::from_hours(1));
    bench
}

#[tokio::test]
async fn recovery_goes_on_under_a_lease_whose_renewal_failed_in_passing() {
    let bench = waiting().await;
    bench.store.fail_next(StoreOperation::Renew, unavailable());
    let report = bench.run().await.unwrap();
    assert_eq!(report.recovered, 1, "{report:?}");
    bench.assert_all_stored_and_logged_once(1).await;
}

/// A run whose move waits in its source for so long, polled every ten seconds; no renewal is answered meanwhile where the
/// ledger is to be silent. Answers how many moves were sent within 400 seconds, and how many the report calls pending, if
/// the run failed.
fn moves_sent(bench: &Bench, wait: u64, silent: bool) -> (usize, Option<u64>) {
    let before = bench.source.count(SourceOperation::MoveTo);
    let released = bench.store.calls(StoreOperation::Release);
    let mut pending = None;
    let ledger = Arc::new(Steered::new(&bench.store, 0));
    let source = Arc::new(Meddled {
        source: bench.source.clone(),
        meddling: SlowMoves {
            clock: bench.clock.clone(),
            wait: Duration::from_secs(wait),
            begun: AtomicU32::new(0),
            silences: silent.then(|| Arc::clone(&ledger)),
        },
    });
    let builder = bench.builder().with_ledger(ledger);
    let builder = builder.with_source(Arc::<Meddled<SlowMoves>>::clone(&source));
    let logger = builder.build().unwrap();
    let mut run = pin!(logger.run_once());
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    for _ in 0..40 {
        // Once for each step between two waits.
        for _ in 0..50 {
            if let Poll::Ready(ended) = run.as_mut().poll(&mut context) {
                pending = ended.err().map(|failed| failed.report.moves_pending);
                break;
            }
        }
        if bench.store.calls(StoreOperation::Release) > released {
            break;
        }
        bench.clock.advance(Duration::from_secs(10));
    }
    assert_eq!(source.meddling.begun.load(Ordering::Relaxed), 1);
    let sent = bench.source.count(SourceOperation::MoveTo) - before;
    (sent, pending)
}

#[test]
fn a_move_that_waits_is_not_sent_once_the_lease_is_short_though_no_renewal_is_answered() {
    for (wait, sent) in [(210, 1), (240, 0)] {
        let bench = Bench::new();
        bench.deliver_numbers(0..1);
        assert_eq!(moves_sent(&bench, wait, true).0, sent, "{wait} s");
    }
}

#[test]
fn a_move_that_waits_is_not_sent_once_a_renewal_says_that_the_lease_is_lost() {
    for (wait, sent, pending) in [(140, 1, None), (170, 0, Some(1))] {
        let bench = Bench::new();
        bench.deliver_numbers(0..1);
        let lost = Error::new(&codes::LEASE_LOST, "planned");
        bench.store.fail_next(StoreOperation::Renew, lost);
        assert_eq!(moves_sent(&bench, wait, false), (sent, pending), "{wait} s");
    }
}

#[tokio::test]
async fn a_move_of_recovery_that_waits_is_not_sent_once_the_lease_is_short() {
    for (wait, sent) in [(210, 1), (240, 0)] {
        let bench = waiting().await;
        assert_eq!(moves_sent(&bench, wait, true).0, sent, "{wait} s");
    }
}
