//! Where a browser may be sent back to after a sign-in, and the address that a host would choose.

use std::net::Ipv6Addr;

use crate::error::{Error, Result, codes};

const OPERATION: &str = "redirect URL";

/// The page of the original that takes the answer of the identity service.
const LANDING_PAGE: &str = "OAuthLanding.htm";

/// Characters of a redirect URL (Exchange Redirect URL).
const LIMIT: usize = 2048;

/// The redirect URL that follows from a host's base URL: its page `OAuthLanding.htm`, as in Business Central.
///
/// The base may end with a slash or not, and may have a path; white space around it is left out.
///
/// # Errors
///
/// As [`check_redirect_url`]; also where the base has a query (`config.invalid`).
pub fn suggested_redirect_url(base_url: &str) -> Result<String> {
    let base = base_url.trim();
    check_redirect_url(base)?;
    let url = format!("{}/{LANDING_PAGE}", base.trim_end_matches('/'));
    check_redirect_url(&url)?;
    Ok(url)
}

/// Checks a redirect URL: https, or http to exactly `127.0.0.1`, `[::1]` or `localhost`; no user name, no query, no fragment
/// (RFC 6749, 3.1.2), no white space, ASCII only, at most 2048 characters.
///
/// `localhost` is let through because Microsoft's identity platform registers it and refuses `http://127.0.0.1` in its forms.
/// A name may resolve elsewhere (RFC 8252, 8.3): whoever can choose, registers the address.
///
/// # Errors
///
/// `Config`: `config.insecure` where it is http to anything but these, `config.invalid` else.
pub fn check_redirect_url(url: &str) -> Result<()> {
    if url.len() > LIMIT {
        return Err(invalid("it has more than 2048 characters"));
    }
    if url.contains(['#', '?']) {
        return Err(invalid("it has a query or a fragment"));
    }
    let odd = |byte: u8| !byte.is_ascii_graphic() || br#"\"<>^`{|}"#.contains(&byte);
    if url.bytes().any(odd) {
        return Err(invalid("it has a character that must be escaped"));
    }
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| invalid("it is no URL"))?;
    let (authority, _) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(invalid("it has a user name"));
    }
    let host = host(authority).ok_or_else(|| invalid("it has no host or no valid port"))?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(()),
        "http" if ["127.0.0.1", "[::1]", "localhost"].contains(&host) => Ok(()),
        "http" => {
            let insecure = Error::new(&codes::CONFIG_INSECURE, OPERATION);
            Err(insecure
                .with_detail("http is for this machine alone: 127.0.0.1, [::1] or localhost"))
        }
        _ => Err(invalid("it must start with https")),
    }
}

/// The host of an authority, if it and the port are valid.
fn host(authority: &str) -> Option<&str> {
    let end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(end)?;
    let valid = match host.strip_prefix('[') {
        Some(literal) => literal.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok(),
        None => host.split('.').all(is_label),
    };
    (valid && is_port(port)).then_some(host)
}

fn is_label(label: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !label.is_empty() && label.chars().all(letter)
}

/// Nothing, or a colon and a number.
fn is_port(port: &str) -> bool {
    let Some(digits) = port.strip_prefix(':') else {
        return port.is_empty();
    };
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    number && digits.parse::<u16>().is_ok_and(|port| port > 0)
}

fn invalid(detail: &'static str) -> Error {
    Error::new(&codes::CONFIG_INVALID, OPERATION).with_detail(detail)
}
