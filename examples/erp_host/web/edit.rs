//! Changing a contact: the mail of the addresses that it has now, and of those that it had, is matched again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};
use email_logging::ContactNo;
use email_logging::logger::{RematchOf, RematchOptions};
use email_logging::message::Address;
use serde::Deserialize;

use super::mails::encoded;
use super::page::{Failed, Frame, done, done_with, render};
use super::session::Session;
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
    erp.people.save(record, customer).map_err(Failed::broken)?;
    if before == after {
        return Ok(done(&erp, &session, &to(&no), |w| w.saved).into_response());
    }
    let all = before.union(&after).cloned().collect();
    match_again(&erp, &session, &no, all).await
}

fn are_addresses(field: &str) -> bool {
    let parts = field
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.into_iter().all(|part| Address::parse(part).is_ok())
}

/// Matches the mail of a contact again, where that could not be done when it was changed.
pub(super) async fn rematch(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(no): Path<String>,
) -> Result<Response, Failed> {
    let all = addresses(&contact(&erp, &no)?.record);
    match_again(&erp, &session, &no, all.into_iter().collect()).await
}

fn to(no: &str) -> String {
    format!("/contacts/{}", encoded(no))
}

pub(super) async fn match_again(
    erp: &Erp,
    session: &Session,
    no: &str,
    addresses: Vec<Address>,
) -> Result<Response, Failed> {
    let setup = erp.administration.load(&erp.scope).await?.setup;
    let matched = {
        let _at_work = erp.at_work.lock().await;
        match job::logger(erp, &setup).await {
            Ok(logger) => {
                let options = RematchOptions::of(RematchOf::Addresses(addresses));
                let report = logger.rematch(&options).await;
                report.ok().filter(|report| report.skipped.is_none())
            }
            Err(_) => None,
        }
    };
    let back = to(no);
    let Some(report) = matched else {
        return Ok(done(erp, session, &back, |w| w.flash_not_matched).into_response());
    };
    let changed = report.matched.to_string();
    Ok(done_with(erp, session, &back, |w| w.flash_rematched, &changed).into_response())
}
