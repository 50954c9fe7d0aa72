//! The role of privacy: jobs for the store's threads.

use async_trait::async_trait;

use super::SqliteStore;
use super::core::Core;
use crate::error::Result;
use crate::ids::MessageUid;
use crate::privacy::{Person, Selection};
use crate::scope::Scope;
use crate::store::{
    AffectedMail, Cursor, Deletion, Erasure, Forgotten, Mark, MarkKind, Page, PrivacyStore,
    Removal, RemovedMails,
};

#[async_trait]
impl PrivacyStore for SqliteStore {
    async fn affected(
        &self,
        scope: &Scope,
        selection: &Selection,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AffectedMail>> {
        let (scope, selection, after) = (scope.clone(), selection.clone(), after.cloned());
        let job = move |core: &mut Core| core.affected(&scope, &selection, after.as_ref(), limit);
        self.log_reader().call("affected", job).await
    }

    async fn remove_mails(
        &self,
        scope: &Scope,
        messages: &[MessageUid],
        removal: &Removal,
    ) -> Result<RemovedMails> {
        let (scope, messages, removal) = (scope.clone(), messages.to_vec(), removal.clone());
        let job = move |core: &mut Core| core.remove_mails(&scope, &messages, &removal);
        self.writer().call("remove_mails", job).await
    }

    async fn forget_person(
        &self,
        scope: &Scope,
        person: &Person,
        erasure: Erasure,
        deletion: Deletion,
    ) -> Result<Forgotten> {
        let (scope, person) = (scope.clone(), person.clone());
        let job = move |core: &mut Core| core.forget_person(&scope, &person, erasure, deletion);
        self.writer().call("forget_person", job).await
    }

    async fn mark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
        mark: &Mark,
    ) -> Result<()> {
        let (scope, message, mark) = (scope.clone(), *message, mark.clone());
        let job = move |core: &mut Core| core.mark_mail(&scope, &message, kind, &mark);
        self.writer().call("mark_mail", job).await
    }

    async fn unmark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
    ) -> Result<bool> {
        let (scope, message) = (scope.clone(), *message);
        let job = move |core: &mut Core| core.unmark_mail(&scope, &message, kind);
        self.writer().call("unmark_mail", job).await
    }

    async fn marks(&self, scope: &Scope, message: &MessageUid) -> Result<Vec<(MarkKind, Mark)>> {
        let (scope, message) = (scope.clone(), *message);
        let job = move |core: &mut Core| core.marks(&scope, &message);
        self.log_reader().call("marks", job).await
    }

    async fn shred(&self) -> Result<()> {
        self.writer().call("shred", Core::shred).await
    }
}
