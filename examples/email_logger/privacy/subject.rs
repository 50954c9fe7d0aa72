//! `export-subject`: all that is kept about a person, in a new directory.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use email_logging::MessageUid;
use email_logging::error::codes;
use email_logging::privacy::{Person, Selection};
use email_logging::store::{DecisionFilter, InteractionLog as _, PrivacyStore as _};
use serde_json::json;

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
    let selection = Selection::Person(person);
    let mut lines = BufWriter::new(create(&args.out.join("mails.jsonl"))?);
    let (mut count, mut originals) = (0, 0);
    let mut after = None;
    loop {
        let page = reader
            .store
            .affected(&reader.scope, &selection, after.as_ref(), PAGE);
        let page = page.await?;
        for mail in &page.rows {
            let line = reader.of_subject(&mail.message).await?;
            writeln!(lines, "{line}").map_err(|error| unwritten(&error))?;
            count += 1;
            if mail.original.is_some() {
                let name = format!("{}.eml", mail.message);
                reader.keep(&mail.message, &args.out.join(name)).await?;
                originals += 1;
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    lines.flush().map_err(|error| unwritten(&error))?;
    if output.json() {
        output.value(&json!({ "export-subject": { "mails": count, "originals": originals } }))?;
    } else {
        let mails = words::count(count, "mail", "mails");
        let kept = words::count(originals, "original", "originals");
        output.line(format!("{mails} in mails.jsonl, and {kept}."))?;
    }
    Ok(Exit::Done)
}

impl Reader {
    /// A mail with all that is known about it, as a line.
    async fn of_subject(&self, message: &MessageUid) -> Result<serde_json::Value, Failure> {
        let mail = self.store.mail(&self.scope, message).await?;
        let mut filter = DecisionFilter::default();
        filter.message = Some(*message);
        let decisions = self
            .store
            .decisions(&self.scope, &filter, None, 1000)
            .await?;
        let marks = self.store.marks(&self.scope, message).await?;
        let marks: Vec<_> = marks
            .iter()
            .map(|(kind, mark)| {
                json!({ "kind": kind.code(), "by": mark.by, "reason": mark.reason, "at": mark.at })
            })
            .collect();
        Ok(json!({
            "mail": mails::value(&mail),
            "decisions": decisions.rows,
            "marks": marks,
        }))
    }

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
