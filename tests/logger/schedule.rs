//! Running on a schedule, stopping gently, and telling of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use email_logging::Error;
use email_logging::error::codes;
use email_logging::logger::{Progress, ProgressEvent, RunSettings, Schedule};
use email_logging::source::memory::{SourceFault, SourceOperation};
use tokio::sync::oneshot;

use crate::bench::Bench;

/// Lets every other future go as far as it can.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_schedule_is_the_originals_and_ends_when_asked() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let logger = bench.builder().build().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let runs = Arc::new(Mutex::new(Vec::new()));
    let seen = runs.clone();
    let task = tokio::spawn(async move {
        let shutdown = async { stopped.await.unwrap_or_default() };
        let schedule = Schedule::default();
        let record = move |result: &Result<_, _>| seen.lock().unwrap().push(result.is_ok());
        logger.run(&schedule, shutdown, record).await
    });
    let steps: [(u64, usize); 5] = [(59, 0), (1, 1), (599, 1), (1, 2), (600, 3)];
    for (seconds, expected) in steps {
        settle().await;
        bench.clock.advance(Duration::from_secs(seconds));
        settle().await;
        assert_eq!(
            runs.lock().unwrap().len(),
            expected,
            "after {seconds} more seconds"
        );
    }
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
    assert_eq!(bench.stored(), 1);
}

async fn failing_runs(code: &'static email_logging::error::Code) -> (usize, bool) {
    let bench = Bench::new();
    for nth in 1..=5 {
        let error = Error::new(code, "planned");
        bench
            .source
            .fail_call(SourceOperation::List, nth, SourceFault::Error(error));
    }
    let logger = bench.builder().build().unwrap();
    let runs = Arc::new(Mutex::new(0));
    let seen = runs.clone();
    let task = tokio::spawn(async move {
        let never = std::future::pending::<()>();
        logger
            .run(&Schedule::default(), never, move |_| {
                *seen.lock().unwrap() += 1;
            })
            .await
    });
    for _ in 0..7 {
        settle().await;
        bench.clock.advance(Duration::from_mins(10));
    }
    settle().await;
    let ended = task.is_finished();
    task.abort();
    (*runs.lock().unwrap(), ended)
}

#[tokio::test]
async fn three_failures_that_waiting_does_not_remove_end_the_schedule() {
    assert_eq!(failing_runs(&codes::HTTP_UNAUTHORIZED).await, (3, true));
}

#[tokio::test]
async fn an_outage_never_ends_the_schedule() {
    for code in [
        &codes::HTTP_CONNECT,
        &codes::STORE_UNAVAILABLE,
        &codes::LEASE_LOST,
    ] {
        assert_eq!(failing_runs(code).await, (7, false), "{}", code.code);
    }
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_drains() {
    let bench = Bench::new();
    bench.deliver_numbers(0..20);
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.connections) = (2, 1);
    let logger = bench.builder().with_settings(settings).build().unwrap();
    let report = logger.run_until(std::future::ready(())).await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!((report.logged, report.moved), (0, 0));
    assert_eq!(bench.queued(), 20);
}

#[derive(Debug, Default)]
struct Listener(Mutex<Vec<String>>);

impl Progress for Listener {
    fn on(&self, event: &ProgressEvent<'_>) {
        let text = match event {
            ProgressEvent::Started => "started".into(),
            ProgressEvent::Listed { items, .. } => format!("listed {items}"),
            ProgressEvent::Fetched { mails } => format!("fetched {mails}"),
            ProgressEvent::Committed { mails } => format!("committed {mails}"),
            ProgressEvent::Moved { mails } => format!("moved {mails}"),
            ProgressEvent::Ended { report } => format!("ended {}", report.logged),
            _ => "other".into(),
        };
        self.0.lock().unwrap().push(text);
    }
}

#[tokio::test]
async fn progress_is_told_in_order() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let listener = Arc::new(Listener::default());
    let logger = bench
        .builder()
        .with_progress(listener.clone())
        .build()
        .unwrap();
    logger.run_once().await.unwrap();
    let told = listener.0.lock().unwrap().clone();
    let expected = ["started", "listed 3", "fetched 3", "committed 3", "moved 3"];
    assert_eq!(told[..5], expected);
    assert_eq!(told.last().map(String::as_str), Some("ended 3"));
}
