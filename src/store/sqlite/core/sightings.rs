//! Sightings: what is known of a copy, failed attempts, and another round for what was set aside.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::commit::Writer;
use super::decided::{ALREADY_LOGGED, LOGGED};
use super::lease::fence;
use super::{Core, find_mailbox, moves};
use crate::decision::Disposition;
use crate::ids::{MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::source::{ItemRef, SightingKey};
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{
    column, enum_column, key_bytes, maybe_micros, maybe_text, maybe_timestamp, micros,
    sighting_key, signed, text,
};
use crate::store::{FailedAttempt, KnownSighting, Lease, Sighting, SightingState};

impl Core {
    pub(crate) fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Done<Vec<Option<KnownSighting>>> {
        let (tx, scope) = self.read(scope)?;
        let mailbox = find_mailbox(&tx, scope, mailbox)?;
        let known = |key| match find(&tx, mailbox, key)? {
            Some(Found { no, known }) => Ok(Some(KnownSighting {
                waiting: moves::waiting(&tx, no)?,
                ..known
            })),
            None => Ok(None),
        };
        keys.iter().map(known).collect()
    }

    pub(crate) fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Done<Vec<Option<SightingKey>>> {
        let (tx, scope) = self.read(scope)?;
        let mailbox = find_mailbox(&tx, scope, mailbox)?;
        let waiting = waiting_digests(&tx, mailbox)?;
        let key = |item: &ItemRef| match waiting.get(&item.id) {
            Some(key) => sighting_key(key).map(Some),
            None => digest_at(&tx, mailbox, &item.id),
        };
        items.iter().map(key).collect()
    }

    pub(crate) fn requeue(
        &mut self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Done<u64> {
        let (tx, scope) = self.write(scope)?;
        let mailbox = find_mailbox(&tx, scope, mailbox)?;
        let requeued = requeue(&tx, mailbox, keys)?;
        tx.commit()?;
        Ok(requeued)
    }

    pub(crate) fn requeue_held(
        &mut self,
        scope: &Scope,
        lease: &Lease,
        keys: &[SightingKey],
    ) -> Done<u64> {
        let (tx, scope) = self.write(scope)?;
        let mailbox = fence(&tx, scope, lease)?;
        let requeued = requeue(&tx, mailbox, keys)?;
        tx.commit()?;
        Ok(requeued)
    }
}

/// A sighting's row.
pub(super) struct Found {
    pub(super) no: i64,
    pub(super) known: KnownSighting,
}

impl Found {
    /// Whether it has its outcome.
    pub(super) fn is_settled(&self) -> bool {
        self.known.state != SightingState::Pending
    }

    /// Whether its message has its entries.
    pub(super) fn is_logged(&self) -> bool {
        matches!(self.known.outcome.as_deref(), Some(LOGGED | ALREADY_LOGGED))
    }

    /// Whether it may be read again: it has no outcome, or one that no entry came of and that is not set aside.
    fn gets_attempts(&self) -> bool {
        self.known.state != SightingState::Quarantined && !self.is_logged()
    }
}

/// Finds a sighting.
pub(super) fn find(conn: &Connection, mailbox: i64, key: &SightingKey) -> Done<Option<Found>> {
    let mut find = conn.prepare_cached(
        "SELECT s.no, s.state, s.item_id, s.change_key, s.attempts, s.next_try, s.disposition, m.uid,
             iif(s.state = 'pending', NULL, d.outcome) AS outcome
         FROM sighting s LEFT JOIN message m ON m.no = s.message_no
         LEFT JOIN decision d ON d.sighting_no = s.no
         WHERE s.mailbox = ?1 AND s.key = ?2",
    )?;
    let found = find.query_row(params![mailbox, key_bytes(key)], |row| {
        let no = row.get("no")?;
        Ok((no, known(row)))
    });
    match found.optional()? {
        Some((no, known)) => Ok(Some(Found { no, known: known? })),
        None => Ok(None),
    }
}

/// The digest under which an item was last seen: one that has its outcome before one that has not.
fn digest_at(conn: &Connection, mailbox: i64, item: &str) -> Done<Option<SightingKey>> {
    let mut find = conn.prepare_cached(
        "SELECT key FROM sighting
         WHERE mailbox = ?1 AND item_id = ?2 AND key >= x'64' AND key < x'65'
         ORDER BY state = 'pending', no DESC LIMIT 1",
    )?;
    let found = find.query_row(params![mailbox, text(item)], |row| row.get(0));
    let found: Option<Vec<u8>> = found.optional()?;
    found.as_deref().map(sighting_key).transpose()
}

/// The digests whose moves are to be done, by item: an item that is not the last seen of its digest is in no index.
fn waiting_digests(conn: &Connection, mailbox: i64) -> Done<BTreeMap<String, Vec<u8>>> {
    let mut find = conn.prepare_cached(
        "SELECT p.item_id, s.key FROM pending_move p JOIN sighting s ON s.no = p.sighting_no
         WHERE p.mailbox = ?1 AND s.key >= x'64' AND s.key < x'65'",
    )?;
    let rows = find.query_map(params![mailbox], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
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
        outcome: column(row, "outcome")?,
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

/// Writes a sighting that is new with its outcome. Answers its number. (Asking for it with `RETURNING` would have SQLite
/// copy each page before it changes, as for every statement that may fail half-way.)
pub(super) fn decide(writer: &Writer<'_>, decided: &Decided<'_>) -> Done<i64> {
    let sighting = decided.sighting;
    let mut write = writer.conn.prepare_cached(
        "INSERT INTO sighting (scope, mailbox, key, state, item_id, change_key, received, size,
             message_no, disposition, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let no = write.insert(params![
        writer.scope,
        writer.mailbox,
        key_bytes(&sighting.key),
        decided.state.code(),
        text(&sighting.item.id),
        maybe_text(sighting.item.change_key.as_deref()),
        maybe_micros(sighting.received),
        sighting.size.map(signed).transpose()?,
        decided.message_no,
        decided.disposition.code(),
        writer.now
    ])?;
    Ok(no)
}

/// Gives a sighting that is there its outcome.
pub(super) fn decide_again(conn: &Connection, no: i64, decided: &Decided<'_>) -> Done<()> {
    let sighting = decided.sighting;
    conn.prepare_cached(
        "UPDATE sighting SET state = ?2, item_id = ?3, change_key = ?4, received = ?5, size = ?6,
             message_no = ?7, disposition = ?8, attempts = 0, next_try = NULL
         WHERE no = ?1",
    )?
    .execute(params![
        no,
        decided.state.code(),
        text(&sighting.item.id),
        maybe_text(sighting.item.change_key.as_deref()),
        maybe_micros(sighting.received),
        sighting.size.map(signed).transpose()?,
        decided.message_no,
        decided.disposition.code()
    ])?;
    Ok(())
}

/// Counts a failed attempt. An outcome that is there already stays; what is logged or set aside gets no attempts.
pub(super) fn fail(writer: &Writer<'_>, sighting: &Sighting, attempt: &FailedAttempt) -> Done<u32> {
    let found = find(writer.conn, writer.mailbox, &sighting.key)?;
    let counts = found.is_none_or(|found| found.gets_attempts());
    let mut count = writer.conn.prepare_cached(
        "INSERT INTO sighting (scope, mailbox, key, state, item_id, change_key, received, size,
             attempts, next_try, code, seen_at)
         VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10)
         ON CONFLICT (mailbox, key) DO UPDATE SET
             attempts = attempts + ?11,
             item_id = iif(state = 'pending', excluded.item_id, item_id),
             change_key = iif(state = 'pending', excluded.change_key, change_key),
             next_try = iif(?11, excluded.next_try, next_try),
             code = iif(?11, excluded.code, code)
         RETURNING attempts",
    )?;
    let attempts = count.query_row(
        params![
            writer.scope,
            writer.mailbox,
            key_bytes(&sighting.key),
            text(&sighting.item.id),
            maybe_text(sighting.item.change_key.as_deref()),
            maybe_micros(sighting.received),
            sighting.size.map(signed).transpose()?,
            micros(attempt.next_try),
            text(&attempt.code),
            writer.now,
            counts
        ],
        |row| row.get(0),
    )?;
    Ok(attempts)
}

/// Answers how many were set aside.
fn requeue(conn: &Connection, mailbox: i64, keys: &[SightingKey]) -> Done<u64> {
    let mut requeued = 0;
    for key in keys {
        requeued += try_again(conn, mailbox, key)?;
    }
    Ok(requeued)
}

/// Answers 1 if the sighting was set aside. Its move to the quarantine is not wanted any more.
fn try_again(conn: &Connection, mailbox: i64, key: &SightingKey) -> Done<u64> {
    let Some(found) = find(conn, mailbox, key)? else {
        return Ok(0);
    };
    let requeued = conn
        .prepare_cached(
            "UPDATE sighting SET state = 'pending', attempts = 0, next_try = NULL, disposition = NULL
             WHERE no = ?1 AND state = 'quarantined'",
        )?
        .execute([found.no])?;
    if requeued > 0 {
        conn.prepare_cached("DELETE FROM pending_move WHERE sighting_no = ?1")?
            .execute([found.no])?;
    }
    Ok(requeued as u64)
}
