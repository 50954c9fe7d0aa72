//! The set-up with Microsoft Graph: its field and rules, its connector and its checks, and the way there from EWS.

#![cfg(all(
    feature = "ews",
    feature = "graph",
    feature = "oauth2",
    feature = "sqlite"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "graph_setup/connector.rs"]
mod connector;
#[path = "graph_setup/fields.rs"]
mod fields;
#[path = "graph_setup/guide.rs"]
mod guide;
#[path = "graph_setup/migration.rs"]
mod migration;

use email_logging::setup::{EmailLoggingSetup, SetupChange};
use email_logging::source::FolderPath;

pub(crate) const CLIENT: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub(crate) const OBJECT: &str = "bbbbbbbb-0000-4000-8000-000000000002";
pub(crate) const TENANT: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const MAILBOX: &str = "logging@corp.example";

pub(crate) fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

/// A complete set-up for EWS with folders of the mailbox.
pub(crate) fn ews() -> EmailLoggingSetup {
    let mut setup = EmailLoggingSetup::default();
    let changes = [
        SetupChange::AutodiscoveryEmailAddress(MAILBOX.into()),
        SetupChange::ExchangeServiceUrl("https://outlook.office365.com/EWS/Exchange.asmx".into()),
        SetupChange::ExchangeClientId(CLIENT.into()),
        SetupChange::ExchangeTenantId(TENANT.into()),
        SetupChange::QueueFolder(Some(path("inbox:").into())),
        SetupChange::StorageFolder(Some(path("archive:").into())),
    ];
    setup.apply(&changes).unwrap();
    setup
}
