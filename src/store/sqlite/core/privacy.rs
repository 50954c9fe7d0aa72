//! Privacy after logging: tombstones, marks, and the removal of mails.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params, params_from_iter};

use super::commit::Writer;
use super::{Core, identity, links, original, record};
use crate::clock::Entropy;
use crate::error::codes;
use crate::ids::MessageUid;
use crate::privacy::tombstone::{Known, Tombstone, TombstoneKey, bars};
use crate::privacy::{MARKED_PRIVATE, Person, Selection};
use crate::scope::Scope;
use crate::store::rows::privacy::{
    Asked, DELETE, LOOSEN, Param, RowKey, Step, affected, forget, open_opportunities,
};
use crate::store::rows::{Place, Question};
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{column, enum_column, text, timestamp, unsigned};
use crate::store::{
    AffectedMail, Cursor, Deletion, Erasure, Forgotten, Mark, MarkKind, MessageRecord, Page,
    Removal, RemovedMails,
};

impl Core {
    pub(crate) fn affected(
        &self,
        scope: &Scope,
        selection: &Selection,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Done<Page<AffectedMail>> {
        let question = Question::new("affected", scope, selection);
        let place = question.place(after)?;
        let (tx, scope) = self.read(scope)?;
        let asked = affected(scope, place.no, selection, u64::from(limit) + 1);
        let mut list = tx.prepare(&asked.sql)?;
        let rows = list.query_map(values(asked), |row| Ok(affected_mail(row)))?;
        let rows = rows.map(|row| row?).collect::<Done<Vec<_>>>()?;
        Ok(question.page(rows, limit))
    }

    pub(crate) fn remove_mails(
        &mut self,
        scope: &Scope,
        messages: &[MessageUid],
        removal: &Removal,
    ) -> Done<RemovedMails> {
        // Everything that refers to a message goes in the same transaction. To look for it anew would read whole tables.
        self.ready()?.pragma_update(None, "foreign_keys", false)?;
        let removed = self.remove_all(scope, messages, removal);
        self.conn.pragma_update(None, "foreign_keys", true)?;
        removed
    }

    fn remove_all(
        &mut self,
        scope: &Scope,
        messages: &[MessageUid],
        removal: &Removal,
    ) -> Done<RemovedMails> {
        let now = self.now();
        let entropy = std::sync::Arc::clone(&self.entropy);
        let (tx, scope) = self.write(scope)?;
        let mut graves = Graves::open(&tx, scope, &*entropy, now)?;
        let mut told = RemovedMails::default();
        for uid in messages {
            if let Some(no) = identity::message_no(&tx, scope, uid)? {
                if removal.spare_held && is_held(&tx, no)? {
                    told.held.push(*uid);
                    continue;
                }
                graves.bury(uid, no, removal)?;
                told.mails += 1;
                remove(&tx, scope, no, &mut told)?;
            }
        }
        // Without a mail the scope gets no key either.
        if told.mails > 0 {
            tx.commit()?;
            self.scrub(true);
        }
        Ok(told)
    }

    pub(crate) fn forget_person(
        &mut self,
        scope: &Scope,
        person: &Person,
        erasure: Erasure,
        deletion: Deletion,
    ) -> Done<Forgotten> {
        let now = self.now();
        let entropy = std::sync::Arc::clone(&self.entropy);
        let (tx, scope) = self.write(scope)?;
        if erasure.refuse_open_opportunities && run(&tx, open_opportunities(scope, person))? > 0 {
            return Err((&codes::PRIVACY_OPEN_OPPORTUNITY).into());
        }
        let mut lists = links::never_log(&tx, scope)?.lists;
        let mut told = Forgotten::default();
        let mut barred = Vec::new();
        for address in &person.addresses {
            let listed = lists.forget(address);
            told.never_log_rules += listed;
            if erasure.never_again || listed > 0 {
                barred.push(address);
            }
        }
        for step in forget(scope, person) {
            told.add(step.counts, take(&tx, &step, deletion)?);
        }
        if deletion == Deletion::Preview {
            return Ok(told);
        }
        if told.never_log_rules > 0 {
            links::put_never_log(&tx, scope, &lists, now)?;
        }
        if !barred.is_empty() {
            let mut graves = Graves::open(&tx, scope, &*entropy, now)?;
            for address in barred {
                let hash = graves.key.of_address(address);
                graves.put(&hash, "address", "")?;
            }
        }
        tx.commit()?;
        self.scrub(true);
        Ok(told)
    }

    pub(crate) fn mark_mail(
        &mut self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
        mark: &Mark,
    ) -> Done<()> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        let no = known(&tx, scope, message)?;
        tx.execute(
            "INSERT OR REPLACE INTO mail_mark (message_no, kind, scope, author, reason, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                no,
                kind.code(),
                scope,
                text(&mark.by),
                text(&mark.reason),
                now
            ],
        )?;
        carry_mark(&tx, no)?;
        Ok(tx.commit()?)
    }

    pub(crate) fn unmark_mail(
        &mut self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
    ) -> Done<bool> {
        let (tx, scope) = self.write(scope)?;
        let no = known(&tx, scope, message)?;
        let delete = "DELETE FROM mail_mark WHERE message_no = ?1 AND kind = ?2";
        let gone = tx.execute(delete, params![no, kind.code()])?;
        if gone > 0 && kind == MarkKind::Private {
            tx.execute(
                "UPDATE entry SET flags = (
                     SELECT json_group_array(value) FROM json_each(flags) WHERE value <> ?2)
                 WHERE message_no = ?1",
                params![no, MARKED_PRIVATE],
            )?;
        }
        tx.commit()?;
        Ok(gone > 0)
    }

    pub(crate) fn marks(&self, scope: &Scope, message: &MessageUid) -> Done<Vec<(MarkKind, Mark)>> {
        let (tx, scope) = self.read(scope)?;
        let mut list = tx.prepare_cached(
            "SELECT k.kind, k.author, k.reason, k.at FROM mail_mark k
             JOIN message m ON m.no = k.message_no
             WHERE m.scope = ?1 AND m.uid = ?2 ORDER BY k.kind DESC",
        )?;
        let rows = list.query_map(params![scope, message.as_bytes()], |row| Ok(mark(row)))?;
        rows.map(|row| row?).collect()
    }

    /// The index keeps the words of what was deleted until it is written anew; the journal keeps the pages.
    pub(crate) fn shred(&mut self) -> Done<()> {
        self.ready()?;
        let optimize = "INSERT INTO search (search) VALUES ('optimize')";
        self.conn.execute(optimize, [])?;
        self.empty_journal()
    }
}

