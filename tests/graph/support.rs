//! What the tests share: a source, a sink, a clock that waits in no time, answers written by hand.

#![allow(dead_code, unreachable_pub)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::{Clock, Entropy};
use email_logging::credential::{AccessToken, CredentialProvider};
use email_logging::message::MailFacts;
use email_logging::source::graph::{GraphSource, GraphSourceBuilder};
use email_logging::source::{
    FetchSink, Fetched, Folder, FolderId, FolderPath, ItemRef, ListRequest, ListedItem, MailSource,
    Moved, Removed,
};
use email_logging::testkit::graph::{SimulatedGraph, SimulatedGraphBuilder};
use email_logging::{Error, Result, Scope};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

pub const MAILBOX: &str = "log@corp.example";
pub const TOKEN: &str = "canary-token";
pub const QUEUE: &str = r"log@corp.example\Queue";
pub const STORAGE: &str = r"log@corp.example\Storage";

/// A provider of one token, which counts how often it is asked and for what.
#[derive(Debug, Default)]
pub struct Tokens(pub Mutex<Vec<String>>);

#[async_trait]
impl CredentialProvider for Tokens {
    async fn access_token(&self, _: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        self.0.lock().unwrap().push(resource.to_owned());
        Ok(Some(AccessToken::new(TOKEN, None)))
    }
}

/// A source for this address with a clock that does not really wait.
pub fn source_at(
    url: &str,
    change: impl FnOnce(GraphSourceBuilder) -> GraphSourceBuilder,
) -> (GraphSource, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let shared: Arc<dyn Clock> = Arc::<TestClock>::clone(&clock);
    let builder = GraphSource::builder()
        .with_service_url(url)
        .with_mailbox(MAILBOX)
        .with_access_token(Arc::new(Tokens::default()))
        .with_clock(shared)
        .with_entropy(Arc::new(Counter::default()))
        .dangerously_allow_plain_http_on_loopback();
    (change(builder).build().unwrap(), clock)
}

/// A simulated Graph with a queue and a storage folder.
pub async fn graph_with(
    change: impl FnOnce(SimulatedGraphBuilder) -> SimulatedGraphBuilder,
) -> SimulatedGraph {
    let builder = SimulatedGraph::builder()
        .with_plain_http()
        .with_mailbox(MAILBOX)
        .with_app_token(TOKEN);
    let graph = change(builder).start().await.unwrap();
    graph.add_folder(QUEUE).unwrap();
    graph.add_folder(STORAGE).unwrap();
    graph
}

/// A simulated Graph.
pub async fn graph() -> SimulatedGraph {
    graph_with(|builder| builder).await
}

/// The address of the simulated Graph's service.
pub fn service(graph: &SimulatedGraph) -> String {
    graph.url()
}

pub fn source(graph: &SimulatedGraph) -> (GraphSource, Arc<TestClock>) {
    source_at(&service(graph), |builder| builder)
}

pub fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

pub async fn open(source: &GraphSource, text: &str) -> Folder {
    source.open_folder(&path(text).into()).await.unwrap()
}

/// Queue and storage.
pub async fn opened(source: &GraphSource) -> (Folder, Folder) {
    let queue = open(source, r"mailbox:\Queue\").await;
    (queue, open(source, r"mailbox:\Storage\").await)
}

pub async fn all(source: &GraphSource, folder: &Folder) -> Vec<ListedItem> {
    let listing = source
        .list(folder, ListRequest::new(0, 1000))
        .await
        .unwrap();
    assert!(listing.complete);
    listing.items
}

pub fn mail(number: usize, size: usize) -> Vec<u8> {
    let head = format!(
        "From: a@example.com\r\nTo: b@example.com\r\nSubject: Mail {number}\r\n\
         Message-ID: <{number}@example.com>\r\n\r\n"
    );
    let mut mail = head.into_bytes();
    mail.extend((0..size).map(|at| u8::try_from(at * 31 % 251).unwrap()));
    mail
}

pub fn ids(items: &[ListedItem]) -> Vec<ItemRef> {
    items.iter().map(|row| row.item.clone()).collect()
}

pub fn folder(id: &str) -> Folder {
    Folder::new(FolderId::new(id))
}

pub fn refs(ids: &[&str]) -> Vec<ItemRef> {
    ids.iter().map(|id| ItemRef::new(*id)).collect()
}

/// Listed items of a hundred bytes.
pub fn listed(ids: &[&str]) -> Vec<ListedItem> {
    let items = ids.iter().map(|id| {
        let mut item = ListedItem::new(ItemRef::new(*id));
        item.size = Some(100);
        item
    });
    items.collect()
}

/// A clock that moves by waiting only, and writes the waits down. It starts when the simulated mailboxes' own does.
#[derive(Debug, Default)]
pub struct TestClock(Mutex<(Duration, Vec<Duration>)>);

impl TestClock {
    pub fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.0.lock().unwrap().0;
        "2026-01-05T08:00:00Z".parse::<Timestamp>().unwrap()
            + SignedDuration::try_from(elapsed).unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        let mut state = self.0.lock().unwrap();
        state.0 += wait;
        state.1.push(wait);
    }
}

/// Randomness that counts for ids, and gives no jitter.
#[derive(Debug, Default)]
pub struct Counter(Mutex<u8>);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        if bytes.len() == 16 {
            let mut count = self.0.lock().unwrap();
            *count = count.wrapping_add(1);
            bytes[15] = *count;
        }
    }
}

