//! What proves who sends a request, and where it never goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use email_logging::credential::{AccessToken, CredentialProvider, StaticCredentials};
use email_logging::source::MailSource;
use email_logging::source::ews::EwsSource;
use email_logging::{Result, Scope};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::*;

fn empty_page() -> String {
    response("FindItem", &[page("", 0, true)])
}

#[tokio::test]
async fn a_request_carries_what_exchange_wants_and_no_more() {
    let server = MockServer::start().await;
    answer(&server, "FindItem", empty_page(), 2).await;
    let (source, _) = source_with(&server, |builder| {
        builder
            .with_user_agent("erp/1")
            .with_anchor_mailbox("anchor@example.com")
            .with_public_folder_mailbox("guid@example.com")
            .with_impersonation("queue@example.com")
    });
    source.list(&folder("Q"), all()).await.unwrap();
    source.list(&folder("Q"), all()).await.unwrap();
    let sent = server.received_requests().await.unwrap();
    let header = |at: usize, name: &str| {
        sent[at]
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let basic = base64_simd::STANDARD.encode_to_string("svc@example.com:canary-secret");
    assert_eq!(header(0, "authorization"), Some(format!("Basic {basic}")));
    assert_eq!(header(0, "user-agent").as_deref(), Some("erp/1"));
    assert_eq!(
        header(0, "x-anchormailbox").as_deref(),
        Some("anchor@example.com")
    );
    assert_eq!(
        header(0, "x-publicfoldermailbox").as_deref(),
        Some("guid@example.com")
    );
    assert_eq!(
        header(0, "return-client-request-id").as_deref(),
        Some("true")
    );
    assert_eq!(
        header(0, "content-type").as_deref(),
        Some("text/xml; charset=utf-8")
    );
    assert_eq!(header(0, "accept-encoding"), None);
    assert_eq!(header(0, "cookie"), None);
    let first = header(0, "client-request-id").unwrap();
    assert_eq!(first, "00000000-0000-4000-8000-000000000001");
    assert_ne!(header(1, "client-request-id").unwrap(), first);
    let body = String::from_utf8_lossy(&sent[0].body).into_owned();
    assert!(body.contains("<t:PrimarySmtpAddress>queue@example.com</t:PrimarySmtpAddress>"));
}

#[tokio::test]
async fn refused_credentials_are_not_tried_again_and_the_offer_is_named() {
    let server = MockServer::start().await;
    let refusal = ResponseTemplate::new(401)
        .append_header("www-authenticate", "Negotiate")
        .append_header("www-authenticate", "NTLM")
        .set_body_raw("<!DOCTYPE html><html/>", "text/html");
    answer_with(&server, "FindItem", refusal, 1).await;
    let (source, _) = source(&server);
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(code_of(&error), "http.unauthorized");
    assert_eq!(
        error.server().unwrap().offered_schemes,
        ["Negotiate", "NTLM"]
    );
    assert_eq!(error.detail(), Some("the server offers Negotiate, NTLM"));
}

#[tokio::test]
async fn credentials_never_follow_a_redirect() {
    let other = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&other)
        .await;
    for status in [301, 302, 303, 307, 308] {
        let server = MockServer::start().await;
        let redirect = ResponseTemplate::new(status).insert_header("location", other.uri());
        answer_with(&server, "FindItem", redirect, 1).await;
        let (source, _) = source(&server);
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(code_of(&error), "http.redirect");
    }
}

#[test]
fn what_would_send_credentials_unprotected_is_refused_before_anything_is_sent() {
    for (url, loopback, code) in [
        (
            "https://outlook.office365.com/EWS/Exchange.asmx",
            false,
            "ews.basic_online",
        ),
        (
            "https://outlook.office.com/EWS/Exchange.asmx",
            false,
            "ews.basic_online",
        ),
        (
            "https://eur01.prod.outlook.com/EWS/Exchange.asmx",
            false,
            "ews.basic_online",
        ),
        (
            "https://outlook.office365.us/EWS/Exchange.asmx",
            false,
            "ews.basic_online",
        ),
        (
            "https://partner.outlook.cn/EWS/Exchange.asmx",
            false,
            "ews.basic_online",
        ),
        (
            "http://mail.example.com/EWS/Exchange.asmx",
            true,
            "config.insecure",
        ),
        (
            "http://127.0.0.1/EWS/Exchange.asmx",
            false,
            "config.insecure",
        ),
        (
            "https://svc:canary-secret@mail.example.com/",
            false,
            "config.invalid",
        ),
    ] {
        let builder = EwsSource::builder(url).with_basic(account());
        let builder = if loopback {
            builder.dangerously_allow_plain_http_on_loopback()
        } else {
            builder
        };
        assert_eq!(code_of(&builder.build().unwrap_err()), code, "{url}");
    }
    let error = EwsSource::builder("https://mail.example.com/")
        .build()
        .unwrap_err();
    assert_eq!(code_of(&error), "config.missing");
}

