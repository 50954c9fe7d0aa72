//! Which source counts for each credential: given explicitly, supplied by a provider, or stored in the set-up.
//!
//! Owns the order and tells the origin of each value. It keeps no answer, and knows no store and no sign-in.

mod fields;
mod redirect;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use fields::FieldsFirst;
pub use redirect::{check_redirect_url, suggested_redirect_url};

use super::{AccessToken, ClientCertificate, CredentialChain, CredentialProvider, UserPassword};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;

const OPERATION: &str = "CredentialResolver";

/// Resolves each credential as Business Central does, at each question anew:
///
/// 1. a client id and secret that were given explicitly, if **both** were given;
/// 2. the providers in their order, where an empty answer is *not handled*;
/// 3. the stored set-up;
/// 4. else the error `credential.missing`, which names what is missing.
///
/// Id and secret are resolved each on its own: an id of a provider goes with a secret of the set-up. The error of a provider
/// is an error, and what comes after that provider is not asked. A client certificate stands in the place of a secret of the
/// same step or a later one, and a secret ends the search for a certificate in later steps. The redirect URL has one more step: where nobody names
/// one, it is the default that follows from the host's base URL.
///
/// For a set-up that is not stored yet ([`CredentialProvider::for_setup`]) its client id, redirect URL and user name count
/// before those that are stored.
///
/// As a [`CredentialProvider`] it goes wherever one is wanted; there, what is missing is *not handled*.
///
/// ```
/// use std::sync::Arc;
/// use email_logging::credential::{CredentialOrigin, CredentialResolver, StaticCredentials};
/// use email_logging::Scope;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> email_logging::Result<()> {
/// let vault = StaticCredentials::new().with_client_id("id of the vault");
/// let setup = StaticCredentials::new().with_client_id("id").with_client_secret("secret");
/// let resolver = CredentialResolver::new()
///     .with_provider(Arc::new(vault))
///     .with_stored(Arc::new(setup))
///     .with_base_url("https://erp.example/BC")?;
/// let client = resolver.resolve_client(&Scope::default()).await?;
/// assert_eq!(client.client_id, "id of the vault");
/// assert_eq!(client.client_secret_origin, CredentialOrigin::StoredSetup);
/// let redirect = resolver.resolve_redirect_url(&Scope::default()).await?;
/// assert_eq!(redirect.map(|found| found.url).as_deref(), Some("https://erp.example/BC/OAuthLanding.htm"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct CredentialResolver {
    explicit: Option<(String, SecretString)>,
    explicit_redirect: Option<String>,
    providers: CredentialChain,
    stored: CredentialChain,
    default_redirect: Option<String>,
}

/// Where a credential comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CredentialOrigin {
    /// It was given explicitly.
    Explicit,
    /// A provider supplies it, whatever the set-up holds.
    Provider,
    /// The set-up holds it.
    StoredSetup,
    /// Nobody named one: the default (redirect URL).
    Default,
}

/// A credential that can be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CredentialValue {
    /// The client id.
    ClientId,
    /// The client secret.
    ClientSecret,
    /// The redirect URL.
    RedirectUrl,
    /// The client certificate with its key.
    Certificate,
    /// The account's user name and password.
    Password,
}

/// A client id and secret, and where they come from. `Debug` shows no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ResolvedClient {
    /// The client id.
    pub client_id: String,
    /// Where the client id comes from.
    pub client_id_origin: CredentialOrigin,
    /// The client secret.
    pub client_secret: SecretString,
    /// Where the client secret comes from.
    pub client_secret_origin: CredentialOrigin,
}

/// A redirect URL, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedRedirect {
    /// The URL; it was checked.
    pub url: String,
    /// Where it comes from.
    pub origin: CredentialOrigin,
}

/// An answer with its origin.
type Found<T> = Option<(T, CredentialOrigin)>;

macro_rules! ask {
    ($resolver:expr, $method:ident ( $($arg:expr),* )) => {
        match $resolver.providers.$method($($arg),*).await? {
            Some(answer) => Ok(Some((answer, CredentialOrigin::Provider))),
            None => {
                let stored = $resolver.stored.$method($($arg),*).await?;
                Ok(stored.map(|answer| (answer, CredentialOrigin::StoredSetup)))
            }
        }
    };
}

impl CredentialResolver {
    /// Nothing is given, supplied or stored yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a client id and secret explicitly, as a wizard does. Where one of them is empty, neither counts.
    #[must_use]
    pub fn with_explicit_client(
        mut self,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        let (id, secret) = (client_id.into(), client_secret.into());
        let both = !id.is_empty() && !secret.expose_secret().is_empty();
        self.explicit = both.then_some((id, secret));
        self
    }

    /// Gives a redirect URL explicitly; an empty one does not count.
    #[must_use]
    pub fn with_explicit_redirect_url(mut self, url: impl Into<String>) -> Self {
        self.explicit_redirect = Some(url.into()).filter(|url| !url.is_empty());
        self
    }

    /// Adds a provider that is asked after those that are there.
    #[must_use]
    pub fn with_provider(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.providers = self.providers.with(provider);
        self
    }

    /// Sets what answers for the stored set-up; `SealedCredentials`, for instance.
    #[must_use]
    pub fn with_stored(mut self, stored: Arc<dyn CredentialProvider>) -> Self {
        self.stored = CredentialChain::new().with(stored);
        self
    }

    /// Sets the host's base URL, which the default redirect URL follows from.
    ///
    /// # Errors
    ///
    /// As [`suggested_redirect_url`].
    pub fn with_base_url(mut self, base_url: &str) -> Result<Self> {
        self.default_redirect = Some(suggested_redirect_url(base_url)?);
        Ok(self)
    }

