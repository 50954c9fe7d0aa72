//! The check can fail: mistakes of clients and of servers are found.

use email_logging::testkit::graph::{GraphFault, GraphFaultKind, SimulatedGraph};
use serde_json::json;

use super::checked::{CheckedGraph, INBOX, MAILBOX};

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_a_client_are_found() {
    let Some(checked) = CheckedGraph::start().await else {
        return;
    };
    let id = checked.graph.deliver(INBOX, "Subject: x\r\n\r\n").unwrap();
    let of = |path: &str| format!("/users/{MAILBOX}{path}");
    for (method, path, body, found) in [
        (
            "POST",
            of("/mailFolders"),
            json!({"displayName": 5}),
            "must be string",
        ),
        (
            "POST",
            of(&format!("/messages/{id}/move")),
            json!({"destination": "archive"}),
            "destinationId",
        ),
        (
            "PATCH",
            of(&format!("/messages/{id}")),
            json!({"isRead": "yes"}),
            "must be boolean",
        ),
        ("PUT", of("/mailFolders"), json!({}), "METHOD"),
        ("POST", of("/mailfolders"), json!({}), "PATH"),
    ] {
        checked.send(method, &path, Some(&body)).await;
        let violations = checked.relay.passed().violations.join("\n");
        assert!(violations.contains(found), "{method} {path}: {violations}");
    }
    checked
        .send("GET", &of("/mailFolders?$top=many"), None)
        .await;
    assert_eq!(checked.relay.passed().violations.len(), 1);
    // What the validator refuses does not get through.
    assert_eq!(checked.graph.recorded().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_the_server_are_found() {
    let Some(checked) =
        CheckedGraph::start_with(SimulatedGraph::builder().with_mime_type("text/x-mail")).await
    else {
        return;
    };
    let id = checked.graph.deliver(INBOX, "Subject: x\r\n\r\n").unwrap();
    let list = format!("/users/{MAILBOX}/mailFolders/inbox/messages");
    checked
        .graph
        .inject(GraphFault::new(GraphFaultKind::WrongTypes));
    assert_eq!(checked.send("GET", &list, None).await.status, 500);
    assert!(checked.relay.passed().violations[0].contains("must be array"));
    checked
        .graph
        .inject(GraphFault::new(GraphFaultKind::HtmlPage));
    checked.send("GET", &list, None).await;
    assert!(checked.relay.passed().violations[0].contains("media type"));
    let mime = format!("/users/{MAILBOX}/messages/{id}/$value");
    checked.send("GET", &mime, None).await;
    assert!(checked.relay.passed().violations[0].contains("media type"));
}
