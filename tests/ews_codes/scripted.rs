//! A server that says one thing to everybody, and what the source makes of it in a word.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use email_logging::source::MailSource;
use email_logging::source::ews::EwsSource;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::support::*;

/// The answer to an operation with this body.
type Says = Box<dyn Fn(&str, &str) -> ResponseTemplate + Send>;

/// What the server says, and the operations that it was asked for.
#[derive(Clone)]
pub(super) struct Script {
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Respond for Script {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body = String::from_utf8_lossy(&request.body);
        let operation = operation(&body).to_owned();
        let answer = (self.says.lock().unwrap())(&operation, &body);
        self.asked.lock().unwrap().push(operation);
        answer
    }
}

/// The operation of a request: the first element of its body.
fn operation(body: &str) -> &str {
    let inner = body.split(":Body>").nth(1).unwrap_or_default();
    let name = inner.trim_start().trim_start_matches("<m:");
    name.split([' ', '>']).next().unwrap_or_default()
}

impl Script {
    /// A server with this script, which records nothing by itself.
    pub(super) async fn start() -> (MockServer, Self) {
        let server = MockServer::builder()
            .disable_request_recording()
            .start()
            .await;
        let script = Self {
            says: Arc::new(Mutex::new(Box::new(|_, _| ResponseTemplate::new(500)))),
            asked: Arc::default(),
        };
        Mock::given(any())
            .respond_with(script.clone())
            .mount(&server)
            .await;
        (server, script)
    }

    /// Says this from now on: the operation and the request's body are given.
    pub(super) fn say(&self, says: impl Fn(&str, &str) -> ResponseTemplate + Send + 'static) {
        *self.says.lock().unwrap() = Box::new(says);
        self.asked.lock().unwrap().clear();
    }

    /// The operations that were asked for, with how often: `MoveItem x2`.
    pub(super) fn asked(&self) -> String {
        let asked = self.asked.lock().unwrap();
        let mut counted: Vec<(String, usize)> = Vec::new();
        for operation in &*asked {
            match counted.last_mut() {
                Some((last, count)) if last == operation => *count += 1,
                _ => counted.push((operation.clone(), 1)),
            }
        }
        let words = counted.into_iter().map(|(name, count)| match count {
            1 => name,
            _ => format!("{name}*{count}"),
        });
        words.collect::<Vec<_>>().join("+")
    }
}

/// A source that repeats once. It has a pinned key, as the platform's roots take long to load.
pub(super) fn impatient(url: &str) -> (EwsSource, Arc<TestClock>) {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    source_at(url, |builder| builder.with_repeats(1).with_pinned_key(key))
}

fn waited(clock: &TestClock, before: usize) -> String {
    let waits = clock.waits();
    let waited: Duration = waits[before..].iter().sum();
    match waited.as_secs() {
        0 => String::new(),
        seconds => format!(" after {seconds} s"),
    }
}

/// What became of a list: the page or the code of the error, what was asked for, how long it waited.
pub(super) async fn list(script: &Script, source: &EwsSource, clock: &TestClock) -> String {
    let before = clock.waits().len();
    let outcome = match source.list(&folder("Q"), all()).await {
        Ok(_) => "page".to_owned(),
        Err(error) => code_of(&error).to_owned(),
    };
    format!("{outcome} {}{}", script.asked(), waited(clock, before))
}

/// What became of the item A of a fetch, and whether B, which is fine, came as well.
pub(super) async fn fetch(script: &Script, source: &EwsSource) -> String {
    let mut sink = Collect::default();
    let ended = source
        .fetch(&folder("Q"), &listed(&["A", "B"]), &mut sink)
        .await;
    let word = |got: &Got| match got {
        Got::Complete(..) => "complete".to_owned(),
        Got::WithoutOriginal(code, _) => format!("facts:{code}"),
        Got::Gone => "gone".to_owned(),
        Got::Failed(code) => (*code).to_owned(),
    };
    let mut words: Vec<_> = sink.got.iter().map(|(_, got)| word(got)).collect();
    if let Err(error) = ended {
        words.push(format!("all:{}", code_of(&error)));
    }
    format!("{} {}", words.join(","), script.asked())
}

/// What became of moving A and B.
pub(super) async fn move_both(script: &Script, source: &EwsSource) -> String {
    let items = refs(&["A", "B"]);
    let outcome = match source.move_to(&folder("Q"), &items, &folder("S")).await {
        Ok(moved) => moves(&moved).join(","),
        Err(error) => format!("all:{}", code_of(&error)),
    };
    format!("{outcome} {}", script.asked())
}
