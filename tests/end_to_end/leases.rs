//! A move under a lease that is lost: what waits in the gate is never sent, and a lease that is too short is refused.

use std::sync::Arc;
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::logger::{RunError, RunReport, RunSettings, RunStep};
use email_logging::source::MailSource as _;
use email_logging::source::ews::EwsSource;
use email_logging::store::{MemoryStore, StoreOperation};
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::{Fault, FaultKind, Operation};
use email_logging::{EmailLogger, Error};

use crate::setting::Setting;

const MAILS: u32 = 5;

fn busy(back_off: u64) -> Fault {
    let back_off = Duration::from_secs(back_off);
    Fault::new(FaultKind::ServerBusy { back_off }).on(Operation::MoveItem)
}

fn moves(setting: &Setting) -> u64 {
    setting.exchange.statistics().calls(Operation::MoveItem)
}

fn source(setting: &Setting, clock: &ManualClock) -> EwsSource {
    let builder = setting.source_builder();
    builder.with_clock(Arc::new(clock.clone())).build().unwrap()
}

fn logger(setting: &Setting, clock: &ManualClock) -> EmailLogger {
    let builder = setting.builder_on(source(setting, clock));
    builder.with_clock(Arc::new(clock.clone())).build().unwrap()
}

/// Runs the logger while the time goes on in steps of ten seconds, from when the server has told it to wait.
async fn run_in_time(
    setting: &Setting,
    clock: &ManualClock,
    logger: EmailLogger,
    when_told: impl FnOnce(),
) -> Result<RunReport, RunError> {
    let fired = setting.exchange.faults_fired().len();
    let run = tokio::spawn(async move { logger.run_once().await });
    while setting.exchange.faults_fired().len() == fired {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    when_told();
    while !run.is_finished() {
        clock.advance(Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    run.await.unwrap()
}

/// Another worker takes the mailbox over.
fn take_over(setting: &Setting) {
    let log = rusqlite::Connection::open(setting.file()).unwrap();
    let taken = log.execute("UPDATE lease SET holder = 'other', epoch = epoch + 1", []);
    assert_eq!(taken.unwrap(), 1);
}

fn give_back(setting: &Setting) {
    let log = rusqlite::Connection::open(setting.file()).unwrap();
    log.execute("UPDATE lease SET holder = '', until = 0", [])
        .unwrap();
}

/// The run after it, on a clock of its own.
async fn heals(setting: &Setting) {
    give_back(setting);
    let logger = setting.builder().build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.recovered), (0, u64::from(MAILS)));
    assert_eq!(
        (setting.queued(), setting.stored()),
        (0, MAILS as usize),
        "each once"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_waits_in_the_gate_is_not_sent_once_the_lease_is_lost() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..MAILS, 500);
    let clock = ManualClock::default();
    let logger = logger(&setting, &clock);
    setting.exchange.inject(busy(200));
    let result = run_in_time(&setting, &clock, logger, || take_over(&setting)).await;
    let failed = result.unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::LeaseLost);
    assert_eq!(moves(&setting), 1, "the one that was told to wait");
    assert_eq!(failed.report.moves_pending, u64::from(MAILS));
    assert!(failed.report.closes(), "{failed:?}");
    assert_eq!(setting.queued(), MAILS as usize);
    heals(&setting).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovery_sends_no_move_once_the_lease_is_lost() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..MAILS, 500);
    let clock = ManualClock::default();
    let dropped = Fault::new(FaultKind::DropBefore).on(Operation::MoveItem);
    setting.exchange.inject(dropped);
    let failed = logger(&setting, &clock).run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::MovingMessages);
    let before = moves(&setting);
    setting.exchange.inject(busy(200));
    let again = logger(&setting, &clock);
    let result = run_in_time(&setting, &clock, again, || take_over(&setting)).await;
    let failed = result.unwrap_err();
    assert_eq!(
        (failed.step, failed.error.kind()),
        (RunStep::Recovering, ErrorKind::LeaseLost)
    );
    assert_eq!(moves(&setting) - before, 1, "the one that was told to wait");
    assert_eq!(setting.queued(), MAILS as usize);
    heals(&setting).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovery_renews_the_lease_before_a_move_and_beside_it() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..MAILS, 500);
    let clock = ManualClock::default();
    let store = Arc::new(MemoryStore::new().with_clock(Arc::new(clock.clone())));
    let logger = || {
        let builder = setting.builder_on(source(&setting, &clock));
        let builder = builder.with_store(Arc::clone(&store));
        builder.with_clock(Arc::new(clock.clone())).build().unwrap()
    };
    let dropped = Fault::new(FaultKind::DropBefore).on(Operation::MoveItem);
    setting.exchange.inject(dropped);
    logger().run_once().await.unwrap_err();
    assert_eq!(store.calls(StoreOperation::Renew), 0);
    setting.exchange.inject(busy(200));
    let report = run_in_time(&setting, &clock, logger(), || ())
        .await
        .unwrap();
    assert_eq!(report.recovered, u64::from(MAILS));
    assert_eq!(store.calls(StoreOperation::Renew), 2);
    assert_eq!(setting.stored(), MAILS as usize);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_a_move_may_outlast_is_refused_with_what_to_set() {
    let setting = Setting::new().await;
    let build = |lease: u64, change: u64, total: u64| -> Result<EmailLogger, Error> {
        let source = setting.source_builder();
        let source = source.with_change_timeout(Duration::from_secs(change));
        let source = source.with_total_timeout(Duration::from_secs(total));
        let mut settings = RunSettings::default();
        settings.lease = Duration::from_secs(lease);
        let builder = setting.builder_on(source.build().unwrap());
        builder.with_settings(settings).build()
    };
    for (lease, change, total) in [(301, 150, 600), (300, 149, 600), (100, 120, 49)] {
        build(lease, change, total).unwrap();
    }
    for (lease, change, total) in [(300, 150, 600), (240, 120, 600), (100, 120, 50)] {
        let refused = build(lease, change, total).unwrap_err();
        assert_eq!(
            (refused.kind(), refused.code()),
            (ErrorKind::Config, "config.invalid")
        );
        let detail = refused.detail().unwrap();
        assert!(detail.contains("RunSettings::lease"), "{detail}");
        assert!(detail.contains("with_change_timeout"), "{detail}");
    }
    let longest = setting.source().capabilities().longest_change;
    assert_eq!(longest, Some(Duration::from_mins(2)));
}
