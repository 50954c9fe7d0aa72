//! How a failure of the transport becomes an error of this crate.

use std::error::Error as StdError;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::error::{Error, ServerContext, codes};

/// Turns a transport failure into a typed error; the address is taken out of its text.
pub(crate) fn transport_error(
    operation: &'static str,
    error: reqwest::Error,
    server: ServerContext,
) -> Error {
    let code = if has_tls_cause(&error) {
        &codes::HTTP_TLS
    } else if error.is_connect() {
        &codes::HTTP_CONNECT
    } else if error.is_timeout() {
        &codes::HTTP_TIMEOUT
    } else {
        &codes::HTTP_CLOSED
    };
    Error::new(code, operation)
        .with_server(server)
        .with_source(error.without_url())
}

/// Whether the request cannot have reached the server.
pub(crate) fn never_sent(error: &Error) -> bool {
    error.code() == codes::HTTP_CONNECT.code
}

/// The time in `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(until.duration_since(now)).ok()
}

/// Looks through the causes; an I/O error hides the error that it was made of from the usual chain.
pub(super) fn has_tls_cause(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| has_tls_cause(inner)) {
            return true;
        }
        cause = error.source();
    }
    false
}
