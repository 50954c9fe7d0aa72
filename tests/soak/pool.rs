//! One worker process with a pool: all mailboxes in turn, beside the pools of the other processes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::logger::{LoggerPool, PoolSettings, RunSettings};

use super::queue::USER;
use super::worker::{Figures, Job, count, mailbox_of, tell_of, until_stdin_ends};

/// The lease of who was killed keeps its mailbox for so long.
pub(crate) const LEASE: Duration = Duration::from_secs(8);

pub(crate) async fn work(job: &Job, mailboxes: u64) -> Figures {
    let proxy = job.proxy().await;
    let store = job.store(proxy.as_ref());
    let pool = LoggerPool::new(pool_settings());
    for mailbox in 0..mailboxes {
        // A lease outlasts every call.
        let source = job
            .source()
            .with_gate(pool.gate(&mailbox_of(mailbox), USER))
            .with_total_timeout(Duration::from_secs(3))
            .with_longest_wait(Duration::from_millis(500));
        pool.add(job.logger(mailbox, source, &store, settings()))
            .unwrap();
    }
    let mut figures = Figures::new();
    let stop = until_stdin_ends();
    pool.run(ended(&stop), |mailbox, result| match result {
        Ok(report) if report.skipped.is_some() => count(&mut figures, "busy", 1),
        Ok(report) => {
            assert!(report.closes(), "{report:?}");
            count(&mut figures, "turns", 1);
            count(&mut figures, "logged", report.logged);
            count(&mut figures, "recovered", report.recovered);
        }
        Err(failed) => {
            count(&mut figures, "failed", 1);
            count(&mut figures, "logged", failed.report.logged);
            // The password is right, whatever the server said once.
            if failed.error.kind() == ErrorKind::ReauthRequired {
                count(&mut figures, "signed_in_again", 1);
                pool.credentials_changed(mailbox);
            }
        }
    })
    .await;
    tell_of(proxy.as_ref(), &mut figures);
    figures
}

async fn ended(stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Short turns and short waits, so that the processes meet at the mailboxes.
fn pool_settings() -> PoolSettings {
    let mut settings = PoolSettings::default();
    settings.every = Duration::from_millis(50);
    settings.turn = 20;
    settings.runs = 2;
    settings.first_backoff = Duration::from_millis(50);
    settings.longest_backoff = Duration::from_secs(1);
    settings.busy_after = Duration::from_millis(20);
    settings
}

fn settings() -> RunSettings {
    let mut settings = RunSettings::default();
    settings.fetch_batch = 10;
    settings.move_batch = 10;
    settings.first_backoff = Duration::from_secs(1);
    settings.lease = LEASE;
    settings.inline_bytes = 200_000;
    settings
}
