//! What stands in front of the validator: it takes batches apart and notes what the validator finds.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response};
use base64_simd::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use serde_json::{Map, Value, json};

/// The version in front of every path, which the validator does not want to see.
const VERSION: &str = "/v1.0";
const LARGEST: usize = 64 << 20;

/// What passed through.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// Requests to the validator, parts of batches alone.
    pub(crate) requests: usize,
    /// Parts of batches that were compared with what the server answers to the batch.
    pub(crate) compared: usize,
    /// What it found.
    pub(crate) violations: Vec<String>,
}

/// A running relay.
pub(crate) struct Relay {
    /// Where a client finds Graph, without the version.
    pub(crate) origin: String,
    passed: Arc<Mutex<Passed>>,
    asked: Arc<AtomicU64>,
    compares: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Way {
    prism: String,
    /// The server behind the validator.
    graph: String,
    asked: Arc<AtomicU64>,
    /// Whether batches that only read are asked of the server itself, too.
    compares: Arc<AtomicBool>,
    client: reqwest::Client,
    passed: Arc<Mutex<Passed>>,
}

/// What the validator answered to one request.
struct Answered {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Relay {
    pub(crate) async fn before(prism: &str, graph: &str) -> Self {
        let passed = Arc::new(Mutex::new(Passed::default()));
        let asked = Arc::new(AtomicU64::new(0));
        let compares = Arc::new(AtomicBool::new(true));
        let way = Way {
            compares: Arc::clone(&compares),
            prism: prism.to_owned(),
            graph: graph.to_owned(),
            asked: Arc::clone(&asked),
            client: client(),
            passed: Arc::clone(&passed),
        };
        let router = axum::Router::new().fallback(relay).with_state(way);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            origin,
            passed,
            asked,
            compares,
        }
    }

    /// Whether batches that only read are asked of the server itself, too, and the answers compared. They are by default.
    pub(crate) fn compare_batches(&self, compare: bool) {
        self.compares.store(compare, Ordering::Relaxed);
    }

