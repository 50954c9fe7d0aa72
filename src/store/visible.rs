//! The log as one person may see it.

mod opportunities;
mod reports;
mod review;

use std::ops::Range;

use async_trait::async_trait;

use super::{
    Annotation, Cursor, DecisionFilter, DecisionRecord, InteractionLog, LogFilter, LoggedMail,
    OriginalPart, Page,
};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::ids::{EntryId, MessageUid};
use crate::interaction::InteractionLogEntry;
use crate::privacy::{Viewer, Visibility};
use crate::scope::Scope;

pub use self::opportunities::{VisibleOpportunities, VisibleOpportunity};
pub use self::review::VisibleReview;

/// Fills a page with rows that are seen. When it is full it looks on for one more, so that `next` says whether there is one.
macro_rules! fill {
    ($log:expr, $read:ident, $scope:ident, $filter:ident, $after:ident, $limit:ident,
        $rows:ident => $seen:expr) => {{
        let mut page = Page::new(Vec::new(), None);
        let mut at = $after.cloned();
        let mut full_at = None;
        loop {
            let missing = ($limit as usize).saturating_sub(page.rows.len());
            let want = if missing == 0 {
                $limit
            } else {
                u32::try_from(missing).unwrap_or($limit)
            };
            let read = $log
                .$read($scope, $filter, at.as_ref(), want.max(1))
                .await?;
            page.not_indexed = read.not_indexed;
            let $rows = read.rows;
            let seen = $seen;
            if missing == 0 {
                if !seen.is_empty() {
                    page.next = full_at;
                    break Ok(page);
                }
            } else {
                page.rows.extend(seen);
            }
            if read.next.is_none() {
                break Ok(page);
            }
            at = read.next;
            if full_at.is_none() && page.rows.len() >= $limit as usize {
                full_at.clone_from(&at);
            }
        }
    }};
}
use fill;

/// A log through the eyes of one [`Viewer`].
///
/// What the person may not see is as if it were not there: it is missing from pages, and `NotFound` by id. A filter by text,
/// opportunity or conversation finds only entries that are shown in full, so that nothing that is hidden can be guessed by
/// filtering. Counts, statistics and conversations are those of what is seen. A page
/// is filled from what is seen, and `next` is there only if more is seen; how long an answer takes may still tell that much
/// is hidden. Comments, grades and cancelling need [`Visibility::Full`].
///
/// Decisions are shown with their mail: without an entry that is seen there is none. Below [`Visibility::Full`] the words of
/// the steps are left out, for they can hold a part of the mail.
#[derive(Debug)]
pub struct VisibleLog<L> {
    log: L,
    viewer: Viewer,
}

impl<L: InteractionLog> VisibleLog<L> {
    /// The log as this person sees it.
    pub fn new(log: L, viewer: Viewer) -> Self {
        Self { log, viewer }
    }

    /// One entry if the person sees it at least at this level.
    async fn seen(
        &self,
        scope: &Scope,
        id: &EntryId,
        least: Visibility,
        operation: &'static str,
    ) -> Result<InteractionLogEntry> {
        let entry = self.log.entry(scope, id).await?;
        let level = self.viewer.level(&entry);
        match level.entry(entry) {
            Some(entry) if level >= least => Ok(entry),
            _ => Err(not_found(operation, id)),
        }
    }

    fn entry_in_page(
        &self,
        filter: &LogFilter,
        entry: InteractionLogEntry,
    ) -> Option<InteractionLogEntry> {
        let level = self.viewer.level(&entry);
        let found = level == Visibility::Full || !reads_content(filter);
        level.entry(entry).filter(|_| found)
    }

    fn mail_in_page(&self, filter: &LogFilter, mail: LoggedMail) -> Option<LoggedMail> {
        let found = self.viewer.level_of_mail(&mail) == Visibility::Full || !reads_content(filter);
        self.viewer.mail(mail).filter(|_| found)
    }

    async fn decision_in_page(
        &self,
        scope: &Scope,
        decision: DecisionRecord,
    ) -> Result<Option<DecisionRecord>> {
        let Some(message) = decision.message else {
            return Ok(None);
        };
        let level = match self.log.mail(scope, &message).await {
            Ok(mail) => self.viewer.level_of_mail(&mail),
            Err(error) if error.kind() == ErrorKind::NotFound => Visibility::Nothing,
            Err(error) => return Err(error),
        };
        Ok(level.decision(decision))
    }

    /// Whether the filter asks for the conversation of a mail that the person does not see in full: nothing fits then.
    async fn is_blind(&self, scope: &Scope, filter: &LogFilter) -> Result<bool> {
        match &filter.conversation {
            None => Ok(false),
            Some(message) => Ok(!self.sees_all_of(scope, message).await?),
        }
    }
}

/// Whether a filter asks for what only [`Visibility::Full`] shows.
fn reads_content(filter: &LogFilter) -> bool {
    filter.text.is_some() || filter.opportunity.is_some() || filter.conversation.is_some()
}

/// The error of a store that has no such row.
fn not_found(operation: &'static str, item: &impl std::fmt::Debug) -> Error {
    Error::new(&codes::STORE_NOT_FOUND, operation).with_item(format!("{item:?}"))
}

#[async_trait]
impl<L: InteractionLog> InteractionLog for VisibleLog<L> {
    async fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<InteractionLogEntry>> {
        if self.is_blind(scope, filter).await? {
            return Ok(Page::new(Vec::new(), None));
        }
        fill!(self.log, entries, scope, filter, after, limit, rows => {
            let rows = rows.into_iter();
            rows.filter_map(|entry| self.entry_in_page(filter, entry)).collect::<Vec<_>>()
        })
    }

    async fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        if self.is_blind(scope, filter).await? {
            return Ok(Page::new(Vec::new(), None));
        }
        fill!(self.log, mails, scope, filter, after, limit, rows => {
            let rows = rows.into_iter();
            rows.filter_map(|mail| self.mail_in_page(filter, mail)).collect::<Vec<_>>()
        })
    }

    async fn entry(&self, scope: &Scope, id: &EntryId) -> Result<InteractionLogEntry> {
        self.seen(scope, id, Visibility::Metadata, "entry").await
    }

    async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail> {
        let mail = self.log.mail(scope, message).await?;
        let mail = self.viewer.mail(mail);
        mail.ok_or_else(|| not_found("mail", message))
    }

    async fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: Range<u64>,
    ) -> Result<OriginalPart> {
        let mail = self.log.mail(scope, message).await?;
        if self.viewer.level_of_mail(&mail) < Visibility::Full {
            return Err(not_found("original", message));
        }
        self.log.original(scope, message, range).await
    }

    async fn decisions(
        &self,
        scope: &Scope,
        filter: &DecisionFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<DecisionRecord>> {
        fill!(self.log, decisions, scope, filter, after, limit, rows => {
            let mut seen = Vec::with_capacity(rows.len());
            for decision in rows {
                seen.extend(self.decision_in_page(scope, decision).await?);
            }
            seen
        })
    }

    async fn annotate(&self, scope: &Scope, id: &EntryId, annotation: Annotation) -> Result<()> {
        self.seen(scope, id, Visibility::Full, "annotate").await?;
        self.log.annotate(scope, id, annotation).await
    }

    async fn cancel(&self, scope: &Scope, id: &EntryId, canceled: bool) -> Result<()> {
        self.seen(scope, id, Visibility::Full, "cancel").await?;
        self.log.cancel(scope, id, canceled).await
    }
}
