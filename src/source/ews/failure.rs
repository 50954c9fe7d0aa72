//! Why an attempt failed and what may be done about it.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, LOCATION};

use super::answer::Fault;
use super::codes::{Class, says_blocked, token_code};
use crate::error::{Code, Error, ErrorKind, ServerContext, codes};
use crate::http::{is_tls, never_sent, retry_after};

/// One failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    /// The error that the caller gets if nothing helps.
    pub(super) error: Error,
    /// What may help.
    pub(super) remedy: Remedy,
}

/// What may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing.
    None,
    /// An older schema version.
    OlderVersion,
    /// New credentials.
    SignIn,
    /// The server did nothing and wants to be left alone, for a time that it may have named.
    Wait(Option<Duration>),
    /// Asking again, if the request changes nothing: what was done is not known.
    Repeat,
}

impl Failure {
    /// A failure that nothing helps.
    pub(super) fn lasting(error: Error) -> Self {
        Self {
            error,
            remedy: Remedy::None,
        }
    }

    /// A failure of the transport or of reading the answer.
    pub(super) fn of_transport(error: Error) -> Self {
        let remedy = if never_sent(&error) {
            Remedy::Wait(None)
        } else if error.is_transient() && !is_tls(&error) {
            Remedy::Repeat
        } else {
            Remedy::None
        };
        Self { error, remedy }
    }

    /// A SOAP fault.
    pub(super) fn of_fault(fault: &Fault, operation: &'static str) -> Self {
        let error = fault.error(operation);
        match fault.class() {
            Class::Busy => Self::busy(error, fault.back_off),
            Class::Version => Self {
                error,
                remedy: Remedy::OlderVersion,
            },
            Class::Transient | Class::Unknown => Self {
                error: waiting(error, fault.back_off),
                remedy: Remedy::Repeat,
            },
            _ => Self::lasting(waiting(error, fault.back_off)),
        }
    }

    /// A wish to be left alone; zero is no time.
    pub(super) fn busy(error: Error, wait: Option<Duration>) -> Self {
        let wait = wait.filter(|wait| !wait.is_zero());
        Self {
            error: waiting(error, wait),
            remedy: Remedy::Wait(wait),
        }
    }
}

/// An error with the time that the server wants to be left alone.
fn waiting(error: Error, wait: Option<Duration>) -> Error {
    match wait.filter(|wait| !wait.is_zero()) {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    }
}

/// What an HTTP status means where the body is no SOAP.
pub(super) struct StatusReading<'a> {
    /// The operation that was asked.
    pub(super) operation: &'static str,
    /// The answer's headers.
    pub(super) headers: &'a HeaderMap,
    /// What to say about the server.
    pub(super) server: ServerContext,
    /// Whether the server is Exchange Online.
    pub(super) online: bool,
    /// The time at which a date is in the future.
    pub(super) now: Timestamp,
}