    /// The client id and secret that count now.
    ///
    /// # Errors
    ///
    /// `Config` (`credential.missing`), which names what is missing; the error of the first provider that has one.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn resolve_client(&self, scope: &Scope) -> Result<ResolvedClient> {
        let id = self.find_client_id(scope).await?;
        let secret = self.find_client_secret(scope).await?;
        let missing = match (id, secret) {
            (Some((client_id, client_id_origin)), Some((client_secret, client_secret_origin))) => {
                return Ok(ResolvedClient {
                    client_id,
                    client_id_origin,
                    client_secret,
                    client_secret_origin,
                });
            }
            (None, None) => "client id and client secret",
            (None, _) => "client id",
            (_, None) => "client secret",
        };
        Err(Error::new(&codes::CREDENTIAL_MISSING, OPERATION).with_detail(missing))
    }

    /// The redirect URL that counts now; `None` where nobody names one and no base URL was given.
    ///
    /// # Errors
    ///
    /// As [`check_redirect_url`], whoever named it; the error of the first provider that has one.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn resolve_redirect_url(&self, scope: &Scope) -> Result<Option<ResolvedRedirect>> {
        let Some((url, origin)) = self.find_redirect_url(scope).await? else {
            return Ok(None);
        };
        check_redirect_url(&url)?;
        Ok(Some(ResolvedRedirect { url, origin }))
    }

    /// Where a credential comes from now, without its value; `None` where it is missing. A guide skips the step of a value
    /// that a provider supplies, and a blank field is complete then.
    ///
    /// # Errors
    ///
    /// The error of the first provider that has one.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn origin_of(
        &self,
        scope: &Scope,
        value: CredentialValue,
    ) -> Result<Option<CredentialOrigin>> {
        Ok(match value {
            CredentialValue::ClientId => origin(self.find_client_id(scope).await?),
            CredentialValue::ClientSecret => origin(self.find_client_secret(scope).await?),
            CredentialValue::RedirectUrl => origin(self.find_redirect_url(scope).await?),
            CredentialValue::Certificate => origin(self.find_certificate(scope).await?),
            CredentialValue::Password => origin(self.find_password(scope).await?),
        })
    }

    async fn find_client_id(&self, scope: &Scope) -> Result<Found<String>> {
        if let Some((id, _)) = &self.explicit {
            return Ok(Some((id.clone(), CredentialOrigin::Explicit)));
        }
        ask!(self, client_id(scope))
    }

    async fn find_client_secret(&self, scope: &Scope) -> Result<Found<SecretString>> {
        if let Some((_, secret)) = &self.explicit {
            return Ok(Some((secret.clone(), CredentialOrigin::Explicit)));
        }
        ask!(self, client_secret(scope))
    }

    async fn find_redirect_url(&self, scope: &Scope) -> Result<Found<String>> {
        if let Some(url) = &self.explicit_redirect {
            return Ok(Some((url.clone(), CredentialOrigin::Explicit)));
        }
        let named: Result<Found<String>> = ask!(self, redirect_url(scope));
        let default = || Some((self.default_redirect.clone()?, CredentialOrigin::Default));
        Ok(named?.or_else(default))
    }

    /// A secret that was given explicitly, or that a provider supplies, is what signs in, so that no certificate of a later
    /// step counts beside it.
    async fn find_certificate(&self, scope: &Scope) -> Result<Found<ClientCertificate>> {
        if self.explicit.is_some() {
            return Ok(None);
        }
        if let Some(supplied) = self.providers.certificate(scope).await? {
            return Ok(Some((supplied, CredentialOrigin::Provider)));
        }
        if self.providers.client_secret(scope).await?.is_some() {
            return Ok(None);
        }
        let stored = self.stored.certificate(scope).await?;
        Ok(stored.map(|stored| (stored, CredentialOrigin::StoredSetup)))
    }

    async fn find_password(&self, scope: &Scope) -> Result<Found<UserPassword>> {
        ask!(self, password(scope))
    }
}

fn origin<T>(found: Found<T>) -> Option<CredentialOrigin> {
    found.map(|(_, origin)| origin)
}

fn value<T>(found: Found<T>) -> Option<T> {
    found.map(|(value, _)| value)
}

impl fmt::Debug for CredentialResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialResolver")
            .field("explicit_client", &self.explicit.is_some())
            .field("explicit_redirect_url", &self.explicit_redirect.is_some())
            .field("providers", &self.providers)
            .field("stored", &self.stored)
            .field("default_redirect_url", &self.default_redirect)
            .finish()
    }
}

#[async_trait]
impl CredentialProvider for CredentialResolver {
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        self.find_client_id(scope).await.map(value)
    }

    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        self.find_client_secret(scope).await.map(value)
    }

    async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>> {
        let found = self.resolve_redirect_url(scope).await?;
        Ok(found.map(|found| found.url))
    }

    async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>> {
        self.find_certificate(scope).await.map(value)
    }

    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        self.find_password(scope).await.map(value)
    }

    async fn access_token(&self, scope: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        let found: Result<Found<AccessToken>> = ask!(self, access_token(scope, resource));
        found.map(value)
    }

    fn for_setup(&self, setup: &EmailLoggingSetup) -> Option<Arc<dyn CredentialProvider>> {
        let mut resolver = self.clone();
        let stored = FieldsFirst::over(Arc::new(self.stored.clone()), setup);
        resolver.stored = CredentialChain::new().with(Arc::new(stored));
        Some(Arc::new(resolver))
    }
}
