//! Addresses in the one form that matching uses.
//!
//! Owns the types and the normal form; knows nothing of header fields, lists or display names.

mod exchange;
mod parse;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, codes};

/// One participant as a header or the server names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Mailbox {
    /// The display name, decoded, for people only.
    pub name: Option<String>,
    /// The address.
    pub address: MailAddress,
}

impl Mailbox {
    /// A participant with an SMTP address and no name.
    pub fn smtp(address: Address) -> Self {
        Self {
            name: None,
            address: MailAddress::Smtp(address),
        }
    }
}

/// What stands where an address is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum MailAddress {
    /// A usable addr-spec (RFC 5322).
    Smtp(Address),
    /// An Exchange address (X.500 legacyExchangeDN) that nobody resolved.
    Exchange(String),
    /// Text that cannot be used for a match.
    Unusable(UnusableAddress),
}

impl MailAddress {
    /// What a text in the place of an addr-spec is.
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Unusable(UnusableAddress::NameOnly);
        }
        if let Some(name) = exchange::read(text) {
            return Self::Exchange(name);
        }
        match Address::parse(text) {
            Ok(address) => Self::Smtp(address),
            Err(reason) => Self::Unusable(reason),
        }
    }

    /// The address that a match may use.
    pub fn smtp(&self) -> Option<&Address> {
        match self {
            Self::Smtp(address) => Some(address),
            Self::Exchange(_) | Self::Unusable(_) => None,
        }
    }
}

/// Why a text cannot be used for a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum UnusableAddress {
    /// There is only a name.
    NameOnly,
    /// No local part or no domain, or characters that RFC 5322 and RFC 6531 do not allow.
    Malformed,
    /// An encoded-word (RFC 2047) inside the addr-spec, where it is forbidden.
    EncodedWord,
    /// Invisible or bidirectional control characters.
    Invisible,
    /// A domain that UTS 46 refuses.
    Domain,
    /// Longer than 320 bytes.
    TooLong,
}

/// An addr-spec in the form that matching compares: local part and domain in lower case, the domain
/// in ASCII (IDNA, UTS 46), a quoted local part unquoted where its quotes are not needed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct Address(Box<str>);

impl Address {
    /// Reads one addr-spec, without a display name and without angle brackets.
    ///
    /// Comments and white space where RFC 5322 allows them are left out. Both parts are compared
    /// without regard to case, so both are lowered. An encoded-word (RFC 2047) is never decoded: it
    /// is forbidden inside an addr-spec, and decoding it could make another address. Letters of
    /// another script that look alike stay another address. Reading the [`as_str`](Self::as_str) of
    /// an address again gives the same address.
    ///
    /// # Errors
    ///
    /// The reason why the text cannot be used for a match.
    pub fn parse(text: &str) -> Result<Self, UnusableAddress> {
        parse::normalize(text).map(|normal| Self(normal.into_boxed_str()))
    }

    /// The normalised addr-spec.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain, in ASCII and lower case.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address([redacted])")
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text).map_err(|_| Error::new(&codes::ADDRESS_INVALID, "Address::from_str"))
    }
}
