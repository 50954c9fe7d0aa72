//! What each authentication type means, whatever the mail system: sign-ins, consents, and what a sign-in gave.
//!
//! Knows which permissions are asked for; sends nothing to a mail system.

#[cfg(feature = "oauth2")]
mod consent;
mod fields;
mod with_fields;

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "oauth2")]
use super::MailService;
use super::{AuthenticationType, EmailLoggingSetup, SignedIn};
use crate::clock::{Clock, Entropy, SystemEntropy};
#[cfg(feature = "oauth2")]
use crate::credential::{AppSignIn, DelegatedSignIn, IdentityService, MicrosoftCloud};
use crate::credential::{CredentialProvider, RefreshTokenStore};
use crate::error::{Error, Result, codes};
use crate::http::HttpOptions;
use crate::scope::Scope;

#[cfg(feature = "oauth2")]
pub use consent::ConsentSignIn;
pub(super) use fields::of_connection;
use with_fields::WithFields;

/// Stands for the tenant where the set-up does not know it yet.
#[cfg(feature = "oauth2")]
const ANY_TENANT: &str = "organizations";

/// What a connector signs in with, and how it gets there.
pub(super) struct Options {
    /// The connector, as errors name it.
    pub(super) operation: &'static str,
    pub(super) credentials: Arc<dyn CredentialProvider>,
    #[cfg(feature = "oauth2")]
    pub(super) identity_service: Option<IdentityService>,
    #[cfg_attr(not(feature = "oauth2"), allow(dead_code))]
    pub(super) refresh_tokens: Option<Arc<dyn RefreshTokenStore>>,
    pub(super) http: HttpOptions,
    #[cfg_attr(not(feature = "ews"), allow(dead_code))]
    pub(super) as_owner: Option<bool>,
    pub(super) clock: Arc<dyn Clock>,
    /// None is the system's, of which a failure is noticed where a secret is made of it.
    pub(super) entropy: Option<Arc<dyn Entropy>>,
}

impl Options {
    /// Randomness for ids, which are no secrets.
    pub(super) fn entropy(&self) -> Arc<dyn Entropy> {
        let given = self.entropy.clone();
        given.unwrap_or_else(|| Arc::new(SystemEntropy))
    }

    /// The address without which there is no mailbox.
    pub(super) fn address<'a>(&self, setup: &'a EmailLoggingSetup) -> Result<&'a str> {
        let address = setup.autodiscovery_email_address.as_deref();
        let address = address.map(str::trim).filter(|address| !address.is_empty());
        let missing = "the e-mail address of the mailbox is blank";
        address.ok_or_else(|| self.incomplete(missing))
    }

    fn incomplete(&self, detail: &'static str) -> Error {
        Error::new(&codes::SETUP_INCOMPLETE, self.operation).with_detail(detail)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("credentials", &self.credentials)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

/// Whose sign-in the fields describe, by name.
pub(super) fn credential(setup: &EmailLoggingSetup) -> String {
    let name = |field: &Option<String>| field.clone().unwrap_or_default();
    format!(
        "{}|{}|{}|{}",
        setup.authentication_type.code(),
        name(&setup.exchange_account_user_name),
        name(&setup.exchange_client_id),
        name(&setup.exchange_tenant_id),
    )
}

/// How the job signs in; a token is kept in it. Cloning is cheap and shares the token.
#[derive(Clone)]
pub(super) enum SignIn {
    /// User name and password.
    Account(Arc<dyn CredentialProvider>),
    /// Tokens of the host.
    AccessToken(Arc<dyn CredentialProvider>),
    /// As an application.
    #[cfg(feature = "oauth2")]
    App(AppSignIn),
    /// For a person.
    #[cfg(feature = "oauth2")]
    Delegated(DelegatedSignIn),
}

impl SignIn {
    /// The sign-in of these fields. Nothing is sent.
    pub(super) fn new(
        options: &Options,
        scope: &Scope,
        fields: &EmailLoggingSetup,
    ) -> Result<Self> {
        let credentials = || WithFields::over(&options.credentials, fields);
        match fields.authentication_type {
            AuthenticationType::Basic => Ok(Self::Account(credentials())),
            AuthenticationType::AccessToken => Ok(Self::AccessToken(credentials())),
            #[cfg(feature = "oauth2")]
            AuthenticationType::OAuth2 => app(options, scope, fields).map(Self::App),
            #[cfg(feature = "oauth2")]
            AuthenticationType::OAuth2Delegated => {
                delegated(options, scope, fields).map(Self::Delegated)
            }
            #[cfg(not(feature = "oauth2"))]
            AuthenticationType::OAuth2 | AuthenticationType::OAuth2Delegated => {
                Err(without_oauth2(options, scope))
            }
        }
    }

    /// Whether it signs in as an application, which has no mailbox and acts as the owner of one. A token of the host says
    /// so itself, where the host does not.
    ///
    /// # Errors
    ///
    /// What the host's provider raises.
    #[cfg_attr(not(feature = "ews"), allow(dead_code))]
    pub(super) async fn is_application(
        &self,
        options: &Options,
        scope: &Scope,
        service_url: &str,
    ) -> Result<bool> {
        match self {
            Self::Account(_) => Ok(false),
            Self::AccessToken(provider) => match options.as_owner {
                Some(as_owner) => Ok(as_owner),
                None => is_application_token(provider, scope, service_url).await,
            },
            #[cfg(feature = "oauth2")]
            Self::App(_) => Ok(true),
            #[cfg(feature = "oauth2")]
            Self::Delegated(_) => Ok(false),
        }
    }
}

impl SignIn {
    /// Obtains what it signs in with. No mail system is asked.
    pub(super) async fn sign_in(
        &self,
        operation: &'static str,
        scope: &Scope,
        service_url: &str,
    ) -> Result<SignedIn> {
        let missing = |what: &'static str| {
            Error::new(&codes::CREDENTIAL_MISSING, operation).with_detail(what)
        };
        match self {
            Self::Account(provider) => {
                let account = provider.password(scope).await?;
                let account = account.map(|_| SignedIn::opaque());
                account.ok_or_else(|| missing("user name and password"))
            }
            Self::AccessToken(provider) => {
                let resource = resource(service_url)?;
                let token = provider.access_token(scope, &resource).await?;
                let token = token.map(|token| read(&token));
                token.ok_or_else(|| missing("access token"))
            }
            #[cfg(feature = "oauth2")]
            Self::App(sign_in) => sign_in.sign_in().await,
            #[cfg(feature = "oauth2")]
            Self::Delegated(sign_in) => sign_in.sign_in().await,
        }
    }
}

