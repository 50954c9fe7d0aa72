//! The log as a file: JSON lines, CSV, or a .zip of the originals.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, Write as _};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use email_logging::export;
use email_logging::store::LogFilter;
use futures_util::stream;

use super::contacts::{find, of};
use super::mails::Wanted;
use super::page::Failed;
use crate::erp::Erp;

/// Bytes that are read from the file at once.
const CHUNK: usize = 256 << 10;

/// Writes the file whole before its first byte is sent, so that a failure is a page and never half a file.
pub(super) async fn export(
    State(erp): State<Arc<Erp>>,
    Path(format): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    let (kind, name) = match format.as_str() {
        "csv" => (
            "text/csv; charset=utf-8; header=present",
            "interaction-log.csv",
        ),
        "jsonl" => ("application/jsonl", "interaction-log.jsonl"),
        "zip" => ("application/zip", "originals.zip"),
        _ => return Err(Failed::Missing),
    };
    let mut filter = match wanted.contact.trim() {
        "" => LogFilter::default(),
        no => of(&find(&erp, no)?),
    };
    filter.canceled = true;
    wanted.narrow(&mut filter);
    let file = tempfile::tempfile().map_err(|_| Failed::Missing)?;
    let mut out = BufWriter::new(file);
    let (log, scope) = (&*erp.store, &erp.scope);
    match format.as_str() {
        "csv" => export::csv(log, scope, &filter, &mut out).await?,
        "jsonl" => export::json_lines(log, scope, &filter, &mut out).await?,
        _ => export::eml_zip(log, scope, &filter, &mut out).await?,
    };
    let file = written(out).map_err(|_| Failed::Missing)?;
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, streamed(file)).into_response())
}

fn written(mut out: BufWriter<File>) -> std::io::Result<File> {
    out.flush()?;
    let mut file = out
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

fn streamed(file: File) -> Body {
    Body::from_stream(stream::unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK];
        match file.read(&mut chunk) {
            Ok(0) => None,
            Ok(read) => {
                chunk.truncate(read);
                Some((Ok(Bytes::from(chunk)), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    }))
}
