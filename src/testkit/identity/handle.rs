//! What a test does with a running provider: ask where it is, interfere, order faults, read the books.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::application::Application;
use super::authority::TokenAuthority;
use super::builder::SimulatedIdentityBuilder;
use super::fault::IdentityFault;
use super::jwt::SigningKey;
use super::lock;
use super::metadata;
use super::recording::{IdentityStatistics, RecordedRequest};
use super::server::Server;
use super::service::Service;
use super::state::{State, TokenFlaw};
use super::user::UserBehaviour;

/// A running simulated identity provider; it stops when it is dropped.
pub struct SimulatedIdentity {
    pub(super) service: Arc<Service>,
    pub(super) server: Server,
    pub(super) ca_pem: Option<String>,
}

impl std::fmt::Debug for SimulatedIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedIdentity")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl SimulatedIdentity {
    /// Begins to set up a provider.
    pub fn builder() -> SimulatedIdentityBuilder {
        SimulatedIdentityBuilder::default()
    }

    /// The address, without a slash at the end: what stands for `https://login.microsoftonline.com`.
    pub fn url(&self) -> String {
        self.service.base().to_owned()
    }

    /// The id of the tenant.
    pub fn tenant_id(&self) -> &str {
        &self.service.settings.tenant_id
    }

    /// The authorization endpoint of the tenant.
    pub fn authorize_url(&self) -> String {
        self.below_tenant("oauth2/v2.0/authorize")
    }

    /// The token endpoint of the tenant.
    pub fn token_url(&self) -> String {
        self.below_tenant("oauth2/v2.0/token")
    }

    /// Where the verifying keys are.
    pub fn jwks_url(&self) -> String {
        self.below_tenant("discovery/v2.0/keys")
    }

    /// Where the endpoints are described.
    pub fn metadata_url(&self) -> String {
        self.below_tenant("v2.0/.well-known/openid-configuration")
    }

    /// The issuer of identity tokens and of access tokens of version 2.
    pub fn issuer(&self) -> String {
        let settings = &self.service.settings;
        metadata::issuer(settings, self.service.base(), &settings.tenant_id)
    }

    fn below_tenant(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.service.base(), self.tenant_id())
    }

    /// The certificate of the authority that signs the server's certificate; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// What a resource server needs to judge tokens of this provider; works on after the provider has stopped.
    pub fn authority(&self) -> TokenAuthority {
        TokenAuthority::of(Arc::clone(&self.service))
    }

    /// Sets what the user does from now on.
    pub fn set_user(&self, behaviour: UserBehaviour) {
        self.state(|state| state.behaviour = behaviour);
    }

    /// Sets how long access tokens live that are issued from now on.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state(|state| state.lifetime = lifetime);
    }

    /// Sets what is wrong with tokens that are issued from now on; `None` makes them good again.
    pub fn set_flaw(&self, flaw: Option<TokenFlaw>) {
        self.state(|state| state.flaw = flaw);
    }

    /// Registers an application, in the place of one with the same client id: other secrets, permissions, URLs.
    pub fn register(&self, application: Application) {
        self.state(|state| {
            state
                .applications
                .retain(|one| one.client_id != application.client_id);
            state.applications.push(application);
        });
    }

    /// Signs with a new key from now on; the old ones stay published.
    ///
    /// # Errors
    ///
    /// When the cryptographic library cannot make a key.
    pub fn rotate_key(&self) -> io::Result<()> {
        let key = SigningKey::generate()?;
        self.state(|state| state.keys.push(key));
        Ok(())
    }

    /// Publishes the newest key alone: tokens of the older ones are worthless.
    pub fn retire_old_keys(&self) {
        self.state(|state| {
            let old = state.keys.len().saturating_sub(1);
            state.keys.drain(..old);
        });
    }

    /// Every access token that was handed out, oldest first, so that a test can look for them where they must not be.
    pub fn access_tokens(&self) -> Vec<String> {
        self.state(|state| state.access_tokens.clone())
    }

    /// Revokes every access token that was issued, as far as a resource server asks
    /// [`authority`](Self::authority).
    pub fn revoke_access_tokens(&self) {
        self.state(|state| {
            let issued = std::mem::take(&mut state.issued);
            state.revoked.extend(issued);
        });
    }

    /// Revokes every refresh token that was issued: `invalid_grant`, AADSTS50173.
    pub fn revoke_refresh_tokens(&self) {
        self.state(State::end_families);
    }

    /// Orders a fault; its requests count from now.
    pub fn add_fault(&self, fault: IdentityFault) {
        self.state(|state| state.faults.order(fault));
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.state(|state| state.faults.clear());
    }

    /// The counters.
    pub fn statistics(&self) -> IdentityStatistics {
        self.state(|state| state.statistics.clone())
    }

    /// All requests, in the order in which they came.
    pub fn recorded(&self) -> Vec<RecordedRequest> {
        self.state(|state| state.recorded.clone())
    }

    /// Stops the server and waits until its connections are closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the server too, without waiting.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }

    fn state<T>(&self, deed: impl FnOnce(&mut State) -> T) -> T {
        deed(&mut lock(&self.service.state))
    }
}
