//! Moves: planned by a commit, closed by a result; and what the host's own log still has to confirm.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::commit::Writer;
use super::entries::entries_of;
use super::identity::message_no;
use super::{Core, find_mailbox, sightings};
use crate::decision::Disposition;
use crate::ids::{MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::source::ItemRef;
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{
    column, enum_column, maybe_text, maybe_timestamp, micros, sighting_key, text, timestamp,
};
use crate::store::{Delivered, EventKind, MoveOutcome, MoveResult, PendingMove, Undelivered};
use crate::wish::too_far_ahead;

impl Core {
    pub(crate) fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Done<Vec<PendingMove>> {
        let (tx, scope) = self.read(scope)?;
        let mailbox = find_mailbox(&tx, scope, mailbox)?;
        // A mail whose entries wait for the host's own log may not move yet.
        let mut list = tx.prepare_cached(
            "SELECT s.key, p.item_id, p.change_key, p.target, p.attempts, p.next_try, p.planned_at
             FROM pending_move p JOIN sighting s ON s.no = p.sighting_no
             WHERE p.mailbox = ?1
             AND (p.next_try IS NULL OR p.next_try <= ?3 OR p.next_try > ?4) AND NOT EXISTS (
                 SELECT 1 FROM entry e WHERE e.scope = p.scope
                 AND e.message_no = s.message_no AND e.delivery = 'waiting')
             ORDER BY p.planned_at, p.item_id LIMIT ?2",
        )?;
        let days = (micros(due), micros(too_far_ahead(due)));
        let moves = list.query_map(params![mailbox, limit, days.0, days.1], |row| {
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
        let mailbox = find_mailbox(&tx, scope, mailbox)?;
        let mut list = tx.prepare_cached(
            "SELECT m.no, m.uid FROM entry e INDEXED BY entry_to_deliver
             JOIN message m ON m.no = e.message_no
             WHERE e.scope = ?1 AND e.delivery = 'waiting' AND EXISTS (
                 SELECT 1 FROM sighting s
                 WHERE s.message_no = e.message_no AND s.mailbox = ?2)
             GROUP BY m.no ORDER BY min(e.entry_no) LIMIT ?3",
        )?;
        let messages = list.query_map(params![scope, mailbox, limit], |row| {
            Ok((row.get(0)?, MessageUid::from_bytes(row.get(1)?)))
        })?;
        messages
            .map(|message| {
                let (no, uid) = message?;
                Ok(Undelivered::new(uid, entries_of(&tx, no, true)?))
            })
            .collect()
    }
}

fn pending(row: &Row<'_>) -> Done<PendingMove> {
    let key = sighting_key(&column::<Vec<u8>>(row, "key")?)?;
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

/// The items of a sighting whose move has no result, by item id.
pub(super) fn waiting(conn: &Connection, sighting_no: i64) -> Done<Vec<ItemRef>> {
    let mut list = conn.prepare_cached(
        "SELECT item_id, change_key FROM pending_move WHERE sighting_no = ?1 ORDER BY item_id",
    )?;
    let items = list.query_map([sighting_no], |row| {
        let mut item = ItemRef::new(row.get::<_, String>(0)?);
        item.change_key = row.get(1)?;
        Ok(item)
    })?;
    Ok(items.collect::<rusqlite::Result<_>>()?)
}

/// Plans a move, unless the mail stays where it is or its move is planned already.
pub(super) fn plan(
    writer: &Writer<'_>,
    sighting_no: i64,
    item: &ItemRef,
    target: Disposition,
) -> Done<()> {
    if target == Disposition::Leave {
        return Ok(());
    }
    writer
        .conn
        .prepare_cached(
            "INSERT INTO pending_move (scope, mailbox, sighting_no, item_id, change_key, target,
                 planned_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (sighting_no, item_id) DO NOTHING",
        )?
        .execute(params![
            writer.scope,
            writer.mailbox,
            sighting_no,
            text(&item.id),
            maybe_text(item.change_key.as_deref()),
            target.code(),
            writer.now
        ])?;
    Ok(())
}

/// Sends the items of a sighting whose move is still to do where its new decision says.
pub(super) fn redirect(writer: &Writer<'_>, sighting_no: i64, target: Disposition) -> Done<()> {
    let sql = match target {
        Disposition::Leave => "DELETE FROM pending_move WHERE sighting_no = ?1 AND target <> ?2",
        _ => "UPDATE pending_move SET target = ?2 WHERE sighting_no = ?1 AND target <> ?2",
    };
    let mut redirect = writer.conn.prepare_cached(sql)?;
    redirect.execute(params![sighting_no, target.code()])?;
    Ok(())
}

/// Writes the result of a move. Answers the event that it makes, with the message.
pub(super) fn close(
    writer: &Writer<'_>,
    result: &MoveResult,
) -> Done<Option<(EventKind, Option<i64>)>> {
    let conn = writer.conn;
    let Some(found) = sightings::find(conn, writer.mailbox, &result.key)? else {
        return Ok(None);
    };
    let (event, place) = match &result.outcome {
        MoveOutcome::Retry { code, next_try } => {
            retry(conn, found.no, &result.item, code, micros(*next_try))?;
            return Ok(None);
        }
        MoveOutcome::Done(place) => (None, place.as_ref()),
        MoveOutcome::Deleted => (None, None),
        MoveOutcome::Vanished => (Some(EventKind::Vanished), None),
        MoveOutcome::DuplicateCopy(place) => (Some(EventKind::DuplicateCopy), place.as_ref()),
    };
    // A result that is repeated finds no plan, so it makes no second event.
    if !take_plan(conn, found.no, &result.item)? {
        return Ok(None);
    }
    if let Some(place) = place {
        relocate(conn, found.no, place)?;
    }
    match (event, found.known.message) {
        (Some(kind), Some(uid)) => Ok(Some((kind, message_no(conn, writer.scope, &uid)?))),
        (event, _) => Ok(event.map(|kind| (kind, None))),
    }
}

fn take_plan(conn: &Connection, sighting_no: i64, item: &ItemRef) -> Done<bool> {
    let taken = conn
        .prepare_cached("DELETE FROM pending_move WHERE sighting_no = ?1 AND item_id = ?2")?
        .execute(params![sighting_no, text(&item.id)])?;
    Ok(taken > 0)
}

fn retry(
    conn: &Connection,
    sighting_no: i64,
    item: &ItemRef,
    code: &str,
    next_try: i64,
) -> Done<()> {
    conn.prepare_cached(
        "UPDATE pending_move SET attempts = attempts + 1, next_try = ?3, code = ?4
         WHERE sighting_no = ?1 AND item_id = ?2",
    )?
    .execute(params![sighting_no, text(&item.id), next_try, text(code)])?;
    Ok(())
}

fn relocate(conn: &Connection, sighting_no: i64, place: &ItemRef) -> Done<()> {
    conn.prepare_cached("UPDATE sighting SET item_id = ?2, change_key = ?3 WHERE no = ?1")?
        .execute(params![
            sighting_no,
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
