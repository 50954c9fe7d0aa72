//! Saying what would be done, without doing it.

use crate::decision::{Decision, Outcome, Quarantine};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{MailFacts, Message};
use crate::store::RowContent;

use super::fetch::fetch;
use super::folders::Folders;
use super::listing::{Fate, LookAhead, PageOfWork, WorkItem, is_logged, list};
use super::parts::Parts;
use super::prepare::{Mode, Prepared, PreparedBatch, prepare};
use super::report::{DryRun, DryRunMail, RunError, RunReport, RunStep, Skipped};
use super::resolve::resolve_addresses;
use super::run::{Plan, open_folders, plan};

/// Decides about one original.
pub(super) async fn explain(
    parts: &Parts,
    original: &[u8],
    facts: &MailFacts,
) -> Result<Decision, Error> {
    let message = match Message::read(original, facts, &parts.settings.limits) {
        Ok(message) => message,
        Err(error) => {
            let reason = match error.kind() {
                ErrorKind::LimitExceeded => Quarantine::LimitExceeded,
                _ => Quarantine::Unreadable,
            };
            return Ok(Decision::quarantined(&parts.stamp, reason));
        }
    };
    let parties = resolve_addresses(parts, &message.addresses())
        .await
        .map_err(|(_, error)| error)?;
    Ok(parts.decide(&message, &parties, &parts.policy))
}

/// Lists, fetches and decides like a run.
pub(super) async fn dry_run(parts: &Parts) -> Result<DryRun, RunError> {
    let fail = |(step, error)| RunError::new(step, error, RunReport::default());
    let (folder_plan, batch_size) = match plan(parts).await.map_err(fail)? {
        Plan::Disabled => {
            let report = RunReport::skipped(Skipped::LoggingDisabled);
            return Ok(DryRun {
                report,
                ..DryRun::default()
            });
        }
        Plan::Enabled {
            folders,
            batch_size,
        } => (folders, batch_size),
    };
    let folders = open_folders(parts, &folder_plan).await.map_err(fail)?;
    let mut dry = DryRun::default();
    match decide_queue(parts, &folders, batch_size, &mut dry).await {
        Ok(()) => Ok(dry),
        Err((step, error)) => Err(RunError::new(step, error, dry.report)),
    }
}

async fn decide_queue(
    parts: &Parts,
    folders: &Folders,
    batch_size: u32,
    dry: &mut DryRun,
) -> Result<(), (RunStep, Error)> {
    let mut look = LookAhead::default();
    let page = parts.source.capabilities().list_page.max(1);
    let limit = if batch_size == 0 {
        usize::MAX
    } else {
        batch_size as usize
    };
    let mut taken = 0;
    loop {
        while let Some(request) = look.next_request(page, true) {
            let listed = list(parts, &folders.queue, request)
                .await
                .map_err(|error| (RunStep::ListingQueue, error));
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    dry.report.deferred += look.ready.len() as u64;
                    return Err(error);
                }
            };
            take_page(&mut look, listed, dry, limit, &mut taken);
        }
        let count = parts.settings.fetch_batch.max(1) as usize;
        let batch = look.take_batch(count, parts.settings.fetch_bytes);
        if batch.is_empty() {
            return Ok(());
        }
        let open = batch.len() as u64;
        let settled = |report: &RunReport| report.fetched + report.gone + report.deferred;
        let before = settled(&dry.report);
        if let Err(error) = decide_batch(parts, folders, batch, dry).await {
            let decided = settled(&dry.report) - before;
            dry.report.deferred += look.ready.len() as u64 + open - decided;
            return Err(error);
        }
    }
}

fn take_page(
    look: &mut LookAhead,
    page: PageOfWork,
    dry: &mut DryRun,
    limit: usize,
    taken: &mut usize,
) {
    for (work, fate) in look.admit(page).items {
        if fate == Fate::Passed {
            dry.report.listed += 1;
            dry.report.deferred += 1;
        } else if *taken < limit {
            *taken += 1;
            dry.report.listed += 1;
            look.ready.push_back(work);
        } else {
            return look.stop();
        }
    }
}

async fn decide_batch(
    parts: &Parts,
    folders: &Folders,
    batch: Vec<WorkItem>,
    dry: &mut DryRun,
) -> Result<(), (RunStep, Error)> {
    let (fetched, open, error) = fetch(parts, None, &folders.queue, batch).await;
    if let Some(error) = error {
        return Err((RunStep::ReadingMessages, error));
    }
    dry.report.deferred += open.len() as u64;
    let PreparedBatch { rows, gone } = prepare(parts, folders, Mode::DryRun, fetched).await?;
    dry.report.gone += gone.len() as u64;
    for prepared in rows {
        note(dry, prepared);
    }
    Ok(())
}

fn note(dry: &mut DryRun, prepared: Prepared) {
    dry.report.fetched += 1;
    let known = prepared.work.known.as_ref();
    let RowContent::Decided(row) = prepared.row.content else {
        dry.report.pending += 1;
        dry.report.count_reason("pending", "");
        return;
    };
    let copy = row.decision.outcome == Outcome::Logged && !dry.seen.insert(row.message);
    let already_logged = copy || known.is_some_and(is_logged);
    let report = &mut dry.report;
    if already_logged {
        report.already_logged += 1;
        report.count_reason("already-logged", "");
    } else {
        count(report, &row.decision.outcome);
        report.entries += row.entries.len() as u64;
    }
    dry.mails.push(DryRunMail {
        key: prepared.row.sighting.key,
        subject: row.record.as_ref().map(|record| record.subject.clone()),
        decision: row.decision.clone(),
        already_logged,
    });
}

pub(super) fn count(report: &mut RunReport, outcome: &Outcome) {
    report.count_reason(outcome.code(), outcome.reason());
    match outcome {
        Outcome::Logged => report.logged += 1,
        Outcome::NotMatched(_) => report.not_matched += 1,
        Outcome::Excluded(_) => report.excluded += 1,
        Outcome::Quarantined(_) => report.quarantined += 1,
    }
}
