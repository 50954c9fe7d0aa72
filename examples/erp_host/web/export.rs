//! The log as a file: JSON lines, CSV, or a .zip of the originals.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, Write as _};
use std::sync::Arc;

use axum::Extension;
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
use super::session::{Flash, Session};
use super::sight::{self, Log};
use crate::erp::Erp;

/// Bytes that are read from the file at once.
const CHUNK: usize = 256 << 10;

/// Writes the file whole before its first byte is sent, so that a failure is a page and never half a file.
pub(super) async fn export(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
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
    let log = sight::log(&erp, &session);
    let (file, missing) = write(Arc::clone(&erp), log, format, filter).await?;
    if missing > 0 {
        let flash: Flash = |w| w.flash_missing;
        erp.sessions.change(&session.id, |session| {
            session.flash = Some((flash, missing.to_string()));
        });
    }
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, streamed(file)).into_response())
}

/// Writes the file beside the pages. Answers it with how many originals are not kept.
async fn write(
    erp: Arc<Erp>,
    log: Log,
    format: String,
    filter: LogFilter,
) -> Result<(File, u64), Failed> {
    let runtime = tokio::runtime::Handle::current();
    let work = move || -> Result<(File, u64), Failed> {
        let mut out = BufWriter::new(tempfile::tempfile().map_err(Failed::broken)?);
        let scope = &erp.scope;
        let exported = runtime.block_on(async {
            match format.as_str() {
                "csv" => export::csv(&log, scope, &filter, &mut out).await,
                "jsonl" => export::json_lines(&log, scope, &filter, &mut out).await,
                _ => export::eml_zip(&log, scope, &filter, &mut out).await,
            }
        });
        let file = written(out).map_err(Failed::broken)?;
        Ok((file, exported?.missing))
    };
    let written = tokio::task::spawn_blocking(work).await;
    written.map_err(Failed::broken)?
}

pub(super) fn written(mut out: BufWriter<File>) -> io::Result<File> {
    out.flush()?;
    let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

pub(super) fn streamed(file: File) -> Body {
    Body::from_stream(stream::unfold(Some(file), |file| async move {
        let mut file = file?;
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK];
            let read = file.read(&mut chunk)?;
            chunk.truncate(read);
            io::Result::Ok((chunk, file))
        });
        match read.await.map_err(io::Error::other).and_then(|read| read) {
            Ok((chunk, _)) if chunk.is_empty() => None,
            Ok((chunk, file)) => Some((Ok(Bytes::from(chunk)), Some(file))),
            Err(error) => Some((Err(error), None)),
        }
    }))
}
