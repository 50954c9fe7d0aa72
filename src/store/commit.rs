//! What one transaction writes.

use std::sync::Arc;

use jiff::Timestamp;

use crate::decision::{Decision, Disposition};
use crate::error::Error;
use crate::ids::{EntryId, MessageUid, StageId};
use crate::interaction::NewEntry;
use crate::message::{
    Authenticity, CanonicalDigest, ContentIdentity, ItemClass, Sensitivity, codes,
};
use crate::source::{ItemRef, SightingKey};

/// The flag of a message whose Message-ID belongs to another content as well. A commit sets it on both.
pub const MESSAGE_ID_CONFLICT: &str = "message-id-conflict";

/// One batch: written in one transaction.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CommitBatch {
    /// One row per sighting.
    pub rows: Vec<CommitRow>,
    /// The results of moves that earlier commits planned.
    pub moves: Vec<MoveResult>,
    /// What the host's own log confirmed.
    pub deliveries: Vec<Delivered>,
    /// Whether it writes no event: mail of long ago is no news to a host.
    pub quiet: bool,
}

impl CommitBatch {
    /// A batch of rows alone.
    pub fn of_rows(rows: Vec<CommitRow>) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    /// The same without events, or with them.
    #[must_use]
    pub fn with_quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.moves.is_empty() && self.deliveries.is_empty()
    }
}

/// What one sighting writes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CommitRow {
    /// The sighting.
    pub sighting: Sighting,
    /// What is written of it.
    pub content: RowContent,
}

impl CommitRow {
    /// A row.
    pub fn new(sighting: Sighting, content: RowContent) -> Self {
        Self { sighting, content }
    }
}

/// One copy of a mail in one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sighting {
    /// Its stable key.
    pub key: SightingKey,
    /// Where it is now.
    pub item: ItemRef,
    /// When the server received it.
    pub received: Option<Timestamp>,
    /// The server's size in bytes.
    pub size: Option<u64>,
}

impl Sighting {
    /// A sighting.
    pub fn new(key: SightingKey, item: ItemRef) -> Self {
        Self {
            key,
            item,
            received: None,
            size: None,
        }
    }
}

/// What is written of a sighting.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RowContent {
    /// Its decision, and what follows from it. Where the sighting has a decision already and no entry came of it, the new
    /// decision takes its place: the mail was put back, or the directory knows more now. A new decision ends the count of
    /// attempts.
    /// Shared, so that the caller keeps it without a copy of the original.
    Decided(Arc<DecidedRow>),
    /// Another item under a key that is decided already: it gets a move of its own and nothing else.
    Again {
        /// Where the item goes.
        target: Disposition,
    },
    /// An attempt that failed. It is counted where the sighting has no decision, and where its decision left no entry: the
    /// mail was put back. That decision stays until there is a new one. What is logged or set aside stays as it is.
    Failed(FailedAttempt),
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// The error's stable code.
    pub code: String,
    /// Not to be tried before.
    pub next_try: Timestamp,
}

impl FailedAttempt {
    /// An attempt.
    pub fn new(code: impl Into<String>, next_try: Timestamp) -> Self {
        Self {
            code: code.into(),
            next_try,
        }
    }
}

/// A decided mail.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DecidedRow {
    /// The message's id.
    pub message: MessageUid,
    /// The message, unless nothing of it may be kept.
    pub record: Option<Box<MessageRecord>>,
    /// Its original.
    pub original: Original,
    /// The entries; empty unless the outcome is logged.
    pub entries: Vec<NewEntry>,
    /// The decision with its trace.
    pub decision: Decision,
    /// The messages with the same Message-ID that its content was compared with. Meets the commit another one, it answers
    /// [`RowResult::Recheck`] and writes nothing of this row.
    pub compared: Vec<MessageUid>,
    /// Whether its Message-ID belongs to another content as well.
    pub message_id_conflict: bool,
    /// Whether its entries wait for the host's own log before the mail may move.
    pub deliver: bool,
}

impl DecidedRow {
    /// A decided mail of which nothing but the decision is kept.
    pub fn new(message: MessageUid, decision: Decision) -> Self {
        Self {
            message,
            record: None,
            original: Original::NotKept,
            entries: Vec::new(),
            decision,
            compared: Vec::new(),
            message_id_conflict: false,
            deliver: false,
        }
    }
}

/// Where the bytes of an original are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Original {
    /// They are not kept.
    NotKept,
    /// Here.
    Inline(Vec<u8>),
    /// Staged before, in pieces.
    Staged(StageId),
}

/// What is kept of a message besides its original.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageRecord {
    /// The identity of its content.
    pub identity: ContentIdentity,
    /// The digest of its decoded content, if it was needed.
    pub canonical: Option<CanonicalDigest>,
    /// The Message-ID.
    pub message_id: Option<String>,
    /// The ids of `In-Reply-To` and `References`, oldest first, each once; at most the last 32.
    pub references: Vec<String>,
    /// The whole subject.
    pub subject: String,
    /// Everybody whom the mail names.
    pub participants: Vec<Participant>,
    /// When it was sent.
    pub sent: Option<Timestamp>,
    /// When it was received.
    pub received: Option<Timestamp>,
    /// How private it is.
    pub sensitivity: Sensitivity,
    /// The kind of item.
    pub class: ItemClass,
    /// What the boundary says about the sender.
    pub authenticity: Authenticity,
    /// Signals and flags by code, sorted, each once.
    pub flags: Vec<String>,
    /// A link that opens the mail in the mail system. It is kept only of mail that stays where it was read: a mail that moves
    /// gets another id, and the link of its old place leads nowhere.
    pub web_link: Option<String>,
}

