//! What follows from a change, for the person who made it and for the code that has to act on it.

use std::fmt;

use super::SetupField;
use crate::store::SecretName;

/// What a change did, and what has to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Consequence {
    /// The field has another value.
    Changed(SetupField),
    /// The field was emptied because another one changed.
    Cleared(SetupField),
    /// A secret is no longer needed and is erased, if there is one.
    EraseSecret(SecretName),
    /// A connection that is open leads to another place or account: it is thrown away.
    Reconnect,
    /// An administrator has to sign in again before logging can be enabled.
    SignInAgain,
}

impl Consequence {
    /// The secrets that these consequences erase.
    pub fn secrets(consequences: &[Self]) -> Vec<SecretName> {
        let secret = |consequence: &Self| match consequence {
            Self::EraseSecret(name) => Some(*name),
            _ => None,
        };
        consequences.iter().filter_map(secret).collect()
    }

    /// The stable code: what happened.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Changed(_) => "changed",
            Self::Cleared(_) => "cleared",
            Self::EraseSecret(_) => "erase-secret",
            Self::Reconnect => "reconnect",
            Self::SignInAgain => "sign-in-again",
        }
    }

    /// The stable code of the field or the secret that it concerns.
    pub fn subject(&self) -> Option<&'static str> {
        match self {
            Self::Changed(field) | Self::Cleared(field) => Some(field.code()),
            Self::EraseSecret(name) => Some(name.code()),
            Self::Reconnect | Self::SignInAgain => None,
        }
    }
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(field) => write!(f, "The {field} was changed."),
            Self::Cleared(field) => write!(f, "The {field} was cleared."),
            Self::EraseSecret(name) => write!(f, "The {} is erased.", secret_words(*name)),
            Self::Reconnect => f.write_str("The connection to Exchange is made anew."),
            Self::SignInAgain => f.write_str("An administrator has to sign in again."),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Consequence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Consequence", 2)?;
        fields.serialize_field("is", self.code())?;
        fields.serialize_field("subject", &self.subject())?;
        fields.end()
    }
}

fn secret_words(name: SecretName) -> &'static str {
    match name {
        SecretName::ClientSecret => "client secret",
        SecretName::CertificateKey => "key of the certificate",
        SecretName::AccountPassword => "password of the account",
        SecretName::RefreshToken => "refresh token",
    }
}
