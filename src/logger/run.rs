//! One run, from the set-up to the report.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::{Error, ErrorKind, codes};
use crate::setup::EmailLoggingSetup;
use crate::source::FolderSelector;
use crate::store::{Acquired, EventKind, WORKING};

use super::counts::Counts;
use super::deliver::deliver_open;
use super::folders::{FolderPlan, Folders};
use super::index::index;
use super::lease::HeldLease;
use super::parts::Parts;
use super::pipeline::{Pipeline, StepError};
use super::progress::ProgressEvent;
use super::recovery::recover;
use super::rematch::log_assigned;
use super::report::{RunError, RunReport, RunStep, Skipped};
use super::shutdown::Shutdown;
use super::telemetry;

/// What a run works with, once the set-up was read.
#[derive(Debug)]
pub(super) enum Plan {
    Disabled,
    Enabled {
        folders: Box<FolderPlan>,
        batch_size: u32,
    },
}

/// Reads the stored set-up, which is the truth where there is one.
pub(super) async fn plan(parts: &Parts) -> Result<Plan, StepError> {
    let step = |error| (RunStep::ValidatingSetup, error);
    let stored = match &parts.setup {
        Some(store) => store.load_setup(&parts.scope).await.map_err(step)?,
        None => None,
    };
    let setup = stored.map(|stored| stored.setup);
    if setup.as_ref().is_some_and(|setup| !setup.enabled) {
        return Ok(Plan::Disabled);
    }
    let folders = folder_plan(parts, setup.as_ref()).ok_or_else(|| {
        let detail = "queue folder and storage folder are needed";
        step(Error::new(&codes::SETUP_INCOMPLETE, "run").with_detail(detail))
    })?;
    if folders.queue == folders.storage {
        return Err(step(Error::new(&codes::SETUP_QUEUE_EQUALS_STORAGE, "run")));
    }
    parts.load_never_log().await.map_err(step)?;
    let stored_size = setup.map_or(0, |setup| setup.email_batch_size);
    let batch_size = if stored_size > 0 {
        stored_size
    } else {
        parts.settings.batch_size
    };
    Ok(Plan::Enabled {
        folders: Box::new(folders),
        batch_size,
    })
}

fn folder_plan(parts: &Parts, setup: Option<&EmailLoggingSetup>) -> Option<FolderPlan> {
    let stored = setup.and_then(|setup| {
        let queue = selector(setup.queue_folder_id.as_ref(), setup.queue_folder.as_ref())?;
        let storage = selector(
            setup.storage_folder_id.as_ref(),
            setup.storage_folder.as_ref(),
        )?;
        let given = parts.plan.as_ref();
        Some(FolderPlan {
            queue,
            storage,
            not_logged: given.and_then(|plan| plan.not_logged.clone()),
            quarantine: given.and_then(|plan| plan.quarantine.clone()),
        })
    });
    stored.or_else(|| parts.plan.clone())
}

fn selector(
    id: Option<&crate::source::FolderId>,
    path: Option<&crate::source::FolderPath>,
) -> Option<FolderSelector> {
    match (id, path) {
        (Some(id), path) => Some(FolderSelector::Id(id.clone(), path.cloned())),
        (None, Some(path)) => Some(FolderSelector::Path(path.clone())),
        (None, None) => None,
    }
}

/// The folders, opened by this run or by an earlier one.
pub(super) async fn open_folders(parts: &Parts, plan: &FolderPlan) -> Result<Folders, StepError> {
    if let Some(folders) = parts.opened(plan) {
        return Ok(folders);
    }
    let folders = plan.open(parts.source.as_ref()).await?;
    if !folders.quarantine_is_missing {
        parts.keep_opened(plan, &folders);
    }
    Ok(folders)
}

/// Runs once, until the queue is empty, the batch size is reached or `shutdown` comes.
pub(super) async fn run(parts: &Parts, shutdown: &mut Shutdown<'_>) -> Result<RunReport, RunError> {
    run_at_most(parts, shutdown, 0).await
}

/// As [`run`], with so many mails at most; 0 is no limit.
pub(super) async fn run_at_most(
    parts: &Parts,
    shutdown: &mut Shutdown<'_>,
    most: u32,
) -> Result<RunReport, RunError> {
    let Some(_guard) = RunGuard::take(parts) else {
        return Ok(RunReport::skipped(Skipped::MailboxBusy));
    };
    telemetry::in_run(parts, async {
        let ended = run_once(parts, shutdown, most).await;
        announce(parts, &ended).await;
        ended.inspect_err(telemetry::failed)
    })
    .await
}

