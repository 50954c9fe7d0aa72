//! Batches: up to 20 requests in one, each answered by itself, in any order (Microsoft Graph, "Combine multiple requests in
//! one HTTP call using JSON batching").
//!
//! The answer is read into memory as a whole and parsed in place; what a part holds as base64 is decoded from where it
//! stands. Whoever asks keeps the sum small.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde_json::Value;

use super::GraphSource;
use super::codes::{Chance, Class};
use super::content::is_original;
use super::failure::{Failure, Remedy};
use super::json::{Batch, Content, Message, Part, read};
use super::session::{PREFER, Question, may_ask_again};
use crate::error::{Error, ErrorKind, Result, ServerContext, codes};

/// Parts of one batch that Graph allows.
pub(super) const PARTS: usize = 20;

/// One request of a batch.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Asked {
    id: String,
    method: &'static str,
    url: String,
    headers: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Destination>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    destination_id: String,
}

#[derive(Serialize)]
struct Outgoing<'a> {
    requests: Vec<&'a Asked>,
}

impl Asked {
    /// Asks for a document.
    pub(super) fn get(url: String) -> Self {
        Self::new("GET", url, None)
    }

    /// Deletes something.
    pub(super) fn delete(url: String) -> Self {
        Self::new("DELETE", url, None)
    }

    /// Moves something to a folder, by its id or its well-known name.
    pub(super) fn move_to(url: String, folder: &str) -> Self {
        let destination_id = folder.to_owned();
        Self::new("POST", url, Some(Destination { destination_id }))
    }

    fn new(method: &'static str, url: String, body: Option<Destination>) -> Self {
        let mut headers = BTreeMap::from([("Prefer", PREFER)]);
        if body.is_some() {
            headers.insert("Content-Type", "application/json");
        }
        Self {
            id: String::new(),
            method,
            url,
            headers,
            body,
        }
    }
}

/// What a part that went well holds.
#[derive(Debug)]
pub(super) enum Held {
    /// Nothing.
    Nothing,
    /// The bytes of an original.
    Bytes(Vec<u8>),
    /// A message.
    Message(Box<Message>),
    /// Text that is no base64, or no original.
    Unreadable,
}

/// The answer to one part.
#[derive(Debug)]
pub(super) enum Answered {
    /// It went well.
    Fine(Held),
    /// It did not.
    Refused(Class, Error),
    /// There is no answer: what was done is not known.
    Missing(Error),
}

impl Answered {
    /// Whether the part may be asked again.
    fn may_be_asked_again(&self, changes: bool) -> bool {
        match self {
            Self::Fine(_) => false,
            Self::Refused(class, _) => may_ask_again(*class, changes),
            Self::Missing(_) => !changes,
        }
    }

    /// Whether its token was refused, so that nothing was done.
    fn wants_token(&self) -> bool {
        matches!(self, Self::Refused(Class::SignIn, _))
    }
}

/// One reading of an answer: the parts by their place in the question.
struct Reading {
    parts: Vec<Option<Read>>,
}

/// A part as it was read.
struct Read {
    status: u16,
    said: Said,
    headers: HeaderMap,
}

/// What a part says, before it is judged.
enum Said {
    Held(Held),
    Refusal(super::json::Said),
}

/// The parts of one question with what is known of them so far.
struct Parts {
    asked: Vec<Asked>,
    answers: Vec<Option<Answered>>,
    /// Those that are asked for next.
    open: Vec<usize>,
    changes: bool,
}

impl Parts {
    fn new(mut asked: Vec<Asked>, changes: bool) -> Self {
        for (at, part) in asked.iter_mut().enumerate() {
            part.id = at.to_string();
        }
        Self {
            answers: asked.iter().map(|_| None).collect(),
            open: (0..asked.len()).collect(),
            asked,
            changes,
        }
    }

    fn open(&self) -> Vec<&Asked> {
        let open = self.open.iter();
        open.filter_map(|at| self.asked.get(*at)).collect()
    }

    fn answer(&self, at: usize) -> Option<&Answered> {
        self.answers.get(at)?.as_ref()
    }

    fn take(&mut self, found: Vec<(usize, Answered)>) {
        for (at, answer) in found {
            if let Some(slot) = self.answers.get_mut(at) {
                *slot = Some(answer);
            }
        }
    }

