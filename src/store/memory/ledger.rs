//! Leases, sightings and pending moves of a memory store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::tables::{LeaseRow, ScopeTables, Seen, SightingRow, StageRow};
use super::{MemoryStore, StoreOperation, commit};
use crate::error::{Error, Result, codes};
use crate::ids::{MailboxKey, MessageUid, StageId, WorkerId};
use crate::scope::Scope;
use crate::source::{ItemRef, SightingKey};
use crate::store::{
    Acquired, CommitBatch, CommitReceipt, KnownMessage, KnownSighting, Lease, MailLedger,
    PendingMove, SightingState, Undelivered,
};
use crate::wish::{Wish, is_due};

#[async_trait]
impl MailLedger for MemoryStore {
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired> {
        self.call(StoreOperation::Acquire, scope, |tables, stamp| {
            Ok(acquire(tables, mailbox, worker, stamp.now(), ttl))
        })
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.call(StoreOperation::Renew, scope, |tables, stamp| {
            let row = tables.fence(lease, "renew")?;
            row.term = Wish::of_host(ttl, stamp.now());
            let until = row.term.until;
            Ok(Lease {
                until,
                ..lease.clone()
            })
        })
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        self.release_quiet(scope, lease, Duration::ZERO).await
    }

    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        self.call(StoreOperation::Release, scope, |tables, stamp| {
            if let Ok(row) = tables.fence(lease, "release") {
                row.holder = None;
                row.quiet = Some(Wish::new(quiet, stamp.now()));
                tables.sweep(&lease.mailbox);
            }
            Ok(())
        })
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        self.call(StoreOperation::Known, scope, |tables, _| {
            let seen = keys.iter().map(|key| (mailbox.clone(), key.clone()));
            Ok(seen.map(|seen| known_sighting(tables, &seen)).collect())
        })
    }

    async fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        self.call(StoreOperation::KeysOf, scope, |tables, _| {
            let known = digests_by_item(tables, mailbox);
            let keys = items
                .iter()
                .map(|item| known.get(item.id.as_str()).copied());
            Ok(keys.map(Option::<&SightingKey>::cloned).collect())
        })
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        self.call(StoreOperation::WithMessageIds, scope, |tables, _| {
            Ok(message_ids
                .iter()
                .map(|id| known_messages(tables, id))
                .collect())
        })
    }

    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        self.call(StoreOperation::Stage, scope, |tables, _| {
            tables.fence(lease, "stage")?;
            append(tables, &lease.mailbox, stage, index, &bytes)
        })
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        self.call(StoreOperation::Staged, scope, |tables, _| {
            tables.fence(lease, "staged")?;
            let row = tables
                .stages
                .get(&stage)
                .filter(|row| row.mailbox == lease.mailbox);
            let row = row.ok_or_else(|| Error::new(&codes::STORE_NOT_FOUND, "staged"))?;
            Ok((row.bytes.len() as u64 <= limit).then(|| row.bytes.clone()))
        })
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        self.call(StoreOperation::Commit, scope, |tables, stamp| {
            tables.fence(lease, "commit")?;
            Ok(commit::commit(tables, stamp, &lease.mailbox, batch))
        })
    }

    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>> {
        self.call(StoreOperation::PendingMoves, scope, |tables, _| {
            Ok(pending_moves(tables, mailbox, due, limit))
        })
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        self.call(StoreOperation::Undelivered, scope, |tables, _| {
            Ok(undelivered(tables, mailbox, limit))
        })
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        self.call(StoreOperation::Requeue, scope, |tables, _| {
            Ok(requeue(tables, mailbox, keys))
        })
    }

    async fn requeue_held(
        &self,
        scope: &Scope,
        lease: &Lease,
        keys: &[SightingKey],
    ) -> Result<u64> {
        self.call(StoreOperation::Requeue, scope, |tables, _| {
            tables.fence(lease, "requeue")?;
            Ok(requeue(tables, &lease.mailbox, keys))
        })
    }
}

fn acquire(
    tables: &mut ScopeTables,
    mailbox: &MailboxKey,
    worker: &WorkerId,
    now: Timestamp,
    ttl: Duration,
) -> Acquired {
    let row = tables
        .leases
        .entry(mailbox.clone())
        .or_insert_with(|| LeaseRow {
            epoch: 0,
            holder: None,
            term: Wish::of_host(Duration::ZERO, now),
            quiet: None,
        });
    if let Some(holder) = row.holder.clone()
        && holder != *worker
        && let Some(term) = row.term.at(now)
    {
        row.term = term;
        let until = term.until;
        return Acquired::Busy { holder, until };
    }
    row.quiet = row.quiet.and_then(|quiet| quiet.at(now));
    if let Some(quiet) = row.quiet {
        let left = quiet.left(now);
        return Acquired::Quiet { left };
    }
    row.epoch += 1;
    row.holder = Some(worker.clone());
    row.term = Wish::of_host(ttl, now);
    let until = row.term.until;
    let lease = Lease::new(mailbox.clone(), worker.clone(), row.epoch, until);
    tables.sweep(mailbox);
    Acquired::Held(lease)
}

