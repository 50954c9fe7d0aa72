//! A stored message, read back as its record.

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::ids::MessageUid;
use crate::message::{
    Authenticity, CanonicalDigest, ContentIdentity, FastKey, ItemClass, OriginalDigest, Sensitivity,
};
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{column, enum_column, from_json, maybe_timestamp, unsigned};
use crate::store::{MessageRecord, Participant, ParticipantRole};

/// A message with what is kept of it.
pub(super) struct Stored {
    pub(super) uid: MessageUid,
    pub(super) record: MessageRecord,
    pub(super) indexed: bool,
}

/// Reads a message by its number.
pub(super) fn read(conn: &Connection, no: i64) -> Done<Stored> {
    let mut find = conn.prepare_cached("SELECT * FROM message WHERE no = ?1")?;
    let stored = find.query_row([no], |row| Ok(stored(row))).optional()?;
    let mut stored = stored.ok_or(Fault::Damaged("a message that is referred to"))??;
    stored.record.participants = participants(conn, no)?;
    Ok(stored)
}

fn stored(row: &Row<'_>) -> Done<Stored> {
    Ok(Stored {
        uid: MessageUid::from_bytes(column(row, "uid")?),
        indexed: column::<String>(row, "index_state")? == "done",
        record: record(row)?,
    })
}

fn record(row: &Row<'_>) -> Done<MessageRecord> {
    let mut flags: Vec<String> = from_json(&column::<String>(row, "flags")?)?;
    flags.sort();
    flags.dedup();
    Ok(MessageRecord {
        identity: ContentIdentity {
            fast_key: FastKey::from_bytes(column(row, "fast_key")?),
            original_digest: OriginalDigest::from_bytes(column(row, "original_digest")?),
            size: unsigned(column(row, "size")?)?,
        },
        canonical: column::<Option<_>>(row, "canonical")?.map(CanonicalDigest::from_bytes),
        message_id: column(row, "message_id")?,
        references: from_json(&column::<String>(row, "references")?)?,
        subject: column(row, "subject")?,
        participants: Vec::new(),
        sent: maybe_timestamp(column(row, "sent")?)?,
        received: maybe_timestamp(column(row, "received")?)?,
        sensitivity: enum_column(row, "sensitivity", Sensitivity::from_code)?,
        class: enum_column(row, "class", ItemClass::from_code)?,
        authenticity: enum_column(row, "authenticity", Authenticity::from_code)?,
        flags,
        web_link: column(row, "web_link")?,
    })
}

pub(super) fn participants(conn: &Connection, no: i64) -> Done<Vec<Participant>> {
    let mut list = conn.prepare_cached(
        "SELECT role, address, name, own FROM participant WHERE no >= ?1 AND no < ?2 ORDER BY no",
    )?;
    let rows = list.query_map([no << 16, (no + 1) << 16], |row| Ok(participant(row)))?;
    rows.map(|row| row?).collect()
}

fn participant(row: &Row<'_>) -> Done<Participant> {
    let role = enum_column(row, "role", ParticipantRole::from_code)?;
    let address: String = column(row, "address")?;
    let own: bool = column(row, "own")?;
    Ok(Participant::new(role, address, column(row, "name")?).with_own(own))
}