    /// Keeps only those open that may be asked again; with a new token also those whose token was refused.
    fn retain(&mut self, new_token: bool) {
        let mut open = std::mem::take(&mut self.open);
        open.retain(|at| {
            self.answer(*at).is_some_and(|answer| {
                answer.may_be_asked_again(self.changes) || (new_token && answer.wants_token())
            })
        });
        self.open = open;
    }

    /// Of what was asked for last nothing is known.
    fn lose(&mut self, operation: &'static str, error: Error) {
        let wait = error.retry_after();
        let code = match error.kind() {
            ErrorKind::Throttled => &codes::GRAPH_THROTTLED,
            _ => &codes::GRAPH_UNAVAILABLE,
        };
        let mut first = Some(error);
        for at in std::mem::take(&mut self.open) {
            let error = first.take().unwrap_or_else(|| {
                let error = Error::new(code, operation);
                match wait {
                    Some(wait) => error.with_retry_after(wait),
                    None => error,
                }
            });
            if let Some(slot) = self.answers.get_mut(at) {
                *slot = Some(Answered::Missing(error));
            }
        }
    }

    fn into_answers(self, operation: &'static str) -> Vec<Answered> {
        let missing = || Answered::Missing(Error::new(&codes::GRAPH_ANSWERS_MISSING, operation));
        let answers = self.answers.into_iter();
        answers.map(|it| it.unwrap_or_else(missing)).collect()
    }
}

impl GraphSource {
    /// Asks for up to [`PARTS`] parts, and again for those that the service did not get to. One answer for each, in order.
    ///
    /// An `Err` means that nothing is known of any part. Once a part that changes something was answered, what happens later
    /// is the answer of those parts only that were asked for again.
    pub(super) async fn batch(
        &self,
        operation: &'static str,
        parts: Vec<Asked>,
        changes: bool,
    ) -> Result<Vec<Answered>> {
        let mut parts = Parts::new(parts, changes);
        let mut waits = self.session().waits();
        let (mut asked_before, mut may_sign_in) = (false, true);
        while !parts.open.is_empty() {
            let count = parts.asked.len();
            match self
                .batch_once(operation, &parts.open(), count, changes)
                .await
            {
                Ok(found) => parts.take(found),
                Err(error) if asked_before && changes => {
                    parts.lose(operation, error);
                    break;
                }
                Err(error) => return Err(error),
            }
            asked_before = true;
            let mut open = parts.open.iter().filter_map(|at| parts.answer(*at));
            let new_token = may_sign_in
                && open.any(Answered::wants_token)
                && self.session().sign_in_again().await.unwrap_or(false);
            may_sign_in &= !new_token;
            parts.retain(new_token);
            let open = parts.open.iter().filter_map(|at| parts.answer(*at));
            let failures = open
                .filter(|answer| !answer.wants_token())
                .filter_map(failure_of);
            if let Some(failure) = failures.max_by_key(wait_of)
                && self
                    .session()
                    .recover(false, failure, &mut waits)
                    .await
                    .is_err()
            {
                break;
            }
        }
        Ok(parts.into_answers(operation))
    }

    /// One request. The answers carry their place in the whole question.
    async fn batch_once(
        &self,
        operation: &'static str,
        parts: &[&Asked],
        places: usize,
        changes: bool,
    ) -> Result<Vec<(usize, Answered)>> {
        let outgoing = Outgoing {
            requests: parts.to_vec(),
        };
        let body =
            serde_json::to_vec(&outgoing).map_err(|_| Error::new(&codes::INTERNAL, operation))?;
        let url = self.session().addresses.batch()?;
        let question = Question::of(operation, url)
            .with_body(body, changes)
            .with_parts(parts.len());
        let take = |bytes: &[u8]| reading(bytes, places);
        let mut told = self.session().ask(&question, take).await?;
        let mut answers = Vec::with_capacity(parts.len());
        for part in parts {
            let Ok(at) = part.id.parse::<usize>() else {
                continue;
            };
            let found = told.content.parts.get_mut(at).and_then(Option::take);
            let answer = match found {
                Some(read) => self.judge(operation, read, &told.server, told.date),
                None => Answered::Missing(
                    Error::new(&codes::GRAPH_ANSWERS_MISSING, operation)
                        .with_server(told.server.clone()),
                ),
            };
            answers.push((at, answer));
        }
        Ok(answers)
    }

