//! What a resource server asks about a token: who signed it, for whom, until when, and what it permits.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::jwt::{SigningKey, Unchecked, VerifyingKey};
use super::lock;
use super::service::Service;
use crate::clock::{Clock, SystemClock};

/// What a resource server asks of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permissions {
    /// Whether an audience is this resource, where the provider is simulated.
    pub(crate) is_audience: fn(&str) -> bool,
    pub(crate) app_role: &'static str,
    pub(crate) user_scopes: &'static [&'static str],
}

impl Permissions {
    /// Exchange Web Services.
    pub(crate) const EWS: Self = Self {
        is_audience: |audience| !is_graph(audience),
        app_role: "full_access_as_app",
        user_scopes: &["EWS.AccessAsUser.All"],
    };
    /// Mail through Microsoft Graph.
    pub(crate) const GRAPH_MAIL: Self = Self {
        is_audience: is_graph,
        app_role: "Mail.ReadWrite",
        user_scopes: &["Mail.ReadWrite", "Mail.ReadWrite.Shared"],
    };
}

/// The audiences of Microsoft Graph and its national clouds (Microsoft, "National cloud deployments").
const GRAPH: [&str; 5] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
    "00000003-0000-0000-c000-000000000000",
];

fn is_graph(audience: &str) -> bool {
    GRAPH.contains(&audience.trim_end_matches('/'))
}

/// How far a token may come from the future.
const SKEW_SECONDS: i64 = 300;

/// The keys, audience and tenant by which tokens are judged. Clones are the same authority.
#[derive(Clone)]
pub struct TokenAuthority(Source);

#[derive(Clone)]
enum Source {
    Simulated(Arc<Service>),
    Fixed(Arc<Fixed>),
}

struct Fixed {
    keys: Vec<VerifyingKey>,
    audience: String,
    tenant_id: Option<String>,
}

/// Who calls with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// An application as itself.
    Application,
    /// A user, by the user principal name.
    User(String),
}

/// A caller together with the scopes of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearing {
    pub(crate) caller: Caller,
    pub(crate) scopes: Vec<String>,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenRefusal {
    InvalidSignature,
    InvalidToken,
    TokenExpired,
    InvalidResource,
    InvalidTenant,
    InvalidUser,
    InvalidGrant,
}

impl TokenAuthority {
    pub(super) fn of(service: Arc<Service>) -> Self {
        Self(Source::Simulated(service))
    }

    /// An authority of fixed keys, for tokens of a provider that is not simulated.
    ///
    /// `jwks` is its JSON Web Key Set; RSA keys and RS256 are understood. Without a tenant id `tid` is not looked at.
    /// The time is the system's.
    pub fn from_jwks(jwks: &str, audience: impl Into<String>, tenant_id: Option<String>) -> Self {
        let keys = serde_json::from_str(jwks).map(|set: Value| VerifyingKey::of_set(&set));
        Self(Source::Fixed(Arc::new(Fixed {
            keys: keys.unwrap_or_default(),
            audience: audience.into(),
            tenant_id,
        })))
    }

    /// Says who calls with this token, as Exchange Online would find out.
    pub(crate) fn judge(&self, token: &str) -> Result<Caller, TokenRefusal> {
        self.judge_for(token, Permissions::EWS)
            .map(|bearing| bearing.caller)
    }

    /// Says who calls with this token, as a resource server with these permissions would find out.
    pub(crate) fn judge_for(
        &self,
        token: &str,
        permissions: Permissions,
    ) -> Result<Bearing, TokenRefusal> {
        let token = Unchecked::parse(token).ok_or(TokenRefusal::InvalidToken)?;
        if !self.has_signed(&token) {
            return Err(TokenRefusal::InvalidSignature);
        }
        self.is_in_time(&token)?;
        if !self.is_audience(token.text("aud").unwrap_or_default(), permissions) {
            return Err(TokenRefusal::InvalidResource);
        }
        if !self.is_tenant(token.text("tid")) {
            return Err(TokenRefusal::InvalidTenant);
        }
        if self.is_revoked(token.text("uti")) {
            return Err(TokenRefusal::InvalidToken);
        }
        caller(&token, permissions)
    }

    fn has_signed(&self, token: &Unchecked<'_>) -> bool {
        match &self.0 {
            Source::Fixed(fixed) => fixed.keys.iter().any(|key| key.has_signed(token)),
            Source::Simulated(service) => {
                let state = lock(&service.state);
                let mut keys = state.keys.iter().map(SigningKey::public);
                keys.any(|key| key.has_signed(token))
            }
        }
    }

    fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Simulated(service) => service.settings.clock.now(),
            Source::Fixed(_) => SystemClock.now(),
        }
    }

    fn is_in_time(&self, token: &Unchecked<'_>) -> Result<(), TokenRefusal> {
        let now = self.now().as_second();
        if token.number("exp").is_none_or(|end| end <= now) {
            return Err(TokenRefusal::TokenExpired);
        }
        if token
            .number("nbf")
            .is_some_and(|begin| begin > now + SKEW_SECONDS)
        {
            return Err(TokenRefusal::InvalidToken);
        }
        Ok(())
    }

    fn is_audience(&self, audience: &str, permissions: Permissions) -> bool {
        match &self.0 {
            Source::Simulated(service) => {
                let resources = &service.settings.resources;
                let mut known = resources.iter();
                known.any(|resource| resource == audience) && (permissions.is_audience)(audience)
            }
            Source::Fixed(fixed) => fixed.audience == audience,
        }
    }

    fn is_tenant(&self, tenant: Option<&str>) -> bool {
        match &self.0 {
            Source::Simulated(service) => tenant == Some(&service.settings.tenant_id),
            Source::Fixed(fixed) => {
                let wanted = fixed.tenant_id.as_deref();
                wanted.is_none_or(|wanted| tenant == Some(wanted))
            }
        }
    }

    fn is_revoked(&self, uti: Option<&str>) -> bool {
        match &self.0 {
            Source::Simulated(service) => {
                let state = lock(&service.state);
                uti.is_some_and(|uti| state.revoked.contains(uti))
            }
            Source::Fixed(_) => false,
        }
    }
}

fn caller(token: &Unchecked<'_>, permissions: Permissions) -> Result<Bearing, TokenRefusal> {
    let roles = token.claims.get("roles").and_then(Value::as_array);
    if roles.is_some_and(|roles| roles.iter().any(|role| role == permissions.app_role)) {
        return Ok(Bearing {
            caller: Caller::Application,
            scopes: Vec::new(),
        });
    }
    let scopes: Vec<_> = token
        .text("scp")
        .unwrap_or_default()
        .split(' ')
        .map(str::to_owned)
        .collect();
    let permits = |scope: &String| permissions.user_scopes.contains(&scope.as_str());
    if !scopes.iter().any(permits) {
        return Err(TokenRefusal::InvalidGrant);
    }
    let name = token
        .text("upn")
        .or_else(|| token.text("preferred_username"));
    let name = name.ok_or(TokenRefusal::InvalidUser)?;
    Ok(Bearing {
        caller: Caller::User(name.to_owned()),
        scopes,
    })
}

impl std::fmt::Debug for TokenAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAuthority").finish_non_exhaustive()
    }
}
