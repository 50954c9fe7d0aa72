//! Sightings: what is known of a copy, and another round for what was set aside.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::lease::fence;
use super::{ALREADY_LOGGED, LOGGED, find_mailbox, find_scope, make_scope, take_turn};
use crate::decision::{Disposition, Step};
use crate::ids::{MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::source::{ItemRef, SightingKey};
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, enum_column, maybe_id, small};
use crate::store::rows::{Flaw, from_json, key_bytes, sighting_key, text, timestamp};
use crate::store::{KnownSighting, Lease, SightingState};

pub(crate) async fn known(
    tx: &Tx,
    scope: &Scope,
    mailbox: &MailboxKey,
    keys: &[SightingKey],
) -> Done<Vec<Option<KnownSighting>>> {
    let scope = find_scope(tx, scope).await?;
    let mailbox = find_mailbox(tx, scope, mailbox).await?;
    let bytes: Vec<Vec<u8>> = keys.iter().map(key_bytes).collect();
    let found = load(tx, mailbox, &bytes).await?;
    let known = |key| found.get(key).map(Found::known).transpose();
    bytes.iter().map(known).collect()
}

/// The digests under which items were last seen, or wait for their moves: what has its outcome before what has not.
pub(crate) async fn keys_of(
    tx: &Tx,
    scope: &Scope,
    mailbox: &MailboxKey,
    items: &[ItemRef],
) -> Done<Vec<Option<SightingKey>>> {
    let scope = find_scope(tx, scope).await?;
    let mailbox = find_mailbox(tx, scope, mailbox).await?;
    let ids: Vec<_> = items.iter().map(|item| text(&item.id)).collect();
    let list = "SELECT item_id, key, state <> 'pending' AS settled, no FROM sighting
        WHERE mailbox = $1 AND item_id = ANY($2) AND key >= '\\x64' AND key < '\\x65'
        UNION ALL SELECT p.item_id, s.key, true, s.no
        FROM pending_move p JOIN sighting s ON s.no = p.sighting_no
        WHERE p.mailbox = $1 AND p.item_id = ANY($2) AND s.key >= '\\x64' AND s.key < '\\x65'
        ORDER BY settled, no";
    let rows = tx.rows(list, &[&mailbox, &ids]).await?;
    let mut keys: BTreeMap<String, SightingKey> = BTreeMap::new();
    for row in rows {
        let key: Vec<u8> = column(&row, "key")?;
        keys.insert(column(&row, "item_id")?, sighting_key(&key)?);
    }
    let key = |id: &Cow<'_, str>| keys.get(id.as_ref()).cloned();
    Ok(ids.iter().map(key).collect())
}

/// Another round of attempts. It waits for the turn of its scope, since a commit reads a sighting before it writes it.
pub(crate) async fn requeue(
    tx: &Tx,
    scope: &Scope,
    mailbox: &MailboxKey,
    keys: &[SightingKey],
) -> Done<u64> {
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let mailbox = find_mailbox(tx, scope, mailbox).await?;
    try_again(tx, mailbox, keys).await
}

/// The same under a lease.
pub(crate) async fn requeue_held(
    tx: &Tx,
    scope: &Scope,
    lease: &Lease,
    keys: &[SightingKey],
    time: Option<i64>,
) -> Done<u64> {
    let fenced = fence(tx, scope, lease, time).await?;
    take_turn(tx, fenced.scope).await?;
    try_again(tx, fenced.mailbox, keys).await
}

async fn try_again(tx: &Tx, mailbox: i64, keys: &[SightingKey]) -> Done<u64> {
    let keys: Vec<Vec<u8>> = keys.iter().map(key_bytes).collect();
    let again = "UPDATE sighting SET state = 'pending', attempts = 0, next_try = NULL,
            disposition = NULL
        WHERE mailbox = $1 AND key = ANY($2) AND state = 'quarantined' RETURNING no";
    let rows = tx.rows(again, &[&mailbox, &keys]).await?;
    let numbers: Done<Vec<i64>> = rows.iter().map(|row| column(row, "no")).collect();
    let numbers = numbers?;
    // Their moves to the quarantine are not wanted any more.
    let drop = "DELETE FROM pending_move WHERE sighting_no = ANY($1)";
    tx.run(drop, &[&numbers]).await?;
    Ok(numbers.len() as u64)
}

/// A sighting's row, with its decision and its planned moves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) no: i64,
    pub(super) state: SightingState,
    pub(super) item_id: String,
    pub(super) change_key: Option<String>,
    pub(super) received: Option<i64>,
    pub(super) size: Option<i64>,
    pub(super) message_no: Option<i64>,
    pub(super) message: Option<MessageUid>,
    pub(super) disposition: Option<Disposition>,
    pub(super) attempts: i64,
    pub(super) next_try: Option<i64>,
    pub(super) code: Option<String>,
    pub(super) seen_at: i64,
    pub(super) decision: Option<Decided>,
    /// By item id.
    pub(super) moves: BTreeMap<String, Planned>,
}

/// A stored decision, as far as a new one is compared with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decided {
    pub(super) outcome: String,
    pub(super) reason: String,
    pub(super) disposition: String,
    pub(super) steps: Vec<Step>,
    pub(super) flags: Vec<String>,
    pub(super) policy: String,
}

