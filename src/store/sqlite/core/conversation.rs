//! Conversations: mails looked up by the ids that they have and refer to.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::Core;
use super::identity::message_no;
use crate::error::codes;
use crate::ids::{ContactNo, MessageUid};
use crate::interaction::{Conversation, ThreadMail, ThreadWalk};
use crate::scope::Scope;
use crate::store::rows::message_id_hash;
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{from_json, maybe_timestamp};

/// Answers of one look-up at most.
const ANSWERS: u32 = 2_000;

impl Core {
    pub(crate) fn conversation(&self, scope: &Scope, message: &MessageUid) -> Done<Conversation> {
        let (tx, scope) = self.read(scope)?;
        let no = message_no(&tx, scope, message)?.ok_or(&codes::STORE_NOT_FOUND)?;
        Ok(walk(&tx, scope, no)?.0)
    }
}

/// The numbers of the mails in the conversation of a mail; none where it is unknown.
pub(super) fn numbers(conn: &Connection, scope: i64, message: &MessageUid) -> Done<Vec<i64>> {
    let Some(no) = message_no(conn, scope, message)? else {
        return Ok(Vec::new());
    };
    let (conversation, numbers) = walk(conn, scope, no)?;
    let mails = conversation.mails.iter();
    Ok(mails
        .filter_map(|mail| numbers.get(&mail.message).copied())
        .collect())
}

/// Writes what a message refers to.
pub(super) fn refer(conn: &Connection, no: i64) -> Done<()> {
    conn.prepare_cached(
        r#"INSERT OR IGNORE INTO message_reference (scope, id, message_no)
           SELECT m.scope, r.value, m.no FROM message m, json_each(m."references") r
           WHERE m.no = ?1"#,
    )?
    .execute([no])?;
    Ok(())
}

type Numbers = BTreeMap<MessageUid, i64>;

fn walk(conn: &Connection, scope: i64, start: i64) -> Done<(Conversation, Numbers)> {
    let mut numbers = Numbers::new();
    let first = mail(conn, start)?;
    numbers.insert(first.message, start);
    let mut known = BTreeSet::from([start]);
    let mut walk = ThreadWalk::from(first);
    loop {
        let ids = walk.next_ids();
        if ids.is_empty() {
            return Ok((walk.finish(), numbers));
        }
        let mut mails = Vec::new();
        for id in ids {
            for no in naming(conn, scope, &id)? {
                if mails.len() >= ANSWERS as usize {
                    walk.cut();
                    break;
                }
                if known.insert(no) {
                    let mail = mail(conn, no)?;
                    numbers.insert(mail.message, no);
                    mails.push(mail);
                }
            }
        }
        walk.found(mails);
    }
}

/// The messages that have an id or refer to it.
fn naming(conn: &Connection, scope: i64, id: &str) -> Done<Vec<i64>> {
    let mut find = conn.prepare_cached(
        "SELECT no FROM message WHERE scope = ?1 AND message_id_hash = ?2 AND message_id = ?3
         UNION SELECT message_no FROM message_reference WHERE scope = ?1 AND id = ?3
         ORDER BY 1 LIMIT ?4",
    )?;
    let found = find.query_map(params![scope, message_id_hash(id), id, ANSWERS], |row| {
        row.get(0)
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn mail(conn: &Connection, no: i64) -> Done<ThreadMail> {
    let mut find = conn.prepare_cached(
        r#"SELECT uid, coalesce(sent, received), message_id, "references" FROM message
           WHERE no = ?1"#,
    )?;
    let (uid, date, message_id, references): (_, _, _, String) = find.query_row([no], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let mut mail = ThreadMail::new(MessageUid::from_bytes(uid));
    mail.date = maybe_timestamp(date)?;
    mail.message_id = message_id;
    mail.references = from_json(&references)?;
    let mut people =
        conn.prepare_cached("SELECT address, own FROM participant WHERE no >= ?1 AND no < ?2")?;
    let mut people = people.query([no << 16, (no + 1) << 16])?;
    while let Some(row) = people.next()? {
        mail.name(&row.get::<_, String>(0)?, row.get(1)?);
    }
    let mut contacts = conn.prepare_cached(
        "SELECT contact_no, contact_company_no FROM entry WHERE message_no = ?1 AND canceled = 0",
    )?;
    let mut contacts = contacts.query([no])?;
    while let Some(row) = contacts.next()? {
        let company: Option<String> = row.get(1)?;
        let named = std::iter::once(row.get::<_, String>(0)?).chain(company);
        mail.contacts.extend(named.map(ContactNo::new));
    }
    Ok(mail)
}