    /// Only the whole answer tells the server's clock.
    fn judge(
        &self,
        operation: &'static str,
        read: Read,
        server: &ServerContext,
        date: Option<Timestamp>,
    ) -> Answered {
        let Read {
            status,
            said,
            headers,
        } = read;
        let wait = self.session().wait_of_part(&headers, date);
        let mut server = server.clone();
        server.status = Some(status);
        server.request_id = request_id_in(&headers).or(server.request_id);
        let (class, code) = match said {
            Said::Held(held) if matches!(status, 200..=299) => return Answered::Fine(held),
            Said::Held(_) => (Class::of_status(status), String::new()),
            Said::Refusal(said) => (Class::of(&said, status), said.code),
        };
        let class = match class {
            Class::Transient if status == 503 && wait.is_some() => Class::Busy,
            class => class,
        };
        self.session().heed(class, wait);
        let error = class.error(operation, &code, server);
        Answered::Refused(
            class,
            match wait {
                Some(wait) => error.with_retry_after(wait),
                None => error,
            },
        )
    }
}

/// What the answer of a part asks for before the part is asked again.
fn failure_of(answer: &Answered) -> Option<Failure> {
    let (remedy, error) = match answer {
        Answered::Fine(_) => return None,
        Answered::Refused(class, error) if class.chance() == Chance::Wait => {
            (Remedy::Wait(error.retry_after()), error)
        }
        Answered::Missing(error) | Answered::Refused(_, error) => (Remedy::Repeat, error),
    };
    let code = match error.kind() {
        ErrorKind::Throttled => &codes::GRAPH_THROTTLED,
        _ => &codes::GRAPH_UNAVAILABLE,
    };
    Some(Failure {
        error: Error::new(code, error.operation()),
        remedy,
    })
}

fn wait_of(failure: &Failure) -> Duration {
    match failure.remedy {
        Remedy::Wait(wait) => wait.unwrap_or(Duration::from_millis(1)),
        _ => Duration::ZERO,
    }
}

/// Reads an answer. It cannot be read where a part is answered twice or was not asked for.
fn reading(bytes: &[u8], places: usize) -> Option<Reading> {
    let batch: Batch<'_> = read(bytes)?;
    let mut parts = Vec::new();
    parts.resize_with(places, || None);
    for part in batch.responses {
        let at: usize = part.id.parse().ok()?;
        let slot: &mut Option<_> = parts.get_mut(at)?;
        if slot.is_some() {
            return None;
        }
        let headers = headers_in(&part);
        *slot = Some(Read {
            status: part.status,
            said: said(part, &headers),
            headers,
        });
    }
    Some(Reading { parts })
}

fn said(part: Part<'_>, headers: &HeaderMap) -> Said {
    match part.body {
        Content::Nothing => Said::Held(Held::Nothing),
        Content::Text(text) if is_original(part.status, headers) => Said::Held(decoded(&text)),
        Content::Odd | Content::Text(_) => Said::Held(Held::Unreadable),
        Content::Object(message) => match *message {
            Message {
                error: Some(error), ..
            } => Said::Refusal(error),
            message => Said::Held(Held::Message(Box::new(message))),
        },
    }
}

/// Base64, of either alphabet, with or without padding.
fn decoded(text: &str) -> Held {
    let plain = base64_simd::forgiving_decode_to_vec(text.as_bytes());
    let bytes = plain.or_else(|_| {
        let text = text.trim_end_matches('=');
        base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text)
    });
    bytes.map_or(Held::Unreadable, Held::Bytes)
}

/// The headers of a part that are read. A service writes a number now and then as a number.
fn headers_in(part: &Part<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in part.headers.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        let name = HeaderName::try_from(name.as_str());
        let name = name.ok().filter(|name| READ_HEADERS.contains(name));
        if let (Some(name), Ok(value)) = (name, HeaderValue::try_from(text)) {
            headers.append(name, value);
        }
    }
    headers
}

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const READ_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, RETRY_AFTER, REQUEST_ID];

/// The id of a part, where it is one and no other text.
fn request_id_in(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_id = id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    is_id.then(|| id.to_owned())
}

/// The body of a request that is JSON.
pub(super) fn json_of(operation: &'static str, value: &impl Serialize) -> Result<Bytes> {
    let bytes = serde_json::to_vec(value);
    let bytes = bytes.map_err(|_| Error::new(&codes::INTERNAL, operation))?;
    Ok(bytes.into())
}
