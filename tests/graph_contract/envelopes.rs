//! Batches as they are sent and answered, and subscriptions with their notifications, by the schema.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use email_logging::EmailLogger;
use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::notifications::{
    ChangeSubscriptions as _, NotificationReceiver, NotificationRequest, SubscriptionKeeper,
};
use email_logging::source::graph::GraphSource;
use email_logging::source::{FolderPath, Wakeup as _};
use email_logging::store::MemoryStore;
use email_logging::testkit::graph::{
    GraphFault, GraphFaultKind, GraphOperation, LifecycleEvent, SimulatedGraph,
};
use serde_json::Value;

use super::checked::{APP_TOKEN, INBOX, MAILBOX};
use super::judge::{Document, assert_fits, assert_ids_differ};
use super::tap::{Exchange, Tap};
use super::whole_way::{mail, people};

async fn tapped() -> (SimulatedGraph, Tap, GraphSource) {
    let graph = SimulatedGraph::builder()
        .with_mailbox(MAILBOX)
        .with_app_token(APP_TOKEN)
        .with_plain_http()
        .start()
        .await
        .unwrap();
    let url = graph.url();
    let tap = Tap::before(url.trim_end_matches("/v1.0")).await;
    graph.set_link_base(&tap.origin);
    let token = StaticCredentials::new().with_access_token(AccessToken::new(APP_TOKEN, None));
    let source = GraphSource::builder()
        .with_service_url(format!("{}/v1.0", tap.origin))
        .with_mailbox(MAILBOX)
        .with_access_token(Arc::new(token))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    (graph, tap, source)
}

