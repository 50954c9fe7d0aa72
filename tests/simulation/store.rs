//! The store as a worker sees it: every call waits before and after its effect, and may fail at either.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::error::{Error, ErrorKind, Result, codes};
use email_logging::interaction::InteractionLogEntry;
use email_logging::message::MessageContent;
use email_logging::source::{ItemRef, SightingKey};
use email_logging::store::{
    Acquired, Annotation, CommitBatch, CommitReceipt, ContentIndex, Cursor, DecisionFilter,
    DecisionRecord, InteractionLog, InteractionStore, KnownMessage, KnownSighting, Lease,
    LogFilter, LoggedMail, MailLedger, OriginalPart, Page, PendingMove, Undelivered,
};
use email_logging::{EntryId, MailboxKey, MessageUid, Scope, StageId, WorkerId};
use jiff::Timestamp;

use crate::book::{Book, MAILBOX, scope};
use crate::commits::{Commits, Writer};
use crate::database::{Database, Write, at_once};
use crate::late::Late;
use crate::stage::{Fault, Op, Phase, Stage};

/// One worker's way to the store that all share.
#[derive(Debug, Clone)]
pub(crate) struct SimStore {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
    pub(crate) database: Arc<Database>,
    pub(crate) commits: Commits,
    /// What it sent that comes late.
    pub(crate) late: Late,
}

impl SimStore {
    /// A call, whose effect is done in one step.
    async fn call<T: Debug>(
        &self,
        op: Op,
        name: &'static str,
        effect: impl FnOnce(&dyn InteractionStore) -> Result<T>,
    ) -> Result<T> {
        self.call_or_late(op, name, effect, || ()).await
    }

    /// As [`call`](Self::call) does, of a call whose effect may come late: it is `send` that keeps it for then.
    async fn call_or_late<T: Debug>(
        &self,
        op: Op,
        name: &'static str,
        effect: impl FnOnce(&dyn InteractionStore) -> Result<T>,
        send: impl FnOnce(),
    ) -> Result<T> {
        match self.stage.wait(self.worker, op, Phase::Before).await {
            None => {}
            Some(fault) => {
                if fault == Fault::Late {
                    send();
                }
                return Err(failed(fault, name));
            }
        }
        let answer = effect(self.database.store().as_ref());
        self.stage.sees(self.worker, &answer);
        match self.stage.wait(self.worker, op, Phase::After).await {
            Some(fault) => Err(failed(fault, name)),
            None => answer,
        }
    }

    /// Keeps a commit for when it comes: its fence refuses it if the lease is over by then.
    fn send_commit(&self, scope: &Scope, lease: &Lease, batch: &CommitBatch) {
        let mut store = self.clone();
        store.late = Late::default();
        let (scope, lease, batch) = (scope.clone(), lease.clone(), batch.clone());
        let what = (self.worker, lease.epoch, batch.clone());
        let writer = self.writer();
        let effect = move || {
            let database = store.database.store();
            let _ = store.commit_effect(database.as_ref(), (&scope, &lease), writer, &batch);
        };
        self.late.put(Op::Commit, &what, Box::new(effect));
    }

    fn writer(&self) -> Writer {
        let walks = self.book().pages().walking.contains(&self.worker);
        let worker = self.worker;
        Writer { worker, walks }
    }

    fn book(&self) -> &Book {
        &self.commits.book
    }

    /// The store comes to know what the worker was told of a wait.
    fn gives_back(&self, lease: &Lease) {
        if !self.book().is_stale(lease.epoch) {
            self.book().given_back(self.worker, self.stage.now());
        }
    }

    /// I11: nobody works for another company or another mailbox.
    fn check_scope(&self, of: &Scope, mailbox: Option<&MailboxKey>) {
        if of != scope() || mailbox.is_some_and(|it| it.as_str() != MAILBOX) {
            self.book()
                .broken(format!("I11: a call for {of:?} {mailbox:?}"));
        }
    }

