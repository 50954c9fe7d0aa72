//! Equal Message-ID with other bytes: the same mail in another rendering, or another mail that repeats the id.
//!
//! The sender chooses the Message-ID, so it alone decides nothing: decoded contents are compared, and a conflict logs both.

use std::sync::Arc;

use crate::caught::caught;
use crate::decision::Decision;
use crate::error::Result;
use crate::ids::MessageUid;
use crate::message::{CanonicalDigest, MessageLimits};
use crate::store::{DecidedRow, KnownMessage, Lease, Original, RowContent};

use super::parts::Parts;
use super::prepare::{Prepared, entries};

/// Originals above this are not parsed for a comparison; they count as different.
const COMPARED_BYTES: u64 = 32 << 20;

/// Compares a row with the messages that its commit met, and makes it theirs or marks the conflict.
pub(super) async fn compare(
    parts: &Parts,
    lease: &Lease,
    prepared: &mut Prepared,
    met: &[MessageUid],
) -> Result<()> {
    let RowContent::Decided(row) = &mut prepared.row.content else {
        return Ok(());
    };
    let row = Arc::make_mut(row);
    let Some(message_id) = row
        .record
        .as_ref()
        .and_then(|record| record.message_id.clone())
    else {
        return Ok(());
    };
    let known = parts
        .ledger
        .with_message_ids(&parts.scope, &[message_id])
        .await?;
    let own = match row.record.as_ref().and_then(|record| record.canonical) {
        None => own_digest(parts, lease, row, &prepared.spare).await?,
        kept => kept,
    };
    for candidate in known
        .into_iter()
        .flatten()
        .filter(|known| met.contains(&known.uid))
    {
        let theirs = digest_of(parts, &candidate).await?;
        if own.is_some() && own == theirs {
            adopt(parts, prepared, &candidate);
            return Ok(());
        }
    }
    row.compared.extend_from_slice(met);
    row.message_id_conflict = true;
    if let (Some(record), Some(own)) = (&mut row.record, own) {
        record.canonical = Some(own);
    }
    Ok(())
}

/// Keeps the digests of mails whose originals are not kept: what nobody can compare any more would be logged in each of its
/// renderings, once it matches.
pub(super) async fn remember(parts: &Parts, lease: &Lease, rows: &mut [Prepared]) -> Result<()> {
    for Prepared { row, spare, .. } in rows {
        let RowContent::Decided(row) = &mut row.content else {
            continue;
        };
        let record = row.record.as_ref();
        let is_new = record.is_some_and(|it| it.message_id.is_some() && it.canonical.is_none());
        if !is_new || *spare == Original::NotKept {
            continue;
        }
        let digest = own_digest(parts, lease, row, spare).await?;
        if let Some(record) = &mut Arc::make_mut(row).record {
            record.canonical = digest;
        }
    }
    Ok(())
}

async fn own_digest(
    parts: &Parts,
    lease: &Lease,
    row: &DecidedRow,
    spare: &Original,
) -> Result<Option<CanonicalDigest>> {
    let limits = &parts.settings.limits;
    let bytes = if row.original == Original::NotKept {
        spare
    } else {
        &row.original
    };
    Ok(match bytes {
        Original::Inline(bytes) => canonical(bytes, limits),
        Original::NotKept => None,
        Original::Staged(stage) => {
            let ledger = &parts.ledger;
            let bytes = ledger
                .staged(&parts.scope, lease, *stage, COMPARED_BYTES)
                .await?;
            bytes.and_then(|bytes| canonical(&bytes, limits))
        }
    })
}

async fn digest_of(parts: &Parts, known: &KnownMessage) -> Result<Option<CanonicalDigest>> {
    if known.canonical.is_some() || !known.has_original {
        return Ok(known.canonical);
    }
    let part = parts
        .log
        .original(&parts.scope, &known.uid, 0..COMPARED_BYTES)
        .await?;
    let whole = part.bytes.len() as u64 == part.total;
    let limits = &parts.settings.limits;
    Ok(whole.then(|| canonical(&part.bytes, limits)).flatten())
}

/// Contents that cannot be read are equal to no other.
fn canonical(original: &[u8], limits: &MessageLimits) -> Option<CanonicalDigest> {
    caught(|| CanonicalDigest::of(original, limits))
}

/// The row becomes another sighting of a message that is known: its entries are that message's entries.
fn adopt(parts: &Parts, prepared: &mut Prepared, known: &KnownMessage) {
    let RowContent::Decided(row) = &mut prepared.row.content else {
        return;
    };
    let row = Arc::make_mut(row);
    row.message = known.uid;
    row.compared.push(known.uid);
    if known.has_original {
        row.original = Original::NotKept;
    }
    let Some(message) = &prepared.message else {
        return;
    };
    match entries(parts, known.uid, message, &row.decision) {
        Ok(entries) => row.entries = entries,
        Err(reason) => row.decision = Decision::quarantined(&parts.stamp, reason),
    }
}