/// Both sides of each batch.
fn batches(passed: &[Exchange]) -> Vec<Document> {
    let of = |exchange: &&Exchange| exchange.path == "/$batch";
    let mut documents = Vec::new();
    for exchange in passed.iter().filter(of) {
        assert_ids_differ(&exchange.sent, "requests");
        documents.push(("batch-request", exchange.sent.clone()));
        let kind = if exchange.status == 200 {
            assert_ids_differ(&exchange.got, "responses");
            "batch-answer"
        } else {
            "error"
        };
        documents.push((kind, exchange.got.clone()));
    }
    documents
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_fit_their_schema_on_both_sides_also_where_parts_fail() {
    let (graph, tap, source) = tapped().await;
    for number in 0..30 {
        graph.deliver(INBOX, mail(number)).unwrap();
    }
    let part_error = |index, status, code: &str| GraphFaultKind::PartError {
        index,
        status,
        code: code.to_owned(),
        retry_after: Some(Duration::from_secs(1)),
    };
    let batch = |kind| GraphFault::new(kind).on(GraphOperation::Batch);
    graph.inject(batch(part_error(1, 429, "ApplicationThrottled")));
    graph.inject(batch(part_error(2, 503, "serviceNotAvailable")).at_call(2));
    graph.inject(batch(part_error(3, 404, "ErrorItemNotFound")).at_call(3));
    graph.inject(batch(GraphFaultKind::ReversedParts).at_call(4));
    graph.inject(
        GraphFault::new(GraphFaultKind::Throttled { retry_after: None })
            .on(GraphOperation::Batch)
            .at_call(5),
    );
    let logger = EmailLogger::builder()
        .with_source(Arc::new(source))
        .with_directory(Arc::new(people()))
        .with_store(Arc::new(MemoryStore::new()))
        .with_queue_folder("inbox:".parse::<FolderPath>().unwrap())
        .with_storage_folder("archive:".parse::<FolderPath>().unwrap())
        .build()
        .unwrap();
    for _ in 0..4 {
        logger.run_once().await.unwrap();
    }
    assert_eq!(graph.count(INBOX).unwrap(), 0);
    let documents = batches(&tap.passed());
    let failed = |document: &&Document| {
        let parts = document.1["responses"].as_array();
        parts.is_some_and(|parts| {
            parts
                .iter()
                .any(|part| part["status"].as_u64() >= Some(400))
        })
    };
    assert!(documents.len() >= 8, "{}", documents.len());
    assert!(documents.iter().filter(failed).count() >= 2);
    assert_fits(&documents);
}

type Heard = Arc<Mutex<Vec<Value>>>;

/// The host's address, with the crate's receiver behind it.
async fn address(receiver: NotificationReceiver, heard: Heard) -> String {
    let answer = move |State((receiver, heard)): State<(NotificationReceiver, Heard)>,
                       RawQuery(query): RawQuery,
                       body: Bytes| async move {
        let mut request = NotificationRequest::new("POST").with_body(&body);
        match &query {
            Some(query) => request = request.with_query(query),
            None => heard
                .lock()
                .unwrap()
                .push(serde_json::from_slice(&body).unwrap()),
        }
        let answer = receiver.receive(&request);
        let status = axum::http::StatusCode::from_u16(answer.status).unwrap();
        let plain = [("content-type", "text/plain; charset=utf-8")];
        (status, plain, answer.body)
    };
    let router = axum::Router::new()
        .fallback(answer)
        .with_state((receiver, heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_and_their_notifications_fit_their_schema() {
    let (graph, tap, source) = tapped().await;
    let (receiver, heard) = (NotificationReceiver::new(), Heard::default());
    let url = address(receiver.clone(), Arc::clone(&heard)).await;
    let folder: FolderPath = "inbox:".parse().unwrap();
    let clock = email_logging::testkit::clock::ManualClock::at(jiff::Timestamp::now());
    let keeper = SubscriptionKeeper::builder()
        .with_service(Arc::new(source.subscriptions(folder)))
        .with_receiver(&receiver)
        .with_notification_url(url)
        .with_lifetime(Duration::from_hours(2))
        .with_sole_use(true)
        .with_clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    keeper.wait().await;
    // A renewal: half of its life is over.
    clock.advance(Duration::from_mins(61));
    graph.deliver(INBOX, mail(1)).unwrap();
    let renewed = async {
        while graph.subscriptions()[0].renewals == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(graph.send_notifications().await, [202]);
    };
    tokio::join!(renewed, keeper.wait());
    for event in [
        LifecycleEvent::Missed,
        LifecycleEvent::ReauthorizationRequired,
        LifecycleEvent::SubscriptionRemoved,
    ] {
        assert_eq!(graph.send_lifecycle(event).await, [202]);
    }
    let service = source.subscriptions("inbox:".parse::<FolderPath>().unwrap());
    let gone = keeper.kept().unwrap().id;
    service
        .renew(&gone, jiff::Timestamp::now() + Duration::from_hours(1))
        .await
        .unwrap_err();
    keeper.unsubscribe().await.unwrap();

    let mut documents = Vec::new();
    for exchange in tap.passed() {
        let of = exchange.path.starts_with("/subscriptions");
        let (sent, got) = match (exchange.method.as_str(), exchange.status) {
            _ if !of => continue,
            ("POST", 201) => (Some("subscription-request"), Some("subscription")),
            ("PATCH", 200) => (Some("subscription-renewal"), Some("subscription")),
            ("PATCH", _) => (Some("subscription-renewal"), Some("error")),
            ("GET", 200) => (None, Some("subscriptions")),
            ("DELETE", 404) => (None, Some("error")),
            other => panic!("{other:?}"),
        };
        documents.extend(sent.map(|kind| (kind, exchange.sent)));
        documents.extend(got.map(|kind| (kind, exchange.got)));
    }
    let heard = std::mem::take(&mut *heard.lock().unwrap());
    assert_eq!(heard.len(), 4);
    documents.extend(heard.into_iter().map(|body| ("notifications", body)));
    for kind in [
        "subscription",
        "subscriptions",
        "subscription-renewal",
        "error",
    ] {
        assert!(documents.iter().any(|one| one.0 == kind), "{kind}");
    }
    assert_fits(&documents);
}
