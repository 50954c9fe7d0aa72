//! One change of one field, as a form or a command line makes it.

use super::{SetupField, broken};
use crate::error::{Error, Result, codes};
use crate::setup::{AuthenticationType, MailService};
use crate::source::{FolderPath, FolderSelector};

/// A change of one field. A blank text empties the field; text is trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupChange {
    /// Another queue folder, or none.
    QueueFolder(Option<FolderSelector>),
    /// Another storage folder, or none.
    StorageFolder(Option<FolderSelector>),
    /// How many mails a run takes at most; 0 is no limit.
    EmailBatchSize(u32),
    /// The mailbox that is read, and by which the server is found.
    AutodiscoveryEmailAddress(String),
    /// Blank, a domain or an https URL.
    ExchangeServiceUrl(String),
    /// How the job signs in. Choosing one clears what belongs to the others, also when it was chosen before.
    AuthenticationType(AuthenticationType),
    /// The user name; only with Basic.
    ExchangeAccountUserName(String),
    /// The client id; only with OAuth2.
    ExchangeClientId(String),
    /// The redirect URL.
    ExchangeRedirectUrl(String),
    /// The tenant that a sign-in told; only with OAuth2.
    ExchangeTenantId(String),
    /// The interaction template for e-mail.
    InteractionTemplateCode(String),
    /// How the mailbox is reached. Another one forgets what only the one before understands: the service URL and the ids
    /// of the folders, whose paths stay.
    MailService(MailService),
}

impl SetupChange {
    /// The change of a field to what a person typed: paths as Business Central writes them, codes as they are stored.
    ///
    /// # Errors
    ///
    /// `Config`: `setup.batch_size` for what is no number of at least 0, `config.invalid` for what is no path or no
    /// authentication type. The rules of the field are checked when the change is made.
    pub fn from_text(field: SetupField, text: &str) -> Result<Self> {
        let text = text.trim();
        let owned = text.to_owned();
        Ok(match field {
            SetupField::QueueFolder => Self::QueueFolder(folder(text)?),
            SetupField::StorageFolder => Self::StorageFolder(folder(text)?),
            SetupField::EmailBatchSize => Self::EmailBatchSize(batch_size(text)?),
            SetupField::AutodiscoveryEmailAddress => Self::AutodiscoveryEmailAddress(owned),
            SetupField::ExchangeServiceUrl => Self::ExchangeServiceUrl(owned),
            SetupField::AuthenticationType => Self::AuthenticationType(authentication(text)?),
            SetupField::ExchangeAccountUserName => Self::ExchangeAccountUserName(owned),
            SetupField::ExchangeClientId => Self::ExchangeClientId(owned),
            SetupField::ExchangeRedirectUrl => Self::ExchangeRedirectUrl(owned),
            SetupField::ExchangeTenantId => Self::ExchangeTenantId(owned),
            SetupField::InteractionTemplateCode => Self::InteractionTemplateCode(owned),
            SetupField::MailService => Self::MailService(mail_service(text)?),
        })
    }

    /// The field that it changes.
    pub fn field(&self) -> SetupField {
        match self {
            Self::QueueFolder(_) => SetupField::QueueFolder,
            Self::StorageFolder(_) => SetupField::StorageFolder,
            Self::EmailBatchSize(_) => SetupField::EmailBatchSize,
            Self::AutodiscoveryEmailAddress(_) => SetupField::AutodiscoveryEmailAddress,
            Self::ExchangeServiceUrl(_) => SetupField::ExchangeServiceUrl,
            Self::AuthenticationType(_) => SetupField::AuthenticationType,
            Self::ExchangeAccountUserName(_) => SetupField::ExchangeAccountUserName,
            Self::ExchangeClientId(_) => SetupField::ExchangeClientId,
            Self::ExchangeRedirectUrl(_) => SetupField::ExchangeRedirectUrl,
            Self::ExchangeTenantId(_) => SetupField::ExchangeTenantId,
            Self::InteractionTemplateCode(_) => SetupField::InteractionTemplateCode,
            Self::MailService(_) => SetupField::MailService,
        }
    }

    /// Its place among changes that are made together: the type first, as it clears, and the tenant last, as others
    /// forget it.
    pub(super) fn place(&self) -> u8 {
        match self {
            Self::AuthenticationType(_) | Self::MailService(_) => 0,
            Self::ExchangeTenantId(_) => 2,
            _ => 1,
        }
    }
}

fn folder(text: &str) -> Result<Option<FolderSelector>> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(text.parse::<FolderPath>()?.into()))
}

fn batch_size(text: &str) -> Result<u32> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let field = SetupField::EmailBatchSize;
        broken(&codes::SETUP_BATCH_SIZE, field.words())
    })
}

fn mail_service(text: &str) -> Result<MailService> {
    MailService::from_code(text).ok_or_else(|| {
        let detail = "a mail service is ews or graph";
        Error::new(&codes::CONFIG_INVALID, "setup").with_detail(detail)
    })
}

fn authentication(text: &str) -> Result<AuthenticationType> {
    AuthenticationType::from_code(text).ok_or_else(|| {
        let detail = "an authentication type is oauth2, oauth2-delegated, access-token or basic";
        Error::new(&codes::CONFIG_INVALID, "setup").with_detail(detail)
    })
}