/// Whether a tombstone bars a mail. A scope without tombstones has no key, so nothing is looked up.
pub(super) fn is_barred(
    writer: &Writer<'_>,
    uid: &MessageUid,
    record: &MessageRecord,
) -> Done<bool> {
    let Some(key) = &writer.tombstones else {
        return Ok(false);
    };
    let mut find = writer
        .conn
        .prepare_cached("SELECT 1 FROM tombstone WHERE scope = ?1 AND hash = ?2")?;
    for hash in bars(key, uid, record) {
        if find.exists(params![writer.scope, hash])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Gives the entries of a message that is marked private the flag.
pub(super) fn carry_mark(conn: &Connection, message_no: i64) -> Done<()> {
    conn.prepare_cached(
        "UPDATE entry SET flags = json_insert(flags, '$[#]', ?2)
         WHERE message_no = ?1
         AND EXISTS (SELECT 1 FROM mail_mark WHERE message_no = ?1 AND kind = 'private')
         AND NOT EXISTS (SELECT 1 FROM json_each(flags) WHERE value = ?2)",
    )?
    .execute(params![message_no, MARKED_PRIVATE])?;
    Ok(())
}

fn is_held(conn: &Connection, message_no: i64) -> Done<bool> {
    let find = "SELECT 1 FROM mail_mark WHERE message_no = ?1 AND kind = 'hold'";
    Ok(conn.prepare_cached(find)?.exists([message_no])?)
}

/// Where tombstones are put.
struct Graves<'a> {
    conn: &'a Connection,
    scope: i64,
    now: i64,
    key: TombstoneKey,
}

impl<'a> Graves<'a> {
    /// Finds the key of the scope, or makes it.
    fn open(conn: &'a Transaction<'_>, scope: i64, entropy: &dyn Entropy, now: i64) -> Done<Self> {
        let find = "SELECT tombstone_key FROM scope WHERE id = ?1";
        let key: Option<[u8; 32]> = conn.query_row(find, [scope], |row| row.get(0))?;
        let key = if let Some(key) = key {
            key
        } else {
            let mut key = [0; 32];
            entropy.fill(&mut key);
            let keep = "UPDATE scope SET tombstone_key = ?2 WHERE id = ?1";
            conn.execute(keep, params![scope, key])?;
            key
        };
        Ok(Self {
            conn,
            scope,
            now,
            key: TombstoneKey::from_bytes(key),
        })
    }

    fn bury(&mut self, uid: &MessageUid, no: i64, removal: &Removal) -> Done<()> {
        let stored = record::read(self.conn, no)?;
        for hash in self.key.of_mail(uid, &Known::of(&stored.record)) {
            self.put(&hash, removal.reason.code(), &removal.by)?;
        }
        Ok(())
    }

    fn put(&mut self, hash: &Tombstone, why: &str, author: &str) -> Done<()> {
        self.conn
            .prepare_cached(
                "INSERT OR IGNORE INTO tombstone (scope, hash, why, author, at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![self.scope, hash, why, text(author), self.now])?;
        Ok(())
    }
}

/// Removes a message with everything that is kept of it.
fn remove(conn: &Connection, scope: i64, no: i64, told: &mut RemovedMails) -> Done<()> {
    let entries = "SELECT host_reference FROM entry WHERE scope = ?1 AND message_no = ?2
        ORDER BY entry_no";
    let mut list = conn.prepare_cached(entries)?;
    let references = list.query_map([scope, no], |row| row.get::<_, Option<String>>(0))?;
    for reference in references {
        told.entries += 1;
        told.host_references.extend(reference?);
    }
    for sql in LOOSEN {
        conn.prepare_cached(sql)?.execute([scope, no])?;
    }
    let find = "SELECT no FROM original WHERE scope = ?1 AND message_no = ?2";
    let kept = conn.query_row(find, [scope, no], |row| row.get(0));
    if let Some(kept) = kept.optional()? {
        original::remove(conn, kept)?;
        told.originals += 1;
    }
    conn.prepare_cached("DELETE FROM search WHERE rowid = ?1")?
        .execute([no])?;
    conn.prepare_cached(
        r#"DELETE FROM message_reference WHERE scope = ?1 AND message_no = ?2 AND id IN (
             SELECT value FROM json_each((SELECT "references" FROM message WHERE no = ?2)))"#,
    )?
    .execute([scope, no])?;
    for sql in DELETE {
        conn.prepare_cached(sql)?.execute([scope, no])?;
    }
    Ok(())
}

fn known(conn: &Connection, scope: i64, message: &MessageUid) -> Done<i64> {
    let no = identity::message_no(conn, scope, message)?;
    Ok(no.ok_or(&codes::STORE_NOT_FOUND)?)
}

/// Does a step, or says how many rows it is about.
fn take(conn: &Connection, step: &Step, deletion: Deletion) -> Done<u64> {
    let deletes = deletion == Deletion::Delete;
    let Some(candidates) = step.candidates() else {
        let rows = step.count().map_or(Ok(0), |count| run(conn, count))?;
        if let Some(change) = step.change().filter(|_| deletes) {
            conn.execute(&change.sql.clone(), values(change))?;
        }
        return unsigned(rows);
    };
    let rows = about(conn, step, candidates)?;
    if deletes {
        for sql in step.changes(&rows) {
            conn.execute(&sql, [])?;
        }
    }
    Ok(rows.len() as u64)
}

fn about(conn: &Connection, step: &Step, candidates: Asked) -> Done<Vec<RowKey>> {
    let sql = candidates.sql.clone();
    let mut list = conn.prepare(&sql)?;
    let mut found = list.query(values(candidates))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let said: String = column(row, "said")?;
        if step.is_about(&said) {
            rows.push((column(row, "row_key")?, column(row, "row_other")?));
        }
    }
    Ok(rows)
}

