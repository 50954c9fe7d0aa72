//! The review queue: what was not logged and why, and what a person says about it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use email_logging::directory::{ContactRecord, ContactSuggestions as _};
use email_logging::error::ErrorKind;
use email_logging::interaction::InformationFlow;
use email_logging::logger::{RematchOf, RematchOptions};
use email_logging::message::Address;
use email_logging::parties::NewContact;
use email_logging::source::SightingKey;
use email_logging::store::{Assignment, Cursor, Resolution, ReviewFilter, ReviewItem, ReviewState};
use email_logging::{ContactNo, MailboxKey};
use serde::Deserialize;

use super::mails::encoded;
use super::page::{Failed, Frame, done, refused, render};
use super::session::{Person as Who, Session};
use super::sight;
use super::why::Told;
use crate::erp::Erp;
use crate::job;

const ON_PAGE: u32 = 25;
/// Candidates that are proposed.
const CANDIDATES: u32 = 6;
/// Contacts that typed words may mean, as far as they are listed.
const MEANT: usize = 10;
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    state: String,
    excluded: Option<String>,
    after: Option<String>,
}

struct Line {
    link: String,
    /// What the box of the item says: its mailbox, sighting and version.
    pick: String,
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
    /// Several can be said something about at once.
    open: bool,
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
    let page = sight::review(&erp, &session)
        .items(&erp.scope, &filter, after.as_ref(), ON_PAGE)
        .await?;
    let tabs = tabs(&erp, &session, &f, filter.state, excluded).await?;
    let here = tabs.iter().find(|tab| tab.shown);
    let here = here.map_or_else(|| "/review?".to_owned(), |tab| tab.link.clone());
    let next = page
        .next
        .map(|next| format!("{here}&after={}", encoded(next.as_str())));
    let lines = page.rows.into_iter().map(|item| line(&f, item)).collect();
    Ok(render(&List {
        open: filter.state == ReviewState::Open,
        f,
        tabs,
        lines,
        next,
    }))
}

