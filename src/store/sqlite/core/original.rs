//! Originals: pieces of a mail, staged ahead or written with the commit, read range by range.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Core;
use super::commit::Writer;
use super::identity::Identity;
use super::lease::fence;
use crate::error::codes;
use crate::ids::{MessageUid, StageId};
use crate::message::OriginalDigest;
use crate::scope::Scope;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::options::{PIECE_BYTES, SYNCHRONOUS};
use crate::store::sqlite::values::{signed, unsigned};
use crate::store::{Lease, Original, OriginalPart};

/// Ids of pieces that an original has: its number times this is the id of its first.
const PIECES: i64 = 1 << 12;

impl Core {
    /// Appends a piece. It need not outlive a loss of power before the commit that links it, and that commit syncs the whole
    /// write-ahead log: a sync for each piece would be one for each megabyte. Without such a log each is synced as everything is.
    pub(crate) fn stage(
        &mut self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: &[u8],
    ) -> Done<()> {
        self.synchronous(self.synchronous_of_stages()?)?;
        let staged = self.append(scope, lease, stage, index, bytes);
        self.synchronous(SYNCHRONOUS)?;
        staged
    }

    fn append(
        &mut self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: &[u8],
    ) -> Done<()> {
        let (tx, scope) = self.write(scope)?;
        let mailbox = fence(&tx, scope, lease)?;
        let (no, size, pieces) = match staged(&tx, mailbox, stage)? {
            Some(staged) => staged,
            None => (begin_stage(&tx, scope, mailbox, stage)?, 0, 0),
        };
        if i64::from(index) != pieces {
            return Err(Fault::Data("pieces come in order, from index 0"));
        }
        put_piece(&tx, no, pieces, size, bytes)?;
        tx.prepare_cached(
            "UPDATE original SET size = size + ?2, pieces = pieces + 1 WHERE no = ?1",
        )?
        .execute(params![no, signed(bytes.len() as u64)?])?;
        Ok(tx.commit()?)
    }

    /// The bytes of a stage, if they are not more than the limit.
    pub(crate) fn staged(
        &mut self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Done<Option<Vec<u8>>> {
        let (tx, scope) = self.write(scope)?;
        let mailbox = fence(&tx, scope, lease)?;
        let (no, size, _) = staged(&tx, mailbox, stage)?.ok_or(&codes::STORE_NOT_FOUND)?;
        let size = unsigned(size)?;
        if size > limit {
            return Ok(None);
        }
        read_range(&tx, no, &(0..size)).map(Some)
    }

    pub(crate) fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: &Range<u64>,
    ) -> Done<OriginalPart> {
        let (tx, scope) = self.read(scope)?;
        let (no, total, digest) = tx
            .prepare_cached(
                "SELECT o.no, o.size, o.digest FROM original o JOIN message m ON m.no = o.message_no
                 WHERE m.scope = ?1 AND m.uid = ?2 AND o.scope = ?1",
            )?
            .query_row(params![scope, message.as_bytes()], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?))
            })
            .optional()?
            .ok_or(&codes::STORE_NOT_FOUND)?;
        let total = unsigned(total)?;
        let range = range.start.min(total)..range.end.min(total);
        let bytes = read_range(&tx, no, &range)?;
        let digest = OriginalDigest::from_bytes(digest);
        Ok(OriginalPart::new(bytes, total, digest))
    }
}

/// Opens a stage. Answers its number.
fn begin_stage(conn: &Connection, scope: i64, mailbox: i64, stage: StageId) -> Done<i64> {
    let no = last_original(conn)? + 1;
    conn.prepare_cached(
        "INSERT INTO original (no, scope, stage, mailbox, size, pieces) VALUES (?1, ?2, ?3, ?4, 0, 0)",
    )?
    .execute(params![no, scope, stage.as_bytes(), mailbox])?;
    Ok(no)
}

/// Number, size and pieces of what is staged.
fn staged(conn: &Connection, mailbox: i64, stage: StageId) -> Done<Option<(i64, i64, i64)>> {
    let row = conn
        .prepare_cached("SELECT no, size, pieces FROM original WHERE mailbox = ?1 AND stage = ?2")?
        .query_row(params![mailbox, stage.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        });
    Ok(row.optional()?)
}

/// The highest number of an original.
pub(super) fn last_original(conn: &Connection) -> Done<i64> {
    let mut last = conn.prepare_cached("SELECT coalesce(max(no), 0) FROM original")?;
    Ok(last.query_row([], |row| row.get(0))?)
}

fn put_piece(conn: &Connection, no: i64, index: i64, start: i64, bytes: &[u8]) -> Done<()> {
    if index >= PIECES {
        return Err(Fault::Data("an original in too many pieces"));
    }
    conn.prepare_cached(
        "INSERT INTO original_chunk (id, start, size, bytes) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        no * PIECES + index,
        start,
        signed(bytes.len() as u64)?,
        bytes
    ])?;
    Ok(())
}

