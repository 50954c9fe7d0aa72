//! How the mailboxes of a pool are.

use std::time::Duration;

use jiff::Timestamp;

use super::mailbox::PoolMailbox;
use crate::error::ErrorKind;
use crate::logger::report::RunStep;

/// How a pool is: one line per mailbox, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolHealth {
    /// When it was asked.
    pub at: Timestamp,
    /// The mailboxes.
    pub mailboxes: Vec<MailboxHealth>,
    /// Calls to mail systems that are under way, under the pool's budget.
    pub connections: u32,
}

impl PoolHealth {
    /// The age of the oldest mail that waits in any of the queues, as far as it is known.
    pub fn lag(&self) -> Option<Duration> {
        self.mailboxes.iter().filter_map(|it| it.lag).max()
    }

    /// Whether the last turn of every mailbox succeeded, and none is paused.
    pub fn is_well(&self) -> bool {
        self.mailboxes.iter().all(MailboxHealth::is_well)
    }

    /// The health of one mailbox.
    pub fn of(&self, mailbox: &PoolMailbox) -> Option<&MailboxHealth> {
        self.mailboxes.iter().find(|it| it.mailbox == *mailbox)
    }
}

/// How one mailbox is, as its last turn left it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailboxHealth {
    /// The mailbox.
    pub mailbox: PoolMailbox,
    /// What it does.
    pub state: MailboxState,
    /// When a turn of this pool last ended well.
    pub last_success: Option<Timestamp>,
    /// What stopped the last turn that failed.
    pub last_failure: Option<LastFailure>,
    /// Turns that failed in a row.
    pub failed_in_a_row: u32,
    /// The age of the oldest mail that waited when somebody last could look; none where the queue was emptied.
    pub lag: Option<Duration>,
    /// The age of the oldest move that was still to do when somebody last could look.
    pub oldest_move: Option<Duration>,
    /// Items in the queue folder when somebody last could look, those that are set aside included.
    pub queued: Option<u64>,
    /// How long its mail system still wants to be left alone, where it does now: also where its turn waits for that.
    pub asked_to_wait: Option<Duration>,
}

impl MailboxHealth {
    /// Whether its last turn succeeded and it is not paused.
    pub fn is_well(&self) -> bool {
        self.failed_in_a_row == 0 && !matches!(self.state, MailboxState::Paused { .. })
    }
}

/// What a mailbox does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailboxState {
    /// It waits for its next turn.
    Waiting {
        /// When that is due.
        until: Timestamp,
    },
    /// Its turn is under way.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// Its last turn failed: it waits longer.
    BackingOff {
        /// When its next turn is due.
        until: Timestamp,
    },
    /// Another worker had it.
    Elsewhere {
        /// When it is looked at again.
        until: Timestamp,
    },
    /// Logging is disabled in its set-up.
    Disabled {
        /// When that is looked at again.
        until: Timestamp,
    },
    /// A person has to sign in again: it waits for new credentials.
    Paused {
        /// Since when.
        since: Timestamp,
    },
    /// It was removed from the pool, and its last turn drains.
    Leaving,
}

/// What stopped a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastFailure {
    /// When.
    pub at: Timestamp,
    /// In which step.
    pub step: RunStep,
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The error's stable code.
    pub code: &'static str,
}
