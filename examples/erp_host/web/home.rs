//! The first page: whether logging runs, and the newest mail.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use email_logging::store::{InteractionLog as _, LogFilter, OpportunityStore as _, ReviewState};

use super::entries::Row;
use super::page::{Failed, Frame, render};
use super::session::Session;
use super::sight;
use crate::erp::Erp;

/// Entries on the first page.
const NEWEST: u32 = 8;

#[derive(Template)]
#[template(path = "home.html", config = "examples/erp_host/askama.toml")]
struct Home {
    f: Frame,
    enabled: bool,
    rows: Vec<Row>,
    contacts: usize,
    /// Items of the review queue that nobody touched.
    waiting: u64,
    /// Opportunities in progress.
    running: u64,
    last: Option<String>,
    failed: bool,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "home", "/");
    let setup = erp.administration.load(&erp.scope).await?.setup;
    let filter = LogFilter::default();
    let log = sight::log(&erp, &session);
    let page = log.entries(&erp.scope, &filter, None, NEWEST).await?;
    let waiting = sight::review_counts(&erp, &session).await?;
    let stages = erp.store.stage_statistics(&erp.scope, None).await?;
    let running = stages.iter().map(|stage| stage.open).sum();
    let last = erp.last_run();
    Ok(render(&Home {
        enabled: setup.enabled,
        rows: page
            .rows
            .into_iter()
            .map(|entry| Row::of(&f, entry))
            .collect(),
        contacts: erp.people.count(),
        waiting: waiting
            .iter()
            .filter(|count| count.state == ReviewState::Open && count.outcome != "excluded")
            .map(|count| count.items)
            .sum(),
        running,
        last: last.as_ref().map(|run| f.time(&run.at)),
        failed: last.is_some_and(|run| run.report.is_err()),
        f,
    }))
}
