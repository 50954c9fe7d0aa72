//! Faults: each one as a client meets it.

use std::time::Duration;

use email_logging::testkit::exchange::ByHand;
use email_logging::testkit::graph::{
    GraphFault, GraphFaultKind as Kind, GraphOperation, SimulatedGraph,
};
use serde_json::{Value, json};

use super::client::{
    ARCHIVE, INBOX, MAILBOX, batch, builder, get, mail, of_mailbox, post, send, started,
};

const LIST: &str = "/mailFolders/inbox/messages?$select=id";
const SECOND: Duration = Duration::from_secs(1);

fn once(graph: &SimulatedGraph, kind: Kind) {
    graph.inject(GraphFault::new(kind));
}

/// Faults that have no effect, with the status, the code and the Retry-After that a client sees.
fn without_effect() -> Vec<(Kind, u16, &'static str, Option<&'static str>)> {
    let error = |status, code: &str| Kind::Error {
        status,
        code: code.to_owned(),
        retry_after: Some(Duration::from_millis(1500)),
    };
    vec![
        (
            Kind::Throttled {
                retry_after: Some(SECOND),
            },
            429,
            "ApplicationThrottled",
            Some("1"),
        ),
        (
            Kind::Throttled { retry_after: None },
            429,
            "ApplicationThrottled",
            None,
        ),
        (
            error(503, "serviceNotAvailable"),
            503,
            "serviceNotAvailable",
            Some("2"),
        ),
        (
            Kind::Http {
                status: 504,
                retry_after: None,
            },
            504,
            "",
            None,
        ),
        (Kind::Unauthorized, 401, "InvalidAuthenticationToken", None),
        (
            Kind::ClaimsChallenge,
            401,
            "InvalidAuthenticationToken",
            None,
        ),
        (Kind::HtmlPage, 200, "", None),
        (
            Kind::RedirectTo("https://elsewhere.example/".to_owned()),
            302,
            "",
            None,
        ),
    ]
}

#[tokio::test]
async fn errors_stand_instead_of_an_answer_and_have_no_effect() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    for (kind, status, code, wait) in without_effect() {
        once(&graph, kind.clone());
        let path = format!("/messages/{id}/move");
        let answer = post(&graph, &path, &json!({"destinationId": "archive"})).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{}",
            kind.name()
        );
        assert_eq!(answer.header("retry-after"), wait, "{}", kind.name());
        let claims = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!(claims.contains("claims="), kind == Kind::ClaimsChallenge);
        assert_eq!(
            (graph.count(INBOX).unwrap(), graph.faults_pending()),
            (1, 0)
        );
    }
}

#[tokio::test]
async fn a_reply_is_lost_after_the_effect_and_a_connection_before_it() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let path = of_mailbox(&format!("/messages/{id}/move"));
    let wish = json!({"destinationId": "archive"});
    once(&graph, Kind::DropBefore);
    assert!(send(&graph, "POST", &path, &[], Some(&wish)).await.is_err());
    assert_eq!(graph.count(INBOX).unwrap(), 1);
    once(&graph, Kind::LoseReply);
    assert!(send(&graph, "POST", &path, &[], Some(&wish)).await.is_err());
    assert_eq!(
        (graph.count(INBOX).unwrap(), graph.count(ARCHIVE).unwrap()),
        (0, 1)
    );
}

