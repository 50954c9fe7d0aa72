//! Who sees how much of a logged mail.
//!
//! Pure rules over what the log answers. It must not know a store.

pub(crate) mod naming;
mod person;
pub(crate) mod tombstone;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

pub use self::person::{Person, RetentionRule, Selection};

use crate::ids::SalespersonCode;
use crate::interaction::InteractionLogEntry;
use crate::message::{Address, codes};
use crate::opportunity::Opportunity;
use crate::store::{DecisionRecord, LoggedMail, MessageRecord, ReviewItem};

/// How much of a mail a person sees. Each level shows what those before it show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Visibility {
    /// Not even that there is one.
    #[default]
    Nothing,
    /// Who exchanged it with whom and when, the direction, and what the template gives.
    Metadata,
    /// The subject as well.
    Subject,
    /// Everything: text, attachments, original, comments, links and what a host added.
    Full,
}

codes!(Visibility {
    Nothing => "nothing",
    Metadata => "metadata",
    Subject => "subject",
    Full => "full",
});

impl Visibility {
    /// The entry as this level shows it; none at [`Visibility::Nothing`].
    pub fn entry(self, mut entry: InteractionLogEntry) -> Option<InteractionLogEntry> {
        if self < Self::Full {
            entry.entry.fields.clear();
            entry.comments.clear();
            entry.host_reference = None;
            entry.opportunity_no = None;
        }
        if self < Self::Subject {
            entry.entry.description.clear();
        }
        (self > Self::Nothing).then_some(entry)
    }

    /// The decision as this level shows it; none at [`Visibility::Nothing`]. The words of the steps can hold a part of the
    /// mail.
    pub(crate) fn decision(self, mut decision: DecisionRecord) -> Option<DecisionRecord> {
        if self < Self::Full {
            for step in &mut decision.steps {
                step.detail.clear();
            }
        }
        if self < Self::Subject {
            decision.subject = None;
        }
        (self > Self::Nothing).then_some(decision)
    }

    /// What is kept of a mail, as this level shows it. The identity stays: it is made of digests.
    fn record(self, record: &mut MessageRecord) {
        if self < Self::Full {
            // Ids and references are chosen by the sender and can hold words.
            record.message_id = None;
            record.references.clear();
            record.web_link = None;
        }
        if self < Self::Subject {
            record.subject.clear();
        }
    }
}

/// The flag of an entry whose mail a person marked private after it was logged.
pub const MARKED_PRIVATE: &str = "marked-private";

type LevelOf = dyn Fn(&InteractionLogEntry) -> Visibility + Send + Sync;

type LevelOfItem = dyn Fn(&ReviewItem) -> Visibility + Send + Sync;

/// Who reads the log.
///
/// A salesperson sees the own mails in full; for all others the host names the level. A mail that was marked private
/// ([`MARKED_PRIVATE`]) is shown to its own salespeople alone, whatever the host names, unless
/// [`with_private_mail`](Viewer::with_private_mail) says otherwise.
#[derive(Clone)]
pub struct Viewer {
    salesperson: Option<SalespersonCode>,
    addresses: BTreeSet<String>,
    level: Arc<LevelOf>,
    level_of_item: Option<Arc<LevelOfItem>>,
    private: Visibility,
}

impl Viewer {
    /// A person to whom the host shows each entry at the level that it answers. The answer must be quick and do no I/O.
    pub fn new(level: impl Fn(&InteractionLogEntry) -> Visibility + Send + Sync + 'static) -> Self {
        Self {
            salesperson: None,
            addresses: BTreeSet::new(),
            level: Arc::new(level),
            level_of_item: None,
            private: Visibility::Nothing,
        }
    }

    /// A person to whom all entries are shown at one level.
    pub fn at(level: Visibility) -> Self {
        Self::new(move |_| level)
    }

