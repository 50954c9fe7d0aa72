//! The deleting of cancelled entries, and of what no other entry uses.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use uuid::Uuid;

use super::{make_scope, original, reports, take_turn};
use crate::scope::Scope;
use crate::store::postgres::fault::Done;
use crate::store::postgres::migrate::Words;
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::column;
use crate::store::rows::people::{KEPT, count_kept};
use crate::store::rows::{timestamp, unsigned};
use crate::store::{DeletedEntries, Deletion, LogFilter};

pub(crate) async fn delete_canceled(
    tx: &Tx,
    scope: &Scope,
    filter: &LogFilter,
    deletion: Deletion,
    words: Words,
    time: Option<i64>,
) -> Done<DeletedEntries> {
    let now = super::now(tx, time).await?;
    let scope = make_scope(tx, scope).await?;
    // No commit writes an entry of these mails meanwhile.
    take_turn(tx, scope).await?;
    let (doomed, kept) = doomed(tx, scope, filter, words).await?;
    let ids: Vec<Uuid> = doomed.iter().map(|entry| entry.id).collect();
    let mails = left_alone(tx, &doomed).await?;
    let originals = originals(tx, scope, &mails).await?;
    let mut told = told(tx, scope, &doomed, &ids, kept).await?;
    told.mails = mails.len() as u64;
    told.originals = originals.len() as u64;
    for (_, size) in &originals {
        told.bytes += unsigned(*size)?;
    }
    if deletion == Deletion::Delete && !doomed.is_empty() {
        delete(tx, scope, &ids, now).await?;
        strip(tx, &mails, &originals).await?;
    }
    Ok(told)
}

/// A cancelled entry that fits and that nothing keeps.
struct Doomed {
    id: Uuid,
    message_no: i64,
    date: i64,
}

/// What goes, and how much stays.
async fn doomed(
    tx: &Tx,
    scope: i64,
    filter: &LogFilter,
    words: Words,
) -> Done<(Vec<Doomed>, DeletedEntries)> {
    let mut filter = filter.clone();
    filter.canceled = true;
    let mut all = reports::conditions(tx, scope, &filter, words).await?;
    all.hold("e.canceled");
    let sql = format!(
        "SELECT e.id, e.message_no, e.date, {KEPT} AS kept FROM entry e
         WHERE {} ORDER BY e.no FOR UPDATE OF e",
        all.sql()
    );
    let (mut doomed, mut kept) = (Vec::new(), DeletedEntries::default());
    for row in &tx.rows(&sql, &all.values()).await? {
        if let Some(why) = column::<Option<&str>>(row, "kept")? {
            count_kept(&mut kept, why);
            continue;
        }
        doomed.push(Doomed {
            id: column(row, "id")?,
            message_no: column(row, "message_no")?,
            date: column(row, "date")?,
        });
    }
    Ok((doomed, kept))
}

/// The messages that have no other entries.
async fn left_alone(tx: &Tx, doomed: &[Doomed]) -> Done<Vec<i64>> {
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for entry in doomed {
        *counts.entry(entry.message_no).or_default() += 1;
    }
    let numbers: Vec<i64> = counts.keys().copied().collect();
    let count = "SELECT message_no, count(*) AS entries FROM entry WHERE message_no = ANY($1)
        GROUP BY message_no ORDER BY message_no";
    let mut alone = Vec::new();
    for row in &tx.rows(count, &[&numbers]).await? {
        let no: i64 = column(row, "message_no")?;
        if counts.get(&no) == Some(&column(row, "entries")?) {
            alone.push(no);
        }
    }
    Ok(alone)
}

async fn told(
    tx: &Tx,
    scope: i64,
    doomed: &[Doomed],
    ids: &[Uuid],
    kept: DeletedEntries,
) -> Done<DeletedEntries> {
    let count = "SELECT count(*) AS comments FROM entry_comment
        WHERE scope = $1 AND entry_id = ANY($2)";
    let row = tx.row(count, &[&scope, &ids]).await?;
    let comments = row.map_or(Ok(0), |row| column(&row, "comments"))?;
    let dates = || doomed.iter().map(|entry| entry.date);
    Ok(DeletedEntries {
        entries: doomed.len() as u64,
        comments: unsigned(comments)?,
        oldest: dates().min().map(timestamp).transpose()?,
        newest: dates().max().map(timestamp).transpose()?,
        ..kept
    })
}

/// Number and size of the originals of messages.
async fn originals(tx: &Tx, scope: i64, mails: &[i64]) -> Done<Vec<(i64, i64)>> {
    let list = "SELECT no, size FROM original WHERE scope = $1 AND message_no = ANY($2)
        ORDER BY no";
    let rows = tx.rows(list, &[&scope, &mails]).await?;
    let pair = |row: &Row| Ok((column(row, "no")?, column(row, "size")?));
    rows.iter().map(pair).collect()
}

async fn delete(tx: &Tx, scope: i64, ids: &[Uuid], now: i64) -> Done<()> {
    let remember = "INSERT INTO deleted_entry (scope, id, message_no, deleted_at)
        SELECT scope, id, message_no, $3 FROM entry WHERE scope = $1 AND id = ANY($2)
        ON CONFLICT DO NOTHING";
    tx.run(remember, &[&scope, &ids, &now]).await?;
    let comments = "DELETE FROM entry_comment WHERE scope = $1 AND entry_id = ANY($2)";
    tx.run(comments, &[&scope, &ids]).await?;
    let entries = "DELETE FROM entry WHERE scope = $1 AND id = ANY($2)";
    tx.run(entries, &[&scope, &ids]).await?;
    Ok(())
}

/// Removes what messages keep for their entries alone. The state comes first: it holds the second stage off.
async fn strip(tx: &Tx, mails: &[i64], originals: &[(i64, i64)]) -> Done<()> {
    let state = "UPDATE message SET index_state = 'gone' WHERE no = ANY($1)";
    tx.run(state, &[&mails]).await?;
    for (no, _) in originals {
        original::remove(tx, *no).await?;
    }
    for sql in [
        "DELETE FROM content WHERE message_no = ANY($1)",
        "DELETE FROM search WHERE message_no = ANY($1)",
    ] {
        tx.run(sql, &[&mails]).await?;
    }
    Ok(())
}
