//! Events with the fields of their kind, for programs that match on them.

use super::feed::{Event, EventKind, WORKING};
use crate::ids::{EntryId, MessageUid};

/// What an event says. Made by [`Event::typed`]; the event itself has number, id, time and mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case", tag = "is")
)]
#[non_exhaustive]
pub enum TypedEvent {
    /// Entries were written.
    Logged {
        /// The message.
        message: Option<MessageUid>,
        /// Its new entries.
        entries: Vec<EntryId>,
    },
    /// A mail matched nobody or was set aside: it waits in the review queue.
    ReviewNeeded {
        /// The message, where that may be kept.
        message: Option<MessageUid>,
        /// Whether it was set aside, and not only matched by nobody.
        set_aside: bool,
        /// The code of the reason.
        reason: String,
    },
    /// The policy left a mail out.
    Excluded {
        /// The message, where that may be kept.
        message: Option<MessageUid>,
        /// The code of the reason.
        reason: String,
    },
    /// A person assigned a mail; its entry follows.
    Assigned {
        /// The message, where that may be kept.
        message: Option<MessageUid>,
    },
    /// A later match added, restored or withdrew entries.
    Rematched {
        /// The message.
        message: Option<MessageUid>,
        /// The entries that changed: read them again.
        entries: Vec<EntryId>,
        /// The code of the reason.
        reason: String,
    },
    /// A mail vanished before it could be moved.
    Vanished {
        /// The message, where that may be kept.
        message: Option<MessageUid>,
    },
    /// A mail lies in its target more than once.
    DuplicateCopy {
        /// The message, where that may be kept.
        message: Option<MessageUid>,
    },
    /// Somebody must sign in.
    SignInNeeded {
        /// The code of the error.
        code: String,
    },
    /// The mailbox began to work, or ceased to.
    HealthChanged {
        /// The code of the error; none where it works.
        code: Option<String>,
    },
}

impl Event {
    /// What it says, with the fields of its kind.
    pub fn typed(&self) -> TypedEvent {
        let message = self.message;
        let entries = || self.entries.clone();
        let reason = || self.reason.clone();
        match self.kind {
            EventKind::Logged => TypedEvent::Logged {
                message,
                entries: entries(),
            },
            EventKind::NotMatched | EventKind::Quarantined => TypedEvent::ReviewNeeded {
                message,
                set_aside: self.kind == EventKind::Quarantined,
                reason: reason(),
            },
            EventKind::Excluded => TypedEvent::Excluded {
                message,
                reason: reason(),
            },
            EventKind::Assigned => TypedEvent::Assigned { message },
            EventKind::Rematched => TypedEvent::Rematched {
                message,
                entries: entries(),
                reason: reason(),
            },
            EventKind::Vanished => TypedEvent::Vanished { message },
            EventKind::DuplicateCopy => TypedEvent::DuplicateCopy { message },
            EventKind::SignInNeeded => TypedEvent::SignInNeeded { code: reason() },
            EventKind::HealthChanged => TypedEvent::HealthChanged {
                code: (self.reason != WORKING).then(reason),
            },
        }
    }
}
