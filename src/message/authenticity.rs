//! What mail systems stamped on a mail about its sender.
//!
//! Only read here, never believed: which stamp counts is a rule of the policy. It must not know the policy.

mod tokens;

use super::codes;

/// Fields of one mail that are read; what stands below them is older and of no use.
pub(super) const MAX_STAMPS: usize = 64;
/// Bytes of one field that are read.
const MAX_FIELD_BYTES: usize = 16_384;

/// One header field that speaks of the sender's authenticity.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticityStamp {
    /// Its place among all header fields, counted from 0 at the top.
    pub field: u32,
    /// What it says.
    pub says: StampSays,
}

impl AuthenticityStamp {
    /// A stamp at a place, for a host's tests.
    pub fn new(field: u32, says: StampSays) -> Self {
        Self { field, says }
    }

    /// Reads a field by its name; none if it is another field.
    pub(super) fn read(field: usize, name: &[u8], value: &[u8]) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let value = || String::from_utf8_lossy(value.get(..MAX_FIELD_BYTES).unwrap_or(value));
        let says = if is("Authentication-Results") {
            StampSays::Results(AuthenticationResults::read(&value()))
        } else if is("X-MS-Exchange-Organization-AuthAs") {
            StampSays::AuthAs(AuthAs::read(&value()))
        } else if is("X-MS-Exchange-Organization-AuthSource") {
            StampSays::AuthSource(value().trim().to_ascii_lowercase())
        } else {
            return None;
        };
        let field = u32::try_from(field).unwrap_or(u32::MAX);
        Some(Self { field, says })
    }
}

/// What one field says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StampSays {
    /// `Authentication-Results` (RFC 8601).
    Results(AuthenticationResults),
    /// `X-MS-Exchange-Organization-AuthAs`: how the sender was authenticated.
    AuthAs(AuthAs),
    /// `X-MS-Exchange-Organization-AuthSource`: the server that says it, in lower case.
    AuthSource(String),
}

/// What Exchange says of how a mail was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthAs {
    /// By an authenticated sender of the organisation.
    Internal,
    /// Anything else: anonymous, partner, external, or unreadable.
    Other,
}

impl AuthAs {
    fn read(value: &str) -> Self {
        if value.trim().eq_ignore_ascii_case("internal") {
            Self::Internal
        } else {
            Self::Other
        }
    }
}

/// A method's result, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MethodResult {
    /// `pass`.
    Pass,
    /// `fail`.
    Fail,
    /// Anything else: `none`, `temperror`, `softpass`, ...
    Other,
}

codes!(MethodResult { Pass => "pass", Fail => "fail", Other => "other", });

/// One `Authentication-Results` field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AuthenticationResults {
    /// Who says it, in lower case; none where the field begins with a result, as Exchange Online writes it.
    pub authserv_id: Option<String>,
    /// The result of DMARC. Of several the worst: a failure, then anything unclear, then a pass.
    pub dmarc: Option<MethodResult>,
    /// The composite result of Exchange Online (`compauth`), the worst of several.
    pub compauth: Option<MethodResult>,
}

impl AuthenticationResults {
    /// Reads the field's value, folded or not; linear, and never fails: what cannot be read says nothing.
    pub fn read(value: &str) -> Self {
        let mut results = Self::default();
        for (position, segment) in tokens::segments(value).into_iter().enumerate() {
            match segment.result() {
                Some((method, result)) => results.take(&method, &result),
                None if position == 0 => results.authserv_id = segment.first_word(),
                None => {}
            }
        }
        results
    }

    fn take(&mut self, method: &str, result: &str) {
        let slot = match method {
            "dmarc" => &mut self.dmarc,
            "compauth" => &mut self.compauth,
            _ => return,
        };
        let read = match result {
            "pass" => MethodResult::Pass,
            "fail" => MethodResult::Fail,
            "" => return,
            _ => MethodResult::Other,
        };
        *slot = Some(slot.map_or(read, |before| worse(before, read)));
    }
}

fn worse(a: MethodResult, b: MethodResult) -> MethodResult {
    use MethodResult::{Fail, Other, Pass};
    match (a, b) {
        (Fail, _) | (_, Fail) => Fail,
        (Pass, Pass) => Pass,
        _ => Other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::MethodResult::{Fail, Other, Pass};
    use super::*;

    #[test]
    fn fields_are_read_as_rfc_8601_has_them() {
        let table = [
            (
                "mx.own.example; dmarc=pass",
                Some("mx.own.example"),
                Some(Pass),
                None,
            ),
            (
                " MX.own.example 1;\r\n\tdmarc = FAIL (p=none; dmarc=pass)",
                Some("mx.own.example"),
                Some(Fail),
                None,
            ),
            (
                "(a (nested; dmarc=fail) \\) ) mx ; (x) dmarc (y) / 1 (z) = (w) pass",
                Some("mx"),
                Some(Pass),
                None,
            ),
            ("\"a;b=c\"; dmarc=fail", Some("a;b=c"), Some(Fail), None),
            (
                "mx; spf=fail reason=\"x; dmarc=fail; y\" smtp.mailfrom=a",
                Some("mx"),
                None,
                None,
            ),
            ("mx; none", Some("mx"), None, None),
            ("mx; dmarc=temperror", Some("mx"), Some(Other), None),
            (
                "mx; dmarc=pass; dmarc=fail; dmarc=pass",
                Some("mx"),
                Some(Fail),
                None,
            ),
            ("mx; dmarc=pass; dmarc=none", Some("mx"), Some(Other), None),
            ("mx; xdmarc=fail; dmarc.x=fail", Some("mx"), None, None),
            (
                "spf=pass (sender IP is 1.2.3.4)\r\n smtp.mailfrom=a.example; dkim=pass;dmarc=fail action=none\r\n header.from=a.example;compauth=fail reason=001",
                None,
                Some(Fail),
                Some(Fail),
            ),
            ("compauth=softpass reason=202", None, None, Some(Other)),
            ("", None, None, None),
            ("; =; ==; (", None, None, None),
            ("mx; dmarc=", Some("mx"), None, None),
            ("mx; \"dmarc=fail", Some("mx"), None, None),
        ];
        for (value, authserv_id, dmarc, compauth) in table {
            let expected = AuthenticationResults {
                authserv_id: authserv_id.map(str::to_owned),
                dmarc,
                compauth,
            };
            assert_eq!(AuthenticationResults::read(value), expected, "{value}");
        }
    }

    #[test]
    fn a_field_of_nothing_but_brackets_is_read_in_bounds() {
        for c in ["(", ")", "\"", "\\", "=", ";", "(\\"] {
            let value = c.repeat(MAX_FIELD_BYTES);
            let read = AuthenticationResults::read(&value);
            assert_eq!((read.dmarc, read.compauth), (None, None));
        }
    }
}
