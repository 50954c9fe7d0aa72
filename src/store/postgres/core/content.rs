//! The second stage: text and attachments of messages that are committed, and their words for the search.

use std::collections::BTreeMap;

use super::{conversation, find_scope, make_scope, words};
use crate::ids::MessageUid;
use crate::message::{MessageContent, MessageFlag};
use crate::scope::Scope;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::migrate::Words as Kept;
use crate::store::postgres::pool::{Tx, Write};
use crate::store::postgres::values::{column, id, uuid};
use crate::store::rows::{json, maybe_text, unsigned};

pub(crate) async fn unindexed(tx: &Tx, scope: &Scope, limit: u32) -> Done<Vec<MessageUid>> {
    let scope = find_scope(tx, scope).await?;
    let list = "SELECT uid FROM message WHERE scope = $1 AND index_state = 'waiting'
        ORDER BY no LIMIT $2";
    let rows = tx.rows(list, &[&scope, &i64::from(limit)]).await?;
    let uid = |row| Ok(MessageUid::from_bytes(id(row, "uid")?));
    rows.iter().map(uid).collect()
}

/// A message whose content comes for the first time is taken by changing its state; whoever comes second finds it done.
pub(crate) async fn put_content(
    tx: &Tx,
    scope: &Scope,
    contents: &[(MessageUid, MessageContent)],
    kept: Kept,
    time: Option<i64>,
) -> Done<()> {
    let now = super::now(tx, time).await?;
    let scope = make_scope(tx, scope).await?;
    let new = take(tx, scope, contents).await?;
    let numbers: Vec<i64> = new.keys().copied().collect();
    let mut all = words::stored(tx, &numbers).await?;
    let mut writes = Vec::with_capacity(new.len() + 1);
    for (no, content) in &new {
        writes.push(insert(*no, content, now)?);
        let words = all.get_mut(no).ok_or(Fault::Damaged("a message"))?;
        words.add(content.text.as_deref().unwrap_or_default());
    }
    let all: Vec<_> = all.into_values().collect();
    writes.extend(words::write(kept, &all));
    writes.push(conversation::refer(numbers));
    tx.pipeline(&writes).await
}

/// How many messages are committed and not read by the second stage.
pub(super) async fn not_indexed(tx: &Tx, scope: i64) -> Done<u64> {
    let count = "SELECT count(*) AS waiting FROM message
        WHERE scope = $1 AND index_state = 'waiting'";
    let row = tx.row(count, &[&scope]).await?;
    let row = row.ok_or(Fault::Damaged("a count"))?;
    Ok(unsigned(column(&row, "waiting")?)?)
}

/// The contents whose turn it is, by the number of their message. The rows are locked in that order.
async fn take<'a>(
    tx: &Tx,
    scope: i64,
    contents: &'a [(MessageUid, MessageContent)],
) -> Done<BTreeMap<i64, &'a MessageContent>> {
    let first = contents.iter().rev().map(|(uid, content)| (*uid, content));
    let by_uid: BTreeMap<MessageUid, &MessageContent> = first.collect();
    let uids: Vec<_> = by_uid.keys().map(|uid| uuid(uid.as_bytes())).collect();
    let lock = "SELECT no, uid FROM message
        WHERE scope = $1 AND uid = ANY($2) AND index_state IN ('none', 'waiting') ORDER BY no FOR NO KEY UPDATE";
    let mut new = BTreeMap::new();
    for row in &tx.rows(lock, &[&scope, &uids]).await? {
        let content = by_uid.get(&MessageUid::from_bytes(id(row, "uid")?));
        let content = content.ok_or(Fault::Damaged("a message"))?;
        new.insert(column(row, "no")?, *content);
    }
    let numbers: Vec<i64> = new.keys().copied().collect();
    let done = "UPDATE message SET index_state = 'done' WHERE no = ANY($1)";
    tx.run(done, &[&numbers]).await?;
    Ok(new)
}

fn insert(no: i64, content: &MessageContent, now: i64) -> Done<Write<'_>> {
    let flags = content.flags.iter().copied().map(MessageFlag::code);
    let flags: Vec<&str> = flags.collect();
    Ok(Write::new(
        "INSERT INTO content (message_no, text, attachments, flags, indexed_at)
         VALUES ($1, $2, $3::text::jsonb, $4::text::jsonb, $5)
         ON CONFLICT (message_no) DO NOTHING",
        vec![
            Box::new(no),
            Box::new(maybe_text(content.text.as_deref())),
            Box::new(json(&content.attachments)?),
            Box::new(json(&flags)?),
            Box::new(now),
        ],
    ))
}
