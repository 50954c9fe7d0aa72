//! The review queue: what was not logged and why, what a person says about it, and the links that a later match changes.
//!
//! It must not know how a mail is decided or where it lies.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use super::commit::Participant;
use super::ledger::Lease;
use super::log::{Cursor, DecisionRecord, LoggedMail, Page};
use crate::error::Result;
use crate::ids::{ContactNo, EntryId, MailboxKey, MessageUid, SalespersonCode};
use crate::interaction::{InformationFlow, NewEntry};
use crate::message::codes;
use crate::scope::Scope;
use crate::source::SightingKey;

/// What was not logged, and what people made of it.
///
/// An item is a decision without entries; it needs no row of its own until a person resolves it, and it leaves the queue
/// once its mail is logged. The contract, which `testkit::conformance::store::run_review` checks:
///
/// * a resolution names the version that it saw, 0 for an item that nobody touched; of two at once one is refused;
/// * what a person decided about an entry, by cancelling it, by taking the cancelling back or by assigning it, is never
///   changed by [`relink`](Self::relink);
/// * nothing is deleted: a link that is withdrawn is a cancelled entry with its reason.
#[async_trait]
pub trait ReviewQueue: Debug + Send + Sync + 'static {
    /// Items that fit the filter, newest decision first.
    ///
    /// # Errors
    ///
    /// `Protocol` (`store.cursor`) for a cursor of something else; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn review_items(
        &self,
        scope: &Scope,
        filter: &ReviewFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ReviewItem>>;

    /// How many items there are per state, outcome and reason, in that order; excluded ones are counted as well.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn review_counts(&self, scope: &Scope) -> Result<Vec<ReviewCount>>;

    /// Writes what a person says about an item, if it still has the expected version. Answers the new version.
    ///
    /// # Errors
    ///
    /// `NotFound` where nothing was decided about the sighting; `Conflict`: `review.version` where somebody else was
    /// faster, `review.logged` where the mail is logged by now; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: read the item again.
    async fn resolve(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
        resolution: &Resolution,
        expected_version: u64,
    ) -> Result<u64>;

    /// Messages that name one of these addresses, or all where none is given, newest first, each with its entries.
    ///
    /// # Errors
    ///
    /// As [`review_items`](Self::review_items).
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn mails_naming(
        &self,
        scope: &Scope,
        addresses: Option<&[String]>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>>;

    /// Adds, restores and withdraws the automatic links of a message that is logged, in one transaction with the event
    /// [`EventKind::Rematched`](super::EventKind::Rematched). A repetition finds nothing to do and makes no event.
    ///
    /// # Errors
    ///
    /// `LeaseLost`, `NotFound` for a message that is not there, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it.
    async fn relink(&self, scope: &Scope, lease: &Lease, links: &LinkChange) -> Result<LinkResult>;
}

/// Which items to read. Every field that is set must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ReviewFilter {
    /// In this state; without it, open.
    pub state: ReviewState,
    /// The item of this sighting, in any state and with any outcome that is not logged.
    pub sighting: Option<(MailboxKey, SightingKey)>,
    /// With this outcome, by code.
    pub outcome: Option<String>,
    /// With this reason, by code.
    pub reason: Option<String>,
    /// Naming this address, in its normalised form.
    pub address: Option<String>,
    /// Whether mail that the policy left out is read as well.
    pub excluded: bool,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ReviewState {
    /// Nobody has said anything about it, or it was opened again.
    #[default]
    Open,
    /// A person assigned it, and its mail is not logged yet.
    Assigned,
    /// A person wants it left as it is.
    Ignored,
}

codes!(ReviewState {
    Open => "open",
    Assigned => "assigned",
    Ignored => "ignored",
});

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct ReviewItem {
    /// Why its mail was not logged.
    pub decision: DecisionRecord,
    /// Everybody whom it names, where that may be kept.
    pub participants: Vec<Participant>,
    /// Where it stands.
    pub state: ReviewState,
    /// The version that the next resolution must name.
    pub version: u64,
    /// The last resolution with its time.
    pub resolution: Option<(Timestamp, Resolution)>,
}

