//! The seat of one mailbox: when its next turn is due, and how it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch as signal;

use super::health::{LastFailure, MailboxHealth, MailboxState};
use super::mailbox::PoolMailbox;
use super::settings::PoolSettings;
use super::turn::{Ended, took_all};
use super::watch::CredentialWatch;
use crate::clock::Entropy;
use crate::error::ErrorKind;
use crate::logger::EmailLogger;
use crate::logger::backlog::Backlog;
use crate::logger::report::{RunError, RunReport, RunStep, Skipped};
use crate::wish::Wish;

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(super) struct Seat {
    pub(super) logger: Arc<EmailLogger>,
    pub(super) credentials: Option<Arc<dyn CredentialWatch>>,
    /// The number of its last turn; the smallest is the longest ago.
    pub(super) last_turn: u64,
    rest: Rest,
    /// The wait for its next turn.
    due: Wish,
    running_since: Option<Timestamp>,
    /// A wish that came during a turn.
    woken: bool,
    /// The wait after its last turn, before which no hint brings one forward.
    pause: Wish,
    /// Whether there is a hint that no turn has begun after.
    hinted: bool,
    /// Whether somebody waits for a hint.
    heard: bool,
    /// New credentials that came during a turn: what it says about the old ones is out of date.
    resumed: bool,
    leave: signal::Sender<bool>,
    last_success: Option<Timestamp>,
    last_failure: Option<LastFailure>,
    failed_in_a_row: u32,
    /// Turns in a row that ended because the server asked for a longer wait than a turn has.
    pub(super) throttled: u32,
    /// What its last turn was told by its mail system, or by the store, which keeps what another run was told.
    told: Option<Wish>,
    backlog: Backlog,
}

/// The version of credentials, where somebody watches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Credentials(pub(super) Option<u64>);

/// Why a mailbox has no turn now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Waits,
    BacksOff,
    Elsewhere,
    Disabled,
    /// Since when, and the version of the credentials that were refused.
    Paused(Timestamp, Option<u64>),
}

