//! Faults in the answer: what stands in its place, and what is wrong with its bytes.

use bytes::Bytes;
use hyper::header::LOCATION;
use serde_json::{Value, json};

use super::GraphFaultKind;
use crate::testkit::graph::answer::Answer;
use crate::testkit::graph::problem::Problem;
use crate::testkit::graph::reply::{Part, Reply};

/// One of its lines looks like a field of a mail's header.
const HTML: &str = "<!DOCTYPE html><html><head><title>Service unavailable</title><style>\n\
                    body{margin:0}\n</style></head>\n\n\
                    <body>Our services are not available right now.</body></html>";

/// What stands instead of an answer.
pub(in crate::testkit::graph) enum Instead {
    Problem(Problem),
    Answer(Answer),
    Reply(Reply),
}

/// What a fault answers instead of doing anything.
pub(in crate::testkit::graph) fn instead(kind: &GraphFaultKind) -> Option<Instead> {
    Some(match kind {
        GraphFaultKind::Throttled { retry_after } => {
            Instead::Problem(Problem::throttled(*retry_after))
        }
        GraphFaultKind::Error {
            status,
            code,
            retry_after,
        } => Instead::Problem(
            Problem::new(*status, code.clone(), "The request could not be completed.")
                .with_retry_after(*retry_after),
        ),
        GraphFaultKind::Http {
            status,
            retry_after,
        } => Instead::Answer(Answer {
            retry_after: *retry_after,
            ..Answer::empty(*status)
        }),
        GraphFaultKind::Unauthorized => Instead::Problem(Problem::token(Some(
            crate::testkit::identity::TokenRefusal::TokenExpired,
        ))),
        GraphFaultKind::ClaimsChallenge => Instead::Problem(Problem::claims_challenge()),
        GraphFaultKind::SyncStateGone => Instead::Problem(Problem::new(
            410,
            "SyncStateNotFound",
            "The sync state generation is not found; generate a new one by a full sync.",
        )),
        GraphFaultKind::HtmlPage => {
            Instead::Reply(Reply::new(200).with_body("text/html; charset=utf-8", HTML))
        }
        GraphFaultKind::RedirectTo(url) => {
            Instead::Reply(Reply::new(302).with_header(LOCATION, url))
        }
        _ => return None,
    })
}

/// Changes the parts of a batch's answer as the fault wants.
pub(in crate::testkit::graph) fn spoil_parts(parts: &mut Vec<Value>, kind: &GraphFaultKind) {
    match kind {
        GraphFaultKind::MissingParts(count) => {
            parts.truncate(parts.len().saturating_sub(*count));
        }
        GraphFaultKind::ReversedParts => parts.reverse(),
        GraphFaultKind::DuplicateParts => parts.extend(parts.first().cloned()),
        GraphFaultKind::DamagedBase64 => {
            let body = parts
                .iter_mut()
                .find_map(|part| match part.get_mut("body") {
                    Some(Value::String(body)) => Some(body),
                    _ => None,
                });
            if let Some(body) = body {
                body.pop();
            }
        }
        _ => {}
    }
}

/// Changes the bytes of an answer as the fault wants; faults that do not concern them leave it as it is.
pub(in crate::testkit::graph) fn spoil(reply: Reply, kind: &GraphFaultKind) -> Reply {
    match kind {
        GraphFaultKind::InvalidJson => edit(reply, |text| {
            let mut text = text.to_owned();
            text.pop();
            text
        }),
        GraphFaultKind::WrongTypes => edit(reply, wrong_types),
        GraphFaultKind::DeepJson(depth) => edit(reply, |text| {
            let (open, close) = ("[".repeat(*depth), "]".repeat(*depth));
            text.replacen('{', &format!("{{\"deep\":{open}{close},"), 1)
        }),
        GraphFaultKind::InvalidUtf8 => invalid_utf8(reply),
        GraphFaultKind::UnknownMembers => edit(reply, |text| {
            text.replace("{\"", "{\"fromTheFuture\":{\"new\":[1]},\"")
        }),
        GraphFaultKind::LoneSurrogate(found) => instead_of(reply, found, |text| {
            format!("{}\\ud83d\"", text.trim_end_matches('"'))
        }),
        GraphFaultKind::OddField(found) => instead_of(reply, found, |_| "7".to_owned()),
        GraphFaultKind::OversizeBody(bytes) => {
            let mut reply = reply;
            reply.parts.push(Part::Blanks(*bytes));
            reply
        }
        GraphFaultKind::TruncateBody(bytes) => truncate(reply, *bytes),
        _ => reply,
    }
}

fn edit(mut reply: Reply, change: impl FnOnce(&str) -> String) -> Reply {
    let body = reply.whole_body();
    let changed = change(&String::from_utf8_lossy(&body));
    reply.parts = vec![Part::Bytes(Bytes::from(changed))];
    reply
}

/// Changes a text of an answer, which keeps its bytes where the text is not in it.
fn instead_of(mut reply: Reply, found: &str, change: impl FnOnce(&str) -> String) -> Reply {
    let found = json!(found).to_string();
    let body = reply.whole_body();
    if let Ok(text) = std::str::from_utf8(&body)
        && text.contains(&found)
    {
        let changed = text.replace(&found, &change(&found));
        reply.parts = vec![Part::Bytes(Bytes::from(changed))];
    }
    reply
}

fn wrong_types(text: &str) -> String {
    let Ok(mut body) = serde_json::from_str::<Value>(text) else {
        return "7".to_owned();
    };
    for name in ["value", "responses", "id"] {
        if let Some(member) = body.get_mut(name) {
            *member = json!(7);
        }
    }
    body.to_string()
}

fn invalid_utf8(mut reply: Reply) -> Reply {
    let body = reply.whole_body();
    let at = body
        .iter()
        .position(|byte| *byte == b'"')
        .map_or(0, |at| at + 1);
    let bad = Bytes::from_static(b"\xff\xfe");
    let pieces = [body.slice(..at), bad, body.slice(at..)];
    reply.parts = pieces.into_iter().map(Part::Bytes).collect();
    reply
}

fn truncate(mut reply: Reply, bytes: usize) -> Reply {
    let body = reply.whole_body();
    reply.claimed_length = Some(body.len() as u64);
    let kept = body.slice(..bytes.min(body.len()));
    reply.parts = vec![Part::Bytes(kept), Part::Abort];
    reply
}
