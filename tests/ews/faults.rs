//! Busy servers, outages, versions: what is waited for, repeated, given up.

use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::source::MailSource;
use email_logging::source::ews::PublicFolderRouting;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::*;

fn empty_page() -> String {
    response("FindItem", &[page("", 0, true)])
}

fn seconds(seconds: &[u64]) -> Vec<Duration> {
    seconds.iter().copied().map(Duration::from_secs).collect()
}

fn back_off(milliseconds: u64) -> String {
    format!(
        "<m:MessageXml><t:Value Name=\"BackOffMilliseconds\">{milliseconds}</t:Value></m:MessageXml>"
    )
}

#[tokio::test]
async fn a_wish_beside_a_lasting_error_or_a_failed_move_holds_the_next_call() {
    for (template, wait) in [
        (ok(fault("ErrorAccessDenied", Some(5000))), 5),
        (
            ok(response(
                "MoveItem",
                &[failed_with("ErrorQuotaExceeded", &back_off(6000))],
            )),
            6,
        ),
        (
            ok(response("MoveItem", &[failed("ErrorMoveCopyFailed")])),
            2,
        ),
        (
            status(502, String::new()).insert_header("retry-after", "7"),
            7,
        ),
    ] {
        let server = MockServer::start().await;
        answer_with(&server, "MoveItem", template, 1).await;
        answer(&server, "FindItem", empty_page(), 1).await;
        let (source, clock) = source(&server);
        let _ = source
            .move_to(&folder("Q"), &refs(&["A"]), &folder("S"))
            .await;
        assert!(clock.waits().is_empty());
        source.list(&folder("Q"), all()).await.unwrap();
        assert_eq!(clock.waits(), seconds(&[wait]));
    }
}

#[tokio::test]
async fn a_busy_look_up_within_a_fetch_holds_every_call() {
    let server = MockServer::start().await;
    let damaged = response("GetItem", &[failed("ErrorItemCorrupt")]);
    answer(&server, "GetItem", damaged, 1).await;
    let busy = response(
        "GetItem",
        &[failed_with("ErrorServerBusy", &back_off(8000))],
    );
    answer(&server, "GetItem", busy, 1).await;
    let facts = response("GetItem", &[item("A", None, "")]);
    answer(&server, "GetItem", facts, 1).await;
    let (source, clock) = source(&server);
    let mut sink = Collect::default();
    source
        .fetch(&folder("Q"), &listed(&["A"]), &mut sink)
        .await
        .unwrap();
    assert_eq!(clock.waits(), seconds(&[8]));
}

#[tokio::test]
async fn a_wait_of_more_than_four_minutes_is_the_callers() {
    for (milliseconds, waited) in [(240_000, true), (241_000, false)] {
        let server = MockServer::start().await;
        let busy = fault("ErrorServerBusy", Some(milliseconds));
        answer(&server, "FindItem", busy, 1).await;
        if waited {
            answer(&server, "FindItem", empty_page(), 1).await;
        }
        let (source, _) = source(&server);
        assert_eq!(source.list(&folder("Q"), all()).await.is_ok(), waited);
    }
}

#[tokio::test]
async fn a_version_that_is_refused_in_plain_text_is_stepped_down() {
    let server = MockServer::start().await;
    let text = "The server answered: ErrorInvalidServerVersion.";
    answer_with(&server, "FindItem", status(500, text.into()), 1).await;
    answer(&server, "FindItem", empty_page(), 1).await;
    let (source, clock) = source(&server);
    source.list(&folder("Q"), all()).await.unwrap();
    assert!(clock.waits().is_empty());
    let sent = server.received_requests().await.unwrap();
    let second = String::from_utf8_lossy(&sent[1].body).into_owned();
    assert!(second.contains("Version=\"Exchange2013\""), "{second}");
}

/// Busy until a time by the server's clock, which the answer tells.
fn until(time: &str, now: &str) -> ResponseTemplate {
    let date = |time| format!("Sun, 01 Nov 2026 {time} GMT");
    ResponseTemplate::new(429)
        .insert_header("retry-after", date(time))
        .insert_header("date", date(now))
}

