//! Where credentials come from: the host, a setting, a file, the environment.

mod chain;
mod closure;
mod forward;
#[cfg(feature = "oauth2")]
#[cfg_attr(not(feature = "ews"), allow(dead_code, unused_imports))]
mod oauth;
mod provided;
mod refresh_token;
mod resolve;
#[cfg(feature = "seal")]
mod seal;

use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::error::Result;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;

pub use chain::CredentialChain;
pub use closure::ClosureCredentials;
#[cfg(feature = "oauth2")]
pub(crate) use oauth::UsedStates;
#[cfg(all(feature = "oauth2", feature = "seal"))]
pub(crate) use oauth::check_certificate;
#[cfg(all(feature = "oauth2", feature = "testkit"))]
#[doc(hidden)]
pub use oauth::testing;
#[cfg(feature = "oauth2")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
pub use oauth::{
    AdminConsent, AdminConsentBuilder, AppSignIn, AppSignInBuilder, Consented, DelegatedSignIn,
    DelegatedSignInBuilder, IdentityService, MemoryRefreshTokens, MicrosoftCloud, PendingConsent,
    TokenFacts,
};
pub use provided::{EnvironmentCredentials, FileCredentials, StaticCredentials};
pub use refresh_token::{RefreshTokenStore, StoredRefreshToken};
pub use resolve::{
    CredentialOrigin, CredentialResolver, CredentialValue, ResolvedClient, ResolvedRedirect,
    check_redirect_url, suggested_redirect_url,
};
#[cfg(feature = "seal")]
#[cfg_attr(docsrs, doc(cfg(feature = "seal")))]
pub use seal::{
    KeyFile, KeyProvider, MemoryKeys, OpenedSecret, RecordKey, Rotation, SealedCredentials,
    SealedRefreshTokens, SealedSecrets, UnreadableSecret,
};

/// Supplies credentials when they are needed (`OnGetEmailLoggingClientId`, `OnGetEmailLoggingClientSecret`,
/// `OnGetEmailLoggingRedirectURL`, and the account's user name and password).
///
/// `Ok(None)` and an empty text mean *not handled*: the next provider is asked. An error is an error; it is never taken
/// for "not handled". A provider is asked at each sign-in, and what it answers is not kept longer than that.
#[async_trait]
pub trait CredentialProvider: Debug + Send + Sync + 'static {
    /// The client id of the application registration.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from answering.
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        let _ = scope;
        Ok(None)
    }

    /// The client secret of the application registration.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from answering.
    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        let _ = scope;
        Ok(None)
    }

    /// The redirect URL of the application registration.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from answering.
    async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>> {
        let _ = scope;
        Ok(None)
    }

    /// The client certificate of the application registration.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from answering.
    async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>> {
        let _ = scope;
        Ok(None)
    }

    /// The account's user name and password, for Exchange on premises.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from answering.
    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        let _ = scope;
        Ok(None)
    }

    /// A ready-made access token for this resource, such as `https://outlook.office365.com`.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from answering.
    async fn access_token(&self, scope: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        let _ = (scope, resource);
        Ok(None)
    }

    /// These credentials as they are for this set-up, which may not be stored yet: its fields count before stored ones, and
    /// behind those that a provider supplies. `None`, the default, for credentials that depend on no set-up.
    ///
    /// A connection of a set-up is made with them. Whoever wraps another provider hands the question on.
    fn for_setup(&self, setup: &EmailLoggingSetup) -> Option<Arc<dyn CredentialProvider>> {
        let _ = setup;
        None
    }
}

/// A user name with its password. `Debug` shows neither.
#[derive(Clone)]
#[non_exhaustive]
pub struct UserPassword {
    /// The user name: `user@domain` or `DOMAIN\user`.
    pub user_name: String,
    /// The password.
    pub password: SecretString,
}

impl UserPassword {
    /// A user name with its password.
    pub fn new(user_name: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self {
            user_name: user_name.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for UserPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPassword").finish_non_exhaustive()
    }
}

/// A client certificate with its private key, both PEM.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// The certificate chain, leaf first.
    pub certificates: String,
    /// The private key.
    pub private_key: SecretString,
}

impl ClientCertificate {
    /// A certificate with its key.
    pub fn new(certificates: impl Into<String>, private_key: impl Into<SecretString>) -> Self {
        Self {
            certificates: certificates.into(),
            private_key: private_key.into(),
        }
    }
}

/// An access token.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AccessToken {
    /// The token.
    pub token: SecretString,
    /// Until when it is valid, if known.
    pub expires_at: Option<Timestamp>,
}

impl AccessToken {
    /// A token.
    pub fn new(token: impl Into<SecretString>, expires_at: Option<Timestamp>) -> Self {
        Self {
            token: token.into(),
            expires_at,
        }
    }
}
