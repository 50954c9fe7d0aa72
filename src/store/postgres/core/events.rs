//! The event feed: rows of commits, read in the order of their numbers.

use tokio_postgres::Row;

use super::{find_scope, make_scope};
use crate::ids::{EntryId, EventId, MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, enum_column, id, maybe_id};
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
