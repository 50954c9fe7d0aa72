//! What a person has to know or to decide before a set-up goes to Graph.

use std::fmt;

use super::{MigrationOptions, Wanted};
use crate::setup::fields::is_same_path;
use crate::setup::{AuthenticationType, EmailLoggingSetup, MailService, ServiceAddress};
use crate::source::{FolderPath, FolderRoot};

/// One of them. Some stop the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MigrationIssue {
    /// The set-up is for Graph already.
    AlreadyGraph,
    /// The set-up names no mailbox.
    NoMailbox,
    /// The job signs in with a password, which Exchange Online takes nowhere.
    PasswordSignIn,
    /// No app registration is named.
    NoClientId,
    /// Nobody has signed in: the tenant is not known.
    NoTenant,
    /// Queue or storage folder is known by an id of EWS alone.
    FolderByIdAlone,
    /// Queue and storage would be one folder.
    SameFolder,
    /// A folder that was named lies in the public folders.
    PublicFolderWanted,
    /// The service URL names a server that is not Exchange Online's, and nobody says that the mailbox is there by now.
    OnPremises,
    /// The same, and a person says so.
    SaidToBeOnline,
    /// The queue is a public folder, which Graph does not reach.
    PublicQueue,
    /// The storage folder is a public folder, which Graph does not reach.
    PublicStorage,
    /// Another mailbox is read than before.
    OtherMailbox,
    /// Without the object id no role is given in Exchange, so that nothing holds the application to one mailbox.
    NoObjectId,
    /// The person has to consent to other permissions.
    SignInAgain,
    /// Logging is on, and no field of a connection is changed under a job.
    LoggingEnabled,
}

impl MigrationIssue {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::AlreadyGraph => "migration.already_graph",
            Self::NoMailbox => "migration.no_mailbox",
            Self::PasswordSignIn => "migration.password_sign_in",
            Self::NoClientId => "migration.no_client_id",
            Self::NoTenant => "migration.no_tenant",
            Self::FolderByIdAlone => "migration.folder_by_id_alone",
            Self::SameFolder => "migration.same_folder",
            Self::PublicFolderWanted => "migration.public_folder_wanted",
            Self::OnPremises => "migration.on_premises",
            Self::SaidToBeOnline => "migration.said_to_be_online",
            Self::PublicQueue => "migration.public_queue",
            Self::PublicStorage => "migration.public_storage",
            Self::OtherMailbox => "migration.other_mailbox",
            Self::NoObjectId => "migration.no_object_id",
            Self::SignInAgain => "migration.sign_in_again",
            Self::LoggingEnabled => "migration.logging_enabled",
        }
    }

    /// Whether the change cannot be made as long as it is there.
    pub fn stops(&self) -> bool {
        matches!(
            self,
            Self::AlreadyGraph
                | Self::NoMailbox
                | Self::PasswordSignIn
                | Self::NoClientId
                | Self::FolderByIdAlone
                | Self::SameFolder
                | Self::PublicFolderWanted
                | Self::OnPremises
        )
    }

    /// What it is, and what to do.
    pub fn text(self) -> &'static str {
        match self {
            Self::AlreadyGraph => {
                "The set-up uses Microsoft Graph already. There is nothing to do."
            }
            Self::NoMailbox => "The set-up names no mailbox. Give its address.",
            Self::PasswordSignIn => {
                "The job signs in with a password, which Microsoft Graph does not take. Choose oauth2 or oauth2-delegated, and name an app registration."
            }
            Self::NoClientId => {
                "No app registration is named. Give its client id; the one of EWS can be used, with other permissions."
            }
            Self::NoTenant => {
                "The tenant is not known. Let an administrator sign in after the change."
            }
            Self::FolderByIdAlone => {
                "A folder is known by an id of EWS alone, which Graph does not know. Name its path."
            }
            Self::SameFolder => "Queue and storage would be one folder. Name another one.",
            Self::PublicFolderWanted => {
                "Microsoft Graph has no public folders. Name a folder of the mailbox, such as inbox: or archive:."
            }
            Self::OnPremises => {
                "The service URL names a server that is not Exchange Online's. Microsoft Graph reaches mailboxes of Exchange Online alone: move the mailbox there first, or stay with EWS, which does not end on premises. If the mailbox is there already, say so (`--mailbox-is-online`)."
            }
            Self::SaidToBeOnline => {
                "The service URL names a server that is not Exchange Online's, and you say that the mailbox is there by now. `validate` shows whether Microsoft Graph reaches it; until it does, leave email logging off."
            }
            Self::PublicQueue => {
                "The queue is a public folder, which Graph does not reach. Log what lies there by EWS before the change, or let a person move it to the queue folder of the mailbox in Outlook; then let the two mail-flow rules copy to the mailbox."
            }
            Self::PublicStorage => {
                "The storage folder is a public folder, which Graph does not reach. What was logged stays there and in the log; new mail goes to the storage folder of the mailbox."
            }
            Self::OtherMailbox => {
                "Another mailbox is read than before. Move what still lies in the old queue to the new one; mail that was logged is recognised there by its key, or by its Message-ID with its contents."
            }
            Self::NoObjectId => {
                "Without the object id of the enterprise application the script gives the application no role. Give the id, or let an administrator consent to Mail.ReadWrite, which opens every mailbox of the tenant."
            }
            Self::SignInAgain => {
                "The person has to sign in again after the change and consent to Mail.ReadWrite and Mail.ReadWrite.Shared."
            }
            Self::LoggingEnabled => {
                "Email logging is on. Switch it off, change the set-up, and switch it on again: mail waits in the queue meanwhile."
            }
        }
    }
}

