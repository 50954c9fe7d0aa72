//! Privacy for the administration: mail that is older than it may be, and persons who are erased. Each is first only said.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use email_logging::ContactNo;
use email_logging::error::Error;
use email_logging::privacy::{Person, RetentionRule};
use email_logging::store::{
    CanceledEntries as _, Deletion, Erased, Erasure, LogFilter, PrivacyDesk, Removed, Retained,
    SubjectExport,
};
use jiff::ToSpan as _;
use serde::Deserialize;

use super::page::{Failed, Frame, Problem, render};
use super::session::Session;
use crate::erp::Erp;
use crate::people::addresses;
use crate::zone::{midnight, today};

/// The months that the form begins with.
const MONTHS: u16 = 36;
/// Mails of a person that are read at once.
pub(super) const MAILS: u32 = 100;

/// What was told, or done: lines of words and numbers.
struct Told {
    /// Whether it is done, and not only said.
    done: bool,
    lines: Vec<(&'static str, u64)>,
}

#[derive(Template)]
#[template(path = "privacy.html", config = "examples/erp_host/askama.toml")]
struct Page {
    f: Frame,
    months: u16,
    retention: Option<Told>,
    canceled: Option<Told>,
    who: Who,
    erasure: Option<Told>,
    /// Addresses by which nothing is erased, as others have them too.
    shared: String,
    error: Option<Problem>,
}

impl Page {
    fn new(session: &Session) -> Self {
        Self {
            f: Frame::new(session, "privacy", "/privacy"),
            months: MONTHS,
            retention: None,
            canceled: None,
            who: Who::default(),
            erasure: None,
            shared: String::new(),
            error: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    contact: String,
}

pub(super) async fn show(
    Extension(session): Extension<Session>,
    Query(asked): Query<Asked>,
) -> Response {
    let mut page = Page::new(&session);
    page.who.contact = asked.contact;
    render(&page)
}

#[derive(Debug, Deserialize)]
pub(super) struct Age {
    months: u16,
    /// `run`, once it was seen what goes.
    #[serde(default)]
    act: String,
}

fn deletion(act: &str) -> Deletion {
    if act == "run" {
        Deletion::Delete
    } else {
        Deletion::Preview
    }
}

/// Says what is older than so many months, or removes it.
pub(super) async fn retain(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(age): Form<Age>,
) -> Result<Response, Failed> {
    let oldest = today().checked_sub(i32::from(age.months).months());
    let before = oldest.ok().and_then(midnight).filter(|_| age.months > 0);
    let rule = RetentionRule::before(before.ok_or(Failed::Bad)?);
    let desk = PrivacyDesk::new(&*erp.store, &erp.scope, session.who());
    let told = desk.retain(&rule, deletion(&age.act)).await?;
    erp.originals.forget();
    let mut page = Page::new(&session);
    page.months = age.months;
    page.retention = Some(retained(&page.f, &told, age.act == "run"));
    Ok(render(&page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Act {
    act: String,
}

/// Says how many cancelled entries there are, or deletes them with what only they kept.
pub(super) async fn canceled(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(Act { act }): Form<Act>,
) -> Result<Response, Failed> {
    let all = LogFilter::default();
    let told = erp.store.delete_canceled(&erp.scope, &all, deletion(&act));
    let told = told.await?;
    erp.originals.forget();
    let mut page = Page::new(&session);
    page.canceled = Some(Told {
        done: act == "run",
        lines: vec![
            (page.f.w.entries, told.entries),
            (page.f.w.comments, told.comments),
            (page.f.w.mail, told.mails),
            (page.f.w.originals, told.originals),
            (page.f.w.kept_opportunity, told.kept_for_opportunity),
            (page.f.w.kept_held, told.kept_on_hold),
            (page.f.w.kept_waiting, told.kept_waiting),
            (page.f.w.kept_withdrawn, told.kept_withdrawn),
        ],
    });
    Ok(render(&page))
}

fn removed(f: &Frame, removed: &Removed) -> Vec<(&'static str, u64)> {
    vec![
        (f.w.mail, removed.mails),
        (f.w.entries, removed.entries),
        (f.w.originals, removed.originals),
    ]
}

fn retained(f: &Frame, told: &Retained, done: bool) -> Told {
    let mut lines = removed(f, &told.removed);
    lines.extend([
        (f.w.kept_opportunity, told.kept_for_opportunity),
        (f.w.kept_held, told.kept_on_hold),
        (f.w.kept_waiting, told.kept_waiting),
    ]);
    Told { done, lines }
}

/// Who is erased, and how.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Who {
    address: String,
    contact: String,
    never_again: Option<String>,
    /// The opportunities may be open.
    open_too: Option<String>,
    card_too: Option<String>,
    act: String,
}

/// Says what of a person would be erased, or erases it.
pub(super) async fn erase(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(who): Form<Who>,
) -> Result<Response, Failed> {
    let run = who.act == "run";
    let told = match carry_out(&erp, &session, &who).await {
        Ok(told) => told,
        Err(error) => {
            let mut page = Page::new(&session);
            page.error = Some(Problem::of(&page.f, &error));
            page.who = who;
            return Ok(render(&page));
        }
    };
    erp.originals.forget();
    let card = who.contact.trim();
    if run && who.card_too.is_some() && !card.is_empty() {
        let removed = erp.people.remove(&card_of(&erp, card));
        removed.map_err(Failed::broken)?;
    }
    let mut page = Page::new(&session);
    page.erasure = Some(erased(&page.f, &told, run));
    page.shared = told.shared_addresses.join(", ");
    if !run {
        page.who = who;
    }
    Ok(render(&page))
}

/// Who is meant: the contact with all its addresses that nobody else has, and the address that was typed; and after it each
/// number that was merged into the contact, which mail and closed opportunities may still name.
pub(super) fn persons(erp: &Erp, who: &Who) -> Result<Vec<Person>, Error> {
    let mut person = Person::default();
    let mut merged = Vec::new();
    let contact = who.contact.trim();
    if !contact.is_empty() {
        let no = card_of(erp, contact);
        let known = erp.people.contact(&no);
        for address in known.iter().flat_map(|one| addresses(&one.record)) {
            let parties = erp.directory.parties(&address);
            if parties.contacts.len() == 1 && parties.salespeople.is_empty() {
                person = person.with_address(address.as_str())?;
            }
        }
        merged = erp.people.merged_numbers(&no);
        person = person.with_contact(no);
    }
    if !who.address.trim().is_empty() {
        person = person.with_address(who.address.trim())?;
    }
    let merged = merged.into_iter().map(Person::contact);
    Ok(std::iter::once(person).chain(merged).collect())
}

/// The number of the contact, or of the one that it was merged into.
fn card_of(erp: &Erp, contact: &str) -> ContactNo {
    let no = ContactNo::new(contact);
    erp.people.merged_into(&no).unwrap_or(no)
}

async fn carry_out(erp: &Erp, session: &Session, who: &Who) -> Result<Erased, Error> {
    let erasure = Erasure::default()
        .with_never_again(who.never_again.is_some())
        .with_refuse_open_opportunities(who.open_too.is_none());
    let desk = PrivacyDesk::new(&*erp.store, &erp.scope, session.who())
        .with_directory(&*erp.store, &*erp.directory);
    let persons = persons(erp, who)?;
    let mut told = Erased::default();
    // What is refused for one of the numbers is refused before anything is gone.
    for person in &persons {
        let would = desk.erase(person, erasure, Deletion::Preview).await?;
        add(&mut told, &would);
    }
    if who.act == "run" {
        told = Erased::default();
        for person in &persons {
            add(
                &mut told,
                &desk.erase(person, erasure, Deletion::Delete).await?,
            );
        }
    } else if persons.len() > 1 {
        told.removed = distinct(erp, &persons).await?;
    }
    Ok(told)
}

fn add(told: &mut Erased, more: &Erased) {
    let removed = &mut told.removed;
    removed.mails += more.removed.mails;
    removed.entries += more.removed.entries;
    removed.originals += more.removed.originals;
    let forgotten = &mut told.forgotten;
    forgotten.opportunities += more.forgotten.opportunities;
    forgotten.comments += more.forgotten.comments;
    forgotten.decisions += more.forgotten.decisions;
    forgotten.reviews += more.forgotten.reviews;
    forgotten.never_log_rules += more.forgotten.never_log_rules;
    told.shared_addresses
        .extend(more.shared_addresses.iter().cloned());
}

/// The mails of several numbers of one person, each once.
async fn distinct(erp: &Erp, persons: &[Person]) -> Result<Removed, Error> {
    let mut removed = Removed::default();
    let mut seen = BTreeSet::new();
    for person in persons {
        let export = SubjectExport::new(&*erp.store, &erp.scope, person.clone())?;
        let mut after = None;
        loop {
            let page = export.mails(after.as_ref(), MAILS).await?;
            let new = page.rows.iter();
            for found in new.filter(|found| seen.insert(found.mail.message)) {
                removed.mails += 1;
                removed.entries += found.mail.entries.len() as u64;
                removed.originals += u64::from(found.original.is_some());
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(removed)
}

fn erased(f: &Frame, told: &Erased, done: bool) -> Told {
    let mut lines = removed(f, &told.removed);
    lines.extend([
        (f.w.opportunities, told.forgotten.opportunities),
        (f.w.comments, told.forgotten.comments),
        (f.w.decisions, told.forgotten.decisions),
        (f.w.review, told.forgotten.reviews),
        (f.w.never_log, told.forgotten.never_log_rules),
    ]);
    Told { done, lines }
}