/// Tells the event feed where the mailbox began to work, or ceased to. A feed that does not answer loses nothing that lasts:
/// the next run says it again.
async fn announce(parts: &Parts, ended: &Result<RunReport, RunError>) {
    let Some(events) = parts.events.as_ref().filter(|_| parts.settings.events) else {
        return;
    };
    let (kind, reason) = match ended {
        Ok(report) if report.skipped.is_some() => return,
        Ok(_) => (EventKind::HealthChanged, WORKING),
        Err(failed) => match failed.error.kind() {
            ErrorKind::ReauthRequired => (EventKind::SignInNeeded, failed.error.code()),
            _ => (EventKind::HealthChanged, failed.error.code()),
        },
    };
    let said = events.announce(&parts.scope, &parts.mailbox, kind, reason);
    let _ = said.await;
}

/// One run of a logger at a time: a second one would take the lease of the first over.
pub(super) struct RunGuard<'a>(&'a AtomicBool);

impl<'a> RunGuard<'a> {
    pub(super) fn take(parts: &'a Parts) -> Option<Self> {
        let free = !parts.running.swap(true, Ordering::AcqRel);
        free.then_some(Self(&parts.running))
    }
}

impl Drop for RunGuard<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

async fn run_once(
    parts: &Parts,
    shutdown: &mut Shutdown<'_>,
    most: u32,
) -> Result<RunReport, RunError> {
    let early = |(step, error)| RunError::new(step, error, RunReport::default());
    let (folders, batch_size) = match plan(parts).await.map_err(early)? {
        Plan::Disabled => return Ok(RunReport::skipped(Skipped::LoggingDisabled)),
        Plan::Enabled {
            folders,
            batch_size,
        } => (folders, smaller(batch_size, most)),
    };
    let Some(lease) = take_mailbox(parts).await.map_err(early)? else {
        return Ok(RunReport::skipped(Skipped::MailboxBusy));
    };
    parts.tell(&ProgressEvent::Started);
    let mut work = Work {
        parts,
        lease,
        counts: Counts::default(),
        refused: None,
    };
    let result = work.all(&folders, batch_size, shutdown).await;
    let result = give_back(parts, Some(&work.lease), result).await;
    let report = work.counts.report;
    parts.tell(&ProgressEvent::Ended { report: &report });
    match (result, work.refused) {
        (Err((step, error)), _) => Err(RunError::new(step, error, report)),
        (Ok(()), Some((step, error))) => Err(RunError::of_single_mails(step, error, report)),
        (Ok(()), None) => Ok(report),
    }
}

/// The smaller of two limits, of which 0 is none.
fn smaller(one: u32, other: u32) -> u32 {
    match (one, other) {
        (0, limit) | (limit, 0) => limit,
        (one, other) => one.min(other),
    }
}

/// Takes the mailbox, unless somebody else has it.
///
/// While the mail system wants to be left alone nobody may have it. A short while is waited for, as between two calls; a longer
/// one ends a run as if it had asked and was told so.
pub(super) async fn take_mailbox(parts: &Parts) -> Result<Option<HeldLease>, StepError> {
    for is_last in [false, true] {
        let (ttl, since) = (parts.settings.lease, parts.clock.now());
        let acquired = parts
            .ledger
            .acquire(&parts.scope, &parts.mailbox, &parts.worker, ttl)
            .await;
        match acquired.map_err(|error| (RunStep::TakingMailbox, error))? {
            Acquired::Held(lease) => return Ok(Some(HeldLease::new(lease, since))),
            Acquired::Busy { .. } => break,
            Acquired::Quiet { left } if left > SHORT_QUIET || is_last => {
                let error = Error::new(&codes::LEASE_QUIET, "acquire").with_retry_after(left);
                return Err((RunStep::TakingMailbox, error));
            }
            Acquired::Quiet { left } => parts.clock.sleep(left).await,
        }
    }
    Ok(None)
}

/// How long a mail system is waited for before a run: longer than after a move that failed by itself.
const SHORT_QUIET: Duration = Duration::from_secs(5);

