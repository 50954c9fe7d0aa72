//! The sign-in of an administrator at the connector's identity service, in two steps that two requests of a web host can
//! take.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::fields;
use super::sign_in::identity_service;
use super::with_fields::WithFields;
use super::{EwsConnector, OPERATION};
use crate::credential::{AdminConsent, Consented, PendingConsent, UsedStates};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::scope::Scope;
use crate::setup::{
    AdministratorSignIn, AuthenticationType, ChangedSetup, Consent, ConsentRequest,
    EmailLoggingAdministration, EmailLoggingSetup, SetupChange,
};

/// How often a refresh token is stored anew when another worker stores one at the same moment.
const ATTEMPTS: u32 = 4;

/// Signs an administrator in for an [`EwsConnector`], with its identity service, credentials and ways.
///
/// For a web host: [`enable`](EmailLoggingAdministration::enable) answers
/// [`ConsentNeeded`](crate::setup::ConsentNeeded) with a [`ConsentRequest`]. The host keeps `pending` in the session and
/// sends the browser to `authorize_url`. The page at the redirect URL hands both to [`finish`](Self::finish), which stores the
/// tenant, and the refresh token of a delegated sign-in. Then logging is enabled again.
///
/// For a program with a listener of its own, [`begin`](Self::begin) and `finish` do the same without the administration
/// asking. Cloning is cheap.
#[derive(Clone)]
pub struct ConsentSignIn {
    connector: EwsConnector,
    used: UsedStates,
}

impl ConsentSignIn {
    /// The sign-in for this connector.
    pub fn new(connector: EwsConnector) -> Self {
        Self {
            connector,
            used: UsedStates::default(),
        }
    }

    /// Makes the address for the administrator's browser, and what the host keeps until the callback.
    ///
    /// # Errors
    ///
    /// `Config`: an authentication type without consent (`setup.authentication_type`), no client id or redirect URL
    /// (`credential.missing`), an identity service without the endpoints of a consent (`config.missing`); what a provider
    /// raises.
    ///
    /// # Cancel safety
    ///
    /// Changes nothing.
    pub async fn begin(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<ConsentRequest> {
        let consent = self.consent(scope, setup)?;
        let (authorize_url, pending) = consent.begin().await?;
        let expires_at = pending.expires_at();
        Ok(ConsentRequest {
            authorize_url,
            pending: pending.to_secret(),
            expires_at,
        })
    }

    /// Takes the callback: the whole URL that was called, and what was kept. Stores the refresh token of a delegated
    /// sign-in, then the tenant.
    ///
    /// # Errors
    ///
    /// As [`AdminConsent::finish`]; `Protocol` (`oauth.state_mismatch`) where what was kept is another text; `Config`
    /// (`setup.enabled`) while logging is enabled; `ReauthRequired` (`oauth.reauth`) where a delegated sign-in gave no refresh
    /// token; what the stores raise.
    ///
    /// # Cancel safety
    ///
    /// The consent is used up: begin again.
    pub async fn finish(
        &self,
        administration: &EmailLoggingAdministration,
        scope: &Scope,
        pending: &SecretString,
        callback_url: &str,
    ) -> Result<ChangedSetup> {
        let stored = administration.load(scope).await?;
        let tenant = self
            .complete(scope, &stored.setup, pending, callback_url)
            .await?;
        let change = tenant.map(SetupChange::ExchangeTenantId);
        let changes = change.as_slice();
        administration.change(scope, None, changes).await
    }

    /// As [`finish`](Self::finish), without storing the tenant, which is answered: for an
    /// [`AdministratorSignIn`] that waits for the callback itself.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    ///
    /// # Cancel safety
    ///
    /// The consent is used up: begin again.
    pub async fn complete(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        pending: &SecretString,
        callback_url: &str,
    ) -> Result<Option<String>> {
        if setup.enabled {
            return Err(Error::new(&codes::SETUP_ENABLED, OPERATION));
        }
        let consent = self.consent(scope, setup)?;
        let pending = PendingConsent::from_secret(pending)?;
        let consented = consent.finish(pending, callback_url).await?;
        if setup.authentication_type == AuthenticationType::OAuth2Delegated {
            self.store(scope, &consented).await?;
        }
        Ok(consented.tenant_id)
    }

    /// Stores the refresh token over whatever is stored: the administrator's sign-in is the newest.
    async fn store(&self, scope: &Scope, consented: &Consented) -> Result<()> {
        let missing = |code, what: &'static str| Error::new(code, OPERATION).with_detail(what);
        let store = self.connector.inner.options.refresh_tokens.as_ref();
        let store = store.ok_or_else(|| missing(&codes::CONFIG_MISSING, "with_refresh_tokens"))?;
        let token = consented.refresh_token.as_ref().ok_or_else(|| {
            missing(
                &codes::OAUTH_REAUTH,
                "the identity service gave no refresh token",
            )
        })?;
        let mut attempt = 1;
        loop {
            let stored = store.load_refresh_token(scope).await?;
            let version = stored.map_or(0, |stored| stored.version);
            match store.save_refresh_token(scope, token, version).await {
                Err(error) if error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                outcome => return outcome.map(drop),
            }
        }
    }

    fn consent(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<AdminConsent> {
        let fields = &fields::of_connection(setup);
        let options = &self.connector.inner.options;
        let service = identity_service(options, fields);
        let mut builder = AdminConsent::at(service, WithFields::over(&options.credentials, fields))
            .with_way(&options.http)
            .with_scope(scope.clone())
            .with_used_states(self.used.clone())
            .with_clock(Arc::clone(&options.clock));
        builder = match fields.authentication_type {
            AuthenticationType::OAuth2 => builder,
            AuthenticationType::OAuth2Delegated => builder.with_refresh_token(),
            _ => return Err(Error::new(&codes::SETUP_AUTHENTICATION_TYPE, OPERATION)),
        };
        match &options.entropy {
            Some(entropy) => builder.with_entropy(Arc::clone(entropy)).build(),
            None => builder.build(),
        }
    }
}

impl fmt::Debug for ConsentSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentSignIn")
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl AdministratorSignIn for ConsentSignIn {
    async fn sign_in(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        _: &Error,
    ) -> Result<Consent> {
        self.begin(scope, setup).await.map(Consent::At)
    }
}
