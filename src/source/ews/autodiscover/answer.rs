//! What a look-up found, and what it tried.

use std::fmt;

/// Where a mailbox is, as far as it was found out.
///
/// `Debug` shows hosts only, no address.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AutodiscoverAnswer {
    /// The address of the EWS service, for [`EwsSource::builder`](crate::source::ews::EwsSource::builder).
    pub ews_url: String,
    /// The mailbox to which calls about the tree of public folders go (`PublicFolderInformation`), where it was told.
    pub public_folder_information: Option<String>,
    /// The public folder mailbox of the account, as `GUID@domain` (`InternalRpcClientServer`), where it was told.
    pub internal_rpc_client_server: Option<String>,
    /// The address under which the server knows the mailbox (`AutoDiscoverSMTPAddress`), where it was told.
    pub smtp_address: Option<String>,
    /// Every question, in its order. Empty where a full service URL was given.
    pub tried: Vec<AutodiscoverAttempt>,
}

impl fmt::Debug for AutodiscoverAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutodiscoverAnswer")
            .field("public_folders", &self.public_folder_information.is_some())
            .field("tried", &self.tried)
            .finish_non_exhaustive()
    }
}

/// One question of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AutodiscoverAttempt {
    /// The host that was asked, or that a redirect named.
    pub host: String,
    /// How.
    pub protocol: AutodiscoverProtocol,
    /// What came of it: `found`, a status, an error code of this crate or of Exchange, or a few words.
    pub outcome: String,
}

impl fmt::Display for AutodiscoverAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.host, self.protocol, self.outcome)
    }
}

/// How a host was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AutodiscoverProtocol {
    /// JSON, version 2, without credentials.
    Json,
    /// SOAP GetUserSettings, with an access token.
    Soap,
}

impl fmt::Display for AutodiscoverProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Soap => "SOAP",
        })
    }
}
