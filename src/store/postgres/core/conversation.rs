//! Conversations: mails looked up by the ids that they have and refer to.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;

use super::find_scope;
use crate::error::codes;
use crate::ids::{ContactNo, MessageUid};
use crate::interaction::{Conversation, ThreadMail, ThreadWalk};
use crate::scope::Scope;
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::{Tx, Write};
use crate::store::postgres::values::{column, id, uuid};
use crate::store::rows::{from_json, message_id_hash, timestamp};

/// Answers of one look-up at most.
const ANSWERS: i64 = 2_000;

pub(crate) async fn conversation(
    tx: &Tx,
    scope: &Scope,
    message: &MessageUid,
) -> Done<Conversation> {
    let scope = find_scope(tx, scope).await?;
    let found = walk(tx, scope, message).await?;
    Ok(found.ok_or(&codes::STORE_NOT_FOUND)?.0)
}

/// The numbers of the mails in the conversation of a mail; none where it is unknown.
pub(super) async fn numbers(tx: &Tx, scope: i64, message: &MessageUid) -> Done<Vec<i64>> {
    let Some((conversation, numbers)) = walk(tx, scope, message).await? else {
        return Ok(Vec::new());
    };
    let mails = conversation.mails.iter();
    Ok(mails
        .filter_map(|mail| numbers.get(&mail.message).copied())
        .collect())
}

/// Writes what messages refer to.
pub(super) fn refer(numbers: Vec<i64>) -> Write<'static> {
    let sql = "INSERT INTO message_reference (scope, id, message_no)
        SELECT DISTINCT m.scope, r.id, m.no
        FROM message m, jsonb_array_elements_text(m.\"references\") AS r (id)
        WHERE m.no = ANY($1) AND octet_length(r.id) <= 1000
        ON CONFLICT DO NOTHING";
    Write::new(sql, vec![Box::new(numbers)])
}

type Numbers = BTreeMap<MessageUid, i64>;

async fn walk(tx: &Tx, scope: i64, start: &MessageUid) -> Done<Option<(Conversation, Numbers)>> {
    let find = "SELECT no FROM message WHERE scope = $1 AND uid = $2";
    let row = tx.row(find, &[&scope, &uuid(start.as_bytes())]).await?;
    let Some(start) = row.map(|row| column::<i64>(&row, "no")).transpose()? else {
        return Ok(None);
    };
    let mut numbers = Numbers::new();
    let Some(first) = mails(tx, &[start], &mut numbers).await?.pop() else {
        return Ok(None);
    };
    let mut known = BTreeSet::from([start]);
    let mut walk = ThreadWalk::from(first);
    loop {
        let ids = walk.next_ids();
        if ids.is_empty() {
            return Ok(Some((walk.finish(), numbers)));
        }
        let found = naming(tx, scope, &ids).await?;
        if i64::try_from(found.len()).unwrap_or(i64::MAX) >= ANSWERS {
            walk.cut();
        }
        let new: Vec<i64> = found.into_iter().filter(|no| known.insert(*no)).collect();
        walk.found(mails(tx, &new, &mut numbers).await?);
    }
}

/// The messages that have one of the ids or refer to it.
async fn naming(tx: &Tx, scope: i64, ids: &[String]) -> Done<Vec<i64>> {
    let hashes: Vec<i64> = ids.iter().map(|id| message_id_hash(id)).collect();
    let find = "SELECT no FROM message
            WHERE scope = $1 AND message_id_hash = ANY($2) AND message_id = ANY($3)
        UNION SELECT message_no FROM message_reference WHERE scope = $1 AND id = ANY($3)
        ORDER BY 1 LIMIT $4";
    let rows = tx.rows(find, &[&scope, &hashes, &ids, &ANSWERS]).await?;
    rows.iter().map(|row| column(row, "no")).collect()
}

/// What of these messages says to which conversation they belong; their numbers are noted.
async fn mails(tx: &Tx, nos: &[i64], numbers: &mut Numbers) -> Done<Vec<ThreadMail>> {
    if nos.is_empty() {
        return Ok(Vec::new());
    }
    let mut people: BTreeMap<i64, Vec<(String, bool)>> = BTreeMap::new();
    let list = "SELECT message_no, address, own FROM participant
        WHERE no = ANY(SELECT p.no FROM unnest($1::bigint[]) AS m (no),
            LATERAL (SELECT no FROM participant WHERE no >= m.no * 65536
                AND no < (m.no + 1) * 65536) p)";
    for row in &tx.rows(list, &[&nos]).await? {
        let of_mail = people.entry(column(row, "message_no")?);
        let own = column::<i64>(row, "own")? != 0;
        of_mail.or_default().push((column(row, "address")?, own));
    }
    let mut contacts: BTreeMap<i64, BTreeSet<ContactNo>> = BTreeMap::new();
    let list = "SELECT message_no, contact_no, contact_company_no FROM entry
        WHERE message_no = ANY($1) AND NOT canceled";
    for row in &tx.rows(list, &[&nos]).await? {
        let company: Option<String> = column(row, "contact_company_no")?;
        let named = std::iter::once(column::<String>(row, "contact_no")?).chain(company);
        let of_mail = contacts.entry(column(row, "message_no")?);
        of_mail.or_default().extend(named.map(ContactNo::new));
    }
    let list = "SELECT no, uid, coalesce(sent, received) AS date, message_id,
            \"references\"::text AS reference_list
        FROM message WHERE no = ANY($1)";
    let mut found = Vec::with_capacity(nos.len());
    for row in &tx.rows(list, &[&nos]).await? {
        let no: i64 = column(row, "no")?;
        let mut mail = mail(row)?;
        for (address, own) in people.remove(&no).unwrap_or_default() {
            mail.name(&address, own);
        }
        mail.contacts = contacts.remove(&no).unwrap_or_default();
        numbers.insert(mail.message, no);
        found.push(mail);
    }
    Ok(found)
}

fn mail(row: &Row) -> Done<ThreadMail> {
    let mut mail = ThreadMail::new(MessageUid::from_bytes(id(row, "uid")?));
    let date: Option<i64> = column(row, "date")?;
    mail.date = date.map(timestamp).transpose()?;
    mail.message_id = column(row, "message_id")?;
    mail.references = from_json(column(row, "reference_list")?)?;
    Ok(mail)
}
