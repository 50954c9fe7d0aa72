//! The review queue: what was not logged and why, and what a person says about it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use email_logging::directory::ContactSuggestions as _;
use email_logging::interaction::InformationFlow;
use email_logging::logger::{RematchOf, RematchOptions};
use email_logging::message::Address;
use email_logging::parties::NewContact;
use email_logging::source::SightingKey;
use email_logging::store::{
    Assignment, Cursor, Resolution, ReviewFilter, ReviewItem, ReviewQueue as _, ReviewState,
};
use email_logging::{ContactNo, MailboxKey};
use serde::Deserialize;

use super::mails::encoded;
use super::page::{Failed, Frame, done, own_form, refused, render};
use super::session::Session;
use super::why::Told;
use crate::erp::Erp;
use crate::job;

const ON_PAGE: u32 = 25;
/// Candidates that are proposed.
const CANDIDATES: u32 = 6;
/// Who resolves, in the ERP's terms.
const WHO: &str = "ERP";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    state: String,
    excluded: Option<String>,
    after: Option<String>,
}

struct Line {
    link: String,
    at: String,
    subject: Option<String>,
    sender: String,
    outcome: String,
    class: &'static str,
    reason: String,
}

/// A tab of the queue: where it leads, its words, how many there are, and whether it is shown.
struct Tab {
    link: String,
    words: String,
    items: u64,
    shown: bool,
}

#[derive(Template)]
#[template(path = "review.html", config = "examples/erp_host/askama.toml")]
struct List {
    f: Frame,
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    next: Option<String>,
}

/// The address of an item's page.
pub(super) fn link(mailbox: &MailboxKey, key: &SightingKey) -> String {
    let (mailbox, key) = (encoded(&mailbox.to_string()), encoded(&key.to_string()));
    format!("/review/item?mailbox={mailbox}&key={key}")
}

pub(super) async fn list(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "review", "/review");
    let excluded = wanted.excluded.is_some();
    let mut filter = ReviewFilter::default();
    filter.excluded = excluded;
    filter.outcome = excluded.then(|| "excluded".to_owned());
    filter.state = match wanted.state.as_str() {
        "assigned" => ReviewState::Assigned,
        "ignored" => ReviewState::Ignored,
        _ => ReviewState::Open,
    };
    let after = wanted.after.map(Cursor::new);
    let page = erp
        .store
        .review_items(&erp.scope, &filter, after.as_ref(), ON_PAGE)
        .await?;
    let tabs = tabs(&erp, &f, filter.state, excluded).await?;
    let here = tabs.iter().find(|tab| tab.shown);
    let here = here.map_or_else(|| "/review?".to_owned(), |tab| tab.link.clone());
    let next = page
        .next
        .map(|next| format!("{here}&after={}", encoded(next.as_str())));
    let lines = page.rows.into_iter().map(|item| line(&f, item)).collect();
    Ok(render(&List {
        f,
        tabs,
        lines,
        next,
    }))
}

async fn tabs(
    erp: &Erp,
    f: &Frame,
    state: ReviewState,
    excluded: bool,
) -> Result<Vec<Tab>, Failed> {
    let counts = erp.store.review_counts(&erp.scope).await?;
    let count = |of: ReviewState, left_out: bool| {
        let fitting = counts
            .iter()
            .filter(|count| count.state == of && (count.outcome == "excluded") == left_out);
        fitting.map(|count| count.items).sum()
    };
    let states = [
        ReviewState::Open,
        ReviewState::Assigned,
        ReviewState::Ignored,
    ];
    let mut tabs: Vec<Tab> = states
        .into_iter()
        .map(|of| Tab {
            link: format!("/review?state={}", of.code()),
            words: f.say(of.code()),
            items: count(of, false),
            shown: !excluded && of == state,
        })
        .collect();
    tabs.push(Tab {
        link: "/review?excluded=yes".to_owned(),
        words: f.w.left_out.to_owned(),
        items: count(ReviewState::Open, true),
        shown: excluded,
    });
    Ok(tabs)
}

