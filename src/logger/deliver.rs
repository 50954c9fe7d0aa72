//! Handing entries to the host's own log: at least once, under an id that never changes.

use crate::error::{Error, Result, codes};
use crate::ids::MessageUid;
use crate::interaction::InteractionLogEntry;
use crate::store::{CommitBatch, Delivered, Lease, MessageRecord, SinkDelivery};

use super::parts::Parts;

const ROUND: u32 = 100;

/// Puts the entries of one mail.
pub(super) async fn deliver(
    parts: &Parts,
    message: &MessageUid,
    record: &MessageRecord,
    entries: &[InteractionLogEntry],
) -> Result<Vec<Delivered>> {
    let Some(sink) = &parts.sink else {
        return Ok(Vec::new());
    };
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let references = sink
        .put(&parts.scope, SinkDelivery::new(message, record, entries))
        .await
        .map_err(|error| Error::new(&codes::SINK_FAILED, "put").with_source(error))?;
    Ok(entries
        .iter()
        .map(|entry| {
            let reference = references
                .iter()
                .find(|reference| reference.entry == entry.entry.id);
            Delivered::new(
                entry.entry.id,
                reference.map(|found| found.reference.clone()),
            )
        })
        .collect())
}

/// Puts what an earlier run committed and the host has not confirmed. Answers how many entries that were.
pub(super) async fn deliver_open(parts: &Parts, lease: &Lease) -> Result<u64> {
    let mut delivered = 0;
    if parts.sink.is_none() {
        return Ok(delivered);
    }
    loop {
        let open = parts
            .ledger
            .undelivered(&parts.scope, &parts.mailbox, ROUND)
            .await?;
        if open.is_empty() {
            return Ok(delivered);
        }
        let mut batch = CommitBatch::default();
        for mail in open {
            let record = parts.log.mail(&parts.scope, &mail.message).await?.record;
            batch
                .deliveries
                .extend(deliver(parts, &mail.message, &record, &mail.entries).await?);
        }
        delivered += batch.deliveries.len() as u64;
        parts.ledger.commit(&parts.scope, lease, batch).await?;
    }
}
