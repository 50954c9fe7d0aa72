//! Moves that are still to do, and what the host's own log still has to confirm.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::entries::entries_of;
use super::{find_mailbox, find_scope};
use crate::decision::Disposition;
use crate::ids::{MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::source::ItemRef;
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, enum_column, id, small};
use crate::store::rows::{micros, sighting_key, timestamp};
use crate::store::{PendingMove, Undelivered};
use crate::wish::too_far_ahead;

pub(crate) async fn pending_moves(
    tx: &Tx,
    scope: &Scope,
    mailbox: &MailboxKey,
    due: Timestamp,
    limit: u32,
) -> Done<Vec<PendingMove>> {
    let scope = find_scope(tx, scope).await?;
    let mailbox = find_mailbox(tx, scope, mailbox).await?;
    // A mail whose entries wait for the host's own log may not move yet.
    let list =
        "SELECT s.key, p.item_id, p.change_key, p.target, p.attempts, p.next_try, p.planned_at
        FROM pending_move p JOIN sighting s ON s.no = p.sighting_no
        WHERE p.mailbox = $1
        AND (p.next_try IS NULL OR p.next_try <= $3 OR p.next_try > $4) AND NOT EXISTS (
            SELECT 1 FROM entry e WHERE e.scope = p.scope
            AND e.message_no = s.message_no AND e.delivery = 'waiting')
        ORDER BY p.planned_at, p.item_id LIMIT $2";
    let (limit, late) = (i64::from(limit), micros(too_far_ahead(due)));
    let rows = tx
        .rows(list, &[&mailbox, &limit, &micros(due), &late])
        .await?;
    rows.iter().map(pending).collect()
}

fn pending(row: &Row) -> Done<PendingMove> {
    let key = sighting_key(column(row, "key")?)?;
    let mut item = ItemRef::new(column::<String>(row, "item_id")?);
    item.change_key = column(row, "change_key")?;
    let target = enum_column(row, "target", Disposition::from_code)?;
    let planned_at = timestamp(column(row, "planned_at")?)?;
    let next_try: Option<i64> = column(row, "next_try")?;
    Ok(PendingMove {
        attempts: small(row, "attempts")?,
        next_try: next_try.map(timestamp).transpose()?,
        ..PendingMove::new(key, item, target, planned_at)
    })
}

pub(crate) async fn undelivered(
    tx: &Tx,
    scope: &Scope,
    mailbox: &MailboxKey,
    limit: u32,
) -> Done<Vec<Undelivered>> {
    let scope = find_scope(tx, scope).await?;
    let mailbox = find_mailbox(tx, scope, mailbox).await?;
    let list = "SELECT m.no, m.uid FROM entry e JOIN message m ON m.no = e.message_no
        WHERE e.scope = $1 AND e.delivery = 'waiting' AND EXISTS (
            SELECT 1 FROM sighting s WHERE s.message_no = e.message_no AND s.mailbox = $2)
        GROUP BY m.no, m.uid ORDER BY min(e.entry_no) LIMIT $3";
    let rows = tx
        .rows(list, &[&scope, &mailbox, &i64::from(limit)])
        .await?;
    let numbers: Done<Vec<i64>> = rows.iter().map(|row| column(row, "no")).collect();
    let mut entries: BTreeMap<i64, _> = entries_of(tx, &numbers?, true).await?;
    rows.iter()
        .map(|row| {
            let uid = MessageUid::from_bytes(id(row, "uid")?);
            let entries = entries.remove(&column(row, "no")?);
            Ok(Undelivered::new(uid, entries.unwrap_or_default()))
        })
        .collect()
}
