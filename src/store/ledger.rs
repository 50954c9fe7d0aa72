//! The ledger: who works on a mailbox, what was seen, and which moves are still to do.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::commit::{CommitBatch, CommitReceipt};
use crate::decision::Disposition;
use crate::error::Result;
use crate::ids::{MailboxKey, MessageUid, StageId, WorkerId};
use crate::interaction::InteractionLogEntry;
use crate::message::{CanonicalDigest, FastKey, codes};
use crate::scope::Scope;
use crate::source::{ItemRef, SightingKey};

/// The memory of a mailbox: leases, sightings, commits and pending moves.
///
/// The contract, which `testkit::conformance::store` checks:
///
/// * at most one lease per mailbox is valid; taking it raises its epoch;
/// * nobody takes a mailbox while its mail system wants to be left alone;
/// * every write with a lease first checks its epoch inside the same transaction; a stale one writes nothing and answers
///   `LeaseLost`;
/// * [`commit`](Self::commit) is all or nothing and durable when it returns; unique keys, not code order, keep a second
///   entry out;
/// * a commit whose reply was lost can be repeated: rows that are there answer that they are there;
/// * what cannot be read or written is `StoreUnavailable`, never an empty answer.
#[async_trait]
pub trait MailLedger: Debug + Send + Sync + 'static {
    /// Takes the lease of a mailbox for `ttl`, if nobody holds it and it is not [quiet](Self::release_quiet). The same worker
    /// takes its own lease over. A clock that is set back makes no lease longer: from when somebody asks on, a lease of
    /// somebody else lasts its length at most, so that the mailbox of a worker that is gone is free again.
    ///
    /// Staged pieces of this mailbox that no commit linked are swept by the way, so that no byte of them is left in a
    /// file.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: a lease that was taken ends by itself.
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired>;

    /// Extends a lease to `ttl` from now.
    ///
    /// # Errors
    ///
    /// `LeaseLost`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease>;

    /// Gives a lease back, and sweeps staged pieces that no commit linked as [`acquire`](Self::acquire) does. A stale
    /// lease is no error and sweeps nothing.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: the lease ends by itself.
    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()>;

    /// Gives a lease back as [`release`](Self::release) does, because the mail system wants to be left alone: nobody takes
    /// the mailbox for so long, neither another worker nor the same one. A wish for more than a day is one for a day. A
    /// stale lease is no error and keeps no wish.
    ///
    /// A clock that is set back to before the wish began makes it last its length once more, from when the mailbox is asked
    /// for, and no longer.
    ///
    /// Without a body of its own this only gives the lease back: then the next run, or another process, asks the mail system
    /// sooner than it wants.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: where the wish was not kept, the lease ends by itself.
    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        let _ = quiet;
        self.release(scope, lease).await
    }

    /// What is known of these sightings. One answer per key, in order.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>>;

    /// The keys under which items without a key of their own were met before: by the place where they were last seen, or
    /// from where a planned move takes them. One answer per item, in order; `None` where the item is new, and for items whose
    /// sighting has a key that survives a move.
    ///
    /// A ledger that always answers `None`, as the default does, reads such an item again in every run for as long as it lies
    /// in the queue folder.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn keys_of(
        &self,
        _scope: &Scope,
        _mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        Ok(vec![None; items.len()])
    }

    /// The messages that carry these Message-IDs. One list per id, in order.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>>;

    /// Appends a piece of a large original, in a transaction of its own. Pieces come in order, from index 0. A loss of power
    /// may take them as long as no commit has linked them; what is linked is there whole.
    ///
    /// # Errors
    ///
    /// `LeaseLost`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: begin with a new [`StageId`].
    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()>;

    /// The bytes that were staged so far; `None` where they are more than `limit`.
    ///
    /// Needed where a large mail is to be compared with another one before its commit.
    ///
    /// # Errors
    ///
    /// `NotFound` (`store.not_found`) where nothing was staged, `LeaseLost`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>>;

    /// Writes a batch: entries, originals, decisions, events and pending moves of its rows, and the results of earlier
    /// moves and deliveries.
    ///
    /// A row that the store refuses for its data answers [`RowResult::Rejected`](super::RowResult) and leaves no trace;
    /// the other rows are written.
    ///
    /// # Errors
    ///
    /// `LeaseLost`, `StoreUnavailable`. Nothing of the batch was written, unless the reply was lost.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: ask [`known`](Self::known) or repeat the commit.
    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt>;

    /// Moves that were planned by a commit, have no result yet, do not wait for the host's own log, and may be tried by
    /// `due`: oldest plan first, then by item id. No wait is longer than a day, so a move that may be tried only more than two
    /// days after `due` was tried under a clock that has been set back, and is among them.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>>;

    /// Messages whose entries the host's own log has not confirmed, oldest first.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>>;

    /// Gives sightings that were set aside another round of attempts. Answers how many there were.
    ///
    /// The sighting's state becomes pending with no attempts, and a move that was planned for it is dropped. Its mail is
    /// decided again when it is listed in the queue folder: from another folder a person moves it back.
    ///
    /// This looks at no lease and at no folder: a run that is under way may set the mail aside once more, and of a move that was half
    /// done nobody knows any more that a copy lies in its target. [`EmailLogger::requeue`](crate::EmailLogger::requeue) prevents both;
    /// who calls this instead leaves out mail that still [waits](KnownSighting::waiting) for its move.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64>;

    /// As [`requeue`](Self::requeue), by the worker that holds the mailbox: whoever lost it must not give another try to what
    /// the next one has set aside meanwhile.
    ///
    /// A ledger that leaves it out, as the default does, writes without a look at the lease.
    ///
    /// # Errors
    ///
    /// `LeaseLost`: this call found the mailbox in other hands, and changed nothing. One case is told in the same way: the change was
    /// made, the store's answer was lost, and another worker had the mailbox when the store was asked once more. So do not take it
    /// for a proof that nothing was changed: ask [`known`](Self::known). `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn requeue_held(
        &self,
        scope: &Scope,
        lease: &Lease,
        keys: &[SightingKey],
    ) -> Result<u64> {
        self.requeue(scope, &lease.mailbox, keys).await
    }
}

