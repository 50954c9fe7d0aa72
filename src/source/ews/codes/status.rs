//! What an HTTP status means where the body is no SOAP: the one table.
//!
//! Owns the sorting of 100 to 599. Knows nothing of headers, which may say more. Sources: RFC 9110, section 15, and, for 440
//! and 456, Microsoft's pages on IIS and on Exchange Online. A status that is not listed counts as the first of its hundred
//! (RFC 9110, section 15).

/// What a status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::ews) enum Status {
    /// The request went well, and the answer is none of Exchange's.
    NotSoap,
    /// The answer is elsewhere.
    Redirect,
    /// The credentials were refused.
    Unauthorized,
    /// The access is forbidden.
    Forbidden,
    /// The server wants to be left alone; nothing was done.
    Throttled,
    /// The account is locked.
    Locked,
    /// The server could not now; what was done is not known.
    Unavailable,
    /// As `Unavailable`; nothing was done where a time is named, which then comes from Exchange and not from a proxy.
    Overloaded,
    /// Nothing that may come from Exchange.
    Unexpected,
}

impl Status {
    /// What this status means.
    pub(in crate::source::ews) fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::NotSoap,
            300..=399 => Self::Redirect,
            401 | 440 => Self::Unauthorized,
            403 => Self::Forbidden,
            429 => Self::Throttled,
            456 => Self::Locked,
            503 => Self::Overloaded,
            // Not implemented, version not supported, negotiation, loop, extension, sign-in to the network.
            501 | 505 | 506 | 508 | 510 | 511 => Self::Unexpected,
            408 | 500..=599 => Self::Unavailable,
            _ => Self::Unexpected,
        }
    }

    /// Whether `Retry-After` counts: the server cannot now.
    pub(in crate::source::ews) fn may_name_a_time(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Overloaded)
    }
}
