//! Messages: who is new, who is there, and who must be looked at again.

use super::super::sightings::Found;
use super::super::words::Words;
use super::changes::{Changes, NewMessage};
use super::state::StoredMessage;
use crate::ids::MessageUid;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::rows::{key_bytes, text};
use crate::store::{CommitRow, DecidedRow, MessageRecord, Original, RowContent};

/// How many participants a message has at most: their numbers begin with its number.
const PARTICIPANTS: usize = 1 << 16;

/// Where a row stands with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nothing of the mail may be kept.
    Unkept,
    /// The message was there.
    Known(i64),
    /// The message is written now.
    New(i64),
    /// A tombstone bars it.
    Erased,
    /// These have its Message-ID and were not compared.
    Recheck(Vec<MessageUid>),
}

impl Identity {
    /// The number of the message's row.
    pub(super) fn message_no(&self) -> Option<i64> {
        match self {
            Self::Known(no) | Self::New(no) => Some(*no),
            Self::Unkept | Self::Erased | Self::Recheck(_) => None,
        }
    }
}

impl<'a> Changes<'a> {
    /// The message of a row. A sighting that is logged writes none.
    pub(super) fn identify(&mut self, row: &'a CommitRow) -> Done<Identity> {
        let RowContent::Decided(decided) = &row.content else {
            return Ok(Identity::Unkept);
        };
        let known = self.state.sightings.get(&key_bytes(&row.sighting.key));
        match &decided.record {
            Some(record) if !known.is_some_and(Found::is_logged) => {
                self.message_of(decided, record)
            }
            _ => Ok(Identity::Unkept),
        }
    }

    fn message_of(&mut self, row: &'a DecidedRow, record: &'a MessageRecord) -> Done<Identity> {
        if let Some(stored) = self.state.messages.get_mut(&row.message) {
            // A canonical digest that somebody needed after the message was written.
            if let Some(canonical) = record.canonical.as_ref().filter(|_| !stored.canonical) {
                stored.canonical = true;
                self.canonicals.push((stored.no, canonical));
            }
            return Ok(Identity::Known(stored.no));
        }
        if self.state.is_barred(row, record) {
            return Ok(Identity::Erased);
        }
        let strangers = self.strangers(row, record);
        if !strangers.is_empty() {
            return Ok(Identity::Recheck(strangers));
        }
        self.add_message(row, record).map(Identity::New)
    }

    /// The messages with the row's Message-ID that it was not compared with.
    fn strangers(&self, row: &DecidedRow, record: &MessageRecord) -> Vec<MessageUid> {
        let id = record.message_id.as_deref().map(text);
        let known = id.and_then(|id| self.state.by_message_id.get(&*id));
        let strange = |uid: &&MessageUid| **uid != row.message && !row.compared.contains(uid);
        known
            .into_iter()
            .flatten()
            .filter(strange)
            .copied()
            .collect()
    }

    fn add_message(&mut self, row: &'a DecidedRow, record: &'a MessageRecord) -> Done<i64> {
        if record.participants.len() > PARTICIPANTS {
            return Err(Fault::Data("too many participants"));
        }
        let no = self.state.next_message()?;
        let stored = StoredMessage {
            no,
            canonical: record.canonical.is_some(),
            has_original: false,
        };
        self.state.messages.insert(row.message, stored);
        if let Some(id) = record.message_id.as_deref() {
            let same = self.state.by_message_id.entry(text(id).into_owned());
            same.or_default().push(row.message);
        }
        self.words.push(Words::of(no, record));
        self.messages.push(NewMessage {
            no,
            uid: row.message,
            record,
            index_state: match row.original {
                Original::NotKept => "none",
                Original::Inline(_) | Original::Staged(_) => "waiting",
            },
        });
        Ok(no)
    }
}
