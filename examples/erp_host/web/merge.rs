//! Two contacts that are one person: everything of one goes to the other, and its mail is matched again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use email_logging::ContactNo;
use email_logging::opportunity::NewContact;
use email_logging::store::{OpportunityFilter, OpportunityStore as _, StoredOpportunity};
use serde::Deserialize;

use super::edit::{Again, match_again};
use super::mails::encoded;
use super::page::{Failed, Frame, refused, render};
use super::session::Session;
use crate::erp::Erp;
use crate::people::{Contact, addresses, is_person};

/// Opportunities that are read at once.
const PAGE: u32 = 100;
/// Contacts that typed words may mean, as far as they are listed.
const MEANT: usize = 10;

#[derive(Template)]
#[template(path = "merge.html", config = "examples/erp_host/askama.toml")]
struct Merge {
    f: Frame,
    no: String,
    name: String,
    /// The contact that stays, once it is clear who is meant.
    into: Option<(String, String)>,
    /// The person may do it: salespeople merge people of one company, the administration all.
    allowed: bool,
    /// What was typed, and those whom it may mean.
    typed: String,
    meant: Vec<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    into: String,
    chosen: String,
    act: String,
}

/// Nothing takes a merge back: people of two companies, or of none, are merged by the administration.
fn may_merge(session: &Session, source: &Contact, target: &Contact) -> bool {
    let company = source.record.company.as_ref();
    let same = company.is_some() && company == target.record.company.as_ref();
    same || session.is_administration()
}

fn person(erp: &Erp, no: &str) -> Option<Contact> {
    let contact = erp.people.contact(&ContactNo::new(no));
    contact.filter(|contact| is_person(&contact.record))
}

/// Says what would be, or does it.
pub(super) async fn merge(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
    Form(said): Form<Said>,
) -> Result<Response, Failed> {
    let source = person(&erp, &no).ok_or(Failed::Missing)?;
    let typed = said.into.trim();
    let (found, all) = erp.people.find(typed, 0, MEANT + 1);
    let is_other = |one: &Contact| one.record.no != source.record.no && is_person(&one.record);
    let chosen = person(&erp, &said.chosen).or_else(|| person(&erp, typed));
    let others: Vec<Contact> = found.into_iter().filter(is_other).take(MEANT).collect();
    let sure = !typed.is_empty() && all <= MEANT && others.len() == 1;
    let only = others.first().filter(|_| sure);
    let target = chosen.filter(is_other).or_else(|| only.cloned());
    let allowed = target
        .as_ref()
        .is_none_or(|target| may_merge(&session, &source, target));
    if let (Some(target), "yes") = (&target, said.act.as_str()) {
        if !allowed {
            return Err(Failed::NotYours);
        }
        return carry_out(&erp, &session, source, target.clone()).await;
    }
    let named = |one: &Contact| (one.record.no.to_string(), one.record.name.clone());
    let here = format!("/contacts/{}/edit", encoded(&no));
    Ok(render(&Merge {
        f: Frame::new(&session, "contacts", here),
        name: source.record.name,
        allowed,
        into: target.as_ref().map(named),
        typed: typed.to_owned(),
        meant: match (&target, typed) {
            (None, words) if !words.is_empty() => others.iter().map(named).collect(),
            _ => Vec::new(),
        },
        no,
    }))
}

async fn carry_out(
    erp: &Erp,
    session: &Session,
    source: Contact,
    target: Contact,
) -> Result<Response, Failed> {
    let stays = target.record.no.clone();
    let to = NewContact::new(stays.clone(), target.record.company.clone());
    let moved = match opportunities(erp, &source.record.no, &to).await {
        Ok(moved) => moved,
        Err(error) => {
            let f = Frame::new(session, "contacts", "/contacts");
            let back = format!("/contacts/{}/edit", encoded(source.record.no.as_str()));
            return Ok(refused(&f, &error, &back));
        }
    };
    let all = addresses(&source.record).into_iter();
    let all: Vec<_> = all.chain(addresses(&target.record)).collect();
    let merged = merged(&source, target);
    for one in moved {
        erp.store
            .save_opportunity(&erp.scope, &one.opportunity, one.version)
            .await?;
    }
    erp.people
        .merge(merged, &source.record.no)
        .map_err(Failed::broken)?;
    match_again(erp, session, stays.as_str(), Again::moving(all)).await
}

/// The one that stays, with what the other had. Who asked not to be processed did so for both.
fn merged(source: &Contact, mut target: Contact) -> Contact {
    let known = addresses(&target.record);
    for address in addresses(&source.record).difference(&known) {
        target.record = target.record.with_alternative("MERGED", address.as_str());
    }
    target.record.privacy_blocked |= source.record.privacy_blocked;
    target.customer |= source.customer;
    target
}

/// The open opportunities of a contact, given to another; nothing is stored yet. What is closed stays as it was closed.
async fn opportunities(
    erp: &Erp,
    of: &ContactNo,
    to: &NewContact,
) -> Result<Vec<StoredOpportunity>, email_logging::error::Error> {
    let mut filter = OpportunityFilter::default();
    (filter.contact, filter.open) = (Some(of.clone()), true);
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = erp
            .store
            .opportunities(&erp.scope, &filter, after.as_ref(), PAGE)
            .await?;
        for mut one in page.rows {
            one.opportunity.set_contact(to.clone(), true)?;
            all.push(one);
        }
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}
