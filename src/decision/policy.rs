//! What is logged, what is not, and where mail goes. Every rule is a field.

mod business_central;
mod fingerprint;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

pub use self::trust::{Boundary, TrustPolicy, TrustVerdict};
use super::NeverLog;
use crate::ids::{ContactNo, SalespersonCode};
use crate::message::{ItemClass, Sensitivity, codes};
use crate::parties::MatchedBy;

/// The rules of logging.
///
/// [`LoggingPolicy::default`] is safe and logs whatever a salesperson and a contact exchanged; nothing is deleted.
/// [`LoggingPolicy::business_central`] reproduces the original.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(default, rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one rule that a host switches alone"
)]
pub struct LoggingPolicy {
    /// A name for the trace; default `default`.
    pub name: String,
    /// Whether Cc recipients count; default true.
    pub cc: bool,
    /// Whether Bcc recipients count where a copy names them; default true.
    pub bcc: bool,
    /// What a recipient who is named twice makes.
    pub repeated_recipients: RepeatedRecipients,
    /// Whether the author's own copy counts as mail to the contact that the author also is; default false.
    pub own_copies: bool,
    /// The fields in which an address is looked for; default all.
    pub match_fields: BTreeSet<MatchedBy>,
    /// How one of several candidates is chosen.
    pub ranking: Ranking,
    /// Addresses longer than this many characters never match; default 320, the original's is 80.
    pub longest_address: usize,
    /// Whether salespeople who are not active count; default true.
    pub inactive_salespeople: bool,
    /// Whether contacts that asked not to be processed are logged, as the original does; default true.
    pub privacy_blocked_contacts: bool,
    /// The domains of the company, in lower case; `example.com` covers itself alone.
    pub own_domains: BTreeSet<String>,
    /// What is done with mail between addresses of the company alone.
    pub internal: InternalMail,
    /// The sensitivities that are not logged; default private, personal and confidential.
    pub excluded_sensitivities: BTreeSet<Sensitivity>,
    /// What is done with each kind of item; a kind that is not named is logged.
    pub classes: BTreeMap<ItemClass, ClassAction>,
    /// What is done with automatic replies and messages; default log and flag.
    pub automatic: ClassAction,
    /// What is done with bulk and list mail; default log and flag.
    pub bulk: ClassAction,
    /// What is done with mail that matches nobody.
    pub unmatched: Unmatched,
    /// Whether the original of mail that matches nobody is kept in the store; default false.
    pub keep_unmatched_original: bool,
    /// Whether several From headers or several authors quarantine the mail; default true. Otherwise the first counts.
    pub ambiguous_sender_quarantined: bool,
    /// Whether a salesperson's From that the boundary found forged still counts as outbound, as in the original; default
    /// false.
    pub failed_senders_count: bool,
    /// Whose word about the sender is believed; default nobody's.
    pub trust: TrustPolicy,
    /// What is done when a mail can be moved neither by a move nor by a copy; default it stays.
    pub move_fallback: MoveFallback,
    /// Whether mail that is not logged is deleted from the queue; default false.
    pub delete_not_logged: bool,
    /// Who is never logged; default nobody.
    pub never_log: NeverLog,
}

/// What a recipient who is named twice makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum RepeatedRecipients {
    /// One entry per contact and salesperson.
    Once,
    /// One entry each time, as the original does.
    EachTime,
}

/// How one of several candidates for an address is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Ranking {
    /// Contacts: a person before a company, the better field (the order of [`MatchedBy`]), then the lowest number.
    /// Salespeople: active first, the better field, then the lowest code. The ambiguity is noted.
    BestField,
    /// The lowest number, any field before an alternative address, as the original does. The ambiguity is noted.
    LowestNumber,
}

/// What is done with mail between addresses of the company alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum InternalMail {
    /// Not logged, unless a recipient is a contact.
    Exclude,
    /// Matched like any other mail.
    Match,
}

/// What is done with a kind of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ClassAction {
    /// Matched like any other mail.
    Log,
    /// Matched, and flagged so that views can filter it.
    Flag,
    /// Not logged.
    Exclude,
}

/// What is done with mail that matches nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")
)]
#[non_exhaustive]
pub enum Unmatched {
    /// Recorded with its reason, and moved on.
    Keep,
    /// Logged against these; a part that is absent leaves that side unmatched.
    LogAgainst {
        /// The contact for mail of a salesperson to unknown addresses, or from an unknown sender to a salesperson.
        contact: Option<ContactNo>,
        /// The salesperson for mail of a contact that reached no salesperson.
        salesperson: Option<SalespersonCode>,
    },
    /// The unknown side of a mail with a salesperson is created as a contact through the host. Never from automatic,
    /// bulk or list mail, and never from a report.
    CreateContact,
}

/// What is done when a mail can be moved neither by a move nor by a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum MoveFallback {
    /// It stays, and the move is tried again.
    Leave,
    /// It is deleted from the queue once its entries are durable, as the original does.
    Delete,
}

codes!(RepeatedRecipients { Once => "once", EachTime => "each-time", });
codes!(Ranking { BestField => "best-field", LowestNumber => "lowest-number", });
codes!(InternalMail { Exclude => "exclude", Match => "match", });
codes!(ClassAction { Log => "log", Flag => "flag", Exclude => "exclude", });
codes!(MoveFallback { Leave => "leave", Delete => "delete", });

impl Default for LoggingPolicy {
    /// The safe policy. It logs more than the original: Cc and Bcc, second e-mails, aliases, lists of addresses and
    /// longer addresses. It logs less only here:
    ///
    /// * delivery reports, read receipts and reports about recalls are left out (`classes`);
    /// * a contact is logged once per mail and salesperson, however often it is named (`repeated_recipients`);
    /// * the copy that a salesperson sends to herself is no mail to the contact that she also is (`own_copies`);
    /// * mail inside `own_domains` is left out unless a recipient is a contact, even when its author is one (`internal`);
    /// * a mail with several authors waits for a person (`ambiguous_sender_quarantined`);
    /// * a salesperson's From that the boundary found forged does not count (`failed_senders_count`).
    ///
    /// Private, personal and confidential mail is left out by both.
    fn default() -> Self {
        Self {
            name: "default".into(),
            cc: true,
            bcc: true,
            repeated_recipients: RepeatedRecipients::Once,
            own_copies: false,
            match_fields: MatchedBy::ALL.iter().copied().collect(),
            ranking: Ranking::BestField,
            longest_address: 320,
            inactive_salespeople: true,
            privacy_blocked_contacts: true,
            own_domains: BTreeSet::new(),
            internal: InternalMail::Exclude,
            excluded_sensitivities: [
                Sensitivity::Private,
                Sensitivity::Personal,
                Sensitivity::Confidential,
            ]
            .into(),
            classes: [
                (ItemClass::DeliveryReport, ClassAction::Exclude),
                (ItemClass::ReadReceipt, ClassAction::Exclude),
                (ItemClass::Recall, ClassAction::Flag),
                (ItemClass::RecallReport, ClassAction::Exclude),
            ]
            .into(),
            automatic: ClassAction::Flag,
            bulk: ClassAction::Flag,
            unmatched: Unmatched::Keep,
            keep_unmatched_original: false,
            ambiguous_sender_quarantined: true,
            failed_senders_count: false,
            trust: TrustPolicy::default(),
            move_fallback: MoveFallback::Leave,
            delete_not_logged: false,
            never_log: NeverLog::default(),
        }
    }
}
