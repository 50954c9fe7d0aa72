//! From EWS to Microsoft Graph: what a set-up becomes, what stands in the way, and what to do in which order.
//!
//! A comparison of settings and nothing else: no server is asked and nothing is stored. The ledger needs no change; why, is
//! the ledger's own matter.

mod issue;
mod step;

use jiff::Timestamp;

use super::{
    AuthenticationType, Destination, EmailLoggingSetup, EwsRetirement, MailApi, MailService,
    Narrowing, ProvisioningPlan, ServiceAddress, SetupChange, SetupField,
};
use crate::error::Result;
use crate::source::{FolderPath, FolderRoot};

pub use issue::MigrationIssue;
pub use step::MigrationStep;

/// What a person says about the way to Graph. What is left out stays as it is, or is the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationOptions {
    /// The mailbox that Graph reads; the set-up's if not given.
    pub mailbox: Option<String>,
    /// The queue folder; the set-up's if it lies in a mailbox, else the Inbox.
    pub queue: Option<FolderPath>,
    /// The storage folder; the set-up's if it lies in a mailbox, else Archive.
    pub storage: Option<FolderPath>,
    /// How the job signs in at Graph; as at EWS if not given.
    pub authentication: Option<AuthenticationType>,
    /// The client id of the app registration; the set-up's if not given.
    pub client_id: Option<String>,
    /// The object id of its enterprise application, for the role in Exchange.
    pub object_id: Option<String>,
    /// The administrator's sign-in name, for the prompt of Exchange Online.
    pub administrator: Option<String>,
    /// Whether the mailbox is one of Exchange Online by now, although the set-up names a server of one's own.
    pub mailbox_is_online: bool,
}

impl MigrationOptions {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The mailbox that Graph reads.
    #[must_use]
    pub fn with_mailbox(mut self, address: impl Into<String>) -> Self {
        self.mailbox = Some(address.into());
        self
    }

    /// Queue and storage folder.
    #[must_use]
    pub fn with_folders(mut self, queue: FolderPath, storage: FolderPath) -> Self {
        (self.queue, self.storage) = (Some(queue), Some(storage));
        self
    }

    /// How the job signs in at Graph.
    #[must_use]
    pub fn with_authentication(mut self, authentication: AuthenticationType) -> Self {
        self.authentication = Some(authentication);
        self
    }

    /// The app registration, and the object id of its enterprise application where it is known.
    #[must_use]
    pub fn with_application(
        mut self,
        client_id: impl Into<String>,
        object_id: Option<String>,
    ) -> Self {
        self.client_id = Some(client_id.into());
        self.object_id = object_id;
        self
    }

    /// Says that the mailbox is one of Exchange Online, although the set-up names a server of one's own. Without it such a set-up
    /// stays with EWS ([`MigrationIssue::OnPremises`]).
    #[must_use]
    pub fn with_mailbox_online(mut self) -> Self {
        self.mailbox_is_online = true;
        self
    }

    /// The administrator's sign-in name.
    #[must_use]
    pub fn with_administrator(mut self, name: impl Into<String>) -> Self {
        self.administrator = Some(name.into());
        self
    }
}

/// One field before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MigrationRow {
    /// The field.
    pub field: SetupField,
    /// Its value with EWS.
    pub ews: Option<String>,
    /// Its value with Graph.
    pub graph: Option<String>,
}

impl MigrationRow {
    /// Whether the field stays as it is.
    pub fn is_same(&self) -> bool {
        self.ews == self.graph
    }
}

/// The way of one set-up from EWS to Graph.
///
/// ```
/// use email_logging::setup::{EmailLoggingSetup, MigrationOptions, MigrationPlan, SetupChange};
///
/// # fn main() -> email_logging::Result<()> {
/// let mut setup = EmailLoggingSetup::default();
/// setup.apply(&[
///     SetupChange::AutodiscoveryEmailAddress("logging@corp.example".into()),
///     SetupChange::ExchangeServiceUrl("https://outlook.office365.com/EWS/Exchange.asmx".into()),
///     SetupChange::ExchangeClientId("11111111-2222-4333-8444-555555555555".into()),
///     SetupChange::QueueFolder(Some(r"inbox:".parse::<email_logging::source::FolderPath>()?.into())),
///     SetupChange::StorageFolder(Some(r"archive:".parse::<email_logging::source::FolderPath>()?.into())),
/// ])?;
/// let now = "2026-11-27T00:00:00Z".parse().expect("a time");
/// let plan = MigrationPlan::to_graph(&setup, &MigrationOptions::new(), now)?;
/// assert!(plan.is_possible());
/// setup.apply(plan.changes())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationPlan {
    changes: Vec<SetupChange>,
    rows: Vec<MigrationRow>,
    issues: Vec<MigrationIssue>,
    steps: Vec<MigrationStep>,
    provisioning: Option<ProvisioningPlan>,
    retirement: Option<EwsRetirement>,
    target: EmailLoggingSetup,
}

