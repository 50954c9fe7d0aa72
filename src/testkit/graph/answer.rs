//! An answer before it becomes HTTP or a part of a batch.

use std::time::Duration;

use base64_simd::STANDARD;
use bytes::Bytes;
use hyper::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::reply::Reply;

/// The content type of all OData answers.
pub(super) const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;\
                               IEEE754Compatible=false;charset=utf-8";

/// What an operation answers.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Body,
    pub(super) retry_after: Option<Duration>,
    pub(super) challenge: Option<String>,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub(super) enum Body {
    None,
    Json(Value),
    Mime { content_type: String, bytes: Bytes },
}

impl Answer {
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            body: Body::None,
            retry_after: None,
            challenge: None,
        }
    }

    pub(super) fn json(status: u16, body: Value) -> Self {
        Self {
            body: Body::Json(body),
            ..Self::empty(status)
        }
    }

    pub(super) fn mime(content_type: &str, bytes: impl Into<Bytes>) -> Self {
        let (content_type, bytes) = (content_type.to_owned(), bytes.into());
        Self {
            body: Body::Mime {
                content_type,
                bytes,
            },
            ..Self::empty(200)
        }
    }

    pub(super) fn of(problem: &Problem, request_id: &str, date: &str) -> Self {
        Self {
            status: problem.status,
            body: Body::Json(problem.body(request_id, date)),
            retry_after: problem.retry_after,
            challenge: problem.challenge.clone(),
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        let reply = Reply::new(self.status);
        let reply = match self.body {
            Body::None => reply,
            Body::Json(body) => reply.with_body(JSON, body.to_string()),
            Body::Mime {
                content_type,
                bytes,
            } => reply.with_body(&content_type, bytes),
        };
        let own = [
            (RETRY_AFTER, self.retry_after.map(seconds)),
            (WWW_AUTHENTICATE, self.challenge),
        ];
        own.into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(reply, |reply, (name, value): (HeaderName, String)| {
                reply.with_header(name, value)
            })
    }

    /// The answer as a part of a batch; what is not JSON is base64 (Microsoft, "JSON batching").
    pub(super) fn into_part(self, id: &str) -> Value {
        let mut headers = Map::new();
        if let Some(wait) = self.retry_after {
            headers.insert("Retry-After".to_owned(), Value::String(seconds(wait)));
        }
        let mut part = json!({"id": id, "status": self.status});
        let body = match self.body {
            Body::None => None,
            Body::Json(body) => {
                headers.insert("Content-Type".to_owned(), json!(JSON));
                Some(body)
            }
            Body::Mime {
                content_type,
                bytes,
            } => {
                headers.insert("Content-Type".to_owned(), json!(content_type));
                Some(Value::String(STANDARD.encode_to_string(&bytes)))
            }
        };
        part["headers"] = Value::Object(headers);
        if let Some(body) = body {
            part["body"] = body;
        }
        part
    }
}

/// A wait as Retry-After says it: whole seconds, rounded up.
fn seconds(wait: Duration) -> String {
    wait.as_millis().div_ceil(1000).to_string()
}
