//! The command line. Knows names and help texts, and nothing of what the commands do.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use email_logging::EntryId;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::opportunity::args::OpportunityArgs;

pub(crate) mod import;
pub(crate) mod privacy;
pub(crate) mod reports;
pub(crate) mod review;
pub(crate) mod setup;

/// Logs the mail between salespeople and contacts into an interaction log.
///
/// Start with `demo`: it needs no server, no account and no configuration.
#[derive(Debug, Parser)]
#[command(
    name = "email_logger",
    version,
    propagate_version = true,
    after_help = "Exit codes: 0 done, 1 failed or nothing done, 2 wrong usage or a value that cannot be used, 3 done, and mail was set aside for a person in \
                  this run, 4 sign-in or configuration, 130 stopped with Ctrl-C."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Global {
    /// Read the configuration from this file (TOML); also EMAIL_LOGGER_CONFIG.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "EMAIL_LOGGER_CONFIG",
        hide_env = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// Write JSON for programs to standard output, one value per line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but results and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Trace what happens to standard error; twice for more. RUST_LOG wins.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl Global {
    /// Of a command line that was not read.
    pub(crate) fn bare(json: bool) -> Self {
        Self {
            config: None,
            json,
            quiet: false,
            verbose: 0,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Do the whole job once with sample mail and a simulated Exchange.
    Demo(DemoArgs),
    /// Log the mail of the queue folder once; of each mailbox that the configuration lists.
    Run(RunArgs),
    /// Log the mail of the queue folder on a schedule, until Ctrl-C; of each mailbox that the configuration lists.
    Watch(WatchArgs),
    /// Say what would become of .eml files, and why, without a server.
    Explain(ExplainArgs),
    /// List the interaction log, newest first.
    Log(LogArgs),
    /// Show one mail, logged or not, with every step of the decision about it.
    Show(ShowArgs),
    /// Make opportunities of entries, and manage them towards a sale.
    Opportunity(OpportunityArgs),
    /// Give mail that was set aside for a person another try.
    Requeue(RequeueArgs),
    /// Make the log fit the folders again, after a backup was restored or the log was lost.
    Reconcile(ReconcileArgs),
    /// Log old mail out of files: .eml files, an mbox file, a Maildir.
    Import(import::ImportArgs),
    /// Browse the folders of the Exchange account, pick the two of email logging, or create them.
    Folders(FoldersArgs),
    #[command(flatten)]
    Report(reports::ReportCommand),
    #[command(flatten)]
    Review(review::ReviewCommand),
    #[command(flatten)]
    Privacy(privacy::PrivacyCommand),
    #[command(flatten)]
    Administer(setup::SetupCommand),
    /// Serve a simulated Exchange on this machine, for any EWS client.
    Simulate(SimulateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Read the mail over a simulated Microsoft Graph instead of EWS.
    #[arg(long)]
    pub(crate) graph: bool,
    /// Keep the log in this file; without it a new one is made in the temporary directory.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

/// Flags that win over the configuration.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Settings (each wins over the environment and the file)")]
pub(crate) struct Settings {
    /// The address of the service, such as https://mail.example.com/EWS/Exchange.asmx.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The account that signs in.
    #[arg(long, value_name = "NAME")]
    pub(crate) user_name: Option<String>,
    /// The file that holds the account's password, readable by its owner alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// The file with the certificate authority of the server (PEM), if it is a private one.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A network of one's own in which the server may stand, such as 10.0.0.0/8. It can be given more than once.
    #[arg(long, value_name = "RANGE")]
    pub(crate) on_premises_range: Vec<String>,
    /// Let the password travel over plain HTTP to this machine itself. For tests only.
    #[arg(long)]
    pub(crate) allow_plain_http_on_loopback: bool,
    /// The queue folder, such as '\Email Logging\Queue\'.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) queue: Option<String>,
    /// The storage folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) storage: Option<String>,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    /// The file of the key that seals the secrets of the set-up; without it one beside the log.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The file of salespeople and contacts.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
    /// Take at most this many mails per run; 0 is no limit.
    #[arg(long, value_name = "COUNT")]
    pub(crate) batch_size: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Say what would be done; write and move nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What brings the next run forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WakeBy {
    /// Ask the mail system between the runs, where the queue is a folder of a mailbox; public folders wait for the schedule.
    #[default]
    Auto,
    /// Ask Microsoft Graph what has changed.
    Delta,
    /// Ask Exchange for the events of a pull subscription.
    Pull,
    /// Let Microsoft Graph call this program; [wake] of the configuration says where.
    Notifications,
    /// Nothing: mail waits for the schedule.
    None,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Several mailboxes on one log: the configuration file lists them, each with what it has of its own. A \
                        mailbox that fails waits longer each time, alone.\n\n  \
                        [[mailbox]]\n  name = \"north\"\n  scope = { company = \"North\" }\n  \
                        exchange = { mailbox = \"queue-north@example.com\" }\n\n  \
                        [[mailbox]]\n  name = \"south\"\n  scope = { company = \"South\" }\n  \
                        exchange = { mailbox = \"queue-south@example.com\" }"
)]
pub(crate) struct WatchArgs {
    /// From one run to the next, such as 10m.
    #[arg(long, value_name = "TIME")]
    pub(crate) every: Option<String>,
    /// From the start to the first run, such as 60s.
    #[arg(long, value_name = "TIME")]
    pub(crate) first_after: Option<String>,
    /// What brings the next run forward when mail arrives; `auto` if not given. Whatever becomes of it, the schedule finds
    /// the mail.
    #[arg(long, value_name = "HOW")]
    pub(crate) wake: Option<WakeBy>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
#[command(after_help = "Signs: · passed, ! noted, + a pair was found, × this ended the decision.")]
pub(crate) struct ExplainArgs {
    /// Files of mails (.eml), or `sample:44` for a mail of the demo.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The file of salespeople and contacts.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) filters: reports::Filters,
    /// List what was not logged instead, with its reason; the other filters are not for this list.
    #[arg(long, conflicts_with_all = ["contact", "company", "salesperson", "direction", "since", "until", "text", "flag", "conversation", "opportunity", "evaluation", "canceled"])]
    pub(crate) not_logged: bool,
    /// At most this many mails.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Go on where an earlier page ended.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// Which way a mail went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Direction {
    /// From a salesperson to a contact.
    Outbound,
    /// From a contact to a salesperson.
    Inbound,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The number of an entry, or an id as `log --not-logged` lists it; its beginning is enough.
    #[arg(value_name = "NO|ID", value_parser = which)]
    pub(crate) which: Which,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    /// Write the original mail instead, bit for bit.
    #[arg(long)]
    pub(crate) original: bool,
    /// Write the original mail into this new file; implies --original.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the original's text for people instead, its attachments and what wraps it.
    #[arg(long)]
    pub(crate) text: bool,
    /// With --text, leave out what is quoted and the signature.
    #[arg(long, requires = "text")]
    pub(crate) own: bool,
    /// Write the original's HTML, sanitised and without anything remote, into this new file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the original's attachments into this directory under clean names; no file is replaced.
    #[arg(long, value_name = "DIR")]
    pub(crate) attachments: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Mail in the storage folder, and in the folders for what is not logged and what is set aside, that the log \
                        does not know is decided by today's contacts and policy and written to the log. Nothing is moved, \
                        and nothing is logged twice: it can be called again at any time."
)]
pub(crate) struct ReconcileArgs {
    /// Say what is missing; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write at most this many mails; 0 is no limit.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(crate) most: u32,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Where the configuration names Exchange and the quarantine folder, the mail is moved back from there to \
                        the queue folder. Else it must lie in the queue folder when the next run looks: move it back \
                        yourself; what is about to be moved to the quarantine folder stays set aside. Nothing is \
                        deleted by this command."
)]
pub(crate) struct RequeueArgs {
    /// Ids as `log --not-logged` lists them; the beginning of an id is enough.
    #[arg(required = true, value_name = "ID", value_parser = which)]
    pub(crate) ids: Vec<Which>,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

/// Which mail is meant.
#[derive(Debug, Clone)]
pub(crate) enum Which {
    /// The entry with this number, as it was typed.
    No(u64, String),
    /// The entry or the message with this id.
    Id(EntryId),
    /// The mail whose id begins so.
    Beginning(String),
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No(no, _) => no.fmt(f),
            Self::Id(id) => id.fmt(f),
            Self::Beginning(text) => f.write_str(text),
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "With a set-up in the log the folders are those of its account; else those of the configuration. Choosing changes \
                  the set-up, and is refused while email logging is enabled."
)]
pub(crate) struct FoldersArgs {
    /// Begin below this folder, such as '\Email Logging\' or mailbox:; without it at the public folders and the mailbox.
    #[arg(value_name = "FOLDER")]
    pub(crate) below: Option<String>,
    /// Browse and choose both folders by number, level by level, on this terminal.
    #[arg(long, conflicts_with = "below")]
    pub(crate) pick: bool,
    /// Create \Email Logging\Queue\ and \Email Logging\Storage\, and put them into the set-up.
    #[arg(long, conflicts_with_all = ["below", "pick"])]
    pub(crate) create_default: bool,
    /// With --create-default: in the mailbox instead of the public folders.
    #[arg(long, requires = "create_default")]
    pub(crate) in_mailbox: bool,
    /// How many levels to go down.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(crate) depth: u32,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[allow(clippy::struct_excessive_bools, reason = "switches of a command line")]
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Put the .eml files of this directory into the queue; without it the sample mails of the demo.
    #[arg(value_name = "DIRECTORY")]
    pub(crate) mails: Option<PathBuf>,
    /// Serve HTTPS with a certificate of its own (the default).
    #[arg(long)]
    pub(crate) https: bool,
    /// Serve plain HTTP.
    #[arg(long, conflicts_with_all = ["https", "ca_file"])]
    pub(crate) http: bool,
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Write the certificate authority that clients must trust into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Let in applications with OAuth2, as Exchange Online does: with a simulated identity service beside it.
    #[arg(long, conflicts_with = "http")]
    pub(crate) oauth2: bool,
    /// With --oauth2: what the administrator does whom the identity service asks for consent.
    #[arg(
        long,
        value_name = "DEED",
        requires = "oauth2",
        default_value = "accepts"
    )]
    pub(crate) administrator: Administrator,
    /// With --oauth2: let Exchange be found by autodiscovery, with queue and storage in different content mailboxes, to which
    /// every call has to be routed.
    #[arg(long, requires = "oauth2")]
    pub(crate) autodiscover: bool,
    /// Serve the mailbox over a simulated Microsoft Graph as well, with the mail in its Inbox; implies --oauth2.
    #[arg(long, conflicts_with_all = ["http", "autodiscover", "block_ews"])]
    pub(crate) graph: bool,
    /// With --oauth2: block Exchange Web Services, as a tenant does that has switched them off.
    #[arg(long, requires = "oauth2")]
    pub(crate) block_ews: bool,
}

/// What the simulated administrator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Administrator {
    /// Accepts at once.
    Accepts,
    /// Sees a page with the buttons Accept and Decline.
    Asked,
    /// Declines.
    Declines,
    /// Is no administrator.
    Unprivileged,
    /// Closes the window.
    Leaves,
    /// Accepts, and the browser comes back with the state of another sign-in.
    WrongState,
}

