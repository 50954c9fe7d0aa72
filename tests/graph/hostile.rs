//! Answers that nobody should send: whatever they hold, there is an answer or an error, and never a panic.

use email_logging::source::{ListRequest, MailSource, SightingKey};
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::*;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }

    /// A text with a few bytes changed, left out, doubled or cut off.
    fn spoiled(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.next(4) {
            let at = self.next(bytes.len());
            match self.next(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.remove(at)),
                2 => bytes[at] = u8::try_from(self.next(256)).unwrap(),
                3 => bytes.insert(at, b"\"{}[],:\\0e-\xff"[self.next(12)]),
                4 => {
                    let end = (at + self.next(40)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let end = (at + self.next(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        bytes
    }
}

async fn answer_with(server: &MockServer, body: Vec<u8>) {
    server.reset().await;
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    for verb in ["GET", "POST"] {
        Mock::given(method(verb))
            .respond_with(answer.clone())
            .mount(server)
            .await;
    }
}

async fn everything(uri: &str) {
    let (source, _) = source_at(uri, |it| it.with_repeats(0).with_answer_limit(1 << 20));
    let here = folder("F");
    let _ = source.list(&here, ListRequest::new(0, 10)).await;
    let key = SightingKey::SearchKey(vec![1]);
    let id = SightingKey::ImmutableId("a".into());
    let _ = source.locate(&here, &[key.into(), id.into()]).await;
    let mut sink = Collect::default();
    let _ = source.fetch(&here, &listed(&["a", "b"]), &mut sink).await;
    if let Ok(moved) = source.move_to(&here, &refs(&["a", "b"]), &here).await {
        assert_eq!(moved.len(), 2);
    }
    let _ = source.open_folder(&path("mailbox:\\Queue\\").into()).await;
}

#[tokio::test]
async fn spoiled_answers_are_answers_or_errors() {
    let server = MockServer::start().await;
    let page = json!({"value": [row("a", b"1"), row("b", b"2")], "@odata.count": 2,
        "@odata.nextLink": "https://example.com/"})
    .to_string();
    let parts = [
        original(0, "A"),
        moved(1, "b"),
        refused(1, 429, "ApplicationThrottled"),
    ];
    let batch = batch(&parts[..2]).to_string();
    let refused = super::support::batch(&parts[1..]).to_string();
    let mut numbers = Numbers(7);
    for round in 0..240 {
        let text = [&page, &batch, &refused][round % 3];
        let body = numbers.spoiled(text);
        answer_with(&server, body).await;
        everything(&server.uri()).await;
    }
}

#[tokio::test]
async fn nesting_numbers_and_sizes_beyond_reason_are_errors() {
    let server = MockServer::start().await;
    let deep = "[".repeat(100_000);
    for body in [
        format!("{{\"value\":{deep}"),
        format!("{{\"responses\":{deep}"),
        format!(
            "{{\"error\":{{\"code\":\"x\",\"innerError\":{}",
            "{\"innerError\":".repeat(10_000)
        ),
        format!("{{\"x\":{deep}{}, \"value\":[]}}", "]".repeat(100_000)),
        "{\"value\":[{\"id\":1e999}]}".to_owned(),
        "{\"responses\":[{\"id\":\"0\",\"status\":99999999999}]}".to_owned(),
        "{\"responses\":[{\"id\":\"-1\",\"status\":200}]}".to_owned(),
        "{\"responses\":[{\"id\":\"18446744073709551616\",\"status\":200}]}".to_owned(),
        format!("{{\"value\":[]}}{}", " ".repeat(2 << 20)),
    ] {
        answer_with(&server, body.into_bytes()).await;
        let (source, _) = source_at(&server.uri(), |it| {
            it.with_repeats(0).with_answer_limit(1 << 20)
        });
        let moved = source
            .move_to(&folder("F"), &refs(&["a"]), &folder("T"))
            .await;
        let error = moved.unwrap_err();
        let known = ["graph.answer_invalid", "http.response_too_large"];
        assert!(known.contains(&error.code()), "{error:?}");
        everything(&server.uri()).await;
    }
}
