//! "Why is my mail not here?": the decisions, and every step that led to one.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use email_logging::decision::Step;
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
    #[serde(default)]
    day: String,
}

/// One step of a decision, in words.
pub(super) struct Told {
    pub(super) class: &'static str,
    pub(super) verdict: String,
    pub(super) rule: String,
    pub(super) detail: String,
}

impl Told {
    pub(super) fn of(frame: &Frame, step: Step) -> Self {
        let verdict = step.verdict.code();
        Self {
            class: match verdict {
                "stop" => "warn",
                "match" => "good",
                "note" => "in",
                _ => "none",
            },
            verdict: frame.say(&format!("verdict.{verdict}")),
            rule: {
                let code = format!("rule.{}", step.rule);
                let words = frame.language.of_code(&code);
                words.map_or_else(|| step.rule.clone().into_owned(), str::to_owned)
            },
            detail: step.detail,
        }
    }
}

struct Shown {
    at: String,
    subject: Option<String>,
    sender: String,
    good: bool,
    outcome: String,
    reason: String,
    steps: Vec<Told>,
    /// Where a person can do something about it.
    review: Option<String>,
}

#[derive(Template)]
#[template(path = "why.html", config = "examples/erp_host/askama.toml")]
struct Why {
    f: Frame,
    q: String,
    day: String,
    searched: bool,
    rows: Vec<Shown>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "why", "/why");
    let words = wanted.q.trim().to_lowercase();
    let day = wanted.day.trim().to_owned();
    let searched = !(words.is_empty() && day.is_empty());
    let mut filter = DecisionFilter::default();
    filter.not_logged = !searched;
    let (mut rows, mut seen) = (Vec::new(), 0);
    let mut after: Option<Cursor> = None;
    while rows.len() < SHOWN && seen < MOST {
        let page = erp
            .store
            .decisions(&erp.scope, &filter, after.as_ref(), PAGE)
            .await?;
        seen += page.rows.len();
        let fitting = page.rows.into_iter();
        let fitting = fitting.filter(|row| fits(row, &words) && of_day(row, &day));
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
        day,
        searched,
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

fn of_day(row: &DecisionRecord, day: &str) -> bool {
    day.is_empty() || row.decided_at.strftime("%Y-%m-%d").to_string() == day
}

fn shown(frame: &Frame, row: DecisionRecord) -> Shown {
    let good = row.outcome == "logged" || row.outcome == "already-logged";
    let steps = row.steps.into_iter();
    Shown {
        at: frame.time(&row.decided_at),
        good,
        // Where nothing is kept, there is nothing that a person could say.
        review: (!good && row.subject.is_some())
            .then(|| super::review::link(&row.mailbox, &row.sighting)),
        subject: row.subject,
        sender: row.sender.unwrap_or_default(),
        outcome: frame.say(&row.outcome),
        reason: frame.say(&row.reason),
        steps: steps.map(|step| Told::of(frame, step)).collect(),
    }
}
