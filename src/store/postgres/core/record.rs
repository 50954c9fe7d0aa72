//! Stored messages, read back as their records, with their entries and attachments.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::entries::entries_of;
use crate::ids::MessageUid;
use crate::message::{
    Attachment, Authenticity, CanonicalDigest, ContentIdentity, FastKey, ItemClass, OriginalDigest,
    Sensitivity,
};
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, digest, enum_column, id, maybe_digest};
use crate::store::rows::{from_json, timestamp, unsigned};
use crate::store::{LoggedMail, MessageRecord, Participant, ParticipantRole};

/// The mails with these numbers, in their order.
pub(super) async fn mails(tx: &Tx, numbers: &[i64]) -> Done<Vec<LoggedMail>> {
    let list = "SELECT m.*, m.\"references\"::text AS reference_list, m.flags::text AS flag_list,
            c.attachments::text AS attachment_list
        FROM message m LEFT JOIN content c ON c.message_no = m.no WHERE m.no = ANY($1)";
    let rows = tx.rows(list, &[&numbers]).await?;
    let mut entries = entries_of(tx, numbers, false).await?;
    let mut participants = participants(tx, numbers).await?;
    let mut by_number = BTreeMap::new();
    for row in &rows {
        let no: i64 = column(row, "no")?;
        let uid = MessageUid::from_bytes(id(row, "uid")?);
        let mut record = record(row)?;
        record.participants = participants.remove(&no).unwrap_or_default();
        let mail = LoggedMail {
            attachments: attachments(row)?,
            indexed: column::<&str>(row, "index_state")? == "done",
            ..LoggedMail::new(uid, record, entries.remove(&no).unwrap_or_default())
        };
        by_number.insert(no, mail);
    }
    let missing = Fault::Damaged;
    let mail = |no| {
        let mail = by_number.remove(no);
        mail.ok_or(missing("a message that is referred to"))
    };
    numbers.iter().map(mail).collect()
}

/// The attachments that the second stage found.
fn attachments(row: &Row) -> Done<Vec<Attachment>> {
    let json: Option<&str> = column(row, "attachment_list")?;
    Ok(json.map(from_json).transpose()?.unwrap_or_default())
}

fn record(row: &Row) -> Done<MessageRecord> {
    let mut flags: Vec<String> = from_json(column(row, "flag_list")?)?;
    flags.sort();
    flags.dedup();
    let time = |name| -> Done<_> {
        let at: Option<i64> = column(row, name)?;
        Ok(at.map(timestamp).transpose()?)
    };
    Ok(MessageRecord {
        identity: ContentIdentity {
            fast_key: FastKey::from_bytes(digest(row, "fast_key")?),
            original_digest: OriginalDigest::from_bytes(digest(row, "original_digest")?),
            size: unsigned(column(row, "size")?)?,
        },
        canonical: maybe_digest(row, "canonical")?.map(CanonicalDigest::from_bytes),
        message_id: column(row, "message_id")?,
        references: from_json(column(row, "reference_list")?)?,
        subject: column(row, "subject")?,
        participants: Vec::new(),
        sent: time("sent")?,
        received: time("received")?,
        sensitivity: enum_column(row, "sensitivity", Sensitivity::from_code)?,
        class: enum_column(row, "class", ItemClass::from_code)?,
        authenticity: enum_column(row, "authenticity", Authenticity::from_code)?,
        flags,
        web_link: column(row, "web_link")?,
    })
}

pub(super) async fn participants(
    tx: &Tx,
    numbers: &[i64],
) -> Done<BTreeMap<i64, Vec<Participant>>> {
    let list = "SELECT message_no, role, address, name, own FROM participant p
        JOIN UNNEST($1::bigint[]) AS r (message) ON p.no >= r.message * 65536
            AND p.no < (r.message + 1) * 65536
        ORDER BY p.no";
    let mut by_message: BTreeMap<i64, Vec<Participant>> = BTreeMap::new();
    for row in &tx.rows(list, &[&numbers]).await? {
        let role = enum_column(row, "role", ParticipantRole::from_code)?;
        let address: String = column(row, "address")?;
        let own = column::<i64>(row, "own")? != 0;
        let participant = Participant::new(role, address, column(row, "name")?).with_own(own);
        let named = by_message.entry(column(row, "message_no")?);
        named.or_default().push(participant);
    }
    Ok(by_message)
}
