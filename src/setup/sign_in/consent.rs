//! The sign-in of an administrator at the connector's identity service, in two steps that two requests of a web host can
//! take.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest;
use secrecy::SecretString;

use super::with_fields::WithFields;
use super::{Options, identity_service, of_connection};
use crate::credential::{AdminConsent, Consented, PendingConsent, UsedStates};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::scope::Scope;
use crate::setup::{
    AdministratorSignIn, AuthenticationType, ChangedSetup, Consent, ConsentRequest,
    EmailLoggingAdministration, EmailLoggingSetup, SetupChange,
};
use crate::store::StoredSetup;

/// How often a refresh token is stored anew when another worker stores one at the same moment.
const ATTEMPTS: u32 = 4;

/// Signs an administrator in for a connector, with its identity service, credentials and ways.
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
    options: Arc<Options>,
    used: UsedStates,
}

impl ConsentSignIn {
    /// The sign-in for this connector.
    #[cfg(feature = "ews")]
    #[must_use]
    #[allow(clippy::needless_pass_by_value)] // as it was published
    pub fn new(connector: crate::setup::EwsConnector) -> Self {
        Self::with_options(connector.shared())
    }

    /// The sign-in for a connector of Graph. A consent for EWS is none for Graph: other permissions are asked for.
    #[cfg(feature = "graph")]
    #[cfg_attr(docsrs, doc(cfg(feature = "graph")))]
    #[must_use]
    pub fn for_graph(connector: &crate::setup::GraphConnector) -> Self {
        Self::with_options(connector.shared())
    }

    #[cfg(any(feature = "ews", feature = "graph"))]
    fn with_options(options: Arc<Options>) -> Self {
        Self {
            options,
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
            pending: pending.with_begun_for(digest_of(setup)).to_secret(),
            expires_at,
        })
    }

    /// Takes the callback: the whole URL that was called, and what was kept. Stores the refresh token of a delegated
    /// sign-in, then the tenant.
    ///
    /// # Errors
    ///
    /// As [`AdminConsent::finish`]; `Protocol` (`oauth.state_mismatch`) where what was kept is another text or another scope's; `Config`
    /// (`setup.enabled`) while logging is enabled; `Conflict` (`setup.version`) where the set-up's connection was changed, or
    /// the set-up cleared, after the consent was begun: no token is left then; `ReauthRequired` (`oauth.reauth`) where a delegated sign-in gave no refresh
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
        let begun = administration.load(scope).await?.setup;
        let consented = self.consented(scope, &begun, pending, callback_url).await?;
        // The identity service took its time, in which the set-up may have been changed or cleared.
        let stored = administration.load(scope).await?;
        check_unchanged(&begun, &stored.setup)?;
        let kept = self.keep_token(scope, &begun, &consented).await?;
        let change = consented.tenant_id.map(SetupChange::ExchangeTenantId);
        let changed = store_tenant(administration, scope, stored, change.as_slice()).await;
        if changed.is_err()
            && let Some(version) = kept
            && !is_same(&begun, &administration.load(scope).await?.setup)
        {
            self.take_back(scope, version).await?;
        }
        changed
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
        let consented = self.consented(scope, setup, pending, callback_url).await?;
        self.keep_token(scope, setup, &consented).await?;
        Ok(consented.tenant_id)
    }

    /// What the consent gave, if it was begun for this scope and these fields. Nothing is stored.
    async fn consented(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        pending: &SecretString,
        callback_url: &str,
    ) -> Result<Consented> {
        if setup.enabled {
            return Err(Error::new(&codes::SETUP_ENABLED, self.options.operation));
        }
        let pending = PendingConsent::from_secret(pending)?;
        pending.check_scope(scope)?;
        if pending.begun_for() != Some(&digest_of(setup)) {
            return Err(Error::new(&codes::SETUP_VERSION, self.options.operation));
        }
        let consent = self.consent(scope, setup)?;
        consent.finish(pending, callback_url).await
    }

    /// Stores the refresh token of a delegated sign-in, and answers its version.
    async fn keep_token(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        consented: &Consented,
    ) -> Result<Option<u64>> {
        if setup.authentication_type != AuthenticationType::OAuth2Delegated {
            return Ok(None);
        }
        self.store(scope, consented).await.map(Some)
    }

    /// Erases the refresh token that was stored for a set-up that is another one now. One that is newer stays.
    async fn take_back(&self, scope: &Scope, version: u64) -> Result<()> {
        let Some(store) = &self.options.refresh_tokens else {
            return Ok(());
        };
        match store.erase_refresh_token(scope, version).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
            outcome => outcome,
        }
    }

    /// Stores the refresh token over whatever is stored: the administrator's sign-in is the newest.
    async fn store(&self, scope: &Scope, consented: &Consented) -> Result<u64> {
        let operation = self.options.operation;
        let missing = |code, what: &'static str| Error::new(code, operation).with_detail(what);
        let store = self.options.refresh_tokens.as_ref();
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
                outcome => return outcome,
            }
        }
    }

    fn consent(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<AdminConsent> {
        let fields = &of_connection(setup);
        let options = &self.options;
        let service = identity_service(options, fields);
        let mut builder = AdminConsent::at(service, WithFields::over(&options.credentials, fields))
            .with_way(&options.http)
            .with_scope(scope.clone())
            .with_used_states(self.used.clone())
            .with_clock(Arc::clone(&options.clock));
        builder = match fields.authentication_type {
            AuthenticationType::OAuth2 => builder,
            AuthenticationType::OAuth2Delegated => builder.with_refresh_token(),
            _ => {
                return Err(Error::new(
                    &codes::SETUP_AUTHENTICATION_TYPE,
                    self.options.operation,
                ));
            }
        };
        match &options.entropy {
            Some(entropy) => builder.with_entropy(Arc::clone(entropy)).build(),
            None => builder.build(),
        }
    }
}

