//! Signing in as an application, against a scripted token endpoint.

#![cfg(feature = "oauth2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ews/support.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock;
use email_logging::credential::{
    AppSignIn, AppSignInBuilder, CredentialProvider, StaticCredentials,
};
use email_logging::source::MailSource;
use email_logging::source::ews::EwsSource;
use email_logging::{Result, Scope};
use secrecy::SecretString;
use support::*;
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Counts how often it is asked for the secret.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl CredentialProvider for Counting {
    async fn client_id(&self, _: &Scope) -> Result<Option<String>> {
        Ok(Some("app-id".into()))
    }

    async fn client_secret(&self, _: &Scope) -> Result<Option<SecretString>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Some("canary-secret".into()))
    }
}

fn token(text: &str, lifetime: u64) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(serde_json::json!({
        "access_token": text, "token_type": "Bearer", "expires_in": lifetime,
    }))
}

async fn issue(server: &MockServer, template: ResponseTemplate, times: u64) {
    Mock::given(method("POST"))
        .and(path("/token"))
        .and(body_string_contains("grant_type=client_credentials"))
        .and(body_string_contains("client_id=app-id"))
        .and(body_string_contains("client_secret=canary-secret"))
        .and(body_string_contains(
            "scope=https%3A%2F%2Foutlook.office365.com%2F.default",
        ))
        .respond_with(template)
        .up_to_n_times(times)
        .expect(times)
        .mount(server)
        .await;
}

fn sign_in(server: &MockServer, provider: Arc<dyn CredentialProvider>) -> AppSignInBuilder {
    AppSignIn::builder(format!("{}/token", server.uri()), provider)
        .dangerously_allow_plain_http_on_loopback()
}

fn source_signed_in(
    server: &MockServer,
    provider: Arc<dyn CredentialProvider>,
) -> (EwsSource, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let shared: Arc<dyn Clock> = Arc::<TestClock>::clone(&clock);
    let sign_in = sign_in(server, provider)
        .with_clock(shared)
        .build()
        .unwrap();
    let (source, _) = source_with(server, |builder| {
        builder
            .with_app_sign_in(sign_in)
            .with_impersonation("queue@example.com")
    });
    (source, clock)
}

async fn tokens_used(server: &MockServer) -> Vec<String> {
    let sent = server.received_requests().await.unwrap();
    let calls = sent.iter().filter(|sent| sent.url.path() != "/token");
    calls
        .map(|sent| sent.headers["authorization"].to_str().unwrap().to_owned())
        .collect()
}

fn pages(times: u64) -> (String, u64) {
    (response("FindItem", &[page("", 0, true)]), times)
}

