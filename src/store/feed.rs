//! The event feed: what happened, for programs of the host.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::{Error, Result, codes};
use crate::ids::{EntryId, EventId, MailboxKey, MessageUid};
use crate::scope::Scope;

/// The reason of [`EventKind::HealthChanged`] for a mailbox that works again.
pub const WORKING: &str = "working";

/// Whether a word about a mailbox's health is news after the last one.
pub(super) fn is_news(last: Option<(&str, &str)>, kind: EventKind, reason: &str) -> bool {
    match last {
        None => (kind, reason) != (EventKind::HealthChanged, WORKING),
        Some(last) => last != (kind.code(), reason),
    }
}

/// Events in the order of their commits, at least once.
///
/// An event is a row of the commit that it tells of. Its number rises per scope, and a reader never skips a row that was
/// not committed yet.
#[async_trait]
pub trait EventFeed: Debug + Send + Sync + 'static {
    /// The events after what this consumer acknowledged, by number.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn read_events(&self, scope: &Scope, consumer: &str, limit: u32) -> Result<Vec<Event>>;

    /// Acknowledges every event up to this number. A smaller number than before changes nothing.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn acknowledge(&self, scope: &Scope, consumer: &str, number: u64) -> Result<()>;

    /// Appends an event about the health of a mailbox: [`EventKind::SignInNeeded`] with the error's code, or
    /// [`EventKind::HealthChanged`] with the error's code or [`WORKING`]. The same word twice in a row is one event, and
    /// that a mailbox works is news only after it did not. Answers whether an event was written.
    ///
    /// # Errors
    ///
    /// `Unsupported` (`source.unsupported`) for a feed that takes none; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn announce(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        kind: EventKind,
        reason: &str,
    ) -> Result<bool> {
        let _ = (scope, mailbox, kind, reason);
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "announce"))
    }
}

/// One event. It holds ids and codes, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Event {
    /// Its number in the scope.
    pub number: u64,
    /// Its id.
    pub id: EventId,
    /// When it was committed.
    pub at: Timestamp,
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// What happened.
    pub kind: EventKind,
    /// The message, where that may be kept.
    pub message: Option<MessageUid>,
    /// The entries that were written.
    pub entries: Vec<EntryId>,
    /// The code of the reason; empty where there is none.
    pub reason: String,
}

impl Event {
    /// An event without message, entries and reason.
    pub fn new(
        number: u64,
        id: EventId,
        at: Timestamp,
        mailbox: MailboxKey,
        kind: EventKind,
    ) -> Self {
        Self {
            number,
            id,
            at,
            mailbox,
            kind,
            message: None,
            entries: Vec::new(),
            reason: String::new(),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum EventKind {
    /// Entries were written.
    Logged,
    /// A mail matched nobody.
    NotMatched,
    /// The policy left a mail out.
    Excluded,
    /// A mail was set aside for a person.
    Quarantined,
    /// A mail vanished before it could be moved; its entries stay.
    Vanished,
    /// A mail lies in its target more than once.
    DuplicateCopy,
    /// A person assigned a mail to a contact; [`Logged`](Self::Logged) follows once its entry is written.
    Assigned,
    /// A later match changed the entries of a mail.
    Rematched,
    /// Somebody must sign in before the mailbox can be read again.
    SignInNeeded,
    /// The mailbox began to work, or ceased to.
    HealthChanged,
}

crate::message::codes!(EventKind {
    Logged => "logged",
    NotMatched => "not-matched",
    Excluded => "excluded",
    Quarantined => "quarantined",
    Vanished => "vanished",
    DuplicateCopy => "duplicate-copy",
    Assigned => "assigned",
    Rematched => "rematched",
    SignInNeeded => "sign-in-needed",
    HealthChanged => "health-changed",
});
