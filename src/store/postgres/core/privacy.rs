//! Privacy after logging: tombstones, marks, and the removal of mails.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{find_scope, links, make_scope, original, record, take_turn};
use crate::clock::Entropy;
use crate::error::codes;
use crate::ids::MessageUid;
use crate::privacy::tombstone::{Known, Tombstone, TombstoneKey};
use crate::privacy::{MARKED_PRIVATE, Person, Selection};
use crate::scope::Scope;
use crate::store::postgres::core::log::Asked as Question;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::migrate::refuse_newer;
use crate::store::postgres::pool::{Tx, Value};
use crate::store::postgres::values::{column, enum_column, id, maybe_digest, uuid};
use crate::store::rows::privacy::{
    Asked, DELETE, LOOSEN, Param, Step, affected as select, forget, open_opportunities,
};
use crate::store::rows::{self, Place, json, text, timestamp, unsigned};
use crate::store::{
    AffectedMail, Deletion, Erasure, Forgotten, Mark, MarkKind, Page, Removal, RemovedMails,
};

/// When and with which randomness something is written.
pub(crate) type Stamp<'a> = (Option<i64>, &'a dyn Entropy);

pub(crate) async fn affected(tx: &Tx, asked: &Question<'_, Selection>) -> Done<Page<AffectedMail>> {
    let question = rows::Question::new("affected", asked.scope, asked.filter);
    let place = question.place(asked.after)?;
    let scope = find_scope(tx, asked.scope).await?;
    let most = u64::from(asked.limit) + 1;
    let found = ask(tx, &select(scope, place.no, asked.filter, most)).await?;
    let rows = found.iter().map(affected_mail).collect::<Done<_>>()?;
    Ok(question.page(rows, asked.limit))
}

pub(crate) async fn remove_mails(
    tx: &Tx,
    scope: &Scope,
    messages: &[MessageUid],
    removal: &Removal,
    (time, entropy): Stamp<'_>,
) -> Done<RemovedMails> {
    let now = super::now(tx, time).await?;
    let scope = make_scope(tx, scope).await?;
    // No commit writes an entry of these mails meanwhile, and the second stage waits for the rows.
    take_turn(tx, scope).await?;
    let uids: Vec<_> = messages.iter().map(|uid| uuid(uid.as_bytes())).collect();
    let list = "SELECT no, uid, EXISTS (SELECT 1 FROM mail_mark k
            WHERE k.message_no = message.no AND k.kind = 'hold') AS held
        FROM message WHERE scope = $1 AND uid = ANY($2) ORDER BY no FOR UPDATE OF message";
    let mut told = RemovedMails::default();
    let mut numbers: Vec<i64> = Vec::new();
    for row in &tx.rows(list, &[&scope, &uids]).await? {
        if removal.spare_held && column(row, "held")? {
            told.held.push(MessageUid::from_bytes(id(row, "uid")?));
        } else {
            numbers.push(column(row, "no")?);
        }
    }
    if numbers.is_empty() {
        return Ok(told);
    }
    let graves = Graves::open(tx, scope, entropy, now).await?;
    for mail in record::mails(tx, &numbers).await? {
        let hashes = graves.key.of_mail(&mail.message, &Known::of(&mail.record));
        for hash in hashes {
            graves
                .put(&hash, removal.reason.code(), &removal.by)
                .await?;
        }
    }
    for no in numbers {
        remove(tx, scope, no, &mut told).await?;
        told.mails += 1;
    }
    Ok(told)
}

