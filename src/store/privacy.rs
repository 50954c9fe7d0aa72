//! Privacy after logging: mail that is marked, removed or kept on purpose, and persons who are erased.
//!
//! It must not know how a mail is decided, nor move one: what is removed here still lies in its folder.

mod desk;
mod subject;

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

pub use self::desk::{Erased, Erasure, PrivacyDesk, Removed, Retained};
pub use self::subject::{SubjectExport, SubjectMail, SubjectRecords, SubjectStore};
use super::log::{Cursor, Page};
use super::reports::Deletion;
use crate::error::Result;
use crate::ids::MessageUid;
use crate::message::codes;
use crate::privacy::{Person, Selection};
use crate::scope::Scope;

/// Removing, marking and forgetting. [`PrivacyDesk`] does whole requests with it.
///
/// The contract, which `testkit::conformance::store::privacy` checks:
///
/// * a mail that was removed leaves the keys of its sightings, their decisions with the reason `erased` and nothing else,
///   its events without message and entries, and tombstones: keyed hashes under a key of the scope;
/// * a commit of a mail that has a tombstone writes nothing and answers [`RowResult::Erased`](super::RowResult::Erased),
///   whatever becomes of its sightings;
/// * a scope without tombstones pays nothing for them;
/// * moves that are still to do are still done: the mail itself is never deleted and never lost;
/// * what is repeated finds nothing to do.
#[async_trait]
pub trait PrivacyStore: Debug + Send + Sync + 'static {
    /// Mail that fits the selection, newest first, with what speaks against its removal. Writes nothing.
    ///
    /// # Errors
    ///
    /// `Protocol` (`store.cursor`) for a cursor of something else; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn affected(
        &self,
        scope: &Scope,
        selection: &Selection,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AffectedMail>>;

    /// Removes mails with all that is kept of them, for everybody, in one transaction. What is not there is passed over.
    /// What is on hold is spared where [`Removal::spare_held`] says so, asked in the same transaction; anything else that
    /// could be kept is for the caller to leave out.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn remove_mails(
        &self,
        scope: &Scope,
        messages: &[MessageUid],
        removal: &Removal,
    ) -> Result<RemovedMails>;

    /// Erases what is known of a person beside mails: the address in never-log lists, in the words of decisions, in the
    /// notes of the review queue and in comments; and the contact of opportunities, which stay, without description,
    /// comments and the words of their tasks. A preview counts and writes nothing.
    ///
    /// An address is named where the whole of it stands, and not where it is a part of a longer one.
    ///
    /// [`Erasure::never_again`] leaves a tombstone for each address, and so does an address that was on a never-log list: no
    /// mail that names it is logged from then on.
    ///
    /// # Errors
    ///
    /// `Conflict` (`privacy.open_opportunity`) where [`Erasure::refuse_open_opportunities`] forbids it, asked in the same
    /// transaction; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn forget_person(
        &self,
        scope: &Scope,
        person: &Person,
        erasure: Erasure,
        deletion: Deletion,
    ) -> Result<Forgotten>;

    /// Marks a mail, in place of an earlier mark of the kind. A private one gives all its entries, and those that follow,
    /// the flag [`MARKED_PRIVATE`](crate::privacy::MARKED_PRIVATE).
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn mark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
        mark: &Mark,
    ) -> Result<()>;

    /// Takes a mark away. Answers whether it was there.
    ///
    /// # Errors
    ///
    /// As [`mark_mail`](Self::mark_mail).
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn unmark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
    ) -> Result<bool>;

    /// The marks of a mail, by kind; none for a mail that is not there.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn marks(&self, scope: &Scope, message: &MessageUid) -> Result<Vec<(MarkKind, Mark)>>;

    /// Makes sure that the bytes of what was removed are gone from the store's own files, as far as a store can. It may take
    /// as long as reading the whole search index.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`, also where a reader hinders it: repeat it then.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn shred(&self) -> Result<()>;
}

/// A mail that a selection is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AffectedMail {
    /// The message.
    pub message: MessageUid,
    /// When it was received, or sent, or logged.
    pub date: Timestamp,
    /// How many entries it has.
    pub entries: u64,
    /// The bytes of its original, if that is kept.
    pub original: Option<u64>,
    /// Whether an opportunity that is not closed was made of it.
    pub open_opportunity: bool,
    /// Whether a person holds it.
    pub held: bool,
    /// Whether the host's own log has still to confirm an entry.
    pub waiting: bool,
}

impl AffectedMail {
    /// A mail of which nothing is kept but its record.
    pub fn new(message: MessageUid, date: Timestamp) -> Self {
        Self {
            message,
            date,
            entries: 0,
            original: None,
            open_opportunity: false,
            held: false,
            waiting: false,
        }
    }

    /// Whether retention keeps it.
    pub fn is_kept(&self) -> bool {
        self.open_opportunity || self.held || self.waiting
    }
}

/// Why mail is removed, and at whose wish.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removal {
    /// Why.
    pub reason: RemovalReason,
    /// Who wants it, in the host's terms. It is kept with the tombstones.
    pub by: String,
    /// Whether a mail that a person [holds](MarkKind::Hold) stays. Default: unless a person is erased.
    pub spare_held: bool,
}

impl Removal {
    /// A removal.
    pub fn new(reason: RemovalReason, by: impl Into<String>) -> Self {
        Self {
            reason,
            by: by.into(),
            spare_held: reason != RemovalReason::Erased,
        }
    }

    /// Says whether a mail on hold stays.
    #[must_use]
    pub fn with_spare_held(mut self, spare: bool) -> Self {
        self.spare_held = spare;
        self
    }
}

/// Why mail is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RemovalReason {
    /// A person removed this mail.
    Removed,
    /// A person whom it names is erased.
    Erased,
    /// It is older than it may be.
    Expired,
}

codes!(RemovalReason {
    Removed => "removed",
    Erased => "erased",
    Expired => "expired",
});

/// What one call of [`PrivacyStore::remove_mails`] removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RemovedMails {
    /// Mails.
    pub mails: u64,
    /// Their entries.
    pub entries: u64,
    /// Their originals.
    pub originals: u64,
    /// What the host's own log answered for entries that are gone here: the host erases its own.
    pub host_references: Vec<String>,
    /// Mails that stay because a person holds them.
    pub held: Vec<MessageUid>,
}

/// What [`PrivacyStore::forget_person`] changed, or would.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Forgotten {
    /// Rules of never-log lists.
    pub never_log_rules: u64,
    /// Decisions whose words were taken away.
    pub decisions: u64,
    /// Notes of the review queue; their items are open again.
    pub reviews: u64,
    /// Comments.
    pub comments: u64,
    /// Opportunities of the contact.
    pub opportunities: u64,
    /// Those of them that are not closed.
    pub open_opportunities: u64,
}

/// What a person says about a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MarkKind {
    /// It is nobody's but its own salespeople's.
    Private,
    /// It must stay, whatever its age, and whoever else wants it gone: it is not removed and its entries are not deleted
    /// before the mark is taken away. Only the erasure of a person takes it too. Who may mark and unmark is for the host to
    /// say.
    Hold,
}

codes!(MarkKind {
    Private => "private",
    Hold => "hold",
});

/// Who marked a mail, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// Who, in the host's terms.
    pub by: String,
    /// Why, in the person's words.
    pub reason: String,
    /// When; the store sets it.
    pub at: Timestamp,
}

impl Mark {
    /// A mark of now.
    pub fn new(by: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            by: by.into(),
            reason: reason.into(),
            at: Timestamp::UNIX_EPOCH,
        }
    }
}
