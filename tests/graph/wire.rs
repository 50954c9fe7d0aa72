//! Batches, pages, waits and refusals, with answers written by hand.

use std::sync::Arc;
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::source::graph::{GraphCloud, GraphSource, ThrottlingGate};
use email_logging::source::{Disposal, ListRequest, MailSource};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
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

/// The parts of each batch that was asked.
async fn asked(server: &MockServer) -> Vec<Vec<Value>> {
    let requests = server.received_requests().await.unwrap();
    let posts = requests
        .iter()
        .filter(|it| it.url.path().ends_with("$batch"));
    let parts = posts.map(|it| it.body_json::<Value>().unwrap()["requests"].clone());
    parts
        .map(|parts| parts.as_array().unwrap().clone())
        .collect()
}

fn names(parts: &[Value]) -> Vec<&str> {
    parts
        .iter()
        .map(|part| part["id"].as_str().unwrap())
        .collect()
}

/// A part of a batch with the facts of a message.
fn facts(id: usize, item: &str) -> Value {
    json!({"id": id.to_string(), "status": 200, "headers": {}, "body": row(item, b"k")})
}

async fn fetched(source: &GraphSource, items: &[&str]) -> email_logging::Result<Collect> {
    let mut sink = Collect::default();
    let items = listed(items);
    source.fetch(&folder("F"), &items, &mut sink).await?;
    Ok(sink)
}

fn complete(text: &str) -> Got {
    Got::Complete(text.as_bytes().to_vec())
}

#[tokio::test]
async fn the_parts_of_an_answer_may_come_in_any_order() {
    let server = MockServer::start().await;
    let parts = [facts(2, "c"), facts(0, "a"), facts(1, "b")];
    let originals = [original(1, "B"), original(2, "C"), original(0, "A")];
    batches(&server, vec![ok(&batch(&parts)), ok(&batch(&originals))]).await;
    let (source, _) = source_at(&server.uri(), |it| it);
    let sink = fetched(&source, &["a", "b", "c"]).await.unwrap();
    assert_eq!(sink.got, [complete("A"), complete("B"), complete("C")]);
    let asked = asked(&server).await;
    let url = |part: &Value| part["url"].as_str().unwrap().to_owned();
    assert_eq!(
        url(&asked[1][1]),
        "/users/log%40corp.example/mailFolders/F/messages/b/$value"
    );
    assert!(
        url(&asked[0][1])
            .starts_with("/users/log%40corp.example/mailFolders/F/messages/b?$select=")
    );
}

#[tokio::test]
async fn only_the_parts_that_were_not_answered_are_asked_again_after_the_named_wait() {
    let server = MockServer::start().await;
    let mut busy = refused(1, 429, "ApplicationThrottled");
    busy["headers"] = json!({"Retry-After": "7"});
    let originals = [original(0, "A"), busy, original(2, "C")];
    batches(
        &server,
        vec![
            ok(&batch(&[facts(0, "a"), facts(1, "b"), facts(2, "c")])),
            ok(&batch(&originals)),
            ok(&batch(&[original(1, "B")])),
        ],
    )
    .await;
    let (source, clock) = source_at(&server.uri(), |it| it);
    let sink = fetched(&source, &["a", "b", "c"]).await.unwrap();
    assert_eq!(sink.got, [complete("A"), complete("B"), complete("C")]);
    let asked = asked(&server).await;
    assert_eq!(names(&asked[2]), ["1"]);
    assert_eq!(clock.waits(), [Duration::from_secs(7)]);
}

