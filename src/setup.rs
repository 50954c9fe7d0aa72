//! The set-up of email logging: the fields of Marketing Setup that it uses, without secrets.

use crate::source::{FolderId, FolderPath};

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
    /// The interaction template for e-mail, at most 10 characters.
    pub interaction_template_code: Option<String>,
}
