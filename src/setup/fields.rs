//! The fields of the set-up: their names, their limits and what each may hold. Knows no store and no mail system.

mod apply;
mod change;
mod consequence;
mod service_address;
mod url;

use std::fmt;

use super::{AuthenticationType, EmailLoggingSetup, MailService};
use crate::error::{Code, Error, Result, codes};
use crate::message::Address;
use crate::source::{FolderId, FolderPath, FolderRoot};

pub use change::SetupChange;
pub use consequence::Consequence;
pub use service_address::ServiceAddress;

/// A field of the set-up that a person fills in. A folder counts as one field with its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum SetupField {
    /// Queue Folder Path, with its id.
    QueueFolder,
    /// Storage Folder Path, with its id.
    StorageFolder,
    /// Email Batch Size.
    EmailBatchSize,
    /// Autodiscovery E-Mail Address.
    AutodiscoveryEmailAddress,
    /// Exchange Service URL.
    ExchangeServiceUrl,
    /// Authentication Type.
    AuthenticationType,
    /// Exchange Account User Name.
    ExchangeAccountUserName,
    /// Exchange Client Id.
    ExchangeClientId,
    /// Exchange Redirect URL.
    ExchangeRedirectUrl,
    /// Exchange Tenant Id, which a sign-in fills in.
    ExchangeTenantId,
    /// The interaction template for e-mail.
    InteractionTemplateCode,
    /// How the mailbox is reached.
    MailService,
}

crate::message::codes!(SetupField {
    QueueFolder => "queue-folder",
    StorageFolder => "storage-folder",
    EmailBatchSize => "email-batch-size",
    AutodiscoveryEmailAddress => "autodiscovery-email-address",
    ExchangeServiceUrl => "exchange-service-url",
    AuthenticationType => "authentication-type",
    ExchangeAccountUserName => "exchange-account-user-name",
    ExchangeClientId => "exchange-client-id",
    ExchangeRedirectUrl => "exchange-redirect-url",
    ExchangeTenantId => "exchange-tenant-id",
    InteractionTemplateCode => "interaction-template-code",
    MailService => "mail-service",
});

impl SetupField {
    /// How many characters it may have; `None` where it is no text.
    pub fn limit(self) -> Option<usize> {
        match self {
            Self::EmailBatchSize | Self::AuthenticationType | Self::MailService => None,
            Self::ExchangeRedirectUrl => Some(2048),
            Self::InteractionTemplateCode => Some(10),
            _ => Some(250),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::QueueFolder => "queue folder",
            Self::StorageFolder => "storage folder",
            Self::EmailBatchSize => "batch size",
            Self::AutodiscoveryEmailAddress => "autodiscovery address",
            Self::ExchangeServiceUrl => "Exchange service URL",
            Self::AuthenticationType => "authentication type",
            Self::ExchangeAccountUserName => "user name",
            Self::ExchangeClientId => "client id",
            Self::ExchangeRedirectUrl => "redirect URL",
            Self::ExchangeTenantId => "tenant id",
            Self::InteractionTemplateCode => "interaction template",
            Self::MailService => "mail service",
        }
    }
}

impl fmt::Display for SetupField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl EmailLoggingSetup {
    /// Every rule that a field breaks, in the order of the fields. A field that has no value breaks none.
    ///
    /// Changes are checked as they are made; this is for a set-up that came another way.
    pub fn violations(&self) -> Vec<Error> {
        let fields = SetupField::ALL.iter().map(|field| self.check(*field));
        let mut errors: Vec<_> = fields.filter_map(Result::err).collect();
        errors.extend(self.check_folders_differ().err());
        errors.extend(self.check_online().err());
        errors.extend(self.check_graph().err());
        errors
    }

    /// How the service is found: what the service URL says, read by its rule.
    ///
    /// # Errors
    ///
    /// `Config`: `setup.service_url`, or `config.insecure` for plain http.
    pub fn service_address(&self) -> Result<ServiceAddress> {
        ServiceAddress::parse(self.exchange_service_url.as_deref().unwrap_or_default())
    }

    /// The rules of one field alone.
    pub(super) fn check(&self, field: SetupField) -> Result<()> {
        let text = self.text(field);
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        check_text(field, &text)?;
        match field {
            SetupField::AutodiscoveryEmailAddress => check_address(&text),
            SetupField::ExchangeServiceUrl => ServiceAddress::parse(&text).map(drop),
            SetupField::ExchangeRedirectUrl => url::check_redirect(&text),
            SetupField::ExchangeAccountUserName => self.check_belongs(field, true),
            SetupField::ExchangeClientId | SetupField::ExchangeTenantId => {
                self.check_belongs(field, false)
            }
            _ => Ok(()),
        }
    }