#[tokio::test]
async fn a_part_that_is_missing_is_asked_again_and_fails_alone_in_the_end() {
    let server = MockServer::start().await;
    let missing = ok(&batch(&[]));
    let mut answers = vec![
        ok(&batch(&[facts(0, "a"), facts(1, "b")])),
        ok(&batch(&[original(0, "A")])),
    ];
    answers.extend([missing.clone(), missing]);
    batches(&server, answers).await;
    let (source, clock) = source_at(&server.uri(), |it| it.with_repeats(2));
    let sink = fetched(&source, &["a", "b"]).await.unwrap();
    assert_eq!(
        sink.got,
        [complete("A"), Got::Failed("graph.answers_missing")]
    );
    assert_eq!(sink.errors[0].item(), Some("b"));
    assert_eq!(
        clock.waits(),
        [Duration::from_secs(1), Duration::from_secs(2)]
    );
}

#[tokio::test]
async fn what_one_part_says_stays_with_its_item() {
    let server = MockServer::start().await;
    let all: Vec<_> = (0..5).map(|at| facts(at, &at.to_string())).collect();
    let parts = [
        original(0, "A"),
        refused(1, 404, "ErrorItemNotFound"),
        refused(2, 403, "ErrorAccessDenied"),
        refused(3, 500, "ErrorMimeContentConversionFailed"),
        refused(4, 418, "ErrorOfTomorrow"),
    ];
    batches(&server, vec![ok(&batch(&all)), ok(&batch(&parts))]).await;
    let (source, _) = source_at(&server.uri(), |it| it);
    let sink = fetched(&source, &["0", "1", "2", "3", "4"]).await.unwrap();
    assert_eq!(
        sink.got,
        [
            complete("A"),
            Got::Gone,
            Got::Failed("graph.access_denied"),
            Got::WithoutOriginal("graph.item_damaged"),
            Got::Failed("graph.request"),
        ]
    );
    let said = sink.errors[0].server().unwrap();
    assert_eq!(said.response_code.as_deref(), Some("ErrorAccessDenied"));
    assert_eq!(said.status, Some(403));
}

