//! What can go wrong.

use std::time::Duration;

#[cfg(doc)]
use super::GraphFault;
use crate::testkit::exchange::ByHand;

/// What goes wrong.
///
/// The effect of the call happens unless a variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphFaultKind {
    /// HTTP 429 ApplicationThrottled, as over the limit of four requests at once. No effect.
    Throttled {
        /// The Retry-After header, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// Any OData error. No effect.
    Error {
        /// The status, such as 503.
        status: u16,
        /// The code, such as `serviceNotAvailable`.
        code: String,
        /// The Retry-After header, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// A bare HTTP status with an empty body. No effect.
    Http {
        /// The status, such as 504.
        status: u16,
        /// The Retry-After header, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// HTTP 401 in spite of a good token. No effect.
    Unauthorized,
    /// HTTP 401 that asks for more claims in `WWW-Authenticate`. No effect.
    ClaimsChallenge,
    /// The connection closes after the effect and before the answer.
    LoseReply,
    /// The connection closes before the effect.
    DropBefore,
    /// The connection closes after this many bytes of the answer's body.
    TruncateBody(usize),
    /// The answer is followed by this many bytes of blanks.
    OversizeBody(u64),
    /// The answer is no JSON: its last character is missing.
    InvalidJson,
    /// The answer is JSON whose `value`, `responses` or `id` is a number.
    WrongTypes,
    /// The answer is nested this deep.
    DeepJson(usize),
    /// A text of the answer holds bytes that are no UTF-8.
    InvalidUtf8,
    /// Objects of the answer hold members that nobody knows.
    UnknownMembers,
    /// Where this text stands alone in an answer, half a character follows it, as where Exchange cut a text.
    LoneSurrogate(String),
    /// Where this text stands alone in an answer, there is a number instead.
    OddField(String),
    /// An HTML page with status 200 instead of an answer. No effect.
    HtmlPage,
    /// HTTP 302 to this address. No effect.
    RedirectTo(String),
    /// One part of a batch fails with an OData error and has no effect.
    PartError {
        /// The place of the part in the batch, from 0.
        index: usize,
        /// The status of the part.
        status: u16,
        /// The code of the part.
        code: String,
        /// The Retry-After header of the part, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// The answer of a batch lacks this many parts at its end; their effects have happened.
    MissingParts(usize),
    /// The answer of a batch has its parts in the reverse order.
    ReversedParts,
    /// The answer of a batch has its first part twice.
    DuplicateParts,
    /// The first base64 body in the answer of a batch lacks its last character.
    DamagedBase64,
    /// A move that copies and does not remove the original.
    MoveLeavesOriginal,
    /// A list has each message twice.
    DuplicateItems,
    /// A list says that there is more, and that the next page begins where this one did.
    EndlessPaging,
    /// A list says that its next page is at this address.
    NextLinkTo(String),
    /// HTTP 410 SyncStateNotFound for a token of changes. No effect.
    SyncStateGone,
    /// A person interferes just before the call.
    ByHand(ByHand),
    /// The server waits before it begins.
    Delay(Duration),
}

impl GraphFaultKind {
    /// The name of the variant, as in the report of faults that fired.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "Throttled",
            Self::Error { .. } => "Error",
            Self::Http { .. } => "Http",
            Self::Unauthorized => "Unauthorized",
            Self::ClaimsChallenge => "ClaimsChallenge",
            Self::LoseReply => "LoseReply",
            Self::DropBefore => "DropBefore",
            Self::TruncateBody(_) => "TruncateBody",
            Self::OversizeBody(_) => "OversizeBody",
            Self::InvalidJson => "InvalidJson",
            Self::WrongTypes => "WrongTypes",
            Self::DeepJson(_) => "DeepJson",
            Self::InvalidUtf8 => "InvalidUtf8",
            Self::UnknownMembers => "UnknownMembers",
            Self::LoneSurrogate(_) => "LoneSurrogate",
            Self::OddField(_) => "OddField",
            Self::HtmlPage => "HtmlPage",
            Self::RedirectTo(_) => "RedirectTo",
            Self::PartError { .. } => "PartError",
            Self::MissingParts(_) => "MissingParts",
            Self::ReversedParts => "ReversedParts",
            Self::DuplicateParts => "DuplicateParts",
            Self::DamagedBase64 => "DamagedBase64",
            Self::MoveLeavesOriginal => "MoveLeavesOriginal",
            Self::DuplicateItems => "DuplicateItems",
            Self::EndlessPaging => "EndlessPaging",
            Self::NextLinkTo(_) => "NextLinkTo",
            Self::SyncStateGone => "SyncStateGone",
            Self::ByHand(_) => "ByHand",
            Self::Delay(_) => "Delay",
        }
    }
}
