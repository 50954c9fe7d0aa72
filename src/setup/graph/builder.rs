//! Describing a connector, and checking the description before anything is sent.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::{GraphConnector, Inner, OPERATION};
use crate::clock::{Clock, Entropy, SystemClock};
use crate::credential::{CredentialProvider, RefreshTokenStore};
#[cfg(feature = "oauth2")]
use crate::credential::{IdentityService, MicrosoftCloud};
use crate::error::{Error, Result, codes};
use crate::http::{HttpClient, HttpOptions};
use crate::setup::sign_in::Options as SignInOptions;
use crate::source::graph::{AddressPolicy, GraphCloud, NameResolver, ThrottlingGates};

/// What a connector is made of.
pub(super) struct Options {
    pub(super) shared: Arc<SignInOptions>,
    cloud: Option<GraphCloud>,
    pub(super) connections: u32,
    pub(super) gates: ThrottlingGates,
}

impl Options {
    /// Which of Microsoft's clouds is asked.
    pub(super) fn cloud(&self) -> GraphCloud {
        self.cloud.unwrap_or_else(|| self.cloud_of_identity())
    }

    #[cfg(feature = "oauth2")]
    fn cloud_of_identity(&self) -> GraphCloud {
        let service = self.shared.identity_service.as_ref();
        match service.and_then(IdentityService::cloud) {
            None | Some(MicrosoftCloud::Worldwide) => GraphCloud::Global,
            Some(MicrosoftCloud::UsGovernmentGccHigh) => GraphCloud::UsGovernmentL4,
            Some(MicrosoftCloud::UsGovernmentDod) => GraphCloud::UsGovernmentL5,
            Some(MicrosoftCloud::China) => GraphCloud::China,
        }
    }

    #[cfg(not(feature = "oauth2"))]
    #[allow(clippy::unused_self)]
    fn cloud_of_identity(&self) -> GraphCloud {
        GraphCloud::Global
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("shared", &self.shared)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// Describes a [`GraphConnector`]. `Debug` shows no address, tenant or proxy.
#[must_use = "nothing happens before build"]
pub struct GraphConnectorBuilder {
    credentials: Option<Arc<dyn CredentialProvider>>,
    #[cfg(feature = "oauth2")]
    identity_service: Option<IdentityService>,
    refresh_tokens: Option<Arc<dyn RefreshTokenStore>>,
    http: HttpOptions,
    cloud: Option<GraphCloud>,
    connections: u32,
    gates: ThrottlingGates,
    clock: Arc<dyn Clock>,
    entropy: Option<Arc<dyn Entropy>>,
}

impl Default for GraphConnectorBuilder {
    fn default() -> Self {
        Self {
            credentials: None,
            #[cfg(feature = "oauth2")]
            identity_service: None,
            refresh_tokens: None,
            http: HttpOptions::default(),
            cloud: None,
            connections: 4,
            gates: ThrottlingGates::new(),
            clock: Arc::new(SystemClock),
            entropy: None,
        }
    }
}

impl fmt::Debug for GraphConnectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphConnectorBuilder")
            .field("credentials", &self.credentials)
            .field("http", &self.http)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl GraphConnectorBuilder {
    /// Where client id, secret, certificate, password or token come from: mostly a
    /// [`CredentialResolver`](crate::credential::CredentialResolver), of which the fields of the set-up that is connected
    /// count before its stored ones ([`CredentialProvider::for_setup`]). Where other credentials do not handle the client id
    /// or the redirect URL, the field of the set-up counts.
    pub fn with_credentials(mut self, credentials: Arc<dyn CredentialProvider>) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The identity service, which is asked for tokens for Graph where it is Microsoft's; Microsoft's, worldwide, for the tenant of the set-up if not given.
    ///
    /// One of Microsoft's for `organizations` is taken for the tenant of the set-up, in its cloud; one for a single tenant
    /// stays with that tenant, and no other is let in.
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    pub fn with_identity_service(mut self, service: IdentityService) -> Self {
        self.identity_service = Some(service);
        self
    }

    /// Where the refresh tokens of delegated sign-ins are kept.
    pub fn with_refresh_tokens(mut self, store: Arc<dyn RefreshTokenStore>) -> Self {
        self.refresh_tokens = Some(store);
        self
    }

    /// Says which hosts and addresses may be connected to; public addresses only if not given. The identity service is
    /// held to its addresses, not to its list of hosts.
    pub fn with_address_policy(mut self, policy: AddressPolicy) -> Self {
        self.http.address_policy = policy;
        self
    }

    /// Looks up hosts with this resolver instead of the system's. Its answers are checked as well.
    pub fn with_name_resolver(mut self, resolver: Arc<dyn NameResolver>) -> Self {
        self.http.name_resolver = resolver;
        self
    }

    /// Trusts these root certificates (PEM) instead of the platform's, of Graph and of the identity service.
    pub fn with_trusted_roots(mut self, pem: impl Into<String>) -> Self {
        self.http.roots = Some(pem.into());
        self
    }

    /// Accepts only a service with this key, as
    /// [`GraphSourceBuilder::with_pinned_key`](crate::source::graph::GraphSourceBuilder::with_pinned_key). The identity
    /// service has another key, and is not held to it.
    pub fn with_pinned_key(mut self, key: impl Into<String>) -> Self {
        self.http.pinned_keys.push(key.into());
        self
    }

    /// Goes through this HTTP proxy. Without it no proxy is used, whatever the environment says.
    pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
        self.http.proxy = Some(url.into());
        self
    }

    /// Names the program to the servers (`User-Agent`); tenants may allow or block by it.
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.http.user_agent = user_agent.into();
        self
    }

