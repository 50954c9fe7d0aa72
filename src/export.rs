//! The log in files that other programs read: JSON lines, CSV, and a .zip of the originals.
//!
//! Reads through [`InteractionLog`] alone, page by page, newest first, and writes into any [`Write`]. However much is
//! exported, one page of entries and one piece of an original are in memory. The writer is called from the task that polls:
//! give it a buffer, and a thread of its own where it may block for long.

mod csv;
mod eml;
mod name;

use std::fmt::Debug;
use std::io::{self, Write};

use crate::error::{Error, Result, codes};
use crate::interaction::InteractionLogEntry;
use crate::scope::Scope;
use crate::store::{Cursor, InteractionLog, LogFilter};

/// Entries that are read at a time.
const PAGE: u32 = 500;

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Exported {
    /// Entries, or mails of a .zip.
    pub rows: u64,
    /// Mails of a .zip whose original is not kept.
    pub missing: u64,
}

/// Writes each entry that fits as a JSON object on a line of its own (UTF-8, ended by a line feed).
///
/// The names are those of [`InteractionLogEntry`] under serde.
///
/// # Errors
///
/// `Unavailable` (`export.write`) where the writer fails; what the log answers.
///
/// # Cancel safety
///
/// What was written until then stays; begin again with a new writer.
pub async fn json_lines(
    log: &dyn InteractionLog,
    scope: &Scope,
    filter: &LogFilter,
    out: &mut (dyn Write + Send),
) -> Result<Exported> {
    each_entry(log, scope, filter, out, |entry, out| {
        serde_json::to_writer(&mut *out, entry)?;
        out.write_all(b"\n")
    })
    .await
}

/// Writes the entries that fit as CSV: RFC 4180, UTF-8, with a header.
///
/// Every text is quoted. A text that a spreadsheet could take for a formula (first of all, blanks aside, one of `=`, `+`,
/// `-`, `@`, their full-width forms, a tab or a line end) gets an apostrophe before it. Times are UTC.
///
/// # Errors
///
/// As [`json_lines`].
///
/// # Cancel safety
///
/// As [`json_lines`].
pub async fn csv(
    log: &dyn InteractionLog,
    scope: &Scope,
    filter: &LogFilter,
    out: &mut (dyn Write + Send),
) -> Result<Exported> {
    csv::header(out).map_err(|error| failed(&error))?;
    each_entry(log, scope, filter, out, csv::row).await
}

/// Writes the originals of the mails that have an entry which fits into a .zip, each once, bit for bit, not compressed.
///
/// The names begin with the number of the mail's first entry and its date, so that they sort and are unique. Nothing is
/// sought in the writer: it can be a socket. A mail whose original is not kept is counted.
///
/// # Errors
///
/// As [`json_lines`].
///
/// # Cancel safety
///
/// As [`json_lines`].
pub async fn eml_zip(
    log: &dyn InteractionLog,
    scope: &Scope,
    filter: &LogFilter,
    out: &mut (dyn Write + Send),
) -> Result<Exported> {
    eml::zip(log, scope, filter, out).await
}

async fn each_entry(
    log: &dyn InteractionLog,
    scope: &Scope,
    filter: &LogFilter,
    out: &mut (dyn Write + Send),
    write: fn(&InteractionLogEntry, &mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<Exported> {
    let mut exported = Exported::default();
    let mut after: Option<Cursor> = None;
    loop {
        let page = log.entries(scope, filter, after.as_ref(), PAGE).await?;
        for entry in &page.rows {
            write(entry, out).map_err(|error| failed(&error))?;
            exported.rows += 1;
        }
        after = page.next;
        if after.is_none() {
            out.flush().map_err(|error| failed(&error))?;
            return Ok(exported);
        }
    }
}

/// A writer's failure, without the path that it may name.
fn failed(error: &io::Error) -> Error {
    Error::new(&codes::EXPORT_WRITE, "export").with_detail(error.kind().to_string())
}
