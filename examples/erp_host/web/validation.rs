//! The validation as it goes on: each check is sent the moment that it ends. Without scripts: the page is simply not yet
//! at its end.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use email_logging::setup::{Check, CheckResult, NotChecked, ValidationReport, Verdict};
use futures_util::stream;
use tokio::sync::mpsc;

use super::page::{Failed, Frame, render};
use super::session::Session;
use crate::erp::Erp;

/// Where the page is cut: what follows is sent as it comes.
const CUT: &str = "<!--checks-->";

/// A check for people.
#[derive(Template)]
#[template(path = "check.html", config = "examples/erp_host/askama.toml")]
pub(super) struct Checked {
    what_to_do: &'static str,
    name: String,
    class: &'static str,
    verdict: &'static str,
    found: String,
    /// Whether what was found is said by the library, in English.
    foreign: bool,
    remedy: &'static str,
    foreign_remedy: bool,
}

impl Checked {
    pub(super) fn of(f: &Frame, result: &CheckResult) -> Self {
        let (class, verdict) = match result.verdict {
            Verdict::Passed => ("good", f.w.passed),
            Verdict::Warning => ("warn", f.w.warned),
            Verdict::Failed => ("bad", f.w.failed),
            _ => ("none", f.w.not_checked),
        };
        let because = match result.verdict {
            Verdict::NotChecked { because } => because_code(because),
            _ => result.code.unwrap_or_default(),
        };
        let words = f.language.of_code(because);
        let found = result.found.clone().unwrap_or_default();
        let advice = f.language.of_code(&format!("{because}.do"));
        let room = result.check == Check::StorageRoom && result.verdict == Verdict::Passed;
        let taken = found.strip_suffix(" % are taken").filter(|_| room);
        let taken = taken.map(|percent| format!("{percent} % {}", f.w.taken));
        Self {
            what_to_do: f.w.what_to_do,
            name: f.say(&format!("check-{}", result.check.code())),
            class,
            verdict,
            foreign: words.is_none() && taken.is_none(),
            found: taken.unwrap_or_else(|| words.map_or(found, str::to_owned)),
            foreign_remedy: advice.is_none(),
            remedy: advice.or(result.remedy).unwrap_or_default(),
        }
    }
}

fn because_code(because: NotChecked) -> &'static str {
    match because {
        NotChecked::DependsOn(_) => "depends-on",
        NotChecked::NoRole => "no-role",
        NotChecked::NotTold => "not-told",
        NotChecked::NotApplicable => "not-applicable",
        NotChecked::NotEnabled => "not-enabled",
        _ => "left-out",
    }
}

/// The page: of a validation that is over, or that goes on.
#[derive(Template)]
#[template(path = "validation.html", config = "examples/erp_host/askama.toml")]
struct Checks {
    f: Frame,
    back: &'static str,
    rows: Vec<Checked>,
    /// Whether it is over, and whether all that is needed works.
    green: Option<bool>,
}

#[derive(Template)]
#[template(path = "verdict.html", config = "examples/erp_host/askama.toml")]
struct Ended {
    green: bool,
    ready: &'static str,
    not_ready: &'static str,
}

impl Ended {
    fn of(f: &Frame, report: &ValidationReport) -> String {
        let ended = Self {
            green: report.is_green(),
            ready: f.w.ready,
            not_ready: f.w.not_ready,
        };
        ended.render().unwrap_or_default()
    }
}

/// The page of a report.
pub(super) fn report(session: &Session, report: &ValidationReport) -> Response {
    let f = Frame::new(session, "settings", "/settings");
    let rows = report.results.iter().map(|result| Checked::of(&f, result));
    render(&Checks {
        green: Some(report.is_green()),
        rows: rows.collect(),
        back: "/settings",
        f,
    })
}

pub(super) async fn run(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "settings", "/settings");
    Ok(live(f, "/settings", |f, told| async move {
        let mut tell = |result: &CheckResult| tell(&told, &f, result);
        let ended = match erp.administration.validate(&erp.scope, &mut tell).await {
            Ok(report) => Ended::of(&f, &report),
            Err(_) => String::new(),
        };
        // A browser that went away takes nothing.
        let _ = told.send(ended);
    }))
}

/// Sends a check to the page.
pub(super) fn tell(told: &mpsc::UnboundedSender<String>, f: &Frame, result: &CheckResult) {
    let row = Checked::of(f, result).render();
    let _ = told.send(row.unwrap_or_default());
}

/// What a report comes to, for the end of a page.
pub(super) fn ended(f: &Frame, report: &ValidationReport) -> String {
    Ended::of(f, report)
}

/// A page whose middle is what the checks tell.
pub(super) fn live<Made>(
    f: Frame,
    back: &'static str,
    checks: impl FnOnce(Frame, mpsc::UnboundedSender<String>) -> Made,
) -> Response
where
    Made: Future<Output = ()> + Send + 'static,
{
    let page = Checks {
        green: None,
        rows: Vec::new(),
        back,
        f,
    };
    let text = page.render().unwrap_or_default();
    let (head, tail) = text.split_once(CUT).unwrap_or((&text, ""));
    let (told, checked) = mpsc::unbounded_channel();
    let _ = told.send(head.to_owned());
    tokio::spawn(checks(page.f, told));
    let parts = stream::unfold(
        (checked, Some(tail.to_owned())),
        |(mut checked, tail)| async {
            match checked.recv().await {
                Some(part) => Some((part, (checked, tail))),
                None => tail.map(|tail| (tail, (checked, None))),
            }
        },
    );
    let bytes = futures_util::StreamExt::map(parts, |part| Ok::<_, Infallible>(Bytes::from(part)));
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (kind, Body::from_stream(bytes)).into_response()
}