    /// Connects to this address for a host instead of asking the resolver; its certificate still has to be the host's.
    ///
    /// For name spaces that differ inside and outside, and for tests. The port counts where a URL names none. The address
    /// policy holds for it: an address in a network of its own needs a range that holds it.
    pub fn with_host_address(mut self, host: impl Into<String>, address: SocketAddr) -> Self {
        self.http.host_addresses.push((host.into(), address));
        self
    }

    /// The cloud in which Graph is asked; that of the identity service if not given. A service URL in the set-up counts
    /// before it.
    pub fn with_cloud(mut self, cloud: GraphCloud) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// The most requests at a time; default 4, which is also the most that Graph allows at a mailbox.
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.clamp(1, 4);
        self
    }

    /// Takes the gates of connections from here, by mailbox and credential; a set of its own if not given. Two set-ups of one
    /// connector with the same mailbox and credential hold together in either case.
    pub fn with_gates(mut self, gates: ThrottlingGates) -> Self {
        self.gates = gates;
        self
    }

    /// Takes time and waits from this clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes randomness from this source instead of the system's. It has to be fit for secrets.
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// **Dangerous: sends credentials unencrypted.** Lets `http://` through to a loopback address, for tests against servers
    /// in the same machine.
    pub fn dangerously_allow_plain_http_on_loopback(mut self) -> Self {
        self.http.plain_loopback = true;
        self
    }

    /// Checks the description. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Config`: no credentials (`config.missing`), roots, a pinned key or a proxy that cannot be read (`config.invalid`), a
    /// proxy beside plain http on loopback (`config.insecure`).
    pub fn build(self) -> Result<GraphConnector> {
        let missing = || Error::new(&codes::CONFIG_MISSING, OPERATION).with_detail("credentials");
        let shared = SignInOptions {
            operation: OPERATION,
            credentials: self.credentials.ok_or_else(missing)?,
            #[cfg(feature = "oauth2")]
            identity_service: self.identity_service,
            refresh_tokens: self.refresh_tokens,
            http: self.http,
            as_owner: None,
            clock: self.clock,
            entropy: self.entropy,
        };
        HttpClient::new(&shared.http)?;
        let options = Options {
            shared: Arc::new(shared),
            cloud: self.cloud,
            connections: self.connections,
            gates: self.gates,
        };
        Ok(GraphConnector {
            inner: Arc::new(Inner {
                options,
                kept: Mutex::default(),
            }),
        })
    }
}
