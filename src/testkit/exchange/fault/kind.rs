//! What can go wrong.

use std::time::Duration;

use super::ByHand;
#[cfg(doc)]
use super::Fault;

/// What goes wrong.
///
/// The effect of the call happens unless a variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// HTTP 500 with a SOAP fault ErrorServerBusy that names a back-off. No effect.
    ServerBusy {
        /// How long the client must be silent.
        back_off: Duration,
    },
    /// HTTP 200 whose response messages say ErrorInternalServerError, with
    /// InnerErrorResponseCode ErrorServerBusy inside. No effect.
    ServerBusyInside {
        /// How long the client must be silent.
        back_off: Duration,
    },
    /// Any SOAP fault, with HTTP 500. No effect.
    SoapFault {
        /// The response code, such as `ErrorMailboxMoveInProgress`.
        code: String,
    },
    /// A bare HTTP status with an empty body. No effect.
    Http {
        /// The status, such as 503.
        status: u16,
        /// The Retry-After header, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// The connection closes after the effect and before the answer.
    LoseReply,
    /// The connection closes before the effect.
    DropBefore,
    /// The connection closes after this many bytes of the answer's body.
    TruncateBody(usize),
    /// The answer is followed, inside its envelope, by this many bytes of blanks.
    OversizeBody(u64),
    /// The messages namespace of the answer is another one.
    WrongNamespace,
    /// The answer begins with a document type declaration.
    DoctypeBody,
    /// The answer holds elements nested this deep.
    NestedElements(usize),
    /// An HTML page with status 200 instead of an answer. No effect.
    HtmlPage,
    /// HTTP 302 to this address. No effect.
    RedirectTo(String),
    /// HTTP 401 in spite of good credentials. No effect.
    Unauthorized,
    /// One item of a batch fails and is not touched.
    ItemError {
        /// The place of the item in the request, from 0; see also [`Fault::for_item`].
        index: usize,
        /// The response code, such as `ErrorItemNotFound`.
        code: String,
    },
    /// The batch stops after this many items; the rest is untouched and warns with
    /// ErrorBatchProcessingStopped.
    BatchStopped {
        /// How many items are done.
        after: usize,
    },
    /// The answer lacks this many response messages at its end; their items are untouched.
    MissingAnswers(usize),
    /// A move that copies and does not remove the original.
    MoveLeavesOriginal,
    /// A move that works and does not tell the new ids.
    MoveWithoutNewId,
    /// The first subject of the answer holds `&#x0;`, which XML forbids.
    IllegalCharacterReference,
    /// An HTML page follows the end of the envelope.
    TextAfterEnvelope,
    /// A text of the answer holds bytes that are no UTF-8.
    InvalidUtf8,
    /// The first MIME content of the answer lacks its last character.
    DamagedBase64,
    /// Items of the answer hold elements that no schema knows.
    UnknownElements,
    /// The answer has no SOAP header.
    MissingHeader,
    /// The answer binds other prefixes to the same namespaces.
    OtherPrefixes,
    /// The status of the answer, or of the fault that stands instead of it, is another one.
    Status(u16),
    /// FindItem lists each item twice.
    DuplicateItems,
    /// FindItem says that there is more, and that the next page begins where this one did.
    EndlessPaging,
    /// A person interferes just before the call.
    ByHand(ByHand),
    /// The server waits before it begins.
    Delay(Duration),
}

impl FaultKind {
    /// The name of the variant, as in the report of faults that fired.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ServerBusy { .. } => "ServerBusy",
            Self::ServerBusyInside { .. } => "ServerBusyInside",
            Self::SoapFault { .. } => "SoapFault",
            Self::Http { .. } => "Http",
            Self::LoseReply => "LoseReply",
            Self::DropBefore => "DropBefore",
            Self::TruncateBody(_) => "TruncateBody",
            Self::OversizeBody(_) => "OversizeBody",
            Self::WrongNamespace => "WrongNamespace",
            Self::DoctypeBody => "DoctypeBody",
            Self::NestedElements(_) => "NestedElements",
            Self::HtmlPage => "HtmlPage",
            Self::RedirectTo(_) => "RedirectTo",
            Self::Unauthorized => "Unauthorized",
            Self::ItemError { .. } => "ItemError",
            Self::BatchStopped { .. } => "BatchStopped",
            Self::MissingAnswers(_) => "MissingAnswers",
            Self::MoveLeavesOriginal => "MoveLeavesOriginal",
            Self::MoveWithoutNewId => "MoveWithoutNewId",
            Self::IllegalCharacterReference => "IllegalCharacterReference",
            Self::TextAfterEnvelope => "TextAfterEnvelope",
            Self::InvalidUtf8 => "InvalidUtf8",
            Self::DamagedBase64 => "DamagedBase64",
            Self::UnknownElements => "UnknownElements",
            Self::MissingHeader => "MissingHeader",
            Self::OtherPrefixes => "OtherPrefixes",
            Self::Status(_) => "Status",
            Self::DuplicateItems => "DuplicateItems",
            Self::EndlessPaging => "EndlessPaging",
            Self::ByHand(_) => "ByHand",
            Self::Delay(_) => "Delay",
        }
    }
}
