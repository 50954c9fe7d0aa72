//! The service URL as a person enters it: nothing, a bare domain, or all of it.

use std::str::FromStr;

use super::OPERATION;
use super::hosts::ascii;
use crate::error::{Error, Result, codes};
use crate::http::ServiceUrl;

/// What a service URL says about where to look.
///
/// Autodiscover is for the first two only: a full URL is used as it is, and nothing is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceLocation {
    /// Nothing: the domain of the mail address is asked, then Microsoft.
    Blank,
    /// A bare domain: it is asked, and nobody else.
    Domain(String),
    /// The whole address of the service.
    Url(String),
}

impl FromStr for ServiceLocation {
    type Err = Error;

    /// Reads what was entered.
    ///
    /// # Errors
    ///
    /// `Config`: `config.invalid` for what is neither a domain nor an https URL, `config.insecure` for http.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::Blank);
        }
        if text.contains("://") {
            ServiceUrl::parse(text, false)?;
            return Ok(Self::Url(text.to_owned()));
        }
        let domain = ascii(text).filter(|domain| domain.contains('.'));
        domain.map(Self::Domain).ok_or_else(|| {
            Error::new(&codes::CONFIG_INVALID, OPERATION)
                .with_detail("a service URL is blank, a domain, or starts with https://")
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_are_told_apart() {
        let full = "https://mail.example.com/EWS/Exchange.asmx";
        for (text, expected) in [
            ("", ServiceLocation::Blank),
            ("  ", ServiceLocation::Blank),
            ("Example.COM", ServiceLocation::Domain("example.com".into())),
            (full, ServiceLocation::Url(full.into())),
        ] {
            assert_eq!(text.parse::<ServiceLocation>().unwrap(), expected, "{text}");
        }
        for (text, code) in [
            ("http://mail.example.com/", "config.insecure"),
            ("ftp://mail.example.com/", "config.invalid"),
            ("exchange", "config.invalid"),
            ("mail.example.com/EWS", "config.invalid"),
            ("user@example.com", "config.invalid"),
            ("10.0.0.1", "config.invalid"),
        ] {
            let error = text.parse::<ServiceLocation>().unwrap_err();
            assert_eq!(error.code(), code, "{text}");
        }
    }
}
