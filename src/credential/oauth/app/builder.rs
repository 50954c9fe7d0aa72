//! Describing an application's sign-in, and checking the description before anything is sent.

use std::fmt;
use std::sync::Arc;

use super::{AppGrant, AppSignIn, OPERATION};
use crate::credential::CredentialProvider;
use crate::credential::oauth::cache::TokenCache;
use crate::credential::oauth::client::Asked;
use crate::credential::oauth::exchange::TokenEndpoint;
use crate::credential::oauth::service::IdentityService;
use crate::credential::oauth::transport::{Transport, TransportOptions, transport_options};
use crate::error::Result;
use crate::scope::Scope;

/// Describes an [`AppSignIn`]. `Debug` shows no address, tenant or proxy.
#[must_use = "nothing happens before build"]
pub struct AppSignInBuilder {
    service: IdentityService,
    provider: Arc<dyn CredentialProvider>,
    scope: Scope,
    permissions: Vec<String>,
    transport: TransportOptions,
}

impl fmt::Debug for AppSignInBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppSignInBuilder")
            .field("permissions", &self.permissions)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

transport_options!(AppSignInBuilder);

impl AppSignInBuilder {
    pub(super) fn new(service: IdentityService, provider: Arc<dyn CredentialProvider>) -> Self {
        Self {
            service,
            provider,
            scope: Scope::default(),
            permissions: Vec::new(),
            transport: TransportOptions::default(),
        }
    }

    /// Asks for a token with this scope, as [`IdentityService::with_scope`].
    pub fn with_token_scope(mut self, scope: impl Into<String>) -> Self {
        self.service = self.service.with_scope(scope);
        self
    }

    /// Whose credentials the provider is asked for; the default scope if not given.
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Refuses a token that says what it allows and lacks this permission, such as `full_access_as_app`.
    ///
    /// None is needed unless given: rights that Exchange itself assigns (RBAC for Applications) do not stand in the token.
    pub fn with_required_permission(mut self, permission: impl Into<String>) -> Self {
        self.permissions.push(permission.into());
        self
    }

    /// Checks the description. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Config`: the URL is not https (`config.insecure`) or no URL, the tenant is `common` or the like
    /// (`config.invalid`), roots or a proxy that cannot be read, a proxy beside plain http on loopback.
    pub fn build(self) -> Result<AppSignIn> {
        self.service.check_one_tenant(OPERATION)?;
        let token_url = self.service.token_url(self.transport.http.plain_loopback)?;
        let clock = Arc::clone(&self.transport.clock);
        let grant = AppGrant {
            endpoint: TokenEndpoint {
                service: self.service,
                transport: Transport::new(OPERATION, token_url, self.transport)?,
                permissions: self.permissions,
            },
            asked: Asked {
                provider: self.provider,
                scope: self.scope,
                operation: OPERATION,
            },
        };
        Ok(AppSignIn {
            tokens: Arc::new(TokenCache::new(Arc::new(grant), clock)),
        })
    }
}
