//! Batches.

use std::time::Duration;

use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation};
use serde_json::{Value, json};

use super::client::{ARCHIVE, INBOX, MAILBOX, batch, mail, started};

fn moves(ids: &[String]) -> Value {
    let parts = ids.iter().enumerate().map(|(number, id)| {
        json!({
            "id": number.to_string(), "method": "POST",
            "url": format!("/users/{MAILBOX}/messages/{id}/move"),
            "headers": {"Content-Type": "application/json", "Prefer": "IdType=\"ImmutableId\""},
            "body": {"destinationId": "archive"},
        })
    });
    parts.collect()
}

#[tokio::test]
async fn twenty_parts_are_answered_one_by_one() {
    let graph = started().await;
    let mut ids: Vec<_> = (0..19)
        .map(|number| graph.deliver(INBOX, mail(number)).unwrap())
        .collect();
    ids.push("nonsense".to_owned());
    let answer = batch(&graph, &moves(&ids)).await;
    assert_eq!(answer.status, 200);
    let parts = answer.json["responses"].as_array().unwrap();
    assert_eq!(parts.len(), 20);
    assert_eq!(
        (&parts[0]["status"], &parts[0]["body"]["id"]),
        (&json!(201), &json!(ids[0]))
    );
    assert_eq!(parts[19]["status"], json!(400));
    assert_eq!(
        parts[19]["body"]["error"]["code"],
        json!("ErrorInvalidIdMalformed")
    );
    assert_eq!(
        (graph.count(INBOX).unwrap(), graph.count(ARCHIVE).unwrap()),
        (0, 19)
    );
    let books = graph.statistics();
    assert_eq!(
        (books.requests, books.parts, books.largest_batch),
        (1, 20, 20)
    );
    assert_eq!(books.calls(GraphOperation::MoveMessage), 20);
    assert_eq!(books.http_requests_of(GraphOperation::MoveMessage), 0);
    assert_eq!(books.immutable_calls, 20);
}

#[tokio::test]
async fn mime_in_a_batch_is_base64() {
    let graph = started().await;
    let id = graph.deliver(INBOX, "Subject: x\r\n\r\n").unwrap();
    let url = format!("/users/{MAILBOX}/messages/{id}/$value");
    let answer = batch(&graph, &json!([{"id": "a", "method": "GET", "url": url}])).await;
    let part = &answer.json["responses"][0];
    assert_eq!(part["id"], json!("a"));
    assert_eq!(
        part["headers"]["Content-Type"],
        json!("application/octet-stream")
    );
    assert_eq!(part["body"], json!("U3ViamVjdDogeA0KDQo="));
}

#[tokio::test]
async fn batches_that_graph_refuses_are_refused_whole() {
    let graph = started().await;
    let part = |id: &str| json!({"id": id, "method": "GET", "url": "/me/messages"});
    let many: Vec<_> = (0..21).map(|number| part(&number.to_string())).collect();
    let later = json!([
        {"id": "1", "method": "GET", "url": "/me/messages", "dependsOn": ["2"]}, part("2")
    ]);
    for bad in [
        json!(many),
        json!([]),
        json!([part("1"), part("1")]),
        json!([{"method": "GET", "url": "/me/messages"}]),
        later,
    ] {
        let answer = batch(&graph, &bad).await;
        assert_eq!((answer.status, answer.code()), (400, "BadRequest"));
    }
}

#[tokio::test]
async fn parts_that_graph_refuses_fail_alone() {
    let graph = started().await;
    let answer = batch(
        &graph,
        &json!([
            {"id": "1", "method": "GET", "url": "https://graph.example/v1.0/me"},
            {"id": "2", "method": "POST", "url": "/$batch", "body": {}},
            {"id": "3", "method": "POST", "url": format!("/users/{MAILBOX}/mailFolders"),
             "body": {"displayName": "No type"}},
            {"id": "4", "method": "GET", "url": format!("/users/{MAILBOX}/mailFolders/inbox")},
        ]),
    )
    .await;
    let parts = answer.json["responses"].as_array().unwrap();
    let statuses: Vec<_> = parts.iter().map(|part| &part["status"]).collect();
    assert_eq!(statuses, [400, 400, 400, 200]);
}

#[tokio::test]
async fn what_depends_on_a_failure_is_not_done() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let mut parts = moves(&["nonsense".to_owned(), id]);
    parts[1]["dependsOn"] = json!(["0"]);
    let answer = batch(&graph, &parts).await;
    assert_eq!(answer.json["responses"][1]["status"], json!(424));
    assert_eq!(graph.count(INBOX).unwrap(), 1);
}

#[tokio::test]
async fn four_parts_of_a_batch_run_at_once_and_none_beside_what_it_waits_for() {
    for (chained, most) in [(false, 4), (true, 1)] {
        let graph = started().await;
        let slow = GraphFault::new(GraphFaultKind::Delay(Duration::from_millis(50)));
        graph.inject(slow.on(GraphOperation::MoveMessage).always());
        let ids: Vec<_> = (0..9)
            .map(|number| graph.deliver(INBOX, mail(number)).unwrap())
            .collect();
        let mut parts = moves(&ids);
        for number in 1..9 {
            if chained {
                parts[number]["dependsOn"] = json!([(number - 1).to_string()]);
            }
        }
        let answer = batch(&graph, &parts).await;
        let answered = answer.json["responses"].as_array().unwrap().iter();
        let ids: Vec<_> = answered.map(|part| part["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
        assert_eq!(graph.count(ARCHIVE).unwrap(), 9);
        assert_eq!(graph.statistics().most_concurrent_parts, most);
    }
}