/// Removes a message with everything that is kept of it.
async fn remove(tx: &Tx, scope: i64, no: i64, told: &mut RemovedMails) -> Done<()> {
    // Whoever comments on an entry has ended by now, or waits.
    let entries = "SELECT host_reference FROM entry WHERE scope = $1 AND message_no = $2
        ORDER BY entry_no FOR UPDATE";
    for row in &tx.rows(entries, &[&scope, &no]).await? {
        told.entries += 1;
        told.host_references
            .extend(column::<Option<String>>(row, "host_reference")?);
    }
    for sql in LOOSEN {
        tx.run(&numbered(sql), &[&scope, &no]).await?;
    }
    let kept = "SELECT no FROM original WHERE scope = $1 AND message_no = $2";
    if let Some(row) = tx.row(kept, &[&scope, &no]).await? {
        original::remove(tx, column(&row, "no")?).await?;
        told.originals += 1;
    }
    tx.run("DELETE FROM search WHERE message_no = $1", &[&no])
        .await?;
    let references = "DELETE FROM message_reference WHERE scope = $1 AND message_no = $2
        AND id IN (SELECT jsonb_array_elements_text(m.\"references\") FROM message m
            WHERE m.no = $2)";
    tx.run(references, &[&scope, &no]).await?;
    for sql in DELETE {
        tx.run(&numbered(sql), &[&scope, &no]).await?;
    }
    Ok(())
}

pub(crate) async fn forget_person(
    tx: &Tx,
    scope: &Scope,
    person: &Person,
    (erasure, deletion): (Erasure, Deletion),
    (time, entropy): Stamp<'_>,
) -> Done<Forgotten> {
    let now = super::now(tx, time).await?;
    let id = make_scope(tx, scope).await?;
    take_turn(tx, id).await?;
    if erasure.refuse_open_opportunities && count(tx, &open_opportunities(id, person)).await? > 0 {
        return Err((&codes::PRIVACY_OPEN_OPPORTUNITY).into());
    }
    let mut lists = links::load_never_log(tx, scope).await?.lists;
    let mut told = Forgotten::default();
    let mut barred = Vec::new();
    for address in &person.addresses {
        let listed = lists.forget(address);
        told.never_log_rules += listed;
        if erasure.never_again || listed > 0 {
            barred.push(address);
        }
    }
    for step in forget(id, person) {
        told.add(step.counts, take(tx, &step, deletion).await?);
    }
    if deletion == Deletion::Preview {
        return Ok(told);
    }
    if told.never_log_rules > 0 {
        links::put_never_log(tx, id, &lists, now).await?;
    }
    if !barred.is_empty() {
        let graves = Graves::open(tx, id, entropy, now).await?;
        for address in barred {
            let hash = graves.key.of_address(address);
            graves.put(&hash, "address", "").await?;
        }
    }
    Ok(told)
}

/// Does a step, or says how many rows it is about.
async fn take(tx: &Tx, step: &Step, deletion: Deletion) -> Done<u64> {
    let deletes = deletion == Deletion::Delete;
    let Some(candidates) = step.candidates() else {
        let rows = match step.count() {
            Some(asked) => count(tx, &asked).await?,
            None => 0,
        };
        if let Some(change) = step.change().filter(|_| deletes) {
            let values = values(&change);
            tx.run(&numbered(&change.sql), &references(&values)).await?;
        }
        return Ok(rows);
    };
    let mut rows = Vec::new();
    for row in &ask(tx, &candidates).await? {
        if step.is_about(column(row, "said")?) {
            rows.push((column(row, "row_key")?, column(row, "row_other")?));
        }
    }
    if deletes {
        for sql in step.changes(&rows) {
            tx.run(&sql, &[]).await?;
        }
    }
    Ok(rows.len() as u64)
}

async fn count(tx: &Tx, asked: &Asked) -> Done<u64> {
    let counted = ask(tx, asked).await?;
    let counted = counted.first().ok_or(Fault::Damaged("a count"))?;
    Ok(unsigned(column(counted, "rows_found")?)?)
}

pub(crate) async fn mark_mail(
    tx: &Tx,
    scope: &Scope,
    message: &MessageUid,
    (kind, mark): (MarkKind, &Mark),
    time: Option<i64>,
) -> Done<()> {
    let now = super::now(tx, time).await?;
    let (scope, no) = known(tx, scope, message).await?;
    let put = "INSERT INTO mail_mark (message_no, kind, scope, author, reason, at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (message_no, kind) DO UPDATE
        SET author = excluded.author, reason = excluded.reason, at = excluded.at";
    let (by, reason) = (text(&mark.by), text(&mark.reason));
    tx.run(put, &[&no, &kind.code(), &scope, &by, &reason, &now])
        .await?;
    carry_marks(tx, &[no]).await
}

pub(crate) async fn unmark_mail(
    tx: &Tx,
    scope: &Scope,
    message: &MessageUid,
    kind: MarkKind,
) -> Done<bool> {
    let (_, no) = known(tx, scope, message).await?;
    let delete = "DELETE FROM mail_mark WHERE message_no = $1 AND kind = $2";
    let gone = tx.run(delete, &[&no, &kind.code()]).await?;
    if gone > 0 && kind == MarkKind::Private {
        let bare = "UPDATE entry SET flags = flags - $2::text WHERE message_no = $1";
        tx.run(bare, &[&no, &MARKED_PRIVATE]).await?;
    }
    Ok(gone > 0)
}

pub(crate) async fn marks(
    tx: &Tx,
    scope: &Scope,
    message: &MessageUid,
) -> Done<Vec<(MarkKind, Mark)>> {
    let scope = find_scope(tx, scope).await?;
    let list = "SELECT k.kind, k.author, k.reason, k.at FROM mail_mark k
        JOIN message m ON m.no = k.message_no
        WHERE m.scope = $1 AND m.uid = $2 ORDER BY k.kind DESC";
    let rows = tx.rows(list, &[&scope, &uuid(message.as_bytes())]).await?;
    rows.iter().map(mark).collect()
}

/// Gives the entries of messages that are marked private the flag.
pub(super) async fn carry_marks(tx: &Tx, messages: &[i64]) -> Done<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let flag = json(&[MARKED_PRIVATE])?;
    let carry = "UPDATE entry SET flags = flags || $2::text::jsonb
        WHERE message_no = ANY($1) AND NOT flags @> $2::text::jsonb AND EXISTS (
            SELECT 1 FROM mail_mark k WHERE k.message_no = entry.message_no AND k.kind = 'private')";
    tx.run(carry, &[&messages, &flag]).await?;
    Ok(())
}

