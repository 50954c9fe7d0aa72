//! Whether a set-up works: every check of it, each with what was found and what to do.
//!
//! All checks run, also when earlier ones fail; what builds on a failed one says so. Nothing is changed, neither in the
//! set-up nor in the mail system.

mod access;
mod checks;
mod context;
mod findings;
mod folders;
mod host;
mod mail;
mod result;
mod service;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::EmailLoggingSetup;
use super::administration::{InteractionTemplates, JobQueue};
use super::connection::MailConnector;
use crate::clock::{Clock, SystemClock};
use crate::directory::DirectoryAudit;
use crate::scope::Scope;
use crate::source::FolderId;

use context::Context;

pub use checks::{CHECKS, Check, CheckInfo};
pub use findings::{FINDINGS, Finding};
pub use result::{CheckResult, NotChecked, ValidationReport, Verdict};

/// Validates set-ups. What it is not given a part for is "not checked". Cloning is cheap.
#[derive(Clone)]
pub struct SetupValidator {
    connector: Arc<dyn MailConnector>,
    pub(super) templates: Option<Arc<dyn InteractionTemplates>>,
    pub(super) directory: Option<Arc<dyn DirectoryAudit>>,
    pub(super) jobs: Option<Arc<dyn JobQueue>>,
    pub(super) other_mailbox: Option<String>,
    mail_age: Duration,
    left_out: Vec<Check>,
    clock: Arc<dyn Clock>,
}

impl SetupValidator {
    /// A validator that connects by this connector.
    pub fn new(connector: Arc<dyn MailConnector>) -> Self {
        Self {
            connector,
            templates: None,
            directory: None,
            jobs: None,
            other_mailbox: None,
            mail_age: Duration::from_hours(7 * 24),
            left_out: Vec::new(),
            clock: Arc::new(SystemClock),
        }
    }

    /// The host's interaction templates.
    #[must_use]
    pub fn with_templates(mut self, templates: Arc<dyn InteractionTemplates>) -> Self {
        self.templates = Some(templates);
        self
    }

    /// The directory, whose records are audited.
    #[must_use]
    pub fn with_directory(mut self, directory: Arc<dyn DirectoryAudit>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// The host's scheduler.
    #[must_use]
    pub fn with_jobs(mut self, jobs: Arc<dyn JobQueue>) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// The address of a mailbox that has nothing to do with logging: that the account can read it is a warning.
    #[must_use]
    pub fn with_other_mailbox(mut self, smtp_address: impl Into<String>) -> Self {
        self.other_mailbox = Some(smtp_address.into());
        self
    }

    /// How old the newest mail may be before it is a warning; default 7 days.
    #[must_use]
    pub fn with_mail_age(mut self, age: Duration) -> Self {
        self.mail_age = age;
        self
    }

    /// Leaves these checks out: they are "not checked", and a report is green without them. What builds on one of them is
    /// to be left out too, or says that it depends on it.
    #[must_use]
    pub fn without(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.left_out.extend(checks);
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Begins to validate a set-up. Nothing runs before [`Validation::next`] is called.
    pub fn validate(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Validation {
        Validation {
            context: Context::new(self.clone(), scope.clone(), setup.clone()),
            results: Vec::new(),
        }
    }
}

impl fmt::Debug for SetupValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetupValidator")
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

/// A validation under way. It answers each check as it ends, in the order of the table.
pub struct Validation {
    context: Context,
    results: Vec<CheckResult>,
}

impl Validation {
    /// Makes the next check; `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the check to be made again.
    pub async fn next(&mut self) -> Option<CheckResult> {
        let info = CHECKS.get(self.results.len())?;
        let result = if self.context.validator.left_out.contains(&info.check) {
            CheckResult::not_checked(info.check, NotChecked::LeftOut)
        } else {
            self.context.check(info.check).await
        };
        self.results.push(result.clone());
        Some(result)
    }

    /// How many checks are still to be made.
    pub fn left(&self) -> usize {
        CHECKS.len() - self.results.len()
    }

    /// Makes the checks that are left and answers the report of all.
    ///
    /// # Cancel safety
    ///
    /// Changes nothing; begin again after a drop.
    pub async fn finish(mut self) -> ValidationReport {
        while self.next().await.is_some() {}
        ValidationReport::new(self.context.began, self.results)
    }

    /// The ids of the folders as they were found: queue and storage.
    pub(super) fn folders(&self) -> (Option<FolderId>, Option<FolderId>) {
        self.context.folder_ids()
    }

    pub(super) fn into_report(self) -> ValidationReport {
        ValidationReport::new(self.context.began, self.results)
    }
}

impl fmt::Debug for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validation")
            .field("results", &self.results)
            .finish_non_exhaustive()
    }
}
