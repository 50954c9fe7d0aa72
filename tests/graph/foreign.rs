//! Pages in the place of answers: what stands between may answer for Graph, with status 200. No page is ever a mail.

use std::time::Duration;

use email_logging::source::graph::GraphSource;
use email_logging::source::{ListRequest, MailSource};
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation};
use email_logging::{ErrorKind, Result};
use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::end_to_end::{Office, offers};
use crate::support::*;

const PAGE: &str = "<html><head><style>\nbody{margin:0}\n</style></head>\n\n<p>Sign in</p></html>";

fn page() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(PAGE, "text/html; charset=utf-8")
}

/// Answers every request whose path ends so.
async fn answer(server: &MockServer, ends: &str, answer: ResponseTemplate) {
    let mock = Mock::given(path_regex(format!(r"{ends}$")));
    mock.respond_with(answer).mount(server).await;
}

/// The facts of these items, in a batch.
async fn facts(server: &MockServer, items: &[&str]) {
    let facts = |(at, item): (usize, &&str)| json!({"id": at.to_string(), "status": 200, "body": row(item, b"k")});
    let parts: Vec<Value> = items.iter().enumerate().map(facts).collect();
    Mock::given(method("POST"))
        .and(body_string_contains("$select"))
        .respond_with(ok(&batch(&parts)))
        .with_priority(1)
        .mount(server)
        .await;
}

async fn fetched(source: &GraphSource, items: &[&str]) -> Result<Collect> {
    let mut sink = Collect::default();
    source
        .fetch(&folder("F"), &listed(items), &mut sink)
        .await?;
    Ok(sink)
}

#[tokio::test]
async fn what_is_no_original_by_its_status_or_its_type_is_asked_for_again_and_fails_for_now() {
    let original = |status: u16| ResponseTemplate::new(status);
    let mail = "From: a@example.com\r\n\r\nHi";
    for (answered, expected) in [
        (page(), None),
        (original(200).set_body_raw(mail, "application/json"), None),
        (original(200).set_body_bytes(mail), None),
        (original(200), None),
        (original(203).set_body_raw(mail, "text/plain"), None),
        (original(204), None),
        (
            original(200).set_body_raw(mail, "text/plain; charset=utf-8"),
            Some(mail),
        ),
        (
            original(200).set_body_raw(mail, "message/rfc822"),
            Some(mail),
        ),
        (
            original(200).set_body_raw(mail, "application/octet-stream"),
            Some(mail),
        ),
    ] {
        let server = MockServer::start().await;
        facts(&server, &["a"]).await;
        answer(&server, r"/\$batch", page()).await;
        answer(&server, r"/a/\$value", answered).await;
        let (source, clock) = source_at(&server.uri(), |it| it);
        let sink = fetched(&source, &["a"]).await.unwrap();
        let seconds: Vec<_> = clock.waits().iter().map(Duration::as_secs).collect();
        // The first wait is that of the batch.
        if let Some(mail) = expected {
            assert_eq!(sink.got, [Got::Complete(mail.into())]);
            assert_eq!(seconds, [1]);
        } else {
            assert_eq!(sink.got, [Got::Failed("graph.foreign_answer")]);
            assert_eq!(sink.errors[0].kind(), ErrorKind::Unavailable);
            assert_eq!(sink.errors[0].item(), Some("a"));
            assert_eq!(seconds, [1, 1, 2, 4, 8]);
        }
    }
}

#[tokio::test]
async fn a_page_in_the_place_of_one_mail_is_that_mails_trouble_and_in_that_of_each_an_outage() {
    for (good, outage) in [(None, true), (Some("a"), false), (Some("c"), false)] {
        let server = MockServer::start().await;
        facts(&server, &["a", "b", "c"]).await;
        answer(&server, r"/\$batch", page()).await;
        if let Some(item) = good {
            let mail = ResponseTemplate::new(200).set_body_raw("Hi", "text/plain");
            answer(&server, &format!(r"/{item}/\$value"), mail).await;
        }
        answer(&server, r"/\$value", page()).await;
        let (source, _) = source_at(&server.uri(), |it| it);
        let fetched = fetched(&source, &["a", "b", "c"]).await;
        if outage {
            let error = fetched.unwrap_err();
            assert_eq!(error.code(), "graph.foreign_answer");
            // The first item is asked for five times, the others once.
            let requests = server.received_requests().await.unwrap();
            let gets = requests.iter().filter(|it| it.method.as_str() == "GET");
            assert_eq!(gets.count(), 5 + 2);
        } else {
            let got = |item| {
                if good == Some(item) {
                    Got::Complete("Hi".into())
                } else {
                    Got::Failed("graph.foreign_answer")
                }
            };
            assert_eq!(fetched.unwrap().got, ["a", "b", "c"].map(got));
        }
    }
}

