//! What is known of a set-up without asking the mail system.

use super::{EmailLoggingAdministration, JobState};
use crate::error::Result;
use crate::scope::Scope;
use crate::setup::{AuthenticationType, EmailLoggingSetup, ValidationReport};
use crate::store::SecretName;

/// The state of a set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct SetupStatus {
    /// Whether logging is on.
    pub enabled: bool,
    /// The version of the set-up; 0 where none is stored.
    pub version: u64,
    /// How the job signs in, by its code.
    pub authentication_type: &'static str,
    /// Whether the job has what it signs in with.
    pub signed_in: SignInState,
    /// The last validation since this administration was built.
    pub last_validation: Option<ValidationReport>,
    /// The job; `None` where none is scheduled or the host gave no scheduler.
    pub job: Option<JobState>,
}

/// Whether the job has what it signs in with, as far as the set-up and its secrets show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum SignInState {
    /// An administrator signed in, or user name and password are stored.
    SignedIn,
    /// Neither.
    SignedOut,
    /// It lies with the host: its own tokens, or its own credentials.
    WithHost,
}

crate::message::codes!(SignInState {
    SignedIn => "signed-in",
    SignedOut => "signed-out",
    WithHost => "with-host",
});

impl EmailLoggingAdministration {
    /// What is known of the set-up. The mail system is not asked.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`, and what the host's scheduler raises.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn status(&self, scope: &Scope) -> Result<SetupStatus> {
        let stored = self.load(scope).await?;
        let signed_in = self.sign_in_state(scope, &stored.setup).await?;
        let job = match &self.jobs {
            Some(jobs) => jobs.state(scope).await?,
            None => None,
        };
        Ok(SetupStatus {
            enabled: stored.setup.enabled,
            version: stored.version,
            authentication_type: stored.setup.authentication_type.code(),
            signed_in,
            last_validation: self.lock_reports().get(scope).cloned(),
            job,
        })
    }

    async fn sign_in_state(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<SignInState> {
        let secret = match setup.authentication_type {
            AuthenticationType::AccessToken => return Ok(SignInState::WithHost),
            AuthenticationType::OAuth2 if setup.exchange_tenant_id.is_some() => {
                return Ok(SignInState::SignedIn);
            }
            AuthenticationType::OAuth2 => return Ok(SignInState::SignedOut),
            AuthenticationType::OAuth2Delegated => SecretName::RefreshToken,
            AuthenticationType::Basic if setup.exchange_account_user_name.is_none() => {
                return Ok(SignInState::WithHost);
            }
            AuthenticationType::Basic => SecretName::AccountPassword,
        };
        let Some(secrets) = &self.secrets else {
            return Ok(SignInState::WithHost);
        };
        let stored = secrets.load_secret(scope, secret).await?;
        Ok(if stored.is_some() {
            SignInState::SignedIn
        } else {
            SignInState::SignedOut
        })
    }
}
