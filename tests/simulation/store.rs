//! The store as a worker sees it: every call waits before and after its effect, and may fail at either.

use std::fmt::Debug;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::error::{Error, ErrorKind, Result, codes};
use email_logging::interaction::InteractionLogEntry;
use email_logging::message::MessageContent;
use email_logging::source::SightingKey;
use email_logging::store::{
    Acquired, Annotation, CommitBatch, CommitReceipt, ContentIndex, Cursor, DecisionFilter,
    DecisionRecord, InteractionLog, InteractionStore, KnownMessage, KnownSighting, Lease,
    LogFilter, LoggedMail, MailLedger, OriginalPart, Page, PendingMove, Undelivered,
};
use email_logging::{EntryId, MailboxKey, MessageUid, Scope, StageId, WorkerId};
use jiff::Timestamp;

use crate::book::{Book, MAILBOX, scope};
use crate::commits::Commits;
use crate::database::{Database, Write, at_once};
use crate::stage::{Fault, Op, Phase, Stage};

/// One worker's way to the store that all share.
#[derive(Debug, Clone)]
pub(crate) struct SimStore {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
    pub(crate) database: Arc<Database>,
    pub(crate) commits: Commits,
}

impl SimStore {
    async fn call<T: Debug>(
        &self,
        op: Op,
        name: &'static str,
        effect: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if let Some(fault) = self.stage.wait(self.worker, op, Phase::Before).await {
            return Err(failed(fault, name));
        }
        let answer = effect.await;
        self.stage.sees(self.worker, &answer);
        match self.stage.wait(self.worker, op, Phase::After).await {
            Some(fault) => Err(failed(fault, name)),
            None => answer,
        }
    }

    fn book(&self) -> &Book {
        &self.commits.book
    }

    /// I11: nobody works for another company or another mailbox.
    fn check_scope(&self, of: &Scope, mailbox: Option<&MailboxKey>) {
        if of != scope() || mailbox.is_some_and(|it| it.as_str() != MAILBOX) {
            self.book()
                .broken(format!("I11: a call for {of:?} {mailbox:?}"));
        }
    }

    /// The commit, with what the book must know of it, in one step.
    async fn commit_effect(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        self.check_scope(scope, Some(&lease.mailbox));
        let (store, stale) = (self.database.store(), self.book().is_stale(lease.epoch));
        let before = stale.then(|| size(store.as_ref(), scope));
        self.database
            .note(|| Write::Commit(lease.clone(), batch.clone()));
        self.stage.writes(&batch);
        let receipt = store.commit(scope, lease, batch.clone()).await;
        match &receipt {
            Ok(_) if stale => self.book().broken("I9: a stale lease was written with"),
            Ok(receipt) => self.commits.look(store.as_ref(), &batch, receipt),
            Err(error) if stale && error.kind() != ErrorKind::LeaseLost => {
                self.book()
                    .broken(format!("I9: a stale lease is answered with {error}"));
            }
            Err(_) => {}
        }
        if before.is_some_and(|before| before != size(store.as_ref(), scope)) {
            self.book().broken("I9: rows of a stale lease are there");
        }
        receipt
    }
}

/// How many entries and decisions there are.
fn size(store: &dyn InteractionStore, scope: &Scope) -> (usize, usize) {
    let entries = at_once(store.entries(scope, &LogFilter::default(), None, 1_000));
    let decisions = at_once(store.decisions(scope, &DecisionFilter::default(), None, 1_000));
    (entries.unwrap().rows.len(), decisions.unwrap().rows.len())
}

fn failed(fault: Fault, name: &'static str) -> Error {
    match fault {
        Fault::Full => Error::new(&codes::STORE_FULL, name),
        _ => Error::new(&codes::STORE_UNAVAILABLE, name),
    }
}