#[tokio::test]
async fn one_token_serves_all_calls_until_shortly_before_its_end() {
    let server = MockServer::start().await;
    issue(&server, token("first", 3600), 1).await;
    issue(&server, token("second", 3600), 1).await;
    let (xml, times) = pages(4);
    answer(&server, "FindItem", xml, times).await;
    let provider = Arc::new(Counting::default());
    let asked: Arc<dyn CredentialProvider> = Arc::<Counting>::clone(&provider);
    let (source, clock) = source_signed_in(&server, asked);
    let queue = folder("Q");
    let (one, two) = tokio::join!(source.list(&queue, all()), source.list(&queue, all()));
    one.and(two).unwrap();
    clock.sleep(Duration::from_secs(3299)).await;
    source.list(&queue, all()).await.unwrap();
    clock.sleep(Duration::from_secs(1)).await;
    source.list(&queue, all()).await.unwrap();
    let used = [
        "Bearer first",
        "Bearer first",
        "Bearer first",
        "Bearer second",
    ];
    assert_eq!(tokens_used(&server).await, used);
    assert_eq!(provider.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let server = MockServer::start().await;
    issue(&server, token("first", 3600), 1).await;
    issue(&server, token("second", 3600), 1).await;
    answer_with(&server, "FindItem", ResponseTemplate::new(401), 1).await;
    let (xml, times) = pages(1);
    answer(&server, "FindItem", xml, times).await;
    let (source, _) = source_signed_in(&server, Arc::new(Counting::default()));
    source.list(&folder("Q"), all()).await.unwrap();
    assert_eq!(
        tokens_used(&server).await,
        ["Bearer first", "Bearer second"]
    );
}

#[tokio::test]
async fn a_refusal_is_a_typed_error_without_its_description() {
    let refusal = serde_json::json!({
        "error": "invalid_client",
        "error_description": "AADSTS7000215: Invalid secret for app of svc@example.com. Trace ID: x",
    });
    let moved =
        ResponseTemplate::new(307).insert_header("location", "https://elsewhere.example.com");
    for (template, code, detail) in [
        (
            ResponseTemplate::new(401).set_body_json(refusal),
            "oauth.secret_wrong",
            Some("invalid_client AADSTS7000215"),
        ),
        (
            ResponseTemplate::new(200).set_body_string("<html>"),
            "oauth.token_invalid",
            None,
        ),
        (
            ResponseTemplate::new(503).insert_header("retry-after", "9"),
            "http.unavailable",
            None,
        ),
        (
            ResponseTemplate::new(429).insert_header("retry-after", "9"),
            "http.throttled",
            None,
        ),
        (moved, "http.redirect", None),
    ] {
        let server = MockServer::start().await;
        issue(&server, template, 1).await;
        let (source, _) = source_signed_in(&server, Arc::new(Counting::default()));
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!((code_of(&error), error.detail()), (code, detail));
        let wait = (code == "http.unavailable" || code == "http.throttled").then_some(9);
        assert_eq!(error.retry_after(), wait.map(Duration::from_secs));
        assert_eq!(tokens_used(&server).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_service_that_wants_to_be_left_alone_is_not_asked_before_its_time() {
    for (status, code) in [(429, "http.throttled"), (503, "http.unavailable")] {
        let server = MockServer::start().await;
        let busy = ResponseTemplate::new(status).insert_header("retry-after", "9");
        issue(&server, busy, 1).await;
        issue(&server, token("first", 3600), 1).await;
        let (xml, times) = pages(1);
        answer(&server, "FindItem", xml, times).await;
        let (source, clock) = source_signed_in(&server, Arc::new(Counting::default()));
        for (wait, left) in [(0, 9), (0, 9), (3, 6)] {
            clock.sleep(Duration::from_secs(wait)).await;
            let error = source.list(&folder("Q"), all()).await.unwrap_err();
            let left = Duration::from_secs(left);
            assert_eq!((code_of(&error), error.retry_after()), (code, Some(left)));
        }
        // What is left now a call waits for itself.
        clock.sleep(Duration::from_secs(2)).await;
        source.list(&folder("Q"), all()).await.unwrap();
        assert_eq!(tokens_used(&server).await, ["Bearer first"]);
    }
}

#[tokio::test]
async fn trouble_that_passes_soon_is_not_noticed() {
    for trouble in [
        ResponseTemplate::new(500),
        ResponseTemplate::new(503).insert_header("retry-after", "2"),
    ] {
        let server = MockServer::start().await;
        issue(&server, trouble, 2).await;
        issue(&server, token("first", 3600), 1).await;
        let (xml, times) = pages(1);
        answer(&server, "FindItem", xml, times).await;
        let (source, _) = source_signed_in(&server, Arc::new(Counting::default()));
        source.list(&folder("Q"), all()).await.unwrap();
    }
}

#[tokio::test]
async fn missing_credentials_stop_the_sign_in() {
    let server = MockServer::start().await;
    let given = StaticCredentials::new()
        .with_client_id("app-id")
        .with_client_secret("");
    let (source, _) = source_signed_in(&server, Arc::new(given));
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(
        (code_of(&error), error.detail()),
        ("credential.missing", Some("client secret"))
    );
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[test]
fn an_application_signs_in_with_a_tenant_of_its_own_over_https() {
    let provider: Arc<dyn CredentialProvider> = Arc::new(StaticCredentials::new());
    for tenant in ["common", "Organizations", "consumers", "", "a/b", "a?b"] {
        let built = AppSignIn::microsoft(tenant, Arc::clone(&provider)).build();
        assert_eq!(built.unwrap_err().code(), "config.invalid", "{tenant}");
    }
    assert!(
        AppSignIn::microsoft("contoso.onmicrosoft.com", Arc::clone(&provider))
            .build()
            .is_ok()
    );
    let built = AppSignIn::builder("http://login.example.com/token", provider).build();
    assert_eq!(built.unwrap_err().code(), "config.insecure");
}

#[tokio::test]
async fn many_callers_at_once_get_one_token() {
    let server = MockServer::start().await;
    let slow = token("only", 3600).set_delay(Duration::from_millis(50));
    issue(&server, slow, 1).await;
    let (xml, times) = pages(64);
    answer(&server, "FindItem", xml, times).await;
    let provider = Arc::new(Counting::default());
    let asked: Arc<dyn CredentialProvider> = Arc::<Counting>::clone(&provider);
    let sign_in = sign_in(&server, asked).build().unwrap();
    let (source, _) = source_with(&server, |builder| {
        builder
            .with_app_sign_in(sign_in)
            .with_impersonation("queue@example.com")
            .with_connections(64)
    });
    let queue = folder("Q");
    let calls = (0..64).map(|_| source.list(&queue, all()));
    for answered in futures_util::future::join_all(calls).await {
        answered.unwrap();
    }
    assert_eq!(tokens_used(&server).await, vec!["Bearer only"; 64]);
    assert_eq!(provider.0.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_with_a_short_life_is_used_for_nine_tenths_of_it() {
    for (lifetime, kept) in [(100, 89), (300, 269), (3000, 2699), (7200, 6899)] {
        let server = MockServer::start().await;
        issue(&server, token("first", lifetime), 1).await;
        issue(&server, token("second", lifetime), 1).await;
        let (xml, times) = pages(3);
        answer(&server, "FindItem", xml, times).await;
        let (source, clock) = source_signed_in(&server, Arc::new(Counting::default()));
        for wait in [0, kept, 1] {
            clock.sleep(Duration::from_secs(wait)).await;
            source.list(&folder("Q"), all()).await.unwrap();
        }
        let used = ["Bearer first", "Bearer first", "Bearer second"];
        assert_eq!(tokens_used(&server).await, used, "{lifetime}");
    }
}

#[test]
fn an_application_without_a_mailbox_to_act_for_is_refused() {
    let provider: Arc<dyn CredentialProvider> = Arc::new(StaticCredentials::new());
    let sign_in = AppSignIn::microsoft("contoso.example.com", provider).build();
    let built = EwsSource::builder("https://outlook.office365.com/EWS/Exchange.asmx")
        .with_app_sign_in(sign_in.unwrap())
        .build();
    assert_eq!(code_of(&built.unwrap_err()), "config.missing");
}

#[test]
fn a_sign_in_shows_no_address_account_or_proxy() {
    let given = StaticCredentials::new()
        .with_client_id("canary-app")
        .with_client_secret("canary-secret");
    let provider: Arc<dyn CredentialProvider> = Arc::new(given);
    let builder = || {
        AppSignIn::microsoft("canary.example.com", Arc::clone(&provider))
            .with_proxy("http://canary-user:canary-secret@10.1.2.3:8080")
    };
    let sign_in = builder().build().unwrap();
    let shown = [
        format!("{:?}", builder()),
        format!("{:#?}", builder()),
        format!("{sign_in:?}"),
        format!("{sign_in:#?}"),
    ];
    for text in shown {
        assert!(
            !text.contains("canary") && !text.contains("10.1.2.3"),
            "{text}"
        );
    }
}
