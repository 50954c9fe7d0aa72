//! The assisted set-up as a state machine that any user interface can drive.
//!
//! Owns the pages, what was entered on them, and what keeps a person from going on. It does no I/O: an event goes in,
//! requests to the host come out, and the host's answers come in as events. It holds no secret: a secret goes through an
//! event into the request that it causes. Knows no store, no mail system, no user interface.

mod event;
mod guards;
mod handle;
mod prefill;
mod reason;
#[cfg(feature = "serde")]
mod serial;
mod step;

use jiff::Timestamp;

pub use event::{ClientSecret, GuideAnswer, GuideEvent, GuideRequest, GuideTicket};
pub use reason::{GuideReason, GuideWarning};
pub use step::{FolderVariant, GuideStep};

use super::{AuthenticationType, EmailLoggingSetup, MailService};
use crate::source::{FolderId, FolderPath, FolderRoot};

/// When Exchange Online began to block Exchange Web Services by default, 2026-10-01 (Exchange Team Blog, 4492361).
const EWS_BLOCKED: Timestamp = crate::exchange_online::EWS_BLOCKED_FROM;
/// When Exchange Online ends Exchange Web Services, 2027-04-01 (the same).
const EWS_ENDED: Timestamp = crate::exchange_online::EWS_ENDS;
/// What the original writes.
const BATCH_SIZE: u32 = 10;

/// What the host tells the assisted set-up when it opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct GuideOptions {
    /// Whether it is for Exchange Online, where only OAuth2 signs in.
    pub online: bool,
    /// Whether a provider supplies client id *and* secret, so that nobody is asked for them.
    pub credentials_supplied: bool,
    /// The redirect URL that is suggested, such as the host's base URL with `OAuthLanding.htm`.
    pub redirect_url: Option<String>,
    /// When it is opened; warnings depend on the date.
    pub opened_at: Timestamp,
    /// Whether the host reaches mailboxes of Exchange Online by Microsoft Graph, too
    /// ([`GraphConnector`](crate::setup::GraphConnector)).
    #[cfg_attr(feature = "serde", serde(default))]
    pub graph: bool,
    /// A set-up that exists. It is used up when the guide is opened.
    #[cfg_attr(feature = "serde", serde(skip))]
    existing: Option<Box<EmailLoggingSetup>>,
}

impl GuideOptions {
    /// Options for Exchange Online.
    pub fn online(opened_at: Timestamp) -> Self {
        Self {
            online: true,
            credentials_supplied: false,
            redirect_url: None,
            opened_at,
            graph: false,
            existing: None,
        }
    }

    /// Options for Exchange on premises.
    pub fn on_premises(opened_at: Timestamp) -> Self {
        Self {
            online: false,
            ..Self::online(opened_at)
        }
    }

    /// Whether a provider supplies client id and secret.
    #[must_use]
    pub fn with_credentials_supplied(mut self, supplied: bool) -> Self {
        self.credentials_supplied = supplied;
        self
    }

    /// Whether the host's connector reaches Microsoft Graph. Then Graph is proposed for a new set-up of Exchange Online, and
    /// the person may choose ([`GuideEvent::ChooseService`]); without it every set-up is for EWS.
    #[must_use]
    pub fn with_graph(mut self, graph: bool) -> Self {
        self.graph = graph;
        self
    }

    /// The redirect URL that is suggested.
    #[must_use]
    pub fn with_redirect_url(mut self, url: impl Into<String>) -> Self {
        self.redirect_url = Some(url.into());
        self
    }

    /// The set-up that exists, whose values are proposed. All is checked again, and secrets are to be given again or said to
    /// be [stored](ClientSecret::Stored). It is not written where options are stored under `serde`.
    #[must_use]
    pub fn with_setup(mut self, setup: &EmailLoggingSetup) -> Self {
        // A set-up for Graph is there because the host reaches it.
        self.graph |= setup.mail_service == MailService::Graph;
        self.existing = Some(Box::new(setup.clone()));
        self
    }
}

/// What the assisted set-up ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuideOutcome {
    /// The values to store. `enabled` says whether the job was ticked: without its job, logging is off. (The original
    /// enables it all the same, so that it is on and never runs.)
    pub setup: EmailLoggingSetup,
    /// Whether to schedule the job.
    pub schedule_job: bool,
}

/// How far the whole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum GuideStatus {
    /// It is being gone through.
    Open,
    /// Leaving was asked for and is not confirmed.
    Closing,
    /// The host is storing the set-up.
    Finishing,
    /// The set-up was stored.
    Completed,
    /// It was left before that: not completed.
    NotCompleted,
}

