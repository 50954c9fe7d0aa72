//! Who is calling. One authenticator per scheme; the server only sees their verdicts.

mod bearer;
mod ntlm;

use std::sync::Arc;

use base64_simd::STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use secrecy::{ExposeSecret, SecretString};

use super::reply::Reply;
pub use bearer::EwsBlock;
pub(crate) use bearer::{Bearer, Denial};
pub(crate) use ntlm::ChannelHash;
use ntlm::Ntlm;

/// A scheme of HTTP authentication that the server can offer in a 401 answer.
///
/// Credentials are accepted by [`AuthScheme::Basic`], [`AuthScheme::Ntlm`] and, as NTLM,
/// [`AuthScheme::Negotiate`], and, where tokens are known, by [`AuthScheme::Bearer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthScheme {
    /// User and password in each request (RFC 7617).
    Basic,
    /// Windows challenge and response, bound to the connection: NTLMv2 alone (MS-NTHT, MS-NLMP).
    Ntlm,
    /// SPNEGO (RFC 4559); as Windows does, NTLM messages are taken without its wrapping.
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

    fn password(&self, name: &str) -> Option<&SecretString> {
        let mut users = self.0.iter();
        let found = users.find(|(user, _)| user.eq_ignore_ascii_case(name));
        found.map(|(_, password)| password)
    }

    fn knows(&self, name: &str, password: &str) -> bool {
        let known = self.password(name);
        known.is_some_and(|known| known.expose_secret() == password)
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
    /// One more message is needed.
    Challenged {
        scheme: AuthScheme,
        token: String,
    },
    Refused,
    /// A token that is refused with its own answer.
    Denied(Denial),
}

/// One scheme.
pub(crate) trait Authenticator: Send + Sync {
    fn scheme(&self) -> AuthScheme;
    /// Judges what follows the scheme's name in the Authorization header, on this connection.
    fn check(&self, credentials: &str, connection: u64) -> Verdict;

    /// Who signed this connection in, where the scheme signs connections in.
    fn signed_in(&self, connection: u64) -> Option<String> {
        let _ = connection;
        None
    }

    /// The connection has ended.
    fn forget(&self, connection: u64) {
        let _ = connection;
    }
}

struct Basic {
    users: Arc<Users>,
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
    /// `channel` is what clients of NTLM must have bound, where that is asked for.
    pub(crate) fn new(
        offered: Vec<AuthScheme>,
        users: Users,
        channel: Option<ChannelHash>,
    ) -> Self {
        let users = Arc::new(users);
        let ntlm = |scheme| Box::new(Ntlm::new(scheme, Arc::clone(&users), channel));
        Self {
            offered,
            authenticators: vec![
                ntlm(AuthScheme::Ntlm),
                ntlm(AuthScheme::Negotiate),
                Box::new(Basic { users }),
            ],
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
        if headers.get(AUTHORIZATION).is_none() {
            return self.signed_in(connection);
        }
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

    fn signed_in(&self, connection: u64) -> Verdict {
        let mut all = self.authenticators.iter();
        let user = all.find_map(|one| one.signed_in(connection));
        user.map_or(Verdict::Refused, |user| Verdict::Accepted { user })
    }

    /// A connection has ended.
    pub(crate) fn forget(&self, connection: u64) {
        self.authenticators
            .iter()
            .for_each(|one| one.forget(connection));
    }

    /// The 401 answer with the next message of one scheme.
    pub(crate) fn challenge(scheme: AuthScheme, token: &str) -> Reply {
        Reply::new(401).with_header(WWW_AUTHENTICATE, format!("{} {token}", scheme.name()))
    }

    /// The 401 answer with one challenge for each scheme that is offered.
    pub(crate) fn refusal(&self) -> Reply {
        let offered = self.offered.iter();
        offered.fold(Reply::new(401), |reply, scheme| {
            reply.with_header(WWW_AUTHENTICATE, scheme.challenge())
        })
    }
}
