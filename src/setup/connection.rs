//! From a set-up to a mail system that answers, and what can be asked of it beyond reading mail.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::EmailLoggingSetup;
use crate::error::Result;
use crate::scope::Scope;
use crate::source::{Folder, FolderRights, MailFolders, MailHints, MailSource};

/// Connects to the mail system that a set-up names. `EwsConnector` is the one for Exchange Web Services.
#[async_trait]
pub trait MailConnector: Debug + Send + Sync + 'static {
    /// Puts a connection together; it may look the service's address up. Credentials are asked for when they are needed.
    ///
    /// # Errors
    ///
    /// `Config` for a set-up that names nothing to connect to, and what finding the service raises.
    ///
    /// # Cancel safety
    ///
    /// Changes nothing.
    async fn connect(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<MailConnection>;

    /// Forgets what is kept of this scope, such as a token: its set-up leads to another place or account, or is cleared. A
    /// connection that is in use is not closed.
    fn forget(&self, scope: &Scope) {
        let _ = scope;
    }
}

/// A mail system: its mail, its folders, and what it says about itself. Cloning is cheap.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MailConnection {
    /// Reads and moves mail.
    pub source: Arc<dyn MailSource>,
    /// Shows and creates folders.
    pub folders: Arc<dyn MailFolders>,
    /// Answers the questions of validation.
    pub probe: Arc<dyn ConnectionProbe>,
    /// Tells when mail may have arrived, where the service does.
    pub hints: Option<Arc<dyn MailHints>>,
}

impl MailConnection {
    /// A connection of these parts.
    pub fn new(
        source: Arc<dyn MailSource>,
        folders: Arc<dyn MailFolders>,
        probe: Arc<dyn ConnectionProbe>,
    ) -> Self {
        Self {
            source,
            folders,
            probe,
            hints: None,
        }
    }

    /// Who tells when mail may have arrived.
    #[must_use]
    pub fn with_hints(mut self, hints: Arc<dyn MailHints>) -> Self {
        self.hints = Some(hints);
        self
    }
}

/// What validation asks beyond mail and folders. `Ok(None)` means that it cannot be told: "not checked", never green.
#[async_trait]
pub trait ConnectionProbe: Debug + Send + Sync + 'static {
    /// Obtains what the job signs in with: a token, or user name and password. No mail system is asked.
    ///
    /// # Errors
    ///
    /// `Config` (`credential.missing`), `Unauthenticated`, `ReauthRequired`, and what a transport raises.
    async fn sign_in(&self) -> Result<SignedIn>;

    /// Asks the service for the least that proves that it answers this account.
    ///
    /// # Errors
    ///
    /// What a transport raises, `Unauthenticated`, `Blocked` for a tenant that forbids this way of access.
    async fn reach(&self) -> Result<ServiceFacts>;

    /// Whether the service is Exchange Online's, as far as its address shows. No request is made.
    fn is_online(&self) -> Option<bool> {
        None
    }

    /// Whether the account can read the mailbox of this address, which it should not need.
    ///
    /// # Errors
    ///
    /// What a transport raises. A refusal is `Ok(Some(false))`.
    async fn reads_mailbox(&self, smtp_address: &str) -> Result<Option<bool>> {
        let _ = smtp_address;
        Ok(None)
    }

    /// What the account may do in a folder; default what the folder already says.
    ///
    /// # Errors
    ///
    /// What a transport raises.
    async fn rights(&self, folder: &Folder) -> Result<Option<FolderRights>> {
        Ok(folder.rights)
    }

    /// How much the folder's mailbox may still take.
    ///
    /// # Errors
    ///
    /// What a transport raises.
    async fn room(&self, folder: &Folder) -> Result<Option<StorageRoom>> {
        let _ = folder;
        Ok(None)
    }

    /// When the newest mail of a folder was received; `Some(None)` for a folder without mail.
    ///
    /// # Errors
    ///
    /// What a transport raises.
    async fn newest_mail(&self, folder: &Folder) -> Result<Option<Option<Timestamp>>> {
        let _ = folder;
        Ok(None)
    }
}

/// What a sign-in gave. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SignedIn {
    /// The permissions in the token (`roles` or `scp`); `None` where there is no token or it cannot be read.
    pub permissions: Option<Vec<String>>,
    /// Whether the token is an application's (`roles`) and not a person's (`scp`).
    pub application: bool,
    /// When the client secret or the certificate ends, where that is known.
    pub credential_ends: Option<Timestamp>,
}

/// What a service says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ServiceFacts {
    /// The service's clock (`Date`, RFC 9110, 6.6.1), to the second.
    pub clock: Option<Timestamp>,
    /// This machine's clock when the answer came.
    pub asked_at: Option<Timestamp>,
    /// The version of the service in its own words.
    pub version: Option<String>,
    /// Whether it is Exchange Online, where EWS ends on 2027-04-01.
    pub online: bool,
}

/// Room in a mailbox, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StorageRoom {
    /// Bytes that are taken.
    pub used: u64,
    /// Bytes that it may hold; `None` without a limit.
    pub limit: Option<u64>,
}

impl SignedIn {
    /// A sign-in without a token, or with one that cannot be read.
    pub fn opaque() -> Self {
        Self::default()
    }

    /// A sign-in as an application with these permissions (`roles`).
    pub fn as_application<S: Into<String>>(roles: impl IntoIterator<Item = S>) -> Self {
        Self {
            permissions: Some(roles.into_iter().map(Into::into).collect()),
            application: true,
            credential_ends: None,
        }
    }

    /// A sign-in as a person with these permissions (`scp`).
    pub fn as_person<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self {
            application: false,
            ..Self::as_application(scopes)
        }
    }

    /// Says when the client secret or the certificate ends.
    #[must_use]
    pub fn with_credential_ends(mut self, ends: Timestamp) -> Self {
        self.credential_ends = Some(ends);
        self
    }
}

impl ServiceFacts {
    /// Facts of a service, on premises or Exchange Online.
    pub fn new(online: bool) -> Self {
        Self {
            online,
            ..Self::default()
        }
    }

    /// What the service's clock and this machine's clock showed at the same time.
    #[must_use]
    pub fn with_clocks(mut self, service: Timestamp, here: Timestamp) -> Self {
        self.clock = Some(service);
        self.asked_at = Some(here);
        self
    }

    /// The version of the service in its own words.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}

impl StorageRoom {
    /// Room of these sizes.
    pub fn new(used: u64, limit: Option<u64>) -> Self {
        Self { used, limit }
    }
}
