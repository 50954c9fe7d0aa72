//! Answers that are broken on purpose or by accident.

use std::time::Duration;

use email_logging::source::MailSource;
use email_logging::source::ews::testing::read_answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::MockServer;

use super::support::*;

async fn code(answer: String) -> &'static str {
    let result = read_answer(vec![answer.into_bytes()]).await;
    result.map_or_else(|error| error.code(), |summary| summary.kind)
}

fn repeated(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().concat()
}

fn inside(content: &str) -> String {
    response("GetItem", &[fine(content)])
}

#[tokio::test]
async fn bombs_are_typed_errors() {
    let nested = "<t:a>".repeat(100_000);
    let attributes = repeated(300, |at| format!(" a{at}=\"\""));
    let many = repeated(800_000, |at| format!(" a{at}=\"\""));
    let namespaces = repeated(100, |at| format!(" xmlns:n{at}=\"u\""));
    let spread = repeated(50, |at| format!("<a xmlns:n{at}=\"u\" xmlns:m{at}=\"u\">"));
    let entity = "<!DOCTYPE s [<!ENTITY a \"b\">]>";
    let system = "<!DOCTYPE s SYSTEM \"file:///etc/passwd\">";
    let siblings = "<t:a/>".repeat(200_001);
    let texts = format!("<t:a>{}</t:a>", "x".repeat(1 << 20)).repeat(17);
    // The elements of the answer around it are five.
    let deep = |count: usize| format!("{}{}", "<t:a>".repeat(count), "</t:a>".repeat(count));
    let below = format!("<t:a>{}</t:a>", "x".repeat(1 << 20)).repeat(5);
    for (answer, expected) in [
        (inside(&deep(59)), "response"),
        (inside(&deep(60)), "ews.xml_limit"),
        (inside(&below), "response"),
        (inside(&siblings), "ews.xml_limit"),
        (inside(&texts), "ews.xml_limit"),
        (inside(&"<t:a/>".repeat(150_000)), "response"),
        (inside(&nested), "ews.xml_limit"),
        (inside(&format!("<a{attributes}/>")), "ews.xml_limit"),
        (inside(&format!("<a{many}/>")), "ews.xml_limit"),
        (inside(&format!("<a{namespaces}/>")), "ews.xml_limit"),
        (inside(&spread), "ews.xml_limit"),
        (format!("{entity}{}", inside("&a;")), "ews.xml_forbidden"),
        (format!("{system}{}", inside("")), "ews.xml_forbidden"),
        (inside(entity), "ews.xml_forbidden"),
        (
            inside(&format!("<a>{}</a>", "x".repeat(5 << 20))),
            "ews.xml_limit",
        ),
    ] {
        let shown: String = answer.chars().skip(300).take(60).collect();
        assert_eq!(code(answer).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn illegal_characters_are_replaced_and_kill_nothing() {
    for (text, expected) in [
        ("a&#0;b", "a\u{fffd}b"),
        ("a&#x0;b", "a\u{fffd}b"),
        ("a&#xD83D;&#xDE00;b", "a\u{fffd}\u{fffd}b"),
        ("a&#x1A;b&#xFFFE;", "a\u{fffd}b\u{fffd}"),
        ("a\u{b}b", "a\u{fffd}b"),
        ("a&nbsp;b", "a\u{fffd}b"),
        ("a&amp;&lt;&#x41;", "a&<A"),
        ("&quot;a&apos;&gt;", "\"a'>"),
        ("<![CDATA[a<b&c]]>", "a<b&c"),
        ("a<!-- no -->b", "ab"),
    ] {
        let xml = response(
            "GetItem",
            &[item("A", None, &format!("<t:Subject>{text}</t:Subject>"))],
        );
        let summary = read_answer(vec![xml.into_bytes()]).await.unwrap();
        assert_eq!(
            summary.messages[0].facts.subject.as_deref(),
            Some(expected),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_envelope_without_a_body_is_no_answer_and_the_error_names_the_operation() {
    let xml = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"></s:Envelope>";
    let error = read_answer(vec![xml.into()]).await.unwrap_err();
    assert_eq!((error.code(), error.operation()), ("ews.not_soap", "test"));
}

#[tokio::test]
async fn invalid_utf_8_is_replaced() {
    let xml = response("GetItem", &[item("A", None, "<t:Subject>a%b</t:Subject>")]);
    let (before, after) = xml.split_once('%').unwrap();
    let bytes = [before.as_bytes(), b"\xff\xe2\x82", after.as_bytes()].concat();
    let summary = read_answer(vec![bytes]).await.unwrap();
    assert_eq!(
        summary.messages[0].facts.subject.as_deref(),
        Some("a\u{fffd}\u{fffd}b")
    );
}

#[tokio::test]
async fn elements_count_by_namespace_and_never_by_prefix() {
    let xml = response(
        "GetItem",
        &[item("A", Some("mail"), "<t:Subject>s</t:Subject>")],
    );
    // Other prefixes, and the usual ones for other namespaces.
    let other = xml
        .replace("<t:", "<p:")
        .replace("</t:", "</p:")
        .replace("xmlns:t=", "xmlns:t=\"urn:x\" xmlns:p=");
    let summary = read_answer(vec![other.into_bytes()]).await.unwrap();
    assert_eq!(summary.messages[0].items, ["A"]);
    assert_eq!(summary.messages[0].mime.as_deref(), Some(&b"mail"[..]));
    let foreign = response("GetItem", &[item("A", Some("mail"), "")])
        .replace("services/2006/types", "services/2099/types");
    let summary = read_answer(vec![foreign.into_bytes()]).await.unwrap();
    assert_eq!(summary.messages[0].items, Vec::<String>::new());
    assert_eq!(summary.messages[0].mime, None);
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_refused_while_it_arrives() {
    let server = MockServer::start().await;
    let mail = "x".repeat(200_000);
    answer(
        &server,
        "GetItem",
        response("GetItem", &[item("A", Some(&mail), "")]),
        1,
    )
    .await;
    let (source, _) = source_with(&server, |builder| builder.with_answer_limit(100_000));
    let mut sink = Collect::default();
    source
        .fetch(&folder("Q"), &listed(&["A"]), &mut sink)
        .await
        .unwrap();
    assert_eq!(sink.got, [(0, Got::Failed("http.response_too_large"))]);
}

/// Answers every connection with the first bytes of a good answer, then closes it or keeps silent.
async fn half_answering(bytes: Vec<u8>, closes: bool) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/EWS/Exchange.asmx",
        listener.local_addr().unwrap()
    );
    let task = tokio::spawn(async move {
        for _ in 0..20 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 16_384]).await;
                let _ = stream.write_all(&bytes).await;
                if !closes {
                    let _ = stream.read(&mut [0; 1]).await;
                }
            });
        }
    });
    (url, task)
}