#[cfg(feature = "oauth2")]
fn read(token: &crate::credential::AccessToken) -> SignedIn {
    let said = token.facts().map(|facts| SignedIn {
        permissions: Some(facts.permissions),
        application: facts.application,
        credential_ends: None,
    });
    said.unwrap_or_default()
}

#[cfg(not(feature = "oauth2"))]
fn read(_: &crate::credential::AccessToken) -> SignedIn {
    SignedIn::opaque()
}

/// What a token for this service would be asked for: scheme, host and port.
pub(super) fn resource(service_url: &str) -> Result<String> {
    // Whether it may be called is checked where it is.
    Ok(crate::http::ServiceUrl::parse(service_url, true)?.origin())
}

#[cfg(feature = "oauth2")]
async fn is_application_token(
    provider: &Arc<dyn CredentialProvider>,
    scope: &Scope,
    service_url: &str,
) -> Result<bool> {
    let token = provider
        .access_token(scope, &resource(service_url)?)
        .await?;
    let facts = token.and_then(|token| token.facts());
    Ok(facts.is_some_and(|facts| facts.application))
}

#[cfg(not(feature = "oauth2"))]
#[allow(clippy::unused_async)] // as its twin with the feature
async fn is_application_token(_: &Arc<dyn CredentialProvider>, _: &Scope, _: &str) -> Result<bool> {
    Ok(false)
}

#[cfg(not(feature = "oauth2"))]
fn without_oauth2(options: &Options, _: &Scope) -> Error {
    Error::new(&codes::CONFIG_INVALID, options.operation)
        .with_detail("this program was built without OAuth2")
}

/// That the tenant is missing, which a sign-in supplies.
#[cfg(feature = "oauth2")]
fn nobody(sign_in: &'static str, detail: &'static str) -> Error {
    Error::new(&codes::SETUP_INCOMPLETE, sign_in).with_detail(detail)
}

#[cfg(feature = "oauth2")]
fn app(options: &Options, scope: &Scope, fields: &EmailLoggingSetup) -> Result<AppSignIn> {
    let service = identity_service(options, fields);
    if service.is_shared() {
        return Err(nobody(
            "AppSignIn",
            "no administrator has signed in: the tenant is not known",
        ));
    }
    let credentials = WithFields::over(&options.credentials, fields);
    let builder = AppSignIn::at(service, credentials)
        .with_way(&options.http)
        .with_scope(scope.clone())
        .with_clock(Arc::clone(&options.clock));
    match &options.entropy {
        Some(entropy) => builder.with_entropy(Arc::clone(entropy)).build(),
        None => builder.build(),
    }
}

#[cfg(feature = "oauth2")]
fn delegated(
    options: &Options,
    scope: &Scope,
    fields: &EmailLoggingSetup,
) -> Result<DelegatedSignIn> {
    let service = identity_service(options, fields);
    if service.is_shared() {
        return Err(nobody(
            "DelegatedSignIn",
            "nobody has signed in: the tenant is not known",
        ));
    }
    let store = options.refresh_tokens.as_ref().ok_or_else(|| {
        Error::new(&codes::CONFIG_MISSING, options.operation)
            .with_detail("with_refresh_tokens: a delegated sign-in keeps one")
    })?;
    let credentials = WithFields::over(&options.credentials, fields);
    let builder = DelegatedSignIn::at(service, credentials, Arc::clone(store))
        .with_way(&options.http)
        .with_scope(scope.clone())
        .with_clock(Arc::clone(&options.clock));
    match &options.entropy {
        Some(entropy) => builder.with_entropy(Arc::clone(entropy)).build(),
        None => builder.build(),
    }
}

/// The identity service for the tenant of the set-up. One that the host gave for a single tenant stays with that tenant.
#[cfg(feature = "oauth2")]
pub(super) fn identity_service(options: &Options, fields: &EmailLoggingSetup) -> IdentityService {
    let worldwide = || IdentityService::microsoft(MicrosoftCloud::Worldwide, ANY_TENANT);
    let service = options.identity_service.clone().unwrap_or_else(worldwide);
    let pinned = service.cloud().is_some() && !service.is_shared();
    let service = match fields.mail_service {
        MailService::Ews => service,
        MailService::Graph => service.for_graph(),
    };
    match fields.exchange_tenant_id.as_deref() {
        Some(tenant) if !pinned => service.for_tenant(tenant),
        _ => service,
    }
}
