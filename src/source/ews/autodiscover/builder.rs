//! Describing a look-up.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::hosts::ascii;
use super::{Autodiscover, OPERATION, SignIn};
use crate::clock::{Entropy, SystemEntropy};
use crate::credential::CredentialProvider;
use crate::error::{Error, Result, codes};
use crate::http::{AddressPolicy, HttpClient, HttpOptions, NameResolver};
use crate::scope::Scope;
use crate::setup::ServiceAddress;

/// Bytes of one answer.
const ANSWER: u64 = 1 << 20;

/// The time for a whole look-up.
const TIME: Duration = Duration::from_mins(2);

/// Which of Microsoft's services are asked when the organisation's own hosts do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AutodiscoverCloud {
    /// Exchange Online worldwide.
    #[default]
    Worldwide,
    /// US Government (GCC High).
    UsGovernment,
    /// US Department of Defense.
    UsDefense,
    /// Operated by 21Vianet in China.
    China,
    /// None: on premises only. Microsoft then never learns the address.
    None,
}

impl AutodiscoverCloud {
    pub(super) fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Worldwide => &["outlook.office365.com", "autodiscover-s.outlook.com"],
            Self::UsGovernment => &["outlook.office365.us", "autodiscover-s.office365.us"],
            Self::UsDefense => &["webmail.apps.mil", "autodiscover-s-dod.office365.us"],
            Self::China => &["partner.outlook.cn", "autodiscover-s.partner.outlook.cn"],
            Self::None => &[],
        }
    }
}

/// Describes an [`Autodiscover`]. `Debug` shows no address, account or proxy.
#[must_use = "nothing happens before build"]
pub struct AutodiscoverBuilder {
    address: String,
    service: ServiceAddress,
    sign_in: SignIn,
    cloud: AutodiscoverCloud,
    accepted: BTreeSet<String>,
    http: HttpOptions,
    time_limit: Duration,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for AutodiscoverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutodiscoverBuilder")
            .field("sign_in", &self.sign_in)
            .field("cloud", &self.cloud)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl AutodiscoverBuilder {
    pub(super) fn new(address: String) -> Self {
        Self {
            address,
            service: ServiceAddress::Autodiscover,
            sign_in: SignIn::Nobody,
            cloud: AutodiscoverCloud::default(),
            accepted: BTreeSet::new(),
            http: HttpOptions {
                connect_timeout: Duration::from_secs(10),
                first_byte_timeout: Duration::from_secs(20),
                idle_timeout: Duration::from_secs(10),
                total_timeout: Duration::from_secs(30),
                body_limit: ANSWER,
                ..HttpOptions::default()
            },
            time_limit: TIME,
            entropy: Arc::new(SystemEntropy),
        }
    }

    /// Looks where the set-up's service URL says; blank if not given.
    pub fn with_service_address(mut self, service: ServiceAddress) -> Self {
        self.service = service;
        self
    }

    /// Asks Microsoft's hosts, and those accepted by name, with access tokens that a provider makes ready.
    ///
    /// The provider is asked for each request, for `https://` and the host. No other host gets a token. A user name and
    /// password cannot be given at all: autodiscover never sends them.
    pub fn with_access_token(
        mut self,
        provider: Arc<dyn CredentialProvider>,
        scope: Scope,
    ) -> Self {
        self.sign_in = SignIn::Provided(provider, scope);
        self
    }

    /// Connects as this says.
    pub(crate) fn with_way(mut self, way: &HttpOptions) -> Self {
        self.http.connect_as(way);
        self
    }

    /// Asks Microsoft's hosts, and those accepted by name, with a person's tokens.
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    pub fn with_delegated_sign_in(mut self, sign_in: crate::credential::DelegatedSignIn) -> Self {
        self.sign_in = SignIn::Tokens(Arc::new(sign_in));
        self
    }

    /// Asks Microsoft's hosts, and those accepted by name, as an application.
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    pub fn with_app_sign_in(mut self, sign_in: crate::credential::AppSignIn) -> Self {
        self.sign_in = SignIn::Tokens(Arc::new(sign_in));
        self
    }

    /// Which of Microsoft's services are asked; worldwide if not given.
    pub fn with_cloud(mut self, cloud: AutodiscoverCloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// Accepts a host that is neither the domain's nor Microsoft's, after a person has read its name.
    ///
    /// Redirects to it are followed, it may be where the service is, and it gets access tokens.
    pub fn with_accepted_host(mut self, host: impl Into<String>) -> Self {
        self.accepted.insert(host.into());
        self
    }

    /// Trusts these root certificates (PEM) instead of the platform's.
    pub fn with_trusted_roots(mut self, pem: impl Into<String>) -> Self {
        self.http.roots = Some(pem.into());
        self
    }

    /// Accepts only servers with this key, as [`EwsSourceBuilder::with_pinned_key`](crate::source::ews::EwsSourceBuilder::with_pinned_key).
    /// Every host that is asked has to have one of those that are given.
    pub fn with_pinned_key(mut self, key: impl Into<String>) -> Self {
        self.http.pinned_keys.push(key.into());
        self
    }

    /// Goes through this HTTP proxy. Without it no proxy is used, whatever the environment says.
    pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
        self.http.proxy = Some(url.into());
        self
    }

    /// Names the program to the servers (`User-Agent`).
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

    /// Says which hosts and addresses may be connected to; public addresses only if not given.
    ///
    /// Servers on premises need the range of their network: [`AddressPolicy::on_premises`].
    pub fn with_address_policy(mut self, policy: AddressPolicy) -> Self {
        self.http.address_policy = policy;
        self
    }

    /// Looks up hosts with this resolver instead of the system's. Its answers are checked as well.
    pub fn with_name_resolver(mut self, resolver: Arc<dyn NameResolver>) -> Self {
        self.http.name_resolver = resolver;
        self
    }

    /// The longest time for one question; default 30 seconds. At most 40 are asked.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.http.total_timeout = timeout;
        self
    }

    /// The longest time for the whole look-up; default 2 minutes, of which JSON takes half at most.
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Takes request ids from this source of randomness.
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Checks the description.
    ///
    /// # Errors
    ///
    /// `Config`: `config.invalid` for roots, a proxy or an accepted host that is none. Whether the address can be looked
    /// up is [`discover`](Autodiscover::discover)'s to say, because a full service URL needs none.
    pub fn build(self) -> Result<Autodiscover> {
        let invalid = || {
            Error::new(&codes::CONFIG_INVALID, OPERATION)
                .with_detail("an accepted host is no host name")
        };
        let accepted = self.accepted.iter();
        let accepted: Option<BTreeSet<_>> = accepted.map(|host| ascii(host)).collect();
        Ok(Autodiscover {
            http: HttpClient::new(&self.http)?,
            accepted: accepted.ok_or_else(invalid)?,
            address: self.address,
            service: self.service,
            sign_in: self.sign_in,
            cloud: self.cloud,
            time_limit: self.time_limit,
            entropy: self.entropy,
        })
    }
}
