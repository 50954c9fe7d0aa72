//! The event feed: rows of commits, read in the order of their numbers.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row, params};

use super::commit::Writer;
use super::{Core, make_mailbox};
use crate::ids::{EntryId, EventId, MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::store::feed::is_news;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{column, enum_column, text, timestamp, unsigned};
use crate::store::{Event, EventKind};

impl Core {
    pub(crate) fn read_events(
        &self,
        scope: &Scope,
        consumer: &str,
        limit: u32,
    ) -> Done<Vec<Event>> {
        let (tx, scope) = self.read(scope)?;
        let mut list = tx.prepare_cached(
            "SELECT v.*, b.key, m.uid FROM event v JOIN mailbox b ON b.id = v.mailbox
             LEFT JOIN message m ON m.no = v.message_no
             WHERE v.scope = ?1 AND v.number > coalesce((
                 SELECT number FROM event_cursor WHERE scope = ?1 AND consumer = ?2), 0)
             ORDER BY v.number LIMIT ?3",
        )?;
        let rows = list.query_map(params![scope, text(consumer), limit], |row| Ok(read(row)))?;
        rows.map(|row| row?).collect()
    }

    pub(crate) fn acknowledge(&mut self, scope: &Scope, consumer: &str, number: u64) -> Done<()> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let (tx, scope) = self.write(scope)?;
        tx.prepare_cached(
            "INSERT INTO event_cursor (scope, consumer, number) VALUES (?1, ?2, ?3)
             ON CONFLICT (scope, consumer) DO UPDATE SET number = max(number, excluded.number)",
        )?
        .execute(params![scope, text(consumer), number])?;
        Ok(tx.commit()?)
    }

    pub(crate) fn announce(
        &mut self,
        scope: &Scope,
        mailbox: &MailboxKey,
        kind: EventKind,
        reason: &str,
    ) -> Done<bool> {
        let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let (tx, scope) = self.write(scope)?;
        let mailbox = make_mailbox(&tx, scope, mailbox)?;
        let find = "SELECT kind, reason FROM event
            WHERE mailbox = ?1 AND kind IN ('sign-in-needed', 'health-changed')
            ORDER BY number DESC LIMIT 1";
        let last = tx.query_row(find, [mailbox], |row| Ok((row.get(0)?, row.get(1)?)));
        let last: Option<(String, String)> = last.optional()?;
        let last = last
            .as_ref()
            .map(|(kind, why)| (kind.as_str(), why.as_str()));
        if !is_news(last, kind, reason) {
            return Ok(false);
        }
        let mut writer = Writer::new(&tx, scope, mailbox, &*clock, &*entropy)?;
        writer.event(kind, None, &[], reason)?;
        writer.keep_counters()?;
        tx.commit()?;
        Ok(true)
    }
}

fn read(row: &Row<'_>) -> Done<Event> {
    let number = unsigned(column(row, "number")?)?;
    let id = EventId::from_bytes(column(row, "id")?);
    let at = timestamp(column(row, "at")?)?;
    let mailbox = MailboxKey::new(column::<String>(row, "key")?);
    let kind = enum_column(row, "kind", EventKind::from_code)?;
    Ok(Event {
        message: column::<Option<_>>(row, "uid")?.map(MessageUid::from_bytes),
        entries: entry_ids(&column::<Vec<u8>>(row, "entries")?)?,
        reason: column(row, "reason")?,
        ..Event::new(number, id, at, mailbox, kind)
    })
}

fn entry_ids(bytes: &[u8]) -> Done<Vec<EntryId>> {
    let (ids, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(Fault::Damaged("the entries of an event"));
    }
    Ok(ids.iter().copied().map(EntryId::from_bytes).collect())
}