fn run(conn: &Connection, asked: Asked) -> Done<i64> {
    let sql = asked.sql.clone();
    Ok(conn.query_row(&sql, values(asked), |row| row.get(0))?)
}

fn values(asked: Asked) -> rusqlite::ParamsFromIter<impl Iterator<Item = Value>> {
    let values = asked.values.into_iter();
    params_from_iter(values.map(|value| match value {
        Param::Int(number) => Value::Integer(number),
        Param::Text(text) => Value::Text(text),
    }))
}

fn affected_mail(row: &Row<'_>) -> Done<(Place, AffectedMail)> {
    let no: i64 = column(row, "no")?;
    let uid = MessageUid::from_bytes(column(row, "uid")?);
    let original: Option<i64> = column(row, "original")?;
    let counted = |name| Ok::<_, crate::store::sqlite::fault::Fault>(column::<i64>(row, name)? > 0);
    let mail = AffectedMail {
        entries: unsigned(column(row, "entries")?)?,
        original: original.map(unsigned).transpose()?,
        open_opportunity: counted("deals")?,
        held: counted("holds")?,
        waiting: counted("waits")?,
        ..AffectedMail::new(uid, timestamp(column(row, "date")?)?)
    };
    Ok((Place { at: no, no }, mail))
}

fn mark(row: &Row<'_>) -> Done<(MarkKind, Mark)> {
    let kind = enum_column(row, "kind", MarkKind::from_code)?;
    let by: String = column(row, "author")?;
    let reason: String = column(row, "reason")?;
    let at = timestamp(column(row, "at")?)?;
    Ok((
        kind,
        Mark {
            at,
            ..Mark::new(by, reason)
        },
    ))
}
