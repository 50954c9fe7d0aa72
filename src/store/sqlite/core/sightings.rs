//! Sightings: what is known of a copy, failed attempts, and another round for what was set aside.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Core;
use crate::decision::Disposition;
use crate::ids::{MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::source::{ItemRef, SightingKey};
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{
    column, enum_column, maybe_micros, maybe_text, maybe_timestamp, micros, signed, text,
};
use crate::store::{FailedAttempt, KnownSighting, Sighting, SightingState};

impl Core {
    pub(crate) fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Done<Vec<Option<KnownSighting>>> {
        let (tx, scope) = self.read(scope)?;
        let find = |key| find(&tx, scope, mailbox.as_str(), key);
        keys.iter().map(find).collect()
    }

    pub(crate) fn requeue(
        &mut self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Done<u64> {
        let (tx, scope) = self.write(scope)?;
        let mut requeued = 0;
        for key in keys {
            requeued += requeue(&tx, scope, mailbox.as_str(), &key.to_string())?;
        }
        tx.commit()?;
        Ok(requeued)
    }
}

/// What is known of one sighting.
pub(super) fn find(
    conn: &Connection,
    scope: i64,
    mailbox: &str,
    key: &SightingKey,
) -> Done<Option<KnownSighting>> {
    let mut find = conn.prepare_cached(
        "SELECT s.state, s.item_id, s.change_key, s.attempts, s.next_try, s.disposition, m.uid
         FROM sighting s LEFT JOIN message m ON m.no = s.message_no
         WHERE s.scope = ?1 AND s.mailbox = ?2 AND s.key = ?3",
    )?;
    let known = find.query_row(params![scope, mailbox, text(&key.to_string())], |row| {
        Ok(known(row))
    });
    known.optional()?.transpose()
}

fn known(row: &Row<'_>) -> Done<KnownSighting> {
    let mut item = ItemRef::new(column::<String>(row, "item_id")?);
    item.change_key = column(row, "change_key")?;
    let state = enum_column(row, "state", SightingState::from_code)?;
    let disposition: Option<String> = column(row, "disposition")?;
    let unknown = Fault::Damaged("an unknown code");
    Ok(KnownSighting {
        message: column::<Option<[u8; 16]>>(row, "uid")?.map(MessageUid::from_bytes),
        attempts: column(row, "attempts")?,
        next_try: maybe_timestamp(column(row, "next_try")?)?,
        disposition: match disposition.as_deref().map(Disposition::from_code) {
            Some(None) => return Err(unknown),
            Some(found) => found,
            None => None,
        },
        ..KnownSighting::new(state, item)
    })
}

/// What a sighting became.
pub(super) struct Decided<'a> {
    pub(super) state: SightingState,
    pub(super) message_no: Option<i64>,
    pub(super) disposition: Disposition,
    pub(super) sighting: &'a Sighting,
}

/// Gives a sighting its outcome.
pub(super) fn decide(
    conn: &Connection,
    scope: i64,
    mailbox: &str,
    decided: &Decided<'_>,
    now: i64,
) -> Done<()> {
    let Decided { sighting, .. } = decided;
    conn.prepare_cached(
        "INSERT INTO sighting (scope, mailbox, key, state, item_id, change_key, received, size,
             message_no, disposition, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (scope, mailbox, key) DO UPDATE SET state = excluded.state,
             item_id = excluded.item_id, change_key = excluded.change_key,
             received = excluded.received, size = excluded.size,
             message_no = excluded.message_no, disposition = excluded.disposition,
             next_try = NULL",
    )?
    .execute(params![
        scope,
        mailbox,
        text(&sighting.key.to_string()),
        decided.state.code(),
        text(&sighting.item.id),
        maybe_text(sighting.item.change_key.as_deref()),
        maybe_micros(sighting.received),
        sighting.size.map(signed).transpose()?,
        decided.message_no,
        decided.disposition.code(),
        now
    ])?;
    Ok(())
}

/// Counts a failed attempt. An outcome that is there already stays.
pub(super) fn fail(
    conn: &Connection,
    scope: i64,
    mailbox: &str,
    sighting: &Sighting,
    attempt: &FailedAttempt,
    now: i64,
) -> Done<u32> {
    let mut count = conn.prepare_cached(
        "INSERT INTO sighting (scope, mailbox, key, state, item_id, change_key, received, size,
             attempts, next_try, code, seen_at)
         VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10)
         ON CONFLICT (scope, mailbox, key) DO UPDATE SET
             attempts = attempts + (state = 'pending'),
             item_id = iif(state = 'pending', excluded.item_id, item_id),
             change_key = iif(state = 'pending', excluded.change_key, change_key),
             next_try = iif(state = 'pending', excluded.next_try, next_try),
             code = iif(state = 'pending', excluded.code, code)
         RETURNING attempts",
    )?;
    let attempts = count.query_row(
        params![
            scope,
            mailbox,
            text(&sighting.key.to_string()),
            text(&sighting.item.id),
            maybe_text(sighting.item.change_key.as_deref()),
            maybe_micros(sighting.received),
            sighting.size.map(signed).transpose()?,
            micros(attempt.next_try),
            text(&attempt.code),
            now
        ],
        |row| row.get(0),
    )?;
    Ok(attempts)
}

/// Answers 1 if the sighting was set aside. Its move to the quarantine is not wanted any more.
fn requeue(conn: &Connection, scope: i64, mailbox: &str, key: &str) -> Done<u64> {
    let requeued = conn
        .prepare_cached(
            "UPDATE sighting SET state = 'pending', attempts = 0, next_try = NULL
             WHERE scope = ?1 AND mailbox = ?2 AND key = ?3 AND state = 'quarantined'",
        )?
        .execute(params![scope, mailbox, text(key)])?;
    if requeued > 0 {
        conn.prepare_cached(
            "DELETE FROM pending_move WHERE scope = ?1 AND mailbox = ?2 AND key = ?3",
        )?
        .execute(params![scope, mailbox, text(key)])?;
    }
    Ok(requeued as u64)
}