#[tokio::test]
async fn what_says_something_of_every_item_is_the_answer_of_the_call() {
    for (codes, status, code) in [
        (
            ["ErrorAccessDenied", "ErrorAccessDenied"],
            403,
            "graph.access_denied",
        ),
        (["ErrorInvalidRequest", "BadRequest"], 400, "graph.request"),
        (
            ["ErrorItemNotFound", "MailboxNotEnabledForRESTAPI"],
            404,
            "graph.mailbox",
        ),
        (
            ["ErrorItemNotFound", "InvalidAuthenticationToken"],
            401,
            "graph.token",
        ),
    ] {
        let server = MockServer::start().await;
        let parts = [refused(0, status, codes[0]), refused(1, status, codes[1])];
        batches(
            &server,
            vec![
                ok(&batch(&[facts(0, "a"), facts(1, "b")])),
                ok(&batch(&parts)),
            ],
        )
        .await;
        if status == 401 {
            // With a new token the part that was refused is asked for once more.
            batches(&server, vec![ok(&batch(&parts[1..]))]).await;
        }
        let (source, _) = source_at(&server.uri(), |it| it);
        let error = fetched(&source, &["a", "b"]).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[tokio::test]
async fn base64_of_either_alphabet_is_read_and_what_is_none_is_fetched_alone() {
    let server = MockServer::start().await;
    let bytes = [0xfb, 0xff, 0xfe, 0x3f, 0x41];
    let headers = json!({"Content-Type": "text/plain"});
    let part =
        |id: &str, body: &str| json!({"id": id, "status": 200, "headers": headers, "body": body});
    let url_safe = part("0", "-__-P0E");
    let escaped = part("1", "+//+P0E=").to_string();
    let escaped = escaped.replace('/', "\\/");
    let raw = part("2", "From: a@example.com\r\n\r\n");
    let nothing = json!({"id": "3", "status": 200});
    let body = format!("{{\"responses\":[{url_safe},{escaped},{raw},{nothing}]}}");
    let all: Vec<_> = (0..4).map(|at| facts(at, &at.to_string())).collect();
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    batches(&server, vec![ok(&batch(&all)), answer]).await;
    for (id, bytes) in [("2", "raw"), ("3", "single")] {
        Mock::given(method("GET"))
            .and(path(format!(
                "/v1.0/users/log%40corp.example/mailFolders/F/messages/{id}/$value"
            )))
            .respond_with(ResponseTemplate::new(200).set_body_raw(bytes, "text/plain"))
            .expect(1)
            .mount(&server)
            .await;
    }
    let (source, _) = source_at(&server.uri(), |it| it);
    let sink = fetched(&source, &["0", "1", "2", "3"]).await.unwrap();
    let binary = || Got::Complete(bytes.to_vec());
    assert_eq!(
        sink.got,
        [binary(), binary(), complete("raw"), complete("single")]
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_makes_each_item_come_alone() {
    for broken in [
        batch(&[original(0, "A"), original(0, "A")]),
        batch(&[original(7, "A")]),
        json!({"responses": 7}),
        json!({}),
    ] {
        let server = MockServer::start().await;
        let all = ok(&batch(&[facts(0, "a"), facts(1, "b")]));
        batches(&server, vec![all, ok(&broken)]).await;
        Mock::given(method("GET"))
            .and(path_regex(r"/\$value$"))
            .respond_with(ResponseTemplate::new(200).set_body_raw("alone", "text/plain"))
            .expect(2)
            .mount(&server)
            .await;
        let (source, _) = source_at(&server.uri(), |it| it.with_repeats(0));
        let sink = fetched(&source, &["a", "b"]).await.unwrap();
        assert_eq!(sink.got, [complete("alone"), complete("alone")], "{broken}");
    }
}

#[tokio::test]
async fn a_move_answers_item_by_item_and_asks_again_only_for_what_was_not_begun() {
    let server = MockServer::start().await;
    let mut busy = refused(1, 429, "ApplicationThrottled");
    busy["headers"] = json!({"retry-after": "3"});
    let mut later = refused(2, 503, "serviceNotAvailable");
    later["headers"] = json!({"Retry-After": "5"});
    let parts = [
        moved(0, "a2"),
        busy,
        later,
        refused(3, 503, "serviceNotAvailable"),
        refused(4, 504, "generalException"),
        refused(5, 404, "ErrorItemNotFound"),
        refused(6, 507, "ErrorQuotaExceeded"),
    ];
    let second = [moved(2, "c"), moved(1, "b")];
    batches(&server, vec![ok(&batch(&parts)), ok(&batch(&second))]).await;
    let (source, clock) = source_at(&server.uri(), |it| it);
    let items = refs(&["a", "b", "c", "d", "e", "f", "g", "h"]);
    let moved = source
        .move_to(&folder("F"), &items, &folder("T"))
        .await
        .unwrap();
    assert_eq!(
        moves(&moved),
        [
            "done a2",
            "done b",
            "done c",
            "graph.unavailable",
            "graph.unavailable",
            "gone",
            "graph.quota",
            "graph.answers_missing",
        ]
    );
    let asked = asked(&server).await;
    assert_eq!(names(&asked[1]), ["1", "2"]);
    assert_eq!(asked[0][0]["method"], "POST");
    assert_eq!(asked[0][0]["body"], json!({"destinationId": "T"}));
    assert_eq!(asked[0][0]["headers"]["Content-Type"], "application/json");
    let url = asked[0][0]["url"].as_str().unwrap();
    assert_eq!(
        url,
        "/users/log%40corp.example/mailFolders/F/messages/a/move"
    );
    assert_eq!(clock.waits(), [Duration::from_secs(5)]);
}

#[tokio::test]
async fn a_move_whose_effect_is_unknown_is_never_repeated() {
    for (answer, code) in [
        (refusal(500, "generalException"), "graph.unavailable"),
        (refusal(503, "serviceNotAvailable"), "graph.unavailable"),
        (ResponseTemplate::new(504), "http.unavailable"),
        (ok(&json!({"responses": "?"})), "graph.answer_invalid"),
        (
            ok(&batch(&[moved(0, "a"), moved(0, "a")])),
            "graph.answer_invalid",
        ),
        (ok(&batch(&[moved(1, "a")])), "graph.answer_invalid"),
    ] {
        let server = MockServer::start().await;
        batches(&server, vec![answer]).await;
        let (source, _) = source_at(&server.uri(), |it| it);
        let moved = source
            .move_to(&folder("F"), &refs(&["a"]), &folder("T"))
            .await;
        assert_eq!(moved.unwrap_err().code(), code);
        assert_eq!(asked(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn a_move_that_was_not_begun_is_asked_again() {
    let server = MockServer::start().await;
    let busy = refusal(429, "TooManyRequests").insert_header("Retry-After", "11");
    let later = refusal(503, "serviceNotAvailable").insert_header("Retry-After", "2");
    batches(&server, vec![busy, later, ok(&batch(&[moved(0, "a")]))]).await;
    let (source, clock) = source_at(&server.uri(), |it| it);
    let moved = source
        .move_to(&folder("F"), &refs(&["a"]), &folder("T"))
        .await;
    assert_eq!(moves(&moved.unwrap()), ["done a"]);
    assert_eq!(
        clock.waits(),
        [Duration::from_secs(11), Duration::from_secs(2)]
    );
}

#[tokio::test]
async fn forty_one_items_are_moved_in_three_batches() {
    let server = MockServer::start().await;
    let of = |count: usize| {
        let parts: Vec<_> = (0..count).map(|at| moved(at, "x")).collect();
        ok(&batch(&parts))
    };
    batches(&server, vec![of(20), of(20), of(1)]).await;
    let (source, _) = source_at(&server.uri(), |it| it);
    let names: Vec<String> = (0..41).map(|at| format!("i{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let moved = source
        .move_to(&folder("F"), &refs(&names), &folder("T"))
        .await;
    assert_eq!(moved.unwrap().len(), 41);
}

#[tokio::test]
async fn a_removal_moves_to_deleted_items_or_deletes() {
    let server = MockServer::start().await;
    let gone = json!({"id": "0", "status": 204});
    batches(
        &server,
        vec![ok(&batch(&[moved(0, "a")])), ok(&batch(&[gone]))],
    )
    .await;
    let (source, _) = source_at(&server.uri(), |it| it);
    for disposal in [Disposal::DeletedItems, Disposal::Recoverable] {
        let removed = source.remove(&folder("F"), &refs(&["a"]), disposal).await;
        assert_eq!(removals(&removed.unwrap()), ["done"]);
    }
    let asked = asked(&server).await;
    assert_eq!(
        asked[0][0]["body"],
        json!({"destinationId": "deleteditems"})
    );
    assert_eq!(asked[1][0]["method"], "DELETE");
    assert!(asked[1][0].get("body").is_none());
}

async fn listing(server: &MockServer, answer: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path_regex("/messages$"))
        .respond_with(answer)
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_link_to_another_place_is_refused_and_gets_no_token() {
    let stranger = MockServer::start().await;
    let server = MockServer::start().await;
    let port = server.address().port();
    let other = stranger.uri();
    for link in [
        format!("{other}/v1.0/users/log%40corp.example/messages?$skip=1"),
        format!("{}/beta/users/x/messages?$skip=1", server.uri()),
        format!("{}/v1.0/../evil/users/x/messages", server.uri()),
        format!("{}/v1.0/groups/x/messages", server.uri()),
        format!(
            "{}/v1.0/users/boss%40corp.example/messages?$skip=1",
            server.uri()
        ),
        format!("{}/v1.0/me/messages?$skip=1", server.uri()),
        format!("{}/v1.0evil/users/x", server.uri()),
        format!("http://user:secret@127.0.0.1:{port}/v1.0/users/x/messages"),
        format!("http://127.0.0.1.example.com:{port}/v1.0/users/x/messages"),
        format!("https://127.0.0.1:{port}/v1.0/users/x/messages"),
        "/v1.0/users/x/messages?$skip=1".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        server.reset().await;
        let page = json!({"value": [row("a", b"k")], "@odata.nextLink": link});
        listing(&server, ok(&page)).await;
        let (source, _) = source_at(&server.uri(), |it| it);
        let error = source.list(&folder("F"), ListRequest::new(0, 10)).await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), "graph.link_refused", "{link}");
        assert!(!format!("{error:?}{error}").contains("skip"), "{error:?}");
        let key = source.locate(&folder("F"), &[listed_key().into()]).await;
        assert_eq!(key.unwrap_err().code(), "graph.link_refused", "{link}");
    }
    assert!(stranger.received_requests().await.unwrap().is_empty());
}

fn listed_key() -> email_logging::source::SightingKey {
    email_logging::source::SightingKey::SearchKey(vec![1])
}

#[tokio::test]
async fn pages_are_followed_up_to_the_limit_and_each_message_is_listed_once() {
    let server = MockServer::start().await;
    let base = format!(
        "{}/v1.0/users/5A4B3C2D-0000-4000-8000-00000000abcd/mailFolders/F/messages",
        server.uri()
    );
    let pages = [
        (json!({"value": [row("a", b"1"), row("b", b"2")], "@odata.count": 9,
            "@odata.nextLink": format!("{base}?$skip=2")})),
        json!({"value": [row("b", b"2"), row("c", b"3"), row("d", b"4")],
            "@odata.nextLink": format!("{base}?$skip=4")}),
    ];
    for page in &pages {
        Mock::given(method("GET"))
            .and(path_regex("/messages$"))
            .respond_with(ok(page))
            .up_to_n_times(1)
            .expect(1)
            .mount(&server)
            .await;
    }
    let (source, _) = source_at(&server.uri(), |it| it);
    let found = source
        .list(&folder("F"), ListRequest::new(0, 3))
        .await
        .unwrap();
    let names: Vec<_> = found
        .items
        .iter()
        .map(|item| item.item.id.as_str())
        .collect();
    assert_eq!(
        (names, found.complete, found.total),
        (vec!["a", "b", "c"], false, Some(9))
    );
}

#[tokio::test]
async fn pages_without_end_are_an_error_and_no_loop() {
    let server = MockServer::start().await;
    let link = format!(
        "{}/v1.0/users/log%40corp.example/messages?$skip=0",
        server.uri()
    );
    let page = json!({"value": [], "@odata.nextLink": link});
    listing(&server, ok(&page)).await;
    let (source, _) = source_at(&server.uri(), |it| it);
    let error = source
        .list(&folder("F"), ListRequest::new(0, 10))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "graph.answers_missing");
    assert_eq!(server.received_requests().await.unwrap().len(), 200);
}

#[tokio::test]
async fn the_body_tells_more_than_the_status() {
    for (answer, code) in [
        (refusal(404, "ErrorItemNotFound"), "graph.folder_not_found"),
        (refusal(403, "ErrorAccessDenied"), "graph.access_denied"),
        (refusal(404, "MailboxNotEnabledForRESTAPI"), "graph.mailbox"),
        (refusal(404, "ResourceNotFound"), "graph.mailbox"),
        (refusal(400, "ErrorInvalidUrlQuery"), "graph.request"),
        (refusal(500, "ErrorQuotaExceeded"), "graph.quota"),
        (refusal(451, "ErrorOfTomorrow"), "graph.request"),
        (refusal(599, "ErrorOfTomorrow"), "graph.unknown_code"),
        (ResponseTemplate::new(404), "http.status"),
        (
            ResponseTemplate::new(403).set_body_string("<html>no</html>"),
            "http.forbidden",
        ),
        (
            ResponseTemplate::new(502).set_body_string("<html>no</html>"),
            "http.unavailable",
        ),
        (ResponseTemplate::new(401), "http.unauthorized"),
        (
            ResponseTemplate::new(200).set_body_string("<html></html>"),
            "graph.foreign_answer",
        ),
        (ResponseTemplate::new(200), "graph.answer_invalid"),
        (
            ResponseTemplate::new(302).insert_header("Location", "https://elsewhere.example/"),
            "http.redirect",
        ),
    ] {
        let server = MockServer::start().await;
        listing(&server, answer).await;
        let (source, _) = source_at(&server.uri(), |it| it.with_repeats(0));
        let error = source
            .list(&folder("F"), ListRequest::new(0, 10))
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert_eq!(error.operation(), "list");
    }
}

#[tokio::test]
async fn reads_are_repeated_with_longer_waits_and_the_last_error_is_given_back() {
    let server = MockServer::start().await;
    listing(&server, refusal(500, "generalException")).await;
    let (source, clock) = source_at(&server.uri(), |it| it.with_repeats(3));
    let error = source
        .list(&folder("F"), ListRequest::new(0, 10))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "graph.unavailable");
    let seconds: Vec<_> = clock.waits().iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [1, 2, 4]);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_a_wish_for_claims_is_said() {
    for (challenge, code) in [
        ("Bearer realm=\"\"", "graph.token"),
        (
            "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJ9\"",
            "oauth.conditional_access",
        ),
    ] {
        let server = MockServer::start().await;
        let answer = refusal(401, "InvalidAuthenticationToken");
        listing(&server, answer.insert_header("WWW-Authenticate", challenge)).await;
        let tokens = Arc::new(Tokens::default());
        let shared = Arc::<Tokens>::clone(&tokens);
        let (source, _) = source_at(&server.uri(), |it| it.with_access_token(shared));
        let error = source
            .list(&folder("F"), ListRequest::new(0, 10))
            .await
            .unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(*tokens.0.lock().unwrap(), [server.uri(), server.uri()]);
    }
}

#[tokio::test]
async fn a_wish_to_wait_holds_every_source_of_the_gate_and_a_long_one_is_the_callers() {
    let server = MockServer::start().await;
    let busy = refusal(429, "ApplicationThrottled").insert_header("Retry-After", "300");
    listing(&server, busy).await;
    let gate = ThrottlingGate::new();
    let shared = gate.clone();
    let (first, _) = source_at(&server.uri(), |it| it.with_gate(shared).with_repeats(0));
    let (second, _) = source_at(&server.uri(), |it| it.with_gate(gate));
    for source in [&first, &second] {
        let error = source
            .list(&folder("F"), ListRequest::new(0, 10))
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("graph.throttled", ErrorKind::Throttled)
        );
        assert_eq!(error.retry_after(), Some(Duration::from_mins(5)));
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_error_shows_the_mailbox_the_folder_the_token_or_an_address() {
    let server = MockServer::start().await;
    let answer = json!({"error": {"code": "max@corp.example", "message": "log@corp.example"}});
    let refused = ResponseTemplate::new(400).set_body_json(answer);
    Mock::given(method("GET"))
        .respond_with(refused.clone())
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(refused)
        .mount(&server)
        .await;
    let (source, _) = source_at(&server.uri(), |it| it);
    let secret = folder("SECRET-FOLDER");
    let items = refs(&["ITEM"]);
    let errors = [
        source
            .list(&secret, ListRequest::new(0, 10))
            .await
            .unwrap_err(),
        source.move_to(&secret, &items, &secret).await.unwrap_err(),
        source
            .locate(&secret, &[listed_key().into()])
            .await
            .unwrap_err(),
        fetched(&source, &["ITEM"]).await.err().unwrap(),
        source
            .open_folder(&crate::support::path("inbox:").into())
            .await
            .unwrap_err(),
    ];
    for error in errors {
        let mut shown = format!("{error} {error:?} {source:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            shown = format!("{shown} {inner} {inner:?}");
            cause = inner.source();
        }
        for secret in [
            "corp.example",
            "SECRET-FOLDER",
            TOKEN,
            "127.0.0.1",
            "mailFolders",
        ] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
}

#[tokio::test]
async fn without_a_mailbox_the_signed_in_persons_own_is_meant() {
    let server = MockServer::start().await;
    Mock::given(path("/v1.0/me/mailFolders/inbox"))
        .respond_with(ok(&json!({"id": "I", "displayName": "Inbox"})))
        .expect(1)
        .mount(&server)
        .await;
    let source = GraphSource::builder()
        .with_service_url(server.uri())
        .with_access_token(Arc::new(Tokens::default()))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let inbox = source
        .open_folder(&crate::support::path("inbox:").into())
        .await
        .unwrap();
    assert_eq!(inbox.id.as_str(), "I");
}

#[tokio::test]
async fn a_single_original_and_its_facts_are_asked_for_without_a_batch_and_again_after_an_error() {
    let server = MockServer::start().await;
    for (last, answer) in [
        ("a", ok(&row("a", b"k"))),
        (
            r"\$value",
            ResponseTemplate::new(200).set_body_raw("whole", "text/plain"),
        ),
    ] {
        let path = || path_regex(format!("/{last}$"));
        Mock::given(method("GET"))
            .and(path())
            .respond_with(refusal(500, "generalException"))
            .up_to_n_times(1)
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path())
            .respond_with(answer)
            .expect(1)
            .mount(&server)
            .await;
    }
    let (source, _) = source_at(&server.uri(), |it| it);
    let mut items = listed(&["a"]);
    items[0].size = None;
    let mut sink = Collect::default();
    source.fetch(&folder("F"), &items, &mut sink).await.unwrap();
    assert_eq!(sink.got, [complete("whole")]);
}

#[test]
fn a_description_that_cannot_work_is_refused() {
    let builder = || GraphSource::builder().with_access_token(Arc::new(Tokens::default()));
    let code = |built: email_logging::Result<GraphSource>| built.err().map(|it| it.code());
    for (built, expected) in [
        (builder().build(), None),
        (builder().with_mailbox("log@corp.example").build(), None),
        (GraphSource::builder().build(), Some("config.missing")),
        (
            builder().with_mailbox("log").build(),
            Some("config.invalid"),
        ),
        (
            builder().with_mailbox("a b@c").build(),
            Some("config.invalid"),
        ),
        (builder().with_mailbox("").build(), Some("config.invalid")),
        (
            builder()
                .with_service_url("http://graph.microsoft.com")
                .build(),
            Some("config.insecure"),
        ),
        (
            builder()
                .with_service_url("https://g.example/v1.0?x=1")
                .build(),
            Some("config.invalid"),
        ),
        (
            builder().with_service_url("https://127.0.0.1/v1.0").build(),
            Some("http.address_refused"),
        ),
        (
            builder().with_service_url("graph").build(),
            Some("config.invalid"),
        ),
        (builder().with_proxy("::").build(), Some("config.invalid")),
        (
            builder().with_trusted_roots("no pem").build(),
            Some("config.invalid"),
        ),
    ] {
        assert_eq!(code(built), expected);
    }
}

#[test]
fn each_cloud_has_its_address() {
    for (cloud, origin) in [
        (GraphCloud::Global, "https://graph.microsoft.com"),
        (GraphCloud::UsGovernmentL4, "https://graph.microsoft.us"),
        (GraphCloud::UsGovernmentL5, "https://dod-graph.microsoft.us"),
        (GraphCloud::China, "https://microsoftgraph.chinacloudapi.cn"),
    ] {
        assert_eq!(cloud.origin(), origin);
    }
    assert_eq!(GraphCloud::default(), GraphCloud::Global);
}

#[test]
fn what_a_builder_shows_holds_no_address() {
    let builder = GraphSource::builder()
        .with_mailbox("log@corp.example")
        .with_service_url("https://gateway.corp.example/graph")
        .with_proxy("http://user:secret@proxy.corp.example:3128");
    let shown = format!("{builder:?}");
    assert!(
        !shown.contains("corp.example") && !shown.contains("secret"),
        "{shown}"
    );
}
