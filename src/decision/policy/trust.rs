//! Whose word about the sender is believed.

use std::collections::BTreeSet;

use crate::message::{
    AuthAs, AuthenticationResults, Authenticity, AuthenticityStamp, Message, MethodResult,
    StampSays,
};

use super::LoggingPolicy;

/// Hosts that Exchange Online names as `AuthSource`, by what they end in.
const EXCHANGE_ONLINE: [&str; 4] = [
    ".prod.outlook.com",
    ".protection.outlook.com",
    ".partner.outlook.cn",
    ".office365.us",
];

/// Whose word about the sender is believed.
///
/// The default believes nobody: every sender is [`Authenticity::Unknown`], which is logged and flagged. Configure only a
/// boundary that every mail from outside passes and that takes off what others stamped in its name (RFC 8601 5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(default, rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct TrustPolicy {
    /// Whose `Authentication-Results` count; default nobody's.
    pub boundary: Option<Boundary>,
    /// The servers, in lower case, whose `X-MS-Exchange-Organization-AuthAs: Internal` counts; what begins with a dot
    /// is the end of a name. Default none.
    pub internal_sources: BTreeSet<String>,
}

/// The mail system at the edge of the company.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Boundary {
    /// The one that stamps this authserv-id (RFC 8601 2.5), compared without regard to case.
    AuthservId(String),
    /// Exchange Online, which stamps no authserv-id. Its field counts only on a mail whose one
    /// `X-MS-Exchange-Organization-AuthSource` is a host of Exchange Online.
    ExchangeOnline,
}

/// What the policy makes of a mail's stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustVerdict {
    /// The verdict.
    pub authenticity: Authenticity,
    /// The header field that it rests on, counted from 0 at the top; none where no field counts.
    pub field: Option<u32>,
    /// What that field says, in a word: `internal`, `dmarc=fail`, ...
    pub says: &'static str,
}

impl TrustVerdict {
    const NOTHING: Self = Self {
        authenticity: Authenticity::Unknown,
        field: None,
        says: "nothing",
    };
}

impl TrustPolicy {
    /// Judges a mail by its stamps, the topmost first.
    ///
    /// A trusted `Internal` counts first: the server has authenticated the sender itself. Then the topmost
    /// `Authentication-Results` of the boundary, and no other one: failed if DMARC or the composite result failed, passed if
    /// one of them passed. SPF and DKIM alone say nothing about the author.
    pub fn judge(&self, stamps: &[AuthenticityStamp]) -> TrustVerdict {
        self.internal(stamps)
            .or_else(|| self.results(stamps))
            .unwrap_or(TrustVerdict::NOTHING)
    }

    /// What of it cannot work, in words without its values; none if all can.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let odd = |text: &str| text.is_empty() || text.contains(char::is_whitespace);
        match &self.boundary {
            Some(Boundary::AuthservId(id)) if odd(id) => {
                return Some(
                    "the authserv-id of the trusted boundary is empty or holds white space",
                );
            }
            _ => {}
        }
        let unusable = |source: &String| {
            odd(source.trim_start_matches('.')) || *source != source.to_ascii_lowercase()
        };
        let found = self.internal_sources.iter().any(unusable);
        found.then_some("a trusted internal source is no host name in lower case")
    }

    fn internal(&self, stamps: &[AuthenticityStamp]) -> Option<TrustVerdict> {
        let mut claims = stamps.iter().filter_map(|stamp| match stamp.says {
            StampSays::AuthAs(auth_as) => Some((stamp.field, auth_as)),
            _ => None,
        });
        // Several are more than one server's word: somebody else wrote one of them.
        let (field, auth_as) = claims.next().filter(|_| claims.next().is_none())?;
        let trusted = || only_source(stamps).is_some_and(|source| self.trusts(source));
        (auth_as == AuthAs::Internal && trusted()).then_some(TrustVerdict {
            authenticity: Authenticity::Internal,
            field: Some(field),
            says: "internal",
        })
    }

    fn trusts(&self, source: &str) -> bool {
        let suffix = |known: &String| known.starts_with('.') && source.ends_with(known.as_str());
        self.internal_sources.contains(source) || self.internal_sources.iter().any(suffix)
    }

    fn results(&self, stamps: &[AuthenticityStamp]) -> Option<TrustVerdict> {
        let boundary = self.boundary.as_ref()?;
        let is_online = || {
            let online = |source: &str| EXCHANGE_ONLINE.iter().any(|end| source.ends_with(end));
            only_source(stamps).is_some_and(online)
        };
        if *boundary == Boundary::ExchangeOnline && !is_online() {
            return None;
        }
        stamps.iter().find_map(|stamp| match &stamp.says {
            StampSays::Results(results) if boundary.wrote(results) => {
                Some(verdict(stamp.field, results))
            }
            _ => None,
        })
    }
}

impl Boundary {
    fn wrote(&self, results: &AuthenticationResults) -> bool {
        let id = results.authserv_id.as_deref();
        match self {
            Self::AuthservId(own) => id.is_some_and(|id| id.eq_ignore_ascii_case(own)),
            Self::ExchangeOnline => id.is_none(),
        }
    }
}

/// The server that Exchange names, if exactly one field does.
fn only_source(stamps: &[AuthenticityStamp]) -> Option<&str> {
    let mut sources = stamps.iter().filter_map(|stamp| match &stamp.says {
        StampSays::AuthSource(source) => Some(source.as_str()),
        _ => None,
    });
    sources.next().filter(|_| sources.next().is_none())
}

fn verdict(field: u32, results: &AuthenticationResults) -> TrustVerdict {
    use MethodResult::{Fail, Pass};
    let (authenticity, says) = match (results.dmarc, results.compauth) {
        (Some(Fail), _) => (Authenticity::Failed, "dmarc=fail"),
        (_, Some(Fail)) => (Authenticity::Failed, "compauth=fail"),
        (Some(Pass), _) => (Authenticity::Passed, "dmarc=pass"),
        (_, Some(Pass)) => (Authenticity::Passed, "compauth=pass"),
        _ => (Authenticity::Unknown, "neither pass nor fail"),
    };
    TrustVerdict {
        authenticity,
        field: Some(field),
        says,
    }
}

impl LoggingPolicy {
    /// What this policy makes of a mail's sender: the mail's own verdict if a host has set one, else what
    /// [`LoggingPolicy::trust`] makes of its stamps.
    pub fn trust_verdict(&self, message: &Message) -> TrustVerdict {
        if message.authenticity == Authenticity::Unknown {
            return self.trust.judge(&message.stamps);
        }
        TrustVerdict {
            authenticity: message.authenticity,
            ..TrustVerdict::NOTHING
        }
    }
}
