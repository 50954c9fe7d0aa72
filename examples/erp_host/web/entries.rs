//! An interaction log entry with its original, and what people say about it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Form, Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use email_logging::interaction::{InformationFlow, InteractionLogEntry};
use email_logging::message::Authenticity;
use email_logging::privacy::{MARKED_PRIVATE, Visibility};
use email_logging::store::{
    Annotation, Conversations as _, InteractionLog as _, LoggedMail, MarkKind, ParticipantRole,
    PrivacyStore as _,
};
use email_logging::view::{HtmlView, content_disposition};
use email_logging::{EntryId, MessageUid};
use futures_util::stream;
use serde::Deserialize;

use super::original::{Parsed, Passage, SHOWN, Shown, size};
use super::page::{Failed, Frame, done, render};
use super::session::{Flash, Session};
use super::sight::{self, Log};
use crate::erp::Erp;

/// Mails of a conversation that are listed.
const CONVERSATION: usize = 50;
/// Bytes of an original that are sent at once.
const CHUNK: u64 = 256 << 10;

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
    pub(super) private: bool,
}

impl Row {
    pub(super) fn of(frame: &Frame, logged: InteractionLogEntry) -> Self {
        let entry = logged.entry;
        Self {
            id: entry.id.to_string(),
            date: frame.time(&entry.date),
            private: entry.flags.iter().any(|flag| flag == MARKED_PRIVATE),
            subject: entry.description,
            contact_no: entry.contact_no.to_string(),
            contact: entry.contact_name,
            salesperson: entry.salesperson_name,
            outbound: entry.information_flow == InformationFlow::Outbound,
            canceled: logged.canceled,
        }
    }
}

/// A mail of the conversation.
struct Linked {
    row: Row,
    from: String,
    /// How far it stands below the first one, as a class.
    depth: String,
    here: bool,
}

/// What the page says of the original beside its frame.
#[derive(Default)]
struct About {
    /// It is there and small enough for the frame.
    framed: bool,
    /// It is not shown: why, and its size.
    hidden: Option<(&'static str, String)>,
    /// What it is wrapped in, in words; what was left out.
    notes: Vec<String>,
    /// What was not loaded: how many, in words, and the hosts of trackers.
    blocked: Option<(String, String)>,
    has_html: bool,
    attachments: Vec<(Option<usize>, String, String)>,
}

#[derive(Template)]
#[template(path = "entry.html", config = "examples/erp_host/askama.toml")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a form or a note of the page"
)]
struct Entry {
    f: Frame,
    no: u64,
    row: Row,
    subject: String,
    /// Name, which may be blank, and address.
    from: Vec<(String, String)>,
    to: Vec<(String, String)>,
    cc: Vec<(String, String)>,
    /// How sure it is who wrote it: the class of the badge and its words.
    sender: Option<(&'static str, &'static str)>,
    flags: Vec<String>,
    evaluation: u8,
    comments: Vec<(String, String, String)>,
    others: Vec<Row>,
    conversation: Vec<Linked>,
    opportunity: Option<String>,
    about: About,
    web_link: Option<String>,
    as_text: bool,
    /// Everything of it is shown.
    full: bool,
    /// The person may say that it is private, or remove it.
    own: bool,
    /// The person may say so, or that it is so no longer.
    may_mark: bool,
    held: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Look {
    #[serde(rename = "as")]
    how: String,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Query(look): Query<Look>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "contacts", format!("/entries/{id}"));
    let log = sight::log(&erp, &session);
    let logged = entry(&erp, &log, &id).await?;
    let message = logged.entry.message;
    let mail = log.mail(&erp.scope, &message).await?;
    let full = sight::level(&erp, &session, &mail) == Visibility::Full;
    let others = mail
        .entries
        .iter()
        .filter(|other| other.entry_no != logged.entry_no);
    let marks = erp.store.marks(&erp.scope, &message).await?;
    let comments = logged.comments.iter().map(|comment| {
        let at = f.time(&comment.at);
        (at, comment.author.clone(), comment.text.clone())
    });
    let about = if full {
        about(&erp, &f, &log, &mail).await?
    } else {
        About::default()
    };
    let is_private = logged.entry.flags.iter().any(|flag| flag == MARKED_PRIVATE);
    Ok(render(&Entry {
        opportunity: logged.opportunity_no.clone(),
        conversation: if full {
            conversation(&erp, &f, &log, &message).await?
        } else {
            Vec::new()
        },
        about,
        as_text: look.how == "text",
        full,
        own: sight::owns(&session, &mail.entries),
        may_mark: sight::owns(&session, &mail.entries)
            && (!is_private || sight::wrote(&session, &mail.entries)),
        held: marks.iter().any(|(kind, _)| *kind == MarkKind::Hold),
        no: logged.entry_no,
        subject: mail.record.subject.clone(),
        from: people(&mail, ParticipantRole::From),
        to: people(&mail, ParticipantRole::To),
        cc: people(&mail, ParticipantRole::Cc),
        sender: sender(&f, mail.record.authenticity),
        flags: flags(&f, &mail.record.flags),
        web_link: mail
            .record
            .web_link
            .clone()
            .filter(|link| link.starts_with("https://")),
        evaluation: logged.evaluation.unwrap_or(0),
        comments: comments.collect(),
        others: others.map(|other| Row::of(&f, other.clone())).collect(),
        row: Row::of(&f, logged),
        f,
    }))
}

