//! `export-subject`: all that is kept about a person, in a new directory.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use email_logging::MessageUid;
use email_logging::error::codes;
use email_logging::privacy::Person;
use email_logging::store::{InteractionLog as _, SubjectExport, SubjectMail};
use serde_json::{Value, json};

use super::named;
use crate::cli::privacy::ExportSubjectArgs;
use crate::exit::{Exit, Failure};
use crate::find::Reader;
use crate::output::{Output, mails};
use crate::words;

/// Mails that are read at a time.
const PAGE: u32 = 100;

/// Bytes of an original that are read at a time.
const PIECE: u64 = 1 << 20;

/// `export-subject`.
pub(crate) async fn export(
    args: &ExportSubjectArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut person = named(Person::default(), &args.address)?;
    if let Some(contact) = &args.contact {
        person = person.with_contact(contact.as_str());
    }
    let reader = Reader::open(file, args.store.as_deref()).await?;
    make_directory(&args.out)?;
    let export = SubjectExport::new(&*reader.store, &reader.scope, person)?;
    let mut lines = BufWriter::new(create(&args.out.join("mails.jsonl"))?);
    let (mut count, mut originals, mut private) = (0, 0, 0);
    let mut after = None;
    loop {
        let page = export.mails(after.as_ref(), PAGE).await?;
        for found in &page.rows {
            writeln!(lines, "{}", of_mail(found)).map_err(|error| unwritten(&error))?;
            count += 1;
            private += u64::from(found.is_private());
            if found.original.is_some() {
                let message = &found.mail.message;
                let name = format!("{message}.eml");
                reader.keep(message, &args.out.join(name)).await?;
                originals += 1;
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    lines.flush().map_err(|error| unwritten(&error))?;
    let records = export.records().await?;
    let mut rest = create(&args.out.join("records.json"))?;
    writeln!(rest, "{:#}", crate::subject_records::beside_mails(&records))
        .map_err(|error| unwritten(&error))?;
    if output.json() {
        output.value(&json!({ "export-subject": {
            "mails": count,
            "originals": originals,
            "private": private,
            "opportunities": records.opportunities.len(),
            "comments": records.entry_comments.len() + records.opportunity_comments.len(),
            "review": records.review.len(),
            "decisions": records.decisions.len(),
            "never-log-rules": records.never_log.len(),
        } }))?;
    } else {
        let mails = words::count(count, "mail", "mails");
        let kept = words::count(originals, "original", "originals");
        output.line(format!("{mails} in mails.jsonl, and {kept}."))?;
        output.line("What is kept beside mails is in records.json.")?;
        output.note("The mails are as they were written, with what they say of others.");
        if private > 0 {
            let mails = words::count(private, "mail", "mails");
            output.note(format!(
                "{mails} of them only the own salespeople may read: marked private."
            ));
        }
    }
    Ok(Exit::Done)
}

/// A mail with all that is known about it, as a line.
fn of_mail(found: &SubjectMail) -> Value {
    let marks = found.marks.iter().map(|(kind, mark)| {
        json!({ "kind": kind.code(), "by": mark.by, "reason": mark.reason, "at": mark.at })
    });
    json!({
        "mail": mails::value(&found.mail),
        "decisions": found.decisions,
        "marks": marks.collect::<Vec<_>>(),
    })
}

impl Reader {
    /// Writes an original into a new file, piece by piece.
    async fn keep(&self, message: &MessageUid, path: &Path) -> Result<(), Failure> {
        let mut file = create(path)?;
        let mut at = 0;
        loop {
            let part = self.store.original(&self.scope, message, at..at + PIECE);
            let part = match part.await {
                Ok(part) => part,
                // Somebody removed it meanwhile.
                Err(error) if error.code() == codes::STORE_NOT_FOUND.code => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            file.write_all(&part.bytes)
                .map_err(|error| unwritten(&error))?;
            at += part.bytes.len() as u64;
            if part.bytes.is_empty() || at >= part.total {
                return Ok(());
            }
        }
    }
}

/// Makes the directory, which must be new, for its owner alone.
fn make_directory(path: &Path) -> Result<(), Failure> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| unwritten(&error))
}

fn create(path: &Path) -> Result<std::fs::File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| unwritten(&error))
}

fn unwritten(error: &std::io::Error) -> Failure {
    Failure::input("the export cannot be written", error)
}
