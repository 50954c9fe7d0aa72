//! What a run tells to `tracing` (feature `tracing`): counts, codes and hashed names, never an address or a subject.

use std::future::Future;

use super::parts::Parts;
use super::progress::ProgressEvent;
use super::report::RunError;

/// Runs inside the span `email_log.run`, which names the scope, the worker and the mailbox by its hash.
#[cfg(feature = "tracing")]
pub(super) async fn in_run<F: Future>(parts: &Parts, run: F) -> F::Output {
    use tracing::Instrument as _;
    // A host may name its mailbox by an address.
    let mailbox = blake3::hash(parts.mailbox.as_str().as_bytes());
    let span = tracing::info_span!(
        "email_log.run",
        tenant = parts.scope.tenant(),
        company = parts.scope.company(),
        worker = parts.worker.as_str(),
        mailbox = &mailbox.to_hex()[..12],
    );
    run.instrument(span).await
}

#[cfg(not(feature = "tracing"))]
pub(super) async fn in_run<F: Future>(_: &Parts, run: F) -> F::Output {
    run.await
}

/// An event of the run's progress.
#[cfg(feature = "tracing")]
pub(super) fn progress(event: &ProgressEvent<'_>) {
    match event {
        ProgressEvent::Started => tracing::debug!("started"),
        ProgressEvent::Listed { items, total } => tracing::debug!(items, total, "listed"),
        ProgressEvent::Fetched { mails } => tracing::debug!(mails, "fetched"),
        ProgressEvent::Committed { mails } => tracing::debug!(mails, "committed"),
        ProgressEvent::Moved { mails } => tracing::debug!(mails, "moved"),
        ProgressEvent::Ended { report } => tracing::info!(
            listed = report.listed,
            logged = report.logged,
            already_logged = report.already_logged,
            not_matched = report.not_matched,
            excluded = report.excluded,
            quarantined = report.quarantined,
            pending = report.pending,
            moved = report.moved,
            "ended"
        ),
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn progress(_: &ProgressEvent<'_>) {}

/// What stopped a run: the step and the code, with the server's ids for its support desk.
#[cfg(feature = "tracing")]
pub(super) fn failed(failed: &RunError) {
    let server = failed.error.server();
    tracing::warn!(
        step = failed.step.code(),
        code = failed.error.code(),
        operation = failed.error.operation(),
        request_id = server.and_then(|server| server.request_id.as_deref()),
        client_request_id = server.and_then(|server| server.client_request_id.as_deref()),
        "stopped"
    );
}

#[cfg(not(feature = "tracing"))]
pub(super) fn failed(_: &RunError) {}
