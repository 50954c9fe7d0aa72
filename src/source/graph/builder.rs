//! Describing a connection to Graph, and checking the description before anything is sent.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::address::Addresses;
use super::session::Session;
use super::{GraphCloud, GraphSource, Inner};
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::credential::CredentialProvider;
use crate::error::{Error, Result, codes};
use crate::http::{
    AddressPolicy, Bearer, Gate, HttpClient, HttpOptions, NameResolver, ProvidedToken, ServiceUrl,
    ThrottlingGate, TokenSource,
};
use crate::scope::Scope;
use crate::source::SourceCapabilities;

const OPERATION: &str = "GraphSourceBuilder::build";

/// Requests that Graph lets one application have open at a mailbox (Microsoft Graph, "service-specific throttling
/// limits", Outlook).
const MOST_CONNECTIONS: u32 = 4;

/// Bytes of the originals that one batch is asked for. Its answer holds them as base64, in one piece of memory.
const RUN_BYTES: u64 = 8 << 20;

/// Describes a [`GraphSource`]. `Debug` shows no address, account or proxy.
#[must_use = "nothing happens before build"]
pub struct GraphSourceBuilder {
    cloud: GraphCloud,
    service_url: Option<String>,
    sign_in: Option<SignIn>,
    scope: Scope,
    http: HttpOptions,
    mailbox: Option<String>,
    connections: u32,
    repeats: usize,
    largest_item: u64,
    longest_wait: Duration,
    gate: ThrottlingGate,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

enum SignIn {
    Provided(Arc<dyn CredentialProvider>),
    #[cfg(feature = "oauth2")]
    App(Arc<dyn TokenSource>),
    #[cfg(feature = "oauth2")]
    Delegated(Arc<dyn TokenSource>),
}

impl SignIn {
    fn name(&self) -> &'static str {
        match self {
            Self::Provided(_) => "access token",
            #[cfg(feature = "oauth2")]
            Self::App(_) => "application",
            #[cfg(feature = "oauth2")]
            Self::Delegated(_) => "delegated",
        }
    }
}

impl fmt::Debug for GraphSourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphSourceBuilder")
            .field("cloud", &self.cloud)
            .field("sign_in", &self.sign_in.as_ref().map(SignIn::name))
            .field("http", &self.http)
            .field("connections", &self.connections)
            .field("repeats", &self.repeats)
            .field("largest_item", &self.largest_item)
            .field("longest_wait", &self.longest_wait)
            .finish_non_exhaustive()
    }
}

