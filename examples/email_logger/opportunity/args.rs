//! The command line of `opportunity`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use email_logging::opportunity::{Amount, Percent};
use jiff::civil::Date;

use crate::cli::{Which, which};

#[derive(Debug, Args)]
pub(crate) struct OpportunityArgs {
    /// The file of the log.
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) store: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: OpportunityCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OpportunityCommand {
    /// Make an opportunity of an interaction log entry.
    Create(CreateArgs),
    /// List opportunities, the last one made first.
    List(ListArgs),
    /// Show one with its history, tasks and comments.
    Show(OneArgs),
    /// Activate the first stage of the sales cycle; without --value without an estimate.
    First(MoveArgs),
    /// Go to the next stage.
    Next(MoveArgs),
    /// Go back to the stage before.
    Previous(MoveArgs),
    /// Go to a later stage, past stages that allow it.
    Skip(StageArgs),
    /// Go back to any earlier stage.
    Jump(StageArgs),
    /// Stay in the stage with new estimates.
    Update(MoveArgs),
    /// Assign a sales quote, or take it away.
    Quote(QuoteArgs),
    /// Close it as won or as lost.
    Close(CloseArgs),
    /// Delete one that is not in progress, with its history.
    Delete(OneArgs),
    /// List its tasks, or tick one.
    Tasks(TasksArgs),
    /// List the sales cycles, or put those of a file.
    Cycles(CyclesArgs),
    /// List the close codes.
    CloseCodes,
    /// What the opportunities at each stage amount to.
    Statistics(StatisticsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The number of the entry as `log` lists it, or its id.
    #[arg(value_name = "NO|ID", value_parser = which)]
    pub(crate) entry: Which,
    /// The work date, such as 2026-05-14; without it today in UTC.
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// The salesperson of an entry that names none.
    #[arg(long, value_name = "CODE")]
    pub(crate) salesperson: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Of this contact, by number.
    #[arg(long, value_name = "NO")]
    pub(crate) contact: Option<String>,
    /// Of this company and the persons in it, by number.
    #[arg(long, value_name = "NO")]
    pub(crate) company: Option<String>,
    /// Of this salesperson, by code.
    #[arg(long, value_name = "CODE")]
    pub(crate) salesperson: Option<String>,
    /// With this status.
    #[arg(long)]
    pub(crate) status: Option<Status>,
    /// Neither won nor lost.
    #[arg(long)]
    pub(crate) open: bool,
    /// At most this many.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Go on where an earlier page ended.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// Where an opportunity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// No stage is activated.
    NotStarted,
    /// It is at a stage.
    InProgress,
    /// It was closed with a sale.
    Won,
    /// It was closed without one.
    Lost,
}

#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// Its number, such as OP000001.
    #[arg(value_name = "NO")]
    pub(crate) no: String,
}

#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    /// Its number, such as OP000001.
    #[arg(value_name = "NO")]
    pub(crate) no: String,
    #[command(flatten)]
    pub(crate) estimates: Estimates,
}

#[derive(Debug, Args)]
pub(crate) struct StageArgs {
    /// Its number, such as OP000001.
    #[arg(value_name = "NO")]
    pub(crate) no: String,
    /// The stage to go to.
    #[arg(value_name = "STAGE")]
    pub(crate) stage: u32,
    #[command(flatten)]
    pub(crate) estimates: Estimates,
}

#[derive(Debug, Args)]
pub(crate) struct Estimates {
    /// The day of the change, such as 2026-05-14; without it today in UTC.
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// What the sale may bring, such as 1250 or 99.95; without it as before.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) value: Option<Amount>,
    /// The chance of success in per cent; without it as the stage says.
    #[arg(long, value_name = "PERCENT")]
    pub(crate) chance: Option<Percent>,
    /// When it may be decided; without it as before, or as the stage says.
    #[arg(long, value_name = "DATE")]
    pub(crate) close_date: Option<Date>,
    /// Cancel the open tasks.
    #[arg(long)]
    pub(crate) cancel_tasks: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QuoteArgs {
    /// Its number, such as OP000001.
    #[arg(value_name = "NO")]
    pub(crate) no: String,
    /// The number of the quote.
    #[arg(
        value_name = "QUOTE",
        required_unless_present = "remove",
        requires = "value"
    )]
    pub(crate) quote: Option<String>,
    /// The value of the quote.
    #[arg(value_name = "AMOUNT")]
    pub(crate) value: Option<Amount>,
    /// The contact is a person, who needs a company for a quote.
    #[arg(long)]
    pub(crate) person: bool,
    /// Take the quote away.
    #[arg(long, conflicts_with_all = ["quote", "value", "person"])]
    pub(crate) remove: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("end").required(true))]
pub(crate) struct CloseArgs {
    /// Its number, such as OP000001.
    #[arg(value_name = "NO")]
    pub(crate) no: String,
    /// With a sale.
    #[arg(long, group = "end")]
    pub(crate) won: bool,
    /// Without one.
    #[arg(long, group = "end")]
    pub(crate) lost: bool,
    /// The close code; `opportunity close-codes` lists them.
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// What was sold; the value of an assigned quote wins.
    #[arg(long, value_name = "AMOUNT", conflicts_with = "lost")]
    pub(crate) value: Option<Amount>,
    /// The day, such as 2026-05-14; without it today in UTC.
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// Cancel the open tasks.
    #[arg(long)]
    pub(crate) cancel_tasks: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TasksArgs {
    /// Its number, such as OP000001.
    #[arg(value_name = "NO")]
    pub(crate) no: String,
    /// Tick the open task with this number.
    #[arg(long, value_name = "TASK")]
    pub(crate) done: Option<u32>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The file holds [[sales-cycle]] with code, probability (multiply, add, chances, completed) and [[sales-cycle.stage]] \
                  with stage, description, completed, chance, allow-skip, quote-required, close-date (a date formula such as 1M+CM) and \
                  [[sales-cycle.stage.activity]]; [[close-code]] with code and kind (won, lost); [number-series] with code and next; \
                  default-sales-cycle."
)]
pub(crate) struct CyclesArgs {
    /// Store what this file holds (TOML), in place of what has the same codes.
    #[arg(long, value_name = "FILE")]
    pub(crate) put: Option<PathBuf>,
    /// Store a sample: a cycle of four stages, close codes, and numbers from OP000001.
    #[arg(long, conflicts_with = "put")]
    pub(crate) sample: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatisticsArgs {
    /// Of this sales cycle alone.
    #[arg(long, value_name = "CODE")]
    pub(crate) cycle: Option<String>,
}
