//! A log that belongs to the host.

use std::fmt::Debug;

use async_trait::async_trait;

use super::commit::MessageRecord;
use crate::error::Result;
use crate::ids::{EntryId, MessageUid};
use crate::interaction::InteractionLogEntry;
use crate::scope::Scope;

/// The host's own table of entries: the only thing that is written there.
///
/// The order is commit, then [`put`](Self::put), then the move of the mail. After a crash between commit and
/// confirmation the same entries are put again under the same [`EntryId`]s: a sink is called at least once, and the id
/// is its idempotency key.
#[async_trait]
pub trait InteractionSink: Debug + Send + Sync + 'static {
    /// Writes the entries of one mail. Entries that are there already are confirmed with their old reference.
    ///
    /// # Errors
    ///
    /// Any error leaves the mail in the queue; the delivery is repeated by the next run.
    ///
    /// # Cancel safety
    ///
    /// The effect is unknown after a drop; the delivery is repeated.
    async fn put(&self, scope: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>>;
}

/// One mail with its entries, on its way to the host.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SinkDelivery<'a> {
    /// The message's id; its original is read from the log by this id.
    pub message: &'a MessageUid,
    /// What is kept of the message.
    pub record: &'a MessageRecord,
    /// The entries.
    pub entries: &'a [InteractionLogEntry],
}

impl<'a> SinkDelivery<'a> {
    /// A delivery.
    pub fn new(
        message: &'a MessageUid,
        record: &'a MessageRecord,
        entries: &'a [InteractionLogEntry],
    ) -> Self {
        Self {
            message,
            record,
            entries,
        }
    }
}

/// The host's reference for one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostReference {
    /// The entry.
    pub entry: EntryId,
    /// The reference, such as the number of the host's row.
    pub reference: String,
}

impl HostReference {
    /// A reference.
    pub fn new(entry: EntryId, reference: impl Into<String>) -> Self {
        Self {
            entry,
            reference: reference.into(),
        }
    }
}
