//! The sign-in of an administrator, where enabling needs one.

use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::error::{Error, Result};
use crate::forward::forward;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;

/// Signs an administrator in while logging is being enabled. Optional: without it enabling answers that consent is
/// needed, and is called again after the host's own sign-in.
#[async_trait]
pub trait AdministratorSignIn: Debug + Send + Sync + 'static {
    /// Asks an administrator for consent and waits for the answer. `reason` says why it is needed. Secrets are stored by
    /// the one who signs in; the tenant is stored by the one who asked.
    ///
    /// # Errors
    ///
    /// Why there is no consent: declined, no administrator, no callback. Logging stays off.
    ///
    /// # Cancel safety
    ///
    /// Up to the implementation; enabling may be called again.
    async fn sign_in(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        reason: &Error,
    ) -> Result<Consent>;
}

forward! {
    AdministratorSignIn {
        async fn sign_in(
            &self,
            scope: &Scope,
            setup: &EmailLoggingSetup,
            reason: &Error,
        ) -> Result<Consent>;
    }
}

/// What an administrator's sign-in gave.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Consent {
    /// Granted; the token named this tenant (`tid`), where it names one.
    Granted(Option<String>),
    /// It takes place in a browser at this address: enabling answers that consent is needed, with the request.
    At(ConsentRequest),
    /// It takes place elsewhere, later: enabling answers that consent is needed.
    Later,
}

/// What a host needs to have an administrator sign in. `Debug` shows when it ends, and nothing else.
#[derive(Clone)]
#[non_exhaustive]
pub struct ConsentRequest {
    /// The address that the administrator's browser opens.
    pub authorize_url: String,
    /// What is kept until the callback, in a session on the server: whoever has it can finish the consent.
    pub pending: SecretString,
    /// Until when a callback is taken.
    pub expires_at: Timestamp,
}

impl ConsentRequest {
    /// A request of a host's own sign-in.
    pub fn new(
        authorize_url: impl Into<String>,
        pending: impl Into<SecretString>,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            authorize_url: authorize_url.into(),
            pending: pending.into(),
            expires_at,
        }
    }
}

impl fmt::Debug for ConsentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentRequest")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
