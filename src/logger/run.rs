//! One run, from the set-up to the report.

use std::future::Future;

use crate::error::{Error, codes};
use crate::setup::EmailLoggingSetup;
use crate::source::FolderSelector;
use crate::store::{Acquired, Lease};

use super::deliver::deliver_open;
use super::folders::{FolderPlan, Folders};
use super::index::index;
use super::parts::Parts;
use super::pipeline::{Pipeline, StepError, count_moves};
use super::progress::ProgressEvent;
use super::recovery::{is_final, recover};
use super::report::{RunError, RunReport, RunStep, Skipped};
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
    let opened = lock(parts).clone();
    if let Some((opened_by, folders)) = opened
        && opened_by == *plan
    {
        return Ok(folders);
    }
    let folders = plan.open(parts.source.as_ref()).await?;
    *lock(parts) = Some((plan.clone(), folders.clone()));
    Ok(folders)
}

/// Forgets the folders, so that the next run opens them again.
fn forget_folders(parts: &Parts) {
    *lock(parts) = None;
}

fn lock(parts: &Parts) -> std::sync::MutexGuard<'_, Option<(FolderPlan, Folders)>> {
    // A panic of a host's hook in another run leaves a value that is still whole.
    parts
        .opened
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs once, until the queue is empty, the batch size is reached or `shutdown` is ready.
pub(super) async fn run(
    parts: &Parts,
    shutdown: impl Future<Output = ()> + Unpin + Send,
) -> Result<RunReport, RunError> {
    telemetry::in_run(parts, async {
        run_once(parts, shutdown)
            .await
            .inspect_err(telemetry::failed)
    })
    .await
}

async fn run_once(
    parts: &Parts,
    shutdown: impl Future<Output = ()> + Unpin + Send,
) -> Result<RunReport, RunError> {
    let early = |(step, error)| RunError::new(step, error, RunReport::default());
    let (folders, batch_size) = match plan(parts).await.map_err(early)? {
        Plan::Disabled => return Ok(RunReport::skipped(Skipped::LoggingDisabled)),
        Plan::Enabled {
            folders,
            batch_size,
        } => (folders, batch_size),
    };
    let Some(lease) = take_mailbox(parts).await.map_err(early)? else {
        return Ok(RunReport::skipped(Skipped::MailboxBusy));
    };
    parts.tell(&ProgressEvent::Started);
    let (report, error, lease) = work(parts, &folders, batch_size, lease, shutdown).await;
    // A lease that cannot be given back ends by itself.
    let released = parts.ledger.release(&parts.scope, &lease).await;
    parts.tell(&ProgressEvent::Ended { report: &report });
    match error {
        Some((step, error)) => Err(RunError::new(step, error, report)),
        None => match released {
            Ok(()) => Ok(report),
            Err(error) => Err(RunError::new(RunStep::TakingMailbox, error, report)),
        },
    }
}

async fn take_mailbox(parts: &Parts) -> Result<Option<Lease>, StepError> {
    let ttl = parts.settings.lease;
    let acquired = parts
        .ledger
        .acquire(&parts.scope, &parts.mailbox, &parts.worker, ttl)
        .await;
    match acquired.map_err(|error| (RunStep::TakingMailbox, error))? {
        Acquired::Held(lease) => Ok(Some(lease)),
        Acquired::Busy { .. } => Ok(None),
    }
}

/// Everything that is done while the mailbox is held.
async fn work(
    parts: &Parts,
    plan: &FolderPlan,
    batch_size: u32,
    lease: Lease,
    shutdown: impl Future<Output = ()> + Unpin + Send,
) -> (RunReport, Option<StepError>, Lease) {
    let folders = match open_folders(parts, plan).await {
        Ok(folders) => folders,
        Err(error) => return (RunReport::default(), Some(error), lease),
    };
    let mut report = RunReport::default();
    let waiting = match clean_up(parts, &folders, &lease, &mut report).await {
        Ok(waiting) => waiting,
        Err(error) => return (report, Some((RunStep::Recovering, error)), lease),
    };
    let mut pipeline = Pipeline::new(parts, &folders, lease, batch_size, report, waiting);
    pipeline.drive(shutdown).await;
    let (mut report, mut error, lease) = pipeline.close();
    if error.is_none() {
        error = finish(parts, &folders, &lease, &mut report).await.err();
    }
    if error
        .as_ref()
        .is_some_and(|(_, error)| error.kind() == crate::ErrorKind::NotFound)
    {
        forget_folders(parts);
    }
    (report, error, lease)
}

/// What an earlier run left: deliveries, then moves. Answers the ids that wait in the queue.
async fn clean_up(
    parts: &Parts,
    folders: &Folders,
    lease: &Lease,
    report: &mut RunReport,
) -> Result<std::collections::BTreeSet<String>, Error> {
    report.delivered += deliver_open(parts, lease).await?;
    let recovered = recover(parts, folders, lease).await?;
    count_moves(report, &recovered.results);
    report.recovered += recovered
        .results
        .iter()
        .filter(|result| is_final(&result.outcome))
        .count() as u64;
    Ok(recovered.waiting)
}

/// What a run does after its mails: deliveries whose commit had to be repeated, and the second stage.
async fn finish(
    parts: &Parts,
    folders: &Folders,
    lease: &Lease,
    report: &mut RunReport,
) -> Result<(), StepError> {
    if parts.sink.is_some() {
        clean_up(parts, folders, lease, report)
            .await
            .map_err(|error| (RunStep::DeliveringEntries, error))?;
    }
    let limit = parts.settings.index_batch;
    report.indexed += index(parts, limit)
        .await
        .map_err(|error| (RunStep::IndexingMessages, error))?;
    Ok(())
}
