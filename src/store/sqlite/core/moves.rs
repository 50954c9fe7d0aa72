//! Moves: planned by a commit, closed by a result; and what the host's own log still has to confirm.

use rusqlite::{Connection, Row, params};

use super::Core;
use super::entries::entries_of;
use crate::decision::Disposition;
use crate::ids::{MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::source::{ItemRef, SightingKey};
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{
    column, enum_column, maybe_text, maybe_timestamp, micros, text, timestamp,
};
use crate::store::{Delivered, EventKind, MoveOutcome, MoveResult, PendingMove, Undelivered};

impl Core {
    pub(crate) fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Done<Vec<PendingMove>> {
        let (tx, scope) = self.read(scope)?;
        // A mail whose entries wait for the host's own log may not move yet.
        let mut list = tx.prepare_cached(
            "SELECT key, item_id, change_key, target, attempts, next_try, planned_at
             FROM pending_move p WHERE scope = ?1 AND mailbox = ?2 AND NOT EXISTS (
                 SELECT 1 FROM entry e WHERE e.scope = p.scope
                 AND e.message_no = p.message_no AND e.delivery = 'waiting')
             ORDER BY planned_at, item_id LIMIT ?3",
        )?;
        let moves = list.query_map(params![scope, mailbox.as_str(), limit], |row| {
            Ok(pending(row))
        })?;
        moves.map(|row| row?).collect()
    }

    pub(crate) fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Done<Vec<Undelivered>> {
        let (tx, scope) = self.read(scope)?;
        let mut list = tx.prepare_cached(
            "SELECT m.no, m.uid FROM entry e JOIN message m ON m.no = e.message_no
             WHERE e.scope = ?1 AND e.delivery = 'waiting' AND EXISTS (
                 SELECT 1 FROM sighting s WHERE s.scope = e.scope
                 AND s.message_no = e.message_no AND s.mailbox = ?2)
             GROUP BY m.no ORDER BY min(e.entry_no) LIMIT ?3",
        )?;
        let messages = list.query_map(params![scope, mailbox.as_str(), limit], |row| {
            Ok((row.get(0)?, MessageUid::from_bytes(row.get(1)?)))
        })?;
        messages
            .map(|message| {
                let (no, uid) = message?;
                Ok(Undelivered::new(uid, entries_of(&tx, scope, no, true)?))
            })
            .collect()
    }
}

fn pending(row: &Row<'_>) -> Done<PendingMove> {
    let key: String = column(row, "key")?;
    let key: SightingKey = key.parse().map_err(|_| Fault::Damaged("a sighting key"))?;
    let mut item = ItemRef::new(column::<String>(row, "item_id")?);
    item.change_key = column(row, "change_key")?;
    let target = enum_column(row, "target", Disposition::from_code)?;
    let planned_at = timestamp(column(row, "planned_at")?)?;
    Ok(PendingMove {
        attempts: column(row, "attempts")?,
        next_try: maybe_timestamp(column(row, "next_try")?)?,
        ..PendingMove::new(key, item, target, planned_at)
    })
}

/// One move to be.
pub(super) struct Plan<'a> {
    pub(super) key: &'a SightingKey,
    pub(super) item: &'a ItemRef,
    pub(super) message_no: Option<i64>,
    pub(super) target: Disposition,
    /// Whether an older plan for the item gives way.
    pub(super) replace: bool,
}

/// Plans a move, unless the mail stays where it is.
pub(super) fn plan(
    conn: &Connection,
    scope: i64,
    mailbox: &str,
    plan: &Plan<'_>,
    now: i64,
) -> Done<()> {
    if plan.target == Disposition::Leave {
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO pending_move (scope, mailbox, item_id, change_key, key, message_no, target,
             planned_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (scope, mailbox, item_id) DO UPDATE SET change_key = excluded.change_key,
             key = excluded.key, message_no = excluded.message_no, target = excluded.target,
             planned_at = excluded.planned_at, attempts = 0, next_try = NULL, code = NULL
         WHERE ?9",
    )?
    .execute(params![
        scope,
        mailbox,
        text(&plan.item.id),
        maybe_text(plan.item.change_key.as_deref()),
        text(&plan.key.to_string()),
        plan.message_no,
        plan.target.code(),
        now,
        plan.replace
    ])?;
    Ok(())
}

/// Writes the result of a move. Answers the event that it makes, with the message's number.
pub(super) fn close(
    conn: &Connection,
    scope: i64,
    mailbox: &str,
    result: &MoveResult,
) -> Done<Option<(EventKind, Option<i64>)>> {
    let (event, place) = match &result.outcome {
        MoveOutcome::Retry { code, next_try } => {
            retry(conn, scope, mailbox, result, code, micros(*next_try))?;
            return Ok(None);
        }
        MoveOutcome::Done(place) => (None, place.as_ref()),
        MoveOutcome::Deleted => (None, None),
        MoveOutcome::Vanished => (Some(EventKind::Vanished), None),
        MoveOutcome::DuplicateCopy(place) => (Some(EventKind::DuplicateCopy), place.as_ref()),
    };
    // A result that is repeated finds no plan, so it makes no second event.
    let Some(message_no) = take_plan(conn, scope, mailbox, result)? else {
        return Ok(None);
    };
    if let Some(place) = place {
        relocate(conn, scope, mailbox, &result.key, place)?;
    }
    Ok(event.map(|kind| (kind, message_no)))
}

fn take_plan(
    conn: &Connection,
    scope: i64,
    mailbox: &str,
    result: &MoveResult,
) -> Done<Option<Option<i64>>> {
    let mut take = conn.prepare_cached(
        "DELETE FROM pending_move WHERE scope = ?1 AND mailbox = ?2 AND item_id = ?3 AND key = ?4
         RETURNING message_no",
    )?;
    let key = result.key.to_string();
    let mut rows = take.query(params![scope, mailbox, text(&result.item.id), text(&key)])?;
    let plan = match rows.next()? {
        Some(row) => Some(row.get(0)?),
        None => None,
    };
    Ok(plan)
}

fn retry(
    conn: &Connection,
    scope: i64,
    mailbox: &str,
    result: &MoveResult,
    code: &str,
    next_try: i64,
) -> Done<()> {
    conn.prepare_cached(
        "UPDATE pending_move SET attempts = attempts + 1, next_try = ?5, code = ?6
         WHERE scope = ?1 AND mailbox = ?2 AND item_id = ?3 AND key = ?4",
    )?
    .execute(params![
        scope,
        mailbox,
        text(&result.item.id),
        text(&result.key.to_string()),
        next_try,
        text(code)
    ])?;
    Ok(())
}

fn relocate(
    conn: &Connection,
    scope: i64,
    mailbox: &str,
    key: &SightingKey,
    place: &ItemRef,
) -> Done<()> {
    conn.prepare_cached(
        "UPDATE sighting SET item_id = ?4, change_key = ?5
         WHERE scope = ?1 AND mailbox = ?2 AND key = ?3",
    )?
    .execute(params![
        scope,
        mailbox,
        text(&key.to_string()),
        text(&place.id),
        maybe_text(place.change_key.as_deref())
    ])?;
    Ok(())
}

/// Writes that the host's own log has an entry.
pub(super) fn deliver(conn: &Connection, scope: i64, delivered: &Delivered) -> Done<()> {
    conn.prepare_cached(
        "UPDATE entry SET delivery = 'done', host_reference = coalesce(?3, host_reference)
         WHERE scope = ?1 AND id = ?2",
    )?
    .execute(params![
        scope,
        delivered.entry.as_bytes(),
        maybe_text(delivered.reference.as_deref())
    ])?;
    Ok(())
}
