//! Who is calling. One authenticator per scheme; the server only sees their verdicts.

mod bearer;

use base64_simd::STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use secrecy::{ExposeSecret, SecretString};

use super::reply::Reply;
pub use bearer::EwsBlock;
pub(crate) use bearer::{Bearer, Denial};

/// A scheme of HTTP authentication that the server can offer in a 401 answer.
///
/// Credentials are accepted by [`AuthScheme::Basic`] and, where tokens are known, by [`AuthScheme::Bearer`]; offering another scheme lets a client see
/// what a real server would list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthScheme {
    /// User and password in each request (RFC 7617).
    Basic,
    /// Windows challenge and response, bound to the connection.
    Ntlm,
    /// SPNEGO (RFC 4559).
    Negotiate,
    /// OAuth 2.0 bearer tokens (RFC 6750).
    Bearer,
}

impl AuthScheme {
    fn challenge(self) -> &'static str {
        match self {
            Self::Basic => "Basic realm=\"simulated-exchange\"",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
            Self::Bearer => "Bearer",
        }
    }

    fn name(self) -> &'static str {
        self.challenge().split(' ').next().unwrap_or_default()
    }
}

/// The people who may call.
pub(crate) struct Users(Vec<(String, SecretString)>);

impl Users {
    pub(crate) fn new(users: Vec<(String, SecretString)>) -> Self {
        Self(users)
    }

    fn knows(&self, name: &str, password: &str) -> bool {
        let same = |(user, secret): &(String, SecretString)| {
            user.eq_ignore_ascii_case(name) && secret.expose_secret() == password
        };
        self.0.iter().any(same)
    }
}

/// What an authenticator thinks of the credentials of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted {
        user: String,
    },
    /// An application as itself, which must say in whose name it calls.
    AcceptedApplication,
    Refused,
    /// A token that is refused with its own answer.
    Denied(Denial),
}

/// One scheme.
pub(crate) trait Authenticator: Send + Sync {
    fn scheme(&self) -> AuthScheme;
    /// Judges what follows the scheme's name in the Authorization header, on this connection.
    fn check(&self, credentials: &str, connection: u64) -> Verdict;
}

struct Basic {
    users: Users,
}

impl Authenticator for Basic {
    fn scheme(&self) -> AuthScheme {
        AuthScheme::Basic
    }

    fn check(&self, credentials: &str, _connection: u64) -> Verdict {
        let decoded = STANDARD.decode_to_vec(credentials).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = text.as_deref().and_then(|text| text.split_once(':'));
        match pair {
            Some((user, password)) if self.users.knows(user, password) => Verdict::Accepted {
                user: user.to_owned(),
            },
            _ => Verdict::Refused,
        }
    }
}

/// All schemes of a server.
pub(crate) struct Authentication {
    offered: Vec<AuthScheme>,
    authenticators: Vec<Box<dyn Authenticator>>,
    bearer: Option<Bearer>,
}

impl Authentication {
    pub(crate) fn new(offered: Vec<AuthScheme>, users: Users) -> Self {
        Self {
            offered,
            authenticators: vec![Box::new(Basic { users })],
            bearer: None,
        }
    }

    pub(crate) fn with_bearer(mut self, bearer: Option<Bearer>) -> Self {
        if bearer.is_some() && !self.offered.contains(&AuthScheme::Bearer) {
            self.offered.push(AuthScheme::Bearer);
        }
        self.bearer = bearer;
        self
    }

    pub(crate) fn bearer(&self) -> Option<&Bearer> {
        self.bearer.as_ref()
    }

    /// Whether an application's token reaches this mailbox.
    pub(crate) fn application_may_impersonate(&self, smtp: &str) -> bool {
        self.bearer()
            .is_some_and(|bearer| bearer.may_impersonate(smtp))
    }

    /// Judges a request by its Authorization header; only a scheme that is offered is tried.
    pub(crate) fn check(&self, headers: &HeaderMap, connection: u64) -> Verdict {
        let header = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some((scheme, credentials)) = header.and_then(|header| header.split_once(' ')) else {
            return Verdict::Refused;
        };
        if let Some(bearer) = self
            .bearer()
            .filter(|_| scheme.eq_ignore_ascii_case("Bearer"))
        {
            return bearer.check(credentials.trim(), headers);
        }
        let usable = |one: &dyn Authenticator| {
            self.offered.contains(&one.scheme()) && one.scheme().name().eq_ignore_ascii_case(scheme)
        };
        let mut all = self.authenticators.iter().map(AsRef::as_ref);
        let authenticator = all.find(|one| usable(*one));
        authenticator.map_or(Verdict::Refused, |one| {
            one.check(credentials.trim(), connection)
        })
    }

    /// The 401 answer with one challenge for each scheme that is offered.
    pub(crate) fn refusal(&self) -> Reply {
        let offered = self.offered.iter();
        offered.fold(Reply::new(401), |reply, scheme| {
            reply.with_header(WWW_AUTHENTICATE, scheme.challenge())
        })
    }
}
