//! Which mails belong to one conversation.
//!
//! By the ids of `Message-ID`, `In-Reply-To` and `References` (RFC 5322, section 3.6.4) and by people, never by a subject.
//! Two mails are linked when they name a common id and have a party of the outside world in common: an address that is not
//! the company's own, or a contact or company for whom both were logged. Mail to a salesperson proves nothing, for everybody
//! can write to one and copy an id; two mails that name own addresses alone are linked by any of them. The conversation of a mail is whatever can be
//! reached from it over links, so it is the same from each of its mails, in whatever order they arrived, also where the
//! first mail was never seen. It is a hint for views: nothing is decided by it.
//!
//! No I/O: a store looks mails up by id, [`ThreadWalk`] says which ids and whom it found.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ids::{ContactNo, MessageUid};

/// The last references of a mail that count.
const REFERENCES: usize = 32;

/// The mails of a conversation at most; a longer one is cut.
pub(crate) const THREAD_LIMIT: usize = 500;

/// What of a mail says to which conversation it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadMail {
    /// The mail.
    pub message: MessageUid,
    /// When it was sent, or else received.
    pub date: Option<Timestamp>,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// The ids of `In-Reply-To` and `References`, oldest first. The last 32 count.
    pub references: Vec<String>,
    /// The normalised addresses that it names.
    pub addresses: BTreeSet<String>,
    /// Those of them that are the company's own.
    pub own_addresses: BTreeSet<String>,
    /// The contacts for whom it was logged, and their companies; without cancelled entries.
    pub contacts: BTreeSet<ContactNo>,
}

impl ThreadMail {
    /// A mail of which nothing else is known.
    pub fn new(message: MessageUid) -> Self {
        Self {
            message,
            date: None,
            message_id: None,
            references: Vec::new(),
            addresses: BTreeSet::new(),
            own_addresses: BTreeSet::new(),
            contacts: BTreeSet::new(),
        }
    }

    /// Says that it names an address, which is the company's own or not.
    pub fn name(&mut self, address: &str, own: bool) {
        if own {
            self.own_addresses.insert(address.to_owned());
        }
        self.addresses.insert(address.to_owned());
    }

    /// Whether two mails name a common id and have a party in common.
    pub fn is_linked_to(&self, other: &Self) -> bool {
        let known: BTreeSet<&str> = self.ids().collect();
        other.ids().any(|id| known.contains(id)) && self.shares_party_with(other)
    }

    /// A contact or company, or an address that neither knows as the company's own, unless there is none in either.
    fn shares_party_with(&self, other: &Self) -> bool {
        let mut common = self.addresses.intersection(&other.addresses);
        let is_own = |address: &String| {
            self.own_addresses.contains(address) || other.own_addresses.contains(address)
        };
        !self.contacts.is_disjoint(&other.contacts)
            || common.clone().any(|address| !is_own(address))
            || (self.is_internal() && other.is_internal() && common.next().is_some())
    }

    fn is_internal(&self) -> bool {
        self.addresses.is_subset(&self.own_addresses)
    }

    /// Every id that it names, its own included.
    fn ids(&self) -> impl Iterator<Item = &str> {
        self.message_id.as_deref().into_iter().chain(self.counted())
    }

    fn counted(&self) -> impl DoubleEndedIterator<Item = &str> {
        let first = self.references.len().saturating_sub(REFERENCES);
        self.references.iter().skip(first).map(String::as_str)
    }
}

/// A conversation: its mails, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conversation {
    /// The mails, by date, those without one first.
    pub mails: Vec<ConversationMail>,
    /// Whether there are more mails than are listed; at most 500 are.
    pub is_cut: bool,
}

/// The place of a mail in its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct ConversationMail {
    /// The mail.
    pub message: MessageUid,
    /// When it was sent, or else received.
    pub date: Option<Timestamp>,
    /// The mail of the conversation that it answers, where that was seen.
    pub parent: Option<MessageUid>,
    /// How many mails of the conversation stand above it.
    pub depth: u32,
}

