//! The interaction log as a list: the history of a contact, and all mail, with words, filters and pages.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use email_logging::interaction::{InformationFlow, InteractionLogEntry};
use email_logging::store::{Cursor, InteractionLog as _, LogFilter};
use email_logging::{ContactNo, SalespersonCode};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use super::contacts::{Card, find, moved, of};
use super::entries::Row;
use super::page::{Failed, Frame, render};
use super::session::Session;
use super::sight;
use crate::erp::Erp;
use crate::zone::midnight;

const ON_PAGE: u32 = 25;

/// What is looked for. Blank fields of the form ask for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    pub(super) q: String,
    pub(super) direction: String,
    pub(super) salesperson: String,
    pub(super) since: String,
    pub(super) until: String,
    pub(super) contact: String,
    pub(super) opportunity: String,
    /// A number that was merged into the contact: what stands under it still.
    pub(super) number: String,
    after: Option<String>,
}

impl Wanted {
    /// Narrows a filter. What is no date asks for nothing.
    pub(super) fn narrow(&self, filter: &mut LogFilter) {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        filter.text = given(&self.q);
        filter.flow = match self.direction.as_str() {
            "in" => Some(InformationFlow::Inbound),
            "out" => Some(InformationFlow::Outbound),
            _ => None,
        };
        filter.salesperson = given(&self.salesperson).map(SalespersonCode::new);
        filter.opportunity = given(&self.opportunity);
        filter.since = self.since.parse().ok().and_then(midnight);
        let after = |day: Date| day.checked_add(1.day()).ok().and_then(midnight);
        filter.until = self.until.parse().ok().and_then(after);
    }

    /// The query of a link that asks for the same.
    pub(super) fn query(&self) -> String {
        let mut query = Vec::new();
        for (name, value) in [
            ("q", &self.q),
            ("direction", &self.direction),
            ("salesperson", &self.salesperson),
            ("since", &self.since),
            ("until", &self.until),
            ("contact", &self.contact),
            ("opportunity", &self.opportunity),
            ("number", &self.number),
        ] {
            if !value.trim().is_empty() {
                query.push(format!("{name}={}", encoded(value)));
            }
        }
        query.join("&")
    }

    fn is_narrowed(&self) -> bool {
        let narrowing = [&self.direction, &self.salesperson, &self.since, &self.until];
        narrowing.iter().any(|text| !text.trim().is_empty())
    }
}

/// A text within a query.
pub(super) fn encoded(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            made.push(char::from(byte));
        } else {
            // A text takes everything.
            let _ = write!(made, "%{byte:02X}");
        }
    }
    made
}

#[derive(Template)]
#[template(path = "mails.html", config = "examples/erp_host/askama.toml")]
struct Mails {
    f: Frame,
    card: Option<Card>,
    action: String,
    wanted: Wanted,
    narrowed: bool,
    /// Something is looked for.
    asked: bool,
    export: String,
    salespeople: Vec<(String, String)>,
    /// How many mails fit, where that is known; and whether there may be more.
    found: Option<u64>,
    more: bool,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

/// How many mails entries are of.
fn mails_of(rows: &[InteractionLogEntry]) -> u64 {
    let mails: BTreeSet<_> = rows.iter().map(|row| row.entry.message).collect();
    mails.len() as u64
}

pub(super) async fn history(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
    Query(mut wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    if let Some(there) = moved(&erp, &no, "/entries") {
        return Ok(there);
    }
    let path = format!("/contacts/{}/entries", encoded(&no));
    let f = Frame::new(&session, "contacts", path.clone());
    let card = find(&erp, &no)?;
    let mut filter = of(&card);
    let merged = erp.people.merged_numbers(&ContactNo::new(no));
    if let Some(number) = merged.into_iter().find(|one| one.as_str() == wanted.number) {
        filter.contact = Some(number);
    } else {
        wanted.number.clear();
    }
    page(&erp, &session, f, (path, Some(card)), filter, wanted).await
}

pub(super) async fn all(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "mails", "/mails");
    let filter = LogFilter::default();
    page(&erp, &session, f, ("/mails".into(), None), filter, wanted).await
}

async fn page(
    erp: &Erp,
    session: &Session,
    f: Frame,
    (action, card): (String, Option<Card>),
    mut filter: LogFilter,
    mut wanted: Wanted,
) -> Result<Response, Failed> {
    filter.canceled = true;
    wanted.contact = String::new();
    wanted.narrow(&mut filter);
    let after = wanted.after.take().map(Cursor::new);
    let log = sight::log(erp, session);
    let page = log
        .entries(&erp.scope, &filter, after.as_ref(), ON_PAGE)
        .await?;
    // Words that many mails hold are not counted: each of these mails would have to be read.
    // Nor is what the store cannot count by itself.
    let counted = match filter.text {
        None => sight::count(erp, session, &filter).await?,
        Some(_) => None,
    };
    let on_page = after.is_none().then(|| mails_of(&page.rows));
    let found = counted.map(|counted| counted.mails).or(on_page);
    let query = wanted.query();
    let link = |more: String| format!("{action}?{query}{more}");
    let whole = card.as_ref().map(|card| Wanted {
        contact: card.no.clone(),
        ..wanted.clone()
    });
    Ok(render(&Mails {
        narrowed: wanted.is_narrowed(),
        asked: !query.is_empty() || after.is_some(),
        export: whole.as_ref().unwrap_or(&wanted).query(),
        salespeople: erp.salespeople(),
        found,
        more: counted.is_none() && page.next.is_some(),
        first: after.map(|_| link(String::new())),
        next: page
            .next
            .map(|cursor| link(format!("&after={}", encoded(cursor.as_str())))),
        rows: page
            .rows
            .into_iter()
            .map(|entry| Row::of(&f, entry))
            .collect(),
        card,
        action,
        wanted,
        f,
    }))
}
