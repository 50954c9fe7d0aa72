//! The rows of a memory store: one set of tables per scope.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use jiff::Timestamp;

use super::Stamp;
use super::opportunity::OpportunityTables;
use crate::decision::Disposition;
use crate::error::{Error, Result, codes};
use crate::ids::{EntryId, MailboxKey, MessageUid, StageId, WorkerId};
use crate::interaction::InteractionLogEntry;
use crate::message::MessageContent;
use crate::privacy::tombstone::{Tombstone, TombstoneKey};
use crate::scope::Scope;
use crate::source::{ItemRef, SightingKey};
use crate::store::{
    DecisionRecord, Event, EventKind, Lease, Mark, MarkKind, MessageRecord, PendingMove,
    Resolution, SealedSecret, SecretName, SightingState, StoredNeverLog, StoredSetup,
};
use crate::wish::Wish;

#[derive(Default)]
pub(super) struct Tables(BTreeMap<Scope, ScopeTables>);

impl Tables {
    pub(super) fn of(&mut self, scope: &Scope) -> &mut ScopeTables {
        self.0.entry(scope.clone()).or_default()
    }

    /// Every scope with its tables, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Scope, &ScopeTables)> {
        self.0.iter()
    }
}

/// The key of a sighting.
pub(super) type Seen = (MailboxKey, SightingKey);

#[derive(Default)]
pub(super) struct ScopeTables {
    pub(super) leases: BTreeMap<MailboxKey, LeaseRow>,
    pub(super) sightings: BTreeMap<Seen, SightingRow>,
    pub(super) decisions: BTreeMap<Seen, DecisionRow>,
    pub(super) messages: BTreeMap<MessageUid, MessageRow>,
    pub(super) entries: BTreeMap<EntryId, EntryRow>,
    /// Entries that were cancelled and deleted, with their messages: never written again.
    pub(super) deleted: BTreeMap<EntryId, MessageUid>,
    pub(super) moves: BTreeMap<(Seen, String), PendingMove>,
    pub(super) stages: BTreeMap<StageId, StageRow>,
    pub(super) events: Vec<Event>,
    pub(super) acknowledged: BTreeMap<String, u64>,
    pub(super) setup: Option<StoredSetup>,
    pub(super) secrets: BTreeMap<SecretName, SecretRow>,
    pub(super) opportunities: OpportunityTables,
    pub(super) reviews: BTreeMap<Seen, ReviewRow>,
    pub(super) links: BTreeMap<EntryId, LinkRow>,
    pub(super) never_log: StoredNeverLog,
    /// How many entries are gone with their mails.
    pub(super) removed_entries: u64,
    /// Made with the first tombstone.
    pub(super) tombstone_key: Option<TombstoneKey>,
    pub(super) tombstones: BTreeSet<Tombstone>,
    sequence: u64,
}

/// What a person said about a mail that was not logged.
pub(super) struct ReviewRow {
    pub(super) version: u64,
    pub(super) said: Resolution,
    pub(super) at: Timestamp,
}

/// What changed at a link after it was written.
#[derive(Default)]
pub(super) struct LinkRow {
    /// Whether a person decided about it.
    pub(super) held: bool,
    /// Whether a later match cancelled it.
    pub(super) withdrawn: bool,
}

/// A secret, or the version of one that was erased.
#[derive(Default)]
pub(super) struct SecretRow {
    pub(super) version: u64,
    pub(super) sealed: Option<SealedSecret>,
}

pub(super) struct LeaseRow {
    pub(super) epoch: u64,
    pub(super) holder: Option<WorkerId>,
    /// How long its holder has it.
    pub(super) term: Wish,
    pub(super) quiet: Option<Wish>,
}

pub(super) struct SightingRow {
    pub(super) state: SightingState,
    pub(super) message: Option<MessageUid>,
    pub(super) item: ItemRef,
    pub(super) attempts: u32,
    pub(super) next_try: Option<Timestamp>,
    pub(super) disposition: Option<Disposition>,
}

impl SightingRow {
    /// Whether it has its outcome.
    pub(super) fn is_settled(&self) -> bool {
        self.state != SightingState::Pending
    }
}

pub(super) struct DecisionRow {
    pub(super) sequence: u64,
    pub(super) record: DecisionRecord,
}

pub(super) struct MessageRow {
    pub(super) sequence: u64,
    pub(super) record: MessageRecord,
    pub(super) original: Option<Vec<u8>>,
    pub(super) content: Option<MessageContent>,
    /// By entry number.
    pub(super) entries: Vec<EntryId>,
    pub(super) logged_at: Timestamp,
    pub(super) marks: BTreeMap<MarkKind, Mark>,
}

impl MessageRow {
    /// Whether a person holds it.
    pub(super) fn is_held(&self) -> bool {
        self.marks.contains_key(&MarkKind::Hold)
    }
}

pub(super) struct EntryRow {
    pub(super) entry: InteractionLogEntry,
    /// Whether the host's own log has still to confirm it.
    pub(super) undelivered: bool,
}

pub(super) struct StageRow {
    pub(super) mailbox: MailboxKey,
    pub(super) pieces: u32,
    pub(super) bytes: Vec<u8>,
}

impl ScopeTables {
    /// A number that rises with every row that gets one.
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// The number that the next entry gets, which no entry ever had.
    pub(super) fn next_entry_no(&self) -> u64 {
        (self.entries.len() + self.deleted.len()) as u64 + self.removed_entries + 1
    }

    /// Refuses a lease that is not the newest of its mailbox.
    pub(super) fn fence(
        &mut self,
        lease: &Lease,
        operation: &'static str,
    ) -> Result<&mut LeaseRow> {
        self.leases
            .get_mut(&lease.mailbox)
            .filter(|row| row.epoch == lease.epoch && row.holder.as_ref() == Some(&lease.holder))
            .ok_or_else(|| Error::new(&codes::LEASE_LOST, operation))
    }

    /// Appends an event.
    pub(super) fn event(
        &mut self,
        stamp: &Stamp<'_>,
        mailbox: &MailboxKey,
        kind: EventKind,
        fill: impl FnOnce(&mut Event),
    ) {
        let number = self.events.len() as u64 + 1;
        let mut event = Event::new(number, stamp.event_id(), stamp.now(), mailbox.clone(), kind);
        fill(&mut event);
        self.events.push(event);
    }

    /// The entries of a message, by entry number.
    pub(super) fn entries_of(&self, message: &MessageUid) -> impl Iterator<Item = &EntryRow> {
        self.messages
            .get(message)
            .into_iter()
            .flat_map(|row| &row.entries)
            .filter_map(|id| self.entries.get(id))
    }

    /// The moves of a sighting that have no result, by item id.
    pub(super) fn moves_of(&self, seen: &Seen) -> impl Iterator<Item = &PendingMove> {
        let from = (seen.clone(), String::new());
        self.moves
            .range(from..)
            .take_while(move |((of, _), _)| of == seen)
            .map(|(_, pending)| pending)
    }

    /// Removes what was staged for a mailbox and never linked.
    pub(super) fn sweep(&mut self, mailbox: &MailboxKey) {
        self.stages.retain(|_, stage| stage.mailbox != *mailbox);
    }

    /// Whether a message has entries that the host's own log has not confirmed.
    pub(super) fn is_undelivered(&self, message: &MessageUid) -> bool {
        self.entries_of(message).any(|entry| entry.undelivered)
    }
}

/// The error for a row that is not there.
pub(super) fn not_found(operation: &'static str, item: impl Debug) -> Error {
    Error::new(&codes::STORE_NOT_FOUND, operation).with_item(format!("{item:?}"))
}
