//! Administrator consent: the authorization code flow with PKCE (RFC 6749, 4.1; RFC 7636; RFC 9700).
//!
//! Owns the two steps of it. The browser and the page that is called back are the host's.

mod builder;
mod callback;
mod id_token;
mod pending;
mod used;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use aws_lc_rs::digest;
use futures_util::future::{Either, select};
use jiff::Timestamp;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

use super::client::{Asked, Client};
use super::exchange::{Grant, Granted, TokenEndpoint};
use super::service::IdentityService;
use crate::clock::Clock;
use crate::credential::{CredentialProvider, check_redirect_url};
use crate::error::{Error, Result, codes};
use crate::http::ServiceUrl;

pub use builder::AdminConsentBuilder;
use callback::Callback;
use id_token::Identity;
pub use pending::PendingConsent;
pub(crate) use used::UsedStates;

const OPERATION: &str = "AdminConsent";

/// Lets an administrator sign in and consent, once.
///
/// [`begin`](Self::begin) makes the address that the administrator's browser opens, and a [`PendingConsent`] that the host
/// keeps; [`finish`](Self::finish) takes both that and the whole URL that the identity service called back.
///
/// Each consent has a `state` of 256 bit that is good for one callback, a `nonce`, and a PKCE verifier (S256). The identity
/// token is checked: signature, issuer, audience, nonce, time and tenant.
pub struct AdminConsent {
    endpoint: TokenEndpoint,
    authorize_url: ServiceUrl,
    jwks_url: ServiceUrl,
    asked: Asked,
    redirect_url: Option<String>,
    offline: bool,
    life: Duration,
    used: UsedStates,
    clock: Arc<dyn Clock>,
}

/// What came of a consent. `Debug` shows no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Consented {
    /// The tenant that consented (`tid`); always there for Microsoft.
    pub tenant_id: Option<String>,
    /// The permissions of the token that came with it, where it says them.
    pub permissions: Option<Vec<String>>,
    /// The refresh token, if one was asked for and granted: store it before anything else is done, over whatever is stored.
    /// Load the stored one for its version, and begin anew where that was changed meanwhile (`secret.version`).
    pub refresh_token: Option<SecretString>,
    /// The access token that came with it.
    pub access_token: crate::credential::AccessToken,
    /// The application that was consented to.
    pub client_id: String,
}

