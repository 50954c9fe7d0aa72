//! How a failure of the transport becomes an error of this crate.

mod certificate;

use std::error::Error as StdError;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::guard::refusal;
use crate::error::{Error, ServerContext, codes};
use certificate::tls_error;

/// Turns a transport failure into a typed error; the address is taken out of its text.
pub(crate) fn transport_error(
    operation: &'static str,
    error: reqwest::Error,
    server: ServerContext,
) -> Error {
    if let Some(refused) = causes(&error).find_map(refusal) {
        return refused.error(operation).with_server(server);
    }
    let tls = causes(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls.cloned() {
        return tls_error(operation, &tls, error.without_url()).with_server(server);
    }
    let code = if error.is_connect() {
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

/// The error of a connection that did not come to stand.
#[cfg(feature = "ntlm")]
pub(super) fn connection_error(operation: &'static str, error: std::io::Error) -> Error {
    let tls = causes(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    match tls.cloned() {
        Some(tls) => tls_error(operation, &tls, error),
        None => Error::new(&codes::HTTP_CONNECT, operation).with_source(error),
    }
}

/// Whether the request cannot have reached the server.
pub(crate) fn never_sent(error: &Error) -> bool {
    error.code() == codes::HTTP_CONNECT.code
}

/// Whether the server could not prove who it is, or TLS failed in another way. Asking again soon changes nothing.
pub(crate) fn is_tls(error: &Error) -> bool {
    error.code().starts_with(codes::HTTP_TLS.code)
}

/// The server's clock (`Date`, RFC 9110, 6.6.1).
pub(crate) fn http_date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?.trim();
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(date.timestamp())
}

/// An error and its causes; an I/O error hides the error that it was made of from the usual chain.
fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn StdError + 'static)| {
        let error: &'e (dyn StdError + 'static) = *error;
        let inner = error.downcast_ref::<std::io::Error>();
        match inner.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}
