//! The roles of the review queue and of the never-log lists: jobs for the store's threads.

use async_trait::async_trait;

use super::SqliteStore;
use super::core::Core;
use crate::decision::NeverLog;
use crate::error::Result;
use crate::ids::MailboxKey;
use crate::scope::Scope;
use crate::source::SightingKey;
use crate::store::{
    Cursor, Lease, LinkChange, LinkResult, LoggedMail, NeverLogStore, Page, Resolution,
    ReviewCount, ReviewFilter, ReviewItem, ReviewQueue, StoredNeverLog,
};

#[async_trait]
impl ReviewQueue for SqliteStore {
    async fn review_items(
        &self,
        scope: &Scope,
        filter: &ReviewFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ReviewItem>> {
        let (scope, filter, after) = (scope.clone(), filter.clone(), after.cloned());
        let job = move |core: &mut Core| core.review_items(&scope, &filter, after.as_ref(), limit);
        self.log_reader().call("review_items", job).await
    }

    async fn review_counts(&self, scope: &Scope) -> Result<Vec<ReviewCount>> {
        let scope = scope.clone();
        let job = move |core: &mut Core| core.review_counts(&scope);
        self.log_reader().call("review_counts", job).await
    }

    async fn resolve(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
        resolution: &Resolution,
        expected_version: u64,
    ) -> Result<u64> {
        let (scope, mailbox, key) = (scope.clone(), mailbox.clone(), key.clone());
        let resolution = resolution.clone();
        let job = move |core: &mut Core| {
            core.resolve(&scope, &mailbox, &key, &resolution, expected_version)
        };
        self.writer().call("resolve", job).await
    }

    async fn mails_naming(
        &self,
        scope: &Scope,
        addresses: Option<&[String]>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        let (scope, after) = (scope.clone(), after.cloned());
        let addresses = addresses.map(<[String]>::to_vec);
        let job = move |core: &mut Core| {
            core.mails_naming(&scope, addresses.as_deref(), after.as_ref(), limit)
        };
        self.log_reader().call("mails_naming", job).await
    }

    async fn relink(&self, scope: &Scope, lease: &Lease, links: &LinkChange) -> Result<LinkResult> {
        let (scope, lease, links) = (scope.clone(), lease.clone(), links.clone());
        let job = move |core: &mut Core| core.relink(&scope, &lease, &links);
        self.writer().call("relink", job).await
    }
}

#[async_trait]
impl NeverLogStore for SqliteStore {
    async fn load_never_log(&self, scope: &Scope) -> Result<StoredNeverLog> {
        let scope = scope.clone();
        let job = move |core: &mut Core| core.load_never_log(&scope);
        self.ledger_reader().call("load_never_log", job).await
    }

    async fn save_never_log(
        &self,
        scope: &Scope,
        lists: &NeverLog,
        expected_version: u64,
    ) -> Result<u64> {
        let (scope, lists) = (scope.clone(), lists.clone());
        let job = move |core: &mut Core| core.save_never_log(&scope, &lists, expected_version);
        self.writer().call("save_never_log", job).await
    }
}
