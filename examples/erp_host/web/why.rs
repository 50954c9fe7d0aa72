//! "Why is my mail not here?": the decisions, and every step that led to one.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use email_logging::store::{Cursor, DecisionFilter, DecisionRecord, InteractionLog as _};
use serde::Deserialize;

use super::page::{Failed, Frame, render};
use super::session::Session;
use crate::erp::Erp;

/// Decisions that are shown, and those that are looked through for them.
const SHOWN: usize = 30;
const PAGE: u32 = 200;
const MOST: usize = 20_000;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
}

struct Shown {
    at: String,
    subject: String,
    sender: String,
    outcome: String,
    reason: String,
    steps: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "why.html", config = "examples/erp_host/askama.toml")]
struct Why {
    f: Frame,
    q: String,
    rows: Vec<Shown>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "why", "/why");
    let words = wanted.q.to_lowercase();
    let mut filter = DecisionFilter::default();
    filter.not_logged = words.trim().is_empty();
    let (mut rows, mut seen) = (Vec::new(), 0);
    let mut after: Option<Cursor> = None;
    while rows.len() < SHOWN && seen < MOST {
        let page = erp
            .store
            .decisions(&erp.scope, &filter, after.as_ref(), PAGE)
            .await?;
        seen += page.rows.len();
        let fitting = page.rows.into_iter().filter(|row| fits(row, &words));
        rows.extend(fitting.map(|row| shown(&f, row)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    rows.truncate(SHOWN);
    Ok(render(&Why {
        f,
        q: wanted.q,
        rows,
    }))
}

fn fits(row: &DecisionRecord, words: &str) -> bool {
    let parts = [row.subject.as_deref(), row.sender.as_deref()];
    let text = parts
        .map(Option::unwrap_or_default)
        .join(" ")
        .to_lowercase();
    words.split_whitespace().all(|word| text.contains(word))
}

fn shown(frame: &Frame, row: DecisionRecord) -> Shown {
    let steps = row.steps.into_iter().map(|step| {
        let verdict = format!("{:?}", step.verdict);
        (step.rule.into_owned(), verdict, step.detail)
    });
    Shown {
        at: frame.time(&row.decided_at),
        subject: row.subject.unwrap_or_default(),
        sender: row.sender.unwrap_or_default(),
        outcome: row.outcome,
        reason: row.reason,
        steps: steps.collect(),
    }
}
