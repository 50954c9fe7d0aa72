//! The contacts of the ERP, and a contact's card.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use email_logging::ContactNo;
use email_logging::directory::ContactRecord;
use email_logging::parties::ContactKind;
use email_logging::store::{
    InteractionLog as _, LogFilter, OpportunityFilter, OpportunityStore as _,
};
use serde::Deserialize;

use super::entries::Row;
use super::opportunities::{Line, line};
use super::page::{Failed, Frame, render};
use super::session::Session;
use crate::erp::Erp;

/// Entries and opportunities on the card.
const ON_CARD: u32 = 5;
const OPPORTUNITIES: u32 = 20;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
}

pub(super) struct Card {
    pub(super) no: String,
    pub(super) name: String,
    company: Option<(String, String)>,
    pub(super) is_person: bool,
    email: String,
    initials: String,
}

impl Card {
    fn of(erp: &Erp, contact: &ContactRecord) -> Self {
        let company = contact.company.as_ref();
        let company = company.and_then(|no| erp.people.contact(no));
        let initials = contact.name.split_whitespace();
        let initials = initials.filter_map(|word| word.chars().next());
        Self {
            no: contact.no.to_string(),
            name: contact.name.clone(),
            company: company.map(|company| (company.no.to_string(), company.name.clone())),
            is_person: contact.kind == ContactKind::Person,
            email: contact.email.clone(),
            initials: initials.take(2).collect(),
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
    let contacts = erp.people.contacts();
    let cards = contacts.iter().map(|contact| Card::of(&erp, contact));
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
    opportunities: Vec<Line>,
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
    let mut wanted = OpportunityFilter::default();
    if card.is_person {
        wanted.contact = Some(ContactNo::new(card.no.as_str()));
    } else {
        wanted.company = Some(ContactNo::new(card.no.as_str()));
    }
    let opportunities = erp
        .store
        .opportunities(&erp.scope, &wanted, None, OPPORTUNITIES)
        .await?;
    let cycles = erp.store.sales_cycles(&erp.scope).await?;
    let lines = opportunities.rows.iter();
    let lines = lines.map(|stored| line(&erp, &f, &cycles, &stored.opportunity));
    Ok(render(&ContactCard {
        opportunities: lines.collect(),
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

pub(super) fn find(erp: &Erp, no: &str) -> Result<Card, Failed> {
    let contact = erp.people.contact(&ContactNo::new(no));
    contact
        .map(|contact| Card::of(erp, &contact))
        .ok_or(Failed::Missing)
}

/// A person's own mail; a company's, with that of its people.
pub(super) fn of(card: &Card) -> LogFilter {
    let mut filter = LogFilter::default();
    let no = Some(ContactNo::new(card.no.as_str()));
    if card.is_person {
        filter.contact = no;
    } else {
        filter.company = no;
    }
    filter
}
