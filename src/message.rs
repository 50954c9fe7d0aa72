//! What a mail is to us: addresses, dates, signals and the identity of its content.
//!
//! Pure data and pure functions. Only `mime` knows the MIME parser; nothing here does I/O or knows
//! where a mail came from. Matching uses [`Address`] alone: never a display name, never a decoded
//! encoded-word.

mod address;
mod authenticity;
mod class;
mod content;
mod facts;
mod from_facts;
mod identity;
mod limits;
mod mime;

use jiff::Timestamp;

pub use address::{Address, MailAddress, Mailbox, UnusableAddress};
pub use authenticity::{AuthAs, AuthenticationResults, AuthenticityStamp, MethodResult, StampSays};
pub use content::{Attachment, MessageContent};
pub use facts::{FactAddress, MailFacts};
pub use identity::{CanonicalDigest, ContentIdentity, FastKey, OriginalDigest};
pub use limits::MessageLimits;
pub use mime::MessageReader;
pub(crate) use mime::{
    Disposition, Original, OriginalPart, PartShape, clean_file_name, markup_to_text,
};

/// One mail as the decision sees it.
///
/// Built by [`MessageReader`] from the original bytes and the server's facts, or by hand in a
/// host's tests.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The authors (RFC 5322 `From`). More than one address is an ambiguity, not a choice.
    pub from: Vec<Mailbox>,
    /// Who submitted it for the author (RFC 5322 `Sender`), if it differs.
    pub sender: Option<Mailbox>,
    /// Where answers go. Never used for a match.
    pub reply_to: Vec<Mailbox>,
    /// The primary recipients, in order, repetitions kept.
    pub to: Vec<Mailbox>,
    /// The copied recipients, in order, repetitions kept.
    pub cc: Vec<Mailbox>,
    /// The blind recipients, where a copy or a journal envelope names them.
    pub bcc: Vec<Mailbox>,
    /// The Message-ID without its angle brackets, at most 998 bytes.
    pub message_id: Option<String>,
    /// The ids of `In-Reply-To`, without brackets.
    pub in_reply_to: Vec<String>,
    /// The ids of `References`, oldest first, without brackets.
    pub references: Vec<String>,
    /// The whole subject, decoded and unfolded.
    pub subject: String,
    /// When it was sent: the server's word, else the `Date` header.
    pub sent: Option<Timestamp>,
    /// When the server received it.
    pub received: Option<Timestamp>,
    /// How private its author calls it.
    pub sensitivity: Sensitivity,
    /// What kind of item it is.
    pub class: ItemClass,
    /// Signs that a machine or a list sent it, sorted, each once.
    pub signals: Vec<Signal>,
    /// What was odd about the input, sorted, each once.
    pub flags: Vec<MessageFlag>,
    /// What the configured boundary says about the sender, where a host knows it by itself; else unknown, and the policy
    /// judges the stamps.
    pub authenticity: Authenticity,
    /// What mail systems stamped on it about the sender, the topmost first; at most 64. Nothing here is believed yet.
    pub stamps: Vec<AuthenticityStamp>,
    /// A link that opens the mail in the mail system while it lies where it was read.
    pub web_link: Option<String>,
    /// The identity of its content.
    pub identity: ContentIdentity,
}

impl Message {
    /// An empty message with this identity; fill the fields that matter.
    pub fn new(identity: ContentIdentity) -> Self {
        Self {
            from: Vec::new(),
            sender: None,
            reply_to: Vec::new(),
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            message_id: None,
            in_reply_to: Vec::new(),
            references: Vec::new(),
            subject: String::new(),
            sent: None,
            received: None,
            sensitivity: Sensitivity::Normal,
            class: ItemClass::Mail,
            signals: Vec::new(),
            flags: Vec::new(),
            authenticity: Authenticity::Unknown,
            stamps: Vec::new(),
            web_link: None,
            identity,
        }
    }

    /// Every address that a match may use: senders and recipients, sorted, each once.
    pub fn addresses(&self) -> Vec<Address> {
        let lists = [&self.from, &self.to, &self.cc, &self.bcc];
        let mut addresses: Vec<Address> = lists
            .into_iter()
            .flatten()
            .chain(&self.sender)
            .filter_map(|mailbox| mailbox.address.smtp().cloned())
            .collect();
        addresses.sort();
        addresses.dedup();
        addresses
    }
}

/// How private the author calls a mail (RFC 2156 `Sensitivity`, EWS `item:Sensitivity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Sensitivity {
    /// Nothing was said.
    #[default]
    Normal,
    /// `Personal`.
    Personal,
    /// `Private`.
    Private,
    /// `Company-Confidential`, in EWS `Confidential`.
    Confidential,
}

/// What kind of item it is, from Exchange's item class, else from the MIME type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ItemClass {
    /// `IPM.Note` and whatever has no class of its own.
    Mail,
    /// `IPM.Note.SMIME`, `application/pkcs7-mime`: signed or encrypted as a whole.
    SmimeOpaque,
    /// `IPM.Note.SMIME.MultipartSigned`, `multipart/signed`.
    SmimeSigned,
    /// `IPM.Schedule.Meeting.Request`.
    MeetingRequest,
    /// `IPM.Schedule.Meeting.Resp.*`.
    MeetingResponse,
    /// `IPM.Schedule.Meeting.Canceled`.
    MeetingCancellation,
    /// `REPORT.*.NDR`, `REPORT.*.DR`: a delivery status (RFC 3464).
    DeliveryReport,
    /// `REPORT.*.IPNRN`, `REPORT.*.IPNNRN`: a read receipt (RFC 8098).
    ReadReceipt,
    /// `IPM.Outlook.Recall`: the request to take a mail back.
    Recall,
    /// `IPM.Recall.Report.*`: what became of a recall.
    RecallReport,
    /// `IPM.Note.Rules.OofTemplate.*` and its like: an out-of-office answer.
    OutOfOffice,
    /// `IPM.Sharing`.
    Sharing,
    /// `IPM.Post`.
    Post,
    /// Anything else: tasks, contacts, appointments, forms.
    Other,
}

