//! The roles of the review queue and of the never-log lists: each call is one transaction of the pool.

use async_trait::async_trait;

use super::PostgresStore;
use super::core::log::Asked;
use super::core::{links as linked, review};
use super::roles::{read, told, write};
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
impl ReviewQueue for PostgresStore {
    async fn review_items(
        &self,
        scope: &Scope,
        filter: &ReviewFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ReviewItem>> {
        let kept = told("review_items", self.kept().await)?;
        let asked = &Asked {
            scope,
            filter,
            after,
            limit,
            kept,
        };
        read!(self, "review_items", |tx| review::items(&tx, asked))
    }

    async fn review_counts(&self, scope: &Scope) -> Result<Vec<ReviewCount>> {
        read!(self, "review_counts", |tx| review::counts(&tx, scope))
    }

    async fn resolve(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
        resolution: &Resolution,
        expected_version: u64,
    ) -> Result<u64> {
        let said = review::Said {
            mailbox,
            key,
            resolution,
            expected_version,
        };
        let stamp = (self.time(), &*self.entropy);
        write!(self, "resolve", |tx, round| review::resolve(
            &tx, scope, said, stamp, round
        ))
    }

    async fn mails_naming(
        &self,
        scope: &Scope,
        addresses: Option<&[String]>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        let page = (after, limit);
        read!(self, "mails_naming", |tx| linked::mails_naming(
            &tx, scope, addresses, page
        ))
    }

    async fn relink(&self, scope: &Scope, lease: &Lease, links: &LinkChange) -> Result<LinkResult> {
        let stamp = (self.time(), &*self.entropy);
        let change = (lease, links);
        write!(self, "relink", |tx, _round| linked::relink(
            &tx, scope, change, stamp
        ))
    }
}

#[async_trait]
impl NeverLogStore for PostgresStore {
    async fn load_never_log(&self, scope: &Scope) -> Result<StoredNeverLog> {
        read!(self, "load_never_log", |tx| linked::load_never_log(
            &tx, scope
        ))
    }

    async fn save_never_log(
        &self,
        scope: &Scope,
        lists: &NeverLog,
        expected_version: u64,
    ) -> Result<u64> {
        let (time, change) = (self.time(), (lists, expected_version));
        write!(self, "save_never_log", |tx, round| linked::save_never_log(
            &tx, scope, change, time, round
        ))
    }
}
