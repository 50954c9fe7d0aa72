//! Where sealed secrets are kept. A store never sees a secret in the clear: it keeps envelopes.

use std::fmt::{self, Debug};

use async_trait::async_trait;

use crate::error::Result;
use crate::scope::Scope;

/// Keeps the sealed secrets of each scope. It holds no key and cannot open them.
#[async_trait]
pub trait SecretStore: Debug + Send + Sync + 'static {
    /// The envelope of a secret, if one is stored.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn load_secret(&self, scope: &Scope, name: SecretName) -> Result<Option<StoredSecret>>;

    /// Stores an envelope if the stored one still has the expected version; 0 where none is stored. Answers the new
    /// version, which no earlier envelope of this name in this scope had, erased ones included.
    ///
    /// # Errors
    ///
    /// `Conflict` (`secret.version`) where it was changed meanwhile; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: load it again.
    async fn save_secret(
        &self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        expected_version: u64,
    ) -> Result<u64>;

    /// Erases these secrets, so that no byte of their envelopes is left in what the store writes to, journals included.
    /// One that is not stored is passed over.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    async fn erase_secrets(&self, scope: &Scope, names: &[SecretName]) -> Result<()>;

    /// Where secrets are stored, in every scope, by scope and name. It answers places and ids of keys, no envelope: whoever
    /// changes the host's key has to find each secret that the old one wraps, whosever it is.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`; also where a secret has a name that this version does not know.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn list_secrets(&self) -> Result<Vec<SecretPlace>>;
}

/// Where a secret is stored, and which key of the host wraps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SecretPlace {
    /// Whose secret it is.
    pub scope: Scope,
    /// Which secret.
    pub name: SecretName,
    /// Which key of the host wraps the key of the record.
    pub key_id: String,
}

impl SecretPlace {
    /// The place of a secret.
    pub fn new(scope: Scope, name: SecretName, key_id: impl Into<String>) -> Self {
        Self {
            scope,
            name,
            key_id: key_id.into(),
        }
    }
}

/// Which secret of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SecretName {
    /// The client secret of the application registration (Exchange Client Secret).
    ClientSecret,
    /// The private key of the application's certificate.
    CertificateKey,
    /// The password of the Exchange account.
    AccountPassword,
    /// The refresh token of a delegated sign-in.
    RefreshToken,
}

impl SecretName {
    /// Every name.
    pub const ALL: &'static [Self] = &[
        Self::ClientSecret,
        Self::CertificateKey,
        Self::AccountPassword,
        Self::RefreshToken,
    ];

    /// The stable code, as it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::ClientSecret => "client-secret",
            Self::CertificateKey => "certificate-key",
            Self::AccountPassword => "account-password",
            Self::RefreshToken => "refresh-token",
        }
    }

    /// The name with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.code() == code)
    }
}

/// A secret in its envelope: the value under a key of its own, and that key under the host's.
///
/// `Debug` shows the key's id alone.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealedSecret {
    /// Which key of the host wraps the key of the record.
    pub key_id: String,
    /// The key of the record, wrapped.
    pub wrapped_key: Vec<u8>,
    /// The nonce of the ciphertext.
    pub nonce: Vec<u8>,
    /// The secret, encrypted and authenticated.
    pub ciphertext: Vec<u8>,
}

impl SealedSecret {
    /// An envelope of these parts.
    pub fn new(
        key_id: impl Into<String>,
        wrapped_key: Vec<u8>,
        nonce: Vec<u8>,
        ciphertext: Vec<u8>,
    ) -> Self {
        Self {
            key_id: key_id.into(),
            wrapped_key,
            nonce,
            ciphertext,
        }
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSecret")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// An envelope as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredSecret {
    /// The envelope.
    pub sealed: SealedSecret,
    /// Its version, from 1.
    pub version: u64,
}

impl StoredSecret {
    /// An envelope with its version.
    pub fn new(sealed: SealedSecret, version: u64) -> Self {
        Self { sealed, version }
    }
}
