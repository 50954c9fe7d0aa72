//! Tokens and the mailboxes that they reach.

use email_logging::testkit::graph::SimulatedGraph;
use email_logging::testkit::identity::{Application, SimulatedIdentity};
use serde_json::Value;

use super::client::{Answer, MAILBOX, TOKEN, builder, send};

const USER: &str = "anna@corp.example";

async fn with_token(graph: &SimulatedGraph, path: &str, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    send(graph, "GET", path, &[("authorization", &bearer)], None)
        .await
        .unwrap()
}

#[tokio::test]
async fn without_a_good_token_nobody_is_let_in() {
    let graph = builder().start().await.unwrap();
    let path = format!("/users/{MAILBOX}/mailFolders");
    for header in ["Bearer wrong", "Basic bG9nOmxvZw==", "nonsense"] {
        let answer = send(&graph, "GET", &path, &[("authorization", header)], None)
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.code()),
            (401, "InvalidAuthenticationToken"),
            "{header}"
        );
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer realm=\"\", authorization_uri="));
    }
    assert_eq!(graph.statistics().unauthorized, 3);
}

#[tokio::test]
async fn an_application_reaches_the_mailboxes_that_it_may_and_has_none_of_its_own() {
    let graph = builder()
        .with_mailbox(USER)
        .with_application_access([MAILBOX])
        .start()
        .await
        .unwrap();
    let own = with_token(&graph, &format!("/users/{MAILBOX}/mailFolders"), TOKEN).await;
    assert_eq!(own.status, 200);
    let by_id = format!("/users/{}/mailFolders", graph.user_id(MAILBOX).unwrap());
    assert_eq!(with_token(&graph, &by_id, TOKEN).await.status, 200);
    let other = with_token(&graph, &format!("/users/{USER}/mailFolders"), TOKEN).await;
    assert_eq!((other.status, other.code()), (403, "ErrorAccessDenied"));
    let nobody = with_token(&graph, "/users/no@corp.example/mailFolders", TOKEN).await;
    assert_eq!((nobody.status, nobody.code()), (404, "ErrorInvalidUser"));
    let me = with_token(&graph, "/me/mailFolders", TOKEN).await;
    assert_eq!((me.status, me.code()), (400, "BadRequest"));
}

#[tokio::test]
async fn a_user_reaches_his_own_mailbox_and_those_that_are_shared() {
    let make = |private| {
        builder()
            .with_mailbox(USER)
            .with_user_token("user-token", USER)
            .with_private_mailboxes(private)
    };
    let graph = make(false).start().await.unwrap();
    assert_eq!(
        with_token(&graph, "/me/mailFolders", "user-token")
            .await
            .status,
        200
    );
    let shared = format!("/users/{MAILBOX}/mailFolders");
    assert_eq!(with_token(&graph, &shared, "user-token").await.status, 200);
    let graph = make(true).start().await.unwrap();
    assert_eq!(
        with_token(&graph, "/me/mailFolders", "user-token")
            .await
            .status,
        200
    );
    let hidden = with_token(&graph, &shared, "user-token").await;
    assert_eq!((hidden.status, hidden.code()), (404, "ErrorItemNotFound"));
}

async fn app_token(identity: &SimulatedIdentity, scope: &str) -> String {
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let body = format!(
        "grant_type=client_credentials&client_id=client-id&client_secret=secret&scope={scope}"
    );
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(identity.token_url())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    let text = answer.text().await.unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    json["access_token"].as_str().expect(&text).to_owned()
}

#[tokio::test]
async fn a_token_needs_the_audience_and_the_role_of_graph() {
    for (role, scope, status, code) in [
        (
            "Mail.ReadWrite",
            "https://graph.microsoft.com/.default",
            200,
            "",
        ),
        (
            "Mail.Read",
            "https://graph.microsoft.com/.default",
            403,
            "ErrorAccessDenied",
        ),
        (
            "Mail.ReadWrite",
            "https://outlook.office365.com/.default",
            401,
            "InvalidAuthenticationToken",
        ),
    ] {
        let application = Application::new("client-id")
            .with_secret("secret")
            .with_role(role);
        let identity = SimulatedIdentity::builder()
            .with_application(application)
            .start()
            .await
            .unwrap();
        let graph = SimulatedGraph::builder()
            .with_mailbox(MAILBOX)
            .with_bearer(&identity)
            .start()
            .await
            .unwrap();
        let token = app_token(&identity, scope).await;
        let answer = with_token(&graph, &format!("/users/{MAILBOX}/mailFolders"), &token).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{role} {scope}"
        );
    }
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_does_not_start() {
    let error = SimulatedGraph::builder().start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
