//! One row of a commit: what a decision, a further copy or a failed attempt writes.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::commit::{Met, Writer};
use super::identity::{Identity, flag_conflict};
use super::moves::{plan, redirect};
use super::sightings::Found;
use super::{canceled, entries, original, privacy, sightings};
use crate::decision::{Decision, Disposition, Outcome};
use crate::ids::EntryId;
use crate::interaction::NewEntry;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{json, signed, text, unsigned};
use crate::store::{
    CommitRow, DecidedRow, EventKind, RowContent, RowResult, Sighting, SightingState,
};

/// The outcome of a mail that has its entries from this sighting.
pub(super) const LOGGED: &str = "logged";

/// The outcome of a mail whose message and entries were there.
pub(super) const ALREADY_LOGGED: &str = "already-logged";

/// The reason of that outcome.
const SAME_MESSAGE: &str = "same-message";

/// Writes one row.
pub(super) fn write_row(writer: &mut Writer<'_>, row: &CommitRow, met: &Met) -> Done<RowResult> {
    let sighting = &row.sighting;
    match &row.content {
        RowContent::Decided(decided) => write_decided(writer, sighting, decided, met),
        RowContent::Again { target } => write_again(writer, sighting, *target),
        RowContent::Failed(attempt) => {
            let attempts = sightings::fail(writer, sighting, attempt)?;
            Ok(RowResult::Counted { attempts })
        }
    }
}

fn write_again(writer: &Writer<'_>, sighting: &Sighting, target: Disposition) -> Done<RowResult> {
    let found = sightings::find(writer.conn, writer.mailbox, &sighting.key)?
        .ok_or(Fault::Data("a copy of a mail that was not decided"))?;
    plan(writer, found.no, &sighting.item, target)?;
    Ok(RowResult::AlreadyLogged)
}

fn write_decided(
    writer: &mut Writer<'_>,
    sighting: &Sighting,
    row: &DecidedRow,
    met: &Met,
) -> Done<RowResult> {
    let identity = &met.identity;
    let settled = met.sighting.as_ref().filter(|found| found.is_settled());
    if let Some(settled) = settled
        && let Some(result) = repeated(writer, sighting, row, settled)?
    {
        return Ok(result);
    }
    if *identity == Identity::Erased {
        return Ok(RowResult::Erased);
    }
    if let Identity::Recheck(strangers) = identity {
        return Ok(RowResult::Recheck(strangers.clone()));
    }
    validate(row)?;
    let message_no = identity.message_no();
    let deleted = match identity {
        Identity::Known(no) => canceled::deleted_of(writer.conn, *no)?,
        _ => BTreeSet::new(),
    };
    let is_gone = |entry: &NewEntry| deleted.contains(&entry.id);
    // A mail whose entries were deleted does not get its original back.
    if row.entries.is_empty() || !row.entries.iter().all(is_gone) {
        keep_message(writer, row, identity)?;
    }
    let entries = write_entries(writer, row, message_no, &deleted)?;
    if let (Identity::Known(no), false) = (identity, entries.is_empty()) {
        privacy::carry_mark(writer.conn, *no)?;
    }
    let known = met.sighting.as_ref().map(|found| found.no);
    write_outcome(writer, sighting, known, row, message_no, entries.is_empty())?;
    // What was given another try in the middle of a run may have a plan of that run. What is new has none.
    if let Some(no) = known {
        redirect(writer, no, row.decision.disposition)?;
    }
    let outcome = &row.decision.outcome;
    if !entries.is_empty() || *outcome != Outcome::Logged {
        writer.event(event_kind(outcome), message_no, &entries, outcome.reason())?;
    }
    Ok(answer(row, entries))
}

/// The answer to a row whose sighting has its outcome, if that stays: once it is logged, or if the row says nothing new.
fn repeated(
    writer: &Writer<'_>,
    sighting: &Sighting,
    row: &DecidedRow,
    settled: &Found,
) -> Done<Option<RowResult>> {
    if settled.is_logged() {
        let target = settled.known.disposition;
        let target = target.unwrap_or(row.decision.disposition);
        plan(writer, settled.no, &sighting.item, target)?;
        return Ok(Some(RowResult::AlreadyLogged));
    }
    let same = is_same(writer, settled.no, sighting, &row.decision)?;
    Ok(same.then(|| answer(row, Vec::new())))
}

/// Whether the sighting has exactly this decision, and the move that it planned for this item is still to do: the commit
/// of a decision is repeated. A mail that was put back has no such move.
fn is_same(
    writer: &Writer<'_>,
    sighting_no: i64,
    sighting: &Sighting,
    decision: &Decision,
) -> Done<bool> {
    let mut find = writer.conn.prepare_cached(
        "SELECT 1 FROM decision WHERE sighting_no = ?1 AND outcome = ?2 AND reason = ?3
         AND disposition = ?4 AND steps = ?5 AND flags = ?6 AND policy = ?7
         AND (disposition = 'leave' OR EXISTS (
             SELECT 1 FROM pending_move WHERE sighting_no = ?1 AND item_id = ?8))",
    )?;
    Ok(find.exists(params![
        sighting_no,
        decision.outcome.code(),
        text(decision.outcome.reason()),
        decision.disposition.code(),
        json(&decision.steps)?,
        json(&decision.flags)?,
        text(&decision.policy),
        text(&sighting.item.id)
    ])?)
}

