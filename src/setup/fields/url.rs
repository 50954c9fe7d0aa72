//! As much of a URL (RFC 3986) as the rules of the fields need. Without the `ews` feature there is no other parser.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::credential::check_redirect_url;
use crate::error::{Error, Result, codes};

/// A URL with an authority and without credentials.
pub(super) struct Parts {
    /// In lower case.
    pub(super) scheme: String,
    /// In lower case, a domain in ASCII; an IPv6 address without its brackets.
    pub(super) host: String,
    /// Path, query and fragment.
    pub(super) rest: String,
}

impl Parts {
    /// Reads a URL; `None` for what is none, has no host, or holds credentials.
    pub(super) fn read(text: &str) -> Option<Self> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.contains(odd) {
            return None;
        }
        let (scheme, after) = text.split_once("://")?;
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        if authority.contains('@') {
            return None;
        }
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host(authority)?,
            rest: rest.to_owned(),
        })
    }
}

fn host(authority: &str) -> Option<String> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let port = port.strip_prefix(':').or(port.is_empty().then_some("1"))?;
        return (is_port(port) && address.parse::<Ipv6Addr>().is_ok())
            .then(|| address.to_ascii_lowercase());
    }
    let (host, port) = authority.split_once(':').unwrap_or((authority, "1"));
    if !is_port(port) {
        return None;
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return Some(host.to_owned());
    }
    name(host)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A host name in ASCII and lower case (IDNA, UTS 46), without a dot at its end. All digits at the end would be an address in disguise.
fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let name = idna::domain_to_ascii_strict(text).ok()?;
    let last = name.rsplit('.').next()?;
    let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    (!name.is_empty() && !number).then_some(name)
}

/// The domain that a text is: at least two labels, in ASCII and lower case.
pub(super) fn is_domain(text: &str) -> Option<String> {
    let name = name(text)?;
    name.contains('.').then_some(name)
}

/// The redirect URL, by the one rule for it.
pub(super) fn check_redirect(text: &str) -> Result<()> {
    check_redirect_url(text).map_err(|error| {
        if error.code() == codes::CONFIG_INSECURE.code {
            return error;
        }
        let detail = error.detail().unwrap_or_default().to_owned();
        Error::new(&codes::SETUP_REDIRECT_URL, "redirect URL").with_detail(detail)
    })
}
