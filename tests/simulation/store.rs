//! The store as a worker sees it: every call waits before and after its effect, and may fail at either.

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::error::{Error, ErrorKind, Result, codes};
use email_logging::message::MessageContent;
use email_logging::source::SightingKey;
use email_logging::store::{
    Acquired, CommitBatch, CommitReceipt, ContentIndex, DecisionFilter, InteractionLog,
    InteractionStore, KnownMessage, KnownSighting, Lease, LogFilter, MailLedger, PendingMove,
    RowContent, RowResult, Undelivered,
};
use email_logging::{MailboxKey, MessageUid, Scope, StageId, WorkerId};
use jiff::Timestamp;

use crate::book::{Book, item_id};
use crate::stage::{Op, Phase, Stage};

/// One worker's way to the store that all share.
#[derive(Debug, Clone)]
pub(crate) struct SimStore {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
    pub(crate) inner: Arc<dyn InteractionStore>,
    pub(crate) book: Arc<Book>,
}

/// The answer of a call that never waits, as those of a store without threads are.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a store that answers at once is needed here"),
    }
}

impl SimStore {
    async fn call<T>(
        &self,
        op: Op,
        name: &'static str,
        effect: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let lost = || Error::new(&codes::STORE_UNAVAILABLE, name);
        if self
            .stage
            .wait(self.worker, op, Phase::Before)
            .await
            .is_some()
        {
            return Err(lost());
        }
        let answer = effect.await;
        match self.stage.wait(self.worker, op, Phase::After).await {
            Some(_) => Err(lost()),
            None => answer,
        }
    }

    /// The commit, with what the book must know of it, in one step.
    async fn commit_effect(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        let stale = self.book.is_stale(lease.epoch);
        let before = stale.then(|| self.size(scope));
        let items: Vec<_> = batch.rows.iter().map(decides).collect();
        let receipt = self.inner.commit(scope, lease, batch).await;
        match &receipt {
            Ok(_) if stale => self.book.broken("I9: a stale lease was written with"),
            Ok(receipt) => {
                let rows = items.into_iter().zip(&receipt.rows);
                let written = rows.filter_map(|(item, row)| item.filter(|_| is_written(row)));
                self.book.commit(written);
            }
            Err(error) if stale && error.kind() != ErrorKind::LeaseLost => {
                self.book
                    .broken(format!("I9: a stale lease is answered with {error}"));
            }
            Err(_) => {}
        }
        if before.is_some_and(|before| before != self.size(scope)) {
            self.book.broken("I9: rows of a stale lease are there");
        }
        receipt
    }

    /// How many entries and decisions there are.
    fn size(&self, scope: &Scope) -> (usize, usize) {
        let entries = at_once(
            self.inner
                .entries(scope, &LogFilter::default(), None, 1_000),
        );
        let decisions =
            at_once(
                self.inner
                    .decisions(scope, &DecisionFilter::default(), None, 1_000),
            );
        (entries.unwrap().rows.len(), decisions.unwrap().rows.len())
    }
}

/// The item that a row decides about, if it does.
fn decides(row: &email_logging::store::CommitRow) -> Option<u64> {
    match row.content {
        RowContent::Decided(_) | RowContent::Again { .. } => Some(item_id(&row.sighting.item)),
        _ => None,
    }
}

fn is_written(row: &RowResult) -> bool {
    matches!(row, RowResult::Written { .. } | RowResult::AlreadyLogged)
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
            let acquired = self.inner.acquire(scope, mailbox, worker, ttl).await;
            if let Ok(Acquired::Held(lease)) = &acquired {
                self.book.lease_given(lease.epoch);
            }
            acquired
        })
        .await
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.call(Op::Renew, "renew", async {
            let renewed = self.inner.renew(scope, lease, ttl).await;
            if renewed.is_ok() && self.book.is_stale(lease.epoch) {
                self.book.broken("I9: a stale lease was renewed");
            }
            renewed
        })
        .await
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        self.call(Op::Release, "release", self.inner.release(scope, lease))
            .await
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        self.call(Op::Known, "known", self.inner.known(scope, mailbox, keys))
            .await
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        let effect = self.inner.with_message_ids(scope, message_ids);
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
        let effect = self.inner.stage(scope, lease, stage, index, bytes);
        self.call(Op::Stage, "stage", effect).await
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        let effect = self.inner.staged(scope, lease, stage, limit);
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
        let effect = self.inner.pending_moves(scope, mailbox, due, limit);
        self.call(Op::PendingMoves, "pending_moves", effect).await
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        let effect = self.inner.undelivered(scope, mailbox, limit);
        self.call(Op::Undelivered, "undelivered", effect).await
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        self.inner.requeue(scope, mailbox, keys).await
    }
}

#[async_trait]
impl ContentIndex for SimStore {
    async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>> {
        self.call(
            Op::Unindexed,
            "unindexed",
            self.inner.unindexed(scope, limit),
        )
        .await
    }

    async fn put_content(
        &self,
        scope: &Scope,
        contents: Vec<(MessageUid, MessageContent)>,
    ) -> Result<()> {
        self.call(
            Op::Index,
            "put_content",
            self.inner.put_content(scope, contents),
        )
        .await
    }
}