#[tokio::test]
async fn the_bytes_of_an_answer_are_spoilt() {
    let graph = started().await;
    graph.deliver(INBOX, mail(1)).unwrap();
    let list = of_mailbox(LIST);
    let good = get(&graph, LIST).await.bytes;
    once(&graph, Kind::TruncateBody(10));
    assert!(send(&graph, "GET", &list, &[], None).await.is_err());
    let spoilt = async |kind| {
        once(&graph, kind);
        get(&graph, LIST).await
    };
    let cut = spoilt(Kind::InvalidJson).await;
    assert_eq!((cut.bytes.len(), cut.json), (good.len() - 1, Value::Null));
    let long = spoilt(Kind::OversizeBody(1_000_000)).await;
    assert_eq!(long.bytes.len(), good.len() + 1_000_000);
    assert_eq!(spoilt(Kind::WrongTypes).await.json["value"], json!(7));
    let deep = spoilt(Kind::DeepJson(1000)).await;
    assert_eq!(
        (deep.bytes.len(), deep.json),
        (good.len() + 2008, Value::Null)
    );
    let bytes = spoilt(Kind::InvalidUtf8).await.bytes;
    assert!(std::str::from_utf8(&bytes).is_err());
    let unknown = spoilt(Kind::UnknownMembers).await.json;
    assert_eq!(unknown["value"][0]["fromTheFuture"], json!({"new": [1]}));
}

#[tokio::test]
async fn lists_lie() {
    let graph = started().await;
    graph.deliver(INBOX, mail(1)).unwrap();
    once(&graph, Kind::DuplicateItems);
    let twice = get(&graph, LIST).await;
    assert_eq!(twice.each("id")[0], twice.each("id")[1]);
    once(&graph, Kind::EndlessPaging);
    let endless = get(&graph, LIST).await.json;
    assert!(
        endless["@odata.nextLink"]
            .as_str()
            .unwrap()
            .ends_with("%24skip=0")
    );
    once(
        &graph,
        Kind::NextLinkTo("https://elsewhere.example/x".to_owned()),
    );
    let foreign = get(&graph, LIST).await.json;
    assert_eq!(
        foreign["@odata.nextLink"],
        json!("https://elsewhere.example/x")
    );
}

fn mimes(ids: &[String]) -> Value {
    let parts = ids.iter().enumerate().map(|(number, id)| {
        let url = format!("/users/{MAILBOX}/messages/{id}/$value");
        json!({"id": number.to_string(), "method": "GET", "url": url})
    });
    parts.collect()
}

#[tokio::test]
async fn parts_of_a_batch_fail_get_lost_and_change_places() {
    let graph = started().await;
    let ids: Vec<_> = (0..3)
        .map(|number| graph.deliver(INBOX, mail(number)).unwrap())
        .collect();
    let seen = async |kind| {
        once(&graph, kind);
        let answer = batch(&graph, &mimes(&ids)).await.json;
        let parts = answer["responses"].as_array().unwrap().clone();
        let facts = |part: &Value| {
            (
                part["id"].as_str().unwrap().to_owned(),
                part["status"].as_u64().unwrap(),
            )
        };
        parts.iter().map(facts).collect::<Vec<_>>()
    };
    let named = |all: &[(&str, u64)]| {
        all.iter()
            .map(|(id, status)| ((*id).to_owned(), *status))
            .collect::<Vec<_>>()
    };
    let failing = Kind::PartError {
        index: 1,
        status: 429,
        code: "ApplicationThrottled".to_owned(),
        retry_after: Some(SECOND),
    };
    assert_eq!(
        seen(failing).await,
        named(&[("0", 200), ("1", 429), ("2", 200)])
    );
    assert_eq!(seen(Kind::MissingParts(2)).await, named(&[("0", 200)]));
    assert_eq!(
        seen(Kind::ReversedParts).await,
        named(&[("2", 200), ("1", 200), ("0", 200)])
    );
    let twice = named(&[("0", 200), ("1", 200), ("2", 200), ("0", 200)]);
    assert_eq!(seen(Kind::DuplicateParts).await, twice);
    once(&graph, Kind::DamagedBase64);
    let damaged = batch(&graph, &mimes(&ids)).await.json;
    let length = |part: usize| damaged["responses"][part]["body"].as_str().unwrap().len();
    assert_eq!(length(0) + 1, length(1));
}

