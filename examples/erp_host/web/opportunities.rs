//! The opportunities as a list, with filters and pages, and the figures of each stage.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use email_logging::SalespersonCode;
use email_logging::opportunity::{
    Amount, Opportunity, OpportunityEntry, OpportunityStatus, SalesCycle,
};
use email_logging::store::{Cursor, OpportunityFilter, OpportunityStore as _};
use serde::Deserialize;

use super::mails::encoded;
use super::page::{Failed, Frame, render};
use super::session::Session;
use super::sight;
use crate::erp::Erp;

/// Opportunities on a page.
const ON_PAGE: u32 = 25;

pub(super) struct Line {
    pub(super) no: String,
    pub(super) description: String,
    pub(super) contact_no: String,
    pub(super) contact: String,
    pub(super) salesperson: String,
    pub(super) status: &'static str,
    pub(super) class: &'static str,
    pub(super) stage: String,
    /// What it may bring, as it was estimated.
    pub(super) value: String,
    /// What it is worth: sold for, once it is won; nothing, if it is lost; else the estimate times the probability.
    pub(super) calculated: String,
    pub(super) won: bool,
    /// What a list says: what was sold or is estimated, and which of them.
    pub(super) amount: String,
    pub(super) amount_of: &'static str,
    pub(super) probability: String,
    pub(super) next_task: String,
}

/// What is looked for. Blank fields of the form ask for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    status: String,
    salesperson: String,
    after: Option<String>,
}

/// The figures of a stage.
struct Figures {
    stage: String,
    open: u64,
    value: String,
    won: u64,
    sold: String,
    lost: u64,
}

#[derive(Template)]
#[template(path = "opportunities.html", config = "examples/erp_host/askama.toml")]
struct List {
    f: Frame,
    wanted: Wanted,
    statuses: Vec<(&'static str, &'static str)>,
    salespeople: Vec<(String, String)>,
    lines: Vec<Line>,
    figures: Vec<Figures>,
    first: Option<String>,
    next: Option<String>,
}

pub(super) async fn list(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(mut wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "opportunities", "/opportunities");
    let mut filter = OpportunityFilter::default();
    filter.open = wanted.status == "open";
    filter.status = OpportunityStatus::from_code(&wanted.status);
    let of = Some(wanted.salesperson.as_str()).filter(|code| !code.is_empty());
    filter.salesperson = of.map(SalespersonCode::new);
    let after = wanted.after.take().map(Cursor::new);
    let page = sight::opportunities(&erp, &session)
        .opportunities(&erp.scope, &filter, after.as_ref(), ON_PAGE)
        .await?;
    let cycles = erp.store.sales_cycles(&erp.scope).await?;
    let rows = page.rows.iter();
    let lines = rows.map(|seen| line(&erp, &f, &cycles, &seen.opportunity));
    let lines = lines.collect();
    let link = |more: &str| {
        let (status, salesperson) = (encoded(&wanted.status), encoded(&wanted.salesperson));
        format!("/opportunities?status={status}&salesperson={salesperson}{more}")
    };
    Ok(render(&List {
        statuses: vec![
            ("open", f.w.not_closed),
            ("not-started", f.w.not_started),
            ("in-progress", f.w.in_progress),
            ("won", f.w.won),
            ("lost", f.w.lost),
        ],
        salespeople: erp.salespeople(),
        lines,
        figures: figures(&erp, &f, &cycles).await?,
        first: after.map(|_| link("")),
        next: page
            .next
            .map(|cursor| link(&format!("&after={}", encoded(cursor.as_str())))),
        wanted,
        f,
    }))
}

async fn figures(erp: &Erp, f: &Frame, cycles: &[SalesCycle]) -> Result<Vec<Figures>, Failed> {
    let all = erp.store.stage_statistics(&erp.scope, None).await?;
    let all = all.into_iter().map(|one| {
        let cycle = cycles
            .iter()
            .find(|cycle| cycle.code == one.sales_cycle_code);
        let stage = cycle.and_then(|cycle| cycle.stage(one.stage));
        Figures {
            stage: stage.map_or_else(|| one.stage.to_string(), |stage| stage.description.clone()),
            open: one.open,
            value: f.amount(&one.estimated_value.to_string()),
            won: one.won,
            sold: f.amount(&one.sales_value.to_string()),
            lost: one.lost,
        }
    });
    Ok(all.collect())
}

pub(super) fn line(erp: &Erp, frame: &Frame, cycles: &[SalesCycle], one: &Opportunity) -> Line {
    let contact = erp.people.contact(&one.contact_no);
    let active = one.active();
    let (status, class) = status(frame, one.status);
    let code = one.salesperson_code.as_ref();
    let salesperson = code.and_then(|code| erp.people.salesperson(code.as_str()));
    let amount = |of: fn(&OpportunityEntry) -> Amount| {
        active.map_or_else(String::new, |entry| frame.amount(&of(entry).to_string()))
    };
    let value = amount(|entry| entry.estimated_value);
    let calculated = amount(|entry| entry.calculated_value);
    let (shown, amount_of) = match one.status {
        OpportunityStatus::Won => (calculated.clone(), frame.w.sold),
        OpportunityStatus::InProgress => (value.clone(), frame.w.estimated),
        _ => (String::new(), ""),
    };
    let open_task = one.next_task().filter(|_| !one.status.is_closed());
    Line {
        no: one.no.to_string(),
        description: one.description.clone(),
        contact_no: one.contact_no.to_string(),
        contact: contact.map_or_else(String::new, |contact| contact.record.name),
        salesperson: salesperson.unwrap_or_default().to_owned(),
        status,
        class,
        stage: active.map_or_else(String::new, |entry| stage_name(cycles, one, entry.stage)),
        value,
        calculated,
        won: one.status == OpportunityStatus::Won,
        amount: shown,
        amount_of,
        probability: active.map_or_else(String::new, |entry| format!("{} %", entry.probability)),
        next_task: open_task.map_or_else(String::new, |task| {
            format!("{} ({})", task.description, frame.day(task.date))
        }),
    }
}

fn status(frame: &Frame, status: OpportunityStatus) -> (&'static str, &'static str) {
    match status {
        OpportunityStatus::NotStarted => (frame.w.not_started, "none"),
        OpportunityStatus::InProgress => (frame.w.in_progress, "in"),
        OpportunityStatus::Won => (frame.w.won, "good"),
        OpportunityStatus::Lost => (frame.w.lost, "bad"),
    }
}

pub(super) fn cycle_of<'a>(cycles: &'a [SalesCycle], one: &Opportunity) -> Option<&'a SalesCycle> {
    let code = one.sales_cycle_code.as_ref()?;
    cycles.iter().find(|cycle| cycle.code == *code)
}

pub(super) fn stage_name(cycles: &[SalesCycle], one: &Opportunity, stage: u32) -> String {
    let found = cycle_of(cycles, one).and_then(|cycle| cycle.stage(stage));
    found.map_or_else(|| stage.to_string(), |stage| stage.description.clone())
}