/// Something that the host checks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum GuideCheck {
    /// Not yet, or what was checked has changed since.
    #[default]
    NotRun,
    /// The answer is awaited.
    Running(GuideTicket),
    /// It passed.
    Passed,
    /// It failed, with the host's code.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct IntroPage {
    help_opened: bool,
    prepared: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct SignInPage {
    client_id: Option<String>,
    secret_given: bool,
    redirect_url: Option<String>,
    tenant_id: Option<String>,
    user_name: Option<String>,
    consent: GuideCheck,
    login: GuideCheck,
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct FoldersPage {
    variant: FolderVariant,
    default: bool,
    #[cfg_attr(feature = "serde", serde(with = "serial::path"))]
    queue: FolderPath,
    #[cfg_attr(feature = "serde", serde(with = "serial::path"))]
    storage: FolderPath,
    #[cfg_attr(feature = "serde", serde(with = "serial::id"))]
    queue_id: Option<FolderId>,
    #[cfg_attr(feature = "serde", serde(with = "serial::id"))]
    storage_id: Option<FolderId>,
    check: GuideCheck,
}

impl FoldersPage {
    fn new(variant: FolderVariant) -> Self {
        let [queue, storage] = default_folders(variant);
        Self {
            variant,
            default: true,
            queue,
            storage,
            queue_id: None,
            storage_id: None,
            check: GuideCheck::NotRun,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct LastPage {
    template: Option<String>,
    template_exists: bool,
    schedule_job: bool,
    stored: GuideCheck,
}

/// The assisted set-up of email logging.
///
/// Feed it with [`handle`](Self::handle) and carry out what comes back; draw [`step`](Self::step), and disable Next, Back
/// and Finish with [`can_next`](Self::can_next), [`can_back`](Self::can_back) and [`can_finish`](Self::can_finish). Under
/// `serde` it can be kept between the requests of a web host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AssistedSetup {
    options: GuideOptions,
    status: GuideStatus,
    step: GuideStep,
    tickets: GuideTicket,
    #[cfg_attr(feature = "serde", serde(with = "serial::authentication"))]
    authentication: AuthenticationType,
    #[cfg_attr(feature = "serde", serde(default, with = "serial::service"))]
    service: MailService,
    intro: IntroPage,
    sign_in: SignInPage,
    address: String,
    service_url: Option<String>,
    batch_size: u32,
    connection: GuideCheck,
    folders: FoldersPage,
    rules_confirmed: bool,
    validation: GuideCheck,
    last: LastPage,
}

impl AssistedSetup {
    /// Opens it on its first page. A shared mailbox is proposed for Exchange Online, public folders on premises.
    pub fn new(mut options: GuideOptions) -> Self {
        let existing = options.existing.take();
        let variant = if options.online {
            FolderVariant::SharedMailbox
        } else {
            FolderVariant::PublicFolders
        };
        let sign_in = SignInPage {
            redirect_url: options.redirect_url.clone(),
            ..SignInPage::default()
        };
        let mut guide = Self {
            options,
            status: GuideStatus::Open,
            step: GuideStep::Intro,
            tickets: 0,
            authentication: AuthenticationType::default(),
            service: MailService::Ews,
            intro: IntroPage::default(),
            sign_in,
            address: String::new(),
            service_url: None,
            batch_size: BATCH_SIZE,
            connection: GuideCheck::NotRun,
            folders: FoldersPage::new(variant),
            rules_confirmed: false,
            validation: GuideCheck::NotRun,
            last: LastPage {
                template: None,
                template_exists: false,
                schedule_job: true,
                stored: GuideCheck::NotRun,
            },
        };
        if guide.may_choose(MailService::Graph) {
            guide.service = MailService::Graph;
        }
        if let Some(setup) = existing {
            guide.prefill(*setup);
        }
        guide
    }

    /// The page that is open.
    pub fn step(&self) -> GuideStep {
        self.step
    }

    /// How far the whole is.
    pub fn status(&self) -> GuideStatus {
        self.status
    }

    /// The pages of this way, in order.
    pub fn steps(&self) -> Vec<GuideStep> {
        let client = self.uses_consent() && !self.options.credentials_supplied;
        let pages = [
            (GuideStep::Intro, true),
            (GuideStep::Client, client),
            (GuideStep::SignIn, self.uses_consent()),
            (GuideStep::LoginPass, self.uses_password()),
            (GuideStep::Mailbox, true),
            (GuideStep::Folders, true),
            (GuideStep::MailFlowRules, true),
            (GuideStep::Validation, true),
            (GuideStep::Done, true),
        ];
        let shown = pages.into_iter().filter(|(_, shown)| *shown);
        shown.map(|(step, _)| step).collect()
    }

    /// How the job will sign in.
    pub fn authentication(&self) -> AuthenticationType {
        self.authentication
    }

    /// How the mailbox will be reached.
    pub fn service(&self) -> MailService {
        self.service
    }

    /// Whether the mailbox can be reached so: Microsoft Graph where the host has it, for Exchange Online alone.
    pub fn may_choose(&self, service: MailService) -> bool {
        service == MailService::Ews || (self.options.graph && self.options.online)
    }

    /// Whether the instructions were opened, without which the preparation cannot be confirmed.
    pub fn help_opened(&self) -> bool {
        self.intro.help_opened
    }

    /// Which folders are set up.
    pub fn variant(&self) -> FolderVariant {
        self.folders.variant
    }

    /// Whether the default folders are ticked, which makes both paths read-only.
    pub fn default_folders(&self) -> bool {
        self.folders.default
    }

    /// The mail address as it was entered.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The consent of an administrator.
    pub fn consent(&self) -> &GuideCheck {
        &self.sign_in.consent
    }

    /// User name and password.
    pub fn login(&self) -> &GuideCheck {
        &self.sign_in.login
    }

    /// The connection for the address.
    pub fn connection(&self) -> &GuideCheck {
        &self.connection
    }

    /// The two folders.
    pub fn folders(&self) -> &GuideCheck {
        &self.folders.check
    }

    /// The checks of the whole set-up.
    pub fn validation(&self) -> &GuideCheck {
        &self.validation
    }

    /// How storing came out, after Finish.
    pub fn stored(&self) -> &GuideCheck {
        &self.last.stored
    }

    /// What to say beside the page, by date and choice.
    pub fn warnings(&self) -> Vec<GuideWarning> {
        let now = self.options.opened_at;
        let public = self.folders.variant == FolderVariant::PublicFolders;
        let last = self.step == GuideStep::Done;
        let ews = if now >= EWS_ENDED {
            GuideWarning::EwsEnded
        } else if now >= EWS_BLOCKED {
            GuideWarning::EwsBlocked
        } else {
            GuideWarning::EwsEnds
        };
        let by_ews = self.options.online && self.service == MailService::Ews;
        let all = [
            (ews, by_ews),
            (
                GuideWarning::PublicFoldersOnline,
                self.options.online && public,
            ),
            (
                GuideWarning::NotStored,
                last && matches!(self.last.stored, GuideCheck::Failed(_)),
            ),
            (GuideWarning::NotScheduled, last && !self.last.schedule_job),
            (
                GuideWarning::RulesDelay,
                self.step == GuideStep::MailFlowRules,
            ),
        ];
        let given = all.into_iter().filter(|(_, given)| *given);
        given.map(|(warning, _)| warning).collect()
    }

    /// The values so far. What a provider supplies stays blank, and no secret is among them.
    ///
    /// The service URL is the domain of the address, as the original stores it, unless one was entered, and blank for Microsoft
    /// Graph, which is where the cloud of the identity service has it; the batch size is
    /// 10, or what the set-up that exists has.
    pub fn setup(&self) -> EmailLoggingSetup {
        let address = self.address.trim();
        let domain = address
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_owned());
        let asked = self.steps().contains(&GuideStep::Client);
        let (oauth, basic) = (self.uses_consent(), self.uses_password());
        EmailLoggingSetup {
            enabled: self.last.schedule_job,
            queue_folder: Some(self.folders.queue.clone()),
            queue_folder_id: self.folders.queue_id.clone(),
            storage_folder: Some(self.folders.storage.clone()),
            storage_folder_id: self.folders.storage_id.clone(),
            email_batch_size: self.batch_size,
            autodiscovery_email_address: self.entered_address(),
            exchange_service_url: match self.service {
                MailService::Ews => self.service_url.clone().or(domain),
                MailService::Graph => None,
            },
            exchange_account_user_name: self.sign_in.user_name.clone().filter(|_| basic),
            exchange_client_id: self.sign_in.client_id.clone().filter(|_| asked),
            exchange_redirect_url: self.sign_in.redirect_url.clone().filter(|_| oauth),
            exchange_tenant_id: self.sign_in.tenant_id.clone().filter(|_| oauth),
            authentication_type: self.authentication,
            interaction_template_code: self.last.template.clone(),
            mail_service: self.service,
        }
    }

    /// The values of a set-up that is not on yet.
    fn setup_so_far(&self) -> Box<EmailLoggingSetup> {
        Box::new(EmailLoggingSetup {
            enabled: false,
            ..self.setup()
        })
    }

    fn entered_address(&self) -> Option<String> {
        Some(self.address.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn uses_consent(&self) -> bool {
        matches!(
            self.authentication,
            AuthenticationType::OAuth2 | AuthenticationType::OAuth2Delegated
        )
    }

    fn uses_password(&self) -> bool {
        self.authentication == AuthenticationType::Basic
    }
}

/// Queue and storage as they are proposed.
fn default_folders(variant: FolderVariant) -> [FolderPath; 2] {
    let none: [&str; 0] = [];
    match variant {
        FolderVariant::PublicFolders => ["Queue", "Storage"]
            .map(|last| FolderPath::new(FolderRoot::PublicFolders, ["Email Logging", last])),
        FolderVariant::SharedMailbox => {
            [FolderRoot::Inbox, FolderRoot::Archive].map(|root| FolderPath::new(root, none))
        }
    }
}
