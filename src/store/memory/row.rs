//! What one decided mail writes: message, original, entries, decision, sighting, move and event.

use std::collections::BTreeMap;

use super::Stamp;
use super::commit::{plan_move, redirect};
use super::tables::{DecisionRow, EntryRow, MessageRow, ScopeTables, Seen, SightingRow};
use super::text::without_nul;
use crate::decision::{Decision, Disposition, Outcome};
use crate::error::{Error, Result, codes};
use crate::ids::{EntryId, MessageUid};
use crate::interaction::{InteractionLogEntry, NewEntry};
use crate::privacy::MARKED_PRIVATE;
use crate::store::{
    DecidedRow, DecisionRecord, EventKind, MESSAGE_ID_CONFLICT, MarkKind, MessageRecord, Original,
    ParticipantRole, RowResult, Sighting, SightingState,
};

/// The outcome of a mail whose message and entries were there.
const ALREADY_LOGGED: &str = "already-logged";
/// Why.
const SAME_MESSAGE: &str = "same-message";

/// Writes a decided mail, or nothing at all.
pub(super) fn decided(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    seen: &Seen,
    sighting: Sighting,
    mut row: DecidedRow,
) -> RowResult {
    without_nul(&mut row);
    if let Some(result) = repeated(tables, stamp, seen, &sighting, &row) {
        return result;
    }
    if let Err(error) = check(tables, seen, &row) {
        return RowResult::Rejected(error);
    }
    if super::privacy::is_barred(tables, &row) {
        return RowResult::Erased;
    }
    let not_compared = not_compared(tables, &row);
    if !not_compared.is_empty() {
        return RowResult::Recheck(not_compared);
    }
    let gone = |entry: &NewEntry| tables.deleted.contains_key(&entry.id);
    if !row.entries.is_empty() && row.entries.iter().all(gone) {
        // A mail whose entries were deleted does not get its original back.
        row.original = Original::NotKept;
    }
    let original = take_original(tables, &mut row.original);
    write_message(tables, stamp, &row, original);
    let new = write_entries(tables, stamp, &mut row);
    write_decision(tables, stamp, seen, &row, &new);
    write_event(tables, stamp, seen, &row, &new);
    redirect(tables, seen, row.decision.disposition);
    plan_move(tables, stamp, seen, &sighting, row.decision.disposition);
    write_sighting(tables, seen, sighting, &row);
    answer(&row, new)
}

/// The answer to a row whose sighting has its outcome, if that stays: once it is logged, or if the row says nothing new.
fn repeated(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    seen: &Seen,
    sighting: &Sighting,
    row: &DecidedRow,
) -> Option<RowResult> {
    let settled = tables.sightings.get(seen)?;
    let decided = &tables.decisions.get(seen)?.record;
    if !settled.is_settled() {
        return None;
    }
    if is_logged(tables, seen) {
        let target = settled.disposition.unwrap_or(row.decision.disposition);
        plan_move(tables, stamp, seen, sighting, target);
        return Some(RowResult::AlreadyLogged);
    }
    let planned = (seen.clone(), sighting.item.id.clone());
    // The commit of a decision is repeated while its move is still to do. A mail that was put back has no such move.
    let waits = decided.disposition == Disposition::Leave || tables.moves.contains_key(&planned);
    let same = waits && is_same(decided, &row.decision);
    same.then(|| answer(row, Vec::new()))
}

/// Whether the message of a sighting has its entries.
pub(super) fn is_logged(tables: &ScopeTables, seen: &Seen) -> bool {
    let decided = tables.decisions.get(seen);
    decided.is_some_and(|row| matches!(row.record.outcome.as_str(), "logged" | ALREADY_LOGGED))
}

fn is_same(decided: &DecisionRecord, decision: &Decision) -> bool {
    decided.outcome == decision.outcome.code()
        && decided.reason == decision.outcome.reason()
        && decided.disposition == decision.disposition
        && decided.steps == decision.steps
        && decided.flags == decision.flags
        && decided.policy == decision.policy
}

fn answer(row: &DecidedRow, entries: Vec<(EntryId, u64)>) -> RowResult {
    if entries.is_empty() && row.decision.outcome == Outcome::Logged {
        RowResult::AlreadyLogged
    } else {
        RowResult::Written { entries }
    }
}

fn check(tables: &ScopeTables, seen: &Seen, row: &DecidedRow) -> Result<()> {
    let refuse = |detail| Err(Error::new(&codes::STORE_DATA, "commit").with_detail(detail));
    if row.record.is_none() && !row.entries.is_empty() {
        return refuse("entries of a message that may not be kept");
    }
    if row.entries.iter().any(|entry| entry.message != row.message) {
        return refuse("an entry of another message");
    }
    if let Original::Staged(stage) = &row.original {
        let staged = tables.stages.get(stage);
        if staged.is_none_or(|staged| staged.mailbox != seen.0) {
            return refuse("the staged original is not there");
        }
    }
    Ok(())
}

/// Other messages with the same Message-ID that the row was not compared with. A message that is known was compared
/// when it was new.
fn not_compared(tables: &ScopeTables, row: &DecidedRow) -> Vec<MessageUid> {
    let message_id = row
        .record
        .as_ref()
        .and_then(|record| record.message_id.as_ref());
    if message_id.is_none() || tables.messages.contains_key(&row.message) {
        return Vec::new();
    }
    let others = tables.messages.iter();
    others
        .filter(|(uid, other)| {
            other.record.message_id.as_ref() == message_id && !row.compared.contains(uid)
        })
        .map(|(uid, _)| *uid)
        .collect()
}

