//! Originals in a .zip that is written from its beginning to its end.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{Exported, failed, name};
use crate::error::{ErrorKind, Result};
use crate::scope::Scope;
use crate::store::{Cursor, InteractionLog, LogFilter, LoggedMail, OriginalPart};

/// Mails that are read at a time.
const PAGE: u32 = 100;

/// Bytes of an original that are read at a time.
const PIECE: u64 = 256 * 1024;

/// From this size on a file needs the wide fields of the format.
const LARGE: u64 = 0xffff_0000;

type Archive<'a> = ZipWriter<StreamWriter<Valve<'a>>>;

/// A writer that takes nothing once it is shut. An archive that is dropped before its end would write one, and look whole.
struct Valve<'a> {
    out: &'a mut (dyn Write + Send),
    is_shut: Arc<AtomicBool>,
}

impl Write for Valve<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_shut.load(Ordering::Relaxed) {
            return Ok(bytes.len());
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_shut.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.out.flush()
    }
}

/// Shuts the valve when it is dropped: before the archive, which is declared before it.
struct Shutter(Arc<AtomicBool>);

impl Drop for Shutter {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(super) async fn zip(
    log: &dyn InteractionLog,
    scope: &Scope,
    filter: &LogFilter,
    out: &mut (dyn Write + Send),
) -> Result<Exported> {
    let is_shut = Arc::new(AtomicBool::new(false));
    let valve = Valve {
        out,
        is_shut: Arc::clone(&is_shut),
    };
    let mut archive: Archive<'_> = ZipWriter::new_stream(valve);
    let _shutter = Shutter(is_shut);
    let mut exported = Exported::default();
    let mut after: Option<Cursor> = None;
    loop {
        let page = log.mails(scope, filter, after.as_ref(), PAGE).await?;
        for mail in &page.rows {
            let first = log.original(scope, &mail.message, 0..PIECE).await;
            match first {
                Ok(first) => {
                    add(log, scope, mail, first, &mut archive).await?;
                    exported.rows += 1;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => exported.missing += 1,
                Err(error) => return Err(error),
            }
        }
        after = page.next;
        if after.is_none() {
            let mut out = archive.finish().map_err(broken)?.into_inner();
            out.flush().map_err(|error| failed(&error))?;
            return Ok(exported);
        }
    }
}

/// Adds an original whose first piece was read.
async fn add(
    log: &dyn InteractionLog,
    scope: &Scope,
    mail: &LoggedMail,
    mut part: OriginalPart,
    archive: &mut Archive<'_>,
) -> Result<()> {
    let first = mail.entries.iter().min_by_key(|entry| entry.entry_no);
    let no = first.map_or(0, |entry| entry.entry_no);
    let date = first.map_or(Timestamp::UNIX_EPOCH, |entry| entry.entry.date);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(part.total >= LARGE)
        .last_modified_time(modified(date));
    let name = name::of_mail(no, date, &mail.record.subject);
    archive.start_file(name, options).map_err(broken)?;
    let mut from = 0;
    loop {
        archive
            .write_all(&part.bytes)
            .map_err(|error| failed(&error))?;
        from += part.bytes.len() as u64;
        if part.bytes.is_empty() || from >= part.total {
            return Ok(());
        }
        let range = from..from.saturating_add(PIECE);
        part = log.original(scope, &mail.message, range).await?;
    }
}

/// A date as the format has it, from 1980 to 2107; its beginning for any other.
fn modified(date: Timestamp) -> DateTime {
    let at = date.to_zoned(TimeZone::UTC).datetime();
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let (month, day) = (part(at.month()), part(at.day()));
    let (hour, minute, second) = (part(at.hour()), part(at.minute()), part(at.second()));
    DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}

fn broken(error: zip::result::ZipError) -> crate::error::Error {
    failed(&io::Error::from(error))
}
