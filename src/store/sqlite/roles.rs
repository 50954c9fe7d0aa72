//! The roles of the store: each call becomes one job of the thread that it belongs to.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqliteStore;
use super::core::Core;
use crate::error::Result;
use crate::ids::{EntryId, MailboxKey, MessageUid, StageId, WorkerId};
use crate::interaction::{
    Conversation, InteractionLogEntry, InteractionStatistics, StatisticsOptions,
};
use crate::message::MessageContent;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;
use crate::source::{ItemRef, SightingKey};
use crate::store::{
    Acquired, Annotation, CanceledEntries, CommitBatch, CommitReceipt, ContentIndex, Conversations,
    Cursor, DecisionFilter, DecisionRecord, DeletedEntries, Deletion, Event, EventFeed, EventKind,
    InteractionLog, InteractionReports, KnownMessage, KnownSighting, Lease, LogCount, LogFilter,
    LoggedMail, MailLedger, OriginalPart, Page, PendingMove, SealedSecret, SecretName, SecretPlace,
    SecretStore, SetupStore, StoredSecret, StoredSetup, Undelivered,
};

/// Moves copies of the arguments into a job for the thread that `$role` names.
macro_rules! call {
    ($store:ident . $role:ident, $method:ident, $scope:ident $(, $arg:ident)*) => {{
        let scope = $scope.clone();
        $(let $arg = $arg.to_owned();)*
        $store.$role().call(stringify!($method), move |core| core.$method(&scope $(, &$arg)*)).await
    }};
}

#[async_trait]
impl MailLedger for SqliteStore {
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired> {
        let (scope, mailbox, worker) = (scope.clone(), mailbox.clone(), worker.clone());
        let job = move |core: &mut Core| core.acquire(&scope, &mailbox, &worker, ttl);
        self.writer().call("acquire", job).await
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let (scope, lease) = (scope.clone(), lease.clone());
        let job = move |core: &mut Core| core.renew(&scope, &lease, ttl);
        self.writer().call("renew", job).await
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        self.release_quiet(scope, lease, Duration::ZERO).await
    }

    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        let (scope, lease) = (scope.clone(), lease.clone());
        let job = move |core: &mut Core| core.release(&scope, &lease, quiet);
        self.writer().call("release", job).await
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        call!(self.ledger_reader, known, scope, mailbox, keys)
    }

    async fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        call!(self.ledger_reader, keys_of, scope, mailbox, items)
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        call!(self.ledger_reader, with_message_ids, scope, message_ids)
    }

    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let (scope, lease) = (scope.clone(), lease.clone());
        let job = move |core: &mut Core| core.stage(&scope, &lease, stage, index, &bytes);
        self.writer().call("stage", job).await
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        let (scope, lease) = (scope.clone(), lease.clone());
        let job = move |core: &mut Core| core.staged(&scope, &lease, stage, limit);
        self.writer().call("staged", job).await
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        let (scope, lease) = (scope.clone(), lease.clone());
        let job = move |core: &mut Core| core.commit(&scope, &lease, &batch);
        self.writer().call("commit", job).await
    }

    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>> {
        let (scope, mailbox) = (scope.clone(), mailbox.clone());
        let job = move |core: &mut Core| core.pending_moves(&scope, &mailbox, due, limit);
        self.ledger_reader().call("pending_moves", job).await
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        let (scope, mailbox) = (scope.clone(), mailbox.clone());
        let job = move |core: &mut Core| core.undelivered(&scope, &mailbox, limit);
        self.ledger_reader().call("undelivered", job).await
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        call!(self.writer, requeue, scope, mailbox, keys)
    }

    async fn requeue_held(
        &self,
        scope: &Scope,
        lease: &Lease,
        keys: &[SightingKey],
    ) -> Result<u64> {
        call!(self.writer, requeue_held, scope, lease, keys)
    }
}

#[async_trait]
impl InteractionLog for SqliteStore {
    async fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<InteractionLogEntry>> {
        let (scope, filter, after) = (scope.clone(), filter.clone(), after.cloned());
        let job = move |core: &mut Core| core.entries(&scope, &filter, after.as_ref(), limit);
        self.log_reader().call("entries", job).await
    }

    async fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        let (scope, filter, after) = (scope.clone(), filter.clone(), after.cloned());
        let job = move |core: &mut Core| core.mails(&scope, &filter, after.as_ref(), limit);
        self.log_reader().call("mails", job).await
    }

    async fn entry(&self, scope: &Scope, id: &EntryId) -> Result<InteractionLogEntry> {
        call!(self.log_reader, entry, scope, id)
    }

    async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail> {
        call!(self.log_reader, mail, scope, message)
    }

    async fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: Range<u64>,
    ) -> Result<OriginalPart> {
        call!(self.log_reader, original, scope, message, range)
    }

    async fn decisions(
        &self,
        scope: &Scope,
        filter: &DecisionFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<DecisionRecord>> {
        let (scope, filter, after) = (scope.clone(), filter.clone(), after.cloned());
        let job = move |core: &mut Core| core.decisions(&scope, &filter, after.as_ref(), limit);
        self.log_reader().call("decisions", job).await
    }

    async fn annotate(&self, scope: &Scope, id: &EntryId, annotation: Annotation) -> Result<()> {
        call!(self.writer, annotate, scope, id, annotation)
    }

    async fn cancel(&self, scope: &Scope, id: &EntryId, canceled: bool) -> Result<()> {
        let (scope, id) = (scope.clone(), *id);
        let job = move |core: &mut Core| core.cancel(&scope, &id, canceled);
        self.writer().call("cancel", job).await
    }
}