impl fmt::Display for MigrationIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for MigrationIssue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("MigrationIssue", 3)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("stops", &self.stops())?;
        fields.serialize_field("text", self.text())?;
        fields.end()
    }
}

pub(super) fn of(
    setup: &EmailLoggingSetup,
    options: &MigrationOptions,
    wanted: &Wanted,
) -> Vec<MigrationIssue> {
    if setup.mail_service == MailService::Graph {
        return vec![MigrationIssue::AlreadyGraph];
    }
    let oauth = [
        AuthenticationType::OAuth2,
        AuthenticationType::OAuth2Delegated,
    ];
    let by_oauth = oauth.contains(&wanted.authentication);
    let by_role = wanted.authentication == AuthenticationType::OAuth2;
    let (own_server, is_online) = (is_on_premises(setup), options.mailbox_is_online);
    let found = [
        (MigrationIssue::NoMailbox, wanted.mailbox.is_none()),
        (
            MigrationIssue::PasswordSignIn,
            wanted.authentication == AuthenticationType::Basic,
        ),
        (
            MigrationIssue::NoClientId,
            by_oauth && wanted.client_id.is_none(),
        ),
        (
            MigrationIssue::NoTenant,
            by_oauth && setup.exchange_tenant_id.is_none(),
        ),
        (
            MigrationIssue::FolderByIdAlone,
            is_known_by_id_alone(setup, options),
        ),
        (
            MigrationIssue::SameFolder,
            is_same_path(&wanted.queue, &wanted.storage),
        ),
        (
            MigrationIssue::PublicFolderWanted,
            is_public(options.queue.as_ref()) || is_public(options.storage.as_ref()),
        ),
        (MigrationIssue::OnPremises, own_server && !is_online),
        (MigrationIssue::SaidToBeOnline, own_server && is_online),
        (
            MigrationIssue::PublicQueue,
            is_public(setup.queue_folder.as_ref()),
        ),
        (
            MigrationIssue::PublicStorage,
            is_public(setup.storage_folder.as_ref()),
        ),
        (
            MigrationIssue::OtherMailbox,
            is_other_mailbox(setup, wanted),
        ),
        (
            MigrationIssue::NoObjectId,
            by_role && options.object_id.is_none(),
        ),
        (
            MigrationIssue::SignInAgain,
            wanted.authentication == AuthenticationType::OAuth2Delegated,
        ),
        (MigrationIssue::LoggingEnabled, setup.enabled),
    ];
    let found = found.into_iter().filter(|(_, is_there)| *is_there);
    found.map(|(issue, _)| issue).collect()
}

/// A folder that nobody named since, and whose path the set-up does not know.
fn is_known_by_id_alone(setup: &EmailLoggingSetup, options: &MigrationOptions) -> bool {
    let queue = options.queue.as_ref().or(setup.queue_folder.as_ref());
    let storage = options.storage.as_ref().or(setup.storage_folder.as_ref());
    queue.is_none() && setup.queue_folder_id.is_some()
        || storage.is_none() && setup.storage_folder_id.is_some()
}

fn is_other_mailbox(setup: &EmailLoggingSetup, wanted: &Wanted) -> bool {
    let before = setup.autodiscovery_email_address.as_ref();
    let wanted = wanted.mailbox.as_ref();
    before.is_some() && wanted.is_some() && !is_same_address(wanted, before)
}

fn is_public(path: Option<&FolderPath>) -> bool {
    path.is_some_and(|path| *path.root() == FolderRoot::PublicFolders)
}

fn is_same_address(one: Option<&String>, other: Option<&String>) -> bool {
    let text = |address: Option<&String>| address.map(|it| it.trim().to_lowercase());
    text(one) == text(other)
}

/// A server is named, and it is not Exchange Online's. A domain may lead anywhere.
fn is_on_premises(setup: &EmailLoggingSetup) -> bool {
    match setup.service_address() {
        Ok(address @ ServiceAddress::Url(_)) => !address.is_exchange_online(),
        _ => false,
    }
}
