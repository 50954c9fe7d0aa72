//! Batches whose parts end in different ways: what is known of one is kept, whatever becomes of the others.

use std::sync::Arc;
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::source::graph::ThrottlingGate;
use email_logging::source::{MailSource, Moved};
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::*;

/// Answers batches one after the other; each answer is used once.
async fn batches(server: &MockServer, answers: Vec<ResponseTemplate>) {
    for answer in answers {
        Mock::given(method("POST"))
            .and(path("/v1.0/$batch"))
            .respond_with(answer)
            .up_to_n_times(1)
            .expect(1)
            .mount(server)
            .await;
    }
}

/// How many parts each batch had.
async fn sizes(server: &MockServer) -> Vec<usize> {
    let requests = server.received_requests().await.unwrap();
    let parts = requests.iter().map(|it| {
        let body = it.body_json::<Value>().unwrap();
        body["requests"].as_array().unwrap().len()
    });
    parts.collect()
}

async fn moved_by(server: &MockServer, items: &[&str]) -> email_logging::Result<Vec<Moved>> {
    let (source, _) = source_at(&server.uri(), |it| it);
    source
        .move_to(&folder("F"), &refs(items), &folder("T"))
        .await
}

fn busy(at: usize) -> Value {
    let mut busy = refused(at, 429, "ApplicationThrottled");
    busy["headers"] = json!({"Retry-After": "3"});
    busy
}

#[tokio::test]
async fn what_the_first_answer_said_is_kept_when_the_second_one_is_lost() {
    for (second, code) in [
        (refusal(500, "generalException"), "graph.unavailable"),
        (ok(&json!({"responses": 7})), "graph.answer_invalid"),
        (refusal(403, "ErrorAccessDenied"), "graph.access_denied"),
    ] {
        let server = MockServer::start().await;
        let first = [
            moved(0, "a"),
            busy(1),
            refused(2, 404, "ErrorItemNotFound"),
            busy(3),
        ];
        batches(&server, vec![ok(&batch(&first)), second]).await;
        let moved = moved_by(&server, &["a", "b", "c", "d"]).await.unwrap();
        let moved = moves(&moved);
        assert_eq!(moved, ["done a", code, "gone", "graph.unavailable"]);
        assert_eq!(sizes(&server).await, [4, 2]);
    }
}

