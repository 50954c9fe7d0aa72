//! The command line of the set-up: its commands, and what they have in common.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use email_logging::source::FolderPath;

use super::Settings;
use crate::config::Folder;

#[derive(Debug, Subcommand)]
pub(crate) enum SetupCommand {
    /// Show the set-up that is stored, or change it.
    Setup(SetupArgs),
    /// Let an administrator sign in and consent, in a browser.
    SignIn(SignInArgs),
    /// Check the whole set-up, one result at a time. Changes nothing.
    Validate(ValidateArgs),
    /// Check the set-up and switch email logging on.
    Enable(ValidateArgs),
    /// Switch email logging off. Settings and secrets stay.
    Disable(ReachArgs),
    /// Empty the set-up and erase every secret. The log and the mail stay.
    Clear(ClearArgs),
    /// Say whether email logging is on, what is missing and what to do next.
    Status(ReachArgs),
    /// Print what an Exchange administrator has to prepare, as PowerShell and as a checklist.
    Provision(ProvisionArgs),
    /// Say how the set-up goes from EWS to Microsoft Graph, step by step; with --apply change it.
    Migrate(MigrateArgs),
}

/// Where the set-up is kept, and how its servers are reached.
#[derive(Debug, Args, Default, Clone)]
#[command(next_help_heading = "Place (each wins over the environment and the file)")]
pub(crate) struct ReachArgs {
    /// The file of the log, which holds the set-up too.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    /// The file of the key that seals the secrets; without it one beside the log.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The file with the certificate authorities of Exchange and the identity service (PEM), if they are private ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A network of one's own in which servers may stand, such as 10.0.0.0/8. It can be given more than once.
    #[arg(long, value_name = "RANGE")]
    pub(crate) on_premises_range: Vec<String>,
}

impl ReachArgs {
    /// As the flags of every other command.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            store: self.store.clone(),
            key_file: self.key_file.clone(),
            ca_file: self.ca_file.clone(),
            on_premises_range: self.on_premises_range.clone(),
            ..Settings::default()
        }
    }
}

#[allow(clippy::struct_excessive_bools, reason = "switches of a command line")]
#[derive(Debug, Args)]
#[command(
    after_help = "Without a change the set-up is shown, field by field, with what is missing.\n\n\
                  Fields: authentication-type (oauth2, oauth2-delegated, access-token, basic), autodiscovery-email-address, \
                  exchange-service-url, exchange-account-user-name, exchange-client-id, exchange-redirect-url, \
                  exchange-tenant-id, queue-folder, storage-folder, email-batch-size, interaction-template-code, \
                  mail-service (ews, graph). \
                  FIELD= empties a field.\n\n\
                  A secret is never an argument, because others could see it: it comes from a file, from standard input, \
                  or is typed at a prompt that shows nothing."
)]
#[command(group = ArgGroup::new("secret").multiple(false))]
pub(crate) struct SetupArgs {
    /// Changes, such as exchange-client-id=11111111-2222-4333-8444-555555555555.
    #[arg(value_name = "FIELD=VALUE")]
    pub(crate) changes: Vec<String>,
    /// Take the values of the configuration over: [exchange], [folders], [run] and [setup].
    #[arg(long)]
    pub(crate) from_config: bool,
    /// The queue folder; the same as queue-folder=FOLDER.
    #[arg(long, value_name = "FOLDER", value_parser = folder)]
    pub(crate) queue: Option<FolderPath>,
    /// The storage folder; the same as storage-folder=FOLDER.
    #[arg(long, value_name = "FOLDER", value_parser = folder)]
    pub(crate) storage: Option<FolderPath>,
    /// Take the client secret from this file, readable by its owner alone.
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// Take the client secret from standard input.
    #[arg(long, group = "secret")]
    pub(crate) client_secret_stdin: bool,
    /// Ask for the client secret at a prompt that shows nothing.
    #[arg(long, group = "secret")]
    pub(crate) client_secret: bool,
    /// Take client certificate and private key from this file (PEM), readable by its owner alone.
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) certificate_file: Option<PathBuf>,
    /// Take the password of the account from this file, readable by its owner alone (basic).
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) password_file: Option<PathBuf>,
    /// Take the password of the account from standard input (basic).
    #[arg(long, group = "secret")]
    pub(crate) password_stdin: bool,
    /// Ask for the password of the account at a prompt that shows nothing (basic).
    #[arg(long, group = "secret")]
    pub(crate) password: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The address is the first line of standard output. Open it in a browser on this machine: the identity service \
                  sends the browser back to a page that this command serves on the loopback address until the sign-in ends.\n\n\
                  On a machine without a browser use --callback-url: open the address elsewhere; the browser ends at an \
                  address that it cannot show; paste that address here."
)]
pub(crate) struct SignInArgs {
    /// Open the address in the browser of this machine.
    #[arg(long, conflicts_with = "callback_url")]
    pub(crate) open: bool,
    /// The port of the page on the loopback address; 0 takes a free one. A redirect URL with a port has it already.
    #[arg(long, default_value_t = 0, conflicts_with = "callback_url")]
    pub(crate) port: u16,
    /// Serve no page: read the address that the browser was sent to from standard input.
    #[arg(long)]
    pub(crate) callback_url: bool,
    /// How long to wait, such as 5m.
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub(crate) time_limit: String,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Signs: ✓ passed, ! works, and a person should know, × failed, · not checked. Exit code 4 when a check failed or a \
                  required one could not be made."
)]
pub(crate) struct ValidateArgs {
    /// The file of salespeople and contacts, whose addresses are checked.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
    /// The address of a mailbox that has nothing to do with logging: that the account can read it is a warning.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) other_mailbox: Option<String>,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClearArgs {
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// Which Exchange the plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Narrow {
    /// RBAC for Applications; needs --client-id and --object-id.
    ApplicationRole,
    /// An application access policy, the older way; needs --client-id.
    AccessPolicy,
    /// The role ApplicationImpersonation within a scope, on premises.
    Impersonation,
}

