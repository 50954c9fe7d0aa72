//! One opportunity: made of an entry, moved through its stages, closed.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};
use email_logging::error::Error;
use email_logging::interaction::Comment;
use email_logging::opportunity::{
    Changed, CloseKind, Closing, Creation, Opportunity, OpportunityStatus, Quote, SalesCycle,
    StageAction, StageUpdate, TaskStatus,
};
use email_logging::store::{InteractionLog as _, LogFilter, OpportunityStore as _};
use email_logging::{EntryId, OpportunityNo, SalespersonCode};
use jiff::Timestamp;
use serde::Deserialize;

use super::entries::Row;
use super::mails::encoded;
use super::opportunities::{Line, cycle_of, line, stage_name};
use super::page::{Failed, Frame, Problem, done, done_with, refused, render};
use super::session::{Flash, Person, Session};
use super::sight;
use crate::erp::Erp;
use crate::people::is_person;
use crate::zone::today;

/// Mails of an opportunity on its page.
const MAILS: u32 = 25;

struct Step {
    date: String,
    stage: String,
    value: String,
    calculated: String,
    chance: String,
    probability: String,
    close_date: String,
    close_code: String,
    active: bool,
}

struct MailOf {
    rows: Vec<Row>,
    more: bool,
    /// How many interactions there are, without those that are cancelled.
    interactions: u64,
}

struct Task {
    no: u32,
    what: String,
    date: String,
    open: bool,
    done: bool,
}

