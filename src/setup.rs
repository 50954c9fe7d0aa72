//! The set-up of email logging: the fields of Marketing Setup that it uses, without secrets, and what is done with them.
//!
//! * [`EmailLoggingSetup::apply`] changes fields by their rules and says what follows from each change.
//! * [`EmailLoggingAdministration`] stores changes, enables, disables and clears, for a page or a command line.
//! * [`SetupValidator`] makes every [check](CHECKS) of a set-up, one result at a time.
//!
//! The mail system is reached through [`MailConnector`]; the host's templates, directory and scheduler are optional roles.

mod administration;
mod connection;
#[cfg(feature = "ews")]
mod ews;
mod fields;
#[cfg(feature = "graph")]
mod graph;
mod guide;
mod mail_service;
mod migration;
mod provisioning;
#[cfg(feature = "http")]
#[cfg_attr(not(any(feature = "ews", feature = "graph")), allow(dead_code))]
mod sign_in;
pub mod validation;

use crate::source::{FolderId, FolderPath};

pub use administration::{
    AdministratorSignIn, ChangedSetup, Consent, ConsentNeeded, ConsentRequest,
    EmailLoggingAdministration, EmailLoggingAdministrationBuilder, Enabling, FinishedGuide,
    InteractionTemplates, JobDescriptor, JobFailure, JobQueue, JobState, MemoryJobQueue, OnResult,
    SetupStatus, SignInState, TemplateList,
};
pub use connection::{
    ConnectionProbe, MailConnection, MailConnector, ServiceFacts, SignedIn, StorageRoom,
};
#[cfg(feature = "ews")]
#[cfg_attr(docsrs, doc(cfg(feature = "ews")))]
pub use ews::{EwsConnector, EwsConnectorBuilder};
pub use fields::{Consequence, ServiceAddress, SetupChange, SetupField};
#[cfg(feature = "graph")]
#[cfg_attr(docsrs, doc(cfg(feature = "graph")))]
pub use graph::{GraphConnector, GraphConnectorBuilder};
pub use guide::{
    AssistedSetup, ClientSecret, FolderVariant, GuideAnswer, GuideCheck, GuideEvent, GuideOptions,
    GuideOutcome, GuideReason, GuideRequest, GuideStatus, GuideStep, GuideTicket, GuideWarning,
};
pub use mail_service::{EwsRetirement, MailService, ServiceConnector};
pub use migration::{MigrationIssue, MigrationOptions, MigrationPlan, MigrationRow, MigrationStep};
pub use provisioning::{
    AppAccess, AppCredential, AppPermission, AppRegistration, ChecklistItem, Destination,
    ExchangeServer, MailApi, Narrowing, PermissionKind, PlanNames, ProvisioningPlan,
    ProvisioningPlanBuilder, ProvisioningStep,
};
#[cfg(feature = "oauth2")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
pub use sign_in::ConsentSignIn;
pub use validation::{
    CHECKS, Check, CheckInfo, CheckResult, FINDINGS, Finding, NotChecked, SetupValidator,
    Validation, ValidationReport, Verdict,
};

/// The set-up of one scope (Business Central's Marketing Setup fields for email logging).
///
/// It holds no secret. Times and text limits are those of the original.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EmailLoggingSetup {
    /// Whether email logging is on; while it is off a run makes no request.
    pub enabled: bool,
    /// The queue folder's path, at most 250 characters.
    pub queue_folder: Option<FolderPath>,
    /// The queue folder's id, once it was resolved.
    pub queue_folder_id: Option<FolderId>,
    /// The storage folder's path, at most 250 characters.
    pub storage_folder: Option<FolderPath>,
    /// The storage folder's id, once it was resolved.
    pub storage_folder_id: Option<FolderId>,
    /// How many mails a run takes at most; 0 is no limit.
    pub email_batch_size: u32,
    /// The address by which the server is found, and the mailbox that is read, at most 250 characters.
    pub autodiscovery_email_address: Option<String>,
    /// The address of the Exchange service: blank, a domain or a URL, at most 250 characters.
    pub exchange_service_url: Option<String>,
    /// The user name for Basic, at most 250 characters.
    pub exchange_account_user_name: Option<String>,
    /// The client id for OAuth2, at most 250 characters.
    pub exchange_client_id: Option<String>,
    /// The redirect URL for OAuth2, at most 2048 characters.
    pub exchange_redirect_url: Option<String>,
    /// The tenant that the administrator's token named (`tid`), forgotten when the client id, the URL or the address changes.
    pub exchange_tenant_id: Option<String>,
    /// How the job signs in.
    pub authentication_type: AuthenticationType,
    /// The interaction template for e-mail, at most 10 characters.
    pub interaction_template_code: Option<String>,
    /// How the mailbox is reached; EWS unless it says otherwise.
    pub mail_service: MailService,
}

/// How the job signs in (Authentication Type).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AuthenticationType {
    /// OAuth2 as an application: client id with a client secret or a certificate.
    #[default]
    OAuth2,
    /// OAuth2 for a person who consented once: a refresh token.
    OAuth2Delegated,
    /// OAuth2 with access tokens that the host makes.
    AccessToken,
    /// User name and password, on premises only. The server chooses between Basic and NTLM.
    Basic,
}

impl AuthenticationType {
    /// The stable code, as it is stored and written in TOML.
    pub fn code(self) -> &'static str {
        match self {
            Self::OAuth2 => "oauth2",
            Self::OAuth2Delegated => "oauth2-delegated",
            Self::AccessToken => "access-token",
            Self::Basic => "basic",
        }
    }

    /// The type with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [
            Self::OAuth2,
            Self::OAuth2Delegated,
            Self::AccessToken,
            Self::Basic,
        ];
        all.into_iter().find(|one| one.code() == code)
    }
}
