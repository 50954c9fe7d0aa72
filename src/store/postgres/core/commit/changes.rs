//! What a batch changes, gathered before anything is written.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::lease::Fenced;
use super::super::sightings::Found;
use super::super::words::Words;
use super::Job;
use super::state::State;
use super::trail::Landmark;
use crate::clock::Entropy;
use crate::decision::Decision;
use crate::ids::{EntryId, MessageUid, StageId, uuid_v7_at};
use crate::interaction::NewEntry;
use crate::message::{CanonicalDigest, ContentIdentity, OriginalDigest};
use crate::store::postgres::fault::Done;
use crate::store::postgres::migrate::Words as Kept;
use crate::store::rows::timestamp;
use crate::store::{Delivered, EventKind, MessageRecord};

/// The changes of a batch, over what is stored.
pub(super) struct Changes<'a> {
    pub(super) state: State,
    /// The sightings as they are stored.
    pub(super) before: BTreeMap<Vec<u8>, Found>,
    pub(super) fenced: Fenced,
    pub(super) kept: Kept,
    entropy: &'a dyn Entropy,
    pub(super) messages: Vec<NewMessage<'a>>,
    pub(super) canonicals: Vec<(i64, &'a CanonicalDigest)>,
    pub(super) completed: Vec<(i64, &'a ContentIdentity)>,
    /// Message-IDs that belong to more than one content.
    pub(super) conflicts: Vec<&'a str>,
    pub(super) originals: Vec<NewOriginal<'a>>,
    pub(super) linked: Vec<(StageId, i64, &'a OriginalDigest)>,
    /// By the number of the sighting.
    pub(super) decisions: BTreeMap<i64, NewDecision<'a>>,
    pub(super) entries: Vec<WrittenEntry<'a>>,
    pub(super) events: Vec<NewEvent>,
    pub(super) delivered: Vec<&'a Delivered>,
    pub(super) words: Vec<Words>,
    move_attempts: Option<Landmark>,
    /// Whether events are left out.
    quiet: bool,
}

pub(super) struct NewMessage<'a> {
    pub(super) no: i64,
    pub(super) uid: MessageUid,
    pub(super) record: &'a MessageRecord,
    pub(super) index_state: &'static str,
}

pub(super) struct NewOriginal<'a> {
    pub(super) no: i64,
    pub(super) message_no: i64,
    pub(super) bytes: &'a [u8],
    pub(super) digest: &'a OriginalDigest,
}

pub(super) struct NewDecision<'a> {
    pub(super) message_no: Option<i64>,
    pub(super) outcome: &'static str,
    pub(super) reason: &'a str,
    pub(super) decision: &'a Decision,
}

pub(super) struct WrittenEntry<'a> {
    pub(super) entry: &'a NewEntry,
    pub(super) message_no: i64,
    pub(super) entry_no: i64,
    pub(super) delivery: &'static str,
}

pub(super) struct NewEvent {
    pub(super) number: i64,
    pub(super) id: [u8; 16],
    pub(super) kind: EventKind,
    pub(super) message_no: Option<i64>,
    pub(super) entries: Vec<u8>,
    pub(super) reason: String,
}

impl<'a> Changes<'a> {
    pub(super) fn new(state: State, fenced: Fenced, job: &Job<'a>) -> Self {
        Self {
            before: state.sightings.clone(),
            state,
            fenced,
            kept: job.kept,
            entropy: job.entropy,
            messages: Vec::new(),
            canonicals: Vec::new(),
            completed: Vec::new(),
            conflicts: Vec::new(),
            originals: Vec::new(),
            linked: Vec::new(),
            decisions: BTreeMap::new(),
            entries: Vec::new(),
            events: Vec::new(),
            delivered: Vec::new(),
            words: Vec::new(),
            move_attempts: None,
            quiet: job.batch.quiet,
        }
    }

    /// What tells that these changes were committed.
    pub(super) fn landmark(&self) -> Option<Landmark> {
        let event = self.events.first().map(|event| Landmark::Event {
            number: event.number,
            id: event.id,
        });
        let event = event.or_else(|| self.move_attempts.clone());
        event.or_else(|| self.counted())
    }

    /// A sighting whose attempts these changes count. A decision ends the count: attempts before it tell nothing.
    fn counted(&self) -> Option<Landmark> {
        let mut sightings = self.state.sightings.iter();
        let counted = sightings.find(|(key, found)| {
            let before = self.before.get(*key).map_or(0, |before| before.attempts);
            found.attempts > before
        });
        counted.map(|(_, found)| Landmark::Attempts {
            sighting_no: found.no,
            attempts: found.attempts,
        })
    }

    /// Notes attempts at a move that were counted.
    pub(super) fn note_move_attempts(&mut self, landmark: Landmark) {
        self.move_attempts.get_or_insert(landmark);
    }

    /// Adds an event, unless this commit writes none.
    pub(super) fn event(
        &mut self,
        kind: EventKind,
        message_no: Option<i64>,
        entries: &[(EntryId, u64)],
        reason: &str,
    ) -> Done<()> {
        if self.quiet {
            return Ok(());
        }
        self.state.event_no += 1;
        let at: Timestamp = timestamp(self.fenced.now)?;
        let ids = entries.iter().flat_map(|(id, _)| id.as_bytes());
        self.events.push(NewEvent {
            number: self.state.event_no,
            id: uuid_v7_at(at, self.entropy),
            kind,
            message_no,
            entries: ids.copied().collect(),
            reason: reason.to_owned(),
        });
        Ok(())
    }
}
