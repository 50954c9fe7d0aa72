//! Another try for mail that was set aside: the ledger takes it up again, and it goes back to the queue.

use crate::decision::Disposition;
use crate::error::{Code, Error, Result, codes};
use crate::source::{Folder, ItemRef, Moved, SightingKey, Sought};
use crate::store::{KnownSighting, SightingState};

use super::folders::{FolderPlan, Folders};
use super::lease::{HeldLease, beside, under};
use super::moves::can_locate;
use super::parts::{Parts, check_count};
use super::report::RunStep;
use super::run::{Plan, RunGuard, give_back, open_folders, plan, take_mailbox};

/// What became of mail that is to get another try.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct RequeueReport {
    /// Sightings that were set aside and are no more.
    pub requeued: u64,
    /// Items that were moved from the quarantine folder back to the queue folder.
    pub moved_back: u64,
    /// Sightings that lie in the queue folder already.
    pub in_queue: u64,
    /// Sightings that were found in neither folder: a person moves them back.
    pub not_found: u64,
    /// Items that could not be moved, with the first reason: their mails stay set aside, and asking again tries again. So do
    /// mails of which an earlier move is still to be done while logging is disabled or the quarantine folder is not there.
    pub failed: u64,
    /// The code of that reason.
    pub failure: Option<String>,
}

/// What is to get another try, with what is known of it.
type Known = (SightingKey, KnownSighting);

/// Requeues while it holds the mailbox, as a run does: a move cannot be fenced, and a run beside it may move the same mail
/// the other way.
pub(super) async fn requeue(parts: &Parts, keys: &[SightingKey]) -> Result<RequeueReport> {
    // For what is not set aside nobody is held up.
    if open(parts, keys).await?.is_empty() {
        return Ok(RequeueReport::default());
    }
    // Nothing is asked of the mail system while logging is disabled.
    let folders = match plan(parts).await.map_err(|(_, error)| error)? {
        Plan::Enabled { folders, .. } => Some(folders),
        Plan::Disabled => None,
    };
    let _guard = RunGuard::take(parts).ok_or_else(busy)?;
    let lease = take_mailbox(parts).await.map_err(|(_, error)| error)?;
    let mut lease = lease.ok_or_else(busy)?;
    let done = hold(parts, &mut lease, folders.as_deref(), keys).await;
    let done = done.map_err(|error| (RunStep::MovingMessages, error));
    let done = give_back(parts, Some(&lease), done).await;
    done.map_err(|(_, error)| error)
}

/// What is to get another try. What was requeued before is looked for as well: an earlier call may have ended in between.
async fn open(parts: &Parts, keys: &[SightingKey]) -> Result<Vec<Known>> {
    let (scope, mailbox) = (&parts.scope, &parts.mailbox);
    let known = parts.ledger.known(scope, mailbox, keys).await?;
    check_count("known", keys.len(), known.len())?;
    let known = keys.iter().zip(known);
    let known = known.filter_map(|(key, known)| Some((key.clone(), known?)));
    let open = known.filter(|(_, known)| known.state != SightingState::Decided);
    Ok(open.collect())
}

fn busy() -> Error {
    Error::new(&codes::LEASE_BUSY, "requeue")
}

/// Moves back first, and requeues in the ledger then. The ledger drops the plan of a move that may be half done, and with it what
/// tells of a copy in the quarantine folder: that has to lie in the queue by then. Until it does, what came back is set aside
/// again by any run; so is what came back only in part. Each batch has its end by itself, whatever becomes of the next.
///
/// The ledger is asked under the lease: a run that went before may have begun such a move, and whoever takes the mail for what it
/// was drops the plan and leaves the copy.
async fn hold(
    parts: &Parts,
    lease: &mut HeldLease,
    folders: Option<&FolderPlan>,
    keys: &[SightingKey],
) -> Result<RequeueReport> {
    let open = open(parts, keys).await?;
    let folders = match folders {
        Some(folders) => Some(open_folders(parts, folders).await.map_err(|(_, e)| e)?),
        None => None,
    };
    let mut report = RequeueReport::default();
    for batch in open.chunks(parts.move_batch()) {
        *lease = lease.clone().keep(parts).await?;
        let left = match &folders {
            Some(folders) => bring_back(parts, lease, folders, batch, &mut report).await?,
            None => leave_alone(&mut report, batch),
        };
        let keys = batch.iter().map(|(key, _)| key);
        let back: Vec<_> = keys.filter(|key| !left.contains(key)).cloned().collect();
        let requeued = parts.ledger.requeue_held(&parts.scope, &lease.lease, &back);
        report.requeued += requeued.await?;
    }
    Ok(report)
}

