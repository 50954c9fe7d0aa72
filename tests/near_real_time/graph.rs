//! Subscriptions at Graph: what is sent, and how a keeper lives with the answers.

use std::sync::Arc;
use std::time::Duration;

use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::error::ErrorKind;
use email_logging::notifications::{
    ChangeSubscriptions as _, NotificationReceiver, NotificationRequest, SubscriptionKeeper,
};
use email_logging::source::graph::{GraphSource, GraphSubscriptions};
use email_logging::source::{FolderId, FolderSelector, Wakeup as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::time::timeout;
use wiremock::matchers::{
    body_partial_json, header, method, path, query_param, query_param_is_missing,
};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::{Counter, TestClock};

const URL: &str = "https://erp.example/graph?tenant=7";

fn source(server: &MockServer) -> GraphSource {
    let token = AccessToken::new("token", None);
    let credentials = StaticCredentials::new().with_access_token(token);
    GraphSource::builder()
        .with_service_url(server.uri())
        .with_mailbox("o'neil@example.com")
        .with_access_token(Arc::new(credentials))
        .with_clock(Arc::new(TestClock::default()))
        .with_entropy(Arc::new(Counter::default()))
        .with_repeats(1)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap()
}

fn subscriptions(server: &MockServer) -> GraphSubscriptions {
    let folder = FolderSelector::Id(FolderId::new("AQMk-_'="), None);
    source(server).subscriptions(folder)
}

fn keeper(server: &MockServer, receiver: &NotificationReceiver) -> SubscriptionKeeper {
    SubscriptionKeeper::builder()
        .with_service(Arc::new(subscriptions(server)))
        .with_receiver(receiver)
        .with_notification_url(URL)
        .with_clock(Arc::new(TestClock::default()))
        .build()
        .unwrap()
}

fn made(request: &Request) -> ResponseTemplate {
    let wanted: Value = request.body_json().unwrap();
    ResponseTemplate::new(201).set_body_json(json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity",
        "id": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
        "resource": wanted["resource"],
        "expirationDateTime": "2026-11-03T18:23:45.9356913Z",
        "clientState": wanted["clientState"],
        "applicationId": null
    }))
}

async fn makes(server: &MockServer, times: u64) {
    let post = Mock::given(method("POST")).and(path("/v1.0/subscriptions"));
    post.respond_with(made).expect(times).mount(server).await;
}

const ONE: &str = "/v1.0/subscriptions/7f105c7d-2dc5-4530-97cd-4e7ae6534c07";

#[tokio::test]
async fn a_subscription_is_asked_for_as_graph_wants_it_and_its_notification_is_a_hint() {
    let server = MockServer::start().await;
    makes(&server, 1).await;
    let receiver = NotificationReceiver::new();
    let keeper = keeper(&server, &receiver);
    timeout(Duration::from_mins(1), keeper.wait())
        .await
        .unwrap();
    let kept = keeper.kept().unwrap();
    assert_eq!(kept.until.to_string(), "2026-11-03T18:23:45.9356913Z");
    let sent = server.received_requests().await.unwrap();
    assert_eq!(sent[0].headers["prefer"], "IdType=\"ImmutableId\"");
    assert_eq!(sent[0].headers["authorization"], "Bearer token");
    assert_eq!(sent[0].headers["content-type"], "application/json");
    let body: Value = sent[0].body_json().unwrap();
    let expected = json!({
        "changeType": "created",
        "notificationUrl": URL,
        "lifecycleNotificationUrl": URL,
        "resource": "users/o%27neil@example.com/mailFolders('AQMk-_''=')/messages",
        "expirationDateTime": "2026-11-04T08:00:00Z",
        "clientState": kept.client_state.expose_secret(),
    });
    assert_eq!(body, expected);
    let notification = json!({ "value": [{
        "subscriptionId": kept.id,
        "clientState": kept.client_state.expose_secret(),
        "changeType": "created",
    }] });
    let body = notification.to_string();
    let request = NotificationRequest::new("POST").with_body(body.as_bytes());
    assert_eq!(receiver.receive(&request).accepted, 1);
    timeout(Duration::from_mins(1), keeper.wait())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_renewal_is_a_patch_and_the_end_a_delete() {
    let server = MockServer::start().await;
    let until = "2026-11-05T00:00:00Z";
    Mock::given(method("PATCH"))
        .and(path(ONE))
        .and(header("prefer", "IdType=\"ImmutableId\""))
        .and(body_partial_json(json!({ "expirationDateTime": until })))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "id": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
            "expirationDateTime": "2026-11-04T23:00:00Z"
        })))
        .expect(1)
        .mount(&server)
        .await;
    let delete = Mock::given(method("DELETE")).and(path(ONE));
    delete
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    let service = subscriptions(&server);
    let id = ONE.rsplit('/').next().unwrap();
    let renewed = service.renew(id, until.parse().unwrap()).await.unwrap();
    assert_eq!(renewed.to_string(), "2026-11-04T23:00:00Z");
    service.unsubscribe(id).await.unwrap();
    let sent = server.received_requests().await.unwrap();
    assert!(sent[1].body.is_empty());
}

