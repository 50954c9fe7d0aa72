//! The event feed: rows of commits, read in the order of their numbers.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{find_scope, make_mailbox, make_scope, take_turn};
use crate::clock::Entropy;
use crate::ids::{EntryId, EventId, MailboxKey, MessageUid, uuid_v7_at};
use crate::scope::Scope;
use crate::store::feed::is_news;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, enum_column, id, maybe_id, uuid};
use crate::store::rows::{text, timestamp, unsigned};
use crate::store::{Event, EventKind};

pub(crate) async fn read_events(
    tx: &Tx,
    scope: &Scope,
    consumer: &str,
    limit: u32,
) -> Done<Vec<Event>> {
    let scope = find_scope(tx, scope).await?;
    let list = "SELECT v.*, b.key, m.uid FROM event v JOIN mailbox b ON b.id = v.mailbox
        LEFT JOIN message m ON m.no = v.message_no
        WHERE v.scope = $1 AND v.number > coalesce((
            SELECT number FROM event_cursor WHERE scope = $1 AND consumer = $2), 0)
        ORDER BY v.number LIMIT $3";
    let (consumer, limit) = (text(consumer), i64::from(limit));
    let rows = tx.rows(list, &[&scope, &consumer, &limit]).await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn acknowledge(tx: &Tx, scope: &Scope, consumer: &str, number: u64) -> Done<()> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let scope = make_scope(tx, scope).await?;
    let write = "INSERT INTO event_cursor (scope, consumer, number) VALUES ($1, $2, $3)
        ON CONFLICT (scope, consumer)
        DO UPDATE SET number = greatest(event_cursor.number, excluded.number)";
    tx.run(write, &[&scope, &text(consumer), &number]).await?;
    Ok(())
}

/// It waits for the turn of its scope, so that of two words at once the second sees the first.
pub(crate) async fn announce(
    tx: &Tx,
    scope: &Scope,
    (mailbox, kind, reason): (&MailboxKey, EventKind, &str),
    (time, entropy): (Option<i64>, &dyn Entropy),
) -> Done<bool> {
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let mailbox = make_mailbox(tx, scope, mailbox).await?;
    let find = "SELECT kind, reason FROM event
        WHERE mailbox = $1 AND kind IN ('sign-in-needed', 'health-changed')
        ORDER BY number DESC LIMIT 1";
    let last = tx.row(find, &[&mailbox]).await?;
    let last: Option<(&str, &str)> = match &last {
        Some(row) => Some((column(row, "kind")?, column(row, "reason")?)),
        None => None,
    };
    if !is_news(last, kind, reason) {
        return Ok(false);
    }
    let event = New {
        mailbox,
        kind,
        message_no: None,
        entries: &[],
        reason,
    };
    let now = super::now(tx, time).await?;
    write(tx, scope, &event, now, entropy).await?;
    Ok(true)
}

/// An event that no commit writes.
pub(super) struct New<'a> {
    pub(super) mailbox: i64,
    pub(super) kind: EventKind,
    pub(super) message_no: Option<i64>,
    pub(super) entries: &'a [EntryId],
    pub(super) reason: &'a str,
}

/// Writes an event. Its caller holds the turn of the scope.
pub(super) async fn write(
    tx: &Tx,
    scope: i64,
    event: &New<'_>,
    now: i64,
    entropy: &dyn Entropy,
) -> Done<()> {
    let id = uuid(&uuid_v7_at(timestamp(now)?, entropy));
    let entries = event.entries.iter().flat_map(EntryId::as_bytes);
    let entries: Vec<u8> = entries.copied().collect();
    let write = "WITH turn AS (
            UPDATE scope SET last_event_no = last_event_no + 1 WHERE id = $1
            RETURNING last_event_no)
        INSERT INTO event (scope, number, id, at, mailbox, kind, message_no, entries, reason)
        SELECT $1, last_event_no, $2, $3, $4, $5, $6, $7, $8 FROM turn";
    let (kind, reason) = (event.kind.code(), text(event.reason));
    let (mailbox, message_no) = (event.mailbox, event.message_no);
    let values: [&(dyn ToSql + Sync); 8] = [
        &scope,
        &id,
        &now,
        &mailbox,
        &kind,
        &message_no,
        &entries,
        &reason,
    ];
    tx.run(write, &values).await?;
    Ok(())
}

fn read(row: &Row) -> Done<Event> {
    let number = unsigned(column(row, "number")?)?;
    let event = EventId::from_bytes(id(row, "id")?);
    let at = timestamp(column(row, "at")?)?;
    let mailbox = MailboxKey::new(column::<String>(row, "key")?);
    let kind = enum_column(row, "kind", EventKind::from_code)?;
    Ok(Event {
        message: maybe_id(row, "uid")?.map(MessageUid::from_bytes),
        entries: entry_ids(column(row, "entries")?)?,
        reason: column(row, "reason")?,
        ..Event::new(number, event, at, mailbox, kind)
    })
}

fn entry_ids(bytes: &[u8]) -> Done<Vec<EntryId>> {
    let (ids, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(Fault::Damaged("the entries of an event"));
    }
    Ok(ids.iter().copied().map(EntryId::from_bytes).collect())
}