    /// The commit, with what the book must know of it.
    fn commit_effect(
        &self,
        store: &dyn InteractionStore,
        (scope, lease): (&Scope, &Lease),
        writer: Writer,
        batch: &CommitBatch,
    ) -> Result<CommitReceipt> {
        self.check_scope(scope, Some(&lease.mailbox));
        let stale = self.book().is_stale(lease.epoch);
        let before = stale.then(|| size(store, scope));
        self.database
            .note(|| Write::Commit(lease.clone(), batch.clone()));
        self.stage.writes(batch);
        let receipt = at_once(store.commit(scope, lease, batch.clone()));
        match &receipt {
            Ok(_) if stale => self.book().broken("I9: a stale lease was written with"),
            Ok(receipt) => self.commits.look(store, writer, batch, receipt),
            Err(error) if stale && error.kind() != ErrorKind::LeaseLost => {
                self.book()
                    .broken(format!("I9: a stale lease is answered with {error}"));
            }
            Err(_) => {}
        }
        if before.is_some_and(|before| before != size(store, scope)) {
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
        self.call(Op::Acquire, "acquire", |store| {
            self.check_scope(scope, Some(mailbox));
            self.book().looks_at_the_clock(self.stage.now());
            self.database.note(|| Write::Acquire(worker.clone(), ttl));
            let acquired = at_once(store.acquire(scope, mailbox, worker, ttl));
            if let Ok(Acquired::Held(lease)) = &acquired {
                self.stage.writes(lease);
                let now = self.stage.now();
                self.book().lease_given(self.worker, lease.epoch, now);
            }
            acquired
        })
        .await
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.call(Op::Renew, "renew", |store| {
            self.database.note(|| Write::Renew(lease.clone(), ttl));
            let renewed = at_once(store.renew(scope, lease, ttl));
            if renewed.is_ok() && self.book().is_stale(lease.epoch) {
                self.book().broken("I9: a stale lease was renewed");
            }
            self.stage.writes(&renewed);
            renewed
        })
        .await
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        self.call(Op::Release, "release", |store| {
            self.database.note(|| Write::Release(lease.clone()));
            self.stage.writes(&(Op::Release, lease));
            self.gives_back(lease);
            at_once(store.release(scope, lease))
        })
        .await
    }

    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        self.call(Op::Release, "release", |store| {
            self.database
                .note(|| Write::ReleaseQuiet(lease.clone(), quiet));
            self.stage.writes(&(Op::Release, lease, quiet));
            self.gives_back(lease);
            at_once(store.release_quiet(scope, lease, quiet))
        })
        .await
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        self.check_scope(scope, Some(mailbox));
        self.call(Op::Known, "known", |store| {
            at_once(store.known(scope, mailbox, keys))
        })
        .await
    }

    async fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        self.check_scope(scope, Some(mailbox));
        self.call(Op::Known, "keys_of", |store| {
            at_once(store.keys_of(scope, mailbox, items))
        })
        .await
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        self.call(Op::WithMessageIds, "with_message_ids", |store| {
            self.check_scope(scope, None);
            at_once(store.with_message_ids(scope, message_ids))
        })
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
        self.call(Op::Stage, "stage", |store| {
            self.database
                .note(|| Write::Stage(lease.clone(), stage, index, bytes.clone()));
            self.stage.writes(&(lease, stage, index));
            let staged = at_once(store.stage(scope, lease, stage, index, bytes));
            if staged.is_ok() && self.book().is_stale(lease.epoch) {
                self.book().broken("I9: a stale lease staged an original");
            }
            staged
        })
        .await
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        self.call(Op::Staged, "staged", |store| {
            self.check_scope(scope, None);
            at_once(store.staged(scope, lease, stage, limit))
        })
        .await
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        self.call_or_late(
            Op::Commit,
            "commit",
            |store| self.commit_effect(store, (scope, lease), self.writer(), &batch),
            || self.send_commit(scope, lease, &batch),
        )
        .await
    }

    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>> {
        self.call(Op::PendingMoves, "pending_moves", |store| {
            self.check_scope(scope, Some(mailbox));
            at_once(store.pending_moves(scope, mailbox, due, limit))
        })
        .await
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        self.call(Op::Undelivered, "undelivered", |store| {
            self.check_scope(scope, Some(mailbox));
            at_once(store.undelivered(scope, mailbox, limit))
        })
        .await
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        self.book()
            .broken("I9: another try is given without a lease");
        self.call(Op::Requeue, "requeue", |store| {
            at_once(store.requeue(scope, mailbox, keys))
        })
        .await
    }

    async fn requeue_held(
        &self,
        scope: &Scope,
        lease: &Lease,
        keys: &[SightingKey],
    ) -> Result<u64> {
        self.call(Op::Requeue, "requeue", |store| {
            self.check_scope(scope, Some(&lease.mailbox));
            let is_stale = self.book().is_stale(lease.epoch);
            if !is_stale {
                self.commits.requeue(store, keys);
            }
            self.database
                .note(|| Write::Requeue(lease.clone(), keys.to_vec()));
            self.stage.writes(&keys);
            let requeued = at_once(store.requeue_held(scope, lease, keys));
            if is_stale && requeued.is_ok() {
                self.book().broken("I9: a stale lease gave another try");
            }
            requeued
        })
        .await
    }
}

#[async_trait]
impl ContentIndex for SimStore {
    async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>> {
        self.call(Op::Unindexed, "unindexed", |store| {
            at_once(store.unindexed(scope, limit))
        })
        .await
    }

    async fn put_content(
        &self,
        scope: &Scope,
        contents: Vec<(MessageUid, MessageContent)>,
    ) -> Result<()> {
        self.call(Op::Index, "put_content", |store| {
            let uids: Vec<_> = contents.iter().map(|(uid, _)| *uid).collect();
            self.stage.writes(&uids);
            at_once(store.put_content(scope, contents))
        })
        .await
    }
}

/// What a run reads in the log. The rest belongs to people, and is not part of a run.
#[async_trait]
impl InteractionLog for SimStore {
    async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail> {
        self.call(Op::ReadMail, "mail", |store| {
            at_once(store.mail(scope, message))
        })
        .await
    }

    async fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: Range<u64>,
    ) -> Result<OriginalPart> {
        self.call(Op::ReadOriginal, "original", |store| {
            self.check_scope(scope, None);
            at_once(store.original(scope, message, range))
        })
        .await
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
