//! What a person says about a logged mail: that it is private, that it has to stay, that it goes.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use email_logging::EntryId;
use email_logging::interaction::InteractionLogEntry;
use email_logging::store::{
    InteractionLog as _, LoggedMail, Mark, MarkKind, PrivacyDesk, PrivacyStore as _,
};
use serde::Deserialize;

use super::mails::encoded;
use super::page::{Failed, Frame, done, render};
use super::session::{Flash, Session};
use super::sight;
use crate::erp::Erp;

/// The entry and its mail, if they are seen by somebody whose mail it is.
async fn own(
    erp: &Erp,
    session: &Session,
    id: &str,
) -> Result<(InteractionLogEntry, LoggedMail), Failed> {
    let log = sight::log(erp, session);
    let id: EntryId = id.parse().map_err(|_| Failed::Missing)?;
    let entry = log.entry(&erp.scope, &id).await?;
    let mail = log.mail(&erp.scope, &entry.entry.message).await?;
    if sight::owns(session, &mail.entries) {
        Ok((entry, mail))
    } else {
        Err(Failed::NotYours)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    /// Whether the mark holds from now on.
    on: bool,
    reason: String,
}

/// Marks a mail private, or takes that back.
pub(super) async fn mark(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Redirect, Failed> {
    let (_, mail) = own(&erp, &session, &id).await?;
    let flash: Flash = if said.on {
        PrivacyDesk::new(&*erp.store, &erp.scope, session.who())
            .mark_private(&mail.message, said.reason.trim())
            .await?;
        erp.private_mail.is_marked();
        |w| w.flash_private
    } else {
        if !sight::wrote(&session, &mail.entries) {
            return Err(Failed::NotYours);
        }
        erp.store
            .unmark_mail(&erp.scope, &mail.message, MarkKind::Private)
            .await?;
        |w| w.flash_shared
    };
    Ok(done(&erp, &session, &format!("/entries/{id}"), flash))
}

/// Keeps a mail whatever its age, or takes that back. It is for the administration to say.
pub(super) async fn hold(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Redirect, Failed> {
    if !session.is_administration() {
        return Err(Failed::NotYours);
    }
    let (_, mail) = own(&erp, &session, &id).await?;
    let (scope, kind) = (&erp.scope, MarkKind::Hold);
    let flash: Flash = if said.on {
        let mark = Mark::new(session.who(), said.reason.trim());
        erp.store
            .mark_mail(scope, &mail.message, kind, &mark)
            .await?;
        |w| w.flash_held
    } else {
        erp.store.unmark_mail(scope, &mail.message, kind).await?;
        |w| w.flash_released
    };
    Ok(done(&erp, &session, &format!("/entries/{id}"), flash))
}

#[derive(Template)]
#[template(path = "remove.html", config = "examples/erp_host/askama.toml")]
struct Ask {
    f: Frame,
    id: String,
    subject: String,
    entries: usize,
    /// It has to stay: nobody removes it before the administration says that it need not.
    held: bool,
}

async fn is_held(erp: &Erp, mail: &LoggedMail) -> Result<bool, Failed> {
    let marks = erp.store.marks(&erp.scope, &mail.message).await?;
    Ok(marks.iter().any(|(kind, _)| *kind == MarkKind::Hold))
}

/// Asks whether a mail is really to go.
pub(super) async fn ask(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let (_, mail) = own(&erp, &session, &id).await?;
    Ok(render(&Ask {
        f: Frame::new(&session, "contacts", format!("/entries/{id}/remove")),
        held: is_held(&erp, &mail).await?,
        subject: mail.record.subject,
        entries: mail.entries.len(),
        id,
    }))
}

/// Removes a mail for everybody; it is not logged again.
pub(super) async fn remove(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let (entry, mail) = own(&erp, &session, &id).await?;
    if is_held(&erp, &mail).await? {
        let asked = ask(State(erp), Extension(session), Path(id)).await?;
        return Ok((StatusCode::CONFLICT, asked).into_response());
    }
    PrivacyDesk::new(&*erp.store, &erp.scope, session.who())
        .remove(&mail.message)
        .await?;
    erp.originals.forget();
    let to = format!("/contacts/{}", encoded(entry.entry.contact_no.as_str()));
    Ok(done(&erp, &session, &to, |w| w.flash_removed).into_response())
}