#[tokio::test]
async fn the_servers_wish_is_kept_exactly() {
    for (template, waits) in [
        (ok(fault("ErrorServerBusy", Some(5000))), [5]),
        (status(500, fault("ErrorServerBusy", Some(6000))), [6]),
        (
            ResponseTemplate::new(503).insert_header("retry-after", "7"),
            [7],
        ),
        (until("10:00:08", "10:00:00"), [8]),
        // This host's clock is ten minutes ahead of the server's, or as much behind.
        (until("09:50:18", "09:50:00"), [18]),
        (until("10:10:19", "10:10:00"), [19]),
        (ok(fault("ErrorServerBusy", None)), [10]),
        (ok(fault("ErrorServerBusy", Some(0))), [10]),
        (ResponseTemplate::new(503), [1]),
        (status(503, fault("ErrorServerBusy", Some(9000))), [9]),
        (
            status(503, fault("ErrorServerBusy", Some(9000))).insert_header("retry-after", "12"),
            [12],
        ),
        (
            status(429, fault("ErrorServerBusy", Some(13_000))).insert_header("retry-after", "12"),
            [13],
        ),
        (
            status(500, String::new()).insert_header("retry-after", "14"),
            [14],
        ),
        (
            status(504, String::new()).insert_header("retry-after", "15"),
            [15],
        ),
        (ok(fault("ErrorTimeoutExpired", Some(16_000))), [16]),
        (
            ok(response(
                "FindItem",
                &[failed_with("ErrorTimeoutExpired", &back_off(17_000))],
            )),
            [17],
        ),
        (
            ok(response(
                "FindItem",
                &[failed_with(
                    "ErrorInternalServerError",
                    "<m:MessageXml><t:Value Name=\"InnerErrorResponseCode\">ErrorServerBusy</t:Value>\
                     <t:Value Name=\"BackOffMilliseconds\">4000</t:Value></m:MessageXml>",
                )],
            )),
            [4],
        ),
    ] {
        let server = MockServer::start().await;
        answer_with(&server, "FindItem", template, 1).await;
        answer(&server, "FindItem", empty_page(), 1).await;
        let (source, clock) = source(&server);
        source.list(&folder("Q"), all()).await.unwrap();
        assert_eq!(clock.waits(), seconds(&waits));
    }
}

#[tokio::test]
async fn a_wait_beyond_the_limit_is_the_callers_and_holds_every_call() {
    let server = MockServer::start().await;
    answer(
        &server,
        "FindItem",
        fault("ErrorServerBusy", Some(300_000)),
        1,
    )
    .await;
    let (source, clock) = source_with(&server, |builder| {
        builder.with_longest_wait(Duration::from_mins(1))
    });
    for _ in 0..3 {
        let error = source.clone().list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert_eq!(error.retry_after(), Some(Duration::from_mins(5)));
    }
    assert!(clock.waits().is_empty());
}

#[tokio::test]
async fn a_source_can_be_asked_to_wait_no_longer_than_so_long() {
    let server = MockServer::start().await;
    answer(
        &server,
        "FindItem",
        fault("ErrorServerBusy", Some(16_000)),
        1,
    )
    .await;
    let (source, clock) = source(&server);
    source.clone().wait_at_most(Duration::from_secs(15));
    source.wait_at_most(Duration::from_mins(3));
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (ErrorKind::Throttled, Some(Duration::from_secs(16)))
    );
    assert!(clock.waits().is_empty());
}

#[tokio::test]
async fn repeating_is_bounded_and_waits_longer_each_time() {
    let server = MockServer::start().await;
    answer_with(&server, "FindItem", status(502, String::new()), 5).await;
    let (source, clock) = source(&server);
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(code_of(&error), "http.unavailable");
    assert!(error.is_transient());
    assert_eq!(clock.waits(), seconds(&[1, 2, 4, 8]));
}