/// The search for the mails of a conversation, one look-up at a time.
///
/// Ask [`next_ids`](Self::next_ids), look up every mail that has one of these ids as its Message-ID or among its
/// references, hand them to [`found`](Self::found), and repeat until nothing is asked.
#[derive(Debug)]
pub struct ThreadWalk {
    limit: usize,
    members: Vec<ThreadMail>,
    /// Mails that name an id of the conversation and have no party in common with the mail that names it too.
    strangers: BTreeMap<MessageUid, ThreadMail>,
    seen: BTreeSet<MessageUid>,
    asked: BTreeSet<String>,
    to_ask: Vec<String>,
    is_cut: bool,
}

impl ThreadWalk {
    /// A search that begins with this mail.
    pub fn from(start: ThreadMail) -> Self {
        Self::bounded(start, THREAD_LIMIT)
    }

    fn bounded(start: ThreadMail, limit: usize) -> Self {
        let mut walk = Self {
            limit,
            members: Vec::new(),
            strangers: BTreeMap::new(),
            seen: BTreeSet::from([start.message]),
            asked: BTreeSet::new(),
            to_ask: Vec::new(),
            is_cut: false,
        };
        walk.join(start);
        walk
    }

    /// The ids to look up next; none at the end.
    pub fn next_ids(&mut self) -> Vec<String> {
        if self.is_cut {
            return Vec::new();
        }
        std::mem::take(&mut self.to_ask)
    }

    /// Says which mails name the ids that were asked for. Mails that were found before may be among them.
    pub fn found(&mut self, mut mails: Vec<ThreadMail>) {
        mails.sort_by_key(|mail| (mail.date, mail.message));
        for mail in mails {
            if self.seen.insert(mail.message) {
                self.strangers.insert(mail.message, mail);
            }
        }
        self.join_linked();
    }

    /// Says that a look-up had more answers than were handed over.
    pub fn cut(&mut self) {
        self.is_cut = true;
    }

    /// The conversation.
    pub fn finish(mut self) -> Conversation {
        self.members.sort_by_key(|mail| (mail.date, mail.message));
        let parents = parents(&self.members);
        let mails = self.members.iter();
        Conversation {
            mails: mails.map(|mail| placed(mail, &parents)).collect(),
            is_cut: self.is_cut,
        }
    }

    /// Every stranger that is linked to a member becomes one, and may so link others.
    fn join_linked(&mut self) {
        let mut first = 0;
        while first < self.members.len() {
            let newest = self.members.len();
            let linked: Vec<MessageUid> = self
                .strangers
                .values()
                .filter(|mail| {
                    self.members[first..newest]
                        .iter()
                        .any(|m| m.is_linked_to(mail))
                })
                .map(|mail| mail.message)
                .collect();
            for message in linked {
                if self.members.len() >= self.limit {
                    self.is_cut = true;
                    return;
                }
                if let Some(mail) = self.strangers.remove(&message) {
                    self.join(mail);
                }
            }
            first = newest;
        }
    }

    fn join(&mut self, mail: ThreadMail) {
        for id in mail.ids() {
            if self.asked.insert(id.to_owned()) {
                self.to_ask.push(id.to_owned());
            }
        }
        self.members.push(mail);
    }
}

/// The parent of each mail: the newest of its references that is a mail of the conversation and does not stand below it.
fn parents(mails: &[ThreadMail]) -> BTreeMap<MessageUid, MessageUid> {
    let mut by_id: BTreeMap<&str, MessageUid> = BTreeMap::new();
    for mail in mails {
        if let Some(id) = mail.message_id.as_deref() {
            by_id.entry(id).or_insert(mail.message);
        }
    }
    let mut parents = BTreeMap::new();
    for mail in mails {
        let mut above = mail.counted().rev().filter_map(|id| by_id.get(id));
        if let Some(parent) = above.find(|parent| !is_above(&parents, mail.message, **parent)) {
            parents.insert(mail.message, *parent);
        }
    }
    parents
}

/// Whether a mail is this one or stands above it.
fn is_above(parents: &BTreeMap<MessageUid, MessageUid>, mail: MessageUid, of: MessageUid) -> bool {
    std::iter::successors(Some(of), |at| parents.get(at).copied()).any(|at| at == mail)
}

fn placed(mail: &ThreadMail, parents: &BTreeMap<MessageUid, MessageUid>) -> ConversationMail {
    let above = std::iter::successors(parents.get(&mail.message), |at| parents.get(at));
    ConversationMail {
        message: mail.message,
        date: mail.date,
        parent: parents.get(&mail.message).copied(),
        depth: u32::try_from(above.count()).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
