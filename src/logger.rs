//! [`EmailLogger`]: the whole job, from the queue folder to the interaction log.
//!
//! The only room that knows all the traits. It is free of a runtime of its own: futures are joined, never spawned; time
//! and randomness are injected.

mod backlog;
mod builder;
mod commit;
mod counts;
mod deliver;
mod explain;
mod fetch;
mod folders;
mod hints;
mod identity;
mod index;
mod lanes;
mod lease;
mod listing;
mod moves;
mod parts;
mod pipeline;
mod pool;
mod prepare;
mod progress;
mod reconcile;
mod record;
mod recovery;
mod rematch;
mod report;
mod requeue;
mod resolve;
mod run;
mod schedule;
mod settings;
mod shutdown;
mod telemetry;

use std::future::{Future, pending};
use std::pin::pin;

use crate::decision::Decision;
use crate::error::{Error, Result, codes};
use crate::ids::ContactNo;
use crate::message::MailFacts;
use crate::parties::NewContact;
use crate::source::SightingKey;

use shutdown::Shutdown;

pub use backlog::Backlog;
pub use builder::EmailLoggerBuilder;
pub use pool::{
    ConnectionBudget, CredentialWatch, LastFailure, LoggerPool, MailboxHealth, MailboxState,
    PoolHealth, PoolMailbox, PoolSettings, SecretWatch,
};
pub use progress::{Progress, ProgressEvent};
pub use reconcile::{ReconcileOptions, ReconcileReport};
pub use rematch::{RematchOf, RematchOptions, RematchReport};
pub use report::{DryRun, DryRunMail, RunError, RunReport, RunStep, Skipped};
pub use requeue::RequeueReport;
pub use settings::{RunSettings, Schedule};

/// Logs the mail of one mailbox.
///
/// A run takes the mailbox, finishes what an earlier run left, reads the queue folder oldest first, decides, writes
/// entries and originals in one transaction per batch, and moves each mail only after its commit. A crash anywhere is
/// healed by the next run. Build it with [`EmailLogger::builder`].
#[derive(Debug)]
pub struct EmailLogger {
    parts: parts::Parts,
}

impl EmailLogger {
    /// Begins to build a logger.
    pub fn builder() -> EmailLoggerBuilder {
        EmailLoggerBuilder::default()
    }

    /// Runs once, until the queue folder is empty or the batch size is reached.
    ///
    /// While logging is disabled in the stored set-up it makes no request and answers
    /// [`Skipped::LoggingDisabled`]; while another worker, or another run of this logger, holds the mailbox it answers
    /// [`Skipped::MailboxBusy`].
    ///
    /// # Errors
    ///
    /// What stopped the run, with its step and the report until then. One bad mail never does. `Throttled` (`lease.quiet`)
    /// with the time that is left where the mail system told an earlier run, of any process, that it wants to be left alone:
    /// nothing was asked.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is like a crash: nothing is lost or logged twice, and the next run finishes what is open.
    pub async fn run_once(&self) -> Result<RunReport, RunError> {
        let mut never = pin!(pending());
        run::run(&self.parts, &mut Shutdown::new(never.as_mut())).await
    }

    /// Runs once, and drains when `shutdown` is ready: nothing new is begun, what is committed is still moved.
    ///
    /// # Errors
    ///
    /// As [`run_once`](Self::run_once).
    ///
    /// # Cancel safety
    ///
    /// As [`run_once`](Self::run_once).
    pub async fn run_until(
        &self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<RunReport, RunError> {
        let mut shutdown = pin!(shutdown);
        run::run(&self.parts, &mut Shutdown::new(shutdown.as_mut())).await
    }

    /// Runs on a schedule until `shutdown` is ready, then drains. Every run's end is told to `on_run`.
    ///
    /// A hint of the logger's wake-ups ([`EmailLoggerBuilder::with_wakeup`]) brings the next run forward, but not the first
    /// one and none after a failed one; hints that come during a run or in the pause after it
    /// ([`Schedule::hint_pause`]) are one.
    ///
    /// # Errors
    ///
    /// The error of the last run, once [`Schedule::attempts`] runs in a row failed for a reason that waiting does not
    /// remove. An outage never ends the schedule.
    ///
    /// # Cancel safety
    ///
    /// As [`run_once`](Self::run_once).
    pub async fn run(
        &self,
        schedule: &Schedule,
        shutdown: impl Future<Output = ()> + Send,
        on_run: impl FnMut(&Result<RunReport, RunError>) + Send,
    ) -> Result<(), RunError> {
        let mut shutdown = pin!(shutdown);
        let mut shutdown = Shutdown::new(shutdown.as_mut());
        schedule::run(&self.parts, schedule, &mut shutdown, on_run).await
    }

    /// Says what a run would do: everything but writing and moving. The mailbox is not taken: of a server's wish to be left alone
    /// only what the sources of this process were told is kept.
    ///
    /// # Errors
    ///
    /// As [`run_once`](Self::run_once).
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn dry_run(&self) -> Result<DryRun, RunError> {
        explain::dry_run(&self.parts).await
    }

    /// Decides about an original that is at hand, without a mail source and without writing.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the directory does not answer. A mail that cannot be read has a decision that says so.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn explain(&self, original: &[u8], facts: &MailFacts) -> Result<Decision> {
        explain::explain(&self.parts, original, facts).await
    }

