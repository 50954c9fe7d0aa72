//! The second stage: text and attachments of messages that are committed, and their words for the search.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::words::{self, Words};
use super::{Core, conversation};
use crate::ids::MessageUid;
use crate::message::{Attachment, MessageContent, MessageFlag};
use crate::scope::Scope;
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{from_json, json, maybe_text, unsigned};

impl Core {
    pub(crate) fn unindexed(&self, scope: &Scope, limit: u32) -> Done<Vec<MessageUid>> {
        let (tx, scope) = self.read(scope)?;
        let mut list = tx.prepare_cached(
            "SELECT uid FROM message WHERE scope = ?1 AND index_state = 'waiting'
             ORDER BY no LIMIT ?2",
        )?;
        let rows = list.query_map(params![scope, limit], |row| {
            Ok(MessageUid::from_bytes(row.get(0)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn put_content(
        &mut self,
        scope: &Scope,
        contents: &[(MessageUid, MessageContent)],
    ) -> Done<()> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        let mut words = Vec::with_capacity(contents.len());
        for (message, content) in contents {
            if let Some(no) = take_turn(&tx, scope, message)? {
                insert(&tx, no, content, now)?;
                conversation::refer(&tx, no)?;
                let body = content.text.as_deref().unwrap_or_default();
                words.push(Words::with_body(&tx, no, body)?);
            }
        }
        words::write(&tx, words)?;
        Ok(tx.commit()?)
    }
}

/// How many messages are committed and not read by the second stage.
pub(super) fn not_indexed(conn: &Connection, scope: i64) -> Done<u64> {
    let mut count = conn.prepare_cached(
        "SELECT count(*) FROM message WHERE scope = ?1 AND index_state = 'waiting'",
    )?;
    unsigned(count.query_row([scope], |row| row.get(0))?)
}

/// The attachments that the second stage found.
pub(super) fn attachments_of(conn: &Connection, message_no: i64) -> Done<Vec<Attachment>> {
    let mut find = conn.prepare_cached("SELECT attachments FROM content WHERE message_no = ?1")?;
    let json: Option<String> = find.query_row([message_no], |row| row.get(0)).optional()?;
    json.map_or(Ok(Vec::new()), |json| from_json(&json))
}

/// The number of a message whose content comes for the first time.
fn take_turn(conn: &Connection, scope: i64, message: &MessageUid) -> Done<Option<i64>> {
    let mut take = conn.prepare_cached(
        "UPDATE message SET index_state = 'done'
         WHERE scope = ?1 AND uid = ?2 AND index_state IN ('none', 'waiting')
         RETURNING no",
    )?;
    let mut rows = take.query(params![scope, message.as_bytes()])?;
    let no = match rows.next()? {
        Some(row) => Some(row.get(0)?),
        None => None,
    };
    Ok(no)
}

fn insert(conn: &Connection, no: i64, content: &MessageContent, now: i64) -> Done<()> {
    let flags: Vec<&str> = content
        .flags
        .iter()
        .copied()
        .map(MessageFlag::code)
        .collect();
    conn.prepare_cached(
        "INSERT OR IGNORE INTO content (message_no, text, attachments, flags, indexed_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        no,
        maybe_text(content.text.as_deref()),
        json(&content.attachments)?,
        json(&flags)?,
        now
    ])?;
    Ok(())
}
