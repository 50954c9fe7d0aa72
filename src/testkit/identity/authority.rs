//! What a resource server asks about a token: who signed it, for whom, until when, and what it permits.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::jwt::{SigningKey, Unchecked, VerifyingKey};
use super::lock;
use super::service::Service;
use crate::clock::{Clock, SystemClock};

const APP_ROLE: &str = "full_access_as_app";
const USER_SCOPE: &str = "EWS.AccessAsUser.All";
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
        let token = Unchecked::parse(token).ok_or(TokenRefusal::InvalidToken)?;
        if !self.has_signed(&token) {
            return Err(TokenRefusal::InvalidSignature);
        }
        self.is_in_time(&token)?;
        if !self.is_audience(token.text("aud").unwrap_or_default()) {
            return Err(TokenRefusal::InvalidResource);
        }
        if !self.is_tenant(token.text("tid")) {
            return Err(TokenRefusal::InvalidTenant);
        }
        if self.is_revoked(token.text("uti")) {
            return Err(TokenRefusal::InvalidToken);
        }
        caller(&token)
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

    fn is_audience(&self, audience: &str) -> bool {
        match &self.0 {
            Source::Simulated(service) => {
                let resources = &service.settings.resources;
                resources.iter().any(|resource| resource == audience)
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

fn caller(token: &Unchecked<'_>) -> Result<Caller, TokenRefusal> {
    let roles = token.claims.get("roles").and_then(Value::as_array);
    if roles.is_some_and(|roles| roles.iter().any(|role| role == APP_ROLE)) {
        return Ok(Caller::Application);
    }
    let scopes = token.text("scp").unwrap_or_default();
    if !scopes.split(' ').any(|scope| scope == USER_SCOPE) {
        return Err(TokenRefusal::InvalidGrant);
    }
    let name = token
        .text("upn")
        .or_else(|| token.text("preferred_username"));
    name.map(|name| Caller::User(name.to_owned()))
        .ok_or(TokenRefusal::InvalidUser)
}

impl std::fmt::Debug for TokenAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAuthority").finish_non_exhaustive()
    }
}
