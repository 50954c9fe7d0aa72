//! The roles of the store: each call is one transaction of the pool.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use super::core::commit::{Job, Rows, Trail};
use super::core::log::Asked;
use super::core::original::Piece;
use super::core::{
    canceled, commit, content, conversation as conversations, decisions, events, lease as leases,
    log, messages, moves, original, people, reports, secret, setup as setups, sightings,
};
use super::fault::Done;
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

/// Reads in one snapshot.
macro_rules! read {
    ($store:ident, $operation:literal, |$tx:ident| $job:expr) => {{
        let done = async {
            $store.kept().await?;
            $store.pool.read(|$tx| async move { $job.await }).await
        };
        told($operation, done.await)
    }};
}

/// Writes in one transaction, done again where that is safe.
macro_rules! write {
    ($store:ident, $operation:literal, |$tx:ident, $round:ident| $job:expr) => {{
        let done = async {
            $store.kept().await?;
            $store
                .pool
                .write(|$tx, $round| async move { $job.await })
                .await
        };
        told($operation, done.await)
    }};
}

pub(super) use {read, write};

pub(super) fn told<T>(operation: &'static str, done: Done<T>) -> Result<T> {
    done.map_err(|fault| fault.into_error(operation))
}

#[async_trait]
impl MailLedger for PostgresStore {
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired> {
        let time = self.time();
        write!(self, "acquire", |tx, _round| leases::acquire(
            &tx, scope, mailbox, worker, ttl, time
        ))
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let time = self.time();
        write!(self, "renew", |tx, _round| leases::renew(
            &tx, scope, lease, ttl, time
        ))
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        self.release_quiet(scope, lease, Duration::ZERO).await
    }

    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        let time = self.time();
        write!(self, "release", |tx, _round| leases::release(
            &tx, scope, lease, quiet, time
        ))
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        read!(self, "known", |tx| sightings::known(
            &tx, scope, mailbox, keys
        ))
    }

    async fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        read!(self, "keys_of", |tx| sightings::keys_of(
            &tx, scope, mailbox, items
        ))
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        read!(self, "with_message_ids", |tx| messages::with_message_ids(
            &tx,
            scope,
            message_ids
        ))
    }

    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let time = self.time();
        let piece = &Piece {
            stage,
            index,
            bytes: &bytes,
        };
        write!(self, "stage", |tx, round| original::stage(
            &tx, scope, lease, piece, time, round
        ))
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        let time = self.time();
        write!(self, "staged", |tx, _round| original::staged(
            &tx, scope, lease, stage, limit, time
        ))
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        let done = self
            .commit_batch(scope, lease, &batch, Rows::Together)
            .await;
        let done = match done {
            Err(fault) if fault.is_data() => {
                self.commit_batch(scope, lease, &batch, Rows::Apart).await
            }
            other => other,
        };
        told("commit", done)
    }

    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>> {
        read!(self, "pending_moves", |tx| moves::pending_moves(
            &tx, scope, mailbox, due, limit
        ))
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        read!(self, "undelivered", |tx| moves::undelivered(
            &tx, scope, mailbox, limit
        ))
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        // What a round counted whose reply was lost counts, though the next one finds nothing to do.
        let counted = std::sync::atomic::AtomicU64::new(0);
        let counted = &counted;
        write!(self, "requeue", |tx, _round| async {
            let requeued = sightings::requeue(&tx, scope, mailbox, keys).await?;
            let before = counted.fetch_max(requeued, std::sync::atomic::Ordering::AcqRel);
            Done::Ok(requeued.max(before))
        })
    }

    async fn requeue_held(
        &self,
        scope: &Scope,
        lease: &Lease,
        keys: &[SightingKey],
    ) -> Result<u64> {
        let (time, counted) = (self.time(), std::sync::atomic::AtomicU64::new(0));
        let counted = &counted;
        write!(self, "requeue", |tx, _round| async {
            let requeued = sightings::requeue_held(&tx, scope, lease, keys, time).await?;
            let before = counted.fetch_max(requeued, std::sync::atomic::Ordering::AcqRel);
            Done::Ok(requeued.max(before))
        })
    }
}

impl PostgresStore {
    async fn commit_batch(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: &CommitBatch,
        rows: Rows,
    ) -> Done<CommitReceipt> {
        let job = &Job {
            scope,
            lease,
            batch,
            time: self.time(),
            kept: self.kept().await?,
            entropy: &*self.entropy,
        };
        let trail = Trail::default();
        let left = &trail;
        self.pool
            .write(|tx, round| async move { commit::commit(&tx, job, rows, left, round).await })
            .await?;
        Ok(trail.into_receipt())
    }
}

#[async_trait]
impl InteractionLog for PostgresStore {
    async fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<InteractionLogEntry>> {
        let asked = &self.asked("entries", scope, filter, after, limit).await?;
        read!(self, "entries", |tx| log::entries(&tx, asked))
    }

    async fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        let asked = &self.asked("mails", scope, filter, after, limit).await?;
        read!(self, "mails", |tx| log::mails(&tx, asked))
    }

    async fn entry(&self, scope: &Scope, id: &EntryId) -> Result<InteractionLogEntry> {
        read!(self, "entry", |tx| log::entry(&tx, scope, id))
    }

    async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail> {
        read!(self, "mail", |tx| log::mail(&tx, scope, message))
    }

    async fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: Range<u64>,
    ) -> Result<OriginalPart> {
        let range = &range;
        read!(self, "original", |tx| original::original(
            &tx, scope, message, range
        ))
    }

    async fn decisions(
        &self,
        scope: &Scope,
        filter: &DecisionFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<DecisionRecord>> {
        let asked = &self.asked("decisions", scope, filter, after, limit).await?;
        read!(self, "decisions", |tx| decisions::decisions(&tx, asked))
    }

    async fn annotate(&self, scope: &Scope, id: &EntryId, annotation: Annotation) -> Result<()> {
        let (time, annotation) = (self.time(), &annotation);
        let at = read!(self, "annotate", |tx| people::time(&tx, time))?;
        write!(self, "annotate", |tx, round| people::annotate(
            &tx, scope, id, annotation, at, round
        ))
    }

    async fn cancel(&self, scope: &Scope, id: &EntryId, canceled: bool) -> Result<()> {
        let time = self.time();
        write!(self, "cancel", |tx, _round| people::cancel(
            &tx, scope, id, canceled, time
        ))
    }
}

