//! Describing a person's sign-in, and checking the description before anything is sent.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::rotation::Rotation;
use super::{DelegatedGrant, DelegatedSignIn, OPERATION};
use crate::credential::oauth::cache::TokenCache;
use crate::credential::oauth::client::Asked;
use crate::credential::oauth::exchange::TokenEndpoint;
use crate::credential::oauth::service::IdentityService;
use crate::credential::oauth::transport::{Transport, TransportOptions, transport_options};
use crate::credential::{CredentialProvider, RefreshTokenStore};
use crate::error::Result;
use crate::scope::Scope;

/// Describes a [`DelegatedSignIn`]. `Debug` shows no address, tenant or proxy.
#[must_use = "nothing happens before build"]
pub struct DelegatedSignInBuilder {
    service: IdentityService,
    provider: Arc<dyn CredentialProvider>,
    store: Arc<dyn RefreshTokenStore>,
    scope: Scope,
    permissions: Vec<String>,
    transport: TransportOptions,
}

impl fmt::Debug for DelegatedSignInBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegatedSignInBuilder")
            .field("permissions", &self.permissions)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

transport_options!(DelegatedSignInBuilder);

impl DelegatedSignInBuilder {
    pub(super) fn new(
        service: IdentityService,
        provider: Arc<dyn CredentialProvider>,
        store: Arc<dyn RefreshTokenStore>,
    ) -> Self {
        Self {
            service,
            provider,
            store,
            scope: Scope::default(),
            permissions: Vec::new(),
            transport: TransportOptions::default(),
        }
    }

    /// Whose credentials and refresh token are asked for; the default scope if not given.
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
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
    /// `Config`: a URL is not https (`config.insecure`) or no URL, the tenant is no tenant (`config.invalid`), roots or a
    /// proxy that cannot be read, a proxy beside plain http on loopback.
    pub fn build(self) -> Result<DelegatedSignIn> {
        self.service.check_tenant(OPERATION)?;
        let token_url = self.service.token_url(self.transport.http.plain_loopback)?;
        let clock = Arc::clone(&self.transport.clock);
        let grant = DelegatedGrant {
            endpoint: TokenEndpoint {
                service: self.service,
                transport: Transport::new(OPERATION, token_url, self.transport)?,
                permissions: self.permissions,
            },
            rotation: Rotation::new(self.store, self.scope.clone(), Arc::clone(&clock)),
            asked: Asked {
                provider: self.provider,
                scope: self.scope,
                operation: OPERATION,
            },
            refused: Mutex::default(),
        };
        Ok(DelegatedSignIn {
            tokens: Arc::new(TokenCache::new(Arc::new(grant), clock)),
        })
    }
}