#[derive(Template)]
#[template(path = "opportunity.html", config = "examples/erp_host/askama.toml")]
struct Shown {
    f: Frame,
    line: Line,
    version: u64,
    status: OpportunityStatus,
    /// The stages of the cycle in their order, and where it stands: before, at, or after each.
    stages: Vec<(String, &'static str)>,
    /// What may be done: the action, its words, and whether it is the usual one.
    actions: Vec<(&'static str, &'static str, bool)>,
    /// Stages that may be skipped to, and jumped back to.
    skips: Vec<(u32, String)>,
    jumps: Vec<(u32, String)>,
    /// The cycles to choose from before the start.
    cycles: Vec<(String, String, bool)>,
    steps: Vec<Step>,
    tasks: Vec<Task>,
    open_tasks: usize,
    /// Close codes: the code, its words, and whether it is of a sale.
    codes: Vec<(String, String, bool)>,
    /// The sales quote: its number and value.
    quote: Option<(String, String)>,
    /// The next stage that may be gone to, or skipped to, asks for a quote.
    quote_needed: bool,
    mail: MailOf,
    comments: Vec<(String, String, String)>,
    salespeople: Vec<(String, String)>,
    salesperson: String,
    error: Option<Problem>,
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
    let f = Frame::new(session, "opportunities", link(no));
    let seen = sight::opportunities(erp, session);
    let seen = seen.opportunity(&erp.scope, no).await?;
    let one = seen.opportunity;
    let cycles = erp.store.sales_cycles(&erp.scope).await?;
    let cycle = cycle_of(&cycles, &one);
    let codes = erp.store.close_codes(&erp.scope).await?;
    let (skips, jumps) = far(cycle, &one);
    let chosen = one.sales_cycle_code.clone().unwrap_or_default();
    let tasks = tasks(&f, &one);
    Ok(render(&Shown {
        line: line(erp, &f, &cycles, &one),
        version: seen.version,
        status: one.status,
        actions: actions(&f, cycle, &one),
        stages: stages(cycle, &one),
        skips,
        jumps,
        steps: steps(&f, &cycles, &one),
        quote: one
            .quote
            .as_ref()
            .map(|quote| (quote.no.clone(), f.amount(&quote.value.to_string()))),
        quote_needed: quote_needed(cycle, &one),
        mail: mail_of(erp, session, &f, no).await?,
        open_tasks: tasks.iter().filter(|task| task.open).count(),
        tasks,
        comments: one
            .comments
            .iter()
            .map(|one| (f.time(&one.at), one.author.clone(), one.text.clone()))
            .collect(),
        salespeople: erp.salespeople(),
        salesperson: one
            .salesperson_code
            .map(|code| code.to_string())
            .unwrap_or_default(),
        cycles: cycles
            .iter()
            .filter(|cycle| !cycle.blocked)
            .map(|cycle| {
                (
                    cycle.code.clone(),
                    cycle.description.clone(),
                    cycle.code == chosen,
                )
            })
            .collect(),
        codes: codes
            .into_iter()
            .map(|code| (code.code, code.description, code.kind == CloseKind::Won))
            .collect(),
        error: error.map(|error| Problem::of(&f, error)),
        f,
    }))
}

/// The mail that belongs to it, as the person sees it.
async fn mail_of(
    erp: &Erp,
    session: &Session,
    f: &Frame,
    no: &OpportunityNo,
) -> Result<MailOf, Failed> {
    let mut filter = LogFilter::default();
    filter.opportunity = Some(no.as_str().to_owned());
    let counted = sight::count(erp, session, &filter).await?;
    filter.canceled = true;
    let log = sight::log(erp, session);
    let page = log.entries(&erp.scope, &filter, None, MAILS).await?;
    let rows = page.rows.into_iter();
    Ok(MailOf {
        interactions: counted.map_or(0, |counted| counted.entries),
        more: page.next.is_some(),
        rows: rows.map(|entry| Row::of(f, entry)).collect(),
    })
}

fn link(no: &OpportunityNo) -> String {
    format!("/opportunities/{}", encoded(no.as_str()))
}

fn steps(f: &Frame, cycles: &[SalesCycle], one: &Opportunity) -> Vec<Step> {
    let steps = one.entries.iter().map(|entry| Step {
        date: f.day(entry.date_of_change),
        stage: stage_name(cycles, one, entry.stage),
        value: f.amount(&entry.estimated_value.to_string()),
        calculated: f.amount(&entry.calculated_value.to_string()),
        chance: entry.chance.to_string(),
        probability: entry.probability.to_string(),
        close_date: f.day(entry.estimated_close_date),
        close_code: entry.close_code.clone().unwrap_or_default(),
        active: entry.active,
    });
    steps.collect()
}

fn tasks(f: &Frame, one: &Opportunity) -> Vec<Task> {
    let tasks = one.tasks.iter().map(|task| Task {
        no: task.no,
        what: task.description.clone(),
        date: f.day(task.date),
        open: task.status == TaskStatus::Open,
        done: task.status == TaskStatus::Done,
    });
    tasks.collect()
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

/// Whether the next stage asks for a quote that there is not.
fn quote_needed(cycle: Option<&SalesCycle>, one: &Opportunity) -> bool {
    let at = one.active().map(|entry| entry.stage);
    let next = cycle.zip(at).and_then(|(cycle, at)| cycle.next(at));
    one.quote.is_none() && !one.status.is_closed() && next.is_some_and(|next| next.quote_required)
}

type Stages = Vec<(u32, String)>;

/// The stages that it may skip to, and those that it may jump back to.
fn far(cycle: Option<&SalesCycle>, one: &Opportunity) -> (Stages, Stages) {
    let at = one.active().map(|entry| entry.stage);
    let (Some(cycle), Some(at), false) = (cycle, at, one.status.is_closed()) else {
        return (Vec::new(), Vec::new());
    };
    let named = |stage: &email_logging::opportunity::SalesCycleStage| {
        (stage.stage, stage.description.clone())
    };
    let skips = one.skippable(cycle).into_iter().map(named).collect();
    let earlier = cycle.stages.iter().filter(|stage| stage.stage < at);
    (skips, earlier.map(named).collect())
}

/// Makes an opportunity of an entry. Who blocked the use of their data gets none.
pub(super) async fn create(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let entry: EntryId = id.parse().map_err(|_| Failed::Missing)?;
    let log = sight::log(&erp, &session);
    let contact = log.entry(&erp.scope, &entry).await?.entry.contact_no;
    let mut creation = Creation::on(today(), erp.people.privacy_of(&contact));
    if let Some(code) = session.person.as_ref().and_then(Person::salesperson) {
        creation = creation.with_fallback_salesperson(code.clone());
    }
    let made = sight::opportunities(&erp, &session)
        .create(&erp.scope, &entry, &creation)
        .await;
    match made {
        Ok(made) => {
            let to = link(&made.opportunity.no);
            Ok(done(&erp, &session, &to, |w| w.flash_created).into_response())
        }
        Err(error) => {
            let f = Frame::new(&session, "contacts", "/contacts");
            Ok(refused(&f, &error, &format!("/entries/{id}")))
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    version: u64,
    action: String,
    value: String,
    chance: String,
    close_date: String,
    skip: String,
    jump: String,
    task: u32,
    cancel_tasks: Option<String>,
    code: String,
    cycle: String,
    salesperson: String,
    with_tasks: Option<String>,
    text: String,
    quote: String,
}

/// Why a change was not made.
enum Refused {
    /// A rule says no: the page tells it.
    ByRule(Error),
    /// The form asks for what there is not.
    Bad,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::ByRule(error)
    }
}

/// Moves, updates or closes an opportunity. What a rule refuses is told on the page.
pub(super) async fn change(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
    Form(change): Form<Change>,
) -> Result<Response, Failed> {
    let no = OpportunityNo::new(no);
    let stored = erp.store.load_opportunity(&erp.scope, &no).await?;
    let mut one = stored.opportunity;
    let applied = match apply(&erp, &session, &mut one, &change).await {
        Ok((flash, changed)) => {
            let saved = erp.store.save_opportunity(&erp.scope, &one, change.version);
            saved.await.map(|_| (flash, changed)).map_err(Refused::from)
        }
        Err(refused) => Err(refused),
    };
    let (flash, changed) = match applied {
        Ok(applied) => applied,
        Err(Refused::Bad) => return Err(Failed::Bad),
        Err(Refused::ByRule(error)) => return page(&erp, &session, &no, Some(&error)).await,
    };
    if changed.contact_becomes_customer {
        let buyer = erp.people.becomes_customer(&one.contact_no);
        if let Some(name) = buyer.map_err(Failed::broken)? {
            let flash: Flash = |w| w.flash_won_customer;
            return Ok(done_with(&erp, &session, &link(&no), flash, &name).into_response());
        }
    }
    Ok(done(&erp, &session, &link(&no), flash).into_response())
}

async fn apply(
    erp: &Erp,
    session: &Session,
    one: &mut Opportunity,
    change: &Change,
) -> Result<(Flash, Changed), Refused> {
    let flash: Flash = match change.action.as_str() {
        "close" => return close(erp, one, change).await,
        "order" => return order(erp, one, change).await,
        "quote" => {
            quote(erp, one, change)?;
            |w| w.flash_quote
        }
        "no-quote" => {
            one.remove_quote()?;
            |w| w.flash_no_quote
        }
        "task" => {
            one.complete_task(change.task)?;
            |w| w.flash_task
        }
        "cycle" => {
            let cycles = erp.store.sales_cycles(&erp.scope).await?;
            let cycle = cycles.iter().find(|cycle| cycle.code == change.cycle);
            one.set_sales_cycle(cycle.ok_or(Refused::Bad)?)?;
            |w| w.saved
        }
        "salesperson" => {
            let known = erp.people.salesperson(&change.salesperson);
            known.ok_or(Refused::Bad)?;
            let code = SalespersonCode::new(change.salesperson.as_str());
            one.set_salesperson(code, change.with_tasks.is_some())?;
            |w| w.saved
        }
        "comment" => {
            let text = change.text.trim();
            if text.is_empty() {
                return Err(Refused::Bad);
            }
            one.comment(Comment::new(Timestamp::now(), session.who(), text));
            |w| w.flash_comment
        }
        _ => return advance(erp, one, change).await,
    };
    Ok((flash, Changed::default()))
}

/// A typed value; blank is none.
fn typed<T: std::str::FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    let text = text.trim();
    if text.is_empty() {
        Ok(None)
    } else {
        text.parse().map(Some)
    }
}

async fn advance(
    erp: &Erp,
    one: &mut Opportunity,
    change: &Change,
) -> Result<(Flash, Changed), Refused> {
    let stage = |text: &str| text.parse().map_err(|_| Refused::Bad);
    let action = match change.action.as_str() {
        "first" => StageAction::First,
        "next" => StageAction::Next,
        "previous" => StageAction::Previous,
        "update" => StageAction::Update,
        "skip" => StageAction::Skip(stage(&change.skip)?),
        "jump" => StageAction::Jump(stage(&change.jump)?),
        _ => return Err(Refused::Bad),
    };
    let cycles = erp.store.sales_cycles(&erp.scope).await?;
    let cycle = cycle_of(&cycles, one).ok_or(Refused::Bad)?.clone();
    let mut update = StageUpdate::new(action, today());
    update.estimated_value = typed(&change.value)?;
    update.chance = typed(&change.chance)?;
    update.close_date = typed(&change.close_date).map_err(|_| Refused::Bad)?;
    update.cancel_open_tasks = change.cancel_tasks.is_some();
    let changed = one.update(&cycle, &update)?;
    Ok((|w| w.flash_moved, changed))
}

async fn close(
    erp: &Erp,
    one: &mut Opportunity,
    change: &Change,
) -> Result<(Flash, Changed), Refused> {
    let codes = erp.store.close_codes(&erp.scope).await?;
    let code = codes.iter().find(|code| code.code == change.code);
    let won = code.is_some_and(|code| code.kind == CloseKind::Won);
    let closing = if won {
        Closing::won(today(), typed(&change.value)?)
    } else {
        Closing::lost(today())
    };
    let closing = closing.with_cancel_open_tasks(change.cancel_tasks.is_some());
    let changed = one.close(&closing, code)?;
    Ok(if won {
        (|w| w.flash_won, changed)
    } else {
        (|w| w.flash_lost, changed)
    })
}

/// Assigns a quote, or gives the one that is assigned another value.
fn quote(erp: &Erp, one: &mut Opportunity, change: &Change) -> Result<(), Refused> {
    let no = Some(change.quote.trim()).filter(|no| !no.is_empty() && no.chars().count() <= 20);
    let value = typed(&change.value)?.ok_or(Refused::Bad)?;
    let contact = erp.people.contact(&one.contact_no);
    let is_person = contact.is_none_or(|contact| is_person(&contact.record));
    Ok(one.assign_quote(Quote::new(no.ok_or(Refused::Bad)?, value), is_person)?)
}

/// The customer ordered what the quote offers: it is won.
async fn order(
    erp: &Erp,
    one: &mut Opportunity,
    change: &Change,
) -> Result<(Flash, Changed), Refused> {
    let codes = erp.store.close_codes(&erp.scope).await?;
    let code = codes.iter().find(|code| code.code == change.code);
    let changed = one.order_from_quote(today(), code.ok_or(Refused::Bad)?)?;
    Ok((|w| w.flash_won, changed))
}

#[derive(Debug, Deserialize)]
pub(super) struct Version {
    version: u64,
}

/// Deletes an opportunity that is not in progress.
pub(super) async fn delete(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
    Form(seen): Form<Version>,
) -> Result<Response, Failed> {
    let no = OpportunityNo::new(no);
    let deleted = erp
        .store
        .delete_opportunity(&erp.scope, &no, seen.version)
        .await;
    match deleted {
        Ok(()) => Ok(done(&erp, &session, "/opportunities", |w| w.flash_deleted).into_response()),
        Err(error) => page(&erp, &session, &no, Some(&error)).await,
    }
}