/// The scope and the number of a message, whose turn is taken: no commit adds an entry meanwhile.
async fn known(tx: &Tx, scope: &Scope, message: &MessageUid) -> Done<(i64, i64)> {
    let scope = find_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    refuse_newer(tx).await?;
    let find = "SELECT no FROM message WHERE scope = $1 AND uid = $2";
    let row = tx.row(find, &[&scope, &uuid(message.as_bytes())]).await?;
    let no = column(&row.ok_or(&codes::STORE_NOT_FOUND)?, "no")?;
    Ok((scope, no))
}

/// Where tombstones are put.
struct Graves<'a> {
    tx: &'a Tx,
    scope: i64,
    now: i64,
    key: TombstoneKey,
}

impl<'a> Graves<'a> {
    /// Finds the key of the scope, or makes it. The scope's turn is taken.
    async fn open(tx: &'a Tx, scope: i64, entropy: &dyn Entropy, now: i64) -> Done<Self> {
        let find = "SELECT tombstone_key FROM scope WHERE id = $1";
        let row = tx.row(find, &[&scope]).await?;
        let row = row.ok_or(Fault::Damaged("a scope"))?;
        let key = if let Some(key) = maybe_digest(&row, "tombstone_key")? {
            key
        } else {
            let mut key = [0; 32];
            entropy.fill(&mut key);
            let keep = "UPDATE scope SET tombstone_key = $2 WHERE id = $1";
            tx.run(keep, &[&scope, &key.as_slice()]).await?;
            key
        };
        Ok(Self {
            tx,
            scope,
            now,
            key: TombstoneKey::from_bytes(key),
        })
    }

    async fn put(&self, hash: &Tombstone, why: &str, author: &str) -> Done<()> {
        let put = "INSERT INTO tombstone (scope, hash, why, author, at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING";
        let author = text(author);
        let values: &[&(dyn ToSql + Sync)] =
            &[&self.scope, &hash.as_slice(), &why, &author, &self.now];
        self.tx.run(put, values).await?;
        Ok(())
    }
}

/// A shared statement with parameters as this engine writes them.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

async fn ask(tx: &Tx, asked: &Asked) -> Done<Vec<Row>> {
    let values = values(asked);
    tx.rows(&numbered(&asked.sql), &references(&values)).await
}

fn values(asked: &Asked) -> Vec<Value<'_>> {
    let value = |value| -> Value<'_> {
        match value {
            &Param::Int(number) => Box::new(number),
            Param::Text(text) => Box::new(text.as_str()),
        }
    };
    asked.values.iter().map(value).collect()
}

fn references<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    let reference = |value: &'v Value<'_>| -> &'v (dyn ToSql + Sync) { &**value };
    values.iter().map(reference).collect()
}

fn affected_mail(row: &Row) -> Done<(Place, AffectedMail)> {
    let no: i64 = column(row, "no")?;
    let uid = MessageUid::from_bytes(id(row, "uid")?);
    let original: Option<i64> = column(row, "original")?;
    let mail = AffectedMail {
        entries: unsigned(column(row, "entries")?)?,
        original: original.map(unsigned).transpose()?,
        open_opportunity: column::<i64>(row, "deals")? > 0,
        held: column::<i64>(row, "holds")? > 0,
        waiting: column::<i64>(row, "waits")? > 0,
        ..AffectedMail::new(uid, timestamp(column(row, "date")?)?)
    };
    Ok((Place { at: no, no }, mail))
}

fn mark(row: &Row) -> Done<(MarkKind, Mark)> {
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
