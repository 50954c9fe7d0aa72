//! Finishing what an earlier run left: always a look before a move.

mod readdress;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::decision::Disposition;
use crate::error::{Error, ErrorKind, Result, codes};
use crate::source::{Folder, ItemRef, SightingKey};
use crate::store::{CommitBatch, MoveOutcome, MoveResult};
use crate::wish::Wish;

use super::counts::Counts;
use super::folders::Folders;
use super::lease::{HeldLease, beside, under};
use super::moves::{
    PlannedMove, again_later, all_sought, can_locate, is_lost_quarantine, move_batch, result,
    wait_for_quarantine,
};
use super::parts::{Parts, check_count};
use super::shutdown::Shutdown;

use readdress::{readdress, without_lost};

/// How many pending moves are finished in one round.
const ROUND: u32 = 500;

/// The wait for a folder that is to be configured again; no other is longer.
const DAY: Duration = Duration::from_hours(24);

/// Failures in a row at which it is no longer one item that cannot be moved.
const OUTAGE: u32 = 2;

/// Finishes the moves that are due, round by round. What fails again waits for its next attempt, and an item that cannot
/// be moved holds up no other.
pub(super) async fn recover(
    parts: &Parts,
    folders: &Folders,
    lease: &mut HeldLease,
    shutdown: &mut Shutdown<'_>,
    counts: &mut Counts,
) -> Result<(), Error> {
    if !parts.source.capabilities().moves {
        // Moves of a run that could move wait for the next one that can.
        return Ok(());
    }
    // A move that fails in this call is not due again in it, however short its wait, and whichever way the clock is set: only
    // once the clock has gone on by more than a day, so that what lies too far ahead is still that.
    let mut now = parts.clock.now();
    while !shutdown.has_come().await {
        let shown = parts.clock.now();
        let gone = Duration::try_from(shown.duration_since(now)).unwrap_or_default();
        now = if gone > DAY { shown } else { now.min(shown) };
        let (scope, mailbox) = (&parts.scope, &parts.mailbox);
        let pending = parts
            .ledger
            .pending_moves(scope, mailbox, now, ROUND)
            .await?;
        if pending.is_empty() {
            break;
        }
        let mut round = Round {
            parts,
            folders,
            lease,
            results: Vec::new(),
        };
        let finished = round
            .finish(pending.into_iter().map(PlannedMove::from).collect())
            .await;
        let results = round.results;
        counts.report.recovered += counts.take_moves(&results);
        let batch = CommitBatch {
            moves: results,
            quiet: !parts.settings.events,
            ..CommitBatch::default()
        };
        if !batch.is_empty() {
            parts.ledger.commit(scope, &lease.lease, batch).await?;
        }
        finished?;
    }
    Ok(())
}

/// One round, with what it has finished so far.
struct Round<'a> {
    parts: &'a Parts,
    folders: &'a Folders,
    lease: &'a mut HeldLease,
    results: Vec<MoveResult>,
}

