//! Why an attempt failed and what may be done about it.

use std::time::Duration;

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use super::codes::{Chance, Class};
use crate::error::{Error, ServerContext, codes};
use crate::http::{is_tls, never_sent};

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

    /// A failure of the transport.
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

    /// A code that answers the whole request.
    pub(super) fn of_class(
        class: Class,
        error: Error,
        wait: Option<Duration>,
        headers: &HeaderMap,
    ) -> Self {
        let remedy = match class.chance() {
            Chance::Wait => Remedy::Wait(wait),
            Chance::Repeat => Remedy::Repeat,
            Chance::None if class == Class::SignIn => Remedy::SignIn,
            Chance::None => Remedy::None,
        };
        let error = if class == Class::SignIn && wants_claims(headers) {
            claims_wanted(&error)
        } else {
            error
        };
        Self { error, remedy }
    }
}

/// What an answer without a code says.
pub(super) fn of_status(
    operation: &'static str,
    status: u16,
    server: ServerContext,
    wait: Option<Duration>,
    headers: &HeaderMap,
) -> Failure {
    let class = Class::of_status(status);
    let (class, code) = match (status, class) {
        (503, _) if wait.is_some() => (Class::Busy, &codes::HTTP_UNAVAILABLE),
        (429 | 509, _) => (Class::Busy, &codes::HTTP_THROTTLED),
        (401 | 440, _) => (Class::SignIn, &codes::HTTP_UNAUTHORIZED),
        (403, _) => (Class::Denied, &codes::HTTP_FORBIDDEN),
        (_, Class::Transient) => (Class::Transient, &codes::HTTP_UNAVAILABLE),
        // A 404 without a word of Graph's is a gateway's, or an address that is none of Graph's.
        _ => (Class::Refused, &codes::HTTP_STATUS),
    };
    let error = Error::new(code, operation).with_server(server);
    let error = if code.code == codes::HTTP_STATUS.code {
        error.with_detail(format!("status {status}"))
    } else {
        error
    };
    Failure::of_class(class, error, wait, headers)
}

/// Whether a refusal wants claims that the token has not (Microsoft identity platform, "claims challenge").
fn wants_claims(headers: &HeaderMap) -> bool {
    let mut offers = headers.get_all(WWW_AUTHENTICATE).into_iter();
    offers.any(|offer| {
        let offer = offer.to_str().unwrap_or_default();
        offer.contains("insufficient_claims") || offer.contains("claims=")
    })
}

fn claims_wanted(error: &Error) -> Error {
    let wanted = Error::new(&codes::OAUTH_CONDITIONAL_ACCESS, error.operation());
    match error.server() {
        Some(server) => wanted.with_server(server.clone()),
        None => wanted,
    }
}
