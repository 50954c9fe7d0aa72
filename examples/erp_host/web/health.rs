//! Whether logging is well, and a run on demand.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{Redirect, Response};
use email_logging::logger::RunReport;
use email_logging::setup::SignInState;

use super::page::{Failed, Frame, done, render};
use super::session::Session;
use crate::erp::Erp;

#[derive(Template)]
#[template(path = "health.html", config = "examples/erp_host/askama.toml")]
struct Health {
    f: Frame,
    enabled: bool,
    signed_in: &'static str,
    well: bool,
    last: Option<String>,
    error: Option<String>,
    report: Option<RunReport>,
    demo: bool,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "health", "/health");
    let status = erp.administration.status(&erp.scope).await?;
    let last = erp.last_run();
    let (report, error) = match last.as_ref().map(|run| run.report.clone()) {
        Some(Ok(report)) => (Some(report), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    Ok(render(&Health {
        enabled: status.enabled,
        signed_in: sign_in_words(&f, status.signed_in),
        well: status.enabled && error.is_none(),
        last: last.map(|run| f.time(&run.at)),
        error,
        report,
        demo: erp.company.is_some(),
        f,
    }))
}

pub(super) fn sign_in_words(frame: &Frame, state: SignInState) -> &'static str {
    match state {
        SignInState::SignedIn => frame.w.signed_in,
        SignInState::WithHost => frame.w.with_host,
        _ => frame.w.signed_out,
    }
}

pub(super) async fn run(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Redirect, Failed> {
    erp.wake.notify_one();
    Ok(done(&erp, &session, "/health", |w| w.flash_run))
}

/// A customer of the demo writes.
pub(super) async fn mail(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Redirect, Failed> {
    let Some(company) = &erp.company else {
        return Err(Failed::Missing);
    };
    let service = erp
        .administration
        .load(&erp.scope)
        .await?
        .setup
        .mail_service;
    let written = company.customer_writes(erp.next_mail(), service);
    written.map_err(Failed::broken)?;
    erp.wake.notify_one();
    Ok(done(&erp, &session, "/health", |w| w.flash_mail))
}
