//! Faults: what goes wrong, at which call, and which of them have happened.

mod plan;
mod wire;

use std::time::Duration;

use super::operation::Operation;

pub(crate) use self::plan::{FaultPlan, Firing};
pub(crate) use self::wire::{html_page, spoil};

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
            Self::Delay(_) => "Delay",
        }
    }
}

/// A fault and the calls at which it happens: by itself the next call, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    operation: Option<Operation>,
    item: Option<String>,
    first_call: u64,
    times: Option<u64>,
}

impl Fault {
    /// A fault at the next call of any operation, once.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation: None,
            item: None,
            first_call: 1,
            times: Some(1),
        }
    }

    /// Lets only calls of this operation count.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Lets only calls that name this item count; [`FaultKind::ItemError`] then strikes this item.
    #[must_use]
    pub fn for_item(mut self, item_id: impl Into<String>) -> Self {
        self.item = Some(item_id.into());
        self
    }

    /// Starts at the n-th call that counts, from 1, after the fault was given to the server.
    #[must_use]
    pub fn at_call(mut self, call: u64) -> Self {
        self.first_call = call;
        self
    }

    /// Happens at this many calls in a row.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Happens at every call from the first on.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }
}

/// A fault that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FiredFault {
    /// What went wrong.
    pub kind: FaultKind,
    /// In a call of which operation.
    pub operation: Operation,
    /// The number of that call among the calls of the operation, from 1.
    pub call: u64,
}