/// A planned move.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_field_names)] // the columns' names
pub(super) struct Planned {
    pub(super) change_key: Option<String>,
    pub(super) target: String,
    pub(super) attempts: i64,
    pub(super) next_try: Option<i64>,
    pub(super) code: Option<String>,
    pub(super) planned_at: i64,
}

impl Found {
    /// Whether it has its outcome.
    pub(super) fn is_settled(&self) -> bool {
        self.state != SightingState::Pending
    }

    /// The outcome that it has.
    fn outcome(&self) -> Option<&str> {
        let decision = self.decision.as_ref().filter(|_| self.is_settled());
        decision.map(|decision| decision.outcome.as_str())
    }

    /// Whether its message has its entries.
    pub(super) fn is_logged(&self) -> bool {
        matches!(self.outcome(), Some(LOGGED | ALREADY_LOGGED))
    }

    /// Whether it may be read again: it has no outcome, or one that no entry came of and that is not set aside.
    pub(super) fn gets_attempts(&self) -> bool {
        self.state != SightingState::Quarantined && !self.is_logged()
    }

    fn known(&self) -> Done<KnownSighting> {
        let item = |id: &str, change_key: &Option<String>| {
            let mut item = ItemRef::new(id);
            item.change_key.clone_from(change_key);
            item
        };
        let waiting = self.moves.iter();
        let waiting = waiting.map(|(id, planned)| item(id, &planned.change_key));
        let attempts = u32::try_from(self.attempts).map_err(|_| Flaw::Damaged("a number"))?;
        Ok(KnownSighting {
            message: self.message,
            attempts,
            next_try: self.next_try.map(timestamp).transpose()?,
            disposition: self.disposition,
            outcome: self.outcome().map(str::to_owned),
            waiting: waiting.collect(),
            ..KnownSighting::new(self.state, item(&self.item_id, &self.change_key))
        })
    }
}

/// The sightings with these keys, by key.
pub(super) async fn load(
    tx: &Tx,
    mailbox: i64,
    keys: &[Vec<u8>],
) -> Done<BTreeMap<Vec<u8>, Found>> {
    let list = "SELECT s.*, m.uid, d.outcome, d.reason, d.disposition AS decided,
            d.steps::text AS steps, d.flags::text AS flags, d.policy
        FROM sighting s LEFT JOIN message m ON m.no = s.message_no
        LEFT JOIN decision d ON d.sighting_no = s.no
        WHERE s.mailbox = $1 AND s.key = ANY($2)";
    let rows = tx.rows(list, &[&mailbox, &keys]).await?;
    let mut found = BTreeMap::new();
    let mut key_of = BTreeMap::new();
    for row in &rows {
        let key: Vec<u8> = column(row, "key")?;
        let sighting = read(row)?;
        key_of.insert(sighting.no, key.clone());
        found.insert(key, sighting);
    }
    let numbers: Vec<i64> = key_of.keys().copied().collect();
    let list =
        "SELECT sighting_no, item_id, change_key, target, attempts, next_try, code, planned_at
        FROM pending_move WHERE sighting_no = ANY($1)";
    for row in &tx.rows(list, &[&numbers]).await? {
        let key = key_of.get(&column(row, "sighting_no")?);
        if let Some(sighting) = key.and_then(|key| found.get_mut(key)) {
            sighting
                .moves
                .insert(column(row, "item_id")?, planned(row)?);
        }
    }
    Ok(found)
}

fn read(row: &Row) -> Done<Found> {
    let disposition: Option<&str> = column(row, "disposition")?;
    let disposition = match disposition.map(Disposition::from_code) {
        Some(None) => return Err(crate::store::rows::UNKNOWN_CODE.into()),
        found => found.flatten(),
    };
    small(row, "attempts")?;
    Ok(Found {
        no: column(row, "no")?,
        state: enum_column(row, "state", SightingState::from_code)?,
        item_id: column(row, "item_id")?,
        change_key: column(row, "change_key")?,
        received: column(row, "received")?,
        size: column(row, "size")?,
        message_no: column(row, "message_no")?,
        message: maybe_id(row, "uid")?.map(MessageUid::from_bytes),
        disposition,
        attempts: column(row, "attempts")?,
        next_try: column(row, "next_try")?,
        code: column(row, "code")?,
        seen_at: column(row, "seen_at")?,
        decision: decided(row)?,
        moves: BTreeMap::new(),
    })
}

fn decided(row: &Row) -> Done<Option<Decided>> {
    let Some(outcome) = column(row, "outcome")? else {
        return Ok(None);
    };
    Ok(Some(Decided {
        outcome,
        reason: column(row, "reason")?,
        disposition: column(row, "decided")?,
        steps: from_json(column(row, "steps")?)?,
        flags: from_json(column(row, "flags")?)?,
        policy: column(row, "policy")?,
    }))
}

fn planned(row: &Row) -> Done<Planned> {
    Ok(Planned {
        change_key: column(row, "change_key")?,
        target: column(row, "target")?,
        attempts: column(row, "attempts")?,
        next_try: column(row, "next_try")?,
        code: column(row, "code")?,
        planned_at: column(row, "planned_at")?,
    })
}