#[tokio::test]
async fn a_fault_of_an_operation_counts_the_parts_of_batches() {
    let graph = started().await;
    let ids: Vec<_> = (0..3)
        .map(|number| graph.deliver(INBOX, mail(number)).unwrap())
        .collect();
    let throttled = Kind::Throttled {
        retry_after: Some(SECOND),
    };
    graph.inject(
        GraphFault::new(throttled)
            .on(GraphOperation::GetMime)
            .at_call(2),
    );
    let answer = batch(&graph, &mimes(&ids)).await.json;
    assert_eq!(answer["responses"][1]["status"], json!(429));
    assert_eq!(answer["responses"][1]["headers"]["Retry-After"], json!("1"));
    assert_eq!(answer["responses"][2]["status"], json!(200));
    let fired = graph.faults_fired();
    assert_eq!(
        (fired.len(), fired[0].operation, fired[0].call),
        (1, GraphOperation::GetMime, 2)
    );
    graph.inject(GraphFault::new(Kind::LoseReply).for_item(&ids[2]));
    let body = json!({"requests": mimes(&ids)});
    assert!(
        send(&graph, "POST", "/$batch", &[], Some(&body))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_move_can_leave_the_original() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    once(&graph, Kind::MoveLeavesOriginal);
    let path = format!("/messages/{id}/move");
    let moved = post(&graph, &path, &json!({"destinationId": "archive"})).await;
    assert_eq!(
        (
            moved.status,
            graph.count(INBOX).unwrap(),
            graph.count(ARCHIVE).unwrap()
        ),
        (201, 1, 1)
    );
}

#[tokio::test]
async fn a_person_interferes_before_the_call() {
    let graph = started().await;
    let deed = ByHand::Deliver {
        path: INBOX.to_owned(),
        mime: mail(1).into_bytes(),
    };
    once(&graph, Kind::ByHand(deed));
    assert_eq!(get(&graph, LIST).await.each("id").len(), 1);
}

#[tokio::test]
async fn more_than_four_requests_at_once_for_a_mailbox_are_throttled() {
    let graph = builder()
        .with_mailbox("other@corp.example")
        .start()
        .await
        .unwrap();
    graph.inject(GraphFault::new(Kind::Delay(Duration::from_millis(400))).times(6));
    let path = of_mailbox(LIST);
    let other = "/users/other@corp.example/mailFolders/inbox/messages";
    let server = &graph;
    let one = |path| async move { send(server, "GET", path, &[], None).await.unwrap() };
    let (one_a, one_b, one_c, one_d, one_e, foreign) = tokio::join!(
        one(&path),
        one(&path),
        one(&path),
        one(&path),
        one(&path),
        one(other)
    );
    let mut statuses = [one_a, one_b, one_c, one_d, one_e].map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!((statuses, foreign.status), ([200, 200, 200, 200, 429], 200));
    let books = graph.statistics();
    assert_eq!((books.refused, books.most_concurrent_of_mailbox), (1, 5));
    assert_eq!(books.most_concurrent, 6);
}

#[tokio::test]
async fn a_request_within_an_announced_wait_is_noted() {
    let graph = started().await;
    once(
        &graph,
        Kind::Throttled {
            retry_after: Some(Duration::from_secs(30)),
        },
    );
    get(&graph, LIST).await;
    assert_eq!(graph.statistics().back_off_violations, 0);
    get(&graph, LIST).await;
    assert_eq!(graph.statistics().back_off_violations, 1);
}

#[tokio::test]
async fn calls_are_recorded_without_credentials() {
    let graph = builder().with_recording(true).start().await.unwrap();
    once(&graph, Kind::ReversedParts);
    batch(&graph, &mimes(&["x".to_owned()])).await;
    get(&graph, LIST).await;
    let calls = graph.recorded();
    let operations: Vec<_> = calls.iter().map(|call| call.operation).collect();
    assert_eq!(
        operations,
        [
            Some(GraphOperation::Batch),
            Some(GraphOperation::ListMessages)
        ]
    );
    assert_eq!(calls[0].faults, ["ReversedParts"]);
    assert_eq!(calls[1].target, format!("/v1.0{}", of_mailbox(LIST)));
    assert!(
        calls
            .iter()
            .all(|call| !call.headers.contains_key("authorization"))
    );
    assert!(!format!("{calls:?}").contains(MAILBOX));
}