    /// How many requests came; a batch is one.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// What passed since the last look.
    pub(crate) fn passed(&self) -> Passed {
        std::mem::take(&mut *self.passed.lock().unwrap())
    }
}

/// A client that follows nothing.
pub(crate) fn client() -> reqwest::Client {
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.no_proxy().build().unwrap()
}

async fn relay(State(way): State<Way>, request: Request) -> Response<Body> {
    way.asked.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap();
    let target = parts.uri.path_and_query().unwrap().as_str();
    let target = target.strip_prefix(VERSION).unwrap_or(target);
    if target == "/$batch" {
        return batch(&way, &parts.headers, &body).await;
    }
    let answered = way
        .pass(parts.method, target, parts.headers, body.to_vec())
        .await;
    let mut response = Response::builder().status(answered.status);
    for (name, value) in &answered.headers {
        if *name != TRANSFER_ENCODING && name.as_str() != "content-length" {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(answered.body)).unwrap()
}

async fn batch(way: &Way, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
    let body: Value = serde_json::from_slice(body).unwrap();
    let requests = body["requests"].as_array().unwrap();
    assert!(requests.len() <= 20, "a batch of {}", requests.len());
    let mut responses = Vec::new();
    for part in requests {
        let method: Method = part["method"].as_str().unwrap().parse().unwrap();
        let body = part.get("body").map(|body| body.to_string().into_bytes());
        let answered = way
            .pass(
                method,
                &format!("/{}", part["url"].as_str().unwrap().trim_start_matches('/')),
                part_headers(part, headers),
                body.unwrap_or_default(),
            )
            .await;
        responses.push(answered.into_part(&part["id"]));
    }
    let reads = requests.iter().all(|part| part["method"] == "GET");
    if reads && way.compares.load(Ordering::Relaxed) {
        way.compare(headers, &body, &responses).await;
    }
    Response::builder()
        .status(200)
        .header("content-type", "application/json")
        .body(Body::from(json!({"responses": responses}).to_string()))
        .unwrap()
}

/// What has to be the same of a part each time: an error has a time and an id of its own.
fn essence(part: &Value) -> (Value, Value) {
    let body = match part["body"].get("error") {
        Some(error) => error["code"].clone(),
        None => part["body"].clone(),
    };
    (part["status"].clone(), body)
}

/// The header fields of a part, with the credential of the whole.
fn part_headers(part: &Value, whole: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(credential) = whole.get(AUTHORIZATION) {
        headers.insert(AUTHORIZATION, credential.clone());
    }
    for (name, value) in part["headers"].as_object().into_iter().flatten() {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        headers.insert(name, value.as_str().unwrap().parse().unwrap());
    }
    headers
}

impl Way {
    /// Asks the server itself for a batch that only reads: its parts have to be those that the validator has seen.
    async fn compare(&self, headers: &HeaderMap, body: &Value, seen: &[Value]) {
        let mut headers = headers.clone();
        headers.remove(HOST);
        headers.remove("content-length");
        let body = body.to_string().into_bytes();
        let sent = self.send(&self.graph, &Method::POST, "/$batch", &headers, body);
        let whole: Value = serde_json::from_slice(&sent.await.body).unwrap();
        let parts = whole["responses"].as_array().cloned().unwrap_or_default();
        let mut passed = self.passed.lock().unwrap();
        passed.compared += seen.len();
        if parts.len() != seen.len() {
            let found = format!("{} parts of {}", parts.len(), seen.len());
            passed.violations.push(format!("$batch: {found}"));
        }
        for one in seen {
            let same = parts.iter().find(|part| part["id"] == one["id"]);
            if same.map(essence) != Some(essence(one)) {
                let found = format!("part {} is another one than it is alone", one["id"]);
                passed.violations.push(format!("$batch: {found}"));
            }
        }
    }

    async fn pass(
        &self,
        method: Method,
        target: &str,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Answered {
        headers.remove(HOST);
        headers.remove("content-length");
        let mut answered = self
            .send(&self.prism, &method, target, &headers, body)
            .await;
        if answered.status == 200 && target.ends_with("/$value") && answered.violation().is_none() {
            // The validator reads all bodies as UTF-8: what it has seen is right, its copy need not be.
            let whole = self
                .send(&self.graph, &method, target, &headers, Vec::new())
                .await;
            answered.body = whole.body;
        }
        let mut passed = self.passed.lock().unwrap();
        passed.requests += 1;
        if let Some(found) = answered.violation() {
            let path = target.split('?').next().unwrap_or_default();
            passed.violations.push(format!("{method} {path}: {found}"));
        }
        answered
    }

    async fn send(
        &self,
        to: &str,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Answered {
        let request = self.client.request(method.clone(), format!("{to}{target}"));
        let mut request = request.headers(headers.clone());
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        Answered {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn is_json(&self) -> bool {
        let content_type = self.header(CONTENT_TYPE.as_str());
        content_type.is_some_and(|kind| kind.starts_with("application/json"))
    }

    /// What the validator found: a header field beside the answer, or a problem instead of it.
    fn violation(&self) -> Option<String> {
        if let Some(found) = self.header("sl-violations") {
            return Some(found.to_owned());
        }
        let is_problem = self.header(CONTENT_TYPE.as_str()) == Some("application/problem+json");
        is_problem.then(|| String::from_utf8_lossy(&self.body).into_owned())
    }

    fn into_part(self, id: &Value) -> Value {
        let mut headers = Map::new();
        for name in ["content-type", "retry-after"] {
            if let Some(value) = self.header(name) {
                headers.insert(name.to_owned(), json!(value));
            }
        }
        let mut part = json!({"id": id, "status": self.status, "headers": headers});
        if self.is_json() {
            part["body"] = serde_json::from_slice(&self.body).unwrap();
        } else if !self.body.is_empty() {
            part["body"] = json!(STANDARD.encode_to_string(&self.body));
        }
        part
    }
}
