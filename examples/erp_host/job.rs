//! The recurring job: as long as the switch is on, the mail of the queue is logged.

use std::error::Error;
use std::sync::{Arc, PoisonError};

use email_logging::EmailLogger;
use email_logging::decision::LoggingPolicy;
use email_logging::logger::RunReport;
use email_logging::setup::{EmailLoggingSetup, MailConnector as _};
use email_logging::source::FolderSelector;
use jiff::Timestamp;

use crate::erp::Erp;

/// Messages of one step of the second stage.
const INDEX_STEP: u32 = 200;

/// What the last run did.
#[derive(Debug, Clone)]
pub(crate) struct LastRun {
    pub(crate) at: Timestamp,
    pub(crate) report: Result<RunReport, String>,
}

/// Runs until the program ends. A run that failed is told, and the next one goes on.
pub(crate) async fn keep_logging(erp: Arc<Erp>) {
    while !erp.is_stopped() {
        let setup = erp.administration.load(&erp.scope).await;
        if let Ok(stored) = setup
            && stored.setup.enabled
        {
            keep(&erp, run(&erp, &stored.setup).await);
        }
        // Either the time is over, or somebody wants a run now.
        let _ = tokio::time::timeout(erp.every, erp.wake.notified()).await;
    }
}

fn keep(erp: &Erp, report: Result<RunReport, Box<dyn Error + Send + Sync>>) {
    let at = Timestamp::now();
    let report = report.map_err(|error| error.to_string());
    match &report {
        Ok(_) => erp.jobs.succeeded(&erp.scope, at),
        Err(error) => erp.jobs.failed(&erp.scope, at, error),
    }
    let mut last = erp.last_run.lock().unwrap_or_else(PoisonError::into_inner);
    *last = Some(LastRun { at, report });
}

async fn run(
    erp: &Erp,
    setup: &EmailLoggingSetup,
) -> Result<RunReport, Box<dyn Error + Send + Sync>> {
    let _at_work = erp.at_work.lock().await;
    let logger = logger(erp, setup).await?;
    let report = logger.run_once().await?;
    while logger.index(INDEX_STEP).await? > 0 {}
    Ok(report)
}

/// The logger of a set-up, for a run or for matching again.
pub(crate) async fn logger(
    erp: &Erp,
    setup: &EmailLoggingSetup,
) -> Result<EmailLogger, email_logging::error::Error> {
    let connection = erp.connector.connect(&erp.scope, setup).await?;
    let mut policy = LoggingPolicy::default();
    policy.own_domains = erp.directory.own_domains();
    policy.trust = erp.trust.clone();
    let mut builder = EmailLogger::builder()
        .with_source(connection.source)
        .with_policy(policy)
        .with_directory(Arc::clone(&erp.directory) as Arc<_>)
        .with_contact_editor(Arc::clone(&erp.people) as Arc<_>)
        .with_store(Arc::clone(&erp.store))
        .with_review_store(Arc::clone(&erp.store));
    if let (Some(queue), Some(storage)) = (&setup.queue_folder, &setup.storage_folder) {
        let chosen = |id: &Option<_>, path: &email_logging::source::FolderPath| match id {
            Some(id) => FolderSelector::Id(Clone::clone(id), Some(path.clone())),
            None => path.clone().into(),
        };
        builder = builder
            .with_queue_folder(chosen(&setup.queue_folder_id, queue))
            .with_storage_folder(chosen(&setup.storage_folder_id, storage));
    }
    builder.build()
}
