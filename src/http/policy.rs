//! Which hosts and addresses a connection may go to: what an embedding host decides, and no administrator of a tenant.
//!
//! Owns [`AddressPolicy`]. Knows nothing of resolving and connecting.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

use super::ServiceUrl;
use super::reach::{Reach, carried, reach};
use crate::error::{Code, Error, Result, codes};
use crate::exchange_online;

const OPERATION: &str = "AddressPolicy";

/// Which hosts and addresses a connection may go to.
///
/// The service URL is often typed by an administrator of one tenant, while the requests leave from the network of the
/// program that serves them all. So the program says where they may go:
///
/// - **Addresses.** Without ranges only public addresses are connected to. Loopback, private networks (RFC 1918, unique local
///   addresses), carrier-grade NAT, documentation and reserved addresses need a range that holds them. Link-local,
///   multicast and unspecified addresses and the metadata services of clouds are refused whatever ranges are given.
///   An IPv6 address that carries an IPv4 address counts as that one. What is checked is the address that is then connected
///   to, so a name that resolves to one address now and to another one later gains nothing.
/// - **Hosts.** Without a list every host may be called. Once a host, a domain or Exchange Online is named, only what is
///   named may be.
///
/// Behind a proxy only the proxy is connected to, and it is the proxy that resolves the host: then the list of hosts holds,
/// and an address in the place of a host is checked, but not what the proxy makes of a name. The proxy's own address is not
/// checked, for it is the program's choice.
///
/// # Example
///
/// ```
/// use email_logging::source::ews::AddressPolicy;
///
/// let hosted = AddressPolicy::default().with_exchange_online();
/// let premises = AddressPolicy::on_premises(["10.0.0.0/8", "fd12:3456::/32"])?.with_domain("corp.example")?;
/// assert_eq!(AddressPolicy::on_premises(["10.0.0.0/99"]).unwrap_err().code(), "config.invalid");
/// # Ok::<(), email_logging::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    hosts: Vec<HostRule>,
    ranges: Vec<IpNet>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostRule {
    Host(String, u16),
    Domain(String, u16),
    ExchangeOnline,
}

/// Why an address or a host is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The host is not on the list.
    #[error("the host is not on the list of those that may be called")]
    Host,
    /// The address lies where nothing may be called; with a word for it.
    #[error("a {0} address")]
    Address(&'static str),
}

impl Refused {
    /// The error of an operation.
    pub(crate) fn error(self, operation: &'static str) -> Error {
        let code: &'static Code = match self {
            Self::Host => return Error::new(&codes::HTTP_HOST_REFUSED, operation),
            Self::Address(_) => &codes::HTTP_ADDRESS_REFUSED,
        };
        Error::new(code, operation).with_detail(self.to_string())
    }
}

impl AddressPolicy {
    /// The policy of a server in networks of its own: these ranges (`10.0.0.0/8`, `fd12:3456::/32`, or one address) are open
    /// beside the public ones.
    ///
    /// # Errors
    ///
    /// `Config` (`config.invalid`): a text is no range.
    pub fn on_premises<S: AsRef<str>>(ranges: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut ranges = ranges.into_iter();
        ranges.try_fold(Self::default(), |policy, range| {
            policy.with_range(range.as_ref())
        })
    }

    /// Opens one more range (`10.0.0.0/8`, `fd12:3456::/32`, or one address).
    ///
    /// # Errors
    ///
    /// `Config` (`config.invalid`): the text is no range.
    pub fn with_range(mut self, range: &str) -> Result<Self> {
        let range = range.trim();
        let one = || range.parse::<IpAddr>().map(IpNet::from);
        let range = range.parse::<IpNet>().or_else(|_| one());
        let range = range.map_err(|_| invalid("a range is an address and the bits that count"))?;
        self.ranges.push(range.trunc());
        Ok(self)
    }

    /// Allows one host, on port 443 or on the port that stands behind it (`mail.example.com:8443`).
    ///
    /// # Errors
    ///
    /// `Config` (`config.invalid`): the text is no host.
    pub fn with_host(mut self, host: &str) -> Result<Self> {
        let (host, port) = host_and_port(host)?;
        self.hosts.push(HostRule::Host(host, port));
        Ok(self)
    }

