//! Finishing what an earlier run left: always a look before a move.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::decision::Disposition;
use crate::error::{Error, Result, codes};
use crate::source::Folder;
use crate::store::{CommitBatch, MoveOutcome, MoveResult};

use super::folders::Folders;
use super::lease::HeldLease;
use super::moves::{PlannedMove, can_locate, found, move_batch, result};
use super::parts::{Parts, check_count};
use super::pipeline::count_moves;
use super::report::RunReport;
use super::shutdown::Shutdown;

/// How many pending moves are finished in one round.
const ROUND: u32 = 500;

/// Finishes the moves that are due, round by round. What fails again waits for its next attempt.
pub(super) async fn recover(
    parts: &Parts,
    folders: &Folders,
    lease: &mut HeldLease,
    shutdown: &mut Shutdown<'_>,
    report: &mut RunReport,
) -> Result<(), Error> {
    while !shutdown.has_come().await {
        *lease = lease.clone().keep(parts).await?;
        let (scope, now) = (&parts.scope, parts.clock.now());
        let pending = parts
            .ledger
            .pending_moves(scope, &parts.mailbox, now, ROUND)
            .await?;
        if pending.is_empty() {
            break;
        }
        let due: Vec<PlannedMove> = pending.into_iter().map(PlannedMove::from).collect();
        let results = finish(parts, folders, due).await?;
        count_moves(report, &results);
        report.recovered += results.iter().filter(|it| is_final(&it.outcome)).count() as u64;
        let batch = CommitBatch {
            moves: results,
            ..CommitBatch::default()
        };
        parts.ledger.commit(scope, &lease.lease, batch).await?;
    }
    Ok(())
}

fn is_final(outcome: &MoveOutcome) -> bool {
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
        let Some(first) = group.first().map(|first| first.target) else {
            continue;
        };
        let to_move = match folders.target(first) {
            Some(target) => look(parts, target, group, &mut results).await?,
            None if first == Disposition::Delete => group,
            None => {
                results.extend(group.iter().map(|planned| homeless(parts, planned)));
                continue;
            }
        };
        for batch in to_move.chunks(parts.move_batch()) {
            results.extend(move_batch(parts, folders, batch).await?);
        }
    }
    Ok(results)
}

/// The folder that the plan means is no longer configured: the mail waits until it is again.
fn homeless(parts: &Parts, planned: &PlannedMove) -> MoveResult {
    let outcome = MoveOutcome::Retry {
        code: codes::CONFIG_MISSING.code.to_owned(),
        next_try: parts.after(Duration::from_hours(24)),
    };
    result(planned, outcome)
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
    check_count("locate", keys.len(), places.len())?;
    for (planned, copies) in findable.into_iter().zip(places) {
        if copies.is_empty() {
            to_move.push(planned);
        } else {
            results.push(result(&planned, found(copies)));
        }
    }
    Ok(to_move)
}