#[allow(clippy::struct_excessive_bools, reason = "switches of a command line")]
#[derive(Debug, Args)]
#[command(
    after_help = "Values that are not given come from the set-up that is stored, if there is one: account, client id, redirect URL, \
                  folders. Nothing is asked of Exchange: the scripts are for an administrator, who runs them in PowerShell. Each \
                  can be run again without harm."
)]
pub(crate) struct ProvisionArgs {
    /// The account that the job acts for; the mailbox address of the set-up if not given.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) account: Option<String>,
    /// Copy mail to this shared mailbox: the way for Exchange Online.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) shared_mailbox: Option<String>,
    /// Exchange on premises, reached at this server, such as mail01.corp.example; without it Exchange Online.
    #[arg(long, value_name = "HOST")]
    pub(crate) server: Option<String>,
    /// The administrator's sign-in name, which the prompt of Exchange Online is filled with.
    #[arg(long, value_name = "NAME")]
    pub(crate) administrator: Option<String>,
    /// Hold the application, or the account, to the one mailbox.
    #[arg(long, value_name = "WAY")]
    pub(crate) narrow: Option<Narrow>,
    /// The client id of the app registration; that of the set-up if not given.
    #[arg(long, value_name = "GUID")]
    pub(crate) client_id: Option<String>,
    /// The object id of the enterprise application, which is not that of the app registration.
    #[arg(long, value_name = "GUID")]
    pub(crate) object_id: Option<String>,
    /// Put the application on the tenant's list for Exchange Web Services (Exchange Online).
    #[arg(long)]
    pub(crate) allow_ews: bool,
    /// Write the script that does the plan into this new file (.ps1).
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    /// Write the script that says which steps are done, and changes nothing, into this new file (.ps1).
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Option<PathBuf>,
    /// Write the script that undoes the plan into this new file (.ps1). It deletes no mail.
    #[arg(long, value_name = "FILE")]
    pub(crate) undo: Option<PathBuf>,
    /// Print the checklist of the app registration instead.
    #[arg(long, conflicts_with_all = ["script", "check", "undo", "manifest"])]
    pub(crate) app_registration: bool,
    /// Print the manifest of the app registration instead (JSON).
    #[arg(long, conflicts_with_all = ["script", "check", "undo"])]
    pub(crate) manifest: bool,
    /// The display name of the app registration.
    #[arg(long, value_name = "NAME", default_value = "Email Logging")]
    pub(crate) app_name: String,
    /// The redirect URL of the app registration; that of the set-up if not given.
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_url: Option<String>,
    /// With --app-registration: Markdown with boxes to tick.
    #[arg(long, requires = "app_registration")]
    pub(crate) markdown: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How the job signs in at Microsoft Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphSignIn {
    /// As an application.
    Oauth2,
    /// For a person who consents once.
    Oauth2Delegated,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Without --apply nothing is changed. Nothing is asked of Exchange: the script is for an administrator. The log and its                   ledger stay as they are, and nothing is logged twice.\n\n\
                  Signs: ! a person should know, × has to be decided first. Exit code 4 when something has to be decided."
)]
pub(crate) struct MigrateArgs {
    /// Change the set-up that is stored. Email logging has to be switched off.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) apply: bool,
    /// Change nothing (the default).
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The mailbox that Graph reads; that of the set-up if not given.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mailbox: Option<String>,
    /// The queue folder; that of the set-up if it lies in a mailbox, else inbox:.
    #[arg(long, value_name = "FOLDER", value_parser = folder)]
    pub(crate) queue: Option<FolderPath>,
    /// The storage folder; that of the set-up if it lies in a mailbox, else archive:.
    #[arg(long, value_name = "FOLDER", value_parser = folder)]
    pub(crate) storage: Option<FolderPath>,
    /// How the job signs in at Graph; as at EWS if not given.
    #[arg(long, value_name = "WAY")]
    pub(crate) sign_in: Option<GraphSignIn>,
    /// The client id of the app registration; that of the set-up if not given.
    #[arg(long, value_name = "GUID")]
    pub(crate) client_id: Option<String>,
    /// The object id of the enterprise application, which is not that of the app registration.
    #[arg(long, value_name = "GUID")]
    pub(crate) object_id: Option<String>,
    /// The administrator's sign-in name, which the prompt of Exchange Online is filled with.
    #[arg(long, value_name = "NAME")]
    pub(crate) administrator: Option<String>,
    /// The mailbox is in Exchange Online by now, although the set-up names a server of one's own.
    #[arg(long)]
    pub(crate) mailbox_is_online: bool,
    /// Write the script for Exchange into this new file (.ps1) instead of printing it.
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

fn folder(text: &str) -> Result<FolderPath, String> {
    Folder::try_from(text.to_owned()).map(|folder| folder.0)
}
