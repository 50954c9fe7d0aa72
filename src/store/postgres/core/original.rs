//! Originals: pieces of a mail, staged ahead of the commit, read range by range.

use std::ops::Range;

use tokio_postgres::Row;

use super::find_scope;
use super::lease::fence;
use crate::error::codes;
use crate::ids::{MessageUid, StageId};
use crate::message::OriginalDigest;
use crate::scope::Scope;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::{Round, Tx};
use crate::store::postgres::values::{column, digest, uuid};
use crate::store::rows::{signed, unsigned};
use crate::store::{Lease, OriginalPart};

/// Ids of pieces that an original has: its number times this is the id of its first.
pub(super) const PIECES: i64 = 1 << 12;

/// One piece that is staged.
pub(crate) struct Piece<'a> {
    pub(crate) stage: StageId,
    pub(crate) index: u32,
    pub(crate) bytes: &'a [u8],
}

pub(crate) async fn stage(
    tx: &Tx,
    scope: &Scope,
    lease: &Lease,
    piece: &Piece<'_>,
    time: Option<i64>,
    round: Round,
) -> Done<()> {
    let fenced = fence(tx, scope, lease, time).await?;
    let staged = match staged_row(tx, fenced.mailbox, piece.stage).await? {
        Some(staged) => staged,
        None => begin_stage(tx, fenced.scope, fenced.mailbox, piece.stage).await?,
    };
    let index = i64::from(piece.index);
    // Pieces of a stage come from the one holder of the lease, one after the other.
    if round.unknown && staged.pieces == index + 1 {
        return Ok(());
    }
    if index != staged.pieces {
        return Err(Fault::Data("pieces come in order, from index 0"));
    }
    if index >= PIECES {
        return Err(Fault::Data("an original in too many pieces"));
    }
    let (id, size) = (
        staged.no * PIECES + index,
        signed(piece.bytes.len() as u64)?,
    );
    let put = "INSERT INTO original_chunk (id, start, size, bytes) VALUES ($1, $2, $3, $4)";
    tx.run(put, &[&id, &staged.size, &size, &piece.bytes])
        .await?;
    let grow = "UPDATE original SET size = size + $2, pieces = pieces + 1 WHERE no = $1";
    tx.run(grow, &[&staged.no, &size]).await?;
    Ok(())
}

/// The bytes of a stage, if they are not more than the limit.
pub(crate) async fn staged(
    tx: &Tx,
    scope: &Scope,
    lease: &Lease,
    stage: StageId,
    limit: u64,
    time: Option<i64>,
) -> Done<Option<Vec<u8>>> {
    let fenced = fence(tx, scope, lease, time).await?;
    let staged = staged_row(tx, fenced.mailbox, stage).await?;
    let staged = staged.ok_or(&codes::STORE_NOT_FOUND)?;
    let size = unsigned(staged.size)?;
    if size > limit {
        return Ok(None);
    }
    read_range(tx, staged.no, &(0..size)).await.map(Some)
}

pub(crate) async fn original(
    tx: &Tx,
    scope: &Scope,
    message: &MessageUid,
    range: &Range<u64>,
) -> Done<OriginalPart> {
    let scope = find_scope(tx, scope).await?;
    let find = "SELECT o.no, o.size, o.digest FROM original o JOIN message m ON m.no = o.message_no
        WHERE m.scope = $1 AND m.uid = $2 AND o.scope = $1";
    let row = tx.row(find, &[&scope, &uuid(message.as_bytes())]).await?;
    let row = row.ok_or(&codes::STORE_NOT_FOUND)?;
    let total = unsigned(column(&row, "size")?)?;
    let range = range.start.min(total)..range.end.min(total);
    let bytes = read_range(tx, column(&row, "no")?, &range).await?;
    let digest = OriginalDigest::from_bytes(digest(&row, "digest")?);
    Ok(OriginalPart::new(bytes, total, digest))
}

/// Removes what the holders of a mailbox staged and never linked.
pub(super) async fn sweep(tx: &Tx, mailbox: i64) -> Done<()> {
    let list = "SELECT no FROM original WHERE mailbox = $1 AND stage IS NOT NULL";
    for row in &tx.rows(list, &[&mailbox]).await? {
        let no: i64 = column(row, "no")?;
        remove(tx, no).await?;
    }
    Ok(())
}

/// Removes an original with its pieces.
pub(super) async fn remove(tx: &Tx, no: i64) -> Done<()> {
    let (first, end) = (no * PIECES, (no + 1) * PIECES);
    let pieces = "DELETE FROM original_chunk WHERE id >= $1 AND id < $2";
    tx.run(pieces, &[&first, &end]).await?;
    tx.run("DELETE FROM original WHERE no = $1", &[&no]).await?;
    Ok(())
}

struct Staged {
    no: i64,
    size: i64,
    pieces: i64,
}

/// Opens a stage.
async fn begin_stage(tx: &Tx, scope: i64, mailbox: i64, stage: StageId) -> Done<Staged> {
    let open = "INSERT INTO original (no, scope, stage, mailbox, size, pieces)
        VALUES (nextval('original_no'), $1, $2, $3, 0, 0) RETURNING no, size, pieces";
    let stage = uuid(stage.as_bytes());
    let row = tx.row(open, &[&scope, &stage, &mailbox]).await?;
    read_staged(&row.ok_or(Fault::Damaged("a stage"))?)
}

async fn staged_row(tx: &Tx, mailbox: i64, stage: StageId) -> Done<Option<Staged>> {
    let find = "SELECT no, size, pieces FROM original WHERE mailbox = $1 AND stage = $2";
    let row = tx.row(find, &[&mailbox, &uuid(stage.as_bytes())]).await?;
    row.as_ref().map(read_staged).transpose()
}

fn read_staged(row: &Row) -> Done<Staged> {
    Ok(Staged {
        no: column(row, "no")?,
        size: column(row, "size")?,
        pieces: column(row, "pieces")?,
    })
}

/// Reads the pieces that the range touches, and no other.
async fn read_range(tx: &Tx, no: i64, range: &Range<u64>) -> Done<Vec<u8>> {
    let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(length);
    let read = "SELECT start, bytes FROM original_chunk
        WHERE id >= $1 AND id < $2 AND start < $4 AND start + size > $3 ORDER BY id";
    let (first, end) = (no * PIECES, signed(range.end)?);
    let begin = signed(range.start)?;
    let after = first + PIECES;
    for row in &tx.rows(read, &[&first, &after, &begin, &end]).await? {
        let start = unsigned(column(row, "start")?)?;
        let piece: &[u8] = column(row, "bytes")?;
        let within = |place: u64| {
            let place = usize::try_from(place.saturating_sub(start));
            place.unwrap_or(usize::MAX).min(piece.len())
        };
        let part = piece.get(within(range.start)..within(range.end));
        bytes.extend_from_slice(part.unwrap_or_default());
    }
    Ok(bytes)
}