#[tokio::test]
async fn passing_trouble_of_a_reading_call_is_repeated() {
    let page = "<!DOCTYPE html><html><body>error</body></html>";
    let error_page = ResponseTemplate::new(302).insert_header(
        "location",
        "https://mail.example.com/ews/genericErrorPage.htm?x=1",
    );
    for template in [
        ok(String::new()),
        status(500, page.into()),
        status(504, String::new()),
        error_page,
        ok(fault("ErrorInternalServerTransientError", None)),
        ok(fault("ErrorOfTomorrow", None)),
        ok(response(
            "FindItem",
            &[failed("ErrorMailboxStoreUnavailable")],
        )),
        ok(empty_page().split_at(400).0.to_owned()),
    ] {
        let server = MockServer::start().await;
        answer_with(&server, "FindItem", template, 1).await;
        answer(&server, "FindItem", empty_page(), 1).await;
        let (source, _) = source(&server);
        source.list(&folder("Q"), all()).await.unwrap();
    }
}

#[tokio::test]
async fn lasting_trouble_is_not_repeated() {
    let html = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML\"><html><body>hi</body></html>";
    let elsewhere = ResponseTemplate::new(307).insert_header(
        "location",
        "https://elsewhere.example.com/EWS/Exchange.asmx",
    );
    for (template, code) in [
        (ok(html.into()), "ews.not_soap"),
        (
            ok("<html><body>sign in</body></html>".into()),
            "ews.not_soap",
        ),
        (ok("no xml at all".into()), "ews.not_soap"),
        (ok("<Envelope><Body/></Envelope>".into()), "ews.not_soap"),
        (ok(soap("<other/>")), "ews.not_soap"),
        (elsewhere, "http.redirect"),
        (status(403, html.into()), "http.forbidden"),
        (status(404, html.into()), "http.status"),
        (ResponseTemplate::new(456), "http.account_locked"),
        (
            status(500, fault("ErrorSchemaValidation", None)),
            "ews.schema",
        ),
        (ok(fault("ErrorAccessDenied", None)), "ews.access_denied"),
        (ok(fault("ErrorNonExistentMailbox", None)), "ews.mailbox"),
        (
            ok(fault("ErrorInvalidLicense", None)),
            "ews.mailbox_unlicensed",
        ),
        (
            ok(fault("ErrorImpersonationFailed", None)),
            "ews.impersonation",
        ),
        (
            ok(fault("ErrorProxyRequestNotAllowed", None)),
            "ews.blocked",
        ),
        (
            ok(empty_page()).insert_header("content-encoding", "gzip"),
            "http.encoding",
        ),
        (ok(response("FindItem", &[])), "ews.answers_missing"),
        (
            ok(response(
                "FindItem",
                &[page("", 0, true), page("", 0, true)],
            )),
            "ews.answers_missing",
        ),
    ] {
        let server = MockServer::start().await;
        answer_with(&server, "FindItem", template, 1).await;
        let (source, clock) = source(&server);
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(code_of(&error), code);
        assert!(clock.waits().is_empty());
    }
}

#[tokio::test]
async fn a_good_answer_counts_whatever_its_status() {
    let server = MockServer::start().await;
    let good = response("FindItem", &[page(&row("A", b"k"), 1, true)]);
    answer_with(&server, "FindItem", status(500, good), 1).await;
    let (source, _) = source(&server);
    assert_eq!(
        source.list(&folder("Q"), all()).await.unwrap().items.len(),
        1
    );
}

#[tokio::test]
async fn what_stands_after_the_envelope_is_not_looked_at() {
    let server = MockServer::start().await;
    let good = response("FindItem", &[page(&row("A", b"k"), 1, true)]);
    let appended = format!("{good}<!DOCTYPE html><html><body>500</p></html>");
    answer(&server, "FindItem", appended, 1).await;
    let (source, _) = source(&server);
    assert_eq!(
        source.list(&folder("Q"), all()).await.unwrap().items.len(),
        1
    );
}

