//! Finishing what an earlier run left: deliveries first, then moves, and always a look before a move.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::source::Folder;
use crate::store::{CommitBatch, Lease, MoveOutcome, MoveResult};

use super::folders::Folders;
use super::moves::{PlannedMove, can_locate, found, move_batch, result};
use super::parts::Parts;

/// How many pending moves are finished in one round.
const ROUND: u32 = 500;

/// What a recovery found and did.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// Results that the store has.
    pub(super) results: Vec<MoveResult>,
    /// Ids that still lie in the queue and are not to be taken up by this run.
    pub(super) waiting: BTreeSet<String>,
}

/// Finishes pending moves, round by round, until only those are left whose next attempt is not due.
pub(super) async fn recover(
    parts: &Parts,
    folders: &Folders,
    lease: &Lease,
) -> Result<Recovered, Error> {
    let mut recovered = Recovered::default();
    loop {
        let pending = parts
            .ledger
            .pending_moves(&parts.scope, &parts.mailbox, parts.clock.now(), ROUND)
            .await?;
        let now = parts.clock.now();
        let (due, waiting): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .partition(|planned| planned.next_try.is_none_or(|due| due <= now));
        recovered
            .waiting
            .extend(waiting.into_iter().map(|planned| planned.item.id));
        if due.is_empty() {
            return Ok(recovered);
        }
        let due: Vec<PlannedMove> = due.into_iter().map(PlannedMove::from).collect();
        let results = finish(parts, folders, due).await?;
        let batch = CommitBatch {
            moves: results.clone(),
            ..CommitBatch::default()
        };
        parts.ledger.commit(&parts.scope, lease, batch).await?;
        // A round that ends no move would only repeat itself.
        let progress = results.iter().any(|result| is_final(&result.outcome));
        recovered.results.extend(results);
        if !progress {
            return Ok(recovered);
        }
    }
}

pub(super) fn is_final(outcome: &MoveOutcome) -> bool {
    !matches!(outcome, MoveOutcome::Retry { .. })
}

/// Looks for each item in its target first, and moves those that are not there. A copy that a half-done move left in the
/// queue is listed by the run that follows and gets a move of its own.
async fn finish(
    parts: &Parts,
    folders: &Folders,
    due: Vec<PlannedMove>,
) -> Result<Vec<MoveResult>> {
    let mut by_target: BTreeMap<&str, Vec<PlannedMove>> = BTreeMap::new();
    for planned in due {
        by_target
            .entry(planned.target.code())
            .or_default()
            .push(planned);
    }
    let mut results = Vec::new();
    for (_, group) in by_target {
        let to_move = match group.first().and_then(|first| folders.target(first.target)) {
            Some(target) => look(parts, target, group, &mut results).await?,
            None => group,
        };
        let step = parts.settings.move_batch.max(1) as usize;
        for batch in to_move.chunks(step) {
            results.extend(move_batch(parts, folders, batch).await?);
        }
    }
    Ok(results)
}

/// Splits off what is in the target already; answers what is still to be moved.
async fn look(
    parts: &Parts,
    target: &Folder,
    group: Vec<PlannedMove>,
    results: &mut Vec<MoveResult>,
) -> Result<Vec<PlannedMove>> {
    let (findable, mut to_move): (Vec<_>, Vec<_>) = group
        .into_iter()
        .partition(|planned| can_locate(parts, &planned.key));
    if findable.is_empty() {
        return Ok(to_move);
    }
    let keys: Vec<_> = findable.iter().map(|planned| planned.key.clone()).collect();
    let places = parts.source.locate(target, &keys).await?;
    for (planned, copies) in findable.into_iter().zip(places) {
        if copies.is_empty() {
            to_move.push(planned);
        } else {
            results.push(result(&planned, found(copies)));
        }
    }
    Ok(to_move)
}
