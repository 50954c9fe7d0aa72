//! What a host may set about HTTP.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::guard::SystemResolver;
use super::{AddressPolicy, NameResolver};

/// The settings of one client.
#[derive(Clone)]
pub(crate) struct HttpOptions {
    /// Until a connection stands.
    pub(crate) connect_timeout: Duration,
    /// From the request to the first byte of its answer.
    pub(crate) first_byte_timeout: Duration,
    /// Between two pieces of an answer.
    pub(crate) idle_timeout: Duration,
    /// From the first byte sent to the last byte read.
    pub(crate) total_timeout: Duration,
    /// The same for a request that moves or deletes.
    pub(crate) change_timeout: Duration,
    /// Bytes of one answer.
    pub(crate) body_limit: u64,
    /// The text that names this program to the server.
    pub(crate) user_agent: String,
    /// Roots to trust instead of the platform's, PEM.
    pub(crate) roots: Option<String>,
    /// The keys that the server may have (SHA-256 of the public key, base64); any if there is none.
    pub(crate) pinned_keys: Vec<String>,
    /// Which hosts and addresses may be called.
    pub(crate) address_policy: AddressPolicy,
    /// Who looks up the addresses of hosts.
    pub(crate) name_resolver: Arc<dyn NameResolver>,
    /// The proxy to use; none is used unless it is given.
    pub(crate) proxy: Option<String>,
    /// Whether `http` to a loopback address is let through.
    pub(crate) plain_loopback: bool,
    /// Hosts whose address is given instead of asked for; the port counts where the URL names none.
    pub(crate) host_addresses: Vec<(String, SocketAddr)>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(30),
            first_byte_timeout: Duration::from_mins(2),
            idle_timeout: Duration::from_mins(1),
            total_timeout: Duration::from_mins(10),
            change_timeout: Duration::from_mins(2),
            body_limit: 256 << 20,
            user_agent: concat!("email-logging/", env!("CARGO_PKG_VERSION")).into(),
            roots: None,
            pinned_keys: Vec::new(),
            address_policy: AddressPolicy::default(),
            name_resolver: Arc::new(SystemResolver),
            proxy: None,
            plain_loopback: false,
            host_addresses: Vec::new(),
        }
    }
}

impl HttpOptions {
    /// The longest time of a request that moves or deletes.
    pub(crate) fn longest_change(&self) -> Duration {
        self.change_timeout.min(self.total_timeout)
    }

    /// Connects as another client does: to the same addresses and by the same name, with limits of its own. Pinned keys are
    /// those of one server and are not taken over.
    pub(crate) fn connect_as(&mut self, other: &Self) {
        self.user_agent.clone_from(&other.user_agent);
        self.roots.clone_from(&other.roots);
        self.address_policy.clone_from(&other.address_policy);
        self.name_resolver = Arc::clone(&other.name_resolver);
        self.proxy.clone_from(&other.proxy);
        self.plain_loopback = other.plain_loopback;
        self.host_addresses.clone_from(&other.host_addresses);
    }
}

/// Roots and proxy are left out: a proxy's address may hold credentials.
impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("first_byte_timeout", &self.first_byte_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("change_timeout", &self.change_timeout)
            .field("body_limit", &self.body_limit)
            .field("own_roots", &self.roots.is_some())
            .field("pinned_keys", &self.pinned_keys.len())
            .field("own_proxy", &self.proxy.is_some())
            .field("plain_loopback", &self.plain_loopback)
            .finish_non_exhaustive()
    }
}
