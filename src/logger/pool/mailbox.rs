//! Which mailbox of a pool is meant.

use crate::ids::MailboxKey;
use crate::scope::Scope;

/// A mailbox of a pool: whose it is, and the host's name for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PoolMailbox {
    /// Whose mail it is.
    pub scope: Scope,
    /// The mailbox.
    pub mailbox: MailboxKey,
}

impl PoolMailbox {
    /// A mailbox.
    pub fn new(scope: Scope, mailbox: MailboxKey) -> Self {
        Self { scope, mailbox }
    }
}