    /// The person is this salesperson.
    #[must_use]
    pub fn with_salesperson(mut self, code: SalespersonCode) -> Self {
        self.salesperson = Some(code);
        self
    }

    /// The person has this address, in any case: mail of the review queue that names it is shown in full.
    #[must_use]
    pub fn with_address(mut self, address: &str) -> Self {
        let normal = Address::parse(address);
        let normal = normal.map_or_else(|_| address.to_lowercase(), |it| it.as_str().to_owned());
        self.addresses.insert(normal);
        self
    }

    /// Shows mail of the review queue that does not name the person at the level that this answers; without it, not at all.
    /// The answer must be quick and do no I/O.
    #[must_use]
    pub fn with_review(
        mut self,
        level: impl Fn(&ReviewItem) -> Visibility + Send + Sync + 'static,
    ) -> Self {
        self.level_of_item = Some(Arc::new(level));
        self
    }

    /// Shows others' private mail at this level at most: for a person whose duty it is to look.
    #[must_use]
    pub fn with_private_mail(mut self, most: Visibility) -> Self {
        self.private = most;
        self
    }

    /// How much of an entry the person sees.
    pub fn level(&self, entry: &InteractionLogEntry) -> Visibility {
        if self.salesperson.as_ref() == Some(&entry.entry.salesperson_code) {
            return Visibility::Full;
        }
        let level = (self.level)(entry);
        if entry.entry.flags.iter().any(|flag| flag == MARKED_PRIVATE) {
            return level.min(self.private);
        }
        level
    }

    /// The mail as the person sees it: each entry at its level, the mail itself at the highest of them; none if no entry is
    /// seen.
    pub fn mail(&self, mut mail: LoggedMail) -> Option<LoggedMail> {
        let level = self.level_of_mail(&mail);
        mail.entries = mail
            .entries
            .into_iter()
            .filter_map(|entry| self.level(&entry).entry(entry))
            .collect();
        if level < Visibility::Full {
            mail.attachments.clear();
        }
        level.record(&mut mail.record);
        (level > Visibility::Nothing).then_some(mail)
    }

    /// How much of an item of the review queue the person sees.
    pub fn level_of_item(&self, item: &ReviewItem) -> Visibility {
        let mut named = item.participants.iter();
        if named.any(|named| self.addresses.contains(&named.address)) {
            return Visibility::Full;
        }
        let level = self.level_of_item.as_ref();
        level.map_or(Visibility::Nothing, |level| level(item))
    }

    /// The item of the review queue as the person sees it; none if it is not seen.
    pub fn item(&self, mut item: ReviewItem) -> Option<ReviewItem> {
        let level = self.level_of_item(&item);
        if level < Visibility::Full {
            item.resolution = None;
        }
        item.decision = level.decision(item.decision)?;
        Some(item)
    }

    /// The opportunity as the person sees it, and whether something is left out: a description that is the subject of a mail
    /// of which the person does not see it, and copies of comments that are not shown. `made_of` are the entries that it was
    /// made of.
    pub fn opportunity(
        &self,
        mut one: Opportunity,
        made_of: &[InteractionLogEntry],
    ) -> (Opportunity, bool) {
        let mut has_hidden = false;
        for entry in made_of {
            let level = self.level(entry);
            if level < Visibility::Subject && one.description == entry.entry.description {
                one.no.as_str().clone_into(&mut one.description);
                has_hidden = true;
            }
            if level < Visibility::Full {
                let before = one.comments.len();
                one.comments.retain(|said| !entry.comments.contains(said));
                has_hidden |= one.comments.len() < before;
            }
        }
        (one, has_hidden)
    }

    /// How much of a mail the person sees: the highest level of its entries.
    pub fn level_of_mail(&self, mail: &LoggedMail) -> Visibility {
        let levels = mail.entries.iter().map(|entry| self.level(entry));
        levels.max().unwrap_or_default()
    }
}

impl fmt::Debug for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Viewer").finish_non_exhaustive()
    }
}