impl GraphSourceBuilder {
    pub(super) fn new() -> Self {
        Self {
            cloud: GraphCloud::default(),
            service_url: None,
            sign_in: None,
            scope: Scope::default(),
            http: HttpOptions::default(),
            mailbox: None,
            connections: MOST_CONNECTIONS,
            repeats: 4,
            largest_item: 150 << 20,
            longest_wait: Duration::from_mins(4),
            gate: ThrottlingGate::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }

    /// Uses Graph in this cloud; the worldwide one if not given.
    pub fn with_cloud(mut self, cloud: GraphCloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// Uses the service at this address instead of a cloud's, for tests and for gateways: everything before `/users` and
    /// `/me`, such as `https://graph.example.com/v1.0`. Where it has no path, `/v1.0` is meant.
    ///
    /// Links to further pages are followed below this address only. Tokens are asked for its scheme, host and port.
    pub fn with_service_url(mut self, url: impl Into<String>) -> Self {
        self.service_url = Some(url.into());
        self
    }

    /// Signs in with access tokens that a provider makes ready (Bearer, RFC 6750).
    ///
    /// The provider is asked for every request, with the origin of the service as resource, and keeps its own cache. After
    /// a 401 it is asked once more.
    pub fn with_access_token(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.sign_in = Some(SignIn::Provided(provider));
        self
    }

    /// Signs in as an application (OAuth 2.0 client credentials), with an identity service
    /// [for Graph](crate::credential::IdentityService::for_graph). The application needs `Mail.ReadWrite`.
    ///
    /// An application has no mailbox of its own, so one has to be given: see [`with_mailbox`](Self::with_mailbox).
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    pub fn with_app_sign_in(mut self, sign_in: crate::credential::AppSignIn) -> Self {
        self.sign_in = Some(SignIn::App(Arc::new(sign_in)));
        self
    }

    /// Signs in for a person who consented once (OAuth 2.0 with a refresh token), with an identity service
    /// [for Graph](crate::credential::IdentityService::for_graph). The person needs `Mail.ReadWrite`, and for a shared
    /// mailbox `Mail.ReadWrite.Shared`.
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    pub fn with_delegated_sign_in(mut self, sign_in: crate::credential::DelegatedSignIn) -> Self {
        self.sign_in = Some(SignIn::Delegated(Arc::new(sign_in)));
        self
    }

    /// Whose credentials the provider is asked for; the default scope if not given.
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Works in this mailbox, by its SMTP address (`/users/{address}`): a shared one, or that which an application is to
    /// read. Without it the signed-in person's own (`/me`).
    pub fn with_mailbox(mut self, smtp_address: impl Into<String>) -> Self {
        self.mailbox = Some(smtp_address.into());
        self
    }

    /// Connects as this says, with its pinned keys.
    pub(crate) fn with_way(mut self, way: &HttpOptions) -> Self {
        self.http.connect_as(way);
        self.http.pinned_keys.clone_from(&way.pinned_keys);
        self
    }

    /// Connects to this address for a host instead of asking the resolver; its certificate still has to be the host's.
    ///
    /// For tests and for name spaces of one's own. The port counts where a URL names none. The address policy holds for it.
    pub fn with_host_address(mut self, host: impl Into<String>, address: SocketAddr) -> Self {
        self.http.host_addresses.push((host.into(), address));
        self
    }

    /// Trusts these root certificates (PEM) instead of the platform's.
    pub fn with_trusted_roots(mut self, pem: impl Into<String>) -> Self {
        self.http.roots = Some(pem.into());
        self
    }

    /// Says which hosts and addresses may be connected to; public addresses only if not given.
    pub fn with_address_policy(mut self, policy: AddressPolicy) -> Self {
        self.http.address_policy = policy;
        self
    }

    /// Looks up hosts with this resolver instead of the system's. Its answers are checked as well.
    pub fn with_name_resolver(mut self, resolver: Arc<dyn NameResolver>) -> Self {
        self.http.name_resolver = resolver;
        self
    }

    /// Accepts only a server with this key: base64 of the SHA-256 of its public key (SubjectPublicKeyInfo), with or without
    /// `sha256/` before it. Given again, it adds a key.
    ///
    /// The key stands instead of an authority; host name and dates have to be right all the same. Microsoft changes the
    /// keys of Graph without notice, so this is for gateways.
    pub fn with_pinned_key(mut self, key: impl Into<String>) -> Self {
        self.http.pinned_keys.push(key.into());
        self
    }

    /// Goes through this HTTP proxy. Without it no proxy is used, whatever the environment says.
    pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
        self.http.proxy = Some(url.into());
        self
    }

    /// Names the program to the server (`User-Agent`).
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.http.user_agent = user_agent.into();
        self
    }

