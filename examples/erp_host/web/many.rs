//! Several mails of the review queue at once: left as they are, or logged for one contact.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, State};
use axum::response::Redirect;
use email_logging::MailboxKey;
use email_logging::directory::ContactRecord;
use email_logging::error::ErrorKind;
use email_logging::source::SightingKey;
use email_logging::store::{Resolution, ReviewItem};

use super::page::{Failed, done, done_with};
use super::review::{assignment, log_assigned, meant, named};
use super::session::{Flash, Person, Session};
use super::sight;
use crate::erp::Erp;

/// Items of one form at most.
const MOST: usize = 100;

/// What the box of an item says. No part of it holds a line break.
pub(super) fn pick(item: &ReviewItem) -> String {
    let decision = &item.decision;
    format!(
        "{}\n{}\n{}",
        item.version, decision.mailbox, decision.sighting
    )
}

fn picked(text: &str) -> Option<(u64, MailboxKey, SightingKey)> {
    // A browser sends a line break of a value as two characters.
    let text = text.replace("\r\n", "\n");
    let mut parts = text.splitn(3, '\n');
    let version = parts.next()?.parse().ok()?;
    let mailbox = MailboxKey::new(parts.next()?);
    Some((version, mailbox, parts.next()?.parse().ok()?))
}

/// Says the same about every item that is ticked. One that somebody else said something about meanwhile is left, as is one for
/// which no salesperson is known.
pub(super) async fn resolve(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, Failed> {
    let value = |wanted: &str| {
        let mut all = fields.iter();
        all.find(|(name, _)| name == wanted)
            .map_or("", |(_, value)| value.as_str())
    };
    let plain = |text: &&str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let back = Some(value("back")).filter(|back| back.starts_with("/review?"));
    let back = back.filter(plain).unwrap_or("/review");
    let picks = fields.iter().filter(|(name, _)| name == "pick");
    let picks: Vec<_> = picks
        .filter_map(|(_, text)| picked(text))
        .take(MOST)
        .collect();
    if picks.is_empty() {
        return Ok(done(&erp, &session, back, |w| w.flash_none_ticked));
    }
    let contact = match value("action") {
        "ignore" => None,
        "assign" => match meant(&erp, value("contact").trim()) {
            None => return Ok(done(&erp, &session, back, |w| w.nobody_fits)),
            contact => contact,
        },
        _ => return Err(Failed::Bad),
    };
    let all = picks.len();
    let mut said = 0;
    for (version, mailbox, key) in picks {
        let at = (version, &mailbox, &key);
        said += usize::from(one(&erp, &session, at, contact.as_ref(), value("note")).await?);
    }
    if contact.is_some() && said > 0 {
        log_assigned(&erp).await?;
    }
    let flash: Flash = match (contact.is_some(), said == all) {
        (_, false) => |w| w.flash_some_left,
        (true, true) => |w| w.flash_many_assigned,
        (false, true) => |w| w.flash_many_ignored,
    };
    let counts = if said == all {
        said.to_string()
    } else {
        format!("{said} / {all}")
    };
    Ok(done_with(&erp, &session, back, flash, &counts))
}

/// Says it about one; answers whether that was taken.
async fn one(
    erp: &Erp,
    session: &Session,
    (version, mailbox, key): (u64, &MailboxKey, &SightingKey),
    contact: Option<&ContactRecord>,
    note: &str,
) -> Result<bool, Failed> {
    let queue = sight::review(erp, session);
    let item = match queue.item(&erp.scope, mailbox, key).await {
        Ok(item) => item,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let resolution = match contact {
        None => Resolution::ignore(session.who()),
        Some(contact) => {
            let named = named(erp, &item);
            let own = session.person.as_ref().and_then(Person::salesperson);
            let code = named.salesperson.or_else(|| own.map(ToString::to_string));
            let Some(code) = code else {
                return Ok(false);
            };
            let name = erp.people.salesperson(&code).unwrap_or_default();
            let link = assignment(contact.clone(), (&code, name), named.outbound);
            Resolution::assign(session.who(), link)
        }
    };
    let resolution = resolution.with_note(note.trim());
    let resolved = queue
        .resolve(&erp.scope, mailbox, key, &resolution, version)
        .await;
    match resolved {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