impl PostgresStore {
    async fn asked<'a, Filter: Sync>(
        &self,
        operation: &'static str,
        scope: &'a Scope,
        filter: &'a Filter,
        after: Option<&'a Cursor>,
        limit: u32,
    ) -> Result<Asked<'a, Filter>> {
        Ok(Asked {
            scope,
            filter,
            after,
            limit,
            kept: told(operation, self.kept().await)?,
        })
    }
}

#[async_trait]
impl ContentIndex for PostgresStore {
    async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>> {
        read!(self, "unindexed", |tx| content::unindexed(
            &tx, scope, limit
        ))
    }

    async fn put_content(
        &self,
        scope: &Scope,
        contents: Vec<(MessageUid, MessageContent)>,
    ) -> Result<()> {
        let (time, contents) = (self.time(), &contents);
        let kept = told("put_content", self.kept().await)?;
        write!(self, "put_content", |tx, _round| content::put_content(
            &tx, scope, contents, kept, time
        ))
    }
}

#[async_trait]
impl EventFeed for PostgresStore {
    async fn read_events(&self, scope: &Scope, consumer: &str, limit: u32) -> Result<Vec<Event>> {
        read!(self, "read_events", |tx| events::read_events(
            &tx, scope, consumer, limit
        ))
    }

    async fn acknowledge(&self, scope: &Scope, consumer: &str, number: u64) -> Result<()> {
        write!(self, "acknowledge", |tx, _round| events::acknowledge(
            &tx, scope, consumer, number
        ))
    }

    async fn announce(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        kind: EventKind,
        reason: &str,
    ) -> Result<bool> {
        let stamp = (self.time(), &*self.entropy);
        let word = (mailbox, kind, reason);
        write!(self, "announce", |tx, _round| events::announce(
            &tx, scope, word, stamp
        ))
    }
}

#[async_trait]
impl SetupStore for PostgresStore {
    async fn load_setup(&self, scope: &Scope) -> Result<Option<StoredSetup>> {
        read!(self, "load_setup", |tx| setups::load_setup(&tx, scope))
    }

    async fn save_setup(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        expected_version: u64,
    ) -> Result<u64> {
        let time = self.time();
        write!(self, "save_setup", |tx, round| setups::save_setup(
            &tx,
            scope,
            setup,
            expected_version,
            time,
            round
        ))
    }
}

#[async_trait]
impl SecretStore for PostgresStore {
    async fn load_secret(&self, scope: &Scope, name: SecretName) -> Result<Option<StoredSecret>> {
        read!(self, "load_secret", |tx| secret::load_secret(
            &tx, scope, name
        ))
    }

    async fn save_secret(
        &self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        expected_version: u64,
    ) -> Result<u64> {
        let time = self.time();
        write!(self, "save_secret", |tx, round| secret::save_secret(
            &tx,
            scope,
            name,
            sealed,
            expected_version,
            time,
            round
        ))
    }

    async fn erase_secrets(&self, scope: &Scope, names: &[SecretName]) -> Result<()> {
        let time = self.time();
        write!(self, "erase_secrets", |tx, _round| secret::erase_secrets(
            &tx, scope, names, time
        ))
    }

    async fn list_secrets(&self) -> Result<Vec<SecretPlace>> {
        read!(self, "list_secrets", |tx| secret::list_secrets(&tx))
    }
}

#[async_trait]
impl InteractionReports for PostgresStore {
    async fn count(&self, scope: &Scope, filter: &LogFilter) -> Result<LogCount> {
        let kept = told("count", self.kept().await)?;
        read!(self, "count", |tx| reports::count(&tx, scope, filter, kept))
    }

    async fn statistics(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        options: &StatisticsOptions,
    ) -> Result<InteractionStatistics> {
        let kept = told("statistics", self.kept().await)?;
        read!(self, "statistics", |tx| reports::statistics(
            &tx, scope, filter, options, kept
        ))
    }
}

#[async_trait]
impl Conversations for PostgresStore {
    async fn conversation(&self, scope: &Scope, message: &MessageUid) -> Result<Conversation> {
        read!(self, "conversation", |tx| conversations::conversation(
            &tx, scope, message
        ))
    }
}

#[async_trait]
impl CanceledEntries for PostgresStore {
    async fn delete_canceled(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        deletion: Deletion,
    ) -> Result<DeletedEntries> {
        let time = self.time();
        let kept = told("delete_canceled", self.kept().await)?;
        // What a round deleted whose reply was lost is told, though the next one finds nothing to do.
        let before = std::sync::Mutex::new(DeletedEntries::default());
        let before = &before;
        write!(self, "delete_canceled", |tx, _round| async {
            let deleted =
                canceled::delete_canceled(&tx, scope, filter, deletion, kept, time).await?;
            let mut before = before
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if deleted.entries > 0 || before.entries == 0 {
                *before = deleted;
            }
            Done::Ok(*before)
        })
    }
}
