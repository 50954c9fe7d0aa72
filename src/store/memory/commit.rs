//! The commit of a memory store: each row is checked first and then written as a whole.

use std::sync::Arc;

use super::Stamp;
use super::row;
use super::tables::{ScopeTables, Seen, SightingRow};
use crate::decision::Disposition;
use crate::error::{Error, codes};
use crate::ids::MailboxKey;
use crate::store::{
    CommitBatch, CommitReceipt, CommitRow, Delivered, EventKind, FailedAttempt, MoveOutcome,
    MoveResult, PendingMove, RowContent, RowResult, Sighting, SightingState,
};

/// Writes a batch whose lease was checked.
pub(super) fn commit(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    mailbox: &MailboxKey,
    batch: CommitBatch,
) -> CommitReceipt {
    let (events, quiet) = (tables.events.len(), batch.quiet);
    for result in batch.moves {
        settle(tables, stamp, mailbox, result);
    }
    for delivered in batch.deliveries {
        deliver(tables, delivered);
    }
    let rows = batch.rows.into_iter();
    let receipt = CommitReceipt::new(rows.map(|row| write(tables, stamp, mailbox, row)).collect());
    if quiet {
        tables.events.truncate(events);
    }
    receipt
}

fn write(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    mailbox: &MailboxKey,
    row: CommitRow,
) -> RowResult {
    let seen = (mailbox.clone(), row.sighting.key.clone());
    match row.content {
        RowContent::Decided(decided) => row::decided(
            tables,
            stamp,
            &seen,
            row.sighting,
            Arc::unwrap_or_clone(decided),
        ),
        RowContent::Again { target } => again(tables, stamp, &seen, &row.sighting, target),
        RowContent::Failed(failed) => count(tables, seen, row.sighting, &failed),
    }
}

fn again(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    seen: &Seen,
    sighting: &Sighting,
    target: Disposition,
) -> RowResult {
    if !tables.sightings.contains_key(seen) {
        let error = Error::new(&codes::STORE_DATA, "commit");
        return RowResult::Rejected(error.with_detail("the sighting is not decided"));
    }
    plan_move(tables, stamp, seen, sighting, target);
    RowResult::AlreadyLogged
}

/// Plans the move of an item, unless it stays or its move is planned already.
pub(super) fn plan_move(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    seen: &Seen,
    sighting: &Sighting,
    target: Disposition,
) {
    if target == Disposition::Leave {
        return;
    }
    let item = sighting.item.clone();
    tables
        .moves
        .entry((seen.clone(), item.id.clone()))
        .or_insert_with(|| PendingMove::new(seen.1.clone(), item, target, stamp.now()));
}

/// Sends the items of a sighting whose move is still to do where its new decision says.
pub(super) fn redirect(tables: &mut ScopeTables, seen: &Seen, target: Disposition) {
    if target == Disposition::Leave {
        tables.moves.retain(|(of, _), _| of != seen);
        return;
    }
    let items = tables.moves.iter_mut();
    for (_, pending) in items.filter(|((of, _), _)| of == seen) {
        pending.target = target;
    }
}

/// Counts a failed attempt. An outcome that is there already stays; what is logged or set aside gets no attempts.
fn count(
    tables: &mut ScopeTables,
    seen: Seen,
    sighting: Sighting,
    failed: &FailedAttempt,
) -> RowResult {
    let is_logged = row::is_logged(tables, &seen);
    let row = tables.sightings.entry(seen).or_insert_with(|| SightingRow {
        state: SightingState::Pending,
        message: None,
        item: sighting.item.clone(),
        attempts: 0,
        next_try: None,
        disposition: None,
    });
    if row.state != SightingState::Quarantined && !is_logged {
        row.attempts = row.attempts.saturating_add(1);
        row.next_try = Some(failed.next_try);
    }
    if !row.is_settled() {
        row.item = sighting.item;
    }
    RowResult::Counted {
        attempts: row.attempts,
    }
}

fn settle(tables: &mut ScopeTables, stamp: &Stamp<'_>, mailbox: &MailboxKey, result: MoveResult) {
    let seen = (mailbox.clone(), result.key);
    let key = (seen.clone(), result.item.id);
    if let MoveOutcome::Retry { next_try, .. } = result.outcome {
        if let Some(pending) = tables.moves.get_mut(&key) {
            pending.attempts = pending.attempts.saturating_add(1);
            pending.next_try = Some(next_try);
        }
        return;
    }
    if tables.moves.remove(&key).is_none() {
        return;
    }
    let sighting = tables.sightings.get_mut(&seen);
    let message = sighting.as_ref().and_then(|row| row.message);
    let (place, event) = match result.outcome {
        MoveOutcome::Done(place) => (place, None),
        MoveOutcome::DuplicateCopy(place) => (place, Some(EventKind::DuplicateCopy)),
        MoveOutcome::Vanished => (None, Some(EventKind::Vanished)),
        MoveOutcome::Deleted | MoveOutcome::Retry { .. } => (None, None),
    };
    if let (Some(row), Some(place)) = (sighting, place) {
        row.item = place;
    }
    if let Some(kind) = event {
        tables.event(stamp, mailbox, kind, |event| event.message = message);
    }
}

fn deliver(tables: &mut ScopeTables, delivered: Delivered) {
    if let Some(row) = tables.entries.get_mut(&delivered.entry) {
        row.undelivered = false;
        if delivered.reference.is_some() {
            row.entry.host_reference = delivered.reference;
        }
    }
}