fn known_sighting(tables: &ScopeTables, seen: &Seen) -> Option<KnownSighting> {
    let row = tables.sightings.get(seen)?;
    let decision = tables.decisions.get(seen).filter(|_| row.is_settled());
    Some(KnownSighting {
        state: row.state,
        message: row.message,
        item: row.item.clone(),
        attempts: row.attempts,
        next_try: row.next_try,
        disposition: row.disposition,
        outcome: decision.map(|decision| decision.record.outcome.clone()),
        waiting: tables
            .moves_of(seen)
            .map(|pending| pending.item.clone())
            .collect(),
    })
}

/// The sightings by digest of a mailbox, by where their items are and were. What has its outcome comes before what has not.
fn digests_by_item<'a>(
    tables: &'a ScopeTables,
    mailbox: &MailboxKey,
) -> BTreeMap<&'a str, &'a SightingKey> {
    let by_digest = |(of, key): &Seen| of == mailbox && matches!(key, SightingKey::Digest(_));
    let mut known = BTreeMap::new();
    for settled in [false, true] {
        let rows = tables.sightings.iter();
        let rows = rows.filter(|(seen, row)| by_digest(seen) && row.is_settled() == settled);
        known.extend(rows.map(|((_, key), row)| (row.item.id.as_str(), key)));
    }
    let moves = tables.moves.keys();
    let moves = moves.filter(|(seen, _)| by_digest(seen));
    known.extend(moves.map(|((_, key), item)| (item.as_str(), key)));
    known
}

fn known_messages(tables: &ScopeTables, message_id: &str) -> Vec<KnownMessage> {
    let same = |id: &Option<String>| id.as_deref() == Some(message_id);
    tables
        .messages
        .iter()
        .filter(|(_, row)| same(&row.record.message_id))
        .map(|(uid, row)| {
            KnownMessage::new(
                *uid,
                row.record.identity.fast_key,
                row.record.canonical,
                row.original.is_some(),
            )
        })
        .collect()
}

fn append(
    tables: &mut ScopeTables,
    mailbox: &MailboxKey,
    stage: StageId,
    index: u32,
    bytes: &[u8],
) -> Result<()> {
    let row = tables.stages.entry(stage).or_insert_with(|| StageRow {
        mailbox: mailbox.clone(),
        pieces: 0,
        bytes: Vec::new(),
    });
    if row.mailbox != *mailbox || row.pieces != index {
        return Err(Error::new(&codes::STORE_DATA, "stage").with_detail("a piece out of order"));
    }
    row.pieces += 1;
    row.bytes.extend_from_slice(bytes);
    Ok(())
}

fn pending_moves(
    tables: &ScopeTables,
    mailbox: &MailboxKey,
    due: Timestamp,
    limit: u32,
) -> Vec<PendingMove> {
    let waits = |seen| {
        let sighting: Option<&SightingRow> = tables.sightings.get(seen);
        let message = sighting.and_then(|row| row.message);
        message.is_some_and(|message| tables.is_undelivered(&message))
    };
    let mut moves: Vec<&PendingMove> = tables
        .moves
        .iter()
        .filter(|((seen, _), pending)| {
            seen.0 == *mailbox && is_due(pending.next_try, due) && !waits(seen)
        })
        .map(|(_, pending)| pending)
        .collect();
    moves.sort_by(|a, b| (a.planned_at, &a.item.id).cmp(&(b.planned_at, &b.item.id)));
    moves.into_iter().take(limit as usize).cloned().collect()
}

fn undelivered(tables: &ScopeTables, mailbox: &MailboxKey, limit: u32) -> Vec<Undelivered> {
    let sightings = tables.sightings.iter();
    let seen_here = sightings.filter(|((of, _), _)| of == mailbox);
    let messages: BTreeSet<_> = seen_here.filter_map(|(_, row)| row.message).collect();
    let waiting = |uid: MessageUid| {
        let rows = tables.entries_of(&uid).filter(|row| row.undelivered);
        Undelivered::new(uid, rows.map(|row| row.entry.clone()).collect())
    };
    let mut undelivered: Vec<_> = messages.into_iter().map(waiting).collect();
    undelivered.retain(|message| !message.entries.is_empty());
    undelivered.sort_by_key(|message| message.entries.first().map(|entry| entry.entry_no));
    undelivered.truncate(limit as usize);
    undelivered
}

/// Answers how many were set aside.
fn requeue(tables: &mut ScopeTables, mailbox: &MailboxKey, keys: &[SightingKey]) -> u64 {
    let requeued = keys.iter().filter(|key| try_again(tables, mailbox, key));
    requeued.count() as u64
}

/// Answers whether the sighting was set aside. Its move to the quarantine, if it is still to do, is not done any more.
fn try_again(tables: &mut ScopeTables, mailbox: &MailboxKey, key: &SightingKey) -> bool {
    let seen = (mailbox.clone(), key.clone());
    let row = tables.sightings.get_mut(&seen);
    let Some(row) = row.filter(|row| row.state == SightingState::Quarantined) else {
        return false;
    };
    row.state = SightingState::Pending;
    row.attempts = 0;
    row.next_try = None;
    row.disposition = None;
    tables.moves.retain(|(of, _), _| *of != seen);
    true
}
