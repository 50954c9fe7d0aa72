//! Privacy for the administration: mail that is older than it may be, and persons who are erased. Each is first only said.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use email_logging::ContactNo;
use email_logging::error::Error;
use email_logging::privacy::{Person, RetentionRule};
use email_logging::store::{
    CanceledEntries as _, Deletion, Erased, Erasure, LogFilter, PrivacyDesk, Removed, Retained,
    SubjectExport,
};
use jiff::ToSpan as _;
use serde::Deserialize;
use serde_json::json;

use super::page::{Failed, Frame, Problem, render};
use super::session::Session;
use crate::erp::Erp;
use crate::people::addresses;
use crate::zone::{midnight, today};

/// The months that the form begins with.
const MONTHS: u16 = 36;
/// Mails of a person that are read at once.
const MAILS: u32 = 100;

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
    let card = who.contact.trim();
    if run && who.card_too.is_some() && !card.is_empty() {
        let removed = erp.people.remove(&ContactNo::new(card));
        removed.map_err(Failed::broken)?;
    }
    erp.originals.forget();
    let mut page = Page::new(&session);
    page.erasure = Some(erased(&page.f, &told, run));
    page.shared = told.shared_addresses.join(", ");
    if !run {
        page.who = who;
    }
    Ok(render(&page))
}

/// Who is meant: the contact with all its addresses that nobody else has, and the address that was typed.
fn person(erp: &Erp, who: &Who) -> Result<Person, Error> {
    let mut person = Person::default();
    let contact = who.contact.trim();
    if !contact.is_empty() {
        let no = ContactNo::new(contact);
        let known = erp.people.contact(&no);
        for address in known.iter().flat_map(|one| addresses(&one.record)) {
            let parties = erp.directory.parties(&address);
            if parties.contacts.len() == 1 && parties.salespeople.is_empty() {
                person = person.with_address(address.as_str())?;
            }
        }
        person = person.with_contact(no);
    }
    if !who.address.trim().is_empty() {
        person = person.with_address(who.address.trim())?;
    }
    Ok(person)
}

async fn carry_out(erp: &Erp, session: &Session, who: &Who) -> Result<Erased, Error> {
    let erasure = Erasure::default()
        .with_never_again(who.never_again.is_some())
        .with_refuse_open_opportunities(who.open_too.is_none());
    PrivacyDesk::new(&*erp.store, &erp.scope, session.who())
        .with_directory(&*erp.store, &*erp.directory)
        .erase(&person(erp, who)?, erasure, deletion(&who.act))
        .await
}

/// All that is kept about a person, as a file for the person: a line for each mail, then one for the rest. What the mails say
/// of others is in it as well: whoever hands it over has to weigh that.
pub(super) async fn export(
    State(erp): State<Arc<Erp>>,
    Query(who): Query<Who>,
) -> Result<Response, Failed> {
    let export = SubjectExport::new(&*erp.store, &erp.scope, person(&erp, &who)?)?;
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let page = export.mails(after.as_ref(), MAILS).await?;
        for found in &page.rows {
            let record = &found.mail.record;
            let people = record.participants.iter();
            let people = people.map(
                |one| json!({ "role": one.role.code(), "name": one.name, "address": one.address }),
            );
            let marks = found.marks.iter();
            let marks = marks.map(|(kind, mark)| {
                json!({ "kind": kind.code(), "by": mark.by, "reason": mark.reason, "at": mark.at })
            });
            let line = json!({
                "mail": found.mail.message.to_string(),
                "subject": record.subject,
                "sent": record.sent,
                "received": record.received,
                "participants": people.collect::<Vec<_>>(),
                "entries": found.mail.entries,
                "decisions": found.decisions,
                "marks": marks.collect::<Vec<_>>(),
                "original-bytes": found.original,
            });
            lines.push(line.to_string());
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let records = export.records().await?;
    lines.push(crate::subject_records::beside_mails(&records).to_string());
    // The last line ends as well.
    lines.push(String::new());
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"person.jsonl\"",
        ),
    ];
    Ok((headers, lines.join("\n")).into_response())
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
