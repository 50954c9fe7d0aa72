//! What becomes of a mail, and why. A pure function of message, parties and policy.

mod case;
mod decide;
mod erased;
pub mod flags;
mod hooks;
mod never_log;
mod policy;
mod quarantined;
mod rules;
mod steps;
mod trace;

use std::collections::BTreeMap;

use crate::ids::{ContactNo, SalespersonCode};
use crate::interaction::InformationFlow;
use crate::message::codes;
use crate::parties::{ContactMatch, NewContact, SalespersonMatch};

pub use decide::decide;
pub(crate) use decide::decide_as;
pub use hooks::{HookAnswer, HookError, LoggingHooks, PartyRole};
pub use never_log::{NeverLog, NeverRule};
pub use policy::{
    Boundary, ClassAction, InternalMail, LoggingPolicy, MoveFallback, Ranking, RepeatedRecipients,
    TrustPolicy, TrustVerdict, Unmatched,
};
pub use steps::{Stage, Step, Verdict};

/// What becomes of a mail: one outcome, the entries it makes, and every step that led there.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Decision {
    /// The one outcome.
    pub outcome: Outcome,
    /// The entries to write; empty unless the outcome is logged.
    pub entries: Vec<DecidedEntry>,
    /// Which rule saw what and said what, in order.
    pub steps: Vec<Step>,
    /// What was noted about the mail as a whole, by code, sorted, each once.
    pub flags: Vec<String>,
    /// Where the mail goes after the commit.
    pub disposition: Disposition,
    /// Whether subject, addresses and original may be kept.
    pub keep: Keep,
    /// Addresses for which the policy wants the host to create a contact before the mail is decided again.
    pub create_contacts: Vec<NewContact>,
    /// The name and fingerprint of the policy that decided.
    pub policy: String,
}

impl Decision {
    /// A host's own decision to log these pairs: everything is kept, and the mail goes to the storage folder.
    pub fn logged(entries: Vec<DecidedEntry>) -> Self {
        let mut decision = Self::ended(Outcome::Logged);
        decision.entries = entries;
        decision.keep = Keep::Everything;
        decision
    }

    /// A host's own decision without entries: metadata is kept, and the mail goes where mail of this outcome goes.
    pub fn ended(outcome: Outcome) -> Self {
        Self {
            disposition: rules::disposition::of(&outcome, false),
            outcome,
            entries: Vec::new(),
            steps: Vec::new(),
            flags: Vec::new(),
            keep: Keep::Metadata,
            create_contacts: Vec::new(),
            policy: String::new(),
        }
    }
}

/// The one outcome of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case", tag = "is", content = "reason")
)]
#[non_exhaustive]
pub enum Outcome {
    /// At least one entry is written.
    Logged,
    /// No pair of a salesperson and a contact.
    NotMatched(NotMatched),
    /// The policy leaves it out.
    Excluded(Exclusion),
    /// Set aside for a person.
    Quarantined(Quarantine),
}

/// Why no pair of a salesperson and a contact was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum NotMatched {
    /// No usable sender.
    NoSender,
    /// No recipient that counts.
    NoRecipients,
    /// The sender is neither a salesperson nor a contact.
    UnknownSender,
    /// A salesperson wrote, but no recipient is a contact.
    NoContact,
    /// A contact wrote, but no recipient is a salesperson.
    NoSalesperson,
    /// The salesperson's From failed the boundary's check.
    SenderNotAuthentic,
}

/// Why the policy leaves a mail out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Exclusion {
    /// Marked private or personal.
    Private,
    /// Marked confidential.
    Confidential,
    /// Between addresses of the company alone.
    Internal,
    /// A delivery report.
    DeliveryReport,
    /// A read receipt.
    ReadReceipt,
    /// An item class that the policy excludes.
    ItemClass,
    /// An automatic reply or message, where the policy excludes those.
    Automatic,
    /// Bulk or list mail, where the policy excludes those.
    Bulk,
    /// The contact asked not to be processed, where the policy honours that.
    PrivacyBlocked,
    /// Everybody who could be logged is on a never-log list.
    NeverListed,
    /// It was removed before, or names somebody who is never logged again.
    Erased,
    /// A reason of the host's own, by its code.
    Host(String),
}