    /// Allows a domain and every host below it, on port 443 or on the port that stands behind it.
    ///
    /// # Errors
    ///
    /// `Config` (`config.invalid`): the text is no domain, an IP address, or a whole top-level domain.
    pub fn with_domain(mut self, domain: &str) -> Result<Self> {
        let (domain, port) = host_and_port(domain)?;
        if !domain.contains('.') || literal(&domain).is_some() {
            return Err(invalid(
                "a domain has at least two labels and is no address",
            ));
        }
        self.hosts.push(HostRule::Domain(domain, port));
        Ok(self)
    }

    /// Allows the hosts of Exchange Online, of every cloud, on port 443.
    #[must_use]
    pub fn with_exchange_online(mut self) -> Self {
        self.hosts.push(HostRule::ExchangeOnline);
        self
    }

    /// The same addresses, and every host: for a server that the program chose and no administrator.
    #[cfg_attr(not(feature = "oauth2"), allow(dead_code))]
    pub(crate) fn without_hosts(mut self) -> Self {
        self.hosts.clear();
        self
    }

    /// Opens the addresses of this machine.
    pub(crate) fn with_loopback(mut self) -> Self {
        let loopback = [[127, 0, 0, 0].into(), std::net::Ipv6Addr::LOCALHOST.into()];
        let nets = loopback.into_iter().zip([8, 128]);
        let nets = nets.filter_map(|(ip, length)| IpNet::new(ip, length).ok());
        self.ranges.extend(nets);
        self
    }

    /// Whether a URL may be called, as far as its text says.
    pub(crate) fn check_url(&self, url: &ServiceUrl) -> Result<(), Refused> {
        let url = url.as_url();
        let host = bare(url.host_str().unwrap_or_default());
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.hosts.is_empty() && !self.hosts.iter().any(|rule| rule.holds(host, port)) {
            return Err(Refused::Host);
        }
        literal(host).map_or(Ok(()), |ip| self.check_address(ip))
    }

    /// Whether an address may be connected to.
    pub(crate) fn check_address(&self, ip: IpAddr) -> Result<(), Refused> {
        let ip = carried(ip);
        match reach(ip) {
            Reach::Public => Ok(()),
            Reach::Own(_) if self.ranges.iter().any(|range| range.contains(&ip)) => Ok(()),
            Reach::Own(word) | Reach::Never(word) => Err(Refused::Address(word)),
        }
    }
}

impl HostRule {
    fn holds(&self, host: &str, port: u16) -> bool {
        match self {
            Self::Host(allowed, on) => host == allowed && port == *on,
            Self::Domain(domain, on) => {
                let rest = host.strip_suffix(domain.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) && port == *on
            }
            Self::ExchangeOnline => exchange_online::is_service(host) && port == 443,
        }
    }
}

fn invalid(detail: &'static str) -> Error {
    Error::new(&codes::CONFIG_INVALID, OPERATION).with_detail(detail)
}

/// A host and its port as a URL has them: in lower case, punycode, and addresses in their one spelling.
fn host_and_port(text: &str) -> Result<(String, u16)> {
    let refused = || invalid("a host is a name or an address, and a port if it is not 443");
    if text.contains(['/', '\\', '?', '#', '@', '*']) {
        return Err(refused());
    }
    let url = Url::parse(&format!("https://{}/", text.trim())).map_err(|_| refused())?;
    let host = bare(url.host_str().unwrap_or_default()).to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    Some((host, port))
        .filter(|(host, _)| !host.is_empty())
        .ok_or_else(refused)
}

/// A host of a URL without the dot of the root and without brackets.
fn bare(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The address in the place of a host, which a parsed URL has in its one spelling.
fn literal(host: &str) -> Option<IpAddr> {
    bare(host).parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn without_its_hosts_a_policy_keeps_its_ranges() {
        let ranges = AddressPolicy::on_premises(["10.0.0.0/8"]).unwrap();
        let listed = ranges.clone().with_host("mail.example.com").unwrap();
        assert_eq!(listed.without_hosts(), ranges);
    }
}
