//! Changing a contact: the mail of the addresses that it has now, and of those that it had, is matched again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use email_logging::ContactNo;
use email_logging::logger::{RematchOf, RematchOptions, RematchReport};
use email_logging::message::Address;
use serde::Deserialize;

use super::contacts::moved;
use super::mails::encoded;
use super::page::{Failed, Frame, done, done_with, render};
use super::session::{Flash, Session};
use crate::erp::Erp;
use crate::job;
use crate::people::{Contact, addresses, is_person};

#[derive(Template)]
#[template(path = "edit.html", config = "examples/erp_host/askama.toml")]
struct Edit {
    f: Frame,
    no: String,
    /// It can be merged with another one.
    is_person: bool,
    fields: Fields,
    problem: Option<&'static str>,
}

/// What can be changed. Several addresses of a field are separated by `;`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    name: String,
    email: String,
    email2: String,
    blocked: Option<String>,
}

fn page(
    erp: &Erp,
    session: &Session,
    no: &str,
    fields: Fields,
    problem: Option<&'static str>,
) -> Response {
    let path = format!("/contacts/{}/edit", encoded(no));
    render(&Edit {
        f: Frame::new(session, "contacts", path),
        no: no.to_owned(),
        is_person: erp
            .people
            .contact(&ContactNo::new(no))
            .is_some_and(|contact| is_person(&contact.record)),
        fields,
        problem,
    })
}

fn contact(erp: &Erp, no: &str) -> Result<Contact, Failed> {
    let contact = erp.people.contact(&ContactNo::new(no));
    contact.ok_or(Failed::Missing)
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
) -> Result<Response, Failed> {
    if let Some(there) = moved(&erp, &no, "/edit") {
        return Ok(there);
    }
    let record = contact(&erp, &no)?.record;
    let fields = Fields {
        name: record.name,
        email: record.email,
        email2: record.email2.unwrap_or_default(),
        blocked: record.privacy_blocked.then(|| "on".to_owned()),
    };
    Ok(page(&erp, &session, &no, fields, None))
}

pub(super) async fn save(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Failed> {
    let Contact {
        mut record,
        customer,
    } = contact(&erp, &no)?;
    let w = session.language.words();
    if fields.name.trim().is_empty() {
        return Ok(page(&erp, &session, &no, fields, Some(w.name_missing)));
    }
    if ![&fields.email, &fields.email2]
        .into_iter()
        .all(|text| are_addresses(text))
    {
        return Ok(page(&erp, &session, &no, fields, Some(w.email_invalid)));
    }
    let before = addresses(&record);
    fields.name.trim().clone_into(&mut record.name);
    let email = fields.email.trim();
    record.inherited &= record.email == email;
    email.clone_into(&mut record.email);
    let second = fields.email2.trim();
    record.email2 = Some(second.to_owned()).filter(|text| !text.is_empty());
    record.privacy_blocked = fields.blocked.is_some();
    let after = addresses(&record);
    let takes_away = before.difference(&after).next().is_some();
    erp.people.save(record, customer).map_err(Failed::broken)?;
    if before == after {
        return Ok(done(&erp, &session, &to(&no), |w| w.saved).into_response());
    }
    let all = before.union(&after).cloned().collect();
    let matched = match_again(&erp, &session, &no, Again::adding(all)).await?;
    Ok(if takes_away && has_unfounded(&erp, &no).await {
        Redirect::to(&question(&no)).into_response()
    } else {
        matched
    })
}

fn are_addresses(field: &str) -> bool {
    let parts = field
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.into_iter().all(|part| Address::parse(part).is_ok())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// The entries that rest on no address of the contact any more are cancelled.
    cancel: Option<String>,
}

/// Matches the mail of a contact again, where that could not be done when it was changed; or cancels what rests on an address
/// that the contact had, because somebody said so.
pub(super) async fn rematch(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Failed> {
    let all = addresses(&contact(&erp, &no)?.record);
    if wanted.cancel.is_some() {
        return match_again(&erp, &session, &no, Again::canceling(&no)).await;
    }
    let again = Again::adding(all.into_iter().collect());
    let matched = match_again(&erp, &session, &no, again).await?;
    Ok(if has_unfounded(&erp, &no).await {
        Redirect::to(&question(&no)).into_response()
    } else {
        matched
    })
}

#[derive(Template)]
#[template(path = "unfounded.html", config = "examples/erp_host/askama.toml")]
struct Unfounded {
    f: Frame,
    no: String,
    name: String,
    entries: u64,
}

/// Asks whether the entries are to be cancelled that rest on an address which the contact has no longer.
pub(super) async fn ask(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
) -> Result<Response, Failed> {
    let name = contact(&erp, &no)?.record.name;
    Ok(render(&Unfounded {
        f: Frame::new(&session, "contacts", question(&no)),
        entries: unfounded(&erp, &no).await.unwrap_or(0),
        name,
        no,
    }))
}

fn to(no: &str) -> String {
    format!("/contacts/{}", encoded(no))
}

fn question(no: &str) -> String {
    format!("{}/rematch", to(no))
}

/// Which mail is matched again, and what may come of it.
pub(super) struct Again {
    options: RematchOptions,
    cancels: bool,
}

impl Again {
    /// What these addresses name is logged where it was not. What is logged stays: a contact that loses an address keeps its
    /// history.
    pub(super) fn adding(addresses: Vec<Address>) -> Self {
        let options = RematchOptions::of(RematchOf::Addresses(addresses));
        Self {
            options: options.with_withdraw(false),
            cancels: false,
        }
    }

    /// What these addresses name goes over to the contact that has them now.
    pub(super) fn moving(addresses: Vec<Address>) -> Self {
        Self {
            options: RematchOptions::of(RematchOf::Addresses(addresses)),
            cancels: false,
        }
    }

    /// The automatic entries of a contact that has no address of their mail any more are cancelled.
    fn canceling(no: &str) -> Self {
        Self {
            options: RematchOptions::of(RematchOf::Contact(ContactNo::new(no))),
            cancels: true,
        }
    }
}

/// How many entries would be cancelled; nothing where that cannot be known now.
async fn unfounded(erp: &Erp, no: &str) -> Option<u64> {
    let options = Again::canceling(no).options.with_dry_run(true);
    carry_out(erp, &options).await.map(|told| told.withdrawn)
}

async fn has_unfounded(erp: &Erp, no: &str) -> bool {
    unfounded(erp, no).await.is_some_and(|entries| entries > 0)
}

async fn carry_out(erp: &Erp, options: &RematchOptions) -> Option<RematchReport> {
    let setup = erp.administration.load(&erp.scope).await.ok()?.setup;
    let _at_work = erp.at_work.lock().await;
    let logger = job::logger(erp, &setup).await.ok()?;
    let report = logger.rematch(options).await.ok()?;
    Some(report).filter(|report| report.skipped.is_none())
}

pub(super) async fn match_again(
    erp: &Erp,
    session: &Session,
    no: &str,
    again: Again,
) -> Result<Response, Failed> {
    let back = to(no);
    let Some(report) = carry_out(erp, &again.options).await else {
        return Ok(done(erp, session, &back, |w| w.flash_not_matched).into_response());
    };
    let (flash, number): (Flash, u64) = if again.cancels {
        (|w| w.flash_withdrawn, report.withdrawn)
    } else {
        (|w| w.flash_rematched, report.matched)
    };
    Ok(done_with(erp, session, &back, flash, &number.to_string()).into_response())
}