fn line(f: &Frame, item: ReviewItem) -> Line {
    let decision = item.decision;
    Line {
        link: link(&decision.mailbox, &decision.sighting),
        at: f.time(&decision.decided_at),
        subject: decision.subject,
        sender: decision.sender.unwrap_or_default(),
        outcome: f.say(&decision.outcome),
        class: if decision.outcome == "quarantined" {
            "bad"
        } else {
            "warn"
        },
        reason: f.say(&decision.reason),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    mailbox: String,
    key: String,
}

struct Person {
    role: String,
    name: String,
    address: String,
}

struct Candidate {
    no: String,
    name: String,
    because: String,
}

#[derive(Template)]
#[template(path = "review_item.html", config = "examples/erp_host/askama.toml")]
struct Item {
    f: Frame,
    mailbox: String,
    key: String,
    version: u64,
    state: &'static str,
    state_words: String,
    line: Line,
    said: Option<(String, String, String)>,
    people: Vec<Person>,
    /// Addresses of strangers, each once: to create a contact, or never to log.
    strangers: Vec<(String, String)>,
    candidates: Vec<Candidate>,
    contacts: Vec<(String, String)>,
    salespeople: Vec<(String, String)>,
    outbound: bool,
    steps: Vec<Told>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(which): Query<Which>,
) -> Result<Response, Failed> {
    let item = find(&erp, &which.mailbox, &which.key).await?;
    let here = link(&item.decision.mailbox, &item.decision.sighting);
    let f = Frame::new(&session, "review", here);
    let (strangers, outbound) = strangers(&erp, &item);
    let candidates = candidates(&erp, &f, &strangers).await?;
    let contacts = erp.people.contacts().into_iter();
    let people = item.participants.iter().map(|one| Person {
        role: f.say(one.role.code()),
        name: one.name.clone().unwrap_or_default(),
        address: one.address.clone(),
    });
    let said = item.resolution.as_ref();
    Ok(render(&Item {
        said: said.map(|(at, said)| (f.time(at), said.by.clone(), said.note.clone())),
        people: people.collect(),
        strangers: strangers
            .into_iter()
            .map(|one| (one.address.to_string(), one.name.unwrap_or_default()))
            .collect(),
        candidates,
        contacts: contacts.map(|one| (one.no.to_string(), one.name)).collect(),
        salespeople: erp.salespeople(),
        outbound,
        mailbox: which.mailbox,
        key: which.key,
        version: item.version,
        state: item.state.code(),
        state_words: f.say(item.state.code()),
        steps: item
            .decision
            .steps
            .iter()
            .map(|step| Told::of(&f, step.clone()))
            .collect(),
        line: line(&f, item),
        f,
    }))
}

async fn find(erp: &Erp, mailbox: &str, key: &str) -> Result<ReviewItem, Failed> {
    let key: SightingKey = key.parse().map_err(|_| Failed::Missing)?;
    let mut filter = ReviewFilter::default();
    filter.sighting = Some((MailboxKey::new(mailbox), key));
    let page = erp.store.review_items(&erp.scope, &filter, None, 1).await?;
    page.rows.into_iter().next().ok_or(Failed::Missing)
}

/// Whom the mail names and the company does not know, and whether a salesperson wrote it.
fn strangers(erp: &Erp, item: &ReviewItem) -> (Vec<NewContact>, bool) {
    let own = erp.directory.own_domains();
    let (mut strangers, mut outbound) = (Vec::<NewContact>::new(), false);
    for one in &item.participants {
        let Ok(address) = Address::parse(&one.address) else {
            continue;
        };
        let parties = erp.directory.parties(&address);
        if one.role.code() == "from" {
            outbound |= !parties.salespeople.is_empty();
        }
        let known = !parties.is_empty() || own.contains(address.domain());
        if !known && strangers.iter().all(|seen| seen.address != address) {
            strangers.push(NewContact::new(address, one.name.clone()));
        }
    }
    (strangers, outbound)
}

async fn candidates(erp: &Erp, f: &Frame, people: &[NewContact]) -> Result<Vec<Candidate>, Failed> {
    let near = erp
        .directory
        .suggest(&erp.scope, people, CANDIDATES)
        .await?;
    let near = near.into_iter().map(|one| Candidate {
        no: one.contact.to_string(),
        name: one.name,
        because: f.say(one.because.code()),
    });
    Ok(near.collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    token: String,
    mailbox: String,
    key: String,
    version: u64,
    note: String,
    candidate: String,
    contact: String,
    salesperson: String,
    direction: String,
    address: String,
    name: String,
}

/// Logs the mail for the contact that a person chose: at once where logging is on, else by the next run.
pub(super) async fn assign(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(said): Form<Said>,
) -> Result<Response, Failed> {
    own_form(&session, &said.token)?;
    let chosen = [&said.contact, &said.candidate];
    let chosen = chosen.into_iter().find(|text| !text.is_empty());
    let contact = chosen.and_then(|no| erp.people.contact(&ContactNo::new(no.as_str())));
    let salesperson = erp.people.salesperson(&said.salesperson);
    let (Some(contact), Some(salesperson)) = (contact, salesperson) else {
        return Err(Failed::Missing);
    };
    let flow = if said.direction == "out" {
        InformationFlow::Outbound
    } else {
        InformationFlow::Inbound
    };
    let mut link = Assignment::new(contact.no.clone(), said.salesperson.as_str(), flow);
    link.contact_name = contact.name;
    link.company = contact.company;
    salesperson.clone_into(&mut link.salesperson_name);
    let resolution = Resolution::assign(WHO, link).with_note(said.note.trim());
    if let Some(page) = resolve(&erp, &session, &said, &resolution).await? {
        return Ok(page);
    }
    let setup = erp.administration.load(&erp.scope).await?.setup;
    let _at_work = erp.at_work.lock().await;
    let logged = match job::logger(&erp, &setup).await {
        // Only what people assigned is logged by it: the mails of an address that nobody has are none.
        Ok(logger) => logger
            .rematch(&RematchOptions::of(RematchOf::Addresses(Vec::new())))
            .await
            .is_ok_and(|report| report.matched > 0),
        Err(_) => false,
    };
    erp.wake.notify_one();
    let to = "/review";
    Ok(if logged {
        done(&erp, &session, to, |w| w.flash_logged).into_response()
    } else {
        done(&erp, &session, to, |w| w.flash_assigned).into_response()
    })
}

/// Writes a resolution; a refusal is a page.
async fn resolve(
    erp: &Erp,
    session: &Session,
    said: &Said,
    resolution: &Resolution,
) -> Result<Option<Response>, Failed> {
    let mailbox = MailboxKey::new(said.mailbox.as_str());
    let key: SightingKey = said.key.parse().map_err(|_| Failed::Missing)?;
    let resolved = erp
        .store
        .resolve(&erp.scope, &mailbox, &key, resolution, said.version)
        .await;
    Ok(resolved.err().map(|error| {
        let f = Frame::new(session, "review", "/review");
        refused(&f, &error, &link(&mailbox, &key))
    }))
}

pub(super) async fn ignore(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(said): Form<Said>,
) -> Result<Response, Failed> {
    own_form(&session, &said.token)?;
    let resolution = Resolution::ignore(WHO).with_note(said.note.trim());
    let refused = resolve(&erp, &session, &said, &resolution).await?;
    let done = || done(&erp, &session, "/review", |w| w.flash_ignored).into_response();
    Ok(refused.unwrap_or_else(done))
}

pub(super) async fn reopen(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(said): Form<Said>,
) -> Result<Response, Failed> {
    own_form(&session, &said.token)?;
    let resolution = Resolution::reopen(WHO);
    let refused = resolve(&erp, &session, &said, &resolution).await?;
    let done = || done(&erp, &session, "/review", |w| w.flash_reopened).into_response();
    Ok(refused.unwrap_or_else(done))
}

/// Makes a contact of a stranger, through the directory, and matches the mail of the address again.
pub(super) async fn create_contact(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(said): Form<Said>,
) -> Result<Response, Failed> {
    own_form(&session, &said.token)?;
    let address = Address::parse(&said.address).map_err(|_| Failed::Missing)?;
    let name = Some(said.name.trim().to_owned()).filter(|name| !name.is_empty());
    let contact = NewContact::new(address, name);
    let setup = erp.administration.load(&erp.scope).await?.setup;
    let made = {
        let _at_work = erp.at_work.lock().await;
        let logger = job::logger(&erp, &setup).await?;
        logger.create_contact(&contact).await
    };
    match made {
        Ok((no, _)) => {
            if let Some(record) = erp.directory.contact(&no) {
                erp.people.add(record).map_err(|_| Failed::Missing)?;
            }
            let to = format!("/contacts/{}", encoded(no.as_str()));
            Ok(done(&erp, &session, &to, |w| w.flash_contact).into_response())
        }
        Err(error) => {
            let f = Frame::new(&session, "review", "/review");
            Ok(refused(&f, &error.error, "/review"))
        }
    }
}
