//! The contacts of the ERP, and a contact's card.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use email_logging::ContactNo;
use email_logging::interaction::StatisticsOptions;
use email_logging::opportunity::PrivacyBlock;
use email_logging::store::{
    InteractionLog as _, LogFilter, OpportunityFilter, OpportunityStore as _,
};
use serde::Deserialize;

use super::entries::Row;
use super::mails::encoded;
use super::opportunities::{Line, line};
use super::page::{Failed, Frame, render};
use super::session::Session;
use super::sight;
use crate::erp::Erp;
use crate::people::{Contact, addresses, is_person};

/// Contacts on a page.
const ON_PAGE: usize = 50;
/// Entries and opportunities on the card.
const ON_CARD: u32 = 5;
const OPPORTUNITIES: u32 = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    q: String,
    page: usize,
}

pub(super) struct Card {
    pub(super) no: String,
    pub(super) name: String,
    company: Option<(String, String)>,
    pub(super) is_person: bool,
    email: String,
    emails: Vec<String>,
    initials: String,
    customer: bool,
    blocked: bool,
}

impl Card {
    fn of(erp: &Erp, contact: Contact) -> Self {
        let Contact { record, customer } = contact;
        let company = record.company.as_ref();
        let company = company.and_then(|no| erp.people.contact(no));
        let company = company.map(|one| one.record);
        let initials = record.name.split_whitespace();
        let initials = initials.filter_map(|word| word.chars().next());
        let emails = addresses(&record);
        Self {
            no: record.no.to_string(),
            company: company.map(|company| (company.no.to_string(), company.name)),
            is_person: is_person(&record),
            initials: initials.take(2).collect(),
            emails: emails.iter().map(ToString::to_string).collect(),
            email: record.email,
            name: record.name,
            blocked: erp.people.privacy_of(&record.no) == PrivacyBlock::Blocked,
            customer,
        }
    }
}

#[derive(Template)]
#[template(path = "contacts.html", config = "examples/erp_host/askama.toml")]
struct Contacts {
    f: Frame,
    q: String,
    cards: Vec<Card>,
    found: usize,
    before: Option<String>,
    next: Option<String>,
}

pub(super) async fn list(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let skip = wanted.page.saturating_mul(ON_PAGE);
    let (contacts, found) = erp.people.find(&wanted.q, skip, ON_PAGE);
    let cards = contacts.into_iter().map(|contact| Card::of(&erp, contact));
    let link = |page: usize| format!("/contacts?q={}&page={page}", encoded(&wanted.q));
    render(&Contacts {
        f: Frame::new(&session, "contacts", "/contacts"),
        cards: cards.collect(),
        before: wanted.page.checked_sub(1).map(link),
        next: (skip.saturating_add(ON_PAGE) < found).then(|| link(wanted.page + 1)),
        found,
        q: wanted.q,
    })
}

/// What was exchanged in all: received, sent, and when last.
struct Sums {
    inbound: u64,
    outbound: u64,
    last: String,
}

#[derive(Template)]
#[template(path = "contact.html", config = "examples/erp_host/askama.toml")]
struct ContactCard {
    f: Frame,
    card: Card,
    sums: Sums,
    rows: Vec<Row>,
    more: bool,
    opportunities: Vec<Line>,
    /// Numbers that were merged into this one, whose mail may stand under them still.
    merged: Vec<String>,
}

pub(super) async fn card(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
) -> Result<Response, Failed> {
    if let Some(there) = moved(&erp, &no, "") {
        return Ok(there);
    }
    let f = Frame::new(&session, "contacts", format!("/contacts/{}", encoded(&no)));
    let card = find(&erp, &no)?;
    let filter = of(&card);
    let page = sight::log(&erp, &session)
        .entries(&erp.scope, &filter, None, ON_CARD)
        .await?;
    let options = StatisticsOptions::default().with_parties(1);
    let all = sight::statistics(&erp, &session, &filter, options).await?;
    let mut wanted = OpportunityFilter::default();
    if card.is_person {
        wanted.contact = Some(ContactNo::new(card.no.as_str()));
    } else {
        wanted.company = Some(ContactNo::new(card.no.as_str()));
    }
    let opportunities = sight::opportunities(&erp, &session)
        .opportunities(&erp.scope, &wanted, None, OPPORTUNITIES)
        .await?;
    let cycles = erp.store.sales_cycles(&erp.scope).await?;
    let rows = opportunities.rows.iter();
    let lines = rows.map(|seen| line(&erp, &f, &cycles, &seen.opportunity));
    let last = all.total.last;
    Ok(render(&ContactCard {
        sums: Sums {
            inbound: all.total.inbound,
            outbound: all.total.outbound,
            last: last.map_or_else(String::new, |at| f.day(crate::zone::at(at).date())),
        },
        opportunities: lines.collect(),
        merged: erp
            .people
            .merged_numbers(&ContactNo::new(card.no.as_str()))
            .into_iter()
            .map(|no| no.to_string())
            .collect(),
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

/// The way to the contact that this one was merged into, if it was.
pub(super) fn moved(erp: &Erp, no: &str, rest: &str) -> Option<Response> {
    let stays = erp.people.merged_into(&ContactNo::new(no))?;
    let there = format!("/contacts/{}{rest}", encoded(stays.as_str()));
    Some(Redirect::to(&there).into_response())
}

pub(super) fn find(erp: &Erp, no: &str) -> Result<Card, Failed> {
    let contact = erp.people.contact(&ContactNo::new(no));
    contact
        .map(|contact| Card::of(erp, contact))
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
