//! One turn of a mailbox: a bounded run, with a look at what it left.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch as signal;

use super::Inner;
use super::mailbox::PoolMailbox;
use super::seat::{Credentials, Seat};
use super::watch::CredentialWatch;
use crate::caught::{caught_async, panicked};
use crate::logger::EmailLogger;
use crate::logger::backlog::{Backlog, backlog};
use crate::logger::report::{RunError, RunReport, RunStep};
use crate::logger::run::run_at_most;
use crate::logger::shutdown::Shutdown;
use crate::source::MailSource;

/// A turn that may begin.
pub(super) struct Turn {
    place: Place,
    logger: Arc<EmailLogger>,
    credentials: Option<Arc<dyn CredentialWatch>>,
    /// The version of the credentials that were refused, where the mailbox is paused.
    refused: Option<Credentials>,
    leave: signal::Receiver<bool>,
    /// What its calls may wait together.
    waits: Duration,
}

/// How a turn ended.
pub(super) struct Ended {
    pub(super) mailbox: PoolMailbox,
    /// The run's; none where the mailbox is still paused.
    pub(super) result: Option<Result<RunReport, RunError>>,
    /// The version of the credentials that it was begun with.
    pub(super) credentials: Option<u64>,
    /// What is left, where somebody looked.
    pub(super) backlog: Option<Backlog>,
}

/// The mailbox is this turn's until the turn has ended or is dropped.
struct Place {
    inner: Arc<Inner>,
    mailbox: PoolMailbox,
    ended: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.ended {
            self.inner.abandon(&self.mailbox);
        }
    }
}

/// The waits of all calls are bounded until the turn has ended or is dropped.
struct Patience<'a>(&'a dyn MailSource);

impl<'a> Patience<'a> {
    fn of(source: &'a dyn MailSource, sum: Duration) -> Self {
        source.wait_in_all_at_most(sum);
        Self(source)
    }
}

impl Drop for Patience<'_> {
    fn drop(&mut self) {
        self.0.wait_in_all_at_most(Duration::MAX);
    }
}

impl Turn {
    pub(super) fn new(inner: Arc<Inner>, mailbox: PoolMailbox, seat: &Seat) -> Self {
        Self {
            waits: inner.settings.waits_in_all(seat.throttled),
            place: Place {
                inner,
                mailbox,
                ended: false,
            },
            logger: Arc::clone(&seat.logger),
            credentials: seat.credentials.clone(),
            refused: seat.refused(),
            leave: seat.leaving(),
        }
    }

    /// Takes the turn, until `drain` or the mailbox's removal ends it.
    pub(super) async fn take(mut self, drain: signal::Receiver<bool>) -> Ended {
        let mut ended = Ended {
            mailbox: self.place.mailbox.clone(),
            result: None,
            credentials: None,
            backlog: None,
        };
        if let Some(watch) = &self.credentials {
            ended.credentials = caught_async("version", watch.version()).await.ok();
        }
        let now = Credentials(ended.credentials);
        let changed = |refused| now.0.is_some() && now != refused;
        if self.refused.is_none_or(changed) {
            let turn = AssertUnwindSafe(self.run_and_look(drain, &mut ended));
            if turn.catch_unwind().await.is_err() {
                // Its mailbox backs off alone. A panic of the look behind a run leaves the run's own end.
                let error = panicked("turn");
                let failed = RunError::new(RunStep::Unknown, error, RunReport::default());
                ended.result.get_or_insert(Err(failed));
            }
        }
        self.place.ended = true;
        ended
    }

    async fn run_and_look(&self, drain: signal::Receiver<bool>, ended: &mut Ended) {
        let _patience = Patience::of(self.logger.parts.source.as_ref(), self.waits);
        let result = ended.result.insert(self.run(drain).await);
        ended.backlog = self.look(result).await;
    }

    async fn run(&self, drain: signal::Receiver<bool>) -> Result<RunReport, RunError> {
        let mut stop = pin!(either(drain, self.leave.clone()));
        let mut shutdown = Shutdown::new(stop.as_mut());
        let most = self.place.inner.settings.turn;
        run_at_most(&self.logger.parts, &mut shutdown, most).await
    }

    /// Looks at what is left, where the run did not empty the queue. What cannot be told stays as it was known.
    async fn look(&self, result: &Result<RunReport, RunError>) -> Option<Backlog> {
        match result {
            Ok(report) if report.skipped.is_some() => None,
            Ok(report) if is_clean(report, self.place.inner.settings.turn) => {
                Some(Backlog::default())
            }
            // A mail system that failed, or that refused the sign-in, is not asked once more.
            Err(failed) if !failed.of_single_mails && failed.step != RunStep::DeliveringEntries => {
                None
            }
            Ok(_) | Err(_) => backlog(&self.logger.parts).await.ok(),
        }
    }
}

/// Whether a run left nothing behind.
fn is_clean(report: &RunReport, turn: u32) -> bool {
    let left = report.deferred + report.pending + report.moves_pending;
    left == 0 && !took_all(report, turn)
}

/// Whether a run took as many mails as a turn may.
pub(super) fn took_all(report: &RunReport, turn: u32) -> bool {
    turn > 0 && report.fetched + report.gone >= u64::from(turn)
}

async fn either(mut drain: signal::Receiver<bool>, mut leave: signal::Receiver<bool>) {
    // A sender that is gone says as much as one that asks to stop.
    tokio::select! {
        biased;
        _ = drain.wait_for(|come| *come) => {}
        _ = leave.wait_for(|come| *come) => {}
    }
}