impl Round<'_> {
    async fn finish(&mut self, due: Vec<PlannedMove>) -> Result<()> {
        let mut by_target: BTreeMap<&str, Vec<PlannedMove>> = BTreeMap::new();
        for planned in due {
            let group = by_target.entry(planned.target.code()).or_default();
            group.push(planned);
        }
        for (_, group) in by_target {
            for batch in group.chunks(self.parts.move_batch()) {
                self.finish_batch(batch).await?;
            }
        }
        Ok(())
    }

    /// Finishes a batch of one target: as a whole, and item by item where that fails.
    async fn finish_batch(&mut self, batch: &[PlannedMove]) -> Result<()> {
        match self.attempt(batch).await {
            Ok(results) => self.results.extend(results),
            Err(error) if !may_be_one_items(&error) => return Err(error),
            Err(_) => self.finish_singly(batch).await?,
        }
        Ok(())
    }

    async fn finish_singly(&mut self, batch: &[PlannedMove]) -> Result<()> {
        let mut failed_in_a_row = 0;
        for planned in batch {
            match self.attempt(std::slice::from_ref(planned)).await {
                Ok(results) => {
                    self.results.extend(results);
                    failed_in_a_row = 0;
                }
                Err(error) if may_be_one_items(&error) => {
                    // The last one too: else it would end the next run before that lists anything.
                    self.results.push(again_later(self.parts, planned, &error));
                    failed_in_a_row += 1;
                    if failed_in_a_row == OUTAGE {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Looks for each item in its target first, and moves those that are not there. A copy that a half-done move left in
    /// the queue is listed by the run that follows and gets a move of its own.
    ///
    /// After the move it looks once more: a worker that lost its lease unawares may have moved the item between the look and
    /// the move, and where a server takes the old id for the item, this move then made a second copy.
    async fn attempt(&mut self, batch: &[PlannedMove]) -> Result<Vec<MoveResult>> {
        let (parts, folders) = (self.parts, self.folders);
        *self.lease = self.lease.clone().keep(parts).await?;
        let mut results = Vec::new();
        // Boxed, since they would make every run's future as large as their own.
        let to_move = Box::pin(left_to_move(parts, folders, batch, &mut results));
        let to_move = beside(self.lease, parts, to_move).await?;
        if to_move.is_empty() {
            return Ok(results);
        }
        // However long the look took: whoever lost the lease moves nothing, and the move has a whole one.
        *self.lease = self.lease.clone().renew(parts).await?;
        let moved = Box::pin(move_batch(parts, folders, &to_move));
        results.extend(under(self.lease, parts, moved).await?);
        Ok(results)
    }
}

/// Looks for each item of a batch in its target. Answers those that are still to be moved, each as one that may have been.
async fn left_to_move(
    parts: &Parts,
    folders: &Folders,
    batch: &[PlannedMove],
    results: &mut Vec<MoveResult>,
) -> Result<Vec<PlannedMove>> {
    let Some(first) = batch.first().map(|first| first.target) else {
        return Ok(Vec::new());
    };
    let batch = &readdress(parts, folders, batch).await?;
    let to_move = match folders.target(first) {
        Some(target) => match look(parts, folders, target, batch, results).await {
            Err(error) if is_lost_quarantine(first, &error) => {
                results.clear();
                results.extend(wait_for_quarantine(parts, batch, &error));
                return Ok(Vec::new());
            }
            looked => looked?,
        },
        None if first == Disposition::Delete => batch.clone(),
        None if folders.quarantine_is_missing => {
            let error = Error::new(&codes::SOURCE_FOLDER_NOT_FOUND, "open_folder");
            results.extend(wait_for_quarantine(parts, batch, &error));
            return Ok(Vec::new());
        }
        None => {
            results.extend(batch.iter().map(|it| homeless(parts, it)));
            return Ok(Vec::new());
        }
    };
    let to_move = without_lost(parts, to_move, results).into_iter();
    let again = to_move.map(|planned| PlannedMove {
        again: true,
        ..planned
    });
    Ok(again.collect())
}

/// Whether an error of a whole call may be due to one of its items.
pub(super) fn may_be_one_items(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::Timeout
            | ErrorKind::Protocol
            | ErrorKind::LimitExceeded
            | ErrorKind::Internal
    )
}

/// The folder that the plan means is no longer configured: the mail waits until it is again.
fn homeless(parts: &Parts, planned: &PlannedMove) -> MoveResult {
    let outcome = MoveOutcome::Retry {
        code: codes::CONFIG_MISSING.code.to_owned(),
        next_try: Wish::new(DAY, parts.clock.now()).until,
    };
    result(planned, outcome)
}

/// Splits off what is in the target already; answers what is still to be moved. A copy in the target tells nothing of an
/// item that still lies in the queue: another item under the same key may have become it.
async fn look(
    parts: &Parts,
    folders: &Folders,
    target: &Folder,
    batch: &[PlannedMove],
    results: &mut Vec<MoveResult>,
) -> Result<Vec<PlannedMove>> {
    let (findable, mut to_move): (Vec<_>, Vec<_>) = batch
        .iter()
        .cloned()
        .partition(|planned| can_locate(parts, &planned.key));
    if findable.is_empty() {
        return Ok(to_move);
    }
    let keys: Vec<_> = findable.iter().map(|planned| planned.key.clone()).collect();
    let sought = all_sought(parts, &findable);
    let places = parts.source.locate(target, &sought).await?;
    check_count("locate", keys.len(), places.len())?;
    let (there, missing): (Vec<_>, Vec<_>) = findable
        .into_iter()
        .zip(places)
        .partition(|(_, copies)| !copies.is_empty());
    to_move.extend(missing.into_iter().map(|(planned, _)| planned));
    let mut taken: BTreeMap<SightingKey, usize> = BTreeMap::new();
    for ((planned, copies), stays) in there.iter().zip(in_queue(parts, folders, &there).await?) {
        if stays {
            to_move.push(planned.clone());
            continue;
        }
        let plans = keys.iter().filter(|key| **key == planned.key).count();
        let taken = taken.entry(planned.key.clone()).or_default();
        let copy = copies.get(*taken).or(copies.last()).cloned();
        // Of two items that lie there under one key the second one is a second copy.
        let is_second = *taken > 0 && copies.len() > *taken;
        let outcome = if copies.len() > plans || is_second {
            MoveOutcome::DuplicateCopy(copy)
        } else {
            MoveOutcome::Done(copy)
        };
        results.push(result(planned, outcome));
        *taken += 1;
    }
    Ok(to_move)
}

/// Which of the items still lie in the queue under their own id.
async fn in_queue(
    parts: &Parts,
    folders: &Folders,
    items: &[(PlannedMove, Vec<ItemRef>)],
) -> Result<Vec<bool>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let sought = all_sought(parts, items.iter().map(|(planned, _)| planned));
    let places = parts.source.locate(&folders.queue, &sought).await?;
    check_count("locate", sought.len(), places.len())?;
    let stays = items.iter().zip(places);
    Ok(stays
        .map(|((planned, _), places)| places.iter().any(|place| place.id == planned.present().id))
        .collect())
}