#[async_trait]
impl ContentIndex for SqliteStore {
    async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>> {
        let scope = scope.clone();
        let job = move |core: &mut Core| core.unindexed(&scope, limit);
        self.ledger_reader().call("unindexed", job).await
    }

    async fn put_content(
        &self,
        scope: &Scope,
        contents: Vec<(MessageUid, MessageContent)>,
    ) -> Result<()> {
        let scope = scope.clone();
        let job = move |core: &mut Core| core.put_content(&scope, &contents);
        self.writer().call("put_content", job).await
    }
}

#[async_trait]
impl EventFeed for SqliteStore {
    async fn read_events(&self, scope: &Scope, consumer: &str, limit: u32) -> Result<Vec<Event>> {
        let (scope, consumer) = (scope.clone(), consumer.to_owned());
        let job = move |core: &mut Core| core.read_events(&scope, &consumer, limit);
        self.log_reader().call("read_events", job).await
    }

    async fn acknowledge(&self, scope: &Scope, consumer: &str, number: u64) -> Result<()> {
        let (scope, consumer) = (scope.clone(), consumer.to_owned());
        let job = move |core: &mut Core| core.acknowledge(&scope, &consumer, number);
        self.writer().call("acknowledge", job).await
    }

    async fn announce(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        kind: EventKind,
        reason: &str,
    ) -> Result<bool> {
        let (scope, mailbox, reason) = (scope.clone(), mailbox.clone(), reason.to_owned());
        let job = move |core: &mut Core| core.announce(&scope, &mailbox, kind, &reason);
        self.writer().call("announce", job).await
    }
}

#[async_trait]
impl SetupStore for SqliteStore {
    async fn load_setup(&self, scope: &Scope) -> Result<Option<StoredSetup>> {
        call!(self.log_reader, load_setup, scope)
    }

    async fn save_setup(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        expected_version: u64,
    ) -> Result<u64> {
        let (scope, setup) = (scope.clone(), setup.clone());
        let job = move |core: &mut Core| core.save_setup(&scope, &setup, expected_version);
        self.writer().call("save_setup", job).await
    }
}

#[async_trait]
impl SecretStore for SqliteStore {
    // The ledger's reader: a sign-in does not wait behind a search.
    async fn load_secret(&self, scope: &Scope, name: SecretName) -> Result<Option<StoredSecret>> {
        let scope = scope.clone();
        let job = move |core: &mut Core| core.load_secret(&scope, name);
        self.ledger_reader().call("load_secret", job).await
    }

    async fn save_secret(
        &self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        expected_version: u64,
    ) -> Result<u64> {
        let (scope, sealed) = (scope.clone(), sealed.clone());
        let job = move |core: &mut Core| core.save_secret(&scope, name, &sealed, expected_version);
        self.writer().call("save_secret", job).await
    }

    async fn erase_secrets(&self, scope: &Scope, names: &[SecretName]) -> Result<()> {
        call!(self.writer, erase_secrets, scope, names)
    }

    async fn list_secrets(&self) -> Result<Vec<SecretPlace>> {
        let job = |core: &mut Core| core.list_secrets();
        self.ledger_reader().call("list_secrets", job).await
    }
}

#[async_trait]
impl InteractionReports for SqliteStore {
    async fn count(&self, scope: &Scope, filter: &LogFilter) -> Result<LogCount> {
        let (scope, filter) = (scope.clone(), filter.clone());
        let job = move |core: &mut Core| core.count(&scope, &filter);
        self.log_reader().call("count", job).await
    }

    async fn statistics(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        options: &StatisticsOptions,
    ) -> Result<InteractionStatistics> {
        let (scope, filter, options) = (scope.clone(), filter.clone(), options.clone());
        let job = move |core: &mut Core| core.statistics(&scope, &filter, &options);
        self.log_reader().call("statistics", job).await
    }
}

#[async_trait]
impl Conversations for SqliteStore {
    async fn conversation(&self, scope: &Scope, message: &MessageUid) -> Result<Conversation> {
        call!(self.log_reader, conversation, scope, message)
    }
}

#[async_trait]
impl CanceledEntries for SqliteStore {
    async fn delete_canceled(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        deletion: Deletion,
    ) -> Result<DeletedEntries> {
        let (scope, filter) = (scope.clone(), filter.clone());
        let job = move |core: &mut Core| core.delete_canceled(&scope, &filter, deletion);
        self.writer().call("delete_canceled", job).await
    }
}