/// What the boundary says about the author, in words.
fn sender(f: &Frame, authenticity: Authenticity) -> Option<(&'static str, &'static str)> {
    match authenticity {
        Authenticity::Unknown => Some(("warn", f.w.sender_unknown)),
        Authenticity::Passed => Some(("good", f.w.sender_verified)),
        Authenticity::Failed => Some(("bad", f.w.sender_forged)),
        Authenticity::Internal => None,
    }
}

/// Notes in words; how a pair was found is no note, and what is said of the author stands beside the author.
fn flags(frame: &Frame, codes: &[String]) -> Vec<String> {
    let codes = codes
        .iter()
        .filter(|code| !code.starts_with("authenticity"));
    let words = codes.filter_map(|code| {
        let words = frame.language.of_code(&format!("flag.{code}"));
        words.map(str::to_owned)
    });
    words.collect()
}

fn people(mail: &LoggedMail, role: ParticipantRole) -> Vec<(String, String)> {
    let all = mail.record.participants.iter();
    let all = all.filter(|participant| participant.role == role);
    all.map(|one| (one.name.clone().unwrap_or_default(), one.address.clone()))
        .collect()
}

/// An entry that the person sees.
async fn entry(erp: &Erp, log: &Log, id: &str) -> Result<InteractionLogEntry, Failed> {
    let id: EntryId = id.parse().map_err(|_| Failed::Missing)?;
    Ok(log.entry(&erp.scope, &id).await?)
}

/// The mails of its conversation that the person sees, if it is not alone.
async fn conversation(
    erp: &Erp,
    f: &Frame,
    log: &Log,
    message: &MessageUid,
) -> Result<Vec<Linked>, Failed> {
    let all = log.conversation(&erp.scope, message).await?;
    let mut listed = Vec::new();
    for one in all.mails.into_iter().take(CONVERSATION) {
        let Ok(mail) = log.mail(&erp.scope, &one.message).await else {
            continue;
        };
        let from = people(&mail, ParticipantRole::From).into_iter();
        let from = from.map(|(name, address)| if name.is_empty() { address } else { name });
        let from = from.collect::<Vec<_>>().join(", ");
        let Some(entry) = mail.entries.into_iter().next() else {
            continue;
        };
        listed.push(Linked {
            row: Row::of(f, entry),
            from,
            depth: format!("depth-{}", one.depth.min(4)),
            here: one.message == *message,
        });
    }
    if listed.len() < 2 {
        listed.clear();
    }
    Ok(listed)
}

async fn about(erp: &Erp, f: &Frame, log: &Log, mail: &LoggedMail) -> Result<About, Failed> {
    let parsed = match erp.originals.of(log, &erp.scope, &mail.message).await? {
        Shown::Here(parsed) => parsed,
        Shown::Missing => {
            return Ok(About {
                hidden: Some((f.w.no_original, String::new())),
                ..About::default()
            });
        }
        Shown::TooLarge(total) => {
            let names = mail.attachments.iter();
            let names = names.map(|one| (None, one.name.clone(), bytes(one.size)));
            return Ok(About {
                hidden: Some((
                    f.w.too_large,
                    format!("{} > {}", bytes(total), bytes(SHOWN)),
                )),
                attachments: names.collect(),
                ..About::default()
            });
        }
    };
    Ok(About {
        framed: true,
        has_html: parsed.html.is_some(),
        notes: notes(f, &parsed),
        blocked: blocked(f, &parsed),
        attachments: parsed
            .attachments
            .iter()
            .enumerate()
            .map(|(index, (name, size))| (Some(index), name.clone(), bytes(*size)))
            .collect(),
        ..About::default()
    })
}

fn notes(f: &Frame, parsed: &Parsed) -> Vec<String> {
    let wrappers = parsed.wrappers.iter();
    let mut notes: Vec<String> = wrappers
        .map(|code| f.say(&format!("wrapper.{code}")))
        .collect();
    if let Some(invitation) = &parsed.invitation {
        let parts = [&invitation.summary, &invitation.location, &invitation.start];
        let parts = parts.into_iter().filter(|text| !text.is_empty());
        let parts: Vec<&str> = parts.map(String::as_str).collect();
        notes.push(format!("{}: {}", f.w.invitation, parts.join(" · ")));
    }
    if parsed.cut {
        notes.push(f.w.view_cut.to_owned());
    }
    notes
}

