//! What Microsoft's metadata of mail does not describe, judged by a schema: the npm package `ajv`, which nobody here wrote.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::prism::installed;

/// A document, and what it has to be by the schema.
pub(crate) type Document = (&'static str, Value);

/// What does not fit; none, said aloud, where the validator is not installed.
pub(crate) fn judge(documents: &[Document]) -> Option<Vec<String>> {
    let folder = installed()?.folder;
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graph_contract");
    let mut node = Command::new("node")
        .arg(here.join("judge.mjs"))
        .arg(folder)
        .arg(here.join("wire.schema.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = node.stdin.take().unwrap();
    for (kind, value) in documents {
        writeln!(stdin, "{}", json!({"kind": kind, "value": value})).unwrap();
    }
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "the validator failed");
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = said.lines().map(str::to_owned).collect();
    let last = lines.pop();
    assert_eq!(last, Some(format!("judged {}", documents.len())));
    Some(lines)
}

/// Asserts that everything fits.
pub(crate) fn assert_fits(documents: &[Document]) {
    if let Some(found) = judge(documents) {
        assert_eq!(found, [""; 0]);
    }
}

/// The ids of a batch's parts are different, which no schema of this kind can say.
pub(crate) fn assert_ids_differ(batch: &Value, list: &str) {
    let parts = batch[list].as_array().unwrap().iter();
    let mut ids: Vec<_> = parts.map(|part| part["id"].to_string()).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "{batch}");
}

#[test]
fn mistakes_in_batches_and_subscriptions_are_found() {
    let part = json!({"id": "1", "method": "GET", "url": "/me/messages/a"});
    let part_with = |name: &str, value: Value| {
        let mut part = part.clone();
        part[name] = value;
        json!({"requests": [part]})
    };
    let subscription = json!({
        "changeType": "created", "notificationUrl": "https://erp.example/", "resource": "/me/messages",
        "expirationDateTime": "2026-11-27T10:00:00Z", "clientState": "x",
    });
    let wrong = |name: &str, value: Value| {
        let mut subscription = subscription.clone();
        subscription[name] = value;
        subscription
    };
    let fits = [
        ("batch-request", json!({"requests": [part]})),
        ("subscription-request", subscription.clone()),
    ];
    let documents = [
        ("batch-request", json!({"requests": []})),
        ("batch-request", json!({"requests": vec![part.clone(); 21]})),
        ("batch-request", part_with("id", json!(1))),
        ("batch-request", part_with("method", json!("MOVE"))),
        (
            "batch-request",
            part_with("url", json!("https://graph.microsoft.com/v1.0/me/messages")),
        ),
        (
            "batch-request",
            part_with("url", json!("/v1.0/me/messages")),
        ),
        ("batch-request", part_with("body", json!({}))),
        ("batch-request", part_with("headers", json!({"a": 1}))),
        ("batch-request", part_with("prefer", json!("x"))),
        (
            "batch-answer",
            json!({"responses": [{"id": "1", "status": "200"}]}),
        ),
        ("batch-answer", json!({"responses": [{"status": 200}]})),
        (
            "batch-answer",
            json!({"responses": [{"id": "1", "status": 404}]}),
        ),
        (
            "batch-answer",
            json!({"responses": [{"id": "1", "status": 404, "body": {}}]}),
        ),
        ("subscription-request", wrong("changeType", json!("moved"))),
        (
            "subscription-request",
            wrong("clientState", json!("x".repeat(129))),
        ),
        (
            "subscription-request",
            wrong("expirationDateTime", json!("tomorrow")),
        ),
        ("subscription-request", wrong("resource", json!("messages"))),
        ("subscription-request", wrong("state", json!("x"))),
        ("subscription-renewal", json!({})),
        ("subscription", subscription.clone()),
        ("subscriptions", json!({"value": [{}]})),
        ("notifications", json!({"value": []})),
        ("notifications", json!({"value": [{"subscriptionId": "x"}]})),
    ];
    assert_each_is_found(&fits, &documents);
}

fn assert_each_is_found(right: &[Document], wrong: &[Document]) {
    if let Some(found) = judge(right) {
        assert_eq!(found, [""; 0]);
        let found = judge(wrong).unwrap();
        assert_eq!(found.len(), wrong.len(), "{found:#?}");
    }
}
