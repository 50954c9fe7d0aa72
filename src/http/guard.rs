//! From a host to the addresses that may be connected to: one look-up, each answer checked, and nothing else is connected.
//!
//! Owns the look-up of names and the check of what it answers. Knows nothing of requests and of TLS.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::policy::Refused;
use super::{AddressPolicy, HttpOptions, ServiceUrl};
use crate::error::{Error, Result, codes};

/// Looks up the addresses of hosts.
///
/// The system's resolver is used where none is given. Whatever answers, each address is checked against the
/// [`AddressPolicy`] before it is connected to.
#[async_trait]
pub trait NameResolver: fmt::Debug + Send + Sync {
    /// The addresses of a host, in the order in which they are to be tried. Asked once for each new connection.
    ///
    /// # Errors
    ///
    /// The host is not known, or the look-up failed.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug)]
pub(crate) struct SystemResolver;

#[async_trait]
impl NameResolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Answers which addresses may be connected to, for every HTTP stack of this crate.
#[derive(Clone)]
pub(crate) struct AddressGuard {
    policy: AddressPolicy,
    resolver: Arc<dyn NameResolver>,
    /// Hosts whose address is given instead of looked up. It is checked all the same.
    given: BTreeMap<String, SocketAddr>,
    proxy_host: Option<String>,
}

impl fmt::Debug for AddressGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressGuard")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Why there is no address to connect to.
#[derive(Debug, thiserror::Error)]
enum NoAddress {
    #[error("refused: {0}")]
    Refused(Refused),
    #[error("the host name cannot be resolved")]
    Unknown(#[source] io::Error),
}

impl AddressGuard {
    /// The guard of a client with these settings.
    pub(crate) fn new(options: &HttpOptions) -> Self {
        let policy = options.address_policy.clone();
        let given = options.host_addresses.iter();
        let given = given.map(|(host, address)| (name_of(host), *address));
        Self {
            policy: if options.plain_loopback {
                policy.with_loopback()
            } else {
                policy
            },
            resolver: Arc::clone(&options.name_resolver),
            given: given.collect(),
            proxy_host: options.proxy.as_deref().and_then(proxy_host),
        }
    }

    /// Whether a URL may be called, as far as its text says: the list of hosts, and an address in the place of a host.
    ///
    /// # Errors
    ///
    /// `Config` (`http.host_refused`, `http.address_refused`).
    pub(crate) fn check(&self, operation: &'static str, url: &ServiceUrl) -> Result<()> {
        let checked = self.policy.check_url(url);
        checked.map_err(|refused| refused.error(operation))
    }

    /// The addresses of a host (a name, or an address with or without brackets) that may be connected to, at least one.
    /// A caller connects to these and looks nothing up again. The port is the URL's, or the scheme's where the URL names none
    /// and none is given with the address of the host.
    ///
    /// # Errors
    ///
    /// `Config` (`http.address_refused`): every address is refused. `Unavailable` (`http.connect`): there is none.
    #[cfg_attr(not(feature = "ntlm"), allow(dead_code))]
    pub(crate) async fn resolve(
        &self,
        operation: &'static str,
        host: &str,
        port: Port,
    ) -> Result<Vec<SocketAddr>> {
        let found = self.addresses(host).await.map_err(|error| match error {
            NoAddress::Refused(refused) => refused.error(operation),
            unknown @ NoAddress::Unknown(_) => {
                Error::new(&codes::HTTP_CONNECT, operation).with_source(unknown)
            }
        })?;
        let with_port = |mut address: SocketAddr| {
            match port {
                Port::Named(port) => address.set_port(port),
                Port::OfScheme(port) if address.port() == 0 => address.set_port(port),
                Port::OfScheme(_) => {}
            }
            address
        };
        Ok(found.into_iter().map(with_port).collect())
    }