fn blocked(f: &Frame, parsed: &Parsed) -> Option<(String, String)> {
    let remote = &parsed.remote;
    if remote.is_empty() {
        return None;
    }
    let images = format!("{} {}", f.w.blocked_images, remote.images);
    let other = format!("{} {}", f.w.blocked_other, remote.other);
    let counts = match (remote.images, remote.other) {
        (_, 0) => images,
        (0, _) => other,
        _ => format!("{images} · {other}"),
    };
    Some((counts, remote.trackers.join(", ")))
}

/// A size for people.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes.div_ceil(1_024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}

#[derive(Template)]
#[template(path = "original.html", config = "examples/erp_host/askama.toml")]
struct Original<'a> {
    f: &'a Frame,
    text: Option<&'a [Passage]>,
}

/// The original for the frame: its HTML, sanitised, or else its text. Nothing of it runs or loads.
pub(super) async fn original(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Query(look): Query<Look>,
) -> Result<Response, Failed> {
    let log = sight::log(&erp, &session);
    let logged = entry(&erp, &log, &id).await?;
    let message = &logged.entry.message;
    let parsed = match erp.originals.of(&log, &erp.scope, message).await? {
        Shown::Here(parsed) => parsed,
        Shown::Missing | Shown::TooLarge(_) => return Err(Failed::Missing),
    };
    let f = Frame::new(&session, "", "");
    if let Some(html) = parsed.html.as_ref().filter(|_| look.how != "text") {
        let headers = [(
            header::CONTENT_SECURITY_POLICY,
            HtmlView::CONTENT_SECURITY_POLICY,
        )];
        return Ok((headers, Html(document(&f, html))).into_response());
    }
    let page = render(&Original {
        f: &f,
        text: Some(&parsed.text)
            .filter(|all| !all.is_empty())
            .map(Vec::as_slice),
    });
    let policy = "default-src 'none'; style-src 'self'; sandbox; frame-ancestors 'self'";
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response())
}

/// The document of a frame: its title is in the language of the page, that of the mail is not known.
fn document(f: &Frame, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title></head>\
         <body lang=\"\">{body}</body></html>",
        f.language.code(),
        f.w.original,
    )
}

/// One attachment, under its clean name, never shown by the browser itself.
pub(super) async fn attachment(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path((id, index)): Path<(String, usize)>,
) -> Result<Response, Failed> {
    let log = sight::log(&erp, &session);
    let logged = entry(&erp, &log, &id).await?;
    let message = &logged.entry.message;
    let found = erp
        .originals
        .attachment(&log, &erp.scope, message, index)
        .await?;
    let (name, content) = found.ok_or(Failed::Missing)?;
    let kinds = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, content_disposition(&name)),
    ];
    Ok((kinds, content).into_response())
}

/// The original, bit for bit, in pieces.
pub(super) async fn download(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let log = sight::log(&erp, &session);
    let logged = entry(&erp, &log, &id).await?;
    let message = logged.entry.message;
    let total = size(&log, &erp.scope, &message).await?;
    let total = total.ok_or(Failed::Missing)?;
    let name = format!("attachment; filename=\"mail-{}.eml\"", logged.entry_no);
    let kinds = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_LENGTH, total.to_string()),
    ];
    let scope = erp.scope.clone();
    let pieces = stream::unfold((log, 0_u64), move |(log, at)| {
        let scope = scope.clone();
        async move {
            if at >= total {
                return None;
            }
            let piece = log
                .original(&scope, &message, at..(at + CHUNK).min(total))
                .await;
            let piece = piece.map(|part| Bytes::from(part.bytes));
            let read = piece.as_ref().map_or(total, |bytes| bytes.len() as u64);
            // A piece that is empty would be asked for without end.
            Some((piece, (log, at + read.max(1))))
        }
    });
    Ok((kinds, Body::from_stream(pieces)).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    text: String,
    evaluation: u8,
    canceled: bool,
}

pub(super) async fn cancel(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Redirect, Failed> {
    let log = sight::log(&erp, &session);
    let entry = entry(&erp, &log, &id).await?.entry.id;
    log.cancel(&erp.scope, &entry, said.canceled).await?;
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
    let to = format!("/entries/{id}");
    let text = said.text.trim().to_owned();
    if text.is_empty() {
        return Ok(Redirect::to(&to));
    }
    let comment = Annotation::Comment {
        author: session.who(),
        text,
    };
    annotate(&erp, &session, &id, comment).await?;
    Ok(done(&erp, &session, &to, |w| w.flash_comment))
}

pub(super) async fn evaluate(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Redirect, Failed> {
    let grade = Some(said.evaluation).filter(|grade| (1..=5).contains(grade));
    let grade = Annotation::Evaluation(grade);
    annotate(&erp, &session, &id, grade).await?;
    Ok(done(&erp, &session, &format!("/entries/{id}"), |w| w.saved))
}

async fn annotate(
    erp: &Erp,
    session: &Session,
    id: &str,
    annotation: Annotation,
) -> Result<(), Failed> {
    let log = sight::log(erp, session);
    let entry = entry(erp, &log, id).await?.entry.id;
    Ok(log.annotate(&erp.scope, &entry, annotation).await?)
}
