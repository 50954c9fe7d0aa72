//! The log as one person may see it.

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

/// A log through the eyes of one [`Viewer`].
///
/// What the person may not see is as if it were not there: it is missing from pages, and `NotFound` by id. A search by text
/// finds only entries that are shown in full, so that no word of a hidden subject or body can be guessed by searching. A page
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
        mut decision: DecisionRecord,
    ) -> Result<Option<DecisionRecord>> {
        let Some(message) = decision.message else {
            return Ok(None);
        };
        let level = match self.log.mail(scope, &message).await {
            Ok(mail) => self.viewer.level_of_mail(&mail),
            Err(error) if error.kind() == ErrorKind::NotFound => Visibility::Nothing,
            Err(error) => return Err(error),
        };
        if level < Visibility::Full {
            for step in &mut decision.steps {
                step.detail.clear();
            }
        }
        if level < Visibility::Subject {
            decision.subject = None;
        }
        Ok((level > Visibility::Nothing).then_some(decision))
    }
}

/// Whether a filter asks for what only [`Visibility::Full`] shows.
fn reads_content(filter: &LogFilter) -> bool {
    filter.text.is_some()
}

/// The error of a store that has no such row.
fn not_found(operation: &'static str, item: &impl std::fmt::Debug) -> Error {
    Error::new(&codes::STORE_NOT_FOUND, operation).with_item(format!("{item:?}"))
}

/// Fills a page with rows that are seen. When it is full it looks on for one more, so that `next` says whether there is one.
macro_rules! fill {
    ($log:expr, $read:ident, $scope:ident, $filter:ident, $after:ident, $limit:ident, $view:expr) => {{
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
            let seen = read.rows.into_iter().filter_map($view);
            if missing == 0 {
                if seen.count() > 0 {
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

#[async_trait]
impl<L: InteractionLog> InteractionLog for VisibleLog<L> {
    async fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<InteractionLogEntry>> {
        let view = |entry| self.entry_in_page(filter, entry);
        fill!(self.log, entries, scope, filter, after, limit, view)
    }

    async fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        let view = |mail| self.mail_in_page(filter, mail);
        fill!(self.log, mails, scope, filter, after, limit, view)
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
        let read = self.log.decisions(scope, filter, after, limit).await?;
        let mut page = Page::new(Vec::new(), read.next);
        for decision in read.rows {
            page.rows
                .extend(self.decision_in_page(scope, decision).await?);
        }
        Ok(page)
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
