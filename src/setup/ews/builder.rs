//! Describing a connector, and checking the description before anything is sent.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::{EwsConnector, Inner, OPERATION};
use crate::clock::{Clock, Entropy, SystemClock};
use crate::credential::{CredentialProvider, RefreshTokenStore};
#[cfg(feature = "oauth2")]
use crate::credential::{IdentityService, MicrosoftCloud};
use crate::error::{Error, Result, codes};
use crate::http::{HttpClient, HttpOptions};
use crate::setup::sign_in::Options as SignInOptions;
use crate::source::ews::{AddressPolicy, AutodiscoverCloud, NameResolver, ThrottlingGates};

/// What a connector is made of.
pub(super) struct Options {
    pub(super) shared: Arc<SignInOptions>,
    pub(super) cloud: Option<AutodiscoverCloud>,
    pub(super) accepted_hosts: BTreeSet<String>,
    pub(super) connections: u32,
    pub(super) stamps: bool,
    pub(super) gates: ThrottlingGates,
}

impl Options {
    /// Which of Microsoft's hosts autodiscovery asks.
    pub(super) fn cloud(&self) -> AutodiscoverCloud {
        self.cloud.unwrap_or_else(|| self.cloud_of_identity())
    }

    #[cfg(feature = "oauth2")]
    fn cloud_of_identity(&self) -> AutodiscoverCloud {
        match self
            .shared
            .identity_service
            .as_ref()
            .map(IdentityService::cloud)
        {
            None | Some(Some(MicrosoftCloud::Worldwide)) => AutodiscoverCloud::Worldwide,
            Some(Some(MicrosoftCloud::UsGovernmentGccHigh)) => AutodiscoverCloud::UsGovernment,
            Some(Some(MicrosoftCloud::UsGovernmentDod)) => AutodiscoverCloud::UsDefense,
            Some(Some(MicrosoftCloud::China)) => AutodiscoverCloud::China,
            Some(None) => AutodiscoverCloud::None,
        }
    }

