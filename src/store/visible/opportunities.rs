//! Opportunities without what they took from mail that a person may not see.

use crate::error::Result;
use crate::ids::{EntryId, OpportunityNo};
use crate::interaction::InteractionLogEntry;
use crate::opportunity::{Creation, Opportunity};
use crate::privacy::{Viewer, Visibility};
use crate::scope::Scope;
use crate::store::{
    Cursor, InteractionLog, LogFilter, OpportunityFilter, OpportunityStore, Page, StoredOpportunity,
};

use super::not_found;

/// Entries of an opportunity that are read at a time.
const PAGE: u32 = 100;

/// Opportunities through the eyes of one [`Viewer`].
///
/// An opportunity that was made of an entry has the mail's subject as its description, and copies of the entry's comments.
/// Where the person does not see the subject of that mail, the number stands in place of the description; the comments are
/// shown with [`Visibility::Full`] alone. What people wrote into the opportunity itself is shown: who sees which opportunity
/// is the host's to say.
///
/// What is answered is a view. To change an opportunity, load it from the store itself.
#[derive(Debug)]
pub struct VisibleOpportunities<S> {
    store: S,
    viewer: Viewer,
}

/// An opportunity as a person sees it. Not to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VisibleOpportunity {
    /// The opportunity, perhaps without its description and some comments.
    pub opportunity: Opportunity,
    /// The version that a change of it must name.
    pub version: u64,
    /// Whether something was left out.
    pub has_hidden: bool,
}

impl<S: OpportunityStore + InteractionLog> VisibleOpportunities<S> {
    /// The opportunities as this person sees them.
    pub fn new(store: S, viewer: Viewer) -> Self {
        Self { store, viewer }
    }

    /// One opportunity.
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
    ) -> Result<VisibleOpportunity> {
        let stored = self.store.load_opportunity(scope, no).await?;
        self.shown(scope, stored).await
    }

    /// Opportunities that fit the filter, the last one made first.
    ///
    /// # Errors
    ///
    /// As [`OpportunityStore::opportunities`].
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn opportunities(
        &self,
        scope: &Scope,
        filter: &OpportunityFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<VisibleOpportunity>> {
        let found = self
            .store
            .opportunities(scope, filter, after, limit)
            .await?;
        let mut page = Page::new(Vec::with_capacity(found.rows.len()), found.next);
        for stored in found.rows {
            page.rows.push(self.shown(scope, stored).await?);
        }
        Ok(page)
    }

    /// Makes an opportunity of an entry that the person sees in full.
    ///
    /// # Errors
    ///
    /// `NotFound` where the entry is not shown in full; else as [`OpportunityStore::create_opportunity`].
    ///
    /// # Cancel safety
    ///
    /// As [`OpportunityStore::create_opportunity`].
    pub async fn create(
        &self,
        scope: &Scope,
        entry: &EntryId,
        creation: &Creation,
    ) -> Result<StoredOpportunity> {
        let found = self.store.entry(scope, entry).await?;
        if self.viewer.level(&found) < Visibility::Full {
            return Err(not_found("create", entry));
        }
        self.store.create_opportunity(scope, entry, creation).await
    }

    async fn shown(&self, scope: &Scope, stored: StoredOpportunity) -> Result<VisibleOpportunity> {
        let StoredOpportunity {
            opportunity,
            version,
        } = stored;
        let made_of = self.made_of(scope, &opportunity.no).await?;
        let (opportunity, has_hidden) = self.viewer.opportunity(opportunity, &made_of);
        Ok(VisibleOpportunity {
            opportunity,
            version,
            has_hidden,
        })
    }

    async fn made_of(&self, scope: &Scope, no: &OpportunityNo) -> Result<Vec<InteractionLogEntry>> {
        let mut filter = LogFilter::default();
        (filter.opportunity, filter.canceled) = (Some(no.as_str().to_owned()), true);
        let mut entries = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.entries(scope, &filter, after.as_ref(), PAGE);
            let page = page.await?;
            entries.extend(page.rows);
            after = page.next;
            if after.is_none() {
                return Ok(entries);
            }
        }
    }
}
