//! What was asked and answered, kept for tests that look at every request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyper::HeaderMap;

use super::lock;
use super::operation::GraphOperation;

/// Header fields that are worth keeping; credentials never are.
const HEADERS: [&str; 7] = [
    "accept",
    "accept-encoding",
    "client-request-id",
    "content-type",
    "prefer",
    "return-client-request-id",
    "user-agent",
];

/// One HTTP request and its answer.
///
/// Its debug form holds no address, no query and no body.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedGraphCall {
    /// The number of the connection, from 1.
    pub connection: u64,
    /// The operation, or `None` for a request that was not understood or not let in.
    pub operation: Option<GraphOperation>,
    /// The method.
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// Header fields by lower-case name. Never credentials.
    pub headers: BTreeMap<String, String>,
    /// The body of the request.
    pub request: Arc<[u8]>,
    /// The status of the answer; 0 when there was none.
    pub status: u16,
    /// The body of the answer as it was sent; blanks of an oversize answer are left out.
    pub answer: Arc<[u8]>,
    /// The names of the faults that the call met; those of parts of a batch too.
    pub faults: Vec<&'static str>,
}

impl std::fmt::Debug for RecordedGraphCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordedGraphCall")
            .field("connection", &self.connection)
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("status", &self.status)
            .field("faults", &self.faults)
            .field("request_bytes", &self.request.len())
            .field("answer_bytes", &self.answer.len())
            .finish_non_exhaustive()
    }
}

/// Keeps calls while it is switched on; holds nothing otherwise.
#[derive(Default)]
pub(super) struct Recorder {
    calls: Option<Mutex<Vec<RecordedGraphCall>>>,
}

impl Recorder {
    pub(super) fn new(recording: bool) -> Self {
        Self {
            calls: recording.then(Mutex::default),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.calls.is_some()
    }

    pub(super) fn keep(&self, call: RecordedGraphCall) {
        if let Some(calls) = &self.calls {
            lock(calls).push(call);
        }
    }

    pub(super) fn calls(&self) -> Vec<RecordedGraphCall> {
        let calls = self.calls.as_ref();
        calls.map(|calls| lock(calls).clone()).unwrap_or_default()
    }
}

/// The header fields of a request that are kept.
pub(super) fn kept_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |name: &&str| headers.get(*name).and_then(|value| value.to_str().ok());
    let kept = HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), text(name)?.to_owned())));
    kept.collect()
}
