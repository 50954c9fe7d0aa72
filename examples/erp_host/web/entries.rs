//! An interaction log entry with its original, and what people say about it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use email_logging::EntryId;
use email_logging::interaction::{InformationFlow, InteractionLogEntry};
use email_logging::store::{Annotation, InteractionLog as _, LoggedMail, ParticipantRole};
use email_logging::view::{HtmlView, OriginalView, ViewLimits, content_disposition};
use serde::Deserialize;

use super::page::{Failed, Frame, done, own_form, render};
use super::session::{Flash, Session};
use crate::erp::Erp;

/// Bytes of the largest original that is shown; a larger one is downloaded.
const SHOWN: u64 = 32 << 20;

/// An entry in a list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) date: String,
    pub(super) subject: String,
    pub(super) contact_no: String,
    pub(super) contact: String,
    pub(super) salesperson: String,
    pub(super) outbound: bool,
    pub(super) canceled: bool,
}

impl Row {
    pub(super) fn of(frame: &Frame, logged: InteractionLogEntry) -> Self {
        let entry = logged.entry;
        Self {
            id: entry.id.to_string(),
            date: frame.time(&entry.date),
            subject: entry.description,
            contact_no: entry.contact_no.to_string(),
            contact: entry.contact_name,
            salesperson: entry.salesperson_name,
            outbound: entry.information_flow == InformationFlow::Outbound,
            canceled: logged.canceled,
        }
    }
}

#[derive(Template)]
#[template(path = "entry.html", config = "examples/erp_host/askama.toml")]
struct Entry {
    f: Frame,
    no: u64,
    row: Row,
    subject: String,
    from: Vec<String>,
    to: Vec<String>,
    cc: Vec<String>,
    flags: Vec<String>,
    evaluation: u8,
    comments: Vec<(String, String, String)>,
    others: Vec<Row>,
    opportunity: Option<String>,
    attachments: Vec<(usize, String, String)>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "contacts", format!("/entries/{id}"));
    let logged = entry(&erp, &id).await?;
    let mail = erp.store.mail(&erp.scope, &logged.entry.message).await?;
    let people = |role| people(&mail, role);
    let comments = logged.comments.iter().map(|comment| {
        let at = f.time(&comment.at);
        (at, comment.author.clone(), comment.text.clone())
    });
    let others = mail
        .entries
        .iter()
        .filter(|other| other.entry_no != logged.entry_no);
    let attachments = match bytes(&erp, &logged).await {
        Some(original) => attachments(&original),
        None => Vec::new(),
    };
    Ok(render(&Entry {
        opportunity: logged.opportunity_no.clone(),
        attachments,
        no: logged.entry_no,
        subject: mail.record.subject.clone(),
        from: people(ParticipantRole::From),
        to: people(ParticipantRole::To),
        cc: people(ParticipantRole::Cc),
        flags: flags(&f, &mail.record.flags),
        evaluation: logged.evaluation.unwrap_or(0),
        comments: comments.collect(),
        others: others.map(|other| Row::of(&f, other.clone())).collect(),
        row: Row::of(&f, logged),
        f,
    }))
}

/// Notes in words; how a pair was found is no note.
fn flags(frame: &Frame, codes: &[String]) -> Vec<String> {
    let words = codes.iter().filter_map(|code| {
        let words = frame.language.of_code(&format!("flag.{code}"));
        words.map(str::to_owned)
    });
    words.collect()
}

fn people(mail: &LoggedMail, role: ParticipantRole) -> Vec<String> {
    let all = mail.record.participants.iter();
    let all = all.filter(|participant| participant.role == role);
    all.map(|participant| match &participant.name {
        Some(name) => format!("{name} <{}>", participant.address),
        None => participant.address.clone(),
    })
    .collect()
}

async fn entry(erp: &Erp, id: &str) -> Result<InteractionLogEntry, Failed> {
    let id: EntryId = id.parse().map_err(|_| Failed::Missing)?;
    Ok(erp.store.entry(&erp.scope, &id).await?)
}

/// The original, if it is kept and not too large to be shown.
async fn bytes(erp: &Erp, logged: &InteractionLogEntry) -> Option<Vec<u8>> {
    let message = &logged.entry.message;
    let original = erp.store.original(&erp.scope, message, 0..SHOWN).await;
    // A part of it would show, and hand out, attachments that are cut off.
    let original = original.ok().filter(|original| original.total <= SHOWN);
    original.map(|original| original.bytes)
}

