//! The words of messages for the search: gathered while a transaction writes, and written at its end.
//!
//! FTS5 writes what it has gathered to its tables before every statement that may be undone alone, as a segment of its own
//! that it has to merge later. Words that are written one after the other become one segment.

use rusqlite::{Connection, params};

use crate::store::MessageRecord;
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::text;

/// The words of one message.
#[derive(Debug)]
pub(super) struct Words {
    no: i64,
    subject: String,
    participants: String,
    /// The body, once the second stage has read it.
    body: Option<String>,
}

impl Words {
    /// The words of a message that is new.
    pub(super) fn of(no: i64, record: &MessageRecord) -> Self {
        let mut participants = String::new();
        for participant in &record.participants {
            participants.push_str(participant.name.as_deref().unwrap_or_default());
            participants.push(' ');
            participants.push_str(&participant.address);
            participants.push('\n');
        }
        Self {
            no,
            subject: text(&record.subject).into_owned(),
            participants: text(&participants).into_owned(),
            body: None,
        }
    }

    /// The words of a message that is there, now with its body.
    pub(super) fn with_body(conn: &Connection, no: i64, body: &str) -> Done<Self> {
        let subject: String = conn
            .prepare_cached("SELECT subject FROM message WHERE no = ?1")?
            .query_row([no], |row| row.get(0))?;
        let participants: String = conn
            .prepare_cached(
                "SELECT coalesce(group_concat(coalesce(name, '') || ' ' || address, char(10)), '')
                 FROM participant WHERE no >= ?1 AND no < ?2",
            )?
            .query_row([no << 16, (no + 1) << 16], |row| row.get(0))?;
        Ok(Self {
            no,
            subject,
            participants,
            body: Some(text(body).into_owned()),
        })
    }
}

/// Writes words, in the order of the messages' numbers, which FTS5 takes without a pause. The index keeps no text that
/// could be changed in part, so words with a body take the place of those without.
pub(super) fn write(conn: &Connection, mut words: Vec<Words>) -> Done<()> {
    words.sort_by_key(|words| words.no);
    for words in &words {
        if words.body.is_some() {
            conn.prepare_cached("DELETE FROM search WHERE rowid = ?1")?
                .execute([words.no])?;
        }
        conn.prepare_cached(
            "INSERT INTO search (rowid, subject, participants, body) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            words.no,
            words.subject,
            words.participants,
            words.body.as_deref().unwrap_or_default()
        ])?;
    }
    Ok(())
}
