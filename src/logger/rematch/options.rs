//! What is matched again, and what came of it.

use crate::ids::ContactNo;
use crate::logger::report::Skipped;
use crate::message::Address;
use crate::store::Cursor;

/// Which mails are matched again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RematchOf {
    /// Every message that is stored.
    #[default]
    All,
    /// Messages that name one of these addresses: those that a contact has, and those that it had.
    Addresses(Vec<Address>),
    /// Messages that have an entry of this contact.
    Contact(ContactNo),
}

/// How mail is matched again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RematchOptions {
    /// Which mails.
    pub of: RematchOf,
    /// Whether nothing is written, fetched or created.
    pub dry_run: bool,
    /// Mails that are looked at by one call; 0 is no limit.
    pub most: u32,
    /// Where an earlier call stopped: [`RematchReport::next`].
    pub after: Option<Cursor>,
    /// Whether the entry of a contact that has none of the mail's addresses any more is withdrawn: cancelled with the
    /// reason, never deleted. What a person assigned, cancelled or took back stays as it is, and so does an entry of which
    /// somebody made an opportunity, or that has a comment or a grade. Without it a contact that loses an address keeps the
    /// history of that address. Default true.
    pub withdraw: bool,
    /// Whether a mail whose original is gone is logged from its record, with the flag `original-missing`. Default false.
    pub without_original: bool,
}

impl Default for RematchOptions {
    fn default() -> Self {
        Self {
            of: RematchOf::All,
            dry_run: false,
            most: 0,
            after: None,
            withdraw: true,
            without_original: false,
        }
    }
}

impl RematchOptions {
    /// These mails, with the defaults.
    pub fn of(of: RematchOf) -> Self {
        Self {
            of,
            ..Self::default()
        }
    }

    /// Says whether it is only a look.
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Says how many mails are looked at.
    #[must_use]
    pub fn with_most(mut self, most: u32) -> Self {
        self.most = most;
        self
    }

    /// Goes on where an earlier call stopped.
    #[must_use]
    pub fn with_after(mut self, after: Option<Cursor>) -> Self {
        self.after = after;
        self
    }

    /// Says whether links are withdrawn.
    #[must_use]
    pub fn with_withdraw(mut self, withdraw: bool) -> Self {
        self.withdraw = withdraw;
        self
    }

    /// Says whether a mail is logged without its original.
    #[must_use]
    pub fn with_without_original(mut self, without_original: bool) -> Self {
        self.without_original = without_original;
        self
    }
}

/// What came of matching again. In a dry run it says what would come of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RematchReport {
    /// Messages that were looked at; items that people assigned are counted below alone.
    pub looked_at: u64,
    /// Messages whose entries changed.
    pub matched: u64,
    /// New entries.
    pub entries_added: u64,
    /// Entries that were withdrawn before and hold again.
    pub restored: u64,
    /// Entries that were withdrawn.
    pub withdrawn: u64,
    /// Messages at which nothing changed.
    pub unchanged: u64,
    /// Messages about which a person decided, or has to.
    pub kept_by_person: u64,
    /// Messages of another mailbox, whose logger matches them.
    pub elsewhere: u64,
    /// Messages that match and whose original was not found; they stay in the queue.
    pub original_missing: u64,
    /// Messages that could not be fetched or decided; the next call tries again.
    pub failed: u64,
    /// Where the next call goes on; `None` at the end.
    pub next: Option<Cursor>,
    /// Why nothing was done at all.
    pub skipped: Option<Skipped>,
}

impl RematchReport {
    pub(super) fn skipped(mut self, why: Skipped) -> Self {
        self.skipped = Some(why);
        self
    }
}
