//! The deleting of cancelled entries, and of what no other entry uses.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::{Core, original, reports};
use crate::ids::EntryId;
use crate::scope::Scope;
use crate::store::rows::people::{KEPT, count_kept};
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{maybe_timestamp, unsigned};
use crate::store::{DeletedEntries, Deletion, LogFilter};

impl Core {
    pub(crate) fn delete_canceled(
        &mut self,
        scope: &Scope,
        filter: &LogFilter,
        deletion: Deletion,
    ) -> Done<DeletedEntries> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        let (doomed, kept) = doomed(&tx, scope, filter)?;
        let mails = left_alone(&tx, &doomed)?;
        let mut told = told(&tx, scope, &doomed, kept)?;
        told.mails = mails.len() as u64;
        for no in &mails {
            if let Some((_, size)) = original_of(&tx, scope, *no)? {
                told.originals += 1;
                told.bytes += unsigned(size)?;
            }
        }
        if deletion == Deletion::Preview || doomed.is_empty() {
            return Ok(told);
        }
        for entry in &doomed {
            delete(&tx, scope, entry, now)?;
        }
        for no in mails {
            strip(&tx, scope, no)?;
        }
        tx.commit()?;
        self.scrub(true);
        Ok(told)
    }
}

/// The entries of a message that were deleted.
pub(super) fn deleted_of(conn: &Connection, message_no: i64) -> Done<BTreeSet<EntryId>> {
    let mut list = conn.prepare_cached("SELECT id FROM deleted_entry WHERE message_no = ?1")?;
    let ids = list.query_map([message_no], |row| Ok(EntryId::from_bytes(row.get(0)?)))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// A cancelled entry that fits and that nothing keeps.
struct Doomed {
    no: i64,
    id: [u8; 16],
    message_no: i64,
    date: i64,
}

/// What goes, and how much stays.
fn doomed(
    conn: &Connection,
    scope: i64,
    filter: &LogFilter,
) -> Done<(Vec<Doomed>, DeletedEntries)> {
    let mut filter = filter.clone();
    filter.canceled = true;
    let mut all = reports::conditions(conn, scope, &filter)?;
    all.hold("e.canceled = 1");
    let sql = format!(
        "SELECT e.no, e.id, e.message_no, e.date, {KEPT} AS kept FROM entry e
         WHERE {} ORDER BY e.date, e.entry_no",
        all.sql()
    );
    let mut list = conn.prepare_cached(&sql)?;
    let mut found = list.query(params_from_iter(all.into_values()))?;
    let (mut doomed, mut kept) = (Vec::new(), DeletedEntries::default());
    while let Some(row) = found.next()? {
        if let Some(why) = row.get::<_, Option<String>>(4)? {
            count_kept(&mut kept, &why);
            continue;
        }
        doomed.push(Doomed {
            no: row.get(0)?,
            id: row.get(1)?,
            message_no: row.get(2)?,
            date: row.get(3)?,
        });
    }
    Ok((doomed, kept))
}

/// The messages that have no other entries.
fn left_alone(conn: &Connection, doomed: &[Doomed]) -> Done<Vec<i64>> {
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for entry in doomed {
        *counts.entry(entry.message_no).or_default() += 1;
    }
    let mut count = conn.prepare_cached("SELECT count(*) FROM entry WHERE message_no = ?1")?;
    let mut alone = Vec::new();
    for (message_no, gone) in counts {
        let all: i64 = count.query_row([message_no], |row| row.get(0))?;
        if all == gone {
            alone.push(message_no);
        }
    }
    Ok(alone)
}

fn told(
    conn: &Connection,
    scope: i64,
    doomed: &[Doomed],
    kept: DeletedEntries,
) -> Done<DeletedEntries> {
    let mut count = conn
        .prepare_cached("SELECT count(*) FROM entry_comment WHERE scope = ?1 AND entry_id = ?2")?;
    let mut comments = 0;
    for entry in doomed {
        let of_entry: i64 = count.query_row(params![scope, entry.id], |row| row.get(0))?;
        comments += unsigned(of_entry)?;
    }
    Ok(DeletedEntries {
        entries: doomed.len() as u64,
        comments,
        oldest: maybe_timestamp(doomed.first().map(|entry| entry.date))?,
        newest: maybe_timestamp(doomed.last().map(|entry| entry.date))?,
        ..kept
    })
}

fn delete(conn: &Connection, scope: i64, entry: &Doomed, now: i64) -> Done<()> {
    conn.prepare_cached("DELETE FROM entry_comment WHERE scope = ?1 AND entry_id = ?2")?
        .execute(params![scope, entry.id])?;
    conn.prepare_cached("DELETE FROM entry WHERE no = ?1")?
        .execute([entry.no])?;
    conn.prepare_cached(
        "INSERT OR IGNORE INTO deleted_entry (scope, id, message_no, deleted_at)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![scope, entry.id, entry.message_no, now])?;
    Ok(())
}

/// Removes what a message keeps for its entries alone.
fn strip(conn: &Connection, scope: i64, message_no: i64) -> Done<()> {
    if let Some((no, _)) = original_of(conn, scope, message_no)? {
        original::remove(conn, no)?;
    }
    conn.prepare_cached("DELETE FROM content WHERE message_no = ?1")?
        .execute([message_no])?;
    conn.prepare_cached("DELETE FROM search WHERE rowid = ?1")?
        .execute([message_no])?;
    conn.prepare_cached("UPDATE message SET index_state = 'gone' WHERE no = ?1")?
        .execute([message_no])?;
    Ok(())
}

/// Number and size of the original of a message.
fn original_of(conn: &Connection, scope: i64, message_no: i64) -> Done<Option<(i64, i64)>> {
    let mut find =
        conn.prepare_cached("SELECT no, size FROM original WHERE scope = ?1 AND message_no = ?2")?;
    let found = find.query_row([scope, message_no], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}