/// Stores the tenant over the set-up that was read. A change of what is not part of the connection is no obstacle.
async fn store_tenant(
    administration: &EmailLoggingAdministration,
    scope: &Scope,
    mut stored: StoredSetup,
    changes: &[SetupChange],
) -> Result<ChangedSetup> {
    let mut attempt = 1;
    loop {
        let version = Some(stored.version);
        match administration.change(scope, version, changes).await {
            Err(error) if error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS => {
                attempt += 1;
                let now = administration.load(scope).await?;
                check_unchanged(&stored.setup, &now.setup)?;
                stored = now;
            }
            outcome => return outcome,
        }
    }
}

fn check_unchanged(begun: &EmailLoggingSetup, now: &EmailLoggingSetup) -> Result<()> {
    if now.enabled {
        return Err(Error::new(&codes::SETUP_ENABLED, "consent"));
    }
    if is_same(begun, now) {
        return Ok(());
    }
    Err(Error::new(&codes::SETUP_VERSION, "consent"))
}

fn is_same(begun: &EmailLoggingSetup, now: &EmailLoggingSetup) -> bool {
    begun.exchange_tenant_id == now.exchange_tenant_id && digest_of(begun) == digest_of(now)
}

/// A digest of the fields that say where a connection goes and who makes it. A blank field is an absent one. The tenant is
/// not among them: what is kept names its token endpoint, and a callback that comes twice meets the tenant of the first.
fn digest_of(setup: &EmailLoggingSetup) -> String {
    let fields = [
        &setup.autodiscovery_email_address,
        &setup.exchange_service_url,
        &setup.exchange_account_user_name,
        &setup.exchange_client_id,
        &setup.exchange_redirect_url,
    ];
    let fields = fields.map(|field| field.as_deref().unwrap_or_default());
    let codes = [setup.authentication_type.code(), setup.mail_service.code()];
    let text = serde_json::json!([codes, fields]).to_string();
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(hash.as_ref())
}

impl fmt::Debug for ConsentSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentSignIn")
            .field("options", &self.options)
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