impl MigrationPlan {
    /// Compares a set-up for EWS with what it becomes.
    ///
    /// # Errors
    ///
    /// What [`EmailLoggingSetup::apply`] and the plan for Exchange refuse: a folder, an address or an id that breaks its
    /// rule. What a person has to decide is no error but an [issue](Self::issues).
    pub fn to_graph(
        setup: &EmailLoggingSetup,
        options: &MigrationOptions,
        now: Timestamp,
    ) -> Result<Self> {
        let wanted = Wanted::of(setup, options);
        let changes = wanted.changes(setup);
        let mut target = EmailLoggingSetup {
            enabled: false,
            ..setup.clone()
        };
        let issues = issue::of(setup, options, &wanted);
        if !issues.iter().any(MigrationIssue::stops) {
            target.apply(&changes)?;
        }
        let provisioning = wanted.provisioning(options)?;
        let steps = step::of(setup, &target, &issues, provisioning.as_ref());
        Ok(Self {
            rows: rows(setup, &target),
            retirement: retirement(setup, now),
            changes,
            issues,
            steps,
            provisioning,
            target,
        })
    }

    /// The changes that make it a set-up for Graph, for
    /// [`EmailLoggingAdministration::change`](super::EmailLoggingAdministration::change).
    pub fn changes(&self) -> &[SetupChange] {
        &self.changes
    }

    /// The fields of a connection before and after, in the order of the fields.
    pub fn rows(&self) -> &[MigrationRow] {
        &self.rows
    }

    /// What a person has to know or to decide.
    pub fn issues(&self) -> &[MigrationIssue] {
        &self.issues
    }

    /// Whether nothing stops the change.
    pub fn is_possible(&self) -> bool {
        !self.issues.iter().any(MigrationIssue::stops)
    }

    /// What to do, in order.
    pub fn steps(&self) -> &[MigrationStep] {
        &self.steps
    }

    /// What an administrator of Exchange prepares; `None` as long as the mailbox is not known.
    pub fn provisioning(&self) -> Option<&ProvisioningPlan> {
        self.provisioning.as_ref()
    }

    /// How far the end of EWS has come, where the set-up uses it with Exchange Online.
    pub fn retirement(&self) -> Option<EwsRetirement> {
        self.retirement
    }

    /// The set-up as it will be; as it is where something stops the change.
    pub fn target(&self) -> &EmailLoggingSetup {
        &self.target
    }
}

/// The end of EWS concerns whoever names Exchange Online, or signs in at a tenant of it without naming a server.
fn retirement(setup: &EmailLoggingSetup, now: Timestamp) -> Option<EwsRetirement> {
    let found = matches!(setup.service_address(), Ok(ServiceAddress::Autodiscover));
    let by_tenant = found
        && setup.mail_service == MailService::Ews
        && setup.exchange_tenant_id.is_some()
        && setup.authentication_type != AuthenticationType::Basic;
    let told = setup.ews_retirement(now);
    told.or_else(|| by_tenant.then(|| EwsRetirement::at(now)))
}

/// The values with Graph.
struct Wanted {
    mailbox: Option<String>,
    queue: FolderPath,
    storage: FolderPath,
    authentication: AuthenticationType,
    client_id: Option<String>,
}

