//! Messages as rows: who is new, who is there, and who must be looked at again.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::commit::Writer;
use super::words::Words;
use super::{Core, conversation, privacy};
use crate::ids::MessageUid;
use crate::message::{CanonicalDigest, FastKey};
use crate::scope::Scope;
use crate::store::rows::message_id_hash;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{json, maybe_micros, maybe_text, signed, text};
use crate::store::{DecidedRow, KnownMessage, MESSAGE_ID_CONFLICT, MessageRecord, Original};

impl Core {
    pub(crate) fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Done<Vec<Vec<KnownMessage>>> {
        let (tx, scope) = self.read(scope)?;
        let find = |id: &String| known_messages(&tx, scope, id);
        message_ids.iter().map(find).collect()
    }
}

/// Where a row stands with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nothing of the mail may be kept.
    Unkept,
    /// The message was there.
    Known(i64),
    /// The message is written now.
    New(i64),
    /// A tombstone bars it.
    Erased,
    /// These have its Message-ID and were not compared.
    Recheck(Vec<MessageUid>),
}

impl Identity {
    /// The number of the message's row.
    pub(super) fn message_no(&self) -> Option<i64> {
        match self {
            Self::Known(no) | Self::New(no) => Some(*no),
            Self::Unkept | Self::Erased | Self::Recheck(_) => None,
        }
    }
}

/// Finds the message of a row, or writes it.
pub(super) fn identify(writer: &mut Writer<'_>, row: &DecidedRow) -> Done<Identity> {
    let (conn, scope) = (writer.conn, writer.scope);
    let Some(record) = &row.record else {
        return Ok(Identity::Unkept);
    };
    if let Some(no) = message_no(conn, scope, &row.message)? {
        add_canonical(conn, no, record)?;
        return Ok(Identity::Known(no));
    }
    if privacy::is_barred(writer, &row.message, record)? {
        return Ok(Identity::Erased);
    }
    let strangers = strangers(conn, scope, row, record)?;
    if !strangers.is_empty() {
        return Ok(Identity::Recheck(strangers));
    }
    let no = insert(conn, scope, row, record, writer.now)?;
    // What keeps no original has no second stage.
    if row.original == Original::NotKept && !row.entries.is_empty() {
        conversation::refer(conn, no)?;
    }
    writer.words.push(Words::of(no, record));
    Ok(Identity::New(no))
}

/// The number of a message's row.
pub(super) fn message_no(conn: &Connection, scope: i64, uid: &MessageUid) -> Done<Option<i64>> {
    let mut find = conn.prepare_cached("SELECT no FROM message WHERE scope = ?1 AND uid = ?2")?;
    let no = find.query_row(params![scope, uid.as_bytes()], |row| row.get(0));
    Ok(no.optional()?)
}

/// The messages with the row's Message-ID that it was not compared with.
fn strangers(
    conn: &Connection,
    scope: i64,
    row: &DecidedRow,
    record: &MessageRecord,
) -> Done<Vec<MessageUid>> {
    let Some(id) = &record.message_id else {
        return Ok(Vec::new());
    };
    let known = known_messages(conn, scope, id)?;
    let strange = |uid: &MessageUid| *uid != row.message && !row.compared.contains(uid);
    Ok(known.into_iter().map(|m| m.uid).filter(strange).collect())
}

fn known_messages(conn: &Connection, scope: i64, message_id: &str) -> Done<Vec<KnownMessage>> {
    let mut find = conn.prepare_cached(
        "SELECT m.uid, m.fast_key, m.canonical, o.no IS NOT NULL
         FROM message m LEFT JOIN original o ON o.scope = m.scope AND o.message_no = m.no
         WHERE m.scope = ?1 AND m.message_id_hash = ?2 AND m.message_id = ?3 ORDER BY m.no",
    )?;
    let id = text(message_id);
    let known = find.query_map(params![scope, message_id_hash(&id), id], |row| {
        Ok(KnownMessage::new(
            MessageUid::from_bytes(row.get(0)?),
            FastKey::from_bytes(row.get(1)?),
            row.get::<_, Option<_>>(2)?.map(CanonicalDigest::from_bytes),
            row.get(3)?,
        ))
    })?;
    Ok(known.collect::<rusqlite::Result<_>>()?)
}

fn insert(
    conn: &Connection,
    scope: i64,
    row: &DecidedRow,
    record: &MessageRecord,
    now: i64,
) -> Done<i64> {
    let identity = &record.identity;
    let message_id = maybe_text(record.message_id.as_deref());
    let index_state = match row.original {
        Original::NotKept => "none",
        Original::Inline(_) | Original::Staged(_) => "waiting",
    };
    conn.prepare_cached(
        r#"INSERT INTO message (scope, uid, fast_key, original_digest, canonical, size, message_id,
                 message_id_hash, "references", subject, sent, received, sensitivity, class,
                 authenticity, flags, web_link, index_state, logged_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18, ?19)"#,
    )?
    .execute(params![
        scope,
        row.message.as_bytes(),
        identity.fast_key.as_bytes(),
        identity.original_digest.as_bytes(),
        record.canonical.as_ref().map(CanonicalDigest::as_bytes),
        signed(identity.size)?,
        message_id,
        message_id.as_deref().map(message_id_hash),
        json(&record.references)?,
        text(&record.subject),
        maybe_micros(record.sent),
        maybe_micros(record.received),
        record.sensitivity.code(),
        record.class.code(),
        record.authenticity.code(),
        json(&record.flags)?,
        maybe_text(record.web_link.as_deref()),
        index_state,
        now
    ])?;
    let no = conn.last_insert_rowid();
    insert_participants(conn, scope, no, record)?;
    Ok(no)
}

/// How many participants a message has at most: their numbers begin with its number.
const PARTICIPANTS: usize = 1 << 16;

fn insert_participants(conn: &Connection, scope: i64, no: i64, record: &MessageRecord) -> Done<()> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO participant (no, message_no, scope, role, address, name, own)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    if record.participants.len() > PARTICIPANTS {
        return Err(Fault::Data("too many participants"));
    }
    let first = no << 16;
    for (number, participant) in (first..).zip(&record.participants) {
        insert.execute(params![
            number,
            no,
            scope,
            participant.role.code(),
            text(&participant.address),
            maybe_text(participant.name.as_deref()),
            participant.own
        ])?;
    }
    Ok(())
}

/// Keeps a canonical digest that somebody needed after the message was written.
fn add_canonical(conn: &Connection, no: i64, record: &MessageRecord) -> Done<()> {
    if let Some(canonical) = &record.canonical {
        conn.prepare_cached(
            "UPDATE message SET canonical = ?2 WHERE no = ?1 AND canonical IS NULL",
        )?
        .execute(params![no, canonical.as_bytes()])?;
    }
    Ok(())
}

/// Flags every message that has the record's Message-ID.
pub(super) fn flag_conflict(conn: &Connection, scope: i64, record: &MessageRecord) -> Done<()> {
    let Some(id) = maybe_text(record.message_id.as_deref()) else {
        return Ok(());
    };
    conn.prepare_cached(
        "UPDATE message SET message_id_conflict = 1, flags = json_insert(flags, '$[#]', ?4)
         WHERE scope = ?1 AND message_id_hash = ?2 AND message_id = ?3
         AND message_id_conflict = 0",
    )?
    .execute(params![
        scope,
        message_id_hash(&id),
        id,
        MESSAGE_ID_CONFLICT
    ])?;
    Ok(())
}
