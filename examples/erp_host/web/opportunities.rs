//! Opportunities: made of an entry, moved through the stages of their sales cycle, won or lost.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};
use email_logging::error::Error;
use email_logging::opportunity::{
    CloseKind, Closing, Creation, Opportunity, OpportunityStatus, PrivacyBlock, SalesCycle,
    StageAction, StageUpdate,
};
use email_logging::store::{OpportunityFilter, OpportunityStore as _, StoredOpportunity};
use email_logging::{EntryId, OpportunityNo};
use jiff::civil::Date;
use serde::Deserialize;

use super::page::{Failed, Frame, done, own_form, refused, render};
use super::session::{Flash, Session};
use crate::erp::Erp;

/// Opportunities that are listed.
const LISTED: u32 = 100;

pub(super) struct Line {
    pub(super) no: String,
    pub(super) description: String,
    pub(super) contact_no: String,
    pub(super) contact: String,
    pub(super) status: &'static str,
    pub(super) class: &'static str,
    pub(super) stage: String,
    pub(super) value: String,
    pub(super) probability: String,
    pub(super) next_task: String,
}

#[derive(Template)]
#[template(path = "opportunities.html", config = "examples/erp_host/askama.toml")]
struct List {
    f: Frame,
    lines: Vec<Line>,
}

pub(super) async fn list(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "opportunities", "/opportunities");
    let filter = OpportunityFilter::default();
    let page = erp
        .store
        .opportunities(&erp.scope, &filter, None, LISTED)
        .await?;
    let cycles = erp.store.sales_cycles(&erp.scope).await?;
    let rows = page.rows.iter();
    let lines = rows.map(|stored| line(&erp, &f, &cycles, &stored.opportunity));
    let lines = lines.collect();
    Ok(render(&List { f, lines }))
}

