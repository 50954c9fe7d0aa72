//! A pass between a client and the simulated Graph that changes nothing and writes everything down.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response};
use reqwest::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use serde_json::Value;

use super::relay::client;

const LARGEST: usize = 64 << 20;

/// A request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) method: Method,
    /// Below the version, without a query.
    pub(crate) path: String,
    pub(crate) sent: Value,
    pub(crate) status: u16,
    pub(crate) got: Value,
}

pub(crate) struct Tap {
    pub(crate) origin: String,
    passed: Arc<Mutex<Vec<Exchange>>>,
}

#[derive(Clone)]
struct Way {
    to: String,
    client: reqwest::Client,
    passed: Arc<Mutex<Vec<Exchange>>>,
}

impl Tap {
    /// Before the server at this origin.
    pub(crate) async fn before(origin: &str) -> Self {
        let passed = Arc::<Mutex<Vec<Exchange>>>::default();
        let way = Way {
            to: origin.to_owned(),
            client: client(),
            passed: Arc::clone(&passed),
        };
        let router = axum::Router::new().fallback(pass).with_state(way);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { origin, passed }
    }

    pub(crate) fn passed(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.passed.lock().unwrap())
    }
}

async fn pass(State(way): State<Way>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap();
    let target = parts.uri.path_and_query().unwrap().as_str();
    let mut headers = parts.headers;
    headers.remove(HOST);
    headers.remove(CONTENT_LENGTH);
    let asked = way
        .client
        .request(parts.method.clone(), format!("{}{target}", way.to))
        .headers(headers)
        .body(body.clone());
    let answer = asked.send().await.unwrap();
    let status = answer.status().as_u16();
    let mut response = Response::builder().status(status);
    for (name, value) in answer.headers() {
        if *name != TRANSFER_ENCODING && *name != CONTENT_LENGTH {
            response = response.header(name, value);
        }
    }
    let bytes = answer.bytes().await.unwrap();
    way.passed.lock().unwrap().push(Exchange {
        method: parts.method,
        path: parts.uri.path().trim_start_matches("/v1.0").to_owned(),
        sent: serde_json::from_slice(&body).unwrap_or_default(),
        status,
        got: serde_json::from_slice(&bytes).unwrap_or_default(),
    });
    response.body(Body::from(bytes)).unwrap()
}