#[async_trait]
impl MailLedger for SimStore {
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired> {
        self.call(Op::Acquire, "acquire", async {
            self.check_scope(scope, Some(mailbox));
            self.database.note(|| Write::Acquire(worker.clone(), ttl));
            let store = self.database.store();
            let acquired = store.acquire(scope, mailbox, worker, ttl).await;
            if let Ok(Acquired::Held(lease)) = &acquired {
                self.stage.writes(lease);
                self.book().lease_given(self.worker, lease.epoch);
            }
            acquired
        })
        .await
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.call(Op::Renew, "renew", async {
            self.database.note(|| Write::Renew(lease.clone(), ttl));
            let renewed = self.database.store().renew(scope, lease, ttl).await;
            if renewed.is_ok() && self.book().is_stale(lease.epoch) {
                self.book().broken("I9: a stale lease was renewed");
            }
            self.stage.writes(&renewed);
            renewed
        })
        .await
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        let effect = async {
            self.database.note(|| Write::Release(lease.clone()));
            self.stage.writes(&(Op::Release, lease));
            self.database.store().release(scope, lease).await
        };
        self.call(Op::Release, "release", effect).await
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        self.check_scope(scope, Some(mailbox));
        let effect = async { self.database.store().known(scope, mailbox, keys).await };
        self.call(Op::Known, "known", effect).await
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        let effect = async {
            self.check_scope(scope, None);
            let store = self.database.store();
            store.with_message_ids(scope, message_ids).await
        };
        self.call(Op::WithMessageIds, "with_message_ids", effect)
            .await
    }

    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let effect = async {
            self.database
                .note(|| Write::Stage(lease.clone(), stage, index, bytes.clone()));
            self.stage.writes(&(lease, stage, index));
            let store = self.database.store();
            let staged = store.stage(scope, lease, stage, index, bytes).await;
            if staged.is_ok() && self.book().is_stale(lease.epoch) {
                self.book().broken("I9: a stale lease staged an original");
            }
            staged
        };
        self.call(Op::Stage, "stage", effect).await
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        let effect = async {
            self.check_scope(scope, None);
            let store = self.database.store();
            store.staged(scope, lease, stage, limit).await
        };
        self.call(Op::Staged, "staged", effect).await
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        let effect = self.commit_effect(scope, lease, batch);
        self.call(Op::Commit, "commit", effect).await
    }

    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>> {
        let effect = async {
            self.check_scope(scope, Some(mailbox));
            let store = self.database.store();
            store.pending_moves(scope, mailbox, due, limit).await
        };
        self.call(Op::PendingMoves, "pending_moves", effect).await
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        let effect = async {
            self.check_scope(scope, Some(mailbox));
            let store = self.database.store();
            store.undelivered(scope, mailbox, limit).await
        };
        self.call(Op::Undelivered, "undelivered", effect).await
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        let store = self.database.store();
        store.requeue(scope, mailbox, keys).await
    }
}

#[async_trait]
impl ContentIndex for SimStore {
    async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>> {
        let effect = async { self.database.store().unindexed(scope, limit).await };
        self.call(Op::Unindexed, "unindexed", effect).await
    }

    async fn put_content(
        &self,
        scope: &Scope,
        contents: Vec<(MessageUid, MessageContent)>,
    ) -> Result<()> {
        let effect = async {
            let uids: Vec<_> = contents.iter().map(|(uid, _)| *uid).collect();
            self.stage.writes(&uids);
            self.database.store().put_content(scope, contents).await
        };
        self.call(Op::Index, "put_content", effect).await
    }
}

/// What a run reads in the log. The rest belongs to people, and is not part of a run.
#[async_trait]
impl InteractionLog for SimStore {
    async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail> {
        let effect = async { self.database.store().mail(scope, message).await };
        self.call(Op::ReadMail, "mail", effect).await
    }

    async fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: Range<u64>,
    ) -> Result<OriginalPart> {
        let effect = async {
            self.check_scope(scope, None);
            let store = self.database.store();
            store.original(scope, message, range).await
        };
        self.call(Op::ReadOriginal, "original", effect).await
    }

    async fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<InteractionLogEntry>> {
        let store = self.database.store();
        store.entries(scope, filter, after, limit).await
    }

    async fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        let store = self.database.store();
        store.mails(scope, filter, after, limit).await
    }

    async fn entry(&self, scope: &Scope, id: &EntryId) -> Result<InteractionLogEntry> {
        self.database.store().entry(scope, id).await
    }

    async fn decisions(
        &self,
        scope: &Scope,
        filter: &DecisionFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<DecisionRecord>> {
        let store = self.database.store();
        store.decisions(scope, filter, after, limit).await
    }

    async fn annotate(&self, scope: &Scope, id: &EntryId, annotation: Annotation) -> Result<()> {
        let store = self.database.store();
        store.annotate(scope, id, annotation).await
    }

    async fn cancel(&self, scope: &Scope, id: &EntryId, canceled: bool) -> Result<()> {
        self.database.store().cancel(scope, id, canceled).await
    }
}
