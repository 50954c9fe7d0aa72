//! What Graph and others send to the host's address.

use email_logging::notifications::{
    ChangeNotice, NotificationReceiver, NotificationRequest, NotificationResponse,
};
use email_logging::source::Wakeup as _;
use futures_util::FutureExt as _;
use secrecy::SecretString;
use serde_json::{Value, json};

const STATE: &str = "the-client-state";

fn secret(text: &str) -> SecretString {
    text.into()
}

fn post(receiver: &NotificationReceiver, body: &[u8]) -> NotificationResponse {
    let request = NotificationRequest::new("POST")
        .with_header("Content-Type", "application/json; charset=utf-8")
        .with_body(body);
    receiver.receive(&request)
}

fn send(receiver: &NotificationReceiver, entries: &[Value]) -> (u16, u32, u32) {
    let body = json!({ "value": entries, "validationTokens": [] }).to_string();
    let response = post(receiver, body.as_bytes());
    assert!(response.body.is_empty());
    (response.status, response.accepted, response.ignored)
}

/// A notification as the reference shows it.
fn created(id: &str, state: &str) -> Value {
    json!({
        "subscriptionId": id,
        "subscriptionExpirationDateTime": "2026-03-19T22:11:09.952Z",
        "changeType": "created",
        "resource": "Users/00000000-0000-0000-0000-000000000001/Messages/AAMk",
        "resourceData": { "@odata.type": "#Microsoft.Graph.Message", "id": "AAMk" },
        "clientState": state,
        "tenantId": "00000000-0000-0000-0000-000000000002"
    })
}

fn lifecycle(event: &str) -> Value {
    json!({
        "subscriptionId": "s1",
        "subscriptionExpirationDateTime": "2026-03-19T22:11:09.952Z",
        "tenantId": "00000000-0000-0000-0000-000000000002",
        "clientState": STATE,
        "lifecycleEvent": event
    })
}

