//! What a log adds up to, which mails belong together, and the deleting of cancelled entries: roles that a store may have
//! beside those of `InteractionStore`.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use super::log::LogFilter;
use crate::error::Result;
use crate::ids::MessageUid;
use crate::interaction::{Conversation, InteractionStatistics, StatisticsOptions};
use crate::scope::Scope;

/// Counts and statistics of the interaction log.
#[async_trait]
pub trait InteractionReports: Debug + Send + Sync + 'static {
    /// How many entries fit the filter, and how many mails they belong to.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn count(&self, scope: &Scope, filter: &LogFilter) -> Result<LogCount>;

    /// What the entries that fit the filter add up to. Every one of them is read, so that it takes longer the more there are.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn statistics(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        options: &StatisticsOptions,
    ) -> Result<InteractionStatistics>;
}

/// The conversations of the log.
#[async_trait]
pub trait Conversations: Debug + Send + Sync + 'static {
    /// The conversation of a mail: itself and whatever is linked with it by references and people, logged or not, oldest
    /// first. What a mail refers to counts once the second stage has read it.
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn conversation(&self, scope: &Scope, message: &MessageUid) -> Result<Conversation>;
}

/// Deleting entries that a person cancelled.
#[async_trait]
pub trait CanceledEntries: Debug + Send + Sync + 'static {
    /// Deletes the cancelled entries that fit the filter with their comments, or says only what would be deleted.
    ///
    /// Whatever [`LogFilter::canceled`] says, entries that are not cancelled stay. So do those whose opportunity is open, those
    /// of a mail that a person [holds](super::MarkKind::Hold), those that wait for the host's own log, and those that no person
    /// cancelled but [a later match](super::LinkChange::withdraw): they are counted apart. What a match withdrew can go once a
    /// person [cancels](super::InteractionLog::cancel) it as well. With the last entry of a mail its original, its text, its attachments' list and its words in the search go as
    /// well. What stays is that the mail was seen and what was decided: it is not logged again, and a deleted entry is
    /// never written again, from whatever copy. Nothing is touched in the mail system.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it. What was deleted by a call whose answer was lost is not counted again.
    async fn delete_canceled(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        deletion: Deletion,
    ) -> Result<DeletedEntries>;
}

/// A store that has every role for reports and tidying.
pub trait ReportingStore: InteractionReports + Conversations + CanceledEntries {}

impl<T: InteractionReports + Conversations + CanceledEntries> ReportingStore for T {}

/// Whether to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deletion {
    /// Say what would be deleted; change nothing.
    Preview,
    /// Delete.
    Delete,
}

/// How many entries and mails fit a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct LogCount {
    /// Entries.
    pub entries: u64,
    /// Mails with one of these entries.
    pub mails: u64,
}

impl LogCount {
    /// A count.
    pub fn new(entries: u64, mails: u64) -> Self {
        Self { entries, mails }
    }
}

/// What was deleted, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct DeletedEntries {
    /// Entries.
    pub entries: u64,
    /// Comments on them.
    pub comments: u64,
    /// Mails that lose their last entry.
    pub mails: u64,
    /// Originals of those mails.
    pub originals: u64,
    /// The size of those originals in bytes.
    pub bytes: u64,
    /// The date of the oldest entry.
    pub oldest: Option<Timestamp>,
    /// The date of the newest entry.
    pub newest: Option<Timestamp>,
    /// Cancelled entries that stay because an opportunity that was made of them is open.
    pub kept_for_opportunity: u64,
    /// Cancelled entries that stay because a person holds their mail.
    pub kept_on_hold: u64,
    /// Cancelled entries that stay until the host's own log has them.
    pub kept_waiting: u64,
    /// Cancelled entries that stay because a later match withdrew them and no person cancelled them.
    pub kept_withdrawn: u64,
}