    /// Makes the ledger fit the folders again, after a backup was restored or with an empty store.
    ///
    /// It walks the storage folder, and those for mail that is not logged and for mail that is set aside, and decides every
    /// mail that the ledger does not know: missing entries, originals and decisions are written, each once. Moves that the
    /// ledger believes to be still to do, and that were done, are closed. Nothing is moved, and the queue folder is left to
    /// the next run. What is written is known from then on: after an end, a crash or [`ReconcileOptions::most`] the next
    /// call goes on. A mail is decided by today's directory and policy; one in the quarantine folder stays set aside.
    ///
    /// While another worker holds the mailbox, or logging is disabled, nothing is done and the report says so.
    ///
    /// # Errors
    ///
    /// What stopped the walk, with the report of the mails that were decided until then. One bad mail never does.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is like a crash: the next call goes on.
    pub async fn reconcile(&self, options: &ReconcileOptions) -> Result<ReconcileReport, RunError> {
        self.reconcile_until(options, pending()).await
    }

    /// As [`reconcile`](Self::reconcile), until `shutdown` is ready: the batch that is begun is finished.
    ///
    /// # Errors
    ///
    /// As [`reconcile`](Self::reconcile).
    ///
    /// # Cancel safety
    ///
    /// As [`reconcile`](Self::reconcile).
    pub async fn reconcile_until(
        &self,
        options: &ReconcileOptions,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<ReconcileReport, RunError> {
        let mut shutdown = pin!(shutdown);
        let mut shutdown = Shutdown::new(shutdown.as_mut());
        reconcile::reconcile(&self.parts, options, &mut shutdown).await
    }

    /// Gives mail that was set aside another round of attempts, and moves it from the quarantine folder back to the queue
    /// folder, where it can be found there.
    ///
    /// Nothing is deleted. A mail that a person moved elsewhere is left there and counted; asking again is safe. The mailbox is
    /// held meanwhile, as by a run: a run that begins then answers [`Skipped::MailboxBusy`]. What could not be moved back stays
    /// set aside. Where the server still works on an earlier request to set the mail aside, it may come to lie in the quarantine
    /// folder afterwards: asking again finds it there, unless a run has logged it by then and a copy of it is all that lies there.
    ///
    /// # Errors
    ///
    /// `LeaseLost`: `lease.busy` where a run has the mailbox now; nothing was changed, and asking again when it is over does
    /// it. `lease.lost` where another worker took it over meanwhile. `StoreUnavailable`, and what opening, looking for or moving
    /// raises: mails may lie in the queue folder by then, where a run sets them aside again; asking again is all that is needed.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    pub async fn requeue(&self, keys: &[SightingKey]) -> Result<RequeueReport> {
        requeue::requeue(&self.parts, keys).await
    }

    /// Matches stored mail again, once the directory knows more or less than it did; see [`RematchOptions`].
    ///
    /// What people assigned and no run has logged yet is logged first. Of a mail that is logged, automatic links are added,
    /// restored and withdrawn; what a person decided stays. A mail that was not logged and that matches now is fetched
    /// again from the folder where it lies and committed under the same message and sighting, so never twice. It needs
    /// [`with_review_store`](EmailLoggerBuilder::with_review_store).
    ///
    /// While another worker holds the mailbox, or logging is disabled, nothing is done and the report says so.
    ///
    /// # Errors
    ///
    /// What stopped it. What was committed until then stays; the same call again finds it done.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is like a crash: the same call again goes on.
    pub async fn rematch(&self, options: &RematchOptions) -> Result<RematchReport, RunError> {
        let mut never = pin!(pending());
        let mut shutdown = Shutdown::new(never.as_mut());
        Box::pin(rematch::rematch(&self.parts, options, &mut shutdown)).await
    }

    /// Creates a contact through the host's [`ContactEditor`](crate::directory::ContactEditor), and matches the stored mail
    /// of its address again.
    ///
    /// # Errors
    ///
    /// `Config` (`config.missing`) without an editor; what the editor raises; as [`rematch`](Self::rematch).
    ///
    /// # Cancel safety
    ///
    /// Repeat it: the editor answers the contact that it made.
    pub async fn create_contact(
        &self,
        contact: &NewContact,
    ) -> Result<(ContactNo, RematchReport), RunError> {
        let failed = |error| RunError::new(RunStep::Rematching, error, RunReport::default());
        let editor = self.parts.editor.as_ref().ok_or_else(|| {
            let missing = Error::new(&codes::CONFIG_MISSING, "create_contact");
            failed(missing.with_detail("a contact editor"))
        })?;
        let scope = &self.parts.scope;
        let no = editor
            .create_contact(scope, contact)
            .await
            .map_err(failed)?;
        let of = RematchOf::Addresses(vec![contact.address.clone()]);
        let report = self.rematch(&RematchOptions::of(of)).await?;
        Ok((no, report))
    }

    /// Says how far the job is behind: the oldest mail that waits, and the oldest move that is still to do. Takes no mailbox, as
    /// [`dry_run`](Self::dry_run).
    ///
    /// # Errors
    ///
    /// As [`run_once`](Self::run_once).
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn backlog(&self) -> Result<Backlog, RunError> {
        let fail = |(step, error)| RunError::new(step, error, RunReport::default());
        backlog::backlog(&self.parts).await.map_err(fail)
    }

    /// Indexes text and attachments of committed messages, up to `limit`. Answers how many there were.
    ///
    /// Each run does so at its end; a host with a large backlog may call it beside.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: what is not indexed stays so.
    pub async fn index(&self, limit: u32) -> Result<u64, Error> {
        index::index(&self.parts, limit, None).await
    }
}