#[test]
fn a_validation_token_comes_back_as_plain_text_that_no_browser_runs() {
    let receiver = NotificationReceiver::new();
    let request = NotificationRequest::new("POST")
        .with_query("validationToken=Validation%3a+Testing+client+application+Request-Id%3a+1-2");
    let response = receiver.receive(&request);
    assert_eq!(response.status, 200);
    assert_eq!(
        response.body,
        b"Validation: Testing client application Request-Id: 1-2"
    );
    let expected = [
        ("content-type", "text/plain; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ];
    assert_eq!(response.headers, expected);
    let hostile = NotificationRequest::new("POST").with_query("validationToken=%3Cimg%20src=x%3E");
    let refused = receiver.receive(&hostile);
    assert_eq!((refused.status, refused.body.len()), (400, 0));
}

#[test]
fn a_notification_with_the_right_secret_is_one_hint_however_often_it_comes() {
    let receiver = NotificationReceiver::new();
    let expected = receiver.expect("s1", &secret(STATE));
    assert_eq!(expected.wait().now_or_never(), None);
    let entries = [created("s1", STATE), created("s1", STATE)];
    assert_eq!(send(&receiver, &entries), (202, 2, 0));
    assert_eq!(send(&receiver, &entries), (202, 2, 0));
    assert_eq!(expected.wait().now_or_never(), Some(()));
    assert_eq!(expected.wait().now_or_never(), None);
}

#[test]
fn what_is_not_meant_for_us_is_answered_alike_and_wakes_nobody() {
    let receiver = NotificationReceiver::new();
    let expected = receiver.expect("s1", &secret(STATE));
    let mut rich = created("s1", STATE);
    rich["encryptedContent"] = json!({ "data": "AAAA", "dataKey": "AAAA" });
    let mut without_state = created("s1", STATE);
    without_state.as_object_mut().unwrap().remove("clientState");
    let mut deleted = created("s1", STATE);
    deleted["changeType"] = "deleted".into();
    for entry in [
        created("another", STATE),
        created("s1", "the-client-statE"),
        created("s1", ""),
        created("s1", &STATE.repeat(2)),
        rich,
        without_state,
        deleted,
        lifecycle("somethingNew"),
        json!({}),
    ] {
        assert_eq!(
            send(&receiver, std::slice::from_ref(&entry)),
            (202, 0, 1),
            "{entry}"
        );
    }
    assert_eq!(send(&receiver, &[]), (202, 0, 0));
    assert_eq!(expected.next().now_or_never(), None);
}

#[test]
fn events_of_the_subscriptions_life_are_told_the_gravest_first() {
    let receiver = NotificationReceiver::new();
    let expected = receiver.expect("s1", &secret(STATE));
    let entries = [
        created("s1", STATE),
        lifecycle("missed"),
        lifecycle("reauthorizationRequired"),
        lifecycle("subscriptionRemoved"),
    ];
    assert_eq!(send(&receiver, &entries), (202, 4, 0));
    let told: Vec<_> = std::iter::from_fn(|| expected.next().now_or_never()).collect();
    assert_eq!(
        told,
        [
            ChangeNotice::SubscriptionRemoved,
            ChangeNotice::ReauthorizationRequired,
            ChangeNotice::Missed,
            ChangeNotice::MailArrived
        ]
    );
}

#[test]
fn a_subscription_is_expected_until_it_is_dropped_and_the_later_one_takes_over() {
    let receiver = NotificationReceiver::new();
    let first = receiver.expect("s1", &secret(STATE));
    let second = receiver.clone().expect("s1", &secret("new"));
    drop(first);
    assert_eq!(send(&receiver, &[created("s1", STATE)]), (202, 0, 1));
    assert_eq!(send(&receiver, &[created("s1", "new")]), (202, 1, 0));
    assert_eq!(second.wait().now_or_never(), Some(()));
    drop(second);
    assert_eq!(send(&receiver, &[created("s1", "new")]), (202, 0, 1));
}

#[test]
fn a_body_is_read_within_its_bounds() {
    let receiver = NotificationReceiver::new();
    let _expected = receiver.expect("s1", &secret(STATE));
    let many = vec![created("s1", STATE); 1003];
    let body = json!({ "value": many }).to_string();
    assert!(body.len() < NotificationReceiver::BODY_LIMIT);
    let response = post(&receiver, body.as_bytes());
    assert_eq!(
        (response.status, response.accepted, response.ignored),
        (202, 1000, 3)
    );
    let mut large = json!({ "value": [] }).to_string().into_bytes();
    large.resize(NotificationReceiver::BODY_LIMIT, b' ');
    assert_eq!(post(&receiver, &large).status, 202);
    large.push(b' ');
    assert_eq!(post(&receiver, &large).status, 413);
}

#[test]
fn what_is_no_collection_is_refused() {
    let receiver = NotificationReceiver::new();
    let _expected = receiver.expect("s1", &secret(STATE));
    let deep = format!("{{\"value\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let doubled = r#"{"value":[{"subscriptionId":"s1","subscriptionId":"s1"}]}"#;
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "{\"value\":{}}",
        "{\"value\":[1]}",
        "{\"value\":[",
        &deep,
        doubled,
        "{\"value\":[{\"subscriptionId\":1}]}",
        "{\"value\":[]} {}",
        "\u{feff}{}",
    ] {
        assert_eq!(post(&receiver, body.as_bytes()).status, 400, "{body:.60}");
    }
    assert_eq!(post(&receiver, b"\xff\xfe").status, 400);
    let with = |method, content_type| {
        let request = NotificationRequest::new(method)
            .with_header("content-type", content_type)
            .with_body(b"{\"value\":[]}");
        receiver.receive(&request).status
    };
    assert_eq!(with("POST", "Application/JSON;charset=utf-8"), 202);
    assert_eq!(with("POST", "text/html"), 415);
    assert_eq!(with("GET", "application/json"), 405);
    let get = NotificationRequest::new("GET").with_query("validationToken=a");
    assert_eq!(receiver.receive(&get).status, 405);
}

#[test]
fn debug_output_holds_no_secret() {
    let receiver = NotificationReceiver::new();
    let expected = receiver.expect("s1", &secret(STATE));
    let query = format!("validationToken={STATE}");
    let request = NotificationRequest::new("POST")
        .with_query(&query)
        .with_body(STATE.as_bytes());
    let said = format!("{receiver:?} {expected:?} {request:?}");
    assert!(!said.contains(STATE), "{said}");
}
