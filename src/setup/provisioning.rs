//! What an Exchange administrator has to prepare, as PowerShell that can be run as often as one likes.
//!
//! Owns the plan, its steps, and the checklist of the app registration. It runs nothing and asks no server: the scripts
//! are text for an administrator, who has the rights that the job must not have.

mod access;
mod builder;
mod connect;
mod mailbox;
mod manifest;
mod public_folders;
mod quote;
mod registration;
mod rules;
mod step;

use quote::quoted;

pub use access::{MailApi, Narrowing};
pub use builder::{PlanNames, ProvisioningPlanBuilder};
pub use manifest::{AppPermission, PermissionKind};
pub use registration::{AppAccess, AppCredential, AppRegistration, ChecklistItem};
pub use step::ProvisioningStep;

pub(super) use crate::credential::check_redirect_url;

use crate::source::FolderPath;

/// Where the copies of the mails go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// A shared mailbox, read in its Inbox and emptied into its Archive folder: the way for Exchange Online, where no
    /// program reaches public folders after 2027-04-01.
    SharedMailbox {
        /// The mailbox's address.
        address: String,
    },
    /// Public folders: the way on premises.
    PublicFolders {
        /// The folder that receives the copies.
        queue: FolderPath,
        /// The folder that keeps what was logged.
        storage: FolderPath,
    },
}

impl Destination {
    /// The shared mailbox with this address.
    pub fn shared_mailbox(address: impl Into<String>) -> Self {
        let address = address.into();
        Self::SharedMailbox { address }
    }

    /// `\Email Logging\Queue\` and `\Email Logging\Storage\`.
    pub fn default_public_folders() -> Self {
        let path = |last| {
            FolderPath::new(
                crate::source::FolderRoot::PublicFolders,
                ["Email Logging", last],
            )
        };
        Self::PublicFolders {
            queue: path("Queue"),
            storage: path("Storage"),
        }
    }
}

/// Which Exchange the plan is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeServer {
    /// Exchange Online.
    Online,
    /// Exchange Server 2013 or later.
    OnPremises {
        /// The full name of a server with the Mailbox role, for remote PowerShell.
        server: String,
    },
}

/// The steps that prepare Exchange for email logging, each with its check, its change and its undoing.
///
/// Every name in it is quoted so that PowerShell expands nothing. Running the plan again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisioningPlan {
    exchange: ExchangeServer,
    destination: Destination,
    steps: Vec<ProvisioningStep>,
}

impl ProvisioningPlan {
    /// Begins a plan for Exchange Online; the job acts for the account with this address.
    pub fn online(account: impl Into<String>, destination: Destination) -> ProvisioningPlanBuilder {
        ProvisioningPlanBuilder::new(ExchangeServer::Online, account.into(), destination)
    }

    /// Begins a plan for Exchange on premises, reached at `server` (such as `mail01.corp.example`).
    pub fn on_premises(
        server: impl Into<String>,
        account: impl Into<String>,
        destination: Destination,
    ) -> ProvisioningPlanBuilder {
        let server = server.into();
        let exchange = ExchangeServer::OnPremises { server };
        ProvisioningPlanBuilder::new(exchange, account.into(), destination)
    }

    /// The steps in the order in which they are run. The first one connects.
    pub fn steps(&self) -> &[ProvisioningStep] {
        &self.steps
    }

    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&ProvisioningStep> {
        self.steps.iter().find(|step| step.id() == id)
    }

    /// Whether this is the recommended way: a shared mailbox online, either way on premises.
    pub fn is_recommended(&self) -> bool {
        self.exchange != ExchangeServer::Online
            || matches!(self.destination, Destination::SharedMailbox { .. })
    }

    /// What the plan does, in one sentence.
    pub fn summary(&self) -> &'static str {
        match (&self.exchange, &self.destination) {
            (ExchangeServer::Online, Destination::SharedMailbox { .. }) => {
                "Recommended for Exchange Online: two mail flow rules copy mail to a shared mailbox, which is read in its Inbox and emptied into its Archive folder."
            }
            (ExchangeServer::Online, Destination::PublicFolders { .. }) => {
                "Not recommended for Exchange Online: two mail flow rules copy mail to a public folder. Programs reach public folders through Exchange Web Services alone, which Exchange Online blocks by default since 2026-10-01 and ends on 2027-04-01. Prefer a shared mailbox."
            }
            (ExchangeServer::OnPremises { .. }, Destination::SharedMailbox { .. }) => {
                "Two mail flow rules copy mail to a shared mailbox, which is read in its Inbox and emptied into its Archive folder."
            }
            (ExchangeServer::OnPremises { .. }, Destination::PublicFolders { .. }) => {
                "Two mail flow rules copy mail to a mail-enabled public folder, from which logged mail moves to a second one."
            }
        }
    }

    /// The script that does whatever is not done yet.
    pub fn script(&self) -> String {
        let steps = self.steps.iter();
        self.assemble(steps.map(|step| (step, step.apply())))
    }

    /// The script that connects, changes nothing and writes a line `id: True` or `id: False` for each step.
    pub fn check_script(&self) -> String {
        let connect = self.steps.iter().take(1).map(|step| (step, step.apply()));
        let reports = self.steps.iter().map(|step| (step, step.report()));
        self.assemble(connect.chain(reports))
    }

    /// The script that undoes the plan, last step first. Folders and mailboxes that hold mail are left alone.
    pub fn undo_script(&self) -> String {
        let first = self.steps.iter().take(1).map(|step| (step, step.apply()));
        let undo = |step| ProvisioningStep::undo(step).map(|undo| (step, undo.to_owned()));
        self.assemble(first.chain(self.steps.iter().rev().filter_map(undo)))
    }

    /// A script as the bytes of a .ps1 file: UTF-8 with a mark, without which Windows PowerShell 5.1 misreads names
    /// beyond ASCII (about_Character_Encoding).
    pub fn file(script: &str) -> Vec<u8> {
        format!("\u{FEFF}{script}").into_bytes()
    }

    fn assemble<'a>(&self, parts: impl Iterator<Item = (&'a ProvisioningStep, String)>) -> String {
        let mut out = format!(
            "{}\n$ErrorActionPreference = 'Stop'\n",
            quote::comment(self.summary())
        );
        for (step, part) in parts {
            out.push('\n');
            for line in [step.id(), step.title(), step.why()]
                .into_iter()
                .chain(step.delay())
            {
                out.push_str(&quote::comment(line));
                out.push('\n');
            }
            out.push_str(&part);
        }
        out
    }
}

/// `Verb-Noun -Identity 'x'` that gives nothing where there is no such thing.
fn find(cmdlet: &str, identity: &str) -> String {
    format!(
        "{cmdlet} -Identity {} -ErrorAction SilentlyContinue",
        quoted(identity)
    )
}
