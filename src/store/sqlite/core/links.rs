//! Links that a later match changes, and the lists of those who are never logged.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::commit::Writer;
use super::filter::Conditions;
use super::lease::fence;
use super::{Core, entries, identity, privacy, record};
use crate::error::codes;
use crate::ids::EntryId;
use crate::scope::Scope;
use crate::store::rows::people::UNTOUCHED;
use crate::store::rows::{Place, Question};
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{from_json, json, text, unsigned};
use crate::store::{
    Cursor, EventKind, Lease, LinkChange, LinkResult, LoggedMail, Page, StoredNeverLog,
};

impl Core {
    pub(crate) fn mails_naming(
        &self,
        scope: &Scope,
        addresses: Option<&[String]>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Done<Page<LoggedMail>> {
        let question = Question::new("naming", scope, &addresses);
        let place = question.place(after)?;
        let (tx, scope) = self.read(scope)?;
        let mut all = Conditions::default();
        let scope = all.bind(scope);
        all.with("m.no < ?", place.no);
        all.hold(format!("m.scope = {scope}"));
        if let Some(addresses) = addresses {
            let addresses = all.bind(json(addresses)?);
            all.hold(format!(
                "m.no IN (SELECT p.message_no FROM participant p WHERE p.scope = {scope}
                     AND p.address IN (SELECT value FROM json_each({addresses})))"
            ));
        }
        let mut list = tx.prepare_cached(&format!(
            "SELECT m.no FROM message m WHERE {} ORDER BY m.no DESC LIMIT {}",
            all.sql(),
            u64::from(limit) + 1
        ))?;
        let numbers = list.query_map(params_from_iter(all.into_values()), |row| row.get(0))?;
        let mails = numbers.map(|no| {
            let no: i64 = no?;
            let stored = record::read(&tx, no)?;
            let entries = entries::entries_of(&tx, no, false)?;
            let mail = LoggedMail::new(stored.uid, stored.record, entries);
            Ok((Place { at: no, no }, mail))
        });
        Ok(question.page(mails.collect::<Done<_>>()?, limit))
    }

    pub(crate) fn relink(
        &mut self,
        scope: &Scope,
        lease: &Lease,
        links: &LinkChange,
    ) -> Done<LinkResult> {
        let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let (tx, scope) = self.write(scope)?;
        let mailbox = fence(&tx, scope, lease)?;
        let message_no = identity::message_no(&tx, scope, &links.message)?;
        let message_no = message_no.ok_or(&codes::STORE_NOT_FOUND)?;
        let mut writer = Writer::new(&tx, scope, mailbox, &*clock, &*entropy)?;
        let mut result = LinkResult::default();
        add(&mut writer, message_no, links, &mut result)?;
        privacy::carry_mark(&tx, message_no)?;
        for id in &links.withdraw {
            if withdraw(&writer, message_no, id, &links.reason)? {
                result.withdrawn.push(*id);
            }
        }
        if !result.is_empty() {
            let changed: Vec<_> = result.changed().into_iter().map(|id| (id, 0)).collect();
            let reason = &links.reason;
            writer.event(EventKind::Rematched, Some(message_no), &changed, reason)?;
            writer.keep_counters()?;
        }
        tx.commit()?;
        Ok(result)
    }

    pub(crate) fn load_never_log(&self, scope: &Scope) -> Done<StoredNeverLog> {
        let (tx, scope) = self.read(scope)?;
        never_log(&tx, scope)
    }

    pub(crate) fn save_never_log(
        &mut self,
        scope: &Scope,
        lists: &crate::decision::NeverLog,
        expected_version: u64,
    ) -> Done<u64> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        let find = "SELECT version FROM never_log WHERE scope = ?1";
        let version = tx.query_row(find, [scope], |row| row.get(0)).optional()?;
        if unsigned(version.unwrap_or(0))? != expected_version {
            return Err((&codes::REVIEW_VERSION).into());
        }
        put_never_log(&tx, scope, lists, now)?;
        tx.commit()?;
        Ok(expected_version + 1)
    }
}