#[tokio::test]
async fn a_refused_version_is_stepped_down_and_remembered() {
    for code in [
        "ErrorInvalidServerVersion",
        "ErrorInvalidSchemaVersionForMailboxVersion",
    ] {
        let server = MockServer::start().await;
        answer_with(&server, "FindItem", status(500, fault(code, None)), 2).await;
        answer(&server, "FindItem", empty_page(), 2).await;
        let (source, _) = source(&server);
        source.list(&folder("Q"), all()).await.unwrap();
        source.list(&folder("Q"), all()).await.unwrap();
        let sent = server.received_requests().await.unwrap();
        let versions: Vec<_> = sent
            .iter()
            .map(|sent| {
                let body = String::from_utf8_lossy(&sent.body).into_owned();
                let after = body.split("Version=\"").nth(1).unwrap().to_owned();
                after.split('"').next().unwrap().to_owned()
            })
            .collect();
        let expected = [
            "Exchange2013_SP1",
            "Exchange2013",
            "Exchange2010_SP2",
            "Exchange2010_SP2",
        ];
        assert_eq!(versions, expected);
    }
}

#[tokio::test]
async fn a_server_that_accepts_no_version_is_a_typed_error() {
    let server = MockServer::start().await;
    answer(
        &server,
        "FindItem",
        fault("ErrorIncorrectSchemaVersion", None),
        4,
    )
    .await;
    let (source, _) = source(&server);
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(code_of(&error), "ews.version");
}

#[tokio::test]
async fn an_error_names_the_servers_and_both_request_ids() {
    let cut = empty_page().split_at(500).0.to_owned();
    for (template, code) in [
        (
            status(500, fault("ErrorAccessDenied", None)),
            "ews.access_denied",
        ),
        (
            status(500, response("FindItem", &[failed("ErrorAccessDenied")])),
            "ews.access_denied",
        ),
        (
            status(500, response("FindItem", &[])),
            "ews.answers_missing",
        ),
        (status(500, "<!DOCTYPE html>".into()), "http.unavailable"),
        (status(500, cut), "http.closed"),
        (
            status(500, soap("<!DOCTYPE a [<!ENTITY b \"c\">]>")),
            "ews.xml_forbidden",
        ),
    ] {
        let server = MockServer::start().await;
        let template = template
            .insert_header("request-id", "server-id")
            .insert_header("x-feserver", "FE1")
            .insert_header("x-beserver", "BE1");
        answer_with(&server, "FindItem", template, 1).await;
        let (source, _) = source_with(&server, |builder| builder.with_repeats(0));
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(code_of(&error), code);
        let said = error.server().unwrap();
        assert_eq!(said.status, Some(500), "{code}");
        assert_eq!(said.request_id.as_deref(), Some("server-id"), "{code}");
        assert_eq!(said.servers, ["FE1", "BE1"], "{code}");
        let sent = server.received_requests().await.unwrap();
        let ours = sent[0]
            .headers
            .get("client-request-id")
            .unwrap()
            .to_str()
            .unwrap();
        assert_eq!(said.client_request_id.as_deref(), Some(ours), "{code}");
    }
}

#[tokio::test]
async fn a_wish_of_the_autodiscover_service_holds_every_call() {
    for (status, held) in [(429, true), (503, true), (404, false)] {
        let server = MockServer::start().await;
        let template = ResponseTemplate::new(status).insert_header("retry-after", "7");
        Mock::given(path("/autodiscover/autodiscover.svc"))
            .respond_with(template)
            .mount(&server)
            .await;
        Mock::given(path("/EWS/Exchange.asmx"))
            .respond_with(ok(empty_page()))
            .mount(&server)
            .await;
        let routing = PublicFolderRouting::automatic("svc@example.com");
        let (source, clock) = source_with(&server, |builder| {
            builder.with_public_folder_routing(routing)
        });
        let _either_way = source.list(&folder("Q"), all()).await;
        let waits = clock.waits();
        let waited = waits.iter().any(|wait| wait.as_secs() == 7);
        assert_eq!(waited, held, "{status} {waits:?}");
    }
}