/// Gives the mailbox back after some work, with the mail system's wish to be left alone where it has one; answers how the work
/// ended. A lease that cannot be given back ends by itself.
pub(super) async fn give_back<T>(
    parts: &Parts,
    held: Option<&HeldLease>,
    ended: Result<T, StepError>,
) -> Result<T, StepError> {
    let Some(HeldLease { lease, .. }) = held else {
        return ended;
    };
    let (ledger, scope) = (&parts.ledger, &parts.scope);
    let told = match &ended {
        // What the host's directory says is no wish of the mail system.
        Err((RunStep::ResolvingAddresses, _)) => None,
        Err((_, error)) if error.kind() == ErrorKind::Throttled => error.retry_after(),
        _ => None,
    };
    // A run may end for another reason, or well, while its source is still held.
    let released = match told.max(parts.source.asked_to_wait()) {
        Some(quiet) => ledger.release_quiet(scope, lease, quiet).await,
        None => ledger.release(scope, lease).await,
    };
    let done = ended?;
    released.map_err(|error| (RunStep::TakingMailbox, error))?;
    Ok(done)
}

/// Everything that is done while the mailbox is held.
struct Work<'a> {
    parts: &'a Parts,
    lease: HeldLease,
    counts: Counts,
    /// What was refused of single mails: it holds up nothing, and is told at the end.
    refused: Option<StepError>,
}

impl Work<'_> {
    async fn all(
        &mut self,
        plan: &FolderPlan,
        batch_size: u32,
        shutdown: &mut Shutdown<'_>,
    ) -> Result<(), StepError> {
        let folders = open_folders(self.parts, plan).await?;
        let result = self.stages(&folders, batch_size, shutdown).await;
        if result
            .as_ref()
            .is_err_and(|(_, error)| error.kind() == ErrorKind::NotFound)
        {
            self.parts.forget_folders();
        }
        result
    }

    async fn stages(
        &mut self,
        folders: &Folders,
        batch_size: u32,
        shutdown: &mut Shutdown<'_>,
    ) -> Result<(), StepError> {
        self.clean_up(folders, shutdown)
            .await
            .map_err(|error| (RunStep::Recovering, error))?;
        let (lease, counts) = (self.lease.clone(), std::mem::take(&mut self.counts));
        let mut pipeline = Pipeline::new(self.parts, folders, lease, batch_size, counts);
        pipeline.drive(shutdown).await;
        let closed = pipeline.close();
        (self.lease, self.counts) = (closed.lease, closed.counts);
        self.refused = self.refused.take().or(closed.refused);
        if let Some(error) = closed.error {
            return Err(error);
        }
        self.finish(folders, shutdown).await
    }

    /// What an earlier run left: deliveries, then moves.
    async fn clean_up(
        &mut self,
        folders: &Folders,
        shutdown: &mut Shutdown<'_>,
    ) -> Result<(), Error> {
        let refused = &mut self.refused;
        let delivered = deliver_open(self.parts, &mut self.lease, shutdown, refused).await?;
        self.counts.report.delivered += delivered;
        recover(
            self.parts,
            folders,
            &mut self.lease,
            shutdown,
            &mut self.counts,
        )
        .await
    }

    /// Mail whose entries a host's own log was to confirm waits for that log, and so for ever where a logger has none.
    async fn look_for_stranded(&mut self) -> Result<(), StepError> {
        if self.parts.sink.is_some() || self.counts.report.deferred == 0 {
            return Ok(());
        }
        let (ledger, scope) = (&self.parts.ledger, &self.parts.scope);
        let open = ledger.undelivered(scope, &self.parts.mailbox, 1).await;
        let step = RunStep::DeliveringEntries;
        if !open.map_err(|error| (step, error))?.is_empty() {
            let error = Error::new(&codes::SINK_MISSING, "undelivered");
            self.refused.get_or_insert((step, error));
        }
        Ok(())
    }

    /// What follows the mails: deliveries whose commit had to be repeated, and the second stage.
    async fn finish(
        &mut self,
        folders: &Folders,
        shutdown: &mut Shutdown<'_>,
    ) -> Result<(), StepError> {
        if self.parts.sink.is_some() && self.refused.is_none() {
            self.clean_up(folders, shutdown)
                .await
                .map_err(|error| (RunStep::DeliveringEntries, error))?;
        }
        // It waits rarely, and would make every run's future as large as its own.
        let assigned = Box::pin(log_assigned(self.parts, folders, self.lease.clone()));
        self.lease = assigned.await?;
        self.look_for_stranded().await?;
        let limit = self.parts.settings.index_batch;
        self.counts.report.indexed += index(self.parts, limit, Some(shutdown))
            .await
            .map_err(|error| (RunStep::IndexingMessages, error))?;
        Ok(())
    }
}
