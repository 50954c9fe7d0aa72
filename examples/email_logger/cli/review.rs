//! The command line of the review queue, of matching again and of the never-log lists.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use email_logging::decision::NeverRule;
use email_logging::message::Address;

use super::{Settings, Which, which};

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// What was not logged and waits for a person, and what to do with it.
    Review(ReviewArgs),
    /// Match the stored mail again, after contacts were added or changed.
    Rematch(RematchArgs),
    /// Who is never logged: addresses, domains and patterns.
    NeverLog(NeverLogArgs),
    /// What happened, for another program: each event is read until it is acknowledged.
    Events(EventsArgs),
}

/// Which log is meant.
#[derive(Debug, Args, Default)]
pub(crate) struct LogFile {
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    #[command(subcommand)]
    pub(crate) action: Option<ReviewAction>,
    #[command(flatten)]
    pub(crate) file: LogFile,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewAction {
    /// List the open items, newest first.
    List(ListItems),
    /// Show one item with its decision.
    Show(OneItem),
    /// Log the mail for a contact and a salesperson; the next `run` or `rematch` does it.
    Assign(AssignItem),
    /// Leave the mail as it is.
    Ignore(SayItem),
    /// Open an item again.
    Reopen(SayItem),
}

#[derive(Debug, Args, Default)]
pub(crate) struct ListItems {
    /// The state: open, assigned or ignored.
    #[arg(long, value_enum, default_value_t = State::Open)]
    pub(crate) state: State,
    /// Also what the policy left out.
    #[arg(long)]
    pub(crate) excluded: bool,
    /// Only with this reason, such as no-contact.
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) file: LogFile,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum State {
    #[default]
    Open,
    Assigned,
    Ignored,
}

#[derive(Debug, Args)]
pub(crate) struct OneItem {
    /// The id as `review` lists it; its beginning is enough.
    #[arg(value_name = "ID", value_parser = which)]
    pub(crate) id: Which,
    #[command(flatten)]
    pub(crate) file: LogFile,
}

#[derive(Debug, Args)]
pub(crate) struct SayItem {
    #[command(flatten)]
    pub(crate) item: OneItem,
    /// Who says it.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    pub(crate) by: String,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct AssignItem {
    #[command(flatten)]
    pub(crate) say: SayItem,
    /// The number of the contact.
    #[arg(long, value_name = "NO")]
    pub(crate) contact: String,
    /// The code of the salesperson.
    #[arg(long, value_name = "CODE")]
    pub(crate) salesperson: String,
    /// Which way the mail went.
    #[arg(long, value_enum)]
    pub(crate) direction: Way,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Way {
    /// From the contact.
    Inbound,
    /// To the contact.
    Outbound,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Automatic entries are added, and withdrawn where the contact has the address no longer. What a person \
                        assigned, cancelled or ignored stays. Nothing is deleted."
)]
pub(crate) struct RematchArgs {
    /// Only mail that names this address. It can be given more than once.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "contact")]
    pub(crate) address: Vec<Address>,
    /// Only mail that has an entry of this contact.
    #[arg(long, value_name = "NO")]
    pub(crate) contact: Option<String>,
    /// Say what would change; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Look at at most this many mails; 0 is no limit.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(crate) most: u32,
    /// Go on where an earlier call stopped.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    /// Withdraw no entry.
    #[arg(long)]
    pub(crate) keep_links: bool,
    /// Log mail whose original is gone from what is kept of it.
    #[arg(long)]
    pub(crate) without_original: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct NeverLogArgs {
    #[command(subcommand)]
    pub(crate) action: NeverLogAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NeverLogAction {
    /// List every rule.
    List(LogFile),
    /// Add a rule.
    Add(NeverLogRule),
    /// Take a rule away.
    Remove(NeverLogRule),
}

#[derive(Debug, Args)]
pub(crate) struct NeverLogRule {
    /// An address, a domain with all below it, or a pattern with *.
    #[arg(value_name = "RULE")]
    pub(crate) rule: NeverRule,
    /// For this salesperson alone.
    #[arg(long, value_name = "CODE")]
    pub(crate) salesperson: Option<String>,
    #[command(flatten)]
    pub(crate) file: LogFile,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Who reads; each name has its own place.
    #[arg(long, value_name = "NAME", default_value = "command-line")]
    pub(crate) consumer: String,
    /// At most this many.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) limit: u32,
    /// Acknowledge up to this number first.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) ack: Option<u64>,
    #[command(flatten)]
    pub(crate) file: LogFile,
}