impl Wanted {
    fn of(setup: &EmailLoggingSetup, options: &MigrationOptions) -> Self {
        let given = |option: &Option<String>, field: &Option<String>| {
            let texts = [option, field].into_iter().flatten();
            let mut texts = texts.map(|text| text.trim().to_owned());
            texts.find(|text| !text.is_empty())
        };
        Self {
            mailbox: given(&options.mailbox, &setup.autodiscovery_email_address),
            queue: folder(
                options.queue.as_ref(),
                setup.queue_folder.as_ref(),
                FolderRoot::Inbox,
            ),
            storage: folder(
                options.storage.as_ref(),
                setup.storage_folder.as_ref(),
                FolderRoot::Archive,
            ),
            authentication: options.authentication.unwrap_or(setup.authentication_type),
            client_id: given(&options.client_id, &setup.exchange_client_id),
        }
    }

    /// The tenant comes last: it is the same one, whatever forgets it.
    fn changes(&self, setup: &EmailLoggingSetup) -> Vec<SetupChange> {
        let mut changes = vec![SetupChange::MailService(MailService::Graph)];
        if self.authentication != setup.authentication_type {
            changes.push(SetupChange::AuthenticationType(self.authentication));
        }
        let texts = [
            (&self.mailbox, &setup.autodiscovery_email_address),
            (&self.client_id, &setup.exchange_client_id),
        ];
        let makers = [
            SetupChange::AutodiscoveryEmailAddress,
            SetupChange::ExchangeClientId,
        ];
        for ((wanted, stored), change) in texts.into_iter().zip(makers) {
            if wanted != stored {
                changes.extend(wanted.clone().map(change));
            }
        }
        let folder = |path: &FolderPath| Some(path.clone().into());
        changes.push(SetupChange::QueueFolder(folder(&self.queue)));
        changes.push(SetupChange::StorageFolder(folder(&self.storage)));
        let tenant = setup.exchange_tenant_id.clone();
        changes.extend(tenant.map(SetupChange::ExchangeTenantId));
        changes
    }

    fn provisioning(&self, options: &MigrationOptions) -> Result<Option<ProvisioningPlan>> {
        let Some(mailbox) = &self.mailbox else {
            return Ok(None);
        };
        let destination = Destination::shared_mailbox(mailbox);
        let mut plan = ProvisioningPlan::online(mailbox, destination);
        if let Some(name) = &options.administrator {
            plan = plan.with_administrator(name);
        }
        if let (Some(client_id), Some(object_id)) = (&self.client_id, &options.object_id) {
            plan = plan.with_narrowing(Narrowing::ApplicationRole {
                client_id: client_id.clone(),
                object_id: object_id.clone(),
                api: MailApi::Graph,
            });
        }
        plan.build().map(Some)
    }
}

/// The folder with Graph: as a person says, as it is in a mailbox, or the usual one in place of a public folder.
fn folder(
    option: Option<&FolderPath>,
    stored: Option<&FolderPath>,
    usual: FolderRoot,
) -> FolderPath {
    let kept = stored.filter(|path| *path.root() != FolderRoot::PublicFolders);
    let usual = || FolderPath::new(usual, Vec::<String>::new());
    option.or(kept).cloned().unwrap_or_else(usual)
}

fn rows(before: &EmailLoggingSetup, after: &EmailLoggingSetup) -> Vec<MigrationRow> {
    let fields = [
        SetupField::QueueFolder,
        SetupField::StorageFolder,
        SetupField::AutodiscoveryEmailAddress,
        SetupField::ExchangeServiceUrl,
        SetupField::AuthenticationType,
        SetupField::ExchangeClientId,
        SetupField::ExchangeTenantId,
        SetupField::MailService,
    ];
    let row = |field| MigrationRow {
        field,
        ews: shown(before, field),
        graph: shown(after, field),
    };
    fields.into_iter().map(row).collect()
}

fn shown(setup: &EmailLoggingSetup, field: SetupField) -> Option<String> {
    let path = |path: &Option<FolderPath>| path.as_ref().map(ToString::to_string);
    match field {
        SetupField::QueueFolder => path(&setup.queue_folder),
        SetupField::StorageFolder => path(&setup.storage_folder),
        SetupField::AutodiscoveryEmailAddress => setup.autodiscovery_email_address.clone(),
        SetupField::ExchangeServiceUrl => setup.exchange_service_url.clone(),
        SetupField::AuthenticationType => Some(setup.authentication_type.code().to_owned()),
        SetupField::ExchangeClientId => setup.exchange_client_id.clone(),
        SetupField::ExchangeTenantId => setup.exchange_tenant_id.clone(),
        SetupField::MailService => Some(setup.mail_service.code().to_owned()),
        _ => None,
    }
}
