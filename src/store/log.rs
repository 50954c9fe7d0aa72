//! Reading the log, and the little that people change in it.

use std::fmt::Debug;
use std::ops::Range;

use async_trait::async_trait;
use jiff::Timestamp;

use super::commit::MessageRecord;
use crate::decision::{Disposition, Step};
use crate::error::Result;
use crate::ids::{ContactNo, EntryId, MailboxKey, MessageUid, SalespersonCode};
use crate::interaction::{InformationFlow, InteractionLogEntry};
use crate::message::{Attachment, MessageContent, OriginalDigest};
use crate::scope::Scope;
use crate::source::SightingKey;

/// The interaction log as people and hosts read it.
#[async_trait]
pub trait InteractionLog: Debug + Send + Sync + 'static {
    /// Entries that fit the filter, newest first; entries of one date by falling entry number.
    ///
    /// # Errors
    ///
    /// `Protocol` (`store.cursor`) for a cursor of something else; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<InteractionLogEntry>>;

    /// Mails that have an entry which fits the filter, newest first, each once with all its entries.
    ///
    /// # Errors
    ///
    /// As [`entries`](Self::entries).
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>>;

    /// One entry.
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn entry(&self, scope: &Scope, id: &EntryId) -> Result<InteractionLogEntry>;

    /// One message with its entries.
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail>;

    /// A part of an original, bit for bit. A range beyond its end answers what there is.
    ///
    /// # Errors
    ///
    /// `NotFound` where the original is not kept; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: Range<u64>,
    ) -> Result<OriginalPart>;

    /// Decisions that fit the filter, newest first.
    ///
    /// # Errors
    ///
    /// As [`entries`](Self::entries).
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn decisions(
        &self,
        scope: &Scope,
        filter: &DecisionFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<DecisionRecord>>;

    /// Adds what a person says about an entry.
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop; a comment that is repeated stands twice.
    async fn annotate(&self, scope: &Scope, id: &EntryId, annotation: Annotation) -> Result<()>;

    /// Cancels an entry or takes the cancelling back.
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn cancel(&self, scope: &Scope, id: &EntryId, canceled: bool) -> Result<()>;
}

/// The second stage: text and attachments of messages that are committed, for search.
#[async_trait]
pub trait ContentIndex: Debug + Send + Sync + 'static {
    /// Messages whose content was not indexed yet, oldest first.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>>;

    /// Adds the content of messages. A message that has its content already keeps it.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn put_content(
        &self,
        scope: &Scope,
        contents: Vec<(MessageUid, MessageContent)>,
    ) -> Result<()>;
}

/// Which entries to read. Every field that is set must fit; empty fits all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogFilter {
    /// With this number.
    pub entry_no: Option<u64>,
    /// Of this contact.
    pub contact: Option<ContactNo>,
    /// Of this company and of the persons in it.
    pub company: Option<ContactNo>,
    /// Of this salesperson.
    pub salesperson: Option<SalespersonCode>,
    /// In this direction.
    pub flow: Option<InformationFlow>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// With all these words in subject, participants or body, in any order; the last may be a beginning. A text without a
    /// letter or digit fits nothing. A word is what stands between spaces and punctuation: in a script that puts none between
    /// words, as Chinese, Japanese and Thai, a sentence is one word and is found by its beginning alone.
    pub text: Option<String>,
    /// With this flag.
    pub flag: Option<String>,
    /// Of the conversation that this mail belongs to.
    pub conversation: Option<MessageUid>,
    /// That this opportunity was made of.
    pub opportunity: Option<String>,
    /// With this grade.
    pub evaluation: Option<u8>,
    /// Whether cancelled entries are read as well.
    pub canceled: bool,
}

/// Which decisions to read. Every field that is set must fit; empty fits all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DecisionFilter {
    /// Of this sighting.
    pub sighting: Option<(MailboxKey, SightingKey)>,
    /// Of this message.
    pub message: Option<MessageUid>,
    /// With this outcome, by code.
    pub outcome: Option<String>,
    /// With any outcome but logged and already logged.
    pub not_logged: bool,
}

/// One page, and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
    /// For a search by text: how many messages are committed but not indexed yet, so not searched by their body.
    pub not_indexed: u64,
}

impl<T> Page<T> {
    /// A page of a search that covers everything.
    pub fn new(rows: Vec<T>, next: Option<Cursor>) -> Self {
        Self {
            rows,
            next,
            not_indexed: 0,
        }
    }
}

/// Where a page starts. Opaque; it stays valid while rows are added.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    /// The cursor with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mail with its entries.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LoggedMail {
    /// The message's id.
    pub message: MessageUid,
    /// What is kept of it.
    pub record: MessageRecord,
    /// Its entries, by entry number.
    pub entries: Vec<InteractionLogEntry>,
    /// Its attachments, once the second stage has read them.
    pub attachments: Vec<Attachment>,
    /// Whether the second stage has read it.
    pub indexed: bool,
}

impl LoggedMail {
    /// A mail that the second stage has not read.
    pub fn new(
        message: MessageUid,
        record: MessageRecord,
        entries: Vec<InteractionLogEntry>,
    ) -> Self {
        Self {
            message,
            record,
            entries,
            attachments: Vec::new(),
            indexed: false,
        }
    }
}

/// A part of an original.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginalPart {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The size of the whole original.
    pub total: u64,
    /// The digest of the whole original.
    pub digest: OriginalDigest,
}

impl OriginalPart {
    /// A part.
    pub fn new(bytes: Vec<u8>, total: u64, digest: OriginalDigest) -> Self {
        Self {
            bytes,
            total,
            digest,
        }
    }
}

/// A decision as it was stored.
///
/// It is made by stores: [`DecisionRecord::new`] takes what every decision has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct DecisionRecord {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// The sighting.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub sighting: SightingKey,
    /// The message, where that may be kept.
    pub message: Option<MessageUid>,
    /// The outcome's code; `already-logged` where the message was there before.
    pub outcome: String,
    /// The reason's code; empty for a logged mail.
    pub reason: String,
    /// Where the mail went.
    pub disposition: Disposition,
    /// Every step.
    pub steps: Vec<Step>,
    /// Flags by code.
    pub flags: Vec<String>,
    /// The policy's name.
    pub policy: String,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The subject, where it may be kept.
    pub subject: Option<String>,
    /// The sender's address, where it may be kept.
    pub sender: Option<String>,
}

impl DecisionRecord {
    /// A decision with its outcome; the rest is filled in.
    pub fn new(
        mailbox: MailboxKey,
        sighting: SightingKey,
        outcome: impl Into<String>,
        disposition: Disposition,
        decided_at: Timestamp,
    ) -> Self {
        Self {
            mailbox,
            sighting,
            message: None,
            outcome: outcome.into(),
            reason: String::new(),
            disposition,
            steps: Vec::new(),
            flags: Vec::new(),
            policy: String::new(),
            decided_at,
            subject: None,
            sender: None,
        }
    }
}

#[cfg(feature = "serde")]
fn as_text<S: serde::Serializer>(key: &SightingKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(key)
}

/// What a person says about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Annotation {
    /// A comment.
    Comment {
        /// Who wrote it, in the host's terms.
        author: String,
        /// The text.
        text: String,
    },
    /// A grade from 1 (very negative) to 5 (very positive), or none.
    Evaluation(Option<u8>),
    /// The opportunity that was made of it, or none.
    Opportunity(Option<String>),
}