#[tokio::test]
async fn a_page_in_a_part_of_a_batch_is_no_original() {
    let server = MockServer::start().await;
    facts(&server, &["a", "b"]).await;
    let mut foreign = original(0, PAGE);
    foreign["headers"]["Content-Type"] = json!("text/html");
    let parts = [foreign, original(1, "B")];
    answer(&server, r"/\$batch", ok(&batch(&parts))).await;
    let alone = ResponseTemplate::new(200).set_body_raw("A", "text/plain");
    answer(&server, r"/a/\$value", alone).await;
    let (source, _) = source_at(&server.uri(), |it| it);
    let sink = fetched(&source, &["a", "b"]).await.unwrap();
    let mails = ["A", "B"].map(|mail| Got::Complete(mail.into()));
    assert_eq!(sink.got, mails);
}

#[tokio::test]
async fn a_page_in_the_place_of_facts_or_of_a_list_is_no_answer_that_cannot_be_read() {
    let server = MockServer::start().await;
    answer(&server, "", page()).await;
    let (source, _) = source_at(&server.uri(), |it| it.with_repeats(0));
    let sink = fetched(&source, &["a"]).await.unwrap();
    assert_eq!(sink.got, [Got::Failed("graph.foreign_answer")]);
    let error = fetched(&source, &["a", "b"]).await.unwrap_err();
    assert_eq!(error.code(), "graph.foreign_answer");
    let listed = source.list(&folder("F"), ListRequest::new(0, 10)).await;
    assert!(listed.unwrap_err().is_transient());
}

/// Two mails, small or large, and a page in the place of every original, and of every batch if wanted.
async fn behind_a_page(body: usize, of_batches: bool) {
    let office = Office::with(|it| it).await;
    let logger = office.logger();
    logger.run_once().await.unwrap();
    office.deliver(0..2, body);
    let page = |operation| {
        GraphFault::new(GraphFaultKind::HtmlPage)
            .on(operation)
            .always()
    };
    office.graph.inject(page(GraphOperation::GetMime));
    if of_batches {
        office.graph.inject(page(GraphOperation::Batch));
    }
    for _ in 0..20 {
        let failed = logger.run_once().await.unwrap_err();
        assert_eq!(failed.error.code(), "graph.foreign_answer");
        assert_eq!(failed.report.quarantined, 0, "{failed:?}");
        assert_eq!(office.logged().await, Vec::<String>::new());
        assert_eq!(office.counts(), (2, 0));
        office.later().await;
    }
    office.graph.clear_faults();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (2, 2), "{report:?}");
    assert_eq!(office.logged().await, offers(2));
    assert_eq!(office.counts(), (0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_mails_behind_a_lasting_page_wait_and_are_logged_once_when_it_is_gone() {
    behind_a_page(100, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_mails_behind_a_page_for_batches_too_wait_and_are_logged_once_when_it_is_gone() {
    behind_a_page(100, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_mails_behind_a_lasting_page_wait_and_are_logged_once_when_it_is_gone() {
    behind_a_page(2 << 20, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_mail_behind_a_page_has_its_attempts_and_never_logs_the_page() {
    let office = Office::with(|it| it).await;
    let logger = office.logger();
    logger.run_once().await.unwrap();
    office.deliver(0..1, 100);
    let page = GraphFault::new(GraphFaultKind::HtmlPage).on(GraphOperation::GetMime);
    office.graph.inject(page.always());
    for _ in 0..3 {
        let report = logger.run_once().await.unwrap();
        assert_eq!((report.logged, report.moved, report.quarantined), (0, 0, 0));
        office.later().await;
    }
    office.graph.clear_faults();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (1, 1), "{report:?}");
    assert_eq!(office.logged().await, offers(1));
}
