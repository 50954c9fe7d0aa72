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

fn has_tls_cause(error: &reqwest::Error) -> bool {
    std::iter::successors(Some(error as &(dyn StdError + 'static)), |error| {
        cause_of(*error)
    })
    .any(|error| error.is::<rustls::Error>())
}

/// The next cause. An I/O error may wrap another one, which its `source` passes over.
fn cause_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<std::io::Error>() {
        Some(error) => error
            .get_ref()
            .map(|inner| inner as &(dyn StdError + 'static)),
        None => error.source(),
    }
}
