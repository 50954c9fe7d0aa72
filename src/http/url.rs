//! Which addresses may be called at all.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use crate::error::{Error, Result, codes};

/// An address that was checked: https, or plain http to a loopback address where that was asked for.
#[derive(Clone)]
pub(crate) struct ServiceUrl(Url);

impl ServiceUrl {
    /// Checks an address.
    ///
    /// # Errors
    ///
    /// `Config` (`config.invalid`, `config.insecure`).
    pub(crate) fn parse(text: &str, plain_loopback: bool) -> Result<Self> {
        let invalid = |detail: &'static str| {
            Error::new(&codes::CONFIG_INVALID, "service URL").with_detail(detail)
        };
        let url = Url::parse(text.trim()).map_err(|_| invalid("the service URL is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("the service URL must not hold credentials"));
        }
        if url.fragment().is_some() {
            return Err(invalid("the service URL must not hold a fragment"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("the service URL has no host"));
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if plain_loopback && is_loopback(&url) => Ok(Self(url)),
            "http" => Err(Error::new(&codes::CONFIG_INSECURE, "service URL")),
            _ => Err(invalid("the service URL must start with https")),
        }
    }

    /// The address for the client.
    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }

    /// Scheme, host and port: what a token is asked for.
    #[cfg_attr(not(feature = "ews"), allow(dead_code))]
    pub(crate) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Whether the host belongs to Exchange Online, in any of its clouds.
    pub(crate) fn is_exchange_online(&self) -> bool {
        is_exchange_online(self.0.host_str().unwrap_or_default())
    }
}

/// Whether a host belongs to Exchange Online, in any of its clouds.
pub(super) fn is_exchange_online(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    EXCHANGE_ONLINE.iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Domains of Exchange Online: worldwide, US government and its Department of Defense, operated by 21Vianet, and the former German cloud.
const EXCHANGE_ONLINE: &[&str] = &[
    "outlook.com",
    "office.com",
    "office365.com",
    "office365.us",
    "office.us",
    "outlook.us",
    "outlook.cn",
    "office365.cn",
    "office.de",
    "outlook.de",
    "outlook.cloud.microsoft",
    "apps.mil",
];

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}",
            self.0.origin().ascii_serialization(),
            self.0.path()
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_asked_for_loopback_pass() {
        for (text, plain, code) in [
            (
                "http://mail.example.com/EWS/Exchange.asmx",
                true,
                "config.insecure",
            ),
            ("http://127.0.0.1:1/", false, "config.insecure"),
            ("http://localhost:1/", true, "config.insecure"),
            ("http://127.0.0.1.example.com/", true, "config.insecure"),
            ("http://10.0.0.1/", true, "config.insecure"),
            ("ftp://mail.example.com/", true, "config.invalid"),
            (
                "https://user:secret@mail.example.com/",
                false,
                "config.invalid",
            ),
            ("https://user@mail.example.com/", false, "config.invalid"),
            ("https://mail.example.com/#x", false, "config.invalid"),
            ("mail.example.com", false, "config.invalid"),
            ("", false, "config.invalid"),
        ] {
            assert_eq!(
                ServiceUrl::parse(text, plain).unwrap_err().code(),
                code,
                "{text}"
            );
        }
        for (text, plain) in [
            ("https://mail.example.com/EWS/Exchange.asmx", false),
            ("http://127.0.0.1:18081/EWS/Exchange.asmx", true),
            ("http://[::1]:18081/EWS/Exchange.asmx", true),
        ] {
            assert!(ServiceUrl::parse(text, plain).is_ok(), "{text}");
        }
    }

    #[test]
    fn exchange_online_is_known_in_every_cloud() {
        for (host, online) in [
            ("outlook.office365.com", true),
            ("OUTLOOK.office.com", true),
            ("outlook.office365.com.", true),
            ("x.prod.outlook.com", true),
            ("outlook.office365.us", true),
            ("partner.outlook.cn", true),
            ("outlook.cloud.microsoft", true),
            ("webmail.apps.mil", true),
            ("cloud.microsoft", false),
            ("notapps.mil", false),
            ("mail.example.com", false),
            ("notoutlook.com", false),
            ("outlook.com.example.com", false),
        ] {
            let url = ServiceUrl::parse(&format!("https://{host}/"), false).unwrap();
            assert_eq!(url.is_exchange_online(), online, "{host}");
        }
    }
}
