//! The sign-in of an administrator, where enabling needs one.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

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
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consent {
    /// Granted; the token named this tenant (`tid`), where it names one.
    Granted(Option<String>),
    /// It takes place elsewhere, later: enabling answers that consent is needed.
    Later,
}
