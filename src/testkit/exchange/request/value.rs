//! Property values that can be compared with each other and with the constants of a restriction.

use std::cmp::Ordering;

use base64_simd::STANDARD;
use jiff::Timestamp;

/// The value of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
    Boolean(bool),
    Time(Timestamp),
    Binary(Vec<u8>),
}

impl Value {
    /// Reads a constant as a value of the same type as this one.
    pub(crate) fn read_like(&self, constant: &str) -> Option<Self> {
        match self {
            Self::Text(_) => Some(Self::Text(constant.to_owned())),
            Self::Number(_) => constant.trim().parse().ok().map(Self::Number),
            Self::Boolean(_) => super::boolean(constant).ok().map(Self::Boolean),
            Self::Time(_) => constant.trim().parse().ok().map(Self::Time),
            Self::Binary(_) => STANDARD
                .decode_to_vec(constant.trim())
                .ok()
                .map(Self::Binary),
        }
    }

    /// Orders two values; text without regard to case, as Exchange does.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Binary(a), Self::Binary(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The value as EWS writes it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::Time(at) => super::super::store::clock::text(*at),
            Self::Binary(bytes) => STANDARD.encode_to_string(bytes),
        }
    }
}

/// Something whose properties can be looked up.
pub(crate) trait Properties {
    fn value(&self, path: &super::property::PropertyPath) -> Option<Value>;
}