fn take_original(tables: &mut ScopeTables, original: &mut Original) -> Option<Vec<u8>> {
    match std::mem::replace(original, Original::NotKept) {
        Original::NotKept => None,
        Original::Inline(bytes) => Some(bytes),
        Original::Staged(stage) => tables.stages.remove(&stage).map(|staged| staged.bytes),
    }
}

fn write_message(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    row: &DecidedRow,
    original: Option<Vec<u8>>,
) {
    let Some(record) = &row.record else {
        return;
    };
    let sequence = tables.next_sequence();
    let message = tables
        .messages
        .entry(row.message)
        .or_insert_with(|| MessageRow {
            sequence,
            record: MessageRecord::clone(record),
            original: None,
            content: None,
            entries: Vec::new(),
            logged_at: stamp.now(),
            marks: BTreeMap::new(),
        });
    if message.original.is_none() && original.is_some() {
        message.original = original;
        message.record.identity.original_digest = record.identity.original_digest;
        message.record.identity.size = record.identity.size;
    }
    if message.record.canonical.is_none() {
        message.record.canonical = record.canonical;
    }
    if row.message_id_conflict {
        flag_conflict(tables, row.message, &row.compared);
    }
}

fn flag_conflict(tables: &mut ScopeTables, message: MessageUid, compared: &[MessageUid]) {
    let message_id = tables
        .messages
        .get(&message)
        .and_then(|row| row.record.message_id.clone());
    for (uid, row) in &mut tables.messages {
        let other = compared.contains(uid) && row.record.message_id == message_id;
        if *uid == message || other {
            add_flag(&mut row.record.flags, MESSAGE_ID_CONFLICT);
        }
    }
}

pub(super) fn add_flag(flags: &mut Vec<String>, flag: &str) {
    flags.push(flag.to_owned());
    flags.sort();
    flags.dedup();
}

fn write_entries(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    row: &mut DecidedRow,
) -> Vec<(EntryId, u64)> {
    let entries = std::mem::take(&mut row.entries).into_iter();
    entries
        .filter_map(|entry| write_entry(tables, stamp, entry, row.deliver))
        .collect()
}

pub(super) fn write_entry(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    entry: NewEntry,
    undelivered: bool,
) -> Option<(EntryId, u64)> {
    let id = entry.id;
    if tables.entries.contains_key(&id) || tables.deleted.contains_key(&id) {
        return None;
    }
    let number = tables.next_entry_no();
    let message = tables.messages.get_mut(&entry.message)?;
    message.entries.push(id);
    let mut entry = entry;
    if message.marks.contains_key(&MarkKind::Private) {
        add_flag(&mut entry.flags, MARKED_PRIVATE);
    }
    let entry = InteractionLogEntry::written(number, entry, stamp.now());
    tables.entries.insert(id, EntryRow { entry, undelivered });
    Some((id, number))
}

fn write_decision(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    seen: &Seen,
    row: &DecidedRow,
    new: &[(EntryId, u64)],
) {
    let decision = &row.decision;
    let (outcome, reason) = if decision.outcome == Outcome::Logged && new.is_empty() {
        (ALREADY_LOGGED, SAME_MESSAGE)
    } else {
        (decision.outcome.code(), decision.outcome.reason())
    };
    let (mailbox, key) = seen.clone();
    let mut record = DecisionRecord::new(mailbox, key, outcome, decision.disposition, stamp.now());
    reason.clone_into(&mut record.reason);
    record.steps.clone_from(&decision.steps);
    record.flags.clone_from(&decision.flags);
    record.policy.clone_from(&decision.policy);
    if let Some(kept) = &row.record {
        record.message = Some(row.message);
        record.subject = Some(kept.subject.clone());
        record.sender = sender(kept);
    }
    let sequence = tables.next_sequence();
    tables
        .decisions
        .insert(seen.clone(), DecisionRow { sequence, record });
}

fn sender(record: &MessageRecord) -> Option<String> {
    let of = |role| record.participants.iter().find(|named| named.role == role);
    of(ParticipantRole::From)
        .or_else(|| of(ParticipantRole::Sender))
        .map(|named| named.address.clone())
}

fn write_event(
    tables: &mut ScopeTables,
    stamp: &Stamp<'_>,
    seen: &Seen,
    row: &DecidedRow,
    new: &[(EntryId, u64)],
) {
    let kind = match &row.decision.outcome {
        Outcome::Logged if new.is_empty() => return,
        Outcome::Logged => EventKind::Logged,
        Outcome::NotMatched(_) => EventKind::NotMatched,
        Outcome::Excluded(_) => EventKind::Excluded,
        Outcome::Quarantined(_) => EventKind::Quarantined,
    };
    tables.event(stamp, &seen.0, kind, |event| {
        event.message = row.record.as_ref().map(|_| row.message);
        event.entries = new.iter().map(|(id, _)| *id).collect();
        row.decision.outcome.reason().clone_into(&mut event.reason);
    });
}

fn write_sighting(tables: &mut ScopeTables, seen: &Seen, sighting: Sighting, row: &DecidedRow) {
    let state = match row.decision.outcome {
        Outcome::Quarantined(_) => SightingState::Quarantined,
        _ => SightingState::Decided,
    };
    let written = SightingRow {
        state,
        message: row.record.as_ref().map(|_| row.message),
        item: sighting.item,
        attempts: 0,
        next_try: None,
        disposition: Some(row.decision.disposition),
    };
    tables.sightings.insert(seen.clone(), written);
}
