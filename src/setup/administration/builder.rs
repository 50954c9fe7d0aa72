//! Putting an administration together.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{AdministratorSignIn, EmailLoggingAdministration, InteractionTemplates, JobQueue};
use crate::clock::{Clock, SystemClock};
use crate::directory::DirectoryAudit;
use crate::error::{Error, Result, codes};
use crate::setup::{MailConnector, SetupValidator};
use crate::store::{SecretStore, SetupStore};

/// Builds an [`EmailLoggingAdministration`]. Needed are where the set-up is kept and a connector.
#[derive(Debug, Default)]
pub struct EmailLoggingAdministrationBuilder {
    store: Option<Arc<dyn SetupStore>>,
    secrets: Option<Arc<dyn SecretStore>>,
    connector: Option<Arc<dyn MailConnector>>,
    sign_in: Option<Arc<dyn AdministratorSignIn>>,
    templates: Option<Arc<dyn InteractionTemplates>>,
    directory: Option<Arc<dyn DirectoryAudit>>,
    jobs: Option<Arc<dyn JobQueue>>,
    other_mailbox: Option<String>,
    mail_age: Option<Duration>,
    clock: Option<Arc<dyn Clock>>,
}

impl EmailLoggingAdministrationBuilder {
    /// Where the set-up is kept.
    #[must_use]
    pub fn with_setup_store(mut self, store: Arc<dyn SetupStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Where secrets are kept. Without it secrets are the host's, and none is erased here.
    #[must_use]
    pub fn with_secret_store(mut self, secrets: Arc<dyn SecretStore>) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// Connects to the mail system.
    #[must_use]
    pub fn with_connector(mut self, connector: Arc<dyn MailConnector>) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Signs an administrator in while logging is being enabled.
    #[must_use]
    pub fn with_sign_in(mut self, sign_in: Arc<dyn AdministratorSignIn>) -> Self {
        self.sign_in = Some(sign_in);
        self
    }

    /// The host's interaction templates.
    #[must_use]
    pub fn with_templates(mut self, templates: Arc<dyn InteractionTemplates>) -> Self {
        self.templates = Some(templates);
        self
    }

    /// The directory, whose records a validation audits.
    #[must_use]
    pub fn with_directory(mut self, directory: Arc<dyn DirectoryAudit>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// The host's scheduler. Without it the host runs the logger's own schedule.
    #[must_use]
    pub fn with_jobs(mut self, jobs: Arc<dyn JobQueue>) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// The address of a mailbox that has nothing to do with logging, which the account should not be able to read.
    #[must_use]
    pub fn with_other_mailbox(mut self, smtp_address: impl Into<String>) -> Self {
        self.other_mailbox = Some(smtp_address.into());
        self
    }

    /// How old the newest mail may be before a validation warns; default 7 days.
    #[must_use]
    pub fn with_mail_age(mut self, age: Duration) -> Self {
        self.mail_age = Some(age);
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Builds the administration.
    ///
    /// # Errors
    ///
    /// `Config` (`config.missing`) without a set-up store or a connector.
    pub fn build(self) -> Result<EmailLoggingAdministration> {
        let store = self.store.ok_or_else(|| missing("a set-up store"))?;
        let connector = self.connector.ok_or_else(|| missing("a mail connector"))?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let mut validator =
            SetupValidator::new(Arc::clone(&connector)).with_clock(Arc::clone(&clock));
        validator.templates = self.templates;
        validator.directory = self.directory;
        validator.jobs.clone_from(&self.jobs);
        validator.other_mailbox = self.other_mailbox;
        if let Some(age) = self.mail_age {
            validator = validator.with_mail_age(age);
        }
        Ok(EmailLoggingAdministration {
            store,
            secrets: self.secrets,
            connector,
            sign_in: self.sign_in,
            jobs: self.jobs,
            validator,
            clock,
            reports: Mutex::default(),
        })
    }
}

fn missing(what: &'static str) -> Error {
    Error::new(&codes::CONFIG_MISSING, "build").with_detail(what)
}