#[tokio::test]
async fn what_is_gone_is_not_found_and_nothing_to_delete() {
    let server = MockServer::start().await;
    let gone =
        json!({ "error": { "code": "ResourceNotFound", "message": "The object was not found." } });
    let gone = ResponseTemplate::new(404).set_body_json(gone);
    Mock::given(path(ONE))
        .respond_with(gone)
        .expect(2)
        .mount(&server)
        .await;
    let service = subscriptions(&server);
    let id = ONE.rsplit('/').next().unwrap();
    let error = service
        .renew(id, "2026-11-05T00:00:00Z".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::NotFound, "graph.not_found")
    );
    service.unsubscribe(id).await.unwrap();
    assert!(!format!("{error} {error:?}").contains("o'neil"));
}

#[tokio::test]
async fn a_creation_is_not_repeated_after_an_unknown_effect_and_a_busy_service_is_waited_for() {
    let server = MockServer::start().await;
    let post = || Mock::given(method("POST")).and(path("/v1.0/subscriptions"));
    let unknown = ResponseTemplate::new(504);
    post()
        .respond_with(unknown)
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    let busy = json!({ "error": { "code": "TooManyRequests", "message": "Slow down." } });
    let busy = ResponseTemplate::new(429)
        .insert_header("retry-after", "7")
        .set_body_json(busy);
    post()
        .respond_with(busy)
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    makes(&server, 1).await;
    let receiver = NotificationReceiver::new();
    let keeper = keeper(&server, &receiver);
    timeout(Duration::from_mins(1), keeper.wait())
        .await
        .unwrap();
    // One failure of the keeper's, between the unknown effect and the busy answer, and then a new secret.
    let sent = server.received_requests().await.unwrap();
    let states: Vec<Value> = sent
        .iter()
        .map(|request| request.body_json::<Value>().unwrap()["clientState"].clone())
        .collect();
    assert_eq!(states.len(), 3);
    assert!(
        states[0] != states[1] && states[1] == states[2],
        "{states:?}"
    );
    assert_eq!(keeper.state().failed_in_a_row, 0);
}

#[tokio::test]
async fn an_answer_that_names_no_subscription_is_a_failure() {
    for body in [
        json!({}),
        json!({ "id": "" }),
        json!({ "id": 7 }),
        json!([]),
    ] {
        let server = MockServer::start().await;
        let post = Mock::given(method("POST")).and(path("/v1.0/subscriptions"));
        let answer = ResponseTemplate::new(201).set_body_json(&body);
        post.respond_with(answer).mount(&server).await;
        let receiver = NotificationReceiver::new();
        let keeper = keeper(&server, &receiver);
        let failed = async {
            while keeper.state().last_failure.is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = failed => {}
            () = keeper.wait() => panic!("a hint of {body}"),
        }
        let failure = keeper.state().last_failure.unwrap();
        assert_eq!(failure.1, "graph.answer_invalid", "{body}");
    }
}

#[tokio::test]
async fn own_subscriptions_are_found_page_by_page_and_no_link_leads_elsewhere() {
    let server = MockServer::start().await;
    let resource = "users/o%27neil@example.com/mailFolders('AQMk-_''=')/messages";
    let one = |id: &str, resource: &str, url: &str| {
        json!({
            "id": id, "resource": resource, "notificationUrl": url, "changeType": "created",
            "expirationDateTime": "2026-11-04T23:00:00Z"
        })
    };
    let page = |value: Vec<Value>, next: Option<String>| {
        let mut page = json!({ "value": value });
        if let Some(next) = next {
            page["@odata.nextLink"] = next.into();
        }
        ResponseTemplate::new(200).set_body_json(page)
    };
    let get = |skip: Option<&str>| {
        let mock = Mock::given(method("GET")).and(path("/v1.0/subscriptions"));
        match skip {
            Some(skip) => mock.and(query_param("$skiptoken", skip)),
            None => mock.and(query_param_is_missing("$skiptoken")),
        }
    };
    let link = |skip: &str| format!("{}/v1.0/subscriptions?$skiptoken={skip}", server.uri());
    let first = vec![
        one("a", resource, URL),
        one("b", resource, "https://other.example/"),
        one("c", "users/other/messages", URL),
    ];
    get(None)
        .respond_with(page(first, Some(link("2"))))
        .mount(&server)
        .await;
    get(Some("2"))
        .respond_with(page(vec![one("d", resource, URL)], None))
        .mount(&server)
        .await;
    let found = subscriptions(&server).subscribed(URL).await.unwrap();
    assert_eq!(found, ["a", "d"]);
    for next in [
        "https://evil.example/v1.0/subscriptions?$skiptoken=2".to_owned(),
        format!("{}/v1.0/users?$skiptoken=2", server.uri()),
    ] {
        server.reset().await;
        get(None)
            .respond_with(page(Vec::new(), Some(next)))
            .expect(1)
            .mount(&server)
            .await;
        let error = subscriptions(&server).subscribed(URL).await.unwrap_err();
        assert_eq!(error.code(), "graph.link_refused");
    }
}