async fn tabs(
    erp: &Erp,
    session: &Session,
    f: &Frame,
    state: ReviewState,
    excluded: bool,
) -> Result<Vec<Tab>, Failed> {
    let counts = sight::review_counts(erp, session).await?;
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
    let pick = super::many::pick(&item);
    let decision = item.decision;
    Line {
        pick,
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
    /// What was typed for a contact, and those whom it may mean.
    typed: String,
    meant: Vec<(String, String)>,
    /// It was left out on purpose.
    excluded: bool,
    /// The salesperson whom the mail names.
    salesperson: String,
    salespeople: Vec<(String, String)>,
    outbound: bool,
    steps: Vec<Told>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(which): Query<Which>,
) -> Result<Response, Failed> {
    let item = find(&erp, &session, &which.mailbox, &which.key).await?;
    page(&erp, &session, which, item, "").await
}

/// The page of an item; with what was typed for a contact where that did not say whom.
async fn page(
    erp: &Erp,
    session: &Session,
    which: Which,
    item: ReviewItem,
    typed: &str,
) -> Result<Response, Failed> {
    let here = link(&item.decision.mailbox, &item.decision.sighting);
    let f = Frame::new(session, "review", here);
    let named = named(erp, &item);
    let candidates = candidates(erp, &f, &named.strangers).await?;
    let people = item.participants.iter().map(|one| Person {
        role: f.say(one.role.code()),
        name: one.name.clone().unwrap_or_default(),
        address: one.address.clone(),
    });
    let meant = match typed {
        "" => Vec::new(),
        words => erp.people.find(words, 0, MEANT).0,
    };
    let said = item.resolution.as_ref();
    let own = session.person.as_ref().and_then(Who::salesperson);
    let own = own.map(ToString::to_string);
    Ok(render(&Item {
        said: said.map(|(at, said)| (f.time(at), said.by.clone(), said.note.clone())),
        people: people.collect(),
        strangers: named
            .strangers
            .into_iter()
            .map(|one| (one.address.to_string(), one.name.unwrap_or_default()))
            .collect(),
        candidates,
        typed: typed.to_owned(),
        meant: meant
            .into_iter()
            .map(|one| (one.record.no.to_string(), one.record.name))
            .collect(),
        excluded: item.decision.outcome == "excluded",
        salesperson: named.salesperson.or(own).unwrap_or_default(),
        salespeople: erp.salespeople(),
        outbound: named.outbound,
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

/// An item that the person sees.
async fn find(
    erp: &Erp,
    session: &Session,
    mailbox: &str,
    key: &str,
) -> Result<ReviewItem, Failed> {
    let key: SightingKey = key.parse().map_err(|_| Failed::Missing)?;
    let queue = sight::review(erp, session);
    let mailbox = MailboxKey::new(mailbox);
    Ok(queue.item(&erp.scope, &mailbox, &key).await?)
}

/// Whom the mail names.
#[derive(Default)]
pub(super) struct Named {
    /// Those whom the company does not know, each once.
    strangers: Vec<NewContact>,
    /// The first salesperson: the author before a recipient.
    pub(super) salesperson: Option<String>,
    /// Whether a salesperson wrote it.
    pub(super) outbound: bool,
}

pub(super) fn named(erp: &Erp, item: &ReviewItem) -> Named {
    let own = erp.directory.own_domains();
    let mut named = Named::default();
    for one in &item.participants {
        let Ok(address) = Address::parse(&one.address) else {
            continue;
        };
        let parties = erp.directory.parties(&address);
        if let Some(salesperson) = parties.salespeople.first() {
            let author = one.role.code() == "from";
            named.outbound |= author;
            if author || named.salesperson.is_none() {
                named.salesperson = Some(salesperson.code.to_string());
            }
        }
        let known = !parties.is_empty() || own.contains(address.domain());
        if !known && named.strangers.iter().all(|seen| seen.address != address) {
            named
                .strangers
                .push(NewContact::new(address, one.name.clone()));
        }
    }
    named
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
    let item = find(&erp, &session, &said.mailbox, &said.key).await?;
    let chosen = contact(&erp, &said);
    let salesperson = erp.people.salesperson(&said.salesperson);
    let (Some(contact), Some(salesperson)) = (chosen, salesperson) else {
        let which = Which {
            mailbox: said.mailbox,
            key: said.key,
        };
        return page(&erp, &session, which, item, said.contact.trim()).await;
    };
    let pair = (said.salesperson.as_str(), salesperson);
    let link = assignment(contact, pair, said.direction == "out");
    let resolution = Resolution::assign(session.who(), link).with_note(said.note.trim());
    if let Some(page) = resolve(&erp, &session, &said, &resolution).await? {
        return Ok(page);
    }
    let logged = log_assigned(&erp).await?;
    let to = "/review";
    Ok(if logged {
        done(&erp, &session, to, |w| w.flash_logged).into_response()
    } else {
        done(&erp, &session, to, |w| w.flash_assigned).into_response()
    })
}

/// What a mail is logged for: a contact, and a salesperson by code and name.
pub(super) fn assignment(
    contact: ContactRecord,
    (code, name): (&str, &str),
    outbound: bool,
) -> Assignment {
    let flow = if outbound {
        InformationFlow::Outbound
    } else {
        InformationFlow::Inbound
    };
    let mut link = Assignment::new(contact.no, code, flow);
    link.contact_name = contact.name;
    link.company = contact.company;
    name.clone_into(&mut link.salesperson_name);
    link
}

/// Logs what people assigned, where logging is on. Answers whether something was.
pub(super) async fn log_assigned(erp: &Erp) -> Result<bool, Failed> {
    let setup = erp.administration.load(&erp.scope).await?.setup;
    let _at_work = erp.at_work.lock().await;
    let logged = match job::logger(erp, &setup).await {
        // Only what people assigned is logged by it: the mails of an address that nobody has are none.
        Ok(logger) => logger
            .rematch(&RematchOptions::of(RematchOf::Addresses(Vec::new())))
            .await
            .is_ok_and(|report| report.matched > 0),
        Err(_) => false,
    };
    erp.wake.notify_one();
    Ok(logged)
}

/// The contact that was chosen or typed.
fn contact(erp: &Erp, said: &Said) -> Option<ContactRecord> {
    let typed = said.contact.trim();
    if typed.is_empty() {
        let candidate = ContactNo::new(said.candidate.as_str());
        return erp.people.contact(&candidate).map(|one| one.record);
    }
    meant(erp, typed)
}

/// The contact that typed words mean: its number, or words that fit nobody else.
pub(super) fn meant(erp: &Erp, typed: &str) -> Option<ContactRecord> {
    let known = erp.people.contact(&ContactNo::new(typed));
    let (mut found, all) = erp.people.find(typed, 0, 1);
    let one = known.or_else(|| found.pop().filter(|_| all == 1));
    one.map(|one| one.record)
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
    let resolved = sight::review(erp, session)
        .resolve(&erp.scope, &mailbox, &key, resolution, said.version)
        .await;
    match resolved {
        Ok(_) => Ok(None),
        // Who does not see an item says nothing about it.
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error.into()),
        Err(error) => {
            let f = Frame::new(session, "review", "/review");
            Ok(Some(refused(&f, &error, &link(&mailbox, &key))))
        }
    }
}

pub(super) async fn ignore(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(said): Form<Said>,
) -> Result<Response, Failed> {
    let resolution = Resolution::ignore(session.who()).with_note(said.note.trim());
    let refused = resolve(&erp, &session, &said, &resolution).await?;
    let done = || done(&erp, &session, "/review", |w| w.flash_ignored).into_response();
    Ok(refused.unwrap_or_else(done))
}

pub(super) async fn reopen(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(said): Form<Said>,
) -> Result<Response, Failed> {
    let resolution = Resolution::reopen(session.who());
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
            let to = format!("/contacts/{}", encoded(no.as_str()));
            Ok(done(&erp, &session, &to, |w| w.flash_contact).into_response())
        }
        Err(error) => {
            let f = Frame::new(&session, "review", "/review");
            Ok(refused(&f, &error.error, "/review"))
        }
    }
}