/// A sign that a machine or a list sent the mail. Signs are flags for views; what they cause is the
/// policy's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Signal {
    /// `Auto-Submitted: auto-replied` (RFC 3834), an out-of-office item class, or what older responders
    /// add: `X-Autoreply`, `X-Autorespond`, `Precedence: auto_reply`.
    AutomaticReply,
    /// `Auto-Submitted: auto-generated` or any other value but `no` (RFC 3834).
    AutomaticMessage,
    /// `Precedence: bulk` or `junk`.
    Bulk,
    /// `List-Id` or another `List-*` header (RFC 2369, RFC 2919), or `Precedence: list`.
    MailingList,
}

/// What was odd about the input. A flag never changes which bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum MessageFlag {
    /// Several `From` headers.
    SeveralFromHeaders,
    /// MIME and the server's facts name different senders.
    SenderDisagreement,
    /// No `Date`, or one that cannot be read; the server's time counts.
    DateMissing,
    /// A `Date` that cannot be meant: before 1970, or more than a day after the mail was received;
    /// the server's time counts.
    DateImplausible,
    /// No Message-ID in the original, even if the server has given it one.
    MessageIdMissing,
    /// A Message-ID longer than 998 bytes; it is not used.
    MessageIdUnusable,
    /// An address that was not usable as an addr-spec and took no part in the match.
    AddressUnusable,
    /// An Exchange (X.500) address that could not be resolved.
    ExchangeAddressUnresolved,
    /// Groups nested deeper than 3, or comments deeper than 100: the addresses in them were left out of
    /// the match.
    AddressLimit,
    /// Parts beyond the limits of depth or number were left to the original.
    PartLimit,
    /// More `Received` headers than the limit: probably a mail loop.
    LoopSuspected,
    /// Headers with raw bytes outside ASCII in an unknown charset.
    HeaderCharset,
    /// Content that could not be decoded; the original has it.
    DamagedContent,
    /// The journal report around it was taken off.
    JournalUnwrapped,
    /// A journal report that could not be taken off.
    JournalUnreadable,
    /// Encrypted or signed as a whole (S/MIME), or `winmail.dat` (TNEF): kept, not opened.
    OpaqueContent,
    /// `message/partial` or `message/external-body`: kept, nothing is fetched.
    IncompleteByDesign,
    /// The server could not render the MIME; logged from its properties.
    OriginalMissing,
    /// More distinct addresses than the limit; those beyond it were left out of the match.
    TooManyAddresses,
    /// No header at all: whatever it is, it is no mail.
    HeaderMissing,
    /// The header block, one header or their number is beyond a limit; what comes after it was not read.
    HeaderLimit,
}

/// What the configured boundary says about the sender's authenticity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Authenticity {
    /// No boundary is configured, or it said nothing.
    #[default]
    Unknown,
    /// The boundary calls it internal.
    Internal,
    /// The boundary verified it.
    Passed,
    /// The boundary found it forged.
    Failed,
}

macro_rules! codes {
    ($type:ident { $($variant:ident => $code:literal,)* }) => {
        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable short text that stands in stores, events and `--json`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The value with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use codes;

codes!(Sensitivity {
    Normal => "normal",
    Personal => "personal",
    Private => "private",
    Confidential => "confidential",
});
codes!(ItemClass {
    Mail => "mail",
    SmimeOpaque => "smime-opaque",
    SmimeSigned => "smime-signed",
    MeetingRequest => "meeting-request",
    MeetingResponse => "meeting-response",
    MeetingCancellation => "meeting-cancellation",
    DeliveryReport => "delivery-report",
    ReadReceipt => "read-receipt",
    Recall => "recall",
    RecallReport => "recall-report",
    OutOfOffice => "out-of-office",
    Sharing => "sharing",
    Post => "post",
    Other => "other",
});
codes!(Signal {
    AutomaticReply => "automatic-reply",
    AutomaticMessage => "automatic-message",
    Bulk => "bulk",
    MailingList => "mailing-list",
});
codes!(MessageFlag {
    SeveralFromHeaders => "several-from-headers",
    SenderDisagreement => "sender-disagreement",
    DateMissing => "date-missing",
    DateImplausible => "date-implausible",
    MessageIdMissing => "message-id-missing",
    MessageIdUnusable => "message-id-unusable",
    AddressUnusable => "address-unusable",
    ExchangeAddressUnresolved => "exchange-address-unresolved",
    AddressLimit => "address-limit",
    PartLimit => "part-limit",
    LoopSuspected => "loop-suspected",
    HeaderCharset => "header-charset",
    DamagedContent => "damaged-content",
    JournalUnwrapped => "journal-unwrapped",
    JournalUnreadable => "journal-unreadable",
    OpaqueContent => "opaque-content",
    IncompleteByDesign => "incomplete-by-design",
    OriginalMissing => "original-missing",
    TooManyAddresses => "too-many-addresses",
    HeaderMissing => "header-missing",
    HeaderLimit => "header-limit",
});
codes!(Authenticity {
    Unknown => "unknown",
    Internal => "internal",
    Passed => "passed",
    Failed => "failed",
});