    fn text(&self, field: SetupField) -> Option<String> {
        let path = |path: &Option<FolderPath>| path.as_ref().map(ToString::to_string);
        match field {
            SetupField::QueueFolder => path(&self.queue_folder),
            SetupField::StorageFolder => path(&self.storage_folder),
            SetupField::EmailBatchSize
            | SetupField::AuthenticationType
            | SetupField::MailService => None,
            SetupField::AutodiscoveryEmailAddress => self.autodiscovery_email_address.clone(),
            SetupField::ExchangeServiceUrl => self.exchange_service_url.clone(),
            SetupField::ExchangeAccountUserName => self.exchange_account_user_name.clone(),
            SetupField::ExchangeClientId => self.exchange_client_id.clone(),
            SetupField::ExchangeRedirectUrl => self.exchange_redirect_url.clone(),
            SetupField::ExchangeTenantId => self.exchange_tenant_id.clone(),
            SetupField::InteractionTemplateCode => self.interaction_template_code.clone(),
        }
    }

    fn check_belongs(&self, field: SetupField, to_basic: bool) -> Result<()> {
        if (self.authentication_type == AuthenticationType::Basic) == to_basic {
            return Ok(());
        }
        Err(broken(&codes::SETUP_AUTHENTICATION_TYPE, field.words()))
    }

    /// Queue and storage must differ by path, without regard to case as Exchange compares names, and by id.
    fn check_folders_differ(&self) -> Result<()> {
        let same_path = match (&self.queue_folder, &self.storage_folder) {
            (Some(queue), Some(storage)) => is_same_path(queue, storage),
            _ => false,
        };
        let id = |id: &Option<FolderId>| id.clone().filter(|id| !id.as_str().is_empty());
        let queue_id = id(&self.queue_folder_id);
        let same_id = queue_id.is_some() && queue_id == id(&self.storage_folder_id);
        if same_path || same_id {
            return Err(Error::new(&codes::SETUP_QUEUE_EQUALS_STORAGE, "setup"));
        }
        Ok(())
    }

    /// Exchange Online takes OAuth2 only (Basic ended there in October 2022).
    fn check_online(&self) -> Result<()> {
        let basic = self.authentication_type == AuthenticationType::Basic;
        let online = |address: ServiceAddress| address.is_exchange_online();
        if basic && self.service_address().is_ok_and(online) {
            return Err(Error::new(&codes::EWS_BASIC_ONLINE, "setup"));
        }
        Ok(())
    }
}

impl EmailLoggingSetup {
    /// Graph has no public folders, and signs nobody in with a password.
    fn check_graph(&self) -> Result<()> {
        if self.mail_service != MailService::Graph {
            return Ok(());
        }
        if self.authentication_type == AuthenticationType::Basic {
            return Err(Error::new(&codes::SETUP_AUTHENTICATION_TYPE, "setup")
                .with_detail("Microsoft Graph takes OAuth2 only"));
        }
        let folders = [
            (SetupField::QueueFolder, &self.queue_folder),
            (SetupField::StorageFolder, &self.storage_folder),
        ];
        let is_public = |path: &FolderPath| *path.root() == FolderRoot::PublicFolders;
        for (field, path) in folders {
            if path.as_ref().is_some_and(is_public) {
                return Err(broken(&codes::GRAPH_PUBLIC_FOLDERS, field.words()));
            }
        }
        Ok(())
    }
}

/// Whether two paths name one folder.
pub(crate) fn is_same_path(one: &FolderPath, other: &FolderPath) -> bool {
    let lower = |path: &FolderPath| -> Vec<String> {
        let segments = path.segments().iter();
        segments.map(|segment| segment.to_lowercase()).collect()
    };
    one.root() == other.root() && lower(one) == lower(other)
}

fn check_text(field: SetupField, text: &str) -> Result<()> {
    let limit = field.limit().unwrap_or(usize::MAX);
    if text.chars().count() > limit {
        let detail = format!("{field}: at most {limit} characters");
        return Err(Error::new(&codes::SETUP_TOO_LONG, "setup").with_detail(detail));
    }
    if text.chars().any(char::is_control) {
        return Err(broken(&codes::SETUP_TEXT, field.words()));
    }
    Ok(())
}

fn check_address(text: &str) -> Result<()> {
    let field = SetupField::AutodiscoveryEmailAddress;
    let read = Address::parse(text);
    read.map(drop)
        .map_err(|_| broken(&codes::SETUP_ADDRESS, field.words()))
}

fn broken(code: &'static Code, field: &'static str) -> Error {
    Error::new(code, "setup").with_detail(field)
}
