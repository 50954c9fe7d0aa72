//! One row of a commit: what a decision, a further copy or a failed attempt writes.

use rusqlite::params;

use super::commit::{Writer, entry_number};
use super::identity::{Identity, flag_conflict};
use super::moves::{Plan, plan};
use super::{entries, original, sightings};
use crate::decision::{Decision, Disposition, Outcome};
use crate::ids::EntryId;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{json, text};
use crate::store::{
    CommitRow, DecidedRow, EventKind, KnownSighting, RowContent, RowResult, Sighting, SightingState,
};

/// The outcome of a mail whose message and entries were there.
pub(super) const ALREADY_LOGGED: &str = "already-logged";

/// Writes one row.
pub(super) fn write_row(
    writer: &mut Writer<'_>,
    row: &CommitRow,
    identity: &Identity,
) -> Done<RowResult> {
    let sighting = &row.sighting;
    match &row.content {
        RowContent::Decided(decided) => write_decided(writer, sighting, decided, identity),
        RowContent::Again { target } => write_again(writer, sighting, *target),
        RowContent::Failed(attempt) => {
            let (conn, scope, mailbox) = (writer.conn, writer.scope, writer.mailbox);
            let attempts = sightings::fail(conn, scope, mailbox, sighting, attempt, writer.now)?;
            Ok(RowResult::Counted { attempts })
        }
    }
}

fn write_again(writer: &Writer<'_>, sighting: &Sighting, target: Disposition) -> Done<RowResult> {
    let known = sightings::find(writer.conn, writer.scope, writer.mailbox, &sighting.key)?
        .ok_or(Fault::Data("a copy of a mail that was not decided"))?;
    let message_no = match known.message {
        Some(uid) => super::identity::message_no(writer.conn, writer.scope, &uid)?,
        None => None,
    };
    plan_move(writer, sighting, message_no, target, false)?;
    Ok(RowResult::AlreadyLogged)
}

fn write_decided(
    writer: &mut Writer<'_>,
    sighting: &Sighting,
    row: &DecidedRow,
    identity: &Identity,
) -> Done<RowResult> {
    if let Identity::Recheck(strangers) = identity {
        return Ok(RowResult::Recheck(strangers.clone()));
    }
    validate(row)?;
    let known = sightings::find(writer.conn, writer.scope, writer.mailbox, &sighting.key)?;
    let decided_before = known
        .as_ref()
        .is_some_and(|known| known.state != SightingState::Pending);
    let message_no = identity.message_no();
    keep_message(writer, row, message_no)?;
    let entries = write_entries(writer, row, message_no)?;
    if entries.is_empty() && decided_before {
        return repeat(writer, sighting, row, message_no, known.as_ref());
    }
    let already = entries.is_empty()
        && row.decision.outcome == Outcome::Logged
        && matches!(identity, Identity::Known(_));
    write_outcome(writer, sighting, row, message_no, already)?;
    if already {
        return Ok(RowResult::AlreadyLogged);
    }
    let kind = event_kind(&row.decision.outcome);
    writer.event(kind, message_no, &entries, row.decision.outcome.reason())?;
    Ok(RowResult::Written { entries })
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
fn keep_message(writer: &Writer<'_>, row: &DecidedRow, message_no: Option<i64>) -> Done<()> {
    let (Some(record), Some(no)) = (&row.record, message_no) else {
        return Ok(());
    };
    let digest = &record.identity.original_digest;
    if original::link(writer.conn, writer.scope, no, &row.original, digest)? {
        writer
            .conn
            .prepare_cached(
                "UPDATE message SET index_state = 'waiting' WHERE no = ?1 AND index_state = 'none'",
            )?
            .execute([no])?;
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
) -> Done<Vec<(EntryId, u64)>> {
    let Some(message_no) = message_no else {
        return Ok(Vec::new());
    };
    let mut written = Vec::new();
    for entry in &row.entries {
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
            written.push((entry.id, entry_number(no)?));
        } else {
            writer.return_entry_no();
        }
    }
    Ok(written)
}

/// The sighting was decided before: only another item of it is news.
fn repeat(
    writer: &Writer<'_>,
    sighting: &Sighting,
    row: &DecidedRow,
    message_no: Option<i64>,
    known: Option<&KnownSighting>,
) -> Done<RowResult> {
    if known.is_some_and(|known| known.item.id != sighting.item.id) {
        plan_move(
            writer,
            sighting,
            message_no,
            row.decision.disposition,
            false,
        )?;
    }
    match row.decision.outcome {
        Outcome::Logged => Ok(RowResult::AlreadyLogged),
        _ => Ok(RowResult::Written {
            entries: Vec::new(),
        }),
    }
}

/// Writes sighting, decision and plan.
fn write_outcome(
    writer: &Writer<'_>,
    sighting: &Sighting,
    row: &DecidedRow,
    message_no: Option<i64>,
    already: bool,
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
    sightings::decide(
        writer.conn,
        writer.scope,
        writer.mailbox,
        &decided,
        writer.now,
    )?;
    write_decision(writer, sighting, decision, message_no, already)?;
    plan_move(writer, sighting, message_no, decision.disposition, true)
}

/// Writes the decision; one that was made again takes the place of the old one, as the newest.
fn write_decision(
    writer: &Writer<'_>,
    sighting: &Sighting,
    decision: &Decision,
    message_no: Option<i64>,
    already: bool,
) -> Done<()> {
    let outcome = if already {
        ALREADY_LOGGED
    } else {
        decision.outcome.code()
    };
    writer
        .conn
        .prepare_cached(
            "INSERT OR REPLACE INTO decision (scope, mailbox, key, message_no, outcome, reason,
                 disposition, steps, flags, policy, decided_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            writer.scope,
            writer.mailbox,
            text(&sighting.key.to_string()),
            message_no,
            outcome,
            text(decision.outcome.reason()),
            decision.disposition.code(),
            json(&decision.steps)?,
            json(&decision.flags)?,
            text(&decision.policy),
            writer.now
        ])?;
    Ok(())
}

fn plan_move(
    writer: &Writer<'_>,
    sighting: &Sighting,
    message_no: Option<i64>,
    target: Disposition,
    replace: bool,
) -> Done<()> {
    let move_to = Plan {
        key: &sighting.key,
        item: &sighting.item,
        message_no,
        target,
        replace,
    };
    plan(
        writer.conn,
        writer.scope,
        writer.mailbox,
        &move_to,
        writer.now,
    )
}

fn event_kind(outcome: &Outcome) -> EventKind {
    match outcome {
        Outcome::Logged => EventKind::Logged,
        Outcome::NotMatched(_) => EventKind::NotMatched,
        Outcome::Excluded(_) => EventKind::Excluded,
        Outcome::Quarantined(_) => EventKind::Quarantined,
    }
}