impl StatusReading<'_> {
    /// Reads the status.
    pub(super) fn failure(&self, status: u16) -> Failure {
        let lasting = |code| Failure::lasting(self.error(code));
        match status {
            200..=299 => lasting(&codes::EWS_NOT_SOAP),
            300..=399 if self.is_error_page() => self.repeat(&codes::HTTP_UNAVAILABLE),
            300..=399 => lasting(&codes::HTTP_REDIRECT),
            401 | 403 if self.is_said_blocked() => lasting(&codes::EWS_BLOCKED),
            401 => self.unauthorized(),
            403 if self.of_token().is_some() => self.unauthorized(),
            403 if self.online && self.is_of_exchange() => lasting(&codes::EWS_BLOCKED),
            403 if self.online => Failure::lasting(self.error(&codes::HTTP_FORBIDDEN).with_detail(
                "no word of Exchange: a firewall may stand between, or EWS be blocked",
            )),
            403 => lasting(&codes::HTTP_FORBIDDEN),
            429 => Failure::busy(self.error(&codes::HTTP_THROTTLED), self.retry_after()),
            456 => lasting(&codes::HTTP_ACCOUNT_LOCKED),
            503 if self.retry_after().is_some() => {
                Failure::busy(self.error(&codes::HTTP_UNAVAILABLE), self.retry_after())
            }
            // Also 503 without a time, which may be a proxy's that lost the answer.
            408 | 500 | 502..=504 => self.repeat(&codes::HTTP_UNAVAILABLE),
            _ => Failure::lasting(
                self.error(&codes::HTTP_STATUS)
                    .with_detail(format!("status {status}")),
            ),
        }
    }

    /// An answer without a body, which a server that is out of order sends.
    pub(super) fn empty(&self) -> Failure {
        let error = self
            .error(&codes::HTTP_CLOSED)
            .with_detail("the answer is empty");
        Failure {
            error,
            remedy: Remedy::Repeat,
        }
    }

    /// A refusal of the schema version that is no SOAP.
    pub(super) fn older_version(&self) -> Failure {
        Failure {
            error: self.error(&codes::EWS_VERSION),
            remedy: Remedy::OlderVersion,
        }
    }

    /// The time in `Retry-After`, where the status is one of a server that cannot now.
    pub(super) fn wish(&self, status: u16) -> Option<Duration> {
        let cannot_now = matches!(status, 429 | 500 | 502..=504);
        self.retry_after().filter(|_| cannot_now)
    }

    /// The time in `Retry-After`.
    fn retry_after(&self) -> Option<Duration> {
        retry_after(self.headers, self.now)
    }

    fn error(&self, code: &'static Code) -> Error {
        Error::new(code, self.operation).with_server(self.server.clone())
    }

    fn repeat(&self, code: &'static Code) -> Failure {
        Failure {
            error: self.error(code),
            remedy: Remedy::Repeat,
        }
    }

    /// Whether the server's own words say that this way of access is switched off. A new token would not help.
    fn is_said_blocked(&self) -> bool {
        let text = self.headers.get("x-ms-diagnostics");
        text.and_then(|text| text.to_str().ok())
            .is_some_and(says_blocked)
    }

    /// Whether Exchange answered, and not something that stands before it.
    fn is_of_exchange(&self) -> bool {
        let server = &self.server;
        server.response_code.is_some() || server.request_id.is_some() || !server.servers.is_empty()
    }

    /// What Exchange's number says about the token.
    fn of_token(&self) -> Option<&'static Code> {
        self.server.response_code.as_deref().and_then(token_code)
    }

    fn unauthorized(&self) -> Failure {
        let code = self.of_token();
        let error = self.error(code.unwrap_or(&codes::HTTP_UNAUTHORIZED));
        let offered = &self.server.offered_schemes;
        let error = match &self.server.response_code {
            Some(said) if code.is_some() => error.with_detail(said.clone()),
            _ if offered.is_empty() => error.with_detail("the server offers no scheme"),
            _ => error.with_detail(format!("the server offers {}", offered.join(", "))),
        };
        let remedy = match code {
            Some(code) if code.kind == ErrorKind::Unavailable => Remedy::Repeat,
            _ => Remedy::SignIn,
        };
        Failure { error, remedy }
    }

    /// Exchange redirects to this page when it is out of order for the moment.
    fn is_error_page(&self) -> bool {
        let location = self
            .headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        location.is_some_and(|text| text.to_ascii_lowercase().contains("/genericerrorpage.htm"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_refusal_is_a_block_only_where_exchange_online_itself_says_it() {
        let bare = ServerContext::default();
        let said = ServerContext {
            servers: vec!["FRAP".to_owned()],
            ..ServerContext::default()
        };
        for (server, online, code) in [
            (&bare, true, "http.forbidden"),
            (&said, true, "ews.blocked"),
            (&bare, false, "http.forbidden"),
            (&said, false, "http.forbidden"),
        ] {
            let reading = StatusReading {
                operation: "FindItem",
                headers: &HeaderMap::new(),
                server: server.clone(),
                online,
                now: Timestamp::UNIX_EPOCH,
            };
            let error = reading.failure(403).error;
            assert_eq!(error.code(), code, "{server:?} {online}");
            let hint = online && code == "http.forbidden";
            assert_eq!(error.detail().is_some(), hint);
        }
    }
}