fn attachments(original: &[u8]) -> Vec<(usize, String, String)> {
    let view = OriginalView::of(original, &ViewLimits::default());
    let all = view.attachments().enumerate();
    all.map(|(index, one)| (index, one.name.clone(), size(one.size)))
        .collect()
}

/// A size for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes.div_ceil(1_024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}

#[derive(Template)]
#[template(path = "original.html", config = "examples/erp_host/askama.toml")]
struct Original {
    f: Frame,
    text: Option<String>,
}

/// The original for the frame: its HTML, sanitised, or else its text. Nothing of it runs or loads.
pub(super) async fn original(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let logged = entry(&erp, &id).await?;
    let original = bytes(&erp, &logged).await;
    let original = original.as_deref();
    let view = original.map(|bytes| OriginalView::of(bytes, &ViewLimits::default()));
    let html = view.as_ref().and_then(OriginalView::html);
    if let Some(html) = html {
        let headers = [(
            header::CONTENT_SECURITY_POLICY,
            HtmlView::CONTENT_SECURITY_POLICY,
        )];
        return Ok((headers, Html(html.folded_document())).into_response());
    }
    let page = render(&Original {
        f: Frame::new(&session, "", ""),
        text: view.map(|view| view.text().text),
    });
    let policy = "default-src 'none'; style-src 'self'; sandbox; frame-ancestors 'self'";
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response())
}

/// One attachment, under its clean name, never shown by the browser itself.
pub(super) async fn attachment(
    State(erp): State<Arc<Erp>>,
    Path((id, index)): Path<(String, usize)>,
) -> Result<Response, Failed> {
    let logged = entry(&erp, &id).await?;
    let original = bytes(&erp, &logged).await.ok_or(Failed::Missing)?;
    let view = OriginalView::of(&original, &ViewLimits::default());
    let name = view.attachments().nth(index).map(|one| one.name.clone());
    let content = view.attachment(index).ok_or(Failed::Missing)?.into_owned();
    let kinds = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            content_disposition(&name.unwrap_or_default()),
        ),
    ];
    Ok((kinds, content).into_response())
}

/// The original, bit for bit.
pub(super) async fn download(
    State(erp): State<Arc<Erp>>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let logged = entry(&erp, &id).await?;
    let message = &logged.entry.message;
    let original = erp.store.original(&erp.scope, message, 0..u64::MAX).await?;
    let name = format!("attachment; filename=\"mail-{}.eml\"", logged.entry_no);
    let kinds = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((kinds, original.bytes).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    token: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    evaluation: u8,
    #[serde(default)]
    canceled: bool,
}

pub(super) async fn cancel(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Redirect, Failed> {
    own_form(&session, &said.token)?;
    let entry = entry(&erp, &id).await?.entry.id;
    erp.store.cancel(&erp.scope, &entry, said.canceled).await?;
    let flash: Flash = if said.canceled {
        |w| w.flash_canceled
    } else {
        |w| w.flash_uncanceled
    };
    Ok(done(&erp, &session, &format!("/entries/{id}"), flash))
}

pub(super) async fn comment(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Redirect, Failed> {
    let text = said.text.trim().to_owned();
    if text.is_empty() {
        own_form(&session, &said.token)?;
    } else {
        let comment = Annotation::Comment {
            author: "ERP".into(),
            text,
        };
        annotate(&erp, &session, &id, &said.token, comment).await?;
        let to = format!("/entries/{id}");
        return Ok(done(&erp, &session, &to, |w| w.flash_comment));
    }
    Ok(Redirect::to(&format!("/entries/{id}")))
}

pub(super) async fn evaluate(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Redirect, Failed> {
    let grade = Some(said.evaluation).filter(|grade| (1..=5).contains(grade));
    let grade = Annotation::Evaluation(grade);
    annotate(&erp, &session, &id, &said.token, grade).await?;
    Ok(done(&erp, &session, &format!("/entries/{id}"), |w| w.saved))
}

async fn annotate(
    erp: &Erp,
    session: &Session,
    id: &str,
    token: &str,
    annotation: Annotation,
) -> Result<(), Failed> {
    own_form(session, token)?;
    let entry = entry(erp, id).await?.entry.id;
    Ok(erp.store.annotate(&erp.scope, &entry, annotation).await?)
}