impl fmt::Debug for AdminConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminConsent")
            .field("offline", &self.offline)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl AdminConsent {
    /// Starts to describe a consent at an identity service.
    pub fn at(
        service: IdentityService,
        provider: Arc<dyn CredentialProvider>,
    ) -> AdminConsentBuilder {
        AdminConsentBuilder::new(service, provider)
    }

    /// Makes the address for the administrator's browser, and what the host keeps until the callback.
    ///
    /// # Errors
    ///
    /// `Config`: no client id or no redirect URL (`credential.missing`), a redirect URL that is neither https nor a loopback
    /// address (`config.insecure`) or that has a query (`config.invalid`); what the provider raises.
    ///
    /// # Cancel safety
    ///
    /// Changes nothing.
    pub async fn begin(&self) -> Result<(String, PendingConsent)> {
        let client = self.asked.client().await?;
        let redirect_url = self.redirect_url().await?;
        let transport = &self.endpoint.transport;
        let pending = PendingConsent {
            state: transport.secret_text()?.into(),
            nonce: transport.secret_text()?.into(),
            verifier: transport.secret_text()?.into(),
            redirect_url,
            client_id: client.id,
            token_endpoint: self.endpoint.service.token_endpoint.clone(),
            expires_at: self.expires_at(),
            scope: self.asked.scope.clone(),
            begun_for: None,
        };
        Ok((self.address(&pending), pending))
    }

    /// Takes the callback of a consent: the whole URL that was called, exactly as it was.
    ///
    /// # Errors
    ///
    /// `ReauthRequired`: it came too late (`oauth.callback_missing`), the administrator declined
    /// (`oauth.consent_declined`). `PermissionDenied`: not an administrator (`oauth.not_administrator`), a permission that
    /// is required is not in the token (`oauth.permission_missing`). `Protocol`: another redirect URL or no code
    /// (`oauth.callback_invalid`), another or a used state, or another scope's consent (`oauth.state_mismatch`), another issuer
    /// (`oauth.issuer_mismatch`), an identity token that cannot be trusted (`oauth.id_token_invalid`).
    /// `Unauthenticated`: another tenant or audience (`oauth.tenant_mismatch`, `oauth.audience_mismatch`). What the code of
    /// the identity service means, and what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// The consent is used up: begin again. After an error of the provider or of the key set's address it is not: a host that
    /// kept [`PendingConsent::to_secret`] may hand the same callback in once more.
    pub async fn finish(&self, pending: PendingConsent, callback_url: &str) -> Result<Consented> {
        pending.check_scope(&self.asked.scope)?;
        let callback = Callback::read(callback_url, &pending.redirect_url)?;
        if self.clock.now() >= pending.expires_at {
            return Err(Error::new(&codes::OAUTH_CALLBACK_MISSING, OPERATION));
        }
        callback.check_state(&pending)?;
        self.used.take(&pending, self.clock.now())?;
        self.check_own(&pending)?;
        let code = callback.code(&self.endpoint.service)?;
        let ready = self.prepare().await;
        // The code was not shown yet, so that the same callback may come again.
        let (client, keys) = ready.inspect_err(|_| self.used.give_back(&pending))?;
        if client.id != pending.client_id {
            let error = Error::new(&codes::OAUTH_STATE_MISMATCH, OPERATION);
            return Err(error.with_detail("the client id was changed meanwhile"));
        }
        let grant = Grant::Code {
            code,
            verifier: &pending.verifier,
            redirect: &pending.redirect_url,
        };
        let granted = self.endpoint.ask(&client, grant).await?;
        self.endpoint.check(&granted)?;
        let identity = self.identity(&pending, &granted, keys).await?;
        callback.check_issuer(&identity.issuer)?;
        Ok(consented(client.id, identity, granted))
    }

    /// Waits for the callback URL that the host receives, at most until the consent ends.
    ///
    /// # Errors
    ///
    /// `ReauthRequired` (`oauth.callback_missing`) where it does not come.
    ///
    /// # Cancel safety
    ///
    /// Wait again.
    pub async fn wait_for(
        &self,
        pending: &PendingConsent,
        callback: impl Future<Output = String> + Send,
    ) -> Result<String> {
        let left = pending.expires_at.duration_since(self.clock.now());
        let sleep = self.clock.sleep(left.try_into().unwrap_or_default());
        match select(Box::pin(callback), sleep).await {
            Either::Left((url, _)) => Ok(url),
            Either::Right(..) => Err(Error::new(&codes::OAUTH_CALLBACK_MISSING, OPERATION)),
        }
    }

    fn expires_at(&self) -> Timestamp {
        let life = jiff::SignedDuration::try_from(self.life).unwrap_or(jiff::SignedDuration::MAX);
        let now = self.clock.now();
        now.saturating_add(life).unwrap_or(Timestamp::MAX)
    }

    async fn redirect_url(&self) -> Result<String> {
        let asked = match &self.redirect_url {
            Some(given) => Some(given.clone()),
            None => self.asked.provider.redirect_url(&self.asked.scope).await?,
        };
        let missing =
            || Error::new(&codes::CREDENTIAL_MISSING, OPERATION).with_detail("redirect URL");
        let text = asked.filter(|url| !url.is_empty()).ok_or_else(missing)?;
        check_redirect_url(&text)?;
        Ok(text)
    }

    fn address(&self, pending: &PendingConsent) -> String {
        let service = &self.endpoint.service;
        let mut scope = format!("openid {}", service.scope);
        if self.offline {
            scope.push_str(" offline_access");
        }
        let mut url: Url = self.authorize_url.as_url().clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("response_mode", "query")
            .append_pair("client_id", &pending.client_id)
            .append_pair("redirect_uri", &pending.redirect_url)
            .append_pair("scope", scope.trim_end())
            .append_pair("state", pending.state.expose_secret())
            .append_pair("nonce", pending.nonce.expose_secret())
            .append_pair("code_challenge", &challenge(&pending.verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "consent");
        if let Some(resource) = &service.resource {
            query.append_pair("resource", resource);
        }
        drop(query);
        url.into()
    }

    /// A consent that was begun elsewhere goes nowhere: its code must not be shown to another service.
    fn check_own(&self, pending: &PendingConsent) -> Result<()> {
        if pending.token_endpoint == self.endpoint.service.token_endpoint {
            return Ok(());
        }
        Err(Error::new(&codes::OAUTH_ISSUER_MISMATCH, OPERATION))
    }

    /// What is needed besides the code, which is good for one use: it is spent when all the rest is there.
    async fn prepare(&self) -> Result<(Client, Vec<u8>)> {
        let client = self.asked.client().await?;
        let keys = self.endpoint.transport.fetch(&self.jwks_url).await?;
        Ok((client, keys))
    }

    async fn identity(
        &self,
        pending: &PendingConsent,
        granted: &Granted,
        mut keys: Vec<u8>,
    ) -> Result<Identity> {
        let token = granted.id_token.as_ref().ok_or_else(|| {
            Error::new(&codes::OAUTH_ID_TOKEN_INVALID, OPERATION).with_detail("there is none")
        })?;
        let check = id_token::Check {
            service: &self.endpoint.service,
            client_id: &pending.client_id,
            nonce: &pending.nonce,
            now: self.clock.now(),
        };
        if !check.knows_key(token, &keys) {
            // A key that was published in between.
            keys = self.endpoint.transport.fetch(&self.jwks_url).await?;
        }
        check.identity(token, &keys)
    }
}

/// The issuer of an identity token that passes, for tests: for a client id and a nonce, a token and a key set.
#[cfg(feature = "testkit")]
pub(super) fn check_id_token(
    service: &IdentityService,
    (client_id, nonce): (&str, &str),
    (token, keys): (&str, &[u8]),
    now: Timestamp,
) -> Result<String> {
    let check = id_token::Check {
        service,
        client_id,
        nonce: &nonce.into(),
        now,
    };
    let identity = check.identity(&token.into(), keys)?;
    Ok(identity.issuer)
}

/// The code of a callback, for tests.
#[cfg(feature = "testkit")]
pub(super) fn read_callback(
    service: &IdentityService,
    url: &str,
    redirect_url: &str,
) -> Result<String> {
    Callback::read(url, redirect_url)?.code(service)
}

/// The challenge of a verifier (RFC 7636, 4.2).
fn challenge(verifier: &SecretString) -> String {
    let hash = digest::digest(&digest::SHA256, verifier.expose_secret().as_bytes());
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(hash.as_ref())
}

fn consented(client_id: String, identity: Identity, granted: Granted) -> Consented {
    let named = granted.facts.map(|facts| facts.permissions);
    Consented {
        tenant_id: identity.tenant_id,
        permissions: named.or(granted.scopes),
        refresh_token: granted.refresh_token,
        access_token: granted.token,
        client_id,
    }
}