/// What becomes of mails while nobody may look for them.
fn leave_alone(report: &mut RequeueReport, batch: &[Known]) -> Vec<SightingKey> {
    let left = unfinished(report, batch, &codes::SETUP_DISABLED);
    report.not_found += (batch.len() - left.len()) as u64;
    left
}

/// The mails of which a move is still to be done, where nobody can look for what it may have left.
fn unfinished(
    report: &mut RequeueReport,
    batch: &[Known],
    code: &'static Code,
) -> Vec<SightingKey> {
    let waits = |(_, known): &&Known| !known.waiting.is_empty();
    let left: Vec<_> = batch
        .iter()
        .filter(waits)
        .map(|(key, _)| key.clone())
        .collect();
    for _ in &left {
        fail(report, code.code);
    }
    left
}

fn fail(report: &mut RequeueReport, code: &str) {
    report.failed += 1;
    report.failure.get_or_insert_with(|| code.to_owned());
}

/// Moves the copies of these mails back, and answers which of them has a copy that could not be moved.
async fn bring_back(
    parts: &Parts,
    lease: &mut HeldLease,
    folders: &Folders,
    batch: &[Known],
    report: &mut RequeueReport,
) -> Result<Vec<SightingKey>> {
    let queued = Box::pin(copies_in(parts, &folders.queue, batch));
    let queued = beside(lease, parts, queued).await?;
    let Some(quarantine) = folders.target(Disposition::Quarantine) else {
        count_queued(report, &queued);
        if folders.quarantine_is_missing {
            return Ok(unfinished(report, batch, &codes::SOURCE_FOLDER_NOT_FOUND));
        }
        return Ok(Vec::new());
    };
    let set_aside = Box::pin(copies_in(parts, quarantine, batch));
    let mut set_aside = beside(lease, parts, set_aside).await?;
    // What cannot be looked for is where the ledger saw it last.
    for ((key, known), copies) in batch.iter().zip(&mut set_aside) {
        if !can_locate(parts, key) && known.disposition == Some(Disposition::Quarantine) {
            copies.push(known.item.clone());
        }
    }
    let mut left = Vec::new();
    for ((copies, queued), (key, _)) in set_aside.iter().zip(&queued).zip(batch) {
        match (copies.is_empty(), queued.is_empty()) {
            (true, true) => report.not_found += 1,
            (true, false) => report.in_queue += 1,
            (false, _) => {
                let moved = Box::pin(move_back(parts, (quarantine, &folders.queue), copies));
                let moved = under(lease, parts, moved).await?;
                if moved.iter().any(|it| matches!(it, Moved::Failed(_))) {
                    left.push(key.clone());
                }
                count_moved(report, moved, can_locate(parts, key));
            }
        }
    }
    Ok(left)
}

fn count_queued(report: &mut RequeueReport, queued: &[Vec<ItemRef>]) {
    for copies in queued {
        // Without a quarantine folder the mail never left the queue, whether it can be looked for or not.
        let count = if copies.is_empty() {
            &mut report.not_found
        } else {
            &mut report.in_queue
        };
        *count += 1;
    }
}

/// The copies of each sighting in a folder, where they can be looked for: all of them, and not the last seen alone.
async fn copies_in(parts: &Parts, folder: &Folder, batch: &[Known]) -> Result<Vec<Vec<ItemRef>>> {
    let findable: Vec<_> = batch
        .iter()
        .map(|(key, _)| key)
        .filter(|key| can_locate(parts, key))
        .map(|key| Sought::new(key.clone()))
        .collect();
    let mut found = Vec::new();
    if !findable.is_empty() {
        found = parts.source.locate(folder, &findable).await?;
        check_count("locate", findable.len(), found.len())?;
    }
    let mut found = found.into_iter();
    let copies = batch.iter().map(|(key, _)| {
        if can_locate(parts, key) {
            found.next().unwrap_or_default()
        } else {
            Vec::new()
        }
    });
    Ok(copies.collect())
}

async fn move_back(
    parts: &Parts,
    (from, to): (&Folder, &Folder),
    items: &[ItemRef],
) -> Result<Vec<Moved>> {
    let mut all = Vec::new();
    for items in items.chunks(parts.move_batch()) {
        let moved = parts.source.move_to(from, items, to).await?;
        check_count("move_to", items.len(), moved.len())?;
        all.extend(moved);
    }
    Ok(all)
}

fn count_moved(report: &mut RequeueReport, moved: Vec<Moved>, sure: bool) {
    for moved in moved {
        match moved {
            Moved::Done(_) => report.moved_back += 1,
            // Somebody was faster, or it never left the queue.
            Moved::Gone if sure => report.in_queue += 1,
            Moved::Gone => report.not_found += 1,
            Moved::Failed(error) => fail(report, error.code()),
        }
    }
}
