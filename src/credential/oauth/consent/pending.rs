//! A consent between its two steps.

use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::OPERATION;
use crate::error::{Error, Result, codes};
use crate::scope::Scope;

/// A consent that waits for its callback. `Debug` shows when it ends, and nothing else.
///
/// It is good for one callback and cannot be cloned. That it was used is kept in the memory of the
/// [`AdminConsent`](super::AdminConsent) that finished it: where several processes take callbacks, the host deletes its text
/// in one step with reading it, so that no two of them finish the same one. The identity service takes a code once, too.
/// A host whose callback is taken by another process carries it there with
/// [`to_secret`](Self::to_secret), in a place that is fit for secrets: whoever has it can finish the consent.
pub struct PendingConsent {
    pub(super) state: SecretString,
    pub(super) nonce: SecretString,
    pub(super) verifier: SecretString,
    pub(super) redirect_url: String,
    pub(super) client_id: String,
    pub(super) token_endpoint: String,
    pub(super) expires_at: Timestamp,
    pub(super) scope: Scope,
    /// A digest of what the consent was begun for, where whoever began it says so.
    pub(super) begun_for: Option<String>,
}

impl fmt::Debug for PendingConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingConsent")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl PendingConsent {
    /// Until when a callback is taken.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// What the callback's `state` has to be, by which a host with several consents finds the right one.
    pub fn state(&self) -> &SecretString {
        &self.state
    }

    /// Says what the consent was begun for.
    pub(crate) fn with_begun_for(mut self, digest: String) -> Self {
        self.begun_for = Some(digest);
        self
    }

    /// What the consent was begun for.
    pub(crate) fn begun_for(&self) -> Option<&str> {
        self.begun_for.as_deref()
    }

    /// Only the scope that began it may finish it.
    pub(crate) fn check_scope(&self, scope: &Scope) -> Result<()> {
        if self.scope == *scope {
            return Ok(());
        }
        let error = Error::new(&codes::OAUTH_STATE_MISMATCH, OPERATION);
        Err(error.with_detail("the consent was begun for another scope"))
    }

    /// The whole of it as one secret text, to be kept sealed or in a session on the server.
    pub fn to_secret(&self) -> SecretString {
        let text = json!({
            "state": self.state.expose_secret(),
            "nonce": self.nonce.expose_secret(),
            "verifier": self.verifier.expose_secret(),
            "redirect_url": self.redirect_url,
            "client_id": self.client_id,
            "token_endpoint": self.token_endpoint,
            "expires_at": self.expires_at.as_millisecond(),
            "tenant": self.scope.tenant(),
            "company": self.scope.company(),
            "begun_for": self.begun_for,
        });
        text.to_string().into()
    }

    /// Back from the text.
    ///
    /// # Errors
    ///
    /// `Protocol` (`oauth.state_mismatch`) for any other text.
    pub fn from_secret(text: &SecretString) -> Result<Self> {
        let invalid = || Error::new(&codes::OAUTH_STATE_MISMATCH, OPERATION);
        let value: Value = serde_json::from_str(text.expose_secret()).map_err(|_| invalid())?;
        let text = |name: &str| {
            let text = value.get(name).and_then(Value::as_str);
            let text = text.filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(invalid)
        };
        let expires_at = value.get("expires_at").and_then(Value::as_i64);
        let expires_at = expires_at.and_then(|at| Timestamp::from_millisecond(at).ok());
        Ok(Self {
            state: text("state")?.into(),
            nonce: text("nonce")?.into(),
            verifier: text("verifier")?.into(),
            redirect_url: text("redirect_url")?,
            client_id: text("client_id")?,
            token_endpoint: text("token_endpoint")?,
            expires_at: expires_at.ok_or_else(invalid)?,
            scope: Scope::new(text("tenant")?, text("company")?).map_err(|_| invalid())?,
            begun_for: text("begun_for").ok(),
        })
    }
}