/// Characters of an id that say enough to look for it.
const BEGINNING: usize = 4;

/// The number of an entry, an id, or the beginning of one.
pub(crate) fn which(text: &str) -> Result<Which, &'static str> {
    if let Ok(no) = text.parse() {
        return Ok(Which::No(no, text.to_owned()));
    }
    if let Ok(id) = text.parse() {
        return Ok(Which::Id(id));
    }
    if text.len() < BEGINNING || text.contains(char::is_whitespace) {
        return Err(
            "give the number of an entry, or an id, of which four characters may be enough",
        );
    }
    Ok(Which::Beginning(text.to_owned()))
}

/// Words to search for. What holds no letter and no digit would fit nothing.
fn words(text: &str) -> Result<String, &'static str> {
    if text.contains(char::is_alphanumeric) {
        Ok(text.to_owned())
    } else {
        Err("give at least one letter or digit to search for")
    }
}

/// A time with its offset (`2026-05-01T08:00:00Z`), or without one a time or the beginning of a day in UTC.
fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let refused =
        "give a day such as 2026-05-01, or a time such as 2026-05-01T08:00 or 2026-05-01T08:00:00Z";
    // A zone's name without an offset would be passed over.
    if text.contains('[') {
        return Err(refused.to_owned());
    }
    let time: DateTime = text.parse().map_err(|_| refused)?;
    let time = time.to_zoned(TimeZone::UTC);
    time.map(|time| time.timestamp())
        .map_err(|error| error.to_string())
}
