//! Changing, enabling, disabling and clearing a set-up: what the page of the original does behind its buttons.
//!
//! Owns the order of the steps and what happens when two people take them at once. It must not know a mail system or a
//! user interface.

mod builder;
mod consent;
mod enable;
mod guide;
mod job;
mod status;
mod templates;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::EmailLoggingSetup;
use super::fields::{Consequence, SetupChange};
use super::validation::{CheckResult, SetupValidator, Validation, ValidationReport};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, codes};
use crate::scope::Scope;
use crate::store::{SecretStore, SetupStore, StoredSetup};

pub use builder::EmailLoggingAdministrationBuilder;
pub use consent::{AdministratorSignIn, Consent, ConsentRequest};
pub use enable::{ConsentNeeded, Enabling};
pub use guide::FinishedGuide;
pub use job::{JobDescriptor, JobFailure, JobQueue, JobState, MemoryJobQueue};
pub use status::{SetupStatus, SignInState};
pub use templates::{InteractionTemplates, TemplateList};

use super::connection::MailConnector;

/// How often a change is repeated when somebody else changes the set-up at the same moment.
const ATTEMPTS: u32 = 4;

/// Administers the set-ups of a host.
///
/// Every operation names its scope and reads the set-up anew, so that several processes can administer the same store.
pub struct EmailLoggingAdministration {
    store: Arc<dyn SetupStore>,
    secrets: Option<Arc<dyn SecretStore>>,
    connector: Arc<dyn MailConnector>,
    sign_in: Option<Arc<dyn AdministratorSignIn>>,
    jobs: Option<Arc<dyn JobQueue>>,
    validator: SetupValidator,
    clock: Arc<dyn Clock>,
    reports: Mutex<BTreeMap<Scope, ValidationReport>>,
}

/// Listens to a validation: it is told each result as the check ends, and must return at once.
pub type OnResult<'a> = &'a mut (dyn FnMut(&CheckResult) + Send);

/// A set-up after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedSetup {
    /// The set-up as it is stored now.
    pub stored: StoredSetup,
    /// What followed.
    pub consequences: Vec<Consequence>,
}

impl EmailLoggingAdministration {
    /// Begins to put an administration together.
    pub fn builder() -> EmailLoggingAdministrationBuilder {
        EmailLoggingAdministrationBuilder::default()
    }

    /// The set-up as it is stored; the empty one with version 0 where none is.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn load(&self, scope: &Scope) -> Result<StoredSetup> {
        let stored = self.store.load_setup(scope).await?;
        Ok(stored.unwrap_or_else(|| StoredSetup::new(EmailLoggingSetup::default(), 0)))
    }

    /// Makes changes, all or none, stores the set-up, and erases the secrets that it no longer needs.
    ///
    /// With the version that a person has `seen`, a change of somebody else meanwhile is a conflict; without, the changes
    /// are made to what is stored now. A change that changes nothing writes nothing.
    ///
    /// # Errors
    ///
    /// As [`EmailLoggingSetup::apply`]; `Conflict` (`setup.version`); `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop: choosing an authentication type again erases again.
    pub async fn change(
        &self,
        scope: &Scope,
        seen: Option<u64>,
        changes: &[SetupChange],
    ) -> Result<ChangedSetup> {
        let edit = |setup: &mut EmailLoggingSetup| setup.apply(changes);
        self.write(scope, seen, edit).await
    }

    /// Validates the set-up as it is stored, and keeps the report for [`status`](Self::status). Nothing is changed.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable` for the set-up itself. What the checks meet is in the report.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn validate(
        &self,
        scope: &Scope,
        on_result: OnResult<'_>,
    ) -> Result<ValidationReport> {
        let setup = self.load(scope).await?.setup;
        let validation = self.run_checks(scope, &setup, on_result).await;
        Ok(self.keep(scope, validation))
    }

    /// Switches logging off. A run that is under way takes no new batch and finishes what it began; settings and secrets
    /// stay, so that enabling again asks for nothing. Answers whether it was on.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`, and what the host's scheduler raises, after logging was switched off.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop.
    pub async fn disable(&self, scope: &Scope) -> Result<bool> {
        let mut was_enabled = false;
        let edit = |setup: &mut EmailLoggingSetup| {
            was_enabled = setup.enabled;
            setup.enabled = false;
            Ok(Vec::new())
        };
        self.write(scope, None, edit).await?;
        if let Some(jobs) = &self.jobs {
            jobs.remove(scope).await?;
        }
        Ok(was_enabled)
    }

    /// Empties the set-up and erases every secret. The log, the originals and the mail stay, and so does the interaction
    /// template, which belongs to the interaction template set-up. The host asks for confirmation before.
    ///
    /// # Errors
    ///
    /// `Config` (`setup.enabled`) while logging is enabled; `Conflict`; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Repeat it after a drop: the secrets are erased again, whatever the fields hold.
    pub async fn clear(&self, scope: &Scope) -> Result<Vec<Consequence>> {
        let edit = |setup: &mut EmailLoggingSetup| {
            if setup.enabled {
                return Err(Error::new(&codes::SETUP_ENABLED, "clear"));
            }
            let (emptied, consequences) = setup.emptied();
            *setup = emptied;
            Ok(consequences)
        };
        let cleared = self.write(scope, None, edit).await?;
        self.lock_reports().remove(scope);
        Ok(cleared.consequences)
    }

    /// Edits the set-up with compare-and-set, then erases what the consequences name. Stored first: secrets that are gone
    /// while the fields still ask for them would stop a set-up that somebody else has enabled meanwhile.
    async fn write(
        &self,
        scope: &Scope,
        seen: Option<u64>,
        mut edit: impl FnMut(&mut EmailLoggingSetup) -> Result<Vec<Consequence>> + Send,
    ) -> Result<ChangedSetup> {
        let mut attempt = 1;
        let (stored, consequences) = loop {
            let StoredSetup { setup, version } = self.load(scope).await?;
            if seen.is_some_and(|seen| seen != version) {
                return Err(Error::new(&codes::SETUP_VERSION, "change"));
            }
            let mut edited = setup.clone();
            let consequences = edit(&mut edited)?;
            if edited == setup {
                break (StoredSetup::new(setup, version), consequences);
            }
            match self.store.save_setup(scope, &edited, version).await {
                Ok(version) => break (StoredSetup::new(edited, version), consequences),
                Err(error) if error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        };
        if consequences.contains(&Consequence::Reconnect) {
            self.connector.forget(scope);
        }
        self.erase(scope, &consequences).await?;
        Ok(ChangedSetup {
            stored,
            consequences,
        })
    }

    async fn erase(&self, scope: &Scope, consequences: &[Consequence]) -> Result<()> {
        let names = Consequence::secrets(consequences);
        match &self.secrets {
            Some(secrets) if !names.is_empty() => secrets.erase_secrets(scope, &names).await,
            _ => Ok(()),
        }
    }

    async fn run_checks(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        on_result: OnResult<'_>,
    ) -> Validation {
        let mut validation = self.validator.validate(scope, setup);
        while let Some(result) = validation.next().await {
            on_result(&result);
        }
        validation
    }

    fn keep(&self, scope: &Scope, validation: Validation) -> ValidationReport {
        let report = validation.into_report();
        self.lock_reports().insert(scope.clone(), report.clone());
        report
    }

    fn lock_reports(&self) -> std::sync::MutexGuard<'_, BTreeMap<Scope, ValidationReport>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EmailLoggingAdministration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailLoggingAdministration")
            .field("store", &self.store)
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}
