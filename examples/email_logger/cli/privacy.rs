//! The command line of privacy after logging: marking, removing, retention, erasing and exporting a person.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::{Span, Timestamp, Zoned, tz::TimeZone};

use super::{Which, which};

#[derive(Debug, Subcommand)]
pub(crate) enum PrivacyCommand {
    /// Mark a mail private, or take that back: it is shown to its own salespeople alone.
    Private(PrivateArgs),
    /// Keep a mail whatever its age, or take that back.
    Hold(HoldArgs),
    /// Remove a mail from the log, for everybody and for good.
    Remove(RemoveArgs),
    /// Remove mail that is older than it may be.
    Retention(RetentionArgs),
    /// Erase a person: every mail that names one of the addresses or is logged for the contact.
    Erase(EraseArgs),
    /// Write all that is kept about a person into a new directory.
    ExportSubject(ExportSubjectArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "The mark is kept with its author, time and reason, and the entries get the flag marked-private. Whoever \
                        reads the file of the log reads it all the same: it is the host that asks who looks."
)]
pub(crate) struct PrivateArgs {
    #[command(flatten)]
    pub(crate) mail: MarkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    #[command(flatten)]
    pub(crate) mail: MarkArgs,
}

/// A mark on a mail.
#[derive(Debug, Args)]
pub(crate) struct MarkArgs {
    /// The number of an entry, or an id.
    #[arg(value_name = "NO|ID", value_parser = which)]
    pub(crate) which: Which,
    /// Why, for those who ask later.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// Take the mark back.
    #[arg(long)]
    pub(crate) undo: bool,
    /// Who says so.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    pub(crate) by: String,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Subject, participants, text, original and entries go, and the bytes go from the file. What stays is a keyed \
                        hash by which the mail is known, so that no copy of it is logged again. The mail in Exchange is not \
                        touched. A mail on hold stays until `hold --undo`."
)]
pub(crate) struct RemoveArgs {
    /// The number of an entry, or an id.
    #[arg(value_name = "NO|ID", value_parser = which)]
    pub(crate) which: Which,
    /// Say what would be removed; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who wants it.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    pub(crate) by: String,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "What an open opportunity was made of, what is on hold, and what the host's own log has not confirmed stays. \
                        It can be stopped and called again."
)]
pub(crate) struct RetentionArgs {
    /// How old mail may become, such as 3y, 18mo, 90d.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Timestamp,
    /// Only mail that was logged under this interaction template. It can be given more than once.
    #[arg(long, value_name = "CODE")]
    pub(crate) template: Vec<String>,
    /// Only mail that was logged for this company and the persons in it.
    #[arg(long, value_name = "NO")]
    pub(crate) company: Option<String>,
    /// Say what would be removed; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who wants it.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    pub(crate) by: String,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A mail of the person is removed whole, for all whom it names. The person's opportunities stay without name and \
                        words. A mail that speaks of the person in its text alone is not found: look for it with `log --text`. \
                        The mail in Exchange, the host's own log and back-ups are not touched."
)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// Never log mail that names one of the addresses again.
    #[arg(long)]
    pub(crate) never_again: bool,
    /// Erase nothing while an opportunity of the person is open.
    #[arg(long)]
    pub(crate) refuse_open_opportunities: bool,
    /// Say what would be erased; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who wants it.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    pub(crate) by: String,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

/// Who is erased.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct PersonArgs {
    /// An address of the person. It can be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Vec<String>,
    /// The number of the contact.
    #[arg(long, value_name = "NO")]
    pub(crate) contact: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportSubjectArgs {
    /// An address of the person.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
    /// The number of the contact as well.
    #[arg(long, value_name = "NO")]
    pub(crate) contact: Option<String>,
    /// The new directory, for its owner alone: mails.jsonl and one .eml per mail.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

/// The time that lies this long ago.
fn age(text: &str) -> Result<Timestamp, String> {
    age_before(text, &Timestamp::now().to_zoned(TimeZone::UTC))
}

fn age_before(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let refused = "give an age such as 3y, 18mo, 26w or 90d";
    let span: Span = text.parse().map_err(|_| refused)?;
    if !span.is_positive() {
        return Err(refused.to_owned());
    }
    let before = now.checked_sub(span).map_err(|_| refused)?;
    Ok(before.timestamp())
}
