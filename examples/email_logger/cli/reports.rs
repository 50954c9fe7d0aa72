//! The command line of what reads and tidies the log: filters, statistics, export, cancelling.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{Direction, Which, time, which, words};
use crate::flags;

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Count the log: per contact, per salesperson and over time.
    Stats(StatsArgs),
    /// Write the log, or the originals of its mails, into a new file.
    Export(ExportArgs),
    /// Cancel an entry, or take that back.
    Cancel(CancelArgs),
    /// Delete cancelled entries; without --yes say only what would be deleted.
    DeleteCanceled(DeleteCanceledArgs),
}

/// Which entries are meant.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Filters (each must fit)")]
pub(crate) struct Filters {
    /// Of this contact, by number.
    #[arg(long, value_name = "NO")]
    pub(crate) contact: Option<String>,
    /// Of this company and the persons in it, by number.
    #[arg(long, value_name = "NO")]
    pub(crate) company: Option<String>,
    /// Of this salesperson, by code.
    #[arg(long, value_name = "CODE")]
    pub(crate) salesperson: Option<String>,
    /// In this direction.
    #[arg(long)]
    pub(crate) direction: Option<Direction>,
    /// Not before: a day or a time in UTC, such as 2026-05-01 or 2026-05-01T08:00.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<Timestamp>,
    /// Before: a day or a time in UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<Timestamp>,
    /// With all these words in subject, participants or body; the last may be a beginning.
    #[arg(long, value_name = "WORDS", value_parser = words)]
    pub(crate) text: Option<String>,
    /// With this flag, such as automatic-reply or bulk; a wrong one is answered with the list.
    #[arg(long, value_name = "FLAG", value_parser = flags::known)]
    pub(crate) flag: Option<String>,
    /// Of the conversation that this mail belongs to: the number of an entry, or an id.
    #[arg(long, value_name = "NO|ID", value_parser = which)]
    pub(crate) conversation: Option<Which>,
    /// That this opportunity was made of.
    #[arg(long, value_name = "NO")]
    pub(crate) opportunity: Option<String>,
    /// With this grade, from 1 (very negative) to 5 (very positive).
    #[arg(long, value_name = "GRADE", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) evaluation: Option<u8>,
    /// Cancelled entries as well.
    #[arg(long)]
    pub(crate) canceled: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    /// The length of a bucket of time; days are those of UTC.
    #[arg(long, value_enum, default_value_t = By::Month)]
    pub(crate) by: By,
    /// List at most this many contacts and salespeople.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) filters: Filters,
}

/// The length of a bucket of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// A day.
    Day,
    /// A week from Monday.
    Week,
    /// A month.
    Month,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    /// What to write.
    #[arg(long, value_enum)]
    pub(crate) format: Format,
    /// The new file, readable by its owner alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) filters: Filters,
}

/// What an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A JSON object per entry, each on a line of its own.
    Jsonl,
    /// A table for spreadsheets.
    Csv,
    /// The original mails in a .zip.
    EmlZip,
}

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The number of an entry, or its id.
    #[arg(value_name = "NO|ID", value_parser = which)]
    pub(crate) which: Which,
    /// Take the cancelling back.
    #[arg(long)]
    pub(crate) undo: bool,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "What an open opportunity was made of, what is on hold, what the host's own log has not confirmed, and what a later \
                  match withdrew and nobody cancelled stays. An original goes with the last entry of its mail. A deleted entry is not \
                  logged again, whatever copy of its mail is seen. The mail in Exchange is not touched."
)]
pub(crate) struct DeleteCanceledArgs {
    /// Delete.
    #[arg(long)]
    pub(crate) yes: bool,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) filters: Filters,
}