impl ReviewItem {
    /// An item that nobody touched.
    pub fn new(decision: DecisionRecord, participants: Vec<Participant>) -> Self {
        Self {
            decision,
            participants,
            state: ReviewState::Open,
            version: 0,
            resolution: None,
        }
    }
}

/// How many items there are of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct ReviewCount {
    /// Where they stand.
    pub state: ReviewState,
    /// Their outcome, by code.
    pub outcome: String,
    /// Their reason, by code.
    pub reason: String,
    /// How many.
    pub items: u64,
}

impl ReviewCount {
    /// A count.
    pub fn new(
        state: ReviewState,
        outcome: impl Into<String>,
        reason: impl Into<String>,
        items: u64,
    ) -> Self {
        Self {
            state,
            outcome: outcome.into(),
            reason: reason.into(),
            items,
        }
    }
}

/// What a person says about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Resolution {
    /// Who says it, in the host's terms.
    pub by: String,
    /// Why, in the person's words.
    pub note: String,
    /// The link that the person makes; with it the item is assigned.
    pub assignment: Option<Assignment>,
    /// Where the item stands from now on.
    pub state: ReviewState,
}

impl Resolution {
    /// Logs the mail for this contact and salesperson.
    pub fn assign(by: impl Into<String>, assignment: Assignment) -> Self {
        Self {
            assignment: Some(assignment),
            ..Self::new(by, ReviewState::Assigned)
        }
    }

    /// Leaves the mail as it is.
    pub fn ignore(by: impl Into<String>) -> Self {
        Self::new(by, ReviewState::Ignored)
    }

    /// Opens the item again.
    pub fn reopen(by: impl Into<String>) -> Self {
        Self::new(by, ReviewState::Open)
    }

    /// Says why.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn new(by: impl Into<String>, state: ReviewState) -> Self {
        Self {
            by: by.into(),
            note: String::new(),
            assignment: None,
            state,
        }
    }
}

/// A link that a person makes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Assignment {
    /// The contact.
    pub contact: ContactNo,
    /// Its name, for views.
    pub contact_name: String,
    /// The contact's company.
    pub company: Option<ContactNo>,
    /// The salesperson.
    pub salesperson: SalespersonCode,
    /// The salesperson's name, for views.
    pub salesperson_name: String,
    /// Which way the mail went.
    pub flow: InformationFlow,
}

impl Assignment {
    /// A link; the numbers stand for the names until those are filled in.
    pub fn new(
        contact: impl Into<ContactNo>,
        salesperson: impl Into<SalespersonCode>,
        flow: InformationFlow,
    ) -> Self {
        let (contact, salesperson) = (contact.into(), salesperson.into());
        Self {
            contact_name: contact.as_str().to_owned(),
            salesperson_name: salesperson.as_str().to_owned(),
            company: None,
            contact,
            salesperson,
            flow,
        }
    }
}

/// What a later match changes at the links of one message.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LinkChange {
    /// The message.
    pub message: MessageUid,
    /// Links that hold now: written where they are new, restored where they were withdrawn.
    pub add: Vec<NewEntry>,
    /// Automatic links that hold no longer.
    pub withdraw: Vec<EntryId>,
    /// Why, by code.
    pub reason: String,
    /// Whether new entries wait for the host's own log.
    pub deliver: bool,
}

impl LinkChange {
    /// A change of nothing.
    pub fn new(message: MessageUid, reason: impl Into<String>) -> Self {
        Self {
            message,
            add: Vec::new(),
            withdraw: Vec::new(),
            reason: reason.into(),
            deliver: false,
        }
    }
}

/// What [`ReviewQueue::relink`] changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LinkResult {
    /// New entries, with their numbers.
    pub added: Vec<(EntryId, u64)>,
    /// Entries that were withdrawn and hold again.
    pub restored: Vec<EntryId>,
    /// Entries that were withdrawn.
    pub withdrawn: Vec<EntryId>,
}

impl LinkResult {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.restored.is_empty() && self.withdrawn.is_empty()
    }

    /// Every entry that changed: new, restored, withdrawn.
    pub fn changed(&self) -> Vec<EntryId> {
        let added = self.added.iter().map(|(id, _)| *id);
        let others = self.restored.iter().chain(&self.withdrawn).copied();
        added.chain(others).collect()
    }
}
