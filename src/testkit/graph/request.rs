//! A request, whether it came alone or as a part of a batch.

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::Value;

use super::problem::Problem;

/// The version in front of every path.
pub(super) const VERSION: &str = "/v1.0";

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct GraphRequest {
    pub(super) method: Method,
    /// The path below the version, as it came.
    pub(super) path: String,
    /// Its segments, decoded.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    /// The values of all Prefer header fields.
    pub(super) prefer: String,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl GraphRequest {
    /// Reads a request that came alone; `None` when its path is of another service.
    pub(super) fn of_http(
        method: &Method,
        uri: &hyper::Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Option<Self> {
        let path = uri.path().strip_prefix(VERSION)?;
        let all = |name: &str| {
            let values = headers.get_all(name).iter();
            let values = values.filter_map(|value| value.to_str().ok());
            values.collect::<Vec<_>>().join(", ")
        };
        Some(Self::new(
            method.clone(),
            path,
            uri.query().unwrap_or_default(),
            (all("prefer"), all("content-type")),
            body,
        ))
    }

    /// Reads a part of a batch, whose URL begins below the version.
    pub(super) fn of_part(part: &Value) -> Result<Self, Problem> {
        let text = |name: &str| part.get(name).and_then(Value::as_str);
        let (Some(method), Some(url)) = (text("method"), text("url")) else {
            let text = "A request of the batch has no 'method' or no 'url'.";
            return Err(Problem::bad_request(text));
        };
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
            .map_err(|_| Problem::bad_request("The method of a request is invalid."))?;
        if url.contains("://") {
            let text = "The url of a request of the batch must be relative.";
            return Err(Problem::bad_request(text));
        }
        let url = format!("/{}", url.trim_start_matches('/'));
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let header = |name: &str| {
            let headers = part.get("headers").and_then(Value::as_object);
            let mut fields = headers.into_iter().flatten();
            let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
            found
                .and_then(|(_, value)| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let body = part.get("body").filter(|body| !body.is_null());
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let fields = (header("prefer"), header("content-type"));
        Ok(Self::new(method, path, query, fields, body))
    }

    fn new(
        method: Method,
        path: &str,
        query: &str,
        (prefer, content_type): (String, String),
        body: Bytes,
    ) -> Self {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        Self {
            method,
            path: path.to_owned(),
            segments: segments.map(decoded).collect(),
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            prefer,
            content_type,
            body,
        }
    }

    /// Whether ids shall stay through moves.
    pub(super) fn wants_immutable_ids(&self) -> bool {
        let wish = |one: &str| {
            let (name, value) = one.split_once('=').unwrap_or((one, ""));
            name.trim().eq_ignore_ascii_case("IdType")
                && value
                    .trim()
                    .trim_matches('"')
                    .eq_ignore_ascii_case("ImmutableId")
        };
        self.prefer.split(',').any(wish)
    }

    /// The size of pages that is wished by `Prefer: odata.maxpagesize`.
    pub(super) fn page_size(&self) -> Option<usize> {
        let sizes = self.prefer.split(',').filter_map(|one| {
            let (name, value) = one.split_once('=')?;
            (name.trim() == "odata.maxpagesize").then(|| value.trim().parse().ok())?
        });
        sizes.into_iter().find(|size| *size > 0)
    }

    /// The body as a JSON object.
    pub(super) fn json(&self) -> Result<Value, Problem> {
        let is_json = self
            .content_type
            .to_ascii_lowercase()
            .starts_with("application/json");
        if !self.body.is_empty() && !is_json {
            let text = "A Content-Type of application/json is needed with a body.";
            return Err(Problem::new(415, "UnsupportedMediaType", text));
        }
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Problem::bad_request("Unable to read JSON request payload."))
    }
}

/// Resolves percent encoding; a plus sign stays one, as in every path.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        if let Some(byte) = digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