#[tokio::test]
async fn parts_whose_token_ended_are_asked_once_more_with_a_new_one() {
    let server = MockServer::start().await;
    let expired = |at| refused(at, 401, "InvalidAuthenticationToken");
    let first = [moved(0, "a"), expired(1), expired(2)];
    let second = [moved(1, "b"), moved(2, "c")];
    batches(&server, vec![ok(&batch(&first)), ok(&batch(&second))]).await;
    let tokens = Arc::new(Tokens::default());
    let shared = Arc::<Tokens>::clone(&tokens);
    let (source, clock) = source_at(&server.uri(), |it| it.with_access_token(shared));
    let items = refs(&["a", "b", "c"]);
    let answers = source.move_to(&folder("F"), &items, &folder("T")).await;
    assert_eq!(moves(&answers.unwrap()), ["done a", "done b", "done c"]);
    assert_eq!(sizes(&server).await, [3, 2]);
    assert!(clock.waits().is_empty());
    // For the batch, to learn which one was refused, and for those that were asked for again.
    assert_eq!(tokens.0.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_move_of_which_no_part_went_well_for_everybodys_reason_is_one_error() {
    let expired = |at| refused(at, 401, "InvalidAuthenticationToken");
    let server = MockServer::start().await;
    let parts = [expired(0), expired(1)];
    batches(&server, vec![ok(&batch(&parts)), ok(&batch(&parts))]).await;
    let error = moved_by(&server, &["a", "b"]).await.unwrap_err();
    assert_eq!(error.code(), "graph.token");
    for (parts, code) in [
        (
            ["ErrorAccessDenied", "ErrorAccessDenied"],
            "graph.access_denied",
        ),
        (
            ["ErrorItemNotFound", "ErrorAccountDisabled"],
            "graph.blocked",
        ),
    ] {
        let server = MockServer::start().await;
        let parts = [refused(0, 403, parts[0]), refused(1, 403, parts[1])];
        batches(&server, vec![ok(&batch(&parts))]).await;
        let error = moved_by(&server, &["a", "b"]).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
    // What is one item's stays with it, and what went well is told in any case.
    for parts in [
        [
            refused(0, 400, "ErrorInvalidRequest"),
            refused(1, 403, "ErrorAccessDenied"),
        ],
        [moved(0, "a"), refused(1, 403, "ErrorAccountDisabled")],
    ] {
        let server = MockServer::start().await;
        batches(&server, vec![ok(&batch(&parts))]).await;
        assert_eq!(moved_by(&server, &["a", "b"]).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_is_odd_about_a_part_that_moved_changes_nothing_about_it() {
    let server = MockServer::start().await;
    let odd = [
        json!({"id": "0", "status": 201, "headers": {"X": 7}, "body": {"id": "a", "subject": 7}}),
        json!({"id": "1", "status": 201, "headers": [], "body": {"id": "b", "body": {"content": []}}}),
        json!({"id": "2", "status": 201, "headers": null, "body": [1, 2]}),
        json!({"id": "3", "status": 201, "body": true}),
        json!({"id": "4", "status": 400, "body": 7}),
    ];
    let text = batch(&odd).to_string();
    let text = text.replace("\"X\":7", "\"X\":7,\"Y\":\"\\ud83d\"");
    batches(
        &server,
        vec![ResponseTemplate::new(200).set_body_raw(text, "application/json")],
    )
    .await;
    let moved = moved_by(&server, &["a", "b", "c", "d", "e"]).await.unwrap();
    let moved = moves(&moved);
    assert_eq!(moved, ["done a", "done b", "done", "done", "graph.request"]);
}

#[tokio::test]
async fn a_wait_that_is_written_as_a_number_is_kept_and_a_part_is_known_by_its_own_id() {
    let server = MockServer::start().await;
    let mut later = busy(0);
    later["headers"] = json!({"Retry-After": 9, "request-id": "not shown"});
    let mut no = refused(0, 507, "ErrorQuotaExceeded");
    no["headers"] = json!({"request-id": "0a1b-part"});
    batches(&server, vec![ok(&batch(&[later])), ok(&batch(&[no]))]).await;
    let (source, clock) = source_at(&server.uri(), |it| it);
    let moved = source
        .move_to(&folder("F"), &refs(&["a"]), &folder("T"))
        .await;
    let [Moved::Failed(error)] = &moved.unwrap()[..] else {
        panic!("it moved");
    };
    let said = error.server().unwrap();
    assert_eq!(said.request_id.as_deref(), Some("0a1b-part"));
    assert_eq!(clock.waits(), [Duration::from_secs(9)]);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_fails_alone_and_half_a_character_is_replaced() {
    let server = MockServer::start().await;
    let facts = |id: &str, item: &str| json!({"id": id, "status": 200, "body": row(item, b"k")});
    let mut odd = facts("1", "b");
    odd["body"]["toRecipients"] = json!({});
    let mut cut = facts("2", "c");
    cut["body"]["subject"] = json!("S-cut");
    let text = batch(&[facts("0", "a"), odd, cut]).to_string();
    let text = text.replace("S-cut", "S\\ud83d");
    let originals = [original(0, "A"), original(1, "B"), original(2, "C")];
    let answer = ResponseTemplate::new(200).set_body_raw(text, "application/json");
    batches(&server, vec![answer, ok(&batch(&originals))]).await;
    let (source, _) = source_at(&server.uri(), |it| it);
    let mut sink = Collect::default();
    let items = listed(&["a", "b", "c"]);
    source.fetch(&folder("F"), &items, &mut sink).await.unwrap();
    assert_eq!(sink.got[1], Got::Failed("graph.answer_invalid"));
    assert_eq!(
        (sink.errors[0].item(), sink.errors[0].kind()),
        (Some("b"), ErrorKind::Protocol)
    );
    assert_eq!(
        (&sink.got[0], &sink.got[2]),
        (&Got::Complete(b"A".to_vec()), &Got::Complete(b"C".to_vec()))
    );
    let subject = sink.facts[2].as_ref().unwrap().subject.as_deref();
    assert_eq!(subject, Some("S\u{fffd}"));
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_is_asked_for_once_more_only() {
    let server = MockServer::start().await;
    let broken = || ok(&json!({"responses": 7}));
    batches(&server, vec![broken(), broken()]).await;
    let facts = ok(&row("a", b"k"));
    for (rest, answer) in [
        ("", facts),
        (
            "/$value",
            ResponseTemplate::new(200).set_body_raw("A", "text/plain"),
        ),
    ] {
        Mock::given(method("GET"))
            .and(path(format!(
                "/v1.0/users/log%40corp.example/mailFolders/F/messages/a{rest}"
            )))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    batches(&server, vec![ok(&batch(&[original(0, "A")]))]).await;
    let (source, _) = source_at(&server.uri(), |it| it);
    let mut sink = Collect::default();
    source
        .fetch(&folder("F"), &listed(&["a"]), &mut sink)
        .await
        .unwrap();
    assert_eq!(sink.got, [Got::Complete(b"A".to_vec())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_and_requests_of_all_sources_of_a_gate_are_never_more_than_4_at_once() {
    let graph = graph().await;
    for number in 0..120 {
        graph.deliver(QUEUE, mail(number, 100)).unwrap();
    }
    for operation in [GraphOperation::GetMime, GraphOperation::ListMessages] {
        let slow = GraphFault::new(GraphFaultKind::Delay(Duration::from_millis(2)));
        graph.inject(slow.on(operation).always());
    }
    let gate = ThrottlingGate::new();
    let mut running = Vec::new();
    for _ in 0..2 {
        let gate = gate.clone();
        let (source, _) = source_at(&service(&graph), |it| it.with_gate(gate));
        let source = Arc::new(source);
        let (queue, _) = opened(&source).await;
        let items = all(&source, &queue).await;
        for some in items.chunks(15) {
            let (source, queue, some) = (Arc::clone(&source), queue.clone(), some.to_vec());
            running.push(tokio::spawn(async move {
                all(&source, &queue).await;
                let mut sink = Collect::default();
                source.fetch(&queue, &some, &mut sink).await.unwrap();
                assert!(sink.got.iter().all(|got| matches!(got, Got::Complete(_))));
            }));
        }
    }
    for one in running {
        one.await.unwrap();
    }
    let statistics = graph.statistics();
    assert_eq!(statistics.refused, 0, "{statistics:?}");
    assert_eq!(statistics.most_concurrent_of_mailbox, 4, "{statistics:?}");
    assert_eq!(statistics.most_concurrent_parts, 4, "{statistics:?}");
}

#[tokio::test]
async fn a_single_original_that_breaks_off_begins_once_more() {
    let graph = graph().await;
    graph.deliver(QUEUE, mail(0, 2 << 20)).unwrap();
    let (source, clock) = source(&graph);
    let (queue, _) = opened(&source).await;
    let items = all(&source, &queue).await;
    let fault = GraphFault::new(GraphFaultKind::TruncateBody(700_000));
    graph.inject(fault.on(GraphOperation::GetMime));
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    assert_eq!(sink.begun, 2);
    assert!(sink.got == [Got::Complete(mail(0, 2 << 20))]);
    assert_eq!(clock.waits(), [Duration::from_secs(1)]);
}

#[tokio::test]
async fn what_one_item_cannot_do_holds_up_no_other_call() {
    let server = MockServer::start().await;
    let failing = refused(0, 500, "generalException");
    let answers = (0..5).map(|_| ok(&batch(std::slice::from_ref(&failing))));
    let facts = json!({"id": "0", "status": 200, "body": row("a", b"k")});
    let mut all = vec![ok(&batch(&[facts]))];
    all.extend(answers);
    batches(&server, all).await;
    let gate = ThrottlingGate::new();
    let shared = gate.clone();
    let (first, clock) = source_at(&server.uri(), |it| it.with_gate(shared));
    let mut sink = Collect::default();
    let items = listed(&["a"]);
    first.fetch(&folder("F"), &items, &mut sink).await.unwrap();
    assert_eq!(sink.got, [Got::Failed("graph.unavailable")]);
    let seconds: Vec<_> = clock.waits().iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [1, 2, 4, 8]);
    // The other source's clock never moved, so that any wish to wait would still hold it.
    Mock::given(method("GET"))
        .respond_with(ok(&json!({"value": [row("a", b"k")]})))
        .mount(&server)
        .await;
    let (second, waits) = source_at(&server.uri(), |it| it.with_gate(gate));
    second
        .list(&folder("F"), email_logging::source::ListRequest::new(0, 10))
        .await
        .unwrap();
    assert!(waits.waits().is_empty());
}

#[tokio::test]
async fn a_date_to_wait_for_is_measured_by_the_clock_of_its_server() {
    let server = MockServer::start().await;
    let mut later = busy(0);
    // This host's clock is ten minutes ahead.
    later["headers"] = json!({"Retry-After": "Sun, 01 Nov 2026 09:50:07 GMT"});
    let dated =
        |answer: ResponseTemplate| answer.insert_header("date", "Sun, 01 Nov 2026 09:50:00 GMT");
    let whole = refusal(429, "ApplicationThrottled")
        .insert_header("Retry-After", "Sun, 01 Nov 2026 09:50:09 GMT");
    let answers = [
        dated(whole),
        dated(ok(&batch(&[later]))),
        ok(&batch(&[moved(0, "a")])),
    ];
    batches(&server, answers.into()).await;
    let (source, clock) = source_at(&server.uri(), |it| it);
    let moved = source
        .move_to(&folder("F"), &refs(&["a"]), &folder("T"))
        .await;
    assert_eq!(moves(&moved.unwrap()), ["done a"]);
    assert_eq!(clock.waits(), [9, 7].map(Duration::from_secs));
}