/// The lists as they are stored.
pub(super) fn never_log(conn: &Connection, scope: i64) -> Done<StoredNeverLog> {
    let mut find = conn.prepare_cached("SELECT version, rules FROM never_log WHERE scope = ?1")?;
    let stored = find.query_row([scope], |row| Ok((row.get(0)?, row.get(1)?)));
    match stored.optional()? {
        None => Ok(StoredNeverLog::default()),
        Some((version, rules)) => {
            let rules: String = rules;
            Ok(StoredNeverLog::new(from_json(&rules)?, unsigned(version)?))
        }
    }
}

/// Writes the lists as their next version.
pub(super) fn put_never_log(
    conn: &Connection,
    scope: i64,
    lists: &crate::decision::NeverLog,
    now: i64,
) -> Done<()> {
    conn.execute(
        "INSERT INTO never_log (scope, version, rules, changed_at) VALUES (?1, 1, ?2, ?3)
         ON CONFLICT (scope) DO UPDATE
         SET version = version + 1, rules = excluded.rules, changed_at = excluded.changed_at",
        params![scope, json(lists)?, now],
    )?;
    Ok(())
}

/// Notes that a person decided about an entry: from now on nothing automatic touches it.
pub(super) fn hold(conn: &Connection, scope: i64, id: &EntryId, now: i64) -> Done<()> {
    conn.prepare_cached(
        "INSERT INTO entry_link (scope, entry_id, held, changed_at) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (scope, entry_id) DO UPDATE SET held = 1, changed_at = excluded.changed_at",
    )?
    .execute(params![scope, id.as_bytes(), now])?;
    Ok(())
}

fn add(
    writer: &mut Writer<'_>,
    message_no: i64,
    links: &LinkChange,
    result: &mut LinkResult,
) -> Done<()> {
    for entry in &links.add {
        let no = writer.next_entry_no();
        let place = entries::Place {
            scope: writer.scope,
            message_no,
            entry_no: no,
            delivery: if links.deliver { "waiting" } else { "none" },
            now: writer.now,
        };
        if entries::insert(writer.conn, entry, &place)? {
            result.added.push((entry.id, unsigned(no)?));
            continue;
        }
        writer.return_entry_no();
        if restore(writer, &entry.id)? {
            result.restored.push(entry.id);
        }
    }
    Ok(())
}

/// Takes a withdrawal back, unless a person decided about the entry.
fn restore(writer: &Writer<'_>, id: &EntryId) -> Done<bool> {
    let (conn, scope) = (writer.conn, writer.scope);
    let taken = conn
        .prepare_cached(
            "UPDATE entry_link SET withdrawn = NULL, changed_at = ?3
             WHERE scope = ?1 AND entry_id = ?2 AND held = 0 AND withdrawn IS NOT NULL",
        )?
        .execute(params![scope, id.as_bytes(), writer.now])?;
    if taken > 0 {
        conn.prepare_cached("UPDATE entry SET canceled = 0 WHERE scope = ?1 AND id = ?2")?
            .execute(params![scope, id.as_bytes()])?;
    }
    Ok(taken > 0)
}

/// Withdraws an entry of the message, unless it is cancelled or a person decided about it or worked with it.
fn withdraw(writer: &Writer<'_>, message_no: i64, id: &EntryId, reason: &str) -> Done<bool> {
    let (conn, scope) = (writer.conn, writer.scope);
    let canceled = conn
        .prepare_cached(&format!(
            "UPDATE entry SET canceled = 1
             WHERE scope = ?1 AND id = ?2 AND message_no = ?3 AND canceled = 0 AND NOT EXISTS (
                 SELECT 1 FROM entry_link WHERE scope = ?1 AND entry_id = ?2 AND held = 1)
             AND {UNTOUCHED}",
        ))?
        .execute(params![scope, id.as_bytes(), message_no])?;
    if canceled > 0 {
        conn.prepare_cached(
            "INSERT INTO entry_link (scope, entry_id, held, withdrawn, changed_at)
             VALUES (?1, ?2, 0, ?3, ?4)
             ON CONFLICT (scope, entry_id) DO UPDATE
             SET withdrawn = excluded.withdrawn, changed_at = excluded.changed_at",
        )?
        .execute(params![scope, id.as_bytes(), text(reason), writer.now])?;
    }
    Ok(canceled > 0)
}
