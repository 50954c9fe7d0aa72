//! Describing a consent, and checking the description before anything is sent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{AdminConsent, OPERATION, UsedStates};
use crate::credential::CredentialProvider;
use crate::credential::oauth::client::Asked;
use crate::credential::oauth::exchange::TokenEndpoint;
use crate::credential::oauth::service::IdentityService;
use crate::credential::oauth::transport::{Transport, TransportOptions, transport_options};
use crate::error::{Error, Result, codes};
use crate::http::ServiceUrl;
use crate::scope::Scope;

/// How long an administrator has.
const LIFE: Duration = Duration::from_mins(15);

/// Describes an [`AdminConsent`]. `Debug` shows no address, tenant or proxy.
#[must_use = "nothing happens before build"]
pub struct AdminConsentBuilder {
    service: IdentityService,
    provider: Arc<dyn CredentialProvider>,
    scope: Scope,
    redirect_url: Option<String>,
    offline: bool,
    life: Duration,
    permissions: Vec<String>,
    transport: TransportOptions,
}

impl fmt::Debug for AdminConsentBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminConsentBuilder")
            .field("offline", &self.offline)
            .field("life", &self.life)
            .field("permissions", &self.permissions)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

transport_options!(AdminConsentBuilder);

impl AdminConsentBuilder {
    pub(super) fn new(service: IdentityService, provider: Arc<dyn CredentialProvider>) -> Self {
        Self {
            service,
            provider,
            scope: Scope::default(),
            redirect_url: None,
            offline: false,
            life: LIFE,
            permissions: Vec::new(),
            transport: TransportOptions::default(),
        }
    }

    /// Whose credentials the provider is asked for; the default scope if not given.
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Has the identity service call back at this URL instead of the one that the provider supplies.
    pub fn with_redirect_url(mut self, url: impl Into<String>) -> Self {
        self.redirect_url = Some(url.into());
        self
    }

    /// Asks for a refresh token too (`offline_access`), for a delegated sign-in.
    pub fn with_refresh_token(mut self) -> Self {
        self.offline = true;
        self
    }

    /// How long the administrator has from `begin` to the callback; default 15 minutes.
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.life = limit;
        self
    }

    /// Refuses a token that says what it allows and lacks this permission, such as `EWS.AccessAsUser.All`.
    pub fn with_required_permission(mut self, permission: impl Into<String>) -> Self {
        self.permissions.push(permission.into());
        self
    }

    /// Checks the description. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Config`: the service has no authorize or JWKS endpoint or no issuer (`config.missing`), an endpoint is not https
    /// (`config.insecure`) or no URL, the tenant is no tenant (`config.invalid`), roots or a proxy that cannot be read, a
    /// proxy beside plain http on loopback.
    pub fn build(self) -> Result<AdminConsent> {
        self.service.check_tenant(OPERATION)?;
        let plain = self.transport.http.plain_loopback;
        let address = |url: &Option<String>, what: &'static str| match url {
            Some(url) => ServiceUrl::parse(url, plain),
            None => Err(missing(what)),
        };
        let authorize_url = address(&self.service.authorize_endpoint, "authorize endpoint")?;
        let jwks_url = address(&self.service.jwks_endpoint, "JWKS endpoint")?;
        if self.service.issuer.is_none() {
            return Err(missing("issuer"));
        }
        let token_url = self.service.token_url(plain)?;
        let clock = Arc::clone(&self.transport.clock);
        Ok(AdminConsent {
            endpoint: TokenEndpoint {
                service: self.service,
                transport: Transport::new(OPERATION, token_url, self.transport)?,
                permissions: self.permissions,
            },
            authorize_url,
            jwks_url,
            asked: Asked {
                provider: self.provider,
                scope: self.scope,
                operation: OPERATION,
            },
            redirect_url: self.redirect_url,
            offline: self.offline,
            life: self.life,
            used: UsedStates::default(),
            clock,
        })
    }
}

fn missing(what: &'static str) -> Error {
    Error::new(&codes::CONFIG_MISSING, OPERATION).with_detail(what)
}
