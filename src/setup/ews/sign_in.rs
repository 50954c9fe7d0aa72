//! What each authentication type means.

use std::sync::Arc;

use super::builder::Options;
#[cfg(feature = "oauth2")]
use super::incomplete;
use super::with_fields::WithFields;
use crate::credential::CredentialProvider;
#[cfg(feature = "oauth2")]
use crate::credential::{AppSignIn, DelegatedSignIn, IdentityService, MicrosoftCloud};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::setup::{AuthenticationType, EmailLoggingSetup};
use crate::source::ews::{AutodiscoverBuilder, EwsSourceBuilder};

/// Stands for the tenant where the set-up does not know it yet.
#[cfg(feature = "oauth2")]
const ANY_TENANT: &str = "organizations";

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
                Err(without_oauth2(scope))
            }
        }
    }

    /// Gives it to a source.
    pub(super) fn of_source(&self, builder: EwsSourceBuilder) -> EwsSourceBuilder {
        match self {
            Self::Account(provider) => builder.with_account(Arc::clone(provider)),
            Self::AccessToken(provider) => builder.with_access_token(Arc::clone(provider)),
            #[cfg(feature = "oauth2")]
            Self::App(sign_in) => builder.with_app_sign_in(sign_in.clone()),
            #[cfg(feature = "oauth2")]
            Self::Delegated(sign_in) => builder.with_delegated_sign_in(sign_in.clone()),
        }
    }

    /// Gives it to a look-up; `None` for an account, whose password no look-up gets.
    pub(super) fn of_autodiscover(
        &self,
        scope: &Scope,
        builder: AutodiscoverBuilder,
    ) -> Option<AutodiscoverBuilder> {
        match self {
            Self::Account(_) => None,
            Self::AccessToken(provider) => {
                Some(builder.with_access_token(Arc::clone(provider), scope.clone()))
            }
            #[cfg(feature = "oauth2")]
            Self::App(sign_in) => Some(builder.with_app_sign_in(sign_in.clone())),
            #[cfg(feature = "oauth2")]
            Self::Delegated(sign_in) => Some(builder.with_delegated_sign_in(sign_in.clone())),
        }
    }

    /// Whether it signs in as an application, which has no mailbox and acts as the owner of one. A token of the host says
    /// so itself, where the host does not.
    ///
    /// # Errors
    ///
    /// What the host's provider raises.
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
fn without_oauth2(_: &Scope) -> Error {
    Error::new(&codes::CONFIG_INVALID, super::OPERATION)
        .with_detail("this program was built without OAuth2")
}

#[cfg(feature = "oauth2")]
fn app(options: &Options, scope: &Scope, fields: &EmailLoggingSetup) -> Result<AppSignIn> {
    let service = identity_service(options, fields);
    if service.is_shared() {
        return Err(incomplete(
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
        return Err(incomplete("nobody has signed in: the tenant is not known"));
    }
    let store = options.refresh_tokens.as_ref().ok_or_else(|| {
        Error::new(&codes::CONFIG_MISSING, super::OPERATION)
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
    match fields.exchange_tenant_id.as_deref() {
        Some(tenant) if !pinned => service.for_tenant(tenant),
        _ => service,
    }
}
