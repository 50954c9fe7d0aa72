//! The role of privacy: each call is one transaction of the pool.

use async_trait::async_trait;

use super::PostgresStore;
use super::core::log::Asked;
use super::core::privacy;
use super::roles::{read, told, write};
use crate::error::Result;
use crate::ids::MessageUid;
use crate::privacy::{Person, Selection};
use crate::scope::Scope;
use crate::store::{
    AffectedMail, Cursor, Deletion, Erasure, Forgotten, Mark, MarkKind, Page, PrivacyStore,
    Removal, RemovedMails,
};

#[async_trait]
impl PrivacyStore for PostgresStore {
    async fn affected(
        &self,
        scope: &Scope,
        selection: &Selection,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AffectedMail>> {
        let kept = told("affected", self.kept().await)?;
        let asked = &Asked {
            scope,
            filter: selection,
            after,
            limit,
            kept,
        };
        read!(self, "affected", |tx| privacy::affected(&tx, asked))
    }

    async fn remove_mails(
        &self,
        scope: &Scope,
        messages: &[MessageUid],
        removal: &Removal,
    ) -> Result<RemovedMails> {
        let stamp = (self.time(), &*self.entropy);
        write!(self, "remove_mails", |tx, _round| privacy::remove_mails(
            &tx, scope, messages, removal, stamp
        ))
    }

    async fn forget_person(
        &self,
        scope: &Scope,
        person: &Person,
        erasure: Erasure,
        deletion: Deletion,
    ) -> Result<Forgotten> {
        let stamp = (self.time(), &*self.entropy);
        let how = (erasure, deletion);
        write!(self, "forget_person", |tx, _round| privacy::forget_person(
            &tx, scope, person, how, stamp
        ))
    }

    async fn mark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
        mark: &Mark,
    ) -> Result<()> {
        let time = self.time();
        let said = (kind, mark);
        write!(self, "mark_mail", |tx, _round| privacy::mark_mail(
            &tx, scope, message, said, time
        ))
    }

    async fn unmark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
    ) -> Result<bool> {
        write!(self, "unmark_mail", |tx, _round| privacy::unmark_mail(
            &tx, scope, message, kind
        ))
    }

    async fn marks(&self, scope: &Scope, message: &MessageUid) -> Result<Vec<(MarkKind, Mark)>> {
        read!(self, "marks", |tx| privacy::marks(&tx, scope, message))
    }

    /// The rows are gone for every reader. Dead rows, the journal and older backups are the administrator's to remove:
    /// `VACUUM` empties the pages.
    async fn shred(&self) -> Result<()> {
        told("shred", self.kept().await.map(drop))
    }
}
