//! A client so small that it hides nothing.

use email_logging::testkit::graph::{SimulatedGraph, SimulatedGraphBuilder};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

pub(crate) const MAILBOX: &str = "log@corp.example";
pub(crate) const INBOX: &str = r"log@corp.example\Inbox";
pub(crate) const ARCHIVE: &str = r"log@corp.example\Archive";
pub(crate) const TOKEN: &str = "token-of-an-application";
pub(crate) const IMMUTABLE: (&str, &str) = ("prefer", "IdType=\"ImmutableId\"");

pub(crate) fn builder() -> SimulatedGraphBuilder {
    SimulatedGraph::builder()
        .with_mailbox(MAILBOX)
        .with_app_token(TOKEN)
}

pub(crate) async fn started() -> SimulatedGraph {
    builder().start().await.unwrap()
}

/// A message of two lines.
pub(crate) fn mail(number: usize) -> String {
    format!(
        "From: Ann <ann@customer.example>\r\nTo: Sam <sam@corp.example>\r\n\
         Subject: Offer {number}\r\nMessage-ID: <{number}@customer.example>\r\n\r\n\
         Hello {number}\r\n"
    )
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A member of each entry of `value`.
    pub(crate) fn each(&self, name: &str) -> Vec<&str> {
        let value = self.json["value"].as_array().unwrap().iter();
        value.map(|one| one[name].as_str().unwrap()).collect()
    }
}

/// A client that trusts the server alone.
pub(crate) fn http(graph: &SimulatedGraph) -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = match graph.root_pem() {
        Some(pem) => {
            let root = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
            client.tls_certs_only([root])
        }
        None => client,
    };
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    client.no_proxy().build().unwrap()
}

/// Sends a request; the path begins below `/v1.0`, or is a whole link.
pub(crate) async fn send(
    graph: &SimulatedGraph,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Answer, reqwest::Error> {
    let url = if path.starts_with("http") {
        path.to_owned()
    } else {
        format!("{}{path}", graph.url())
    };
    let mut request = http(graph).request(method.parse().unwrap(), url);
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        request = request.header("authorization", format!("Bearer {TOKEN}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?.to_vec();
    let json = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(Answer {
        status,
        headers,
        bytes,
        json,
    })
}

/// GET below the mailbox.
pub(crate) async fn get(graph: &SimulatedGraph, path: &str) -> Answer {
    send(graph, "GET", &of_mailbox(path), &[], None)
        .await
        .unwrap()
}

/// GET below the mailbox with immutable ids.
pub(crate) async fn get_immutable(graph: &SimulatedGraph, path: &str) -> Answer {
    send(graph, "GET", &of_mailbox(path), &[IMMUTABLE], None)
        .await
        .unwrap()
}

/// POST below the mailbox.
pub(crate) async fn post(graph: &SimulatedGraph, path: &str, body: &Value) -> Answer {
    send(graph, "POST", &of_mailbox(path), &[], Some(body))
        .await
        .unwrap()
}

/// A batch of requests.
pub(crate) async fn batch(graph: &SimulatedGraph, requests: &Value) -> Answer {
    let body = json!({"requests": requests});
    send(graph, "POST", "/$batch", &[], Some(&body))
        .await
        .unwrap()
}

pub(crate) fn of_mailbox(path: &str) -> String {
    if path.starts_with("http") {
        path.to_owned()
    } else {
        format!("/users/{MAILBOX}{path}")
    }
}
