//! The contacts of the ERP, a contact's card, and the card's history.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use email_logging::ContactNo;
use email_logging::directory::ContactRecord;
use email_logging::parties::ContactKind;
use email_logging::store::{Cursor, InteractionLog as _, LogFilter};
use serde::Deserialize;

use super::entries::Row;
use super::page::{Failed, Frame, render};
use super::session::Session;
use crate::erp::Erp;

/// Entries on the card, and on a page of the history.
const ON_CARD: u32 = 5;
const ON_PAGE: u32 = 25;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    after: Option<String>,
}

struct Card {
    no: String,
    name: String,
    company: Option<(String, String)>,
    is_person: bool,
    email: String,
}

impl Card {
    fn of(erp: &Erp, contact: &ContactRecord) -> Self {
        let company = contact.company.as_ref();
        let company = company.and_then(|no| erp.people.contacts.get(no));
        Self {
            no: contact.no.to_string(),
            name: contact.name.clone(),
            company: company.map(|company| (company.no.to_string(), company.name.clone())),
            is_person: contact.kind == ContactKind::Person,
            email: contact.email.clone(),
        }
    }

    fn fits(&self, words: &str) -> bool {
        let all = format!("{} {} {}", self.no, self.name, self.email).to_lowercase();
        let company = self.company.as_ref();
        let all = company.map_or(all.clone(), |(_, name)| {
            format!("{all} {}", name.to_lowercase())
        });
        words
            .to_lowercase()
            .split_whitespace()
            .all(|word| all.contains(word))
    }
}

#[derive(Template)]
#[template(path = "contacts.html", config = "examples/erp_host/askama.toml")]
struct Contacts {
    f: Frame,
    q: String,
    cards: Vec<Card>,
}

pub(super) async fn list(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let contacts = erp.people.contacts.values();
    let cards = contacts.map(|contact| Card::of(&erp, contact));
    let cards = cards.filter(|card| card.fits(&wanted.q)).collect();
    render(&Contacts {
        f: Frame::new(&session, "contacts", "/contacts"),
        q: wanted.q,
        cards,
    })
}

#[derive(Template)]
#[template(path = "contact.html", config = "examples/erp_host/askama.toml")]
struct ContactCard {
    f: Frame,
    card: Card,
    rows: Vec<Row>,
    more: bool,
}

pub(super) async fn card(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "contacts", format!("/contacts/{no}"));
    let card = find(&erp, &no)?;
    let page = erp
        .store
        .entries(&erp.scope, &of(&card), None, ON_CARD)
        .await?;
    Ok(render(&ContactCard {
        more: page.next.is_some(),
        rows: page
            .rows
            .into_iter()
            .map(|entry| Row::of(&f, entry))
            .collect(),
        card,
        f,
    }))
}

#[derive(Template)]
#[template(path = "history.html", config = "examples/erp_host/askama.toml")]
struct History {
    f: Frame,
    card: Card,
    q: String,
    rows: Vec<Row>,
    paged: bool,
    next: Option<String>,
}

pub(super) async fn history(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "contacts", format!("/contacts/{no}/entries"));
    let card = find(&erp, &no)?;
    let mut filter = of(&card);
    filter.canceled = true;
    filter.text = Some(wanted.q.trim().to_owned()).filter(|text| !text.is_empty());
    let after = wanted.after.map(Cursor::new);
    let page = erp
        .store
        .entries(&erp.scope, &filter, after.as_ref(), ON_PAGE)
        .await?;
    Ok(render(&History {
        paged: after.is_some(),
        next: page.next.map(|cursor| cursor.as_str().to_owned()),
        rows: page
            .rows
            .into_iter()
            .map(|entry| Row::of(&f, entry))
            .collect(),
        q: wanted.q,
        card,
        f,
    }))
}

fn find(erp: &Erp, no: &str) -> Result<Card, Failed> {
    let contact = erp.people.contacts.get(&ContactNo::new(no));
    contact
        .map(|contact| Card::of(erp, contact))
        .ok_or(Failed::Missing)
}

/// A person's own mail; a company's, with that of its people.
fn of(card: &Card) -> LogFilter {
    let mut filter = LogFilter::default();
    let no = Some(ContactNo::new(card.no.as_str()));
    if card.is_person {
        filter.contact = no;
    } else {
        filter.company = no;
    }
    filter
}