/// Why a mail is set aside for a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Quarantine {
    /// Several `From` headers or several authors of different parties.
    AmbiguousSender,
    /// Beyond a limit of reading.
    LimitExceeded,
    /// No header could be read, or the server cannot render it.
    Unreadable,
    /// A hook of the host failed.
    HookFailed,
    /// The store refused the row.
    RowRefused,
    /// The attempts are used up.
    AttemptsExhausted,
    /// It lay in the quarantine folder, and nothing was known of it.
    FoundSetAside,
    /// A reason of the host's own, by its code.
    Host(String),
}

/// Where a mail goes after its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Disposition {
    /// To the storage folder.
    Storage,
    /// To the folder for what was not logged, or to the storage folder if none is configured.
    NotLogged,
    /// To the quarantine folder, or it stays in the queue if none is configured.
    Quarantine,
    /// It stays in the queue and is passed over from now on.
    Leave,
    /// Deleted, where a policy asks for it: never the default.
    Delete,
}

/// How much of a mail may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Keep {
    /// Key and reason only: no subject, no address, no body.
    Reason,
    /// Sender, recipients, subject and dates, without the original.
    Metadata,
    /// Everything, with the original.
    Everything,
}

/// One pair that a mail is logged for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct DecidedEntry {
    /// Which way the mail went.
    pub flow: InformationFlow,
    /// The contact.
    pub contact: ContactMatch,
    /// The salesperson.
    pub salesperson: SalespersonMatch,
    /// 0, except where the policy counts a repeated recipient again.
    pub occurrence: u32,
    /// What was noted about this pair, by code, sorted, each once.
    pub flags: Vec<String>,
    /// Fields that a host's hook added.
    pub fields: BTreeMap<String, String>,
}

impl DecidedEntry {
    /// A pair without notes.
    pub fn new(
        flow: InformationFlow,
        contact: ContactMatch,
        salesperson: SalespersonMatch,
    ) -> Self {
        Self {
            flow,
            contact,
            salesperson,
            occurrence: 0,
            flags: Vec::new(),
            fields: BTreeMap::new(),
        }
    }

    /// The two numbers that identify the pair.
    pub fn pair(&self) -> (&ContactNo, &SalespersonCode) {
        (&self.contact.no, &self.salesperson.code)
    }
}

codes!(NotMatched {
    NoSender => "no-sender",
    NoRecipients => "no-recipients",
    UnknownSender => "unknown-sender",
    NoContact => "no-contact",
    NoSalesperson => "no-salesperson",
    SenderNotAuthentic => "sender-not-authentic",
});
codes!(Disposition {
    Storage => "storage",
    NotLogged => "not-logged",
    Quarantine => "quarantine",
    Leave => "leave",
    Delete => "delete",
});
codes!(Keep { Reason => "reason", Metadata => "metadata", Everything => "everything", });

impl Exclusion {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Private => "private",
            Self::Confidential => "confidential",
            Self::Internal => "internal",
            Self::DeliveryReport => "delivery-report",
            Self::ReadReceipt => "read-receipt",
            Self::ItemClass => "item-class",
            Self::Automatic => "automatic",
            Self::Bulk => "bulk",
            Self::PrivacyBlocked => "privacy-blocked",
            Self::NeverListed => "never-listed",
            Self::Erased => "erased",
            Self::Host(code) => code,
        }
    }
}

impl Quarantine {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::AmbiguousSender => "ambiguous-sender",
            Self::LimitExceeded => "limit-exceeded",
            Self::Unreadable => "unreadable",
            Self::HookFailed => "hook-failed",
            Self::RowRefused => "row-refused",
            Self::AttemptsExhausted => "attempts-exhausted",
            Self::FoundSetAside => "found-set-aside",
            Self::Host(code) => code,
        }
    }
}

impl Outcome {
    /// The stable code of the outcome, without its reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Logged => "logged",
            Self::NotMatched(_) => "not-matched",
            Self::Excluded(_) => "excluded",
            Self::Quarantined(_) => "quarantined",
        }
    }

    /// The stable code of the reason; empty for a logged mail.
    pub fn reason(&self) -> &str {
        match self {
            Self::Logged => "",
            Self::NotMatched(reason) => reason.code(),
            Self::Excluded(reason) => reason.code(),
            Self::Quarantined(reason) => reason.code(),
        }
    }
}
