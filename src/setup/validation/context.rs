//! What the checks of one validation share: what earlier ones found out.

use jiff::Timestamp;

use super::SetupValidator;
use super::checks::Check;
use super::result::{CheckResult, NotChecked};
use crate::error::{Error, Result};
use crate::scope::Scope;
use crate::setup::{EmailLoggingSetup, MailConnection, ServiceFacts, SignedIn};
use crate::source::{Folder, FolderId};

/// One validation. Each part is filled in by the check that it is named after.
pub(super) struct Context {
    pub(super) validator: SetupValidator,
    pub(super) scope: Scope,
    pub(super) setup: EmailLoggingSetup,
    pub(super) began: Timestamp,
    pub(super) service: Option<Result<MailConnection>>,
    pub(super) signed_in: Option<Result<SignedIn>>,
    pub(super) facts: Option<Result<ServiceFacts>>,
    pub(super) queue: Option<Folder>,
    pub(super) storage: Option<Folder>,
}

/// The answer of a check that ends early stands where an error would.
pub(super) type Judged<T = CheckResult> = Result<T, Early>;

/// The answer of a check that cannot go on.
pub(super) struct Early(Box<CheckResult>);

impl From<CheckResult> for Early {
    fn from(result: CheckResult) -> Self {
        Self(Box::new(result))
    }
}

impl Early {
    pub(super) fn into_result(self) -> CheckResult {
        *self.0
    }
}

impl Context {
    pub(super) fn new(validator: SetupValidator, scope: Scope, setup: EmailLoggingSetup) -> Self {
        let began = validator.clock.now();
        Self {
            validator,
            scope,
            setup,
            began,
            service: None,
            signed_in: None,
            facts: None,
            queue: None,
            storage: None,
        }
    }

    pub(super) async fn check(&mut self, check: Check) -> CheckResult {
        let judged = match check {
            Check::AutodiscoveryAddress => Ok(self.autodiscovery_address()),
            Check::Fields => Ok(self.fields()),
            Check::Service => Ok(self.find_service().await),
            Check::Credentials => self.credentials().await,
            Check::CredentialExpiry => self.credential_expiry(),
            Check::Connection => self.connect().await,
            Check::Tls => Ok(self.tls()),
            Check::EwsAllowed => Ok(self.ews_allowed()),
            Check::EwsEnd => self.ews_end(),
            Check::TokenPermissions => self.token_permissions(),
            Check::ClockSkew => self.clock_skew(),
            Check::RootFolder => self.root_folder().await,
            Check::QueueFolder => self.queue_folder().await,
            Check::StorageFolder => self.storage_folder().await,
            Check::FoldersDistinct => self.folders_distinct(),
            Check::QueueRights => self.queue_rights().await,
            Check::StorageRights => self.storage_rights().await,
            Check::StorageRoom => self.storage_room().await,
            Check::MailArriving => self.mail_arriving().await,
            Check::LeastAccess => self.least_access().await,
            Check::InteractionTemplate => Ok(self.interaction_template()),
            Check::InteractionTemplateExists => self.interaction_template_exists().await,
            Check::DirectoryAddresses => self.directory_addresses().await,
            Check::Job => self.job().await,
        };
        judged.unwrap_or_else(Early::into_result)
    }

    pub(super) fn folder_ids(&self) -> (Option<FolderId>, Option<FolderId>) {
        let id = |folder: &Option<Folder>| folder.as_ref().map(|folder| folder.id.clone());
        (id(&self.queue), id(&self.storage))
    }

    /// The connection, for a check that only needs it to be put together.
    pub(super) fn service(&self, check: Check) -> Judged<&MailConnection> {
        let service = self.service.as_ref().and_then(|found| found.as_ref().ok());
        service.ok_or_else(|| depends_on(check, Check::Service))
    }

    /// The sign-in that succeeded.
    pub(super) fn signed_in(&self, check: Check) -> Judged<&SignedIn> {
        let signed_in = self
            .signed_in
            .as_ref()
            .and_then(|found| found.as_ref().ok());
        signed_in.ok_or_else(|| depends_on(check, Check::Credentials))
    }

    /// What the service said, where it answered.
    pub(super) fn facts(&self, check: Check) -> Judged<&ServiceFacts> {
        let facts = self.facts.as_ref().and_then(|found| found.as_ref().ok());
        facts.ok_or_else(|| depends_on(check, Check::Connection))
    }

    /// The connection, for a check that needs the service to answer.
    pub(super) fn connection(&self, check: Check) -> Judged<&MailConnection> {
        self.facts(check)?;
        self.service(check)
    }

    pub(super) fn queue(&self, check: Check) -> Judged<&Folder> {
        let queue = self.queue.as_ref();
        queue.ok_or_else(|| depends_on(check, Check::QueueFolder))
    }

    pub(super) fn storage(&self, check: Check) -> Judged<&Folder> {
        let storage = self.storage.as_ref();
        storage.ok_or_else(|| depends_on(check, Check::StorageFolder))
    }
}

pub(super) fn depends_on(check: Check, other: Check) -> Early {
    not_checked(check, NotChecked::DependsOn(other))
}

pub(super) fn not_checked(check: Check, because: NotChecked) -> Early {
    CheckResult::not_checked(check, because).into()
}

/// Turns an error into the end of a check.
pub(super) fn ended(check: Check) -> impl Fn(Error) -> Early {
    move |error| CheckResult::error(check, &error).into()
}
