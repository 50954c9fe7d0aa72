//! The review queue as one person may see it.

use std::collections::BTreeMap;

use super::{fill, not_found};
use crate::error::Result;
use crate::ids::MailboxKey;
use crate::privacy::{Viewer, Visibility};
use crate::scope::Scope;
use crate::source::SightingKey;
use crate::store::{
    Cursor, Page, Resolution, ReviewCount, ReviewFilter, ReviewItem, ReviewQueue, ReviewState,
};

/// Items that are read at a time.
const PAGE: u32 = 200;

/// A review queue through the eyes of one [`Viewer`].
///
/// A mail that was not logged belongs to no salesperson, so that a person sees in full what names one of the person's
/// [addresses](Viewer::with_address), and all else at the level that the host's
/// [rule for the queue](Viewer::with_review) answers; without such a rule, not at all. Below [`Visibility::Full`] the words
/// of the steps and what people said are left out. Only who sees an item in full may resolve it.
#[derive(Debug)]
pub struct VisibleReview<R> {
    queue: R,
    viewer: Viewer,
}

impl<R: ReviewQueue> VisibleReview<R> {
    /// The queue as this person sees it.
    pub fn new(queue: R, viewer: Viewer) -> Self {
        Self { queue, viewer }
    }

    /// Items that fit the filter and that the person sees, newest decision first.
    ///
    /// # Errors
    ///
    /// As [`ReviewQueue::review_items`].
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn items(
        &self,
        scope: &Scope,
        filter: &ReviewFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ReviewItem>> {
        fill!(self.queue, review_items, scope, filter, after, limit, rows => {
            let rows = rows.into_iter();
            rows.filter_map(|item| self.viewer.item(item)).collect::<Vec<_>>()
        })
    }

    /// One item, in any state.
    ///
    /// # Errors
    ///
    /// `NotFound` where it is not there or not shown; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn item(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
    ) -> Result<ReviewItem> {
        let item = self.found(scope, mailbox, key).await?;
        let item = item.and_then(|item| self.viewer.item(item));
        item.ok_or_else(|| not_found("item", key))
    }

    /// How many items the person sees per state, outcome and reason, in that order; excluded ones are counted as well. Each of
    /// the items is read.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn counts(&self, scope: &Scope) -> Result<Vec<ReviewCount>> {
        let mut counts: BTreeMap<(ReviewState, String, String), u64> = BTreeMap::new();
        for state in [
            ReviewState::Open,
            ReviewState::Assigned,
            ReviewState::Ignored,
        ] {
            let mut filter = ReviewFilter::default();
            (filter.state, filter.excluded) = (state, true);
            let mut after = None;
            loop {
                let page = self.items(scope, &filter, after.as_ref(), PAGE).await?;
                for item in page.rows {
                    let decision = item.decision;
                    let kind = (item.state, decision.outcome, decision.reason);
                    *counts.entry(kind).or_default() += 1;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        let counts = counts.into_iter();
        Ok(counts
            .map(|((state, outcome, reason), n)| ReviewCount::new(state, outcome, reason, n))
            .collect())
    }

    /// Writes what the person says about an item, if it still has the expected version.
    ///
    /// # Errors
    ///
    /// `NotFound` where it is not shown in full; else as [`ReviewQueue::resolve`].
    ///
    /// # Cancel safety
    ///
    /// As [`ReviewQueue::resolve`].
    pub async fn resolve(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
        resolution: &Resolution,
        expected_version: u64,
    ) -> Result<u64> {
        let item = self.found(scope, mailbox, key).await?;
        let level = item.map(|item| self.viewer.level_of_item(&item));
        if level != Some(Visibility::Full) {
            return Err(not_found("resolve", key));
        }
        self.queue
            .resolve(scope, mailbox, key, resolution, expected_version)
            .await
    }

    async fn found(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
    ) -> Result<Option<ReviewItem>> {
        let filter = ReviewFilter {
            sighting: Some((mailbox.clone(), key.clone())),
            ..ReviewFilter::default()
        };
        let mut page = self.queue.review_items(scope, &filter, None, 1).await?;
        Ok(page.rows.pop())
    }
}
