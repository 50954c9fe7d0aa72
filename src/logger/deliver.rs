//! Handing entries to the host's own log: at least once, under an id that never changes.

use crate::caught::caught_async;
use crate::error::{Error, Result, codes};
use crate::ids::MessageUid;
use crate::interaction::InteractionLogEntry;
use crate::store::{CommitBatch, Delivered, MessageRecord, SinkDelivery, Undelivered};

use super::lease::HeldLease;
use super::parts::Parts;
use super::pipeline::StepError;
use super::report::RunStep;
use super::shutdown::Shutdown;

/// Mails between two commits of what the host confirmed.
const ROUND: u32 = 20;

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
    let put = sink.put(&parts.scope, SinkDelivery::new(message, record, entries));
    let references = caught_async("put", put)
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
///
/// A mail that the host refuses waits for the next run and holds up no other; its error is left in `refused`.
pub(super) async fn deliver_open(
    parts: &Parts,
    lease: &mut HeldLease,
    shutdown: &mut Shutdown<'_>,
    refused: &mut Option<StepError>,
) -> Result<u64> {
    let (mut delivered, mut failed) = (0, 0);
    if parts.sink.is_none() {
        return Ok(0);
    }
    while !shutdown.has_come().await {
        // Those that failed stay at the front: they are asked for again and passed over.
        let limit = ROUND.saturating_add(failed);
        let mut open = parts
            .ledger
            .undelivered(&parts.scope, &parts.mailbox, limit)
            .await?
            .into_iter()
            .skip(failed as usize)
            .peekable();
        if open.peek().is_none() {
            break;
        }
        let mut batch = CommitBatch::default();
        for mail in open {
            *lease = lease.clone().keep(parts).await?;
            match deliver_mail(parts, &mail).await {
                Ok(confirmed) => batch.deliveries.extend(confirmed),
                Err(error) if error.code() == codes::SINK_FAILED.code => {
                    failed += 1;
                    refused.get_or_insert((RunStep::DeliveringEntries, error));
                }
                Err(error) => return Err(error),
            }
        }
        delivered += batch.deliveries.len() as u64;
        if !batch.is_empty() {
            parts
                .ledger
                .commit(&parts.scope, &lease.lease, batch)
                .await?;
        }
    }
    Ok(delivered)
}

async fn deliver_mail(parts: &Parts, mail: &Undelivered) -> Result<Vec<Delivered>> {
    let record = parts.log.mail(&parts.scope, &mail.message).await?.record;
    deliver(parts, &mail.message, &record, &mail.entries).await
}