impl Seat {
    pub(super) fn new(
        logger: EmailLogger,
        credentials: Option<Arc<dyn CredentialWatch>>,
        now: Timestamp,
    ) -> Self {
        Self {
            logger: Arc::new(logger),
            credentials,
            last_turn: 0,
            rest: Rest::Waits,
            due: Wish::of_host(Duration::ZERO, now),
            running_since: None,
            woken: false,
            pause: Wish::of_host(Duration::ZERO, now),
            hinted: false,
            heard: false,
            resumed: false,
            leave: signal::Sender::new(false),
            last_success: None,
            last_failure: None,
            failed_in_a_row: 0,
            throttled: 0,
            told: None,
            backlog: Backlog::default(),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running_since.is_some()
    }

    /// Whether time brings its next turn: not while one is under way, nor where only a call can end its pause.
    fn has_next(&self) -> bool {
        let unwatched = matches!(self.rest, Rest::Paused(..)) && self.credentials.is_none();
        !self.is_running() && !unwatched
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.has_next() && self.due.left(now).is_zero()
    }

    /// The wait for its next turn, from now on: a clock that was set back is noticed here, and the wait lasts its length
    /// from there.
    pub(super) fn next_due(&mut self, now: Timestamp) -> Option<Wish> {
        self.due = self.due.at(now).unwrap_or(self.due.over());
        self.has_next().then_some(self.due)
    }

    /// So long was waited, whatever the clock says.
    pub(super) fn sat_out(&mut self, waited: Wish, now: Timestamp) {
        if self.due.until <= waited.until {
            self.bring_forward(Duration::ZERO, now);
        }
    }

    pub(super) fn begin(&mut self, number: u64, now: Timestamp) {
        self.last_turn = number;
        self.running_since = Some(now);
        (self.woken, self.resumed, self.hinted) = (false, false, false);
    }

    /// Whether somebody may give a hint, and nobody waits for it.
    pub(super) fn is_unheard(&self) -> bool {
        let silent = self.logger.parts.wakeups.is_empty();
        !silent && !self.hinted && !self.heard && !*self.leave.borrow()
    }

    /// Somebody waits for a hint.
    pub(super) fn listen(&mut self) {
        self.heard = true;
    }

    /// Nobody waits for a hint any more, for one came or the wait was dropped.
    pub(super) fn hear(&mut self, came: bool, now: Timestamp) {
        self.heard = false;
        if !came {
            return;
        }
        self.hinted = true;
        if self.is_waiting() && !self.is_running() {
            self.bring_forward(self.pause.left(now), now);
        }
    }

    fn bring_forward(&mut self, wait: Duration, now: Timestamp) {
        if wait < self.due.left(now) {
            self.due = Wish::of_host(wait, now);
        }
    }

    fn is_waiting(&self) -> bool {
        matches!(self.rest, Rest::Waits | Rest::Elsewhere | Rest::Disabled)
    }

    /// A turn was dropped in its middle; the next one heals what it left.
    pub(super) fn abandon(&mut self) {
        self.running_since = None;
    }

    /// The version of the credentials that were refused, where it is paused.
    pub(super) fn refused(&self) -> Option<Credentials> {
        match self.rest {
            Rest::Paused(_, version) => Some(Credentials(version)),
            _ => None,
        }
    }

    pub(super) fn leaving(&self) -> signal::Receiver<bool> {
        self.leave.subscribe()
    }

    /// Asks it to leave. Answers whether it may go at once.
    pub(super) fn leave(&mut self) -> bool {
        self.leave.send_replace(true);
        self.has_left()
    }

    pub(super) fn has_left(&self) -> bool {
        *self.leave.borrow() && !self.is_running()
    }

    pub(super) fn wake(&mut self, now: Timestamp) {
        self.woken = self.is_running();
        if self.is_waiting() {
            self.bring_forward(Duration::ZERO, now);
        }
    }

    pub(super) fn resume(&mut self, now: Timestamp) {
        self.rest = Rest::Waits;
        self.resumed = self.is_running();
        self.wake(now);
    }

    /// Takes the end of a turn, and says when the next one is due.
    pub(super) fn end(
        &mut self,
        ended: &Ended,
        now: Timestamp,
        settings: &PoolSettings,
        entropy: &dyn Entropy,
    ) {
        self.running_since = None;
        if let Some(backlog) = &ended.backlog {
            self.backlog = backlog.clone();
        }
        let (rest, wait) = match &ended.result {
            None => (self.rest, settings.every),
            Some(Ok(report)) => self.ended_well(report, now, settings),
            // It held up nothing else.
            Some(Err(failed)) if failed.of_single_mails => {
                self.last_failure = Some(last_failure(failed, now));
                self.ended_well(&failed.report, now, settings)
            }
            Some(Err(failed)) => self.failed(failed, ended.credentials, now, settings, entropy),
        };
        self.rest = match rest {
            Rest::Paused(..) if self.resumed => Rest::Waits,
            rest => rest,
        };
        let wait = match rest {
            Rest::BacksOff => wait,
            _ if self.woken => Duration::ZERO,
            Rest::Paused(..) => wait,
            _ if self.hinted => wait.min(settings.hint_pause),
            _ => wait,
        };
        self.due = Wish::of_host(wait, now);
        self.pause = Wish::of_host(settings.hint_pause, now);
        self.woken = false;
    }

    fn ended_well(
        &mut self,
        report: &RunReport,
        now: Timestamp,
        settings: &PoolSettings,
    ) -> (Rest, Duration) {
        match report.skipped {
            Some(Skipped::MailboxBusy) => return (Rest::Elsewhere, settings.busy_after),
            Some(Skipped::LoggingDisabled) => return (Rest::Disabled, settings.every),
            None => {}
        }
        self.last_success = Some(now);
        self.told = None;
        (self.failed_in_a_row, self.throttled) = (0, 0);
        if took_all(report, settings.turn) {
            return (Rest::Waits, Duration::ZERO);
        }
        (Rest::Waits, settings.every)
    }

    fn failed(
        &mut self,
        failed: &RunError,
        credentials: Option<u64>,
        now: Timestamp,
        settings: &PoolSettings,
        entropy: &dyn Entropy,
    ) -> (Rest, Duration) {
        let error = &failed.error;
        self.failed_in_a_row = self.failed_in_a_row.saturating_add(1);
        self.last_failure = Some(last_failure(failed, now));
        if error.kind() == ErrorKind::Throttled {
            self.throttled = self.throttled.saturating_add(1);
            self.told = error.retry_after().map(|wait| Wish::new(wait, now));
        }
        if error.kind() == ErrorKind::ReauthRequired {
            return (Rest::Paused(now, credentials), settings.every);
        }
        // What the host's own log refused held up nothing else.
        if failed.step == RunStep::DeliveringEntries {
            return (Rest::Waits, settings.every);
        }
        let mut chance = [0; 1];
        entropy.fill(&mut chance);
        let asked = error.retry_after();
        // Who knows how long a server wants to be left alone does not have to find out.
        let told = error.kind() == ErrorKind::Throttled && asked.is_some();
        let failed = if told { 1 } else { self.failed_in_a_row };
        let wait = settings.backoff(failed, chance[0]);
        (Rest::BacksOff, wait.max(asked.unwrap_or_default()))
    }

    pub(super) fn health(&self, mailbox: &PoolMailbox, now: Timestamp) -> MailboxHealth {
        let age = |since: Timestamp| Duration::try_from(now.duration_since(since)).ok();
        let told = self.told.map(|told| told.left(now));
        let told = told.filter(|left| !left.is_zero());
        MailboxHealth {
            mailbox: mailbox.clone(),
            state: self.state(now),
            last_success: self.last_success,
            last_failure: self.last_failure,
            failed_in_a_row: self.failed_in_a_row,
            lag: self.backlog.oldest_mail.and_then(age),
            oldest_move: self.backlog.oldest_move.and_then(age),
            queued: self.backlog.queued,
            asked_to_wait: told.max(self.logger.parts.source.asked_to_wait()),
        }
    }

    fn state(&self, now: Timestamp) -> MailboxState {
        let until = self.due.at(now).unwrap_or(self.due).until;
        match (self.running_since, self.rest) {
            _ if *self.leave.borrow() => MailboxState::Leaving,
            (Some(since), _) => MailboxState::Running { since },
            (None, Rest::Waits) => MailboxState::Waiting { until },
            (None, Rest::BacksOff) => MailboxState::BackingOff { until },
            (None, Rest::Elsewhere) => MailboxState::Elsewhere { until },
            (None, Rest::Disabled) => MailboxState::Disabled { until },
            (None, Rest::Paused(since, _)) => MailboxState::Paused { since },
        }
    }
}

fn last_failure(failed: &RunError, now: Timestamp) -> LastFailure {
    LastFailure {
        at: now,
        step: failed.step,
        kind: failed.error.kind(),
        code: failed.error.code(),
    }
}
