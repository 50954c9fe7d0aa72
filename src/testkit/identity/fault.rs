//! Faults: what goes wrong, and at which request.

use std::time::Duration;

use super::endpoint::Endpoint;
use super::failure::Failure;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityFaultKind {
    /// A bare HTTP status with an empty body, such as 500, or 429 with Retry-After. No effect.
    Http {
        /// The status.
        status: u16,
        /// The Retry-After header, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// A refusal with its `error` and its AADSTS number. No effect.
    Refuse {
        /// Such as `invalid_grant` or `temporarily_unavailable`.
        error: String,
        /// Such as 50173.
        number: u32,
    },
    /// The connection closes after the effect and before the answer.
    LoseReply,
    /// The connection closes before the effect.
    DropBefore,
    /// The answer comes late by this much real time.
    Delay(Duration),
    /// An HTML page with status 200 instead of an answer. No effect.
    HtmlPage,
    /// HTTP 307 to this address. No effect.
    RedirectTo(String),
}

/// A fault and the requests at which it happens: by itself the next one, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFault {
    pub(super) kind: IdentityFaultKind,
    endpoint: Option<Endpoint>,
    first_call: u64,
    times: Option<u64>,
}

impl IdentityFault {
    /// A fault at the next request to any endpoint, once.
    pub fn new(kind: IdentityFaultKind) -> Self {
        Self {
            kind,
            endpoint: None,
            first_call: 1,
            times: Some(1),
        }
    }

    /// Lets only requests to this endpoint count.
    #[must_use]
    pub fn on(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Starts at the n-th request that counts, from 1, after the fault was given to the provider.
    #[must_use]
    pub fn at_call(mut self, call: u64) -> Self {
        self.first_call = call;
        self
    }

    /// Happens at this many requests in a row.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Happens at every request from the first on.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }
}

impl IdentityFaultKind {
    pub(super) fn refusal(&self) -> Option<Failure> {
        match self {
            Self::Refuse { error, number } => Some(Failure::new(
                error,
                *number,
                "The request was refused on demand.",
            )),
            _ => None,
        }
    }
}

/// Faults that were ordered, each with the requests that it has counted.
#[derive(Default)]
pub(super) struct FaultPlan(Vec<(IdentityFault, u64)>);

impl FaultPlan {
    pub(super) fn order(&mut self, fault: IdentityFault) {
        self.0.push((fault, 0));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts a request and answers the faults that it meets.
    pub(super) fn meet(&mut self, endpoint: Endpoint) -> Vec<IdentityFaultKind> {
        let mut met = Vec::new();
        for (fault, seen) in &mut self.0 {
            if fault.endpoint.is_some_and(|wanted| wanted != endpoint) {
                continue;
            }
            *seen += 1;
            let since = seen.checked_sub(fault.first_call);
            if since.is_some_and(|since| fault.times.is_none_or(|times| since < times)) {
                met.push(fault.kind.clone());
            }
        }
        met
    }
}
