//! The one public error: a kind, a stable code, the operation, and what to do about it.
//!
//! Owns [`Error`], [`ErrorKind`] and the append-only table of [codes]. Knows nothing of the rooms that raise errors.
//! An error never carries mail content, addresses, secrets or a URL with its query: only codes, item ids and the
//! request ids that a server gave.

pub mod codes;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

pub use codes::Code;

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What a caller can do about an [`Error`], independent of who raised it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing or contradicts another one; a person must change it.
    Config,
    /// The credentials were refused.
    Unauthenticated,
    /// An administrator has to sign in again.
    ReauthRequired,
    /// Signed in, but a right is missing.
    PermissionDenied,
    /// The tenant or the server forbids this way of access.
    Blocked,
    /// A folder, mailbox or row does not exist.
    NotFound,
    /// The server asks to wait; see [`Error::retry_after`].
    Throttled,
    /// The server or the network is not available now.
    Unavailable,
    /// No answer in time; the effect is unknown.
    Timeout,
    /// The other side answered something that the protocol does not allow.
    Protocol,
    /// Input beyond a limit of this crate.
    LimitExceeded,
    /// Two writers met, or the data contradicts what is stored.
    Conflict,
    /// Another worker holds the mailbox now; nothing was written.
    LeaseLost,
    /// The store cannot be read or written; the run ends and nothing moves.
    StoreUnavailable,
    /// This source, store or directory cannot do that.
    Unsupported,
    /// The caller asked to stop.
    Cancelled,
    /// A broken promise inside this crate, to be reported.
    Internal,
}

/// An error of this crate.
///
/// `Display` is one short sentence without the source; [`std::error::Error::source`] carries the cause.
/// Decide on [`kind`](Self::kind) or [`code`](Self::code), never on the text.
pub struct Error(Box<Inner>);

struct Inner {
    code: &'static Code,
    operation: &'static str,
    detail: Option<Cow<'static, str>>,
    item: Option<String>,
    retry_after: Option<Duration>,
    server: Option<ServerContext>,
    source: Option<Source>,
}

/// What a server said about the request that failed, for its own support desk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerContext {
    /// HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The server's own code, such as an EWS ResponseCode.
    pub response_code: Option<String>,
    /// The client-request-id that we sent.
    pub client_request_id: Option<String>,
    /// The request-id that the server answered with.
    pub request_id: Option<String>,
    /// The front-end and back-end servers named in the answer.
    pub servers: Vec<String>,
    /// The authentication schemes that a 401 offered.
    pub offered_schemes: Vec<String>,
}

impl Error {
    /// An error with a code of the table, raised by an operation such as `GetItem` or `commit`.
    pub fn new(code: &'static Code, operation: &'static str) -> Self {
        Self(Box::new(Inner {
            code,
            operation,
            detail: None,
            item: None,
            retry_after: None,
            server: None,
            source: None,
        }))
    }

    /// Adds one clause that names what was found. It must hold no mail content, address or secret.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the id of the item that the error is about.
    #[must_use]
    pub fn with_item(mut self, item: impl Into<String>) -> Self {
        self.0.item = Some(item.into());
        self
    }

    /// Adds the time that the server asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Adds what the server said about the request.
    #[must_use]
    pub fn with_server(mut self, server: ServerContext) -> Self {
        self.0.server = Some(server);
        self
    }

    /// Adds the cause. Its text must hold no mail content, address or secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.code.kind
    }

    /// The line of the table that the error has its code from.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn row(&self) -> &'static Code {
        self.0.code
    }

    /// The stable code, such as `ews.xml_forbidden`; once published it keeps its meaning.
    pub fn code(&self) -> &'static str {
        self.0.code.code
    }

    /// What a person should do, in one sentence.
    pub fn remedy(&self) -> &'static str {
        self.0.code.remedy
    }

    /// The operation that failed, in the field's own term.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The clause that names what was found, if any.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The id of the item that the error is about, if there is one.
    pub fn item(&self) -> Option<&str> {
        self.0.item.as_deref()
    }

    /// How long the other side asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the server said about the request, if an answer came.
    pub fn server(&self) -> Option<&ServerContext> {
        self.0.server.as_ref()
    }

    /// Whether the same call may succeed later without a change by a person.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Timeout
        )
    }

    /// Whether a sign-in was refused: each further call would be one more wrong password.
    pub(crate) fn is_signed_out(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Unauthenticated | ErrorKind::ReauthRequired
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.operation, self.0.code.message)?;
        if let Some(detail) = &self.0.detail {
            write!(f, " ({detail})")?;
        }
        write!(f, " [{}]", self.0.code.code)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("code", &self.code())
            .field("operation", &self.0.operation)
            .field("detail", &self.0.detail)
            .field("item", &self.0.item)
            .field("retry_after", &self.0.retry_after)
            .field("server", &self.0.server)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_sign_in_is_told_from_trouble_that_passes_and_from_the_rest() {
        for (code, signed_out, transient) in [
            (&codes::HTTP_UNAUTHORIZED, true, false),
            (&codes::OAUTH_REAUTH, true, false),
            (&codes::HTTP_TIMEOUT, false, true),
            (&codes::HTTP_UNAVAILABLE, false, true),
            (&codes::CONFIG_MISSING, false, false),
        ] {
            let error = Error::new(code, "test");
            let found = (error.is_signed_out(), error.is_transient());
            assert_eq!(found, (signed_out, transient), "{error}");
        }
    }
}
