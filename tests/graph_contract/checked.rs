//! A simulated Graph, the validator and the relay in one.

use email_logging::testkit::graph::{SimulatedGraph, SimulatedGraphBuilder};
use serde_json::Value;

use super::prism::Prism;
use super::relay::{Relay, client};

pub(crate) const MAILBOX: &str = "log@corp.example";
pub(crate) const INBOX: &str = r"log@corp.example\Inbox";
pub(crate) const APP_TOKEN: &str = "token-of-an-application";
pub(crate) const USER_TOKEN: &str = "token-of-a-user";

/// A Graph whose every request and answer is checked.
pub(crate) struct CheckedGraph {
    pub(crate) graph: SimulatedGraph,
    pub(crate) relay: Relay,
    _prism: Prism,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: Value,
}

impl CheckedGraph {
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(SimulatedGraph::builder()).await
    }

    pub(crate) async fn start_with(builder: SimulatedGraphBuilder) -> Option<Self> {
        let graph = builder
            .with_mailbox(MAILBOX)
            .with_app_token(APP_TOKEN)
            .with_user_token(USER_TOKEN, MAILBOX)
            .with_plain_http()
            .with_recording(true)
            .start()
            .await
            .unwrap();
        let prism = Prism::before(&graph.url()).await?;
        let relay = Relay::before(&prism.url, &graph.url()).await;
        graph.set_link_base(&relay.origin);
        Some(Self {
            graph,
            relay,
            _prism: prism,
        })
    }

    /// Sends a request; the path begins below the version, or is a whole link.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let owner = path.strip_prefix(&self.relay.origin);
        let owner = owner.and_then(|path| path.strip_prefix("/v1.0"));
        self.send_as(owner.unwrap_or(path), method, path, body)
            .await
    }

    /// Sends a request with the token that fits an owner: that of the user for `/me`.
    pub(crate) async fn send_as(
        &self,
        owner: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/v1.0{path}", self.relay.origin)
        };
        let token = if owner.starts_with("/me") {
            USER_TOKEN
        } else {
            APP_TOKEN
        };
        let mut request = client()
            .request(method.parse().unwrap(), url)
            .header("authorization", format!("Bearer {token}"))
            .header("prefer", "IdType=\"ImmutableId\"");
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer {
            status,
            bytes,
            json,
        }
    }

    /// Asserts that the validator let so many requests pass and found nothing, and that so many parts of batches are the same
    /// in the batch.
    pub(crate) fn assert_clean_and_compared(&self, at_least: usize, parts: usize) {
        let passed = self.relay.passed();
        assert_eq!(passed.violations, [""; 0]);
        assert!(passed.requests >= at_least, "{} requests", passed.requests);
        assert!(passed.compared >= parts, "{} parts", passed.compared);
    }

    /// Asserts that the validator let so many requests pass and found nothing.
    pub(crate) fn assert_clean(&self, at_least: usize) {
        let passed = self.relay.passed();
        assert_eq!(passed.violations, [""; 0]);
        assert!(passed.requests >= at_least, "{} requests", passed.requests);
    }
}
