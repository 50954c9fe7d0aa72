//! Subscriptions: validation, notifications, lifecycle.

use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::post;
use email_logging::testkit::graph::{LifecycleEvent, SimulatedGraph};
use serde_json::{Value, json};

use super::client::{INBOX, MAILBOX, mail, send, started};

type Heard = Arc<Mutex<Vec<Value>>>;

/// A subscriber that says back what it is asked, and keeps what it is told.
async fn subscriber(echo: bool) -> (String, Heard) {
    let heard = Heard::default();
    let answer = move |State(heard): State<Heard>,
                       Query(query): Query<Vec<(String, String)>>,
                       body: String| async move {
        match query
            .into_iter()
            .find(|(name, _)| name == "validationToken")
        {
            Some((_, token)) if echo => (StatusCode::OK, token),
            Some(_) => (StatusCode::OK, "something else".to_owned()),
            None => {
                heard
                    .lock()
                    .unwrap()
                    .push(serde_json::from_str(&body).unwrap());
                (StatusCode::ACCEPTED, String::new())
            }
        }
    };
    let router = axum::Router::new()
        .route("/hook", post(answer))
        .with_state(Arc::clone(&heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, heard)
}

fn in_minutes(minutes: i64) -> String {
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
    until.to_string()
}

fn wish(url: &str) -> Value {
    json!({
        "changeType": "created",
        "notificationUrl": url,
        "lifecycleNotificationUrl": url,
        "resource": format!("/users/{MAILBOX}/mailFolders('Inbox')/messages"),
        "expirationDateTime": in_minutes(60),
        "clientState": "state",
    })
}

async fn subscribe(graph: &SimulatedGraph, wish: &Value) -> super::client::Answer {
    send(graph, "POST", "/subscriptions", &[], Some(wish))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_subscriber_is_asked_and_then_told_of_new_mail() {
    let graph = started().await;
    let (url, heard) = subscriber(true).await;
    graph.deliver(INBOX, mail(0)).unwrap();
    let made = subscribe(&graph, &wish(&url)).await;
    assert_eq!(made.status, 201, "{}", made.json);
    assert_eq!(graph.send_notifications().await, [0_u16; 0]);
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    assert_eq!(graph.send_notifications().await, [202]);
    let told = heard.lock().unwrap().remove(0);
    assert_eq!(told["value"].as_array().unwrap().len(), 1);
    let notice = &told["value"][0];
    assert_eq!(notice["subscriptionId"], made.json["id"]);
    assert_eq!(
        (&notice["clientState"], &notice["changeType"]),
        (&json!("state"), &json!("created"))
    );
    assert_eq!(notice["resourceData"]["id"], json!(id));
}

#[tokio::test]
async fn a_subscription_is_renewed_and_deleted() {
    let graph = started().await;
    let (url, _) = subscriber(true).await;
    let made = subscribe(&graph, &wish(&url)).await.json;
    let path = format!("/subscriptions/{}", made["id"].as_str().unwrap());
    let body = json!({"expirationDateTime": in_minutes(600)});
    let renewed = send(&graph, "PATCH", &path, &[], Some(&body))
        .await
        .unwrap();
    assert_eq!(renewed.status, 200);
    assert_eq!(graph.subscriptions()[0].renewals, 1);
    let deleted = send(&graph, "DELETE", &path, &[], None).await.unwrap();
    assert_eq!((deleted.status, graph.subscriptions().len()), (204, 0));
    let again = send(&graph, "PATCH", &path, &[], Some(&body))
        .await
        .unwrap();
    assert_eq!((again.status, again.code()), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn lifecycle_events_are_told_by_hand() {
    let graph = started().await;
    let (url, heard) = subscriber(true).await;
    subscribe(&graph, &wish(&url)).await;
    for (event, name) in [
        (
            LifecycleEvent::ReauthorizationRequired,
            "reauthorizationRequired",
        ),
        (LifecycleEvent::Missed, "missed"),
        (LifecycleEvent::SubscriptionRemoved, "subscriptionRemoved"),
    ] {
        assert_eq!(graph.send_lifecycle(event).await, [202]);
        let told = heard.lock().unwrap().remove(0);
        assert_eq!(told["value"][0]["lifecycleEvent"], json!(name));
        assert_eq!(told["value"][0]["clientState"], json!("state"));
    }
    assert_eq!(graph.subscriptions(), []);
}

#[tokio::test]
async fn what_graph_would_not_subscribe_is_refused() {
    let graph = started().await;
    let (url, _) = subscriber(true).await;
    let (deaf, _) = subscriber(false).await;
    let with = |name: &str, value: Value| {
        let mut wish = wish(&url);
        wish[name] = value;
        wish
    };
    for (bad, code) in [
        (
            with("expirationDateTime", json!(in_minutes(10_081 + 1))),
            "ExtensionError",
        ),
        (
            with("expirationDateTime", json!(in_minutes(-1))),
            "InvalidRequest",
        ),
        (with("resource", json!("/users")), "InvalidRequest"),
        (with("changeType", json!("moved")), "InvalidRequest"),
        (
            with("clientState", json!("x".repeat(129))),
            "InvalidRequest",
        ),
        (with("colour", json!("red")), "InvalidRequest"),
        (with("notificationUrl", json!(deaf)), "ValidationError"),
        (
            with("notificationUrl", json!("http://127.0.0.1:1/")),
            "ValidationError",
        ),
    ] {
        let answer = subscribe(&graph, &bad).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{bad}");
    }
    assert_eq!(graph.subscriptions(), []);
}
