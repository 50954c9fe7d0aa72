//! The interaction log entry: one message, one contact, one salesperson, one direction.
//!
//! Pure data. The names are Business Central's; what the original leaves blank is left out.

mod from_decided;
mod statistics;
mod template;
mod thread;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ids::{ContactNo, EntryId, MessageUid, SalespersonCode};
use crate::message::codes;

pub use statistics::{
    Activity, InteractionStatistics, PartyStatistics, Period, StatisticsOptions, Totals,
};
pub(crate) use statistics::{TalliedEntry, Tally};
pub use template::InteractionTemplate;
pub use thread::{Conversation, ConversationMail, ThreadMail, ThreadWalk};

/// Which way the mail went, seen from the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum InformationFlow {
    /// From a salesperson to a contact.
    Outbound,
    /// From a contact to a salesperson.
    Inbound,
}

/// Who began the interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum InitiatedBy {
    /// The company.
    Us,
    /// The contact.
    Them,
}

codes!(InformationFlow { Outbound => "outbound", Inbound => "inbound", });
codes!(InitiatedBy { Us => "us", Them => "them", });

impl InformationFlow {
    /// Who initiates a mail that goes this way.
    pub fn initiated_by(self) -> InitiatedBy {
        match self {
            Self::Outbound => InitiatedBy::Us,
            Self::Inbound => InitiatedBy::Them,
        }
    }
}

/// An entry as it is written by the commit.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct NewEntry {
    /// The derived id: writing it again is a no-op.
    pub id: EntryId,
    /// The message that it belongs to.
    pub message: MessageUid,
    /// The contact.
    pub contact_no: ContactNo,
    /// The company that the contact belongs to.
    pub contact_company_no: Option<ContactNo>,
    /// The code of the contact's alternative address that matched, if one did.
    pub contact_alt_address_code: Option<String>,
    /// The salesperson.
    pub salesperson_code: SalespersonCode,
    /// The contact's name at that time, for views.
    pub contact_name: String,
    /// The salesperson's name at that time, for views.
    pub salesperson_name: String,
    /// Which way the mail went.
    pub information_flow: InformationFlow,
    /// Who initiated it.
    pub initiated_by: InitiatedBy,
    /// When: sent for outbound, received for inbound.
    pub date: Timestamp,
    /// The subject, cut to 100 characters.
    pub description: String,
    /// The interaction template's code.
    pub interaction_template_code: String,
    /// The interaction group's code.
    pub interaction_group_code: String,
    /// The language chosen from the contact's, if the template has it.
    pub interaction_language_code: Option<String>,
    /// The cost in the company's currency, as the template says.
    pub cost: f64,
    /// The duration in minutes, as the template says.
    pub duration_min: f64,
    /// The campaign of the template.
    pub campaign_no: Option<String>,
    /// 0, except where a policy counts a repeated recipient again.
    pub occurrence: u32,
    /// How the contact was found and what was odd about it, by code, sorted.
    pub flags: Vec<String>,
    /// Fields that a host's hook added.
    pub fields: BTreeMap<String, String>,
}

/// An entry as the log shows it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct InteractionLogEntry {
    /// A number for people, per scope, rising with the commits. Not a key.
    pub entry_no: u64,
    /// What the commit wrote.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub entry: NewEntry,
    /// When it was written.
    pub logged_at: Timestamp,
    /// Whether a person cancelled it.
    pub canceled: bool,
    /// A person's grade, 1 (very negative) to 5 (very positive).
    pub evaluation: Option<u8>,
    /// The opportunity that was made of it.
    pub opportunity_no: Option<String>,
    /// The reference that the host's own log answered, if it keeps one.
    pub host_reference: Option<String>,
    /// Comments of people, oldest first.
    pub comments: Vec<Comment>,
}

impl InteractionLogEntry {
    /// An entry as it stands right after its commit.
    pub fn written(entry_no: u64, entry: NewEntry, logged_at: Timestamp) -> Self {
        Self {
            entry_no,
            entry,
            logged_at,
            canceled: false,
            evaluation: None,
            opportunity_no: None,
            host_reference: None,
            comments: Vec::new(),
        }
    }

    /// Whether somebody made something of it: an opportunity, a grade or a comment. Nothing automatic cancels it then.
    pub fn is_worked_with(&self) -> bool {
        self.opportunity_no.is_some() || self.evaluation.is_some() || !self.comments.is_empty()
    }
}

/// A comment on an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Comment {
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it, in the host's terms.
    pub author: String,
    /// The text.
    pub text: String,
}

impl Comment {
    /// A comment.
    pub fn new(at: Timestamp, author: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            at,
            author: author.into(),
            text: text.into(),
        }
    }
}