fn answer(row: &DecidedRow, entries: Vec<(EntryId, u64)>) -> RowResult {
    if entries.is_empty() && row.decision.outcome == Outcome::Logged {
        RowResult::AlreadyLogged
    } else {
        RowResult::Written { entries }
    }
}

/// What no row may be, whatever is stored.
fn validate(row: &DecidedRow) -> Done<()> {
    if row.record.is_none() && !row.entries.is_empty() {
        return Err(Fault::Data("entries of a message that is not kept"));
    }
    if row.entries.iter().any(|entry| entry.message != row.message) {
        return Err(Fault::Data("an entry of another message"));
    }
    Ok(())
}

/// Links the original and flags a conflict.
fn keep_message(writer: &mut Writer<'_>, row: &DecidedRow, message: &Identity) -> Done<()> {
    let (Some(record), Some(no)) = (&row.record, message.message_no()) else {
        return Ok(());
    };
    let identity = &record.identity;
    let linked = original::link(writer, message, &row.original, &identity.original_digest)?;
    // A message that is new says already that it has one.
    if linked && matches!(message, Identity::Known(_)) {
        writer
            .conn
            .prepare_cached(
                "UPDATE message SET index_state = 'waiting', original_digest = ?2, size = ?3
                 WHERE no = ?1 AND index_state IN ('none', 'gone')",
            )?
            .execute(params![
                no,
                identity.original_digest.as_bytes(),
                signed(identity.size)?
            ])?;
    }
    if row.message_id_conflict {
        flag_conflict(writer.conn, writer.scope, record)?;
    }
    Ok(())
}

/// Writes the entries that are not there, and answers those.
fn write_entries(
    writer: &mut Writer<'_>,
    row: &DecidedRow,
    message_no: Option<i64>,
    deleted: &BTreeSet<EntryId>,
) -> Done<Vec<(EntryId, u64)>> {
    let Some(message_no) = message_no else {
        return Ok(Vec::new());
    };
    let mut written = Vec::new();
    let entries = row.entries.iter();
    for entry in entries.filter(|entry| !deleted.contains(&entry.id)) {
        let no = writer.next_entry_no();
        let delivery = if row.deliver { "waiting" } else { "none" };
        let place = entries::Place {
            scope: writer.scope,
            message_no,
            entry_no: no,
            delivery,
            now: writer.now,
        };
        if entries::insert(writer.conn, entry, &place)? {
            written.push((entry.id, unsigned(no)?));
        } else {
            writer.return_entry_no();
        }
    }
    Ok(written)
}

/// Writes sighting, decision and plan.
fn write_outcome(
    writer: &Writer<'_>,
    sighting: &Sighting,
    known: Option<i64>,
    row: &DecidedRow,
    message_no: Option<i64>,
    nothing_new: bool,
) -> Done<()> {
    let decision = &row.decision;
    let state = match decision.outcome {
        Outcome::Quarantined(_) => SightingState::Quarantined,
        _ => SightingState::Decided,
    };
    let decided = sightings::Decided {
        state,
        message_no,
        disposition: decision.disposition,
        sighting,
    };
    let no = match known {
        Some(no) => {
            sightings::decide_again(writer.conn, no, &decided)?;
            remove_decision(writer.conn, no)?;
            no
        }
        None => sightings::decide(writer, &decided)?,
    };
    write_decision(writer, no, decision, message_no, nothing_new)?;
    plan(writer, no, &sighting.item, decision.disposition)
}

/// A decision that is made again takes the place of the old one, as the newest. One statement that replaces would have
/// SQLite copy each page that it touches, in case that it fails half-way: for every mail, not only for those.
fn remove_decision(conn: &Connection, sighting_no: i64) -> Done<()> {
    conn.prepare_cached("DELETE FROM decision WHERE sighting_no = ?1")?
        .execute([sighting_no])?;
    Ok(())
}

/// Writes the decision.
fn write_decision(
    writer: &Writer<'_>,
    sighting_no: i64,
    decision: &Decision,
    message_no: Option<i64>,
    nothing_new: bool,
) -> Done<()> {
    let (outcome, reason) = if nothing_new && decision.outcome == Outcome::Logged {
        (ALREADY_LOGGED, SAME_MESSAGE)
    } else {
        (decision.outcome.code(), decision.outcome.reason())
    };
    writer
        .conn
        .prepare_cached(
            "INSERT INTO decision (scope, sighting_no, message_no, outcome, reason,
                 disposition, steps, flags, policy, decided_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            writer.scope,
            sighting_no,
            message_no,
            outcome,
            text(reason),
            decision.disposition.code(),
            json(&decision.steps)?,
            json(&decision.flags)?,
            text(&decision.policy),
            writer.now
        ])?;
    Ok(())
}

fn event_kind(outcome: &Outcome) -> EventKind {
    match outcome {
        Outcome::Logged => EventKind::Logged,
        Outcome::NotMatched(_) => EventKind::NotMatched,
        Outcome::Excluded(_) => EventKind::Excluded,
        Outcome::Quarantined(_) => EventKind::Quarantined,
    }
}
