//! What was asked and answered, kept for tests that look at every envelope.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{fs, io};

use hyper::HeaderMap;

use super::lock;
use super::operation::Operation;

/// Header fields that are worth keeping; credentials never are.
const HEADERS: [&str; 8] = [
    "content-type",
    "user-agent",
    "client-request-id",
    "return-client-request-id",
    "x-anchormailbox",
    "x-publicfoldermailbox",
    "x-clientstatistics",
    "accept-encoding",
];

/// One request and its answer.
///
/// Its debug form holds no body.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The number of the connection, from 1.
    pub connection: u64,
    /// The operation, or `None` for a request that was not understood or not let in.
    pub operation: Option<Operation>,
    /// Header fields by lower-case name: content type, user agent, request id, routing. Never
    /// credentials.
    pub headers: BTreeMap<String, String>,
    /// The body of the request.
    pub request: Arc<[u8]>,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer as it was sent; blanks of an oversize answer are left out.
    pub answer: Arc<[u8]>,
    /// The names of the faults that the call met.
    pub faults: Vec<&'static str>,
}

impl std::fmt::Debug for RecordedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordedCall")
            .field("connection", &self.connection)
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("faults", &self.faults)
            .field("request_bytes", &self.request.len())
            .field("answer_bytes", &self.answer.len())
            .finish_non_exhaustive()
    }
}

/// Keeps calls while it is switched on; holds nothing otherwise.
#[derive(Default)]
pub(crate) struct Recorder {
    calls: Option<Mutex<Vec<RecordedCall>>>,
}

impl Recorder {
    pub(crate) fn new(recording: bool) -> Self {
        Self {
            calls: recording.then(Mutex::default),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.calls.is_some()
    }

    pub(crate) fn keep(&self, call: RecordedCall) {
        if let Some(calls) = &self.calls {
            lock(calls).push(call);
        }
    }

    pub(crate) fn calls(&self) -> Vec<RecordedCall> {
        self.calls
            .as_ref()
            .map(|calls| lock(calls).clone())
            .unwrap_or_default()
    }
}

/// The header fields of a request that are kept.
pub(crate) fn kept_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |name: &&str| headers.get(*name).and_then(|value| value.to_str().ok());
    let kept = HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), text(name)?.to_owned())));
    kept.collect()
}

/// Writes calls as `0001-GetItem-request.xml` and `0001-GetItem-answer.xml`.
pub(crate) fn write_to(calls: &[RecordedCall], directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for (index, call) in calls.iter().enumerate() {
        let operation = call.operation.map_or("Unknown", Operation::name);
        let stem = format!("{:04}-{operation}", index + 1);
        fs::write(directory.join(format!("{stem}-request.xml")), &call.request)?;
        fs::write(directory.join(format!("{stem}-answer.xml")), &call.answer)?;
    }
    Ok(())
}
