//! Faults in the bytes of an answer.

use bytes::Bytes;

use super::FaultKind;
use crate::testkit::exchange::reply::{Part, Reply};
use crate::testkit::exchange::xml::MESSAGES;

const FOREIGN: &str = "http://schemas.example/exchange/services/2006/messages";
const DOCTYPE: &str = "<!DOCTYPE s:Envelope [<!ENTITY a \"aaaaaaaaaa\">]>";
const SUBJECT: &str = "<t:Subject>";
const BODY_START: &str = "<s:Body>";
const BODY_END: &str = "</s:Body>";
const HTML: &str = "<!DOCTYPE html><html><head><title>Runtime Error</title></head>\
                    <body>Server Error in '/EWS' Application.</body></html>";

/// Changes an answer as the fault wants; faults that do not concern the bytes leave it as it is.
pub(crate) fn spoil(reply: Reply, kind: &FaultKind) -> Reply {
    match kind {
        FaultKind::WrongNamespace => edit(reply, |text| text.replacen(MESSAGES, FOREIGN, 1)),
        FaultKind::DoctypeBody => edit(reply, |text| {
            text.replacen("?>", &format!("?>{DOCTYPE}"), 1)
        }),
        FaultKind::NestedElements(depth) => edit(reply, |text| nest(text, *depth)),
        FaultKind::IllegalCharacterReference => edit(reply, illegal_reference),
        FaultKind::TextAfterEnvelope => edit(reply, |text| format!("{text}\r\n{HTML}")),
        FaultKind::InvalidUtf8 => invalid_utf8(reply),
        FaultKind::DamagedBase64 => edit(reply, damage_base64),
        FaultKind::UnknownElements => edit(reply, unknown_elements),
        FaultKind::MissingHeader => edit(reply, without_header),
        FaultKind::OtherPrefixes => edit(reply, other_prefixes),
        FaultKind::Status(status) => Reply {
            status: *status,
            ..reply
        },
        FaultKind::OversizeBody(bytes) => oversize(reply, *bytes),
        FaultKind::TruncateBody(bytes) => truncate(reply, *bytes),
        _ => reply,
    }
}

/// The page that stands instead of an answer.
pub(crate) fn html_page() -> Reply {
    Reply::new(200).with_body("text/html; charset=utf-8", HTML)
}

fn edit(mut reply: Reply, change: impl FnOnce(&str) -> String) -> Reply {
    let body = reply.whole_body();
    let changed = change(&String::from_utf8_lossy(&body));
    reply.parts = vec![Part::Bytes(Bytes::from(changed))];
    reply
}

fn nest(text: &str, depth: usize) -> String {
    let (open, close) = ("<t:Nested>".repeat(depth), "</t:Nested>".repeat(depth));
    text.replacen(BODY_START, &format!("{BODY_START}{open}{close}"), 1)
}

/// Puts the reference into the first subject, or into the body where there is none.
fn illegal_reference(text: &str) -> String {
    let place = if text.contains(SUBJECT) {
        SUBJECT
    } else {
        BODY_START
    };
    text.replacen(place, &format!("{place}&#x0;"), 1)
}

/// Puts bytes that no encoding of Unicode has into the first subject, or into the body.
fn invalid_utf8(mut reply: Reply) -> Reply {
    let body = reply.whole_body();
    let text = String::from_utf8_lossy(&body);
    let subject = text.find(SUBJECT).map(|at| at + SUBJECT.len());
    let place = subject.or_else(|| text.find(BODY_START).map(|at| at + BODY_START.len()));
    let at = place.unwrap_or(0);
    let bad = Bytes::from_static(b"\xff\xfe");
    reply.parts = vec![body.slice(..at), bad, body.slice(at..)]
        .into_iter()
        .map(Part::Bytes)
        .collect();
    reply
}

fn damage_base64(text: &str) -> String {
    const END: &str = "</t:MimeContent>";
    match text.find(END) {
        Some(at) if at > 0 => [&text[..at - 1], &text[at..]].concat(),
        _ => text.to_owned(),
    }
}

fn unknown_elements(text: &str) -> String {
    let unknown =
        "<t:FromTheFuture Kind=\"New\"><t:Inner>1</t:Inner></t:FromTheFuture></t:Message>";
    text.replace("</t:Message>", unknown)
}

fn without_header(text: &str) -> String {
    let parts = text
        .split_once("<s:Header>")
        .zip(text.split_once("</s:Header>"));
    parts.map_or_else(
        || text.to_owned(),
        |((before, _), (_, after))| [before, after].concat(),
    )
}

/// Text content cannot hold `<`, so these are tags alone.
fn other_prefixes(text: &str) -> String {
    [("s", "soap"), ("m", "ns1"), ("t", "ns2")]
        .iter()
        .fold(text.to_owned(), |text, (old, new)| {
            text.replace(&format!("<{old}:"), &format!("<{new}:"))
                .replace(&format!("</{old}:"), &format!("</{new}:"))
                .replace(&format!("xmlns:{old}="), &format!("xmlns:{new}="))
        })
}

fn oversize(mut reply: Reply, bytes: u64) -> Reply {
    let mut start = reply.whole_body();
    let at = String::from_utf8_lossy(&start).rfind(BODY_END).unwrap_or(0);
    let end = start.split_off(at);
    reply.parts = vec![Part::Bytes(start), Part::Blanks(bytes), Part::Bytes(end)];
    reply
}

fn truncate(mut reply: Reply, bytes: usize) -> Reply {
    let body = reply.whole_body();
    reply.claimed_length = Some(body.len() as u64);
    let kept = body.slice(..bytes.min(body.len()));
    reply.parts = vec![Part::Bytes(kept), Part::Abort];
    reply
}