/// The answer to [`MailLedger::acquire`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acquired {
    /// The mailbox is this worker's.
    Held(Lease),
    /// Somebody else has it, at the latest until then.
    Busy {
        /// Who has it.
        holder: WorkerId,
        /// Until when.
        until: Timestamp,
    },
    /// Nobody may have it: the mail system wants to be left alone.
    Quiet {
        /// For so much longer.
        left: Duration,
    },
}

/// The right to write for a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// Who holds it.
    pub holder: WorkerId,
    /// Which holding it is; a newer one makes it stale.
    pub epoch: u64,
    /// Until when, by the clock of the store.
    pub until: Timestamp,
}

impl Lease {
    /// A lease, made by a store.
    pub fn new(mailbox: MailboxKey, holder: WorkerId, epoch: u64, until: Timestamp) -> Self {
        Self {
            mailbox,
            holder,
            epoch,
            until,
        }
    }
}

/// What the ledger knows of one sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownSighting {
    /// Where it stands.
    pub state: SightingState,
    /// The message that it is a sighting of, where that may be kept.
    pub message: Option<MessageUid>,
    /// The last known place of the item.
    pub item: ItemRef,
    /// Failed attempts since its last decision, if it has one.
    pub attempts: u32,
    /// Not to be tried before.
    pub next_try: Option<Timestamp>,
    /// Where the mail was sent to by the commit.
    pub disposition: Option<Disposition>,
    /// The outcome's code, once there is one: `already-logged` where the message was there before.
    pub outcome: Option<String>,
    /// Items under this key whose planned move has no result yet.
    pub waiting: Vec<ItemRef>,
}

impl KnownSighting {
    /// A sighting in this state, at this place.
    pub fn new(state: SightingState, item: ItemRef) -> Self {
        Self {
            state,
            message: None,
            item,
            attempts: 0,
            next_try: None,
            disposition: None,
            outcome: None,
            waiting: Vec::new(),
        }
    }
}

/// Where a sighting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SightingState {
    /// It failed before, and is to be tried again.
    Pending,
    /// It has its outcome.
    Decided,
    /// It was set aside for a person.
    Quarantined,
}

codes!(SightingState {
    Pending => "pending",
    Decided => "decided",
    Quarantined => "quarantined",
});

/// A message that has a Message-ID which was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownMessage {
    /// The message.
    pub uid: MessageUid,
    /// The identity of its content.
    pub fast_key: FastKey,
    /// The digest of its decoded content, once somebody needed it.
    pub canonical: Option<CanonicalDigest>,
    /// Whether its original is in the store.
    pub has_original: bool,
}

impl KnownMessage {
    /// A message.
    pub fn new(
        uid: MessageUid,
        fast_key: FastKey,
        canonical: Option<CanonicalDigest>,
        has_original: bool,
    ) -> Self {
        Self {
            uid,
            fast_key,
            canonical,
            has_original,
        }
    }
}

/// A move that a commit planned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingMove {
    /// The sighting.
    pub key: SightingKey,
    /// Where the item was when the move was planned.
    pub item: ItemRef,
    /// Where it goes.
    pub target: Disposition,
    /// Failed attempts so far.
    pub attempts: u32,
    /// Not to be tried before.
    pub next_try: Option<Timestamp>,
    /// When it was planned.
    pub planned_at: Timestamp,
}

impl PendingMove {
    /// A move without attempts.
    pub fn new(
        key: SightingKey,
        item: ItemRef,
        target: Disposition,
        planned_at: Timestamp,
    ) -> Self {
        Self {
            key,
            item,
            target,
            attempts: 0,
            next_try: None,
            planned_at,
        }
    }
}

/// A message whose entries wait for the host's own log.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Undelivered {
    /// The message.
    pub message: MessageUid,
    /// The entries that were not confirmed, by entry number.
    pub entries: Vec<InteractionLogEntry>,
}

impl Undelivered {
    /// A message with its entries.
    pub fn new(message: MessageUid, entries: Vec<InteractionLogEntry>) -> Self {
        Self { message, entries }
    }
}