impl MessageRecord {
    /// A record of which only the identity is known; fill the fields that matter.
    pub fn new(identity: ContentIdentity) -> Self {
        Self {
            identity,
            canonical: None,
            message_id: None,
            references: Vec::new(),
            subject: String::new(),
            participants: Vec::new(),
            sent: None,
            received: None,
            sensitivity: Sensitivity::Normal,
            class: ItemClass::Mail,
            authenticity: Authenticity::Unknown,
            flags: Vec::new(),
            web_link: None,
        }
    }
}

/// Somebody whom a mail names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Participant {
    /// Where.
    pub role: ParticipantRole,
    /// The address in its normalised form, or the text that stands in its place.
    pub address: String,
    /// The display name.
    pub name: Option<String>,
    /// Whether the address is the company's own: a salesperson's, or in one of its domains, when the mail was read.
    pub own: bool,
}

impl Participant {
    /// A participant.
    pub fn new(role: ParticipantRole, address: impl Into<String>, name: Option<String>) -> Self {
        Self {
            role,
            address: address.into(),
            name,
            own: false,
        }
    }

    /// Says whether the address is the company's own.
    #[must_use]
    pub fn with_own(mut self, own: bool) -> Self {
        self.own = own;
        self
    }
}

/// Where a mail names somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ParticipantRole {
    /// `From`.
    From,
    /// `Sender`.
    Sender,
    /// `Reply-To`.
    ReplyTo,
    /// `To`.
    To,
    /// `Cc`.
    Cc,
    /// `Bcc`.
    Bcc,
}

codes!(ParticipantRole {
    From => "from",
    Sender => "sender",
    ReplyTo => "reply-to",
    To => "to",
    Cc => "cc",
    Bcc => "bcc",
});

/// The result of a move that an earlier commit planned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MoveResult {
    /// The sighting.
    pub key: SightingKey,
    /// The item as it was planned.
    pub item: ItemRef,
    /// What happened.
    pub outcome: MoveOutcome,
}

impl MoveResult {
    /// A result.
    pub fn new(key: SightingKey, item: ItemRef, outcome: MoveOutcome) -> Self {
        Self { key, item, outcome }
    }
}

/// What happened to a planned move.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MoveOutcome {
    /// It is in the target, at this place where known.
    Done(Option<ItemRef>),
    /// It was deleted, as the policy asks.
    Deleted,
    /// It is in neither folder: somebody took it away. The entries stay.
    Vanished,
    /// It is in the target more than once.
    DuplicateCopy(Option<ItemRef>),
    /// Not yet: the error's code, and when to try again.
    Retry {
        /// The error's stable code.
        code: String,
        /// Not to be tried before.
        next_try: Timestamp,
    },
}

/// What the host's own log confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// The entry.
    pub entry: EntryId,
    /// The host's reference, if it gave one.
    pub reference: Option<String>,
}

impl Delivered {
    /// A confirmation.
    pub fn new(entry: EntryId, reference: Option<String>) -> Self {
        Self { entry, reference }
    }
}

/// What a commit answers.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CommitReceipt {
    /// One result per row, in order.
    pub rows: Vec<RowResult>,
}

impl CommitReceipt {
    /// A receipt.
    pub fn new(rows: Vec<RowResult>) -> Self {
        Self { rows }
    }
}

/// What became of one row.
#[derive(Debug)]
#[non_exhaustive]
pub enum RowResult {
    /// Written, with the numbers of the entries that are new. An outcome other than logged has none.
    Written {
        /// The new entries with their numbers, in the order of the row.
        entries: Vec<(EntryId, u64)>,
    },
    /// The message and all its entries were there already; the sighting and its move are written.
    AlreadyLogged,
    /// The attempt is counted.
    Counted {
        /// Failed attempts so far, this one included where it is counted.
        attempts: u32,
    },
    /// Nothing was written: these messages have the same Message-ID and were not compared.
    Recheck(Vec<MessageUid>),
    /// Nothing was written: the mail was removed before, or names somebody who is never logged again. It is to be committed
    /// as excluded, without its record.
    Erased,
    /// Nothing was written: the store refused the data.
    Rejected(Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::EntryId;

    #[test]
    fn a_batch_is_empty_only_without_rows_moves_and_deliveries() {
        assert!(CommitBatch::default().is_empty());
        let item = ItemRef::new("1");
        let key = SightingKey::Digest([0; 32]);
        let row = CommitRow::new(
            Sighting::new(key.clone(), item.clone()),
            RowContent::Again {
                target: Disposition::Storage,
            },
        );
        assert!(!CommitBatch::of_rows(vec![row]).is_empty());
        let result = MoveResult::new(key, item, MoveOutcome::Vanished);
        let moves = CommitBatch {
            moves: vec![result],
            ..CommitBatch::default()
        };
        assert!(!moves.is_empty());
        let deliveries = CommitBatch {
            deliveries: vec![Delivered::new(EntryId::from_bytes([0; 16]), None)],
            ..CommitBatch::default()
        };
        assert!(!deliveries.is_empty());
    }
}