    /// Port 0 leaves the port to the URL.
    async fn addresses(&self, host: &str) -> Result<Vec<SocketAddr>, NoAddress> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = if let Ok(ip) = bare.parse() {
            vec![SocketAddr::new(ip, 0)]
        } else if let Some(given) = self.given.get(&name_of(host)) {
            vec![*given]
        } else {
            let found = self.resolver.resolve(host).await;
            let found = found.map_err(NoAddress::Unknown)?;
            found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()
        };
        if self.proxy_host.as_deref() == Some(host) {
            return Ok(found);
        }
        self.allowed(&found)
    }

    /// The addresses that may be connected to; where there is none, why the first was refused.
    fn allowed(&self, found: &[SocketAddr]) -> Result<Vec<SocketAddr>, NoAddress> {
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.policy.check_address(address.ip()) {
                Ok(()) => allowed.push(*address),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        match (allowed.is_empty(), refused) {
            (false, _) => Ok(allowed),
            (true, Some(why)) => Err(NoAddress::Refused(why)),
            (true, None) => Err(NoAddress::Unknown(io::ErrorKind::NotFound.into())),
        }
    }
}

/// The port of a connection.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "ntlm"), allow(dead_code))]
pub(crate) enum Port {
    /// The URL names it.
    Named(u16),
    /// The URL names none: that of its scheme, unless another is given with the address of the host.
    OfScheme(u16),
}

/// A host as it is compared: without the dot of the root, in lower case.
fn name_of(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// The refusal among the causes of a failed connection.
pub(super) fn refusal(error: &(dyn std::error::Error + 'static)) -> Option<Refused> {
    let found = error.downcast_ref::<NoAddress>();
    found.and_then(|error| match error {
        NoAddress::Refused(refused) => Some(*refused),
        NoAddress::Unknown(_) => None,
    })
}

/// The host of a proxy, which may be written without a scheme.
fn proxy_host(proxy: &str) -> Option<String> {
    let parsed = Url::parse(proxy).ok().filter(Url::has_host);
    let url = parsed.or_else(|| Url::parse(&format!("http://{proxy}")).ok())?;
    url.host_str().map(str::to_owned)
}

/// Names go through the guard; an address in the place of a host is checked before a request is made.
impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.addresses(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers one list after the other.
    #[derive(Debug)]
    struct Rebinding(Mutex<Vec<Vec<IpAddr>>>);

    #[async_trait]
    impl NameResolver for Rebinding {
        async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            let mut answers = self.0.lock().unwrap();
            answers
                .pop()
                .ok_or_else(|| io::Error::other("asked too often"))
        }
    }

    fn guard(policy: AddressPolicy, answers: &[&[&str]]) -> AddressGuard {
        let answers = answers.iter().rev();
        let answers = answers.map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect());
        AddressGuard::new(&HttpOptions {
            address_policy: policy,
            name_resolver: Arc::new(Rebinding(Mutex::new(answers.collect()))),
            ..HttpOptions::default()
        })
    }

    async fn resolved(guard: &AddressGuard, host: &str) -> Result<Vec<String>, &'static str> {
        let found = guard.resolve("test", host, Port::OfScheme(443)).await;
        let text = |found: Vec<SocketAddr>| found.iter().map(ToString::to_string).collect();
        found.map(text).map_err(|error| error.code())
    }

    #[tokio::test]
    async fn what_is_public_first_and_private_next_is_refused_next() {
        let answers: [&[&str]; 4] = [&["8.8.8.8"], &["10.0.0.1"], &[], &["10.0.0.1", "8.8.4.4"]];
        let guard = guard(AddressPolicy::default(), &answers);
        let refused = "http.address_refused";
        for expected in [
            Ok(vec!["8.8.8.8:443".to_owned()]),
            Err(refused),
            Err("http.connect"),
            Ok(vec!["8.8.4.4:443".to_owned()]),
            Err("http.connect"),
        ] {
            assert_eq!(resolved(&guard, "mail.example.com").await, expected);
        }
    }