/// Removes an original with its pieces.
pub(super) fn remove(conn: &Connection, no: i64) -> Done<()> {
    conn.prepare_cached("DELETE FROM original_chunk WHERE id >= ?1 AND id < ?2")?
        .execute(params![no * PIECES, (no + 1) * PIECES])?;
    conn.prepare_cached("DELETE FROM original WHERE no = ?1")?
        .execute([no])?;
    Ok(())
}

/// Removes what the holders of a mailbox staged and never linked. Answers whether there was anything.
pub(super) fn sweep(conn: &Connection, mailbox: i64) -> Done<bool> {
    let mut list =
        conn.prepare_cached("SELECT no FROM original WHERE mailbox = ?1 AND stage IS NOT NULL")?;
    let numbers = list.query_map([mailbox], |row| row.get(0))?;
    let numbers: Vec<i64> = numbers.collect::<rusqlite::Result<_>>()?;
    for no in &numbers {
        remove(conn, *no)?;
    }
    Ok(!numbers.is_empty())
}

/// Whether a message has its original.
fn has_original(conn: &Connection, scope: i64, message_no: i64) -> Done<bool> {
    let mut find =
        conn.prepare_cached("SELECT 1 FROM original WHERE scope = ?1 AND message_no = ?2")?;
    Ok(find.exists(params![scope, message_no])?)
}

/// Gives a message its original, unless it has one. Answers whether it got it now.
pub(super) fn link(
    writer: &mut Writer<'_>,
    message: &Identity,
    original: &Original,
    digest: &OriginalDigest,
) -> Done<bool> {
    let (Some(message_no), Original::Inline(_) | Original::Staged(_)) =
        (message.message_no(), original)
    else {
        return Ok(false);
    };
    let may_have_one = matches!(message, Identity::Known(_));
    if may_have_one && has_original(writer.conn, writer.scope, message_no)? {
        return Ok(false);
    }
    match original {
        Original::Inline(bytes) => insert(writer, message_no, bytes, digest)?,
        Original::Staged(stage) => link_stage(writer, message_no, *stage, digest)?,
        Original::NotKept => {}
    }
    Ok(true)
}

fn insert(
    writer: &mut Writer<'_>,
    message_no: i64,
    bytes: &[u8],
    digest: &OriginalDigest,
) -> Done<()> {
    let no = writer.next_original()?;
    let (conn, scope) = (writer.conn, writer.scope);
    let pieces = bytes.chunks(PIECE_BYTES);
    conn.prepare_cached(
        "INSERT INTO original (no, scope, message_no, size, pieces, digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        no,
        scope,
        message_no,
        signed(bytes.len() as u64)?,
        signed(pieces.len() as u64)?,
        digest.as_bytes()
    ])?;
    let mut start = 0;
    for (index, piece) in (0_i64..).zip(pieces) {
        put_piece(conn, no, index, start, piece)?;
        start += signed(piece.len() as u64)?;
    }
    Ok(())
}

fn link_stage(
    writer: &Writer<'_>,
    message_no: i64,
    stage: StageId,
    digest: &OriginalDigest,
) -> Done<()> {
    let linked = writer
        .conn
        .prepare_cached(
            "UPDATE original SET message_no = ?3, digest = ?4, stage = NULL, mailbox = NULL
             WHERE mailbox = ?1 AND stage = ?2",
        )?
        .execute(params![
            writer.mailbox,
            stage.as_bytes(),
            message_no,
            digest.as_bytes()
        ])?;
    match linked {
        0 => Err(Fault::Data("the staged original is not there")),
        _ => Ok(()),
    }
}

/// Reads the pieces that the range touches, and no other.
fn read_range(conn: &Connection, no: i64, range: &Range<u64>) -> Done<Vec<u8>> {
    let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(length);
    let mut read = conn.prepare_cached(
        "SELECT start, bytes FROM original_chunk
         WHERE id >= ?1 AND id < ?2 AND start < ?4 AND start + size > ?3 ORDER BY id",
    )?;
    let (first, end) = (no * PIECES, signed(range.end)?);
    let mut rows = read.query(params![first, first + PIECES, signed(range.start)?, end])?;
    while let Some(row) = rows.next()? {
        let start = unsigned(row.get(0)?)?;
        let piece = row.get_ref(1)?.as_blob();
        let piece = piece.map_err(|_| Fault::Damaged("a piece of an original"))?;
        let within = |place: u64| {
            let place = usize::try_from(place.saturating_sub(start));
            place.unwrap_or(usize::MAX).min(piece.len())
        };
        let part = piece.get(within(range.start)..within(range.end));
        bytes.extend_from_slice(part.unwrap_or_default());
    }
    Ok(bytes)
}
