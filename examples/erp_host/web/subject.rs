//! All that is kept about a person, as a .zip for the person: a line for each mail, its original, and the rest. What the mails
//! say of others is in it as well, and what is private: whoever hands it over has to weigh that.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use email_logging::MessageUid;
use email_logging::error::ErrorKind;
use email_logging::privacy::Person;
use email_logging::store::{InteractionLog as _, SubjectExport, SubjectMail};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::erasure::{MAILS, Who, persons};
use super::export::{streamed, written};
use super::page::Failed;
use crate::erp::Erp;

/// Bytes of an original that are read at once.
const PIECE: u64 = 1 << 20;

/// From this size on a file needs the wide fields of the format.
const LARGE: u64 = 0xffff_0000;

type Archive = ZipWriter<BufWriter<File>>;

/// Hands the file over, once it is whole. A form asks for it: an address of a person stands in no link.
pub(super) async fn export(
    State(erp): State<Arc<Erp>>,
    Form(who): Form<Who>,
) -> Result<Response, Failed> {
    let persons = persons(&erp, &who)?;
    if persons.first().is_none_or(Person::is_empty) {
        return Err(Failed::Bad);
    }
    let runtime = tokio::runtime::Handle::current();
    let work = move || runtime.block_on(write(&erp, &persons));
    let file = tokio::task::spawn_blocking(work).await;
    let file = file.map_err(Failed::broken)??;
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"person.zip\"",
        ),
    ];
    Ok((headers, streamed(file)).into_response())
}

async fn write(erp: &Erp, persons: &[Person]) -> Result<File, Failed> {
    let mut archive = ZipWriter::new(BufWriter::new(
        tempfile::tempfile().map_err(Failed::broken)?,
    ));
    // The lines wait beside the archive, which takes one file at a time.
    let mut lines = BufWriter::new(tempfile::tempfile().map_err(Failed::broken)?);
    let mut seen = BTreeSet::new();
    let mut records = Vec::new();
    for person in persons {
        let export = SubjectExport::new(&*erp.store, &erp.scope, person.clone())?;
        let mut after = None;
        loop {
            let page = export.mails(after.as_ref(), MAILS).await?;
            for found in &page.rows {
                if !seen.insert(found.mail.message) {
                    continue;
                }
                writeln!(lines, "{}", line(found)).map_err(Failed::broken)?;
                if let Some(size) = found.original {
                    original(erp, &found.mail.message, size, &mut archive).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let beside = export.records().await?;
        records.push(crate::subject_records::beside_mails(&beside));
    }
    let mut lines = written(lines).map_err(Failed::broken)?;
    begin(&mut archive, "mails.jsonl", false)?;
    io::copy(&mut lines, &mut archive).map_err(Failed::broken)?;
    begin(&mut archive, "records.json", false)?;
    write!(archive, "{:#}", Value::Array(records)).map_err(Failed::broken)?;
    written(archive.finish().map_err(Failed::broken)?).map_err(Failed::broken)
}

fn begin(archive: &mut Archive, name: &str, large: bool) -> Result<(), Failed> {
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(large);
    archive.start_file(name, stored).map_err(Failed::broken)
}

/// A mail with all that is known about it.
fn line(found: &SubjectMail) -> Value {
    let record = &found.mail.record;
    let people = record.participants.iter();
    let people = people
        .map(|one| json!({ "role": one.role.code(), "name": one.name, "address": one.address }));
    let marks = found.marks.iter();
    let marks = marks.map(|(kind, mark)| {
        json!({ "kind": kind.code(), "by": mark.by, "reason": mark.reason, "at": mark.at })
    });
    json!({
        "mail": found.mail.message.to_string(),
        "subject": record.subject,
        "sent": record.sent,
        "received": record.received,
        "participants": people.collect::<Vec<_>>(),
        "entries": found.mail.entries,
        "decisions": found.decisions,
        "marks": marks.collect::<Vec<_>>(),
        "original-bytes": found.original,
    })
}

/// The original, piece by piece. One that somebody removed meanwhile is left out.
async fn original(
    erp: &Erp,
    message: &MessageUid,
    size: u64,
    archive: &mut Archive,
) -> Result<(), Failed> {
    let mut at = 0;
    loop {
        let part = erp.store.original(&erp.scope, message, at..at + PIECE);
        let part = match part.await {
            Ok(part) => part,
            Err(error) if error.kind() == ErrorKind::NotFound && at == 0 => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if at == 0 {
            begin(archive, &format!("{message}.eml"), size >= LARGE)?;
        }
        archive.write_all(&part.bytes).map_err(Failed::broken)?;
        at += part.bytes.len() as u64;
        if part.bytes.is_empty() || at >= part.total {
            return Ok(());
        }
    }
}