    /// The longest time until a connection stands; default 30 seconds.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.http.connect_timeout = timeout;
        self
    }

    /// The longest time from sending a request to the last byte of its answer; default 10 minutes.
    pub fn with_total_timeout(mut self, timeout: Duration) -> Self {
        self.http.total_timeout = timeout;
        self
    }

    /// The longest time from sending a request that moves or deletes to the last byte of its answer; default 2 minutes, and
    /// never more than [the one of all requests](Self::with_total_timeout).
    ///
    /// A logger moves only under a lease that lasts longer, so its lease
    /// ([`RunSettings::lease`](crate::logger::RunSettings::lease)) has to be more than twice as long: one that is not is
    /// refused when the logger is built.
    pub fn with_change_timeout(mut self, timeout: Duration) -> Self {
        self.http.change_timeout = timeout;
        self
    }

    /// The longest time from sending a request to the first byte of its answer; default 2 minutes.
    ///
    /// Graph works on a whole batch before it answers.
    pub fn with_first_byte_timeout(mut self, timeout: Duration) -> Self {
        self.http.first_byte_timeout = timeout;
        self
    }

    /// The longest time without a byte once an answer has begun; default 60 seconds.
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.http.idle_timeout = timeout;
        self
    }

    /// The largest answer in bytes; default 256 MiB. Answers but for single originals are read into memory as a whole; the
    /// batches are cut so that theirs keep within an eighth of the default, and of half of a smaller limit.
    pub fn with_answer_limit(mut self, bytes: u64) -> Self {
        self.http.body_limit = bytes;
        self
    }

    /// The largest item in bytes, by the size that the server lists; default 150 MiB.
    ///
    /// A larger one is not asked for and fails as `graph.item_too_large`.
    pub fn with_largest_item(mut self, bytes: u64) -> Self {
        self.largest_item = bytes;
        self
    }

    /// The most calls at a time, as [`SourceCapabilities::connections`]; default and most 4.
    ///
    /// However many calls there are, at most 4 requests are open at the mailbox, which is what Graph allows one application:
    /// a batch takes as many of these places as it has parts, and all four from four parts on, as Graph works on four of them
    /// at a time and counts each. All sources with the same [gate](Self::with_gate) share the places.
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.clamp(1, MOST_CONNECTIONS);
        self
    }

    /// How often one call is repeated at most; default 4. A call with an unknown effect is never repeated.
    pub fn with_repeats(mut self, repeats: usize) -> Self {
        self.repeats = repeats;
        self
    }

    /// The longest wait that a call takes upon itself when the server asks for one; default 4 minutes. A longer one is returned
    /// as `Throttled` with the time. A logger renews its lease meanwhile, and sends nothing more once it has lost it. A pool
    /// makes the wait shorter ([`PoolSettings::longest_wait`](crate::logger::PoolSettings::longest_wait)).
    pub fn with_longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// Shares what the server says about waiting with the other sources that have the same gate: those of the same mailbox
    /// with the same credential. A gate of its own if not given.
    pub fn with_gate(mut self, gate: ThrottlingGate) -> Self {
        self.gate = gate;
        self
    }

    /// Takes time and waits from this clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes request ids and jitter from this source of randomness.
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// **Dangerous: sends credentials unencrypted.** Lets `http://` through to a loopback address, for tests against a
    /// server in the same machine, and opens the loopback addresses whatever the [`AddressPolicy`] says. Every other address
    /// still has to be https.
    pub fn dangerously_allow_plain_http_on_loopback(mut self) -> Self {
        self.http.plain_loopback = true;
        self
    }

    /// Checks the description. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Config`: the URL is not https (`config.insecure`) or no URL (`config.invalid`), no sign-in was given or an
    /// application's without a mailbox (`config.missing`), a mailbox that is no mail address (`config.invalid`), a proxy
    /// beside plain http on loopback (`config.insecure`), roots, a pinned key or a proxy that cannot be read, a host or an
    /// address that the policy refuses (`http.host_refused`, `http.address_refused`).
    pub fn build(self) -> Result<GraphSource> {
        let url = match &self.service_url {
            Some(given) => given.as_str(),
            None => self.cloud.origin(),
        };
        let url = ServiceUrl::parse(url, self.http.plain_loopback)?;
        self.check_mailbox()?;
        let http = HttpClient::new(&self.http)?;
        http.check(OPERATION, &url)?;
        let addresses = Addresses::new(&url, self.mailbox.as_deref(), self.http.plain_loopback)?;
        let session = Session {
            auth: bearer(self.sign_in, self.scope, &url)?,
            http,
            gate: Gate::new(
                self.gate,
                Arc::clone(&self.clock),
                Arc::clone(&self.entropy),
                self.longest_wait,
            )
            .with_code(&codes::GRAPH_THROTTLED),
            addresses,
            clock: self.clock,
            entropy: self.entropy,
            repeats: self.repeats,
            longest_change: self.http.longest_change(),
        };
        let slots = usize::try_from(self.connections).unwrap_or(1);
        let capabilities = SourceCapabilities {
            list_page: 1000,
            fetch_batch: 20,
            move_batch: 20,
            connections: self.connections,
            longest_change: Some(self.http.longest_change()),
            ..SourceCapabilities::default()
        };
        Ok(GraphSource {
            inner: Arc::new(Inner {
                session,
                capabilities,
                slots: Semaphore::new(slots),
                known: super::known::KnownFacts::default(),
                foreign: super::fetch::ForeignItems::default(),
                largest_item: self.largest_item,
                run_bytes: RUN_BYTES.min(self.http.body_limit / 4),
            }),
        })
    }

    fn check_mailbox(&self) -> Result<()> {
        #[cfg(feature = "oauth2")]
        if matches!(self.sign_in, Some(SignIn::App(_))) && self.mailbox.is_none() {
            return Err(Error::new(&codes::CONFIG_MISSING, OPERATION)
                .with_detail("an application needs a mailbox to work in: with_mailbox"));
        }
        let is_address = |text: &String| {
            let parts = text.split_once('@');
            parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
                && text.chars().all(|c| !c.is_control() && !c.is_whitespace())
        };
        if self.mailbox.as_ref().is_none_or(is_address) {
            return Ok(());
        }
        Err(Error::new(&codes::CONFIG_INVALID, OPERATION)
            .with_detail("the mailbox is named by its mail address"))
    }
}

fn bearer(sign_in: Option<SignIn>, scope: Scope, url: &ServiceUrl) -> Result<Bearer> {
    let source: Arc<dyn TokenSource> = match sign_in {
        Some(SignIn::Provided(provider)) => {
            Arc::new(ProvidedToken::new(provider, scope, url.origin()))
        }
        #[cfg(feature = "oauth2")]
        Some(SignIn::App(source) | SignIn::Delegated(source)) => source,
        None => {
            return Err(Error::new(&codes::CONFIG_MISSING, OPERATION)
                .with_detail("no sign-in was given: with_access_token"));
        }
    };
    Ok(Bearer::new(source))
}
