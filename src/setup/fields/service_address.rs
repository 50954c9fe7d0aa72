//! The three things that the service URL may be.

use super::url::{Parts, is_domain};
use crate::error::{Error, Result, codes};

/// How the Exchange service is found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceAddress {
    /// Blank: by autodiscovery from the e-mail address.
    Autodiscover,
    /// A domain, in ASCII and lower case: by autodiscovery at this domain.
    Domain(String),
    /// The service itself; nothing is looked up.
    Url(String),
}

/// Domains of Exchange Online, in all of its clouds, and those that Microsoft gives to its tenants.
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
    "partner.outlook.cn",
    "onmicrosoft.com",
    "onmicrosoft.us",
    "onmschina.cn",
];

impl ServiceAddress {
    /// Reads the field.
    ///
    /// A URL must be https and hold neither credentials nor a query; a domain has at least two labels and nothing around
    /// it.
    ///
    /// # Errors
    ///
    /// `Config`: `config.insecure` for plain http, `setup.service_url` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::Autodiscover);
        }
        if !text.contains("://") {
            return is_domain(text)
                .map(Self::Domain)
                .ok_or_else(|| invalid("a domain is written as example.com"));
        }
        let url = Parts::read(text).ok_or_else(|| invalid("the URL cannot be read"))?;
        match url.scheme.as_str() {
            "https" => {}
            "http" => return Err(Error::new(&codes::CONFIG_INSECURE, "service URL")),
            _ => return Err(invalid("the URL must start with https")),
        }
        if url.rest.contains(['?', '#']) {
            return Err(invalid("the URL has a query or a fragment"));
        }
        Ok(Self::Url(text.to_owned()))
    }

    /// Whether it names Exchange Online, in any of its clouds. A blank or an own domain does not tell.
    pub fn is_exchange_online(&self) -> bool {
        let host = match self {
            Self::Autodiscover => return false,
            Self::Domain(domain) => domain.clone(),
            Self::Url(text) => Parts::read(text).map(|url| url.host).unwrap_or_default(),
        };
        EXCHANGE_ONLINE.iter().any(|domain| {
            let rest = host.strip_suffix(domain);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

fn invalid(detail: &'static str) -> Error {
    Error::new(&codes::SETUP_SERVICE_URL, "service URL").with_detail(detail)
}
