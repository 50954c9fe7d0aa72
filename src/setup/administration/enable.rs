//! Switching logging on: sign-in type, connection, consent, validation, job, and only then the toggle.

use super::{Consent, ConsentRequest, EmailLoggingAdministration, JobDescriptor, OnResult};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::scope::Scope;
use crate::setup::fields::Consequence;
use crate::setup::{AuthenticationType, EmailLoggingSetup, SetupChange, ValidationReport};
use crate::store::{SecretName, StoredSetup};

/// How an attempt to enable logging ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Enabling {
    /// Logging is on. The report may hold warnings.
    Enabled(ValidationReport),
    /// It was on already; nothing was done.
    AlreadyEnabled,
    /// An administrator has to sign in: run the host's sign-in and enable again. Logging is off.
    ConsentNeeded(ConsentNeeded),
    /// The validation failed, and says why. Logging is off.
    Invalid(ValidationReport),
}

/// Why an administrator has to sign in.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConsentNeeded {
    /// What the attempt to sign in as the job met.
    pub reason: Error,
    /// Where the administrator signs in, if the [`AdministratorSignIn`](super::AdministratorSignIn) has begun it.
    pub request: Option<ConsentRequest>,
}

impl EmailLoggingAdministration {
    /// Switches logging on.
    ///
    /// What belongs to another authentication type is cleared; the connection is made; where it needs consent the
    /// [`AdministratorSignIn`](super::AdministratorSignIn) is asked, or else the answer is
    /// [`Enabling::ConsentNeeded`]; every check is made and told to `on_result`; the job is scheduled; then the toggle is
    /// stored, with the ids of the folders. A set-up that somebody else changes meanwhile is not enabled.
    ///
    /// # Errors
    ///
    /// `Conflict` (`setup.version`), `StoreUnavailable`, and what the host's sign-in or scheduler raises. Logging is then
    /// off.
    ///
    /// # Cancel safety
    ///
    /// Logging is off after a drop, unless the toggle was being stored; enable again. A job that was scheduled makes no
    /// request while logging is off.
    pub async fn enable(&self, scope: &Scope, on_result: OnResult<'_>) -> Result<Enabling> {
        if self.load(scope).await?.setup.enabled {
            return Ok(Enabling::AlreadyEnabled);
        }
        let mut stored = self.apply_authentication_type(scope).await?;
        if let Some(reason) = self.consent_reason(scope, &stored.setup).await {
            let granted = match &self.sign_in {
                Some(sign_in) => sign_in.sign_in(scope, &stored.setup, &reason).await?,
                None => Consent::Later,
            };
            let request = match granted {
                Consent::Granted(tenant) => Ok(tenant),
                Consent::At(request) => Err(Some(request)),
                Consent::Later => Err(None),
            };
            let tenant = match request {
                Ok(tenant) => tenant,
                Err(request) => {
                    let needed = ConsentNeeded { reason, request };
                    return Ok(Enabling::ConsentNeeded(needed));
                }
            };
            stored = self.keep_tenant(scope, stored, tenant).await?;
        }
        let validation = self.run_checks(scope, &stored.setup, on_result).await;
        let (queue, storage) = validation.folders();
        let report = self.keep(scope, validation);
        if !report.is_green() {
            return Ok(Enabling::Invalid(report));
        }
        let mut setup = stored.setup;
        setup.queue_folder_id = setup.queue_folder_id.or(queue);
        setup.storage_folder_id = setup.storage_folder_id.or(storage);
        self.switch_on(scope, setup, stored.version).await?;
        Ok(Enabling::Enabled(report))
    }

    /// Clears what belongs to another authentication type, as choosing this one does.
    async fn apply_authentication_type(&self, scope: &Scope) -> Result<StoredSetup> {
        let edit = |setup: &mut EmailLoggingSetup| {
            setup.apply(&[SetupChange::AuthenticationType(setup.authentication_type)])
        };
        Ok(self.write(scope, None, edit).await?.stored)
    }

    /// The error that an administrator's sign-in would remove, if there is one.
    async fn consent_reason(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Option<Error> {
        let error = match self.connector.connect(scope, setup).await {
            Ok(connection) => connection.probe.sign_in().await.err()?,
            Err(error) => error,
        };
        needs_consent(setup, &error).then_some(error)
    }

    /// Stores the tenant over the set-up that the administrator signed in for. Where that was changed or cleared meanwhile, it
    /// is a conflict, and a set-up without a delegated sign-in keeps no refresh token of it.
    async fn keep_tenant(
        &self,
        scope: &Scope,
        seen: StoredSetup,
        tenant: Option<String>,
    ) -> Result<StoredSetup> {
        let change = tenant.map(SetupChange::ExchangeTenantId);
        let changed = self.change(scope, Some(seen.version), change.as_slice());
        let changed = changed.await;
        if changed.is_err() && is_delegated(&seen.setup) {
            let now = self.load(scope).await?.setup;
            if !is_delegated(&now) {
                let token = [Consequence::EraseSecret(SecretName::RefreshToken)];
                self.erase(scope, &token).await?;
            }
        }
        changed.map(|changed| changed.stored)
    }

    /// The job first, as it makes no request while the toggle is off; the toggle last, and only over what was validated.
    async fn switch_on(
        &self,
        scope: &Scope,
        mut setup: EmailLoggingSetup,
        version: u64,
    ) -> Result<()> {
        if let Some(jobs) = &self.jobs {
            let job = JobDescriptor::enabled_at(self.clock.now());
            jobs.enqueue(scope, &job).await?;
        }
        setup.enabled = true;
        let saved = self.store.save_setup(scope, &setup, version).await;
        if saved.is_err() {
            self.take_job_back(scope).await;
        }
        saved.map(drop)
    }

    /// Removes the job unless somebody else has enabled logging meanwhile. A job that stays makes no request.
    async fn take_job_back(&self, scope: &Scope) {
        let enabled = self.load(scope).await.map(|stored| stored.setup.enabled);
        if let (Some(jobs), Ok(false)) = (&self.jobs, enabled) {
            // The error that led here is the one to tell.
            drop(jobs.remove(scope).await);
        }
    }
}

fn is_delegated(setup: &EmailLoggingSetup) -> bool {
    setup.authentication_type == AuthenticationType::OAuth2Delegated
}

/// A grant that is refused, absent or of an unknown tenant is an administrator's to give; a client id or secret that is
/// missing, or a service that cannot be found, is not.
fn needs_consent(setup: &EmailLoggingSetup, error: &Error) -> bool {
    let by_consent = matches!(
        setup.authentication_type,
        AuthenticationType::OAuth2 | AuthenticationType::OAuth2Delegated
    );
    let incomplete = [codes::SETUP_INCOMPLETE.code, codes::CONFIG_MISSING.code];
    let refused = error.kind() == ErrorKind::Unauthenticated || incomplete.contains(&error.code());
    let no_tenant = setup.exchange_tenant_id.is_none();
    by_consent && (error.kind() == ErrorKind::ReauthRequired || (no_tenant && refused))
}