    #[cfg(not(feature = "oauth2"))]
    #[allow(clippy::unused_self)]
    fn cloud_of_identity(&self) -> AutodiscoverCloud {
        AutodiscoverCloud::Worldwide
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

/// Describes an [`EwsConnector`]. `Debug` shows no address, tenant or proxy.
#[must_use = "nothing happens before build"]
pub struct EwsConnectorBuilder {
    credentials: Option<Arc<dyn CredentialProvider>>,
    #[cfg(feature = "oauth2")]
    identity_service: Option<IdentityService>,
    refresh_tokens: Option<Arc<dyn RefreshTokenStore>>,
    http: HttpOptions,
    cloud: Option<AutodiscoverCloud>,
    accepted_hosts: BTreeSet<String>,
    as_owner: Option<bool>,
    connections: u32,
    stamps: bool,
    gates: ThrottlingGates,
    clock: Arc<dyn Clock>,
    entropy: Option<Arc<dyn Entropy>>,
}

impl Default for EwsConnectorBuilder {
    fn default() -> Self {
        Self {
            credentials: None,
            #[cfg(feature = "oauth2")]
            identity_service: None,
            refresh_tokens: None,
            http: HttpOptions::default(),
            cloud: None,
            accepted_hosts: BTreeSet::new(),
            as_owner: None,
            connections: 4,
            stamps: false,
            gates: ThrottlingGates::new(),
            clock: Arc::new(SystemClock),
            entropy: None,
        }
    }
}

impl fmt::Debug for EwsConnectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EwsConnectorBuilder")
            .field("credentials", &self.credentials)
            .field("http", &self.http)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl EwsConnectorBuilder {
    /// Where client id, secret, certificate, password or token come from: mostly a
    /// [`CredentialResolver`](crate::credential::CredentialResolver), of which the fields of the set-up that is connected
    /// count before its stored ones ([`CredentialProvider::for_setup`]). Where other credentials do not handle the client id
    /// or the redirect URL, the field of the set-up counts.
    pub fn with_credentials(mut self, credentials: Arc<dyn CredentialProvider>) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The identity service; Microsoft's, worldwide, for the tenant of the set-up if not given.
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
    ///
    /// A server on premises needs the range of its network: [`AddressPolicy::on_premises`].
    pub fn with_address_policy(mut self, policy: AddressPolicy) -> Self {
        self.http.address_policy = policy;
        self
    }

    /// Looks up hosts with this resolver instead of the system's. Its answers are checked as well.
    pub fn with_name_resolver(mut self, resolver: Arc<dyn NameResolver>) -> Self {
        self.http.name_resolver = resolver;
        self
    }

    /// Trusts these root certificates (PEM) instead of the platform's, of Exchange and of the identity service.
    pub fn with_trusted_roots(mut self, pem: impl Into<String>) -> Self {
        self.http.roots = Some(pem.into());
        self
    }

    /// Accepts only an Exchange server with this key, as
    /// [`EwsSourceBuilder::with_pinned_key`](crate::source::ews::EwsSourceBuilder::with_pinned_key). Autodiscovery and the
    /// identity service have other keys, and are not held to it.
    pub fn with_pinned_key(mut self, key: impl Into<String>) -> Self {
        self.http.pinned_keys.push(key.into());
        self
    }

    /// Goes through this HTTP proxy. Without it no proxy is used, whatever the environment says. It does not go with user
    /// name and password.
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

    /// Which of Microsoft's hosts autodiscovery asks when the organisation's own do not know; by the identity service if not
    /// given. With user name and password none is asked.
    pub fn with_autodiscover_cloud(mut self, cloud: AutodiscoverCloud) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// Accepts a host in autodiscovery that is neither the domain's nor Microsoft's, after a person has read its name.
    pub fn with_accepted_host(mut self, host: impl Into<String>) -> Self {
        self.accepted_hosts.insert(host.into());
        self
    }

    /// Whether ready-made access tokens are an application's, which acts as the owner of the mailbox; as the token itself
    /// says if not given, where it can be read (feature `oauth2`).
    pub fn with_application_tokens(mut self, application: bool) -> Self {
        self.as_owner = Some(application);
        self
    }

    /// The most requests at a time; default 4. Exchange allows 27 by default.
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Takes the gates of connections from here, by mailbox and credential; a set of its own if not given. Two set-ups of one
    /// connector with the same mailbox and credential hold together in either case.
    pub fn with_gates(mut self, gates: ThrottlingGates) -> Self {
        self.gates = gates;
        self
    }

    /// Gives items without a search key a key of our own, as
    /// [`EwsSourceBuilder::with_stamps`](crate::source::ews::EwsSourceBuilder::with_stamps); off if not given.
    pub fn with_stamps(mut self, stamps: bool) -> Self {
        self.stamps = stamps;
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
    pub fn build(self) -> Result<EwsConnector> {
        let missing = || Error::new(&codes::CONFIG_MISSING, OPERATION).with_detail("credentials");
        let shared = SignInOptions {
            operation: OPERATION,
            credentials: self.credentials.ok_or_else(missing)?,
            #[cfg(feature = "oauth2")]
            identity_service: self.identity_service,
            refresh_tokens: self.refresh_tokens,
            http: self.http,
            as_owner: self.as_owner,
            clock: self.clock,
            entropy: self.entropy,
        };
        HttpClient::new(&shared.http)?;
        let options = Options {
            shared: Arc::new(shared),
            cloud: self.cloud,
            accepted_hosts: self.accepted_hosts,
            connections: self.connections,
            stamps: self.stamps,
            gates: self.gates,
        };
        Ok(EwsConnector {
            inner: Arc::new(Inner {
                options,
                kept: Mutex::default(),
            }),
        })
    }
}