pub(super) fn line(erp: &Erp, frame: &Frame, cycles: &[SalesCycle], one: &Opportunity) -> Line {
    let contact = erp.people.contact(&one.contact_no);
    let active = one.active();
    let (status, class) = status(frame, one.status);
    Line {
        no: one.no.to_string(),
        description: one.description.clone(),
        contact_no: one.contact_no.to_string(),
        contact: contact.map_or_else(String::new, |contact| contact.name.clone()),
        status,
        class,
        stage: active.map_or_else(String::new, |entry| stage_name(cycles, one, entry.stage)),
        value: active.map_or_else(String::new, |entry| {
            frame.amount(&entry.estimated_value.to_string())
        }),
        probability: active.map_or_else(String::new, |entry| format!("{} %", entry.probability)),
        next_task: one.next_task().map_or_else(String::new, |task| {
            format!("{} ({})", task.description, day(frame, task.date))
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

fn cycle_of<'a>(cycles: &'a [SalesCycle], one: &Opportunity) -> Option<&'a SalesCycle> {
    let code = one.sales_cycle_code.as_ref()?;
    cycles.iter().find(|cycle| cycle.code == *code)
}

fn stage_name(cycles: &[SalesCycle], one: &Opportunity, stage: u32) -> String {
    let found = cycle_of(cycles, one).and_then(|cycle| cycle.stage(stage));
    found.map_or_else(|| stage.to_string(), |stage| stage.description.clone())
}

fn day(frame: &Frame, date: Date) -> String {
    date.strftime(frame.language.day_format()).to_string()
}

struct Step {
    date: String,
    stage: String,
    value: String,
    chance: String,
    probability: String,
    active: bool,
}

#[derive(Template)]
#[template(path = "opportunity.html", config = "examples/erp_host/askama.toml")]
struct Shown {
    f: Frame,
    line: Line,
    version: u64,
    in_progress: bool,
    /// The stages of the cycle in their order, and where it stands: before, at, or after each.
    stages: Vec<(String, &'static str)>,
    /// What may be done: the action, its words, and whether it is the usual one.
    actions: Vec<(&'static str, &'static str, bool)>,
    steps: Vec<Step>,
    codes: Vec<(String, bool)>,
    error: Option<(String, String)>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
) -> Result<Response, Failed> {
    page(&erp, &session, &OpportunityNo::new(no), None).await
}

async fn page(
    erp: &Erp,
    session: &Session,
    no: &OpportunityNo,
    error: Option<&Error>,
) -> Result<Response, Failed> {
    let f = Frame::new(session, "opportunities", format!("/opportunities/{no}"));
    let StoredOpportunity {
        opportunity: one,
        version,
        ..
    } = erp.store.load_opportunity(&erp.scope, no).await?;
    let cycles = erp.store.sales_cycles(&erp.scope).await?;
    let codes = erp.store.close_codes(&erp.scope).await?;
    let codes = codes
        .into_iter()
        .map(|code| (code.code, code.kind == CloseKind::Won));
    let steps = one.entries.iter().map(|entry| Step {
        date: day(&f, entry.date_of_change),
        stage: stage_name(&cycles, &one, entry.stage),
        value: f.amount(&entry.estimated_value.to_string()),
        chance: entry.chance.to_string(),
        probability: entry.probability.to_string(),
        active: entry.active,
    });
    Ok(render(&Shown {
        line: line(erp, &f, &cycles, &one),
        version,
        actions: actions(&f, cycle_of(&cycles, &one), &one),
        stages: stages(cycle_of(&cycles, &one), &one),
        in_progress: one.status == OpportunityStatus::InProgress,
        steps: steps.collect(),
        codes: codes.collect(),
        error: error.map(|error| (error.to_string(), error.remedy().to_owned())),
        f,
    }))
}

fn stages(cycle: Option<&SalesCycle>, one: &Opportunity) -> Vec<(String, &'static str)> {
    let at = one.active().map_or(0, |entry| entry.stage);
    let all = cycle.into_iter().flat_map(|cycle| cycle.stages.iter());
    let all = all.map(|stage| {
        let class = match stage.stage {
            number if number < at || one.status == OpportunityStatus::Won => "past",
            number if number == at => "now",
            _ => "ahead",
        };
        (stage.description.clone(), class)
    });
    all.collect()
}

fn actions(
    frame: &Frame,
    cycle: Option<&SalesCycle>,
    one: &Opportunity,
) -> Vec<(&'static str, &'static str, bool)> {
    let Some(cycle) = cycle.filter(|_| !one.status.is_closed()) else {
        return Vec::new();
    };
    let Some(at) = one.active().map(|entry| entry.stage) else {
        return vec![("first", frame.w.start, true)];
    };
    let next = cycle.next(at).map(|_| ("next", frame.w.next_stage, true));
    let previous = cycle.previous(at);
    let previous = previous.map(|_| ("previous", frame.w.previous_stage, false));
    let update = ("update", frame.w.update, false);
    next.into_iter().chain(previous).chain([update]).collect()
}

#[derive(Debug, Deserialize)]
pub(super) struct Pressed {
    token: String,
}

/// Makes an opportunity of an entry.
pub(super) async fn create(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(pressed): Form<Pressed>,
) -> Result<Response, Failed> {
    own_form(&session, &pressed.token)?;
    let entry: EntryId = id.parse().map_err(|_| Failed::Missing)?;
    let creation = Creation::on(today(), PrivacyBlock::NotBlocked);
    let made = erp
        .store
        .create_opportunity(&erp.scope, &entry, &creation)
        .await;
    match made {
        Ok(made) => {
            let no = made.opportunity.no;
            let to = format!("/opportunities/{no}");
            Ok(done(&erp, &session, &to, |w| w.flash_created).into_response())
        }
        Err(error) => {
            let f = Frame::new(&session, "contacts", "/contacts");
            Ok(refused(&f, &error, &format!("/entries/{id}")))
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    token: String,
    version: u64,
    action: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    code: String,
}

/// Moves, updates or closes an opportunity. What a rule refuses is told on the page.
pub(super) async fn change(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
    Form(change): Form<Change>,
) -> Result<Response, Failed> {
    own_form(&session, &change.token)?;
    let no = OpportunityNo::new(no);
    match apply(&erp, &no, &change).await {
        Ok(flash) => {
            let to = format!("/opportunities/{no}");
            Ok(done(&erp, &session, &to, flash).into_response())
        }
        Err(error) => page(&erp, &session, &no, Some(&error)).await,
    }
}

async fn apply(erp: &Erp, no: &OpportunityNo, change: &Change) -> Result<Flash, Error> {
    let mut one = erp
        .store
        .load_opportunity(&erp.scope, no)
        .await?
        .opportunity;
    let value = match change.value.trim() {
        "" => None,
        typed => Some(typed.parse()?),
    };
    let flash: Flash = match change.action.as_str() {
        "close" => {
            let codes = erp.store.close_codes(&erp.scope).await?;
            let code = codes.iter().find(|code| code.code == change.code);
            let won = code.is_some_and(|code| code.kind == CloseKind::Won);
            let closing = if won {
                Closing::won(today(), value)
            } else {
                Closing::lost(today())
            };
            drop(one.close(&closing.with_cancel_open_tasks(true), code)?);
            if won {
                |w| w.flash_won
            } else {
                |w| w.flash_lost
            }
        }
        action => {
            let cycles = erp.store.sales_cycles(&erp.scope).await?;
            let Some(cycle) = cycle_of(&cycles, &one) else {
                return Ok(|w| w.saved);
            };
            let mut update = StageUpdate::new(stage_action(action), today());
            update.estimated_value = value;
            drop(one.update(cycle, &update)?);
            |w| w.flash_moved
        }
    };
    erp.store
        .save_opportunity(&erp.scope, &one, change.version)
        .await?;
    Ok(flash)
}

fn stage_action(action: &str) -> StageAction {
    match action {
        "first" => StageAction::First,
        "next" => StageAction::Next,
        "previous" => StageAction::Previous,
        _ => StageAction::Update,
    }
}

fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}