/// How one item was fetched.
#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    Complete(Vec<u8>),
    WithoutOriginal(&'static str),
    Gone,
    Failed(&'static str),
}

/// A sink that keeps everything and minds the order.
#[derive(Debug, Default)]
pub struct Collect {
    pub got: Vec<Got>,
    pub facts: Vec<Option<MailFacts>>,
    pub errors: Vec<Error>,
    pub largest: usize,
    pub begun: usize,
    open: Option<(usize, Vec<u8>)>,
}

#[async_trait]
impl FetchSink for Collect {
    fn begin(&mut self, index: usize, _: Option<u64>) {
        assert_eq!(index, self.got.len(), "not in the order of the question");
        self.begun += 1;
        self.open = Some((index, Vec::new()));
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.largest = self.largest.max(bytes.len());
        self.open
            .as_mut()
            .expect("begun")
            .1
            .extend_from_slice(bytes);
        Ok(())
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        let (_, bytes) = self.open.take().expect("begun");
        let (got, facts) = match fetched {
            Fetched::Complete(facts) => (Got::Complete(bytes), Some(*facts)),
            Fetched::WithoutOriginal(facts, error) => {
                let got = Got::WithoutOriginal(error.code());
                self.errors.push(error);
                (got, Some(*facts))
            }
            Fetched::Gone => (Got::Gone, None),
            Fetched::Failed(error) => {
                let got = Got::Failed(error.code());
                self.errors.push(error);
                (got, None)
            }
            other => panic!("{other:?}"),
        };
        self.got.push(got);
        self.facts.push(facts);
        Ok(())
    }
}

/// What the answers of a move say: the new id, `gone`, or the code.
pub fn moves(moved: &[Moved]) -> Vec<String> {
    let text = |moved: &Moved| match moved {
        Moved::Done(Some(item)) => format!("done {}", item.id),
        Moved::Done(None) => "done".into(),
        Moved::Gone => "gone".into(),
        Moved::Failed(error) => error.code().into(),
        other => panic!("{other:?}"),
    };
    moved.iter().map(text).collect()
}

/// What the answers of a removal say.
pub fn removals(removed: &[Removed]) -> Vec<String> {
    let text = |removed: &Removed| match removed {
        Removed::Done => "done".into(),
        Removed::Gone => "gone".into(),
        Removed::Failed(error) => error.code().into(),
        other => panic!("{other:?}"),
    };
    removed.iter().map(text).collect()
}

/// 200 with JSON.
pub fn ok(value: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(value)
}

/// An OData error.
pub fn refusal(status: u16, code: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(error_body(code))
}

pub fn error_body(code: &str) -> Value {
    json!({"error": {"code": code, "message": "no", "innerError": {"request-id": "r"}}})
}

/// A message of a list.
pub fn row(id: &str, key: &[u8]) -> Value {
    let key = base64_simd::STANDARD.encode_to_string(key);
    json!({
        "id": id, "receivedDateTime": "2026-11-01T10:00:00Z", "subject": "S",
        "from": {"emailAddress": {"name": "A", "address": "a@example.com"}},
        "toRecipients": [{"emailAddress": {"name": "B", "address": "b@example.com"}}],
        "singleValueExtendedProperties": [
            {"id": "Integer 0xe08", "value": "100"},
            {"id": "String 0x1a", "value": "IPM.Note"},
            {"id": "Binary 0x300b", "value": key},
        ],
    })
}

/// A part of a batch with the original as base64.
pub fn original(id: usize, text: &str) -> Value {
    json!({
        "id": id.to_string(), "status": 200, "headers": {"Content-Type": "text/plain"},
        "body": base64_simd::STANDARD.encode_to_string(text),
    })
}

/// A part of a batch that was refused.
pub fn refused(id: usize, status: u16, code: &str) -> Value {
    json!({"id": id.to_string(), "status": status, "headers": {}, "body": error_body(code)})
}

/// A part of a batch that moved a message.
pub fn moved(id: usize, item: &str) -> Value {
    json!({"id": id.to_string(), "status": 201, "headers": {}, "body": {"id": item}})
}

/// The answer to a batch.
pub fn batch(parts: &[Value]) -> Value {
    json!({"responses": parts})
}