fn half_of(xml: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", xml.len());
    let half = xml.len() / 2;
    [head.as_bytes(), &xml.as_bytes()[..half]].concat()
}

#[tokio::test]
async fn a_cut_answer_is_never_taken_for_a_whole_one() {
    let mail = "x".repeat(100_000);
    let xml = response("GetItem", &[item("A", Some(&mail), "")]);
    for (closes, code) in [(true, "http.closed"), (false, "http.timeout")] {
        let (url, task) = half_answering(half_of(&xml), closes).await;
        let (source, _) = source_at(&url, |builder| {
            builder.with_idle_timeout(Duration::from_millis(300))
        });
        let mut sink = Collect::default();
        let error = source
            .fetch(&folder("Q"), &listed(&["A"]), &mut sink)
            .await
            .unwrap_err();
        assert_eq!(code_of(&error), code);
        assert_eq!(sink.got, []);
        task.abort();
    }
}

#[tokio::test]
async fn a_move_whose_answer_is_cut_is_not_repeated() {
    let xml = response("MoveItem", &[fine("<m:Items/>")]);
    for closes in [true, false] {
        let (url, task) = half_answering(half_of(&xml), closes).await;
        let (source, clock) = source_at(&url, |builder| {
            builder.with_idle_timeout(Duration::from_millis(300))
        });
        let result = source
            .move_to(&folder("Q"), &refs(&["A"]), &folder("S"))
            .await;
        let code = code_of(&result.unwrap_err());
        assert_eq!(
            code,
            if closes {
                "http.closed"
            } else {
                "http.timeout"
            }
        );
        assert!(clock.waits().is_empty());
        task.abort();
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_typed_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let (source, clock) = source_at(&url, |builder| builder.with_repeats(1));
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(code_of(&error), "http.connect");
    assert_eq!(clock.waits(), [Duration::from_secs(1)]);
}

#[tokio::test]
async fn a_server_that_never_begins_to_answer_and_one_that_stops_are_both_left() {
    let xml = response("FindItem", &[page("", 0, true)]);
    for (bytes, first_byte, idle) in [
        (
            Vec::new(),
            Duration::from_millis(200),
            Duration::from_mins(5),
        ),
        (
            half_of(&xml),
            Duration::from_mins(5),
            Duration::from_millis(200),
        ),
    ] {
        let (url, task) = half_answering(bytes, false).await;
        let (source, _) = source_at(&url, |builder| {
            builder
                .with_repeats(0)
                .with_first_byte_timeout(first_byte)
                .with_idle_timeout(idle)
        });
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(code_of(&error), "http.timeout");
        assert!(error.server().unwrap().client_request_id.is_some());
        task.abort();
    }
}