    #[tokio::test]
    async fn an_address_is_checked_without_a_look_up() {
        let policy = AddressPolicy::on_premises(["10.0.0.0/8"]).unwrap();
        let guard = guard(policy, &[]);
        let refused = Err("http.address_refused");
        for (host, expected) in [
            ("10.0.0.1", Ok(vec!["10.0.0.1:443".to_owned()])),
            ("127.0.0.1", refused.clone()),
            ("[::1]", refused.clone()),
            ("::1", refused.clone()),
            ("fe80::1%eth0", Err("http.connect")),
            ("[2603:1026::1]", Ok(vec!["[2603:1026::1]:443".to_owned()])),
        ] {
            assert_eq!(resolved(&guard, host).await, expected, "{host}");
        }
    }

    #[tokio::test]
    async fn an_address_that_is_given_is_checked_and_its_port_counts_where_none_is_named() {
        let refused = Err("http.address_refused");
        let own = |range| AddressPolicy::on_premises([range]).unwrap();
        for (policy, given, port, expected) in [
            (
                AddressPolicy::default(),
                "127.0.0.1:8443",
                Port::OfScheme(443),
                refused.clone(),
            ),
            (
                own("10.0.0.0/8"),
                "127.0.0.1:8443",
                Port::OfScheme(443),
                refused.clone(),
            ),
            (
                own("127.0.0.1"),
                "169.254.169.254:80",
                Port::OfScheme(443),
                refused,
            ),
            (
                own("127.0.0.1"),
                "127.0.0.1:8443",
                Port::OfScheme(443),
                Ok(vec!["127.0.0.1:8443".to_owned()]),
            ),
            (
                own("127.0.0.1"),
                "127.0.0.1:0",
                Port::OfScheme(443),
                Ok(vec!["127.0.0.1:443".to_owned()]),
            ),
            (
                own("127.0.0.1"),
                "127.0.0.1:8443",
                Port::Named(444),
                Ok(vec!["127.0.0.1:444".to_owned()]),
            ),
        ] {
            let guard = AddressGuard::new(&HttpOptions {
                address_policy: policy,
                name_resolver: Arc::new(Rebinding(Mutex::default())),
                host_addresses: vec![("Mail.Example.com".to_owned(), given.parse().unwrap())],
                ..HttpOptions::default()
            });
            let found = guard.resolve("test", "mail.example.com", port).await;
            let text = |found: Vec<SocketAddr>| found.iter().map(ToString::to_string).collect();
            assert_eq!(
                found.map(text).map_err(|error| error.code()),
                expected,
                "{given}"
            );
        }
    }

    #[tokio::test]
    async fn an_address_that_is_given_for_a_host_counts_for_no_other() {
        let guard = AddressGuard::new(&HttpOptions {
            name_resolver: Arc::new(Rebinding(Mutex::new(vec![vec![[8, 8, 4, 4].into()]]))),
            host_addresses: vec![("mail.example.com.".to_owned(), ([8, 8, 8, 8], 8443).into())],
            ..HttpOptions::default()
        });
        for (host, expected) in [
            ("MAIL.example.com", "8.8.8.8:8443"),
            ("login.example.com", "8.8.4.4:443"),
        ] {
            let found = resolved(&guard, host).await;
            assert_eq!(found, Ok(vec![expected.to_owned()]), "{host}");
        }
    }

    #[test]
    fn the_host_of_a_proxy_is_found_however_it_is_written() {
        for (proxy, host) in [
            ("http://proxy.example:3128", Some("proxy.example")),
            ("HTTP://user:secret@Proxy.Example", Some("proxy.example")),
            ("proxy.example:3128", Some("proxy.example")),
            ("proxy.example", Some("proxy.example")),
            ("10.0.0.1:3128", Some("10.0.0.1")),
            ("", None),
        ] {
            assert_eq!(proxy_host(proxy).as_deref(), host, "{proxy}");
        }
    }
}