#[tokio::test]
async fn a_provider_that_handles_nothing_or_fails_stops_the_call() {
    let server = MockServer::start().await;
    let (source, _) = source_with(&server, |builder| {
        builder.with_basic(Arc::new(StaticCredentials::new()))
    });
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(code_of(&error), "credential.missing");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[derive(Debug, Default)]
struct Tokens(AtomicUsize);

#[async_trait]
impl CredentialProvider for Tokens {
    async fn access_token(&self, _: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        assert!(resource.starts_with("http://127.0.0.1:"), "{resource}");
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Some(AccessToken::new(
            format!("canary-secret-{count}"),
            None,
        )))
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = MockServer::start().await;
    answer_with(&server, "FindItem", ResponseTemplate::new(401), 1).await;
    answer(&server, "FindItem", empty_page(), 1).await;
    let (source, _) = source_with(&server, |builder| {
        builder.with_access_token(Arc::new(Tokens::default()))
    });
    source.list(&folder("Q"), all()).await.unwrap();
    let sent = server.received_requests().await.unwrap();
    let tokens: Vec<_> = sent
        .iter()
        .map(|sent| sent.headers["authorization"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(tokens, ["Bearer canary-secret-0", "Bearer canary-secret-1"]);
    let server = MockServer::start().await;
    answer_with(&server, "FindItem", ResponseTemplate::new(401), 2).await;
    let (source, _) = source_with(&server, |builder| {
        builder.with_access_token(Arc::new(Tokens::default()))
    });
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(code_of(&error), "http.unauthorized");
}

/// Asks for a page, an original or a move.
async fn ask(source: &EwsSource, operation: &str) -> Result<()> {
    let queue = folder("Q");
    match operation {
        "FindItem" => source.list(&queue, all()).await.map(|_| ()),
        "GetItem" => {
            let mut sink = Collect::default();
            source.fetch(&queue, &listed(&["A"]), &mut sink).await
        }
        _ => {
            let moved = source.move_to(&queue, &refs(&["A"]), &folder("S")).await;
            moved.map(|_| ())
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_whatever_is_asked() {
    let moved =
        fine("<m:Items><t:Message><t:ItemId Id=\"B\" ChangeKey=\"CQ\"/></t:Message></m:Items>");
    for (operation, xml) in [
        ("FindItem", empty_page()),
        ("GetItem", response("GetItem", &[item("A", Some("x"), "")])),
        ("MoveItem", response("MoveItem", &[moved])),
    ] {
        for (refused, fine) in [(1, true), (2, false)] {
            let server = MockServer::start().await;
            answer_with(&server, operation, ResponseTemplate::new(401), refused).await;
            if fine {
                answer(&server, operation, xml.clone(), 1).await;
            }
            let (source, clock) = source_with(&server, |builder| {
                builder.with_access_token(Arc::new(Tokens::default()))
            });
            let asked = ask(&source, operation).await;
            let code = asked.err().map(|error| code_of(&error));
            assert_eq!(code, (!fine).then_some("http.unauthorized"), "{operation}");
            let sent = server.received_requests().await.unwrap();
            let tokens: Vec<_> = sent
                .iter()
                .map(|sent| sent.headers["authorization"].to_str().unwrap())
                .collect();
            let expected = ["Bearer canary-secret-0", "Bearer canary-secret-1"];
            assert_eq!(tokens, expected, "{operation}");
            assert!(clock.waits().is_empty());
        }
    }
}

#[test]
fn a_description_and_a_source_show_no_address_account_or_proxy() {
    let canaries = ["canary", "example.com", "svc", "10.1.2.3"];
    let builder = || {
        EwsSource::builder("https://canary-host.example.com/canary-path")
            .with_basic(account())
            .with_proxy("http://canary-user:canary-secret@10.1.2.3:8080")
            .with_mailbox("canary-mailbox@example.com")
            .with_impersonation("canary-owner@example.com")
            .with_anchor_mailbox("canary-anchor@example.com")
            .with_public_folder_mailbox("canary-tree@example.com")
            .with_public_folder_content_mailbox("canary-content@example.com")
    };
    let userinfo = EwsSource::builder("https://canary-user:canary-secret@canary.example.com/");
    let source = builder().build().unwrap();
    let mut shown = vec![
        format!("{:?}", builder()),
        format!("{:#?}", builder()),
        format!("{userinfo:?}{userinfo:#?}"),
        format!("{source:?}"),
        format!("{source:#?}"),
        format!("{:?}{:#?}", account(), account()),
    ];
    shown.extend(
        userinfo
            .build()
            .map_err(|error| format!("{error}{error:?}"))
            .err(),
    );
    assert_eq!(shown.len(), 7);
    for text in shown {
        for canary in canaries {
            assert!(!text.contains(canary), "{canary}: {text}");
        }
    }
}

#[test]
fn plain_http_on_loopback_does_not_go_through_a_proxy() {
    let built = EwsSource::builder("http://127.0.0.1:1/EWS/Exchange.asmx")
        .with_basic(account())
        .with_proxy("http://10.1.2.3:8080")
        .dangerously_allow_plain_http_on_loopback()
        .build();
    assert_eq!(code_of(&built.unwrap_err()), "config.insecure");
}

#[tokio::test]
async fn at_most_as_many_requests_are_open_as_the_source_may_have_connections() {
    let server = MockServer::start().await;
    let slow = ok(empty_page()).set_delay(std::time::Duration::from_millis(200));
    answer_with(&server, "FindItem", slow, 3).await;
    let (source, _) = source_with(&server, |builder| builder.with_connections(2));
    let queue = folder("Q");
    let list = || source.list(&queue, all());
    let mut calls = Box::pin(async { tokio::join!(list(), list(), list()) });
    loop {
        let seen = server.received_requests().await.unwrap().len();
        if seen == 2 {
            break;
        }
        tokio::select! {
            _ = &mut calls => panic!("answered before two were seen"),
            () = tokio::task::yield_now() => {}
        }
    }
    let (one, two, three) = calls.await;
    one.and(two).and(three).unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
}

/// A 401 or 403 with these diagnostics.
fn diagnosed(status: u16, diagnostics: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("www-authenticate", "Bearer client_id=\"x\"")
        .insert_header("x-ms-diagnostics", diagnostics)
}

#[tokio::test]
async fn what_exchange_says_about_a_token_is_told_and_a_new_token_is_tried_once() {
    for (number, category, code) in [
        (2_000_000, "invalid_signature", "ews.token_signature"),
        (2_000_001, "invalid_token", "ews.token_invalid"),
        (2_000_002, "token_expired", "ews.token_expired"),
        (2_000_003, "invalid_resource", "ews.token_resource"),
        (2_000_004, "invalid_tenant", "ews.token_tenant"),
        (2_000_005, "invalid_user", "ews.token_user"),
        (2_000_006, "invalid_client", "ews.token_client"),
        (2_000_008, "invalid_grant", "ews.token_grant"),
        (3_000_000, "other", "http.unauthorized"),
    ] {
        let server = MockServer::start().await;
        let text = format!("{number};reason=\"canary\";error_category=\"{category}\"");
        answer_with(&server, "FindItem", diagnosed(401, &text), 2).await;
        let (source, clock) = source_with(&server, |builder| {
            builder.with_access_token(Arc::new(Tokens::default()))
        });
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(code_of(&error), code);
        let said = format!("{number} {category}");
        let detail = match code {
            "http.unauthorized" => "the server offers Bearer",
            _ => &said,
        };
        assert_eq!(error.detail(), Some(detail));
        assert!(!error.is_transient() && clock.waits().is_empty());
    }
}

#[tokio::test]
async fn a_token_that_exchange_could_not_check_is_tried_again_later() {
    let server = MockServer::start().await;
    answer_with(
        &server,
        "FindItem",
        diagnosed(401, "2000007;reason=\"x\""),
        1,
    )
    .await;
    answer(&server, "FindItem", empty_page(), 1).await;
    let (source, clock) = source_with(&server, |builder| {
        builder.with_access_token(Arc::new(Tokens::default()))
    });
    source.list(&folder("Q"), all()).await.unwrap();
    assert_eq!(clock.waits().len(), 1);
    let server = MockServer::start().await;
    answer_with(
        &server,
        "FindItem",
        diagnosed(401, "2000007;reason=\"x\""),
        5,
    )
    .await;
    let (source, _) = source_with(&server, |builder| {
        builder.with_access_token(Arc::new(Tokens::default()))
    });
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(
        (code_of(&error), error.is_transient()),
        ("ews.token_service", true)
    );
}

#[tokio::test]
async fn a_tenant_or_an_application_that_may_not_use_ews_is_said_and_not_asked_again() {
    let fault = fault("ErrorAccessDenied", None).replace(
        "<faultstring>no</faultstring>",
        "<faultstring>EWS is disabled for the organization.</faultstring>",
    );
    assert!(fault.contains("EWS is disabled"));
    for template in [
        diagnosed(
            401,
            "2000008;reason=\"The application is not in EwsAllowedAppIDs\"",
        ),
        diagnosed(403, "9;reason=\"EWS is not enabled for the mailbox\""),
        diagnosed(403, "9;reason=\"EwsApplicationAccessPolicy\""),
        ResponseTemplate::new(403).set_body_raw(fault.clone(), "text/xml"),
        ResponseTemplate::new(500).set_body_raw(fault, "text/xml"),
    ] {
        let server = MockServer::start().await;
        answer_with(&server, "FindItem", template, 1).await;
        let (source, clock) = source_with(&server, |builder| {
            builder.with_access_token(Arc::new(Tokens::default()))
        });
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(code_of(&error), "ews.blocked");
        assert_eq!(error.kind(), email_logging::ErrorKind::Blocked);
        assert!(error.remedy().contains("Set-OrganizationConfig"));
        assert!(error.remedy().contains("2027-04-01"));
        assert!(clock.waits().is_empty());
    }
    let server = MockServer::start().await;
    answer_with(
        &server,
        "FindItem",
        diagnosed(403, "2000008;reason=\"x\""),
        2,
    )
    .await;
    let (source, _) = source_with(&server, |builder| {
        builder.with_access_token(Arc::new(Tokens::default()))
    });
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(code_of(&error), "ews.token_grant");
}
