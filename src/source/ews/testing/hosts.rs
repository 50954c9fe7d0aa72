//! Hooks for the rules about addresses: which URL may be called, where autodiscover may lead.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::autodiscover::{Hosts, service_url_in};
use crate::error::Result;
use crate::http::{AddressPolicy, ServiceUrl};
use crate::source::ews::AutodiscoverCloud;

/// What is known of an address that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedUrl {
    /// The address as it is called.
    pub url: String,
    /// Scheme, host and port.
    pub origin: String,
    /// Its host.
    pub host: String,
    /// Whether it belongs to Exchange Online.
    pub online: bool,
    /// What `Debug` shows of it.
    pub shown: String,
}

/// Checks an address as a builder does.
///
/// # Errors
///
/// As a builder would raise it.
pub fn service_url(text: &str, plain_loopback: bool) -> Result<CheckedUrl> {
    let url = ServiceUrl::parse(text, plain_loopback)?;
    Ok(CheckedUrl {
        url: url.as_url().to_string(),
        origin: url.origin(),
        host: url.as_url().host_str().unwrap_or_default().to_owned(),
        online: url.is_exchange_online(),
        shown: format!("{url:?}"),
    })
}

/// Whether a policy lets this address be called, as far as its text says.
///
/// # Errors
///
/// As [`service_url`].
pub fn policy_allows(policy: &AddressPolicy, text: &str) -> Result<bool> {
    let url = ServiceUrl::parse(text, false)?;
    Ok(policy.check_url(&url).is_ok())
}

/// Whether a policy lets this address of a network be called.
pub fn policy_allows_address(policy: &AddressPolicy, address: IpAddr) -> bool {
    policy.check_address(address).is_ok()
}

/// What autodiscover for a domain makes of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools)]
pub struct HostRules {
    /// It may be asked.
    pub ask: bool,
    /// It may get an access token.
    pub trusted: bool,
    /// The service may be there.
    pub serve: bool,
    /// An address may be redirected to it as a domain.
    pub admitted: bool,
}

/// The rules of autodiscover for a domain; `None` where nothing may be asked about it.
pub fn autodiscover_rules(domain: &str, host: &str) -> Option<HostRules> {
    let hosts = Hosts::new(domain, AutodiscoverCloud::Worldwide, &BTreeSet::new()).ok()?;
    Some(HostRules {
        ask: hosts.may_ask(host),
        trusted: hosts.is_trusted(host),
        serve: hosts.may_serve(host),
        admitted: hosts.clone().admit(host),
    })
}

/// The address in an answer of JSON autodiscover.
pub fn autodiscover_json(answer: &[u8]) -> Option<String> {
    service_url_in(answer)
}
