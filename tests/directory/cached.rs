//! The cache before a directory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock;
use email_logging::directory::{
    CachedDirectory, CachedEditor, ContactDirectory, ContactEditor, ContactRecord, MemoryDirectory,
};
use email_logging::error::codes;
use email_logging::message::Address;
use email_logging::parties::{AddressParties, ContactKind, NewContact};
use email_logging::{Error, Result, Scope};
use jiff::Timestamp;

#[derive(Debug, Default)]
struct TestClock(Mutex<Timestamp>);

impl TestClock {
    fn pass(&self, seconds: u64) {
        let mut now = self.0.lock().unwrap();
        *now += Duration::from_secs(seconds);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

/// Remembers the questions, and may fail or answer too little.
#[derive(Debug, Default)]
struct Counted {
    directory: MemoryDirectory,
    asked: Mutex<Vec<Vec<String>>>,
    fault: Mutex<Option<&'static str>>,
    /// Is told to forget while the directory answers.
    forgets_meanwhile: Mutex<Option<Arc<CachedDirectory>>>,
}

#[async_trait]
impl ContactDirectory for Counted {
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let question = addresses.iter().map(ToString::to_string).collect();
        self.asked.lock().unwrap().push(question);
        if let Some(cache) = self.forgets_meanwhile.lock().unwrap().take() {
            cache.invalidate(&addresses[0]);
        }
        match *self.fault.lock().unwrap() {
            Some("down") => {
                return Err(Error::new(
                    &codes::DIRECTORY_UNAVAILABLE,
                    "Counted::resolve",
                ));
            }
            Some("short") => return Ok(Vec::new()),
            _ => {}
        }
        self.directory.resolve(scope, addresses).await
    }
}

struct Stand {
    inner: Arc<Counted>,
    clock: Arc<TestClock>,
    cache: Arc<CachedDirectory>,
}

impl Stand {
    fn new(with: impl FnOnce(CachedDirectory) -> CachedDirectory) -> Self {
        let inner = Arc::new(Counted::default());
        for name in ["a", "b", "c"] {
            inner.directory.upsert_contact(record(name));
        }
        let clock = Arc::new(TestClock::default());
        let (shared, time): (Arc<dyn ContactDirectory>, Arc<dyn Clock>) =
            (Arc::clone(&inner) as _, Arc::clone(&clock) as _);
        let cache = Arc::new(with(CachedDirectory::new(shared, time)));
        Self {
            inner,
            clock,
            cache,
        }
    }

    /// Asks the cache and answers what it asked the directory for meanwhile.
    async fn ask(&self, names: &[&str]) -> Vec<String> {
        self.inner.asked.lock().unwrap().clear();
        let addresses: Vec<Address> = names.iter().map(|name| address(name)).collect();
        let answers = self
            .cache
            .resolve(&Scope::default(), &addresses)
            .await
            .unwrap();
        let expected = self
            .inner
            .directory
            .resolve(&Scope::default(), &addresses)
            .await
            .unwrap();
        assert_eq!(answers, expected);
        let asked = self.inner.asked.lock().unwrap().clone();
        assert!(asked.len() <= 1, "one call for all that is missing");
        let local = |text: &String| text.split('@').next().unwrap().to_owned();
        asked.iter().flatten().map(local).collect()
    }
}

fn address(name: &str) -> Address {
    Address::parse(&format!("{name}@a.example")).unwrap()
}

fn record(name: &str) -> ContactRecord {
    ContactRecord::new(name, name, ContactKind::Person).with_email(format!("{name}@a.example"))
}

const NOTHING: [String; 0] = [];

#[tokio::test]
async fn only_what_is_missing_is_asked_and_each_once() {
    let stand = Stand::new(|cache| cache);
    assert_eq!(stand.ask(&["a", "b", "a"]).await, ["a", "b"]);
    assert_eq!(stand.ask(&["b", "c", "a", "c"]).await, ["c"]);
    assert_eq!(stand.ask(&["a", "b", "c"]).await, NOTHING);
}

#[tokio::test]
async fn answers_expire_and_nobody_expires_sooner() {
    let stand = Stand::new(|cache| {
        cache
            .with_memory_time(Duration::from_secs(100))
            .with_memory_time_of_nobody(Duration::from_secs(10))
    });
    assert_eq!(stand.ask(&["a", "x"]).await, ["a", "x"]);
    stand.clock.pass(9);
    assert_eq!(stand.ask(&["a", "x"]).await, NOTHING);
    stand.clock.pass(1);
    assert_eq!(stand.ask(&["a", "x"]).await, ["x"]);
    stand.clock.pass(89);
    assert_eq!(stand.ask(&["a"]).await, NOTHING);
    stand.clock.pass(1);
    assert_eq!(stand.ask(&["a"]).await, ["a"]);
}

#[tokio::test]
async fn beyond_its_capacity_the_least_recently_used_is_forgotten() {
    let stand = Stand::new(|cache| cache.with_capacity(2));
    stand.ask(&["a"]).await;
    stand.ask(&["b"]).await;
    stand.ask(&["a"]).await;
    assert_eq!(stand.ask(&["c"]).await, ["c"]);
    assert_eq!(stand.ask(&["a"]).await, NOTHING);
    assert_eq!(stand.ask(&["b"]).await, ["b"]);
}

#[tokio::test]
async fn without_capacity_every_question_is_asked() {
    let stand = Stand::new(|cache| cache.with_capacity(0));
    assert_eq!(stand.ask(&["a", "b"]).await, ["a", "b"]);
    assert_eq!(stand.ask(&["a", "b"]).await, ["a", "b"]);
}

#[tokio::test]
async fn what_is_invalidated_is_asked_again() {
    let stand = Stand::new(|cache| cache);
    stand.ask(&["a", "b"]).await;
    stand.cache.invalidate(&address("a"));
    assert_eq!(stand.ask(&["a", "b"]).await, ["a"]);
    stand.cache.clear();
    assert_eq!(stand.ask(&["a", "b"]).await, ["a", "b"]);
}

#[tokio::test]
async fn an_answer_that_was_on_its_way_is_not_remembered() {
    let stand = Stand::new(|cache| cache);
    *stand.inner.forgets_meanwhile.lock().unwrap() = Some(Arc::clone(&stand.cache));
    assert_eq!(stand.ask(&["a"]).await, ["a"]);
    assert_eq!(stand.ask(&["a"]).await, ["a"]);
    assert_eq!(stand.ask(&["a"]).await, NOTHING);
}

#[tokio::test]
async fn an_error_is_no_answer_and_is_not_remembered() {
    let stand = Stand::new(|cache| cache);
    for (fault, code) in [
        ("down", "directory.unavailable"),
        ("short", "directory.invalid"),
    ] {
        *stand.inner.fault.lock().unwrap() = Some(fault);
        let error = stand
            .cache
            .resolve(&Scope::default(), &[address("a")])
            .await
            .unwrap_err();
        assert_eq!(error.code(), code);
    }
    *stand.inner.fault.lock().unwrap() = None;
    assert_eq!(stand.ask(&["a"]).await, ["a"]);
}

#[tokio::test]
async fn scopes_do_not_share_answers() {
    let stand = Stand::new(|cache| cache);
    stand.ask(&["a"]).await;
    let other = Scope::new("other", "company").unwrap();
    stand.cache.resolve(&other, &[address("a")]).await.unwrap();
    assert_eq!(stand.inner.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_created_contact_is_found_at_once() {
    let stand = Stand::new(|cache| cache);
    assert_eq!(stand.ask(&["new"]).await, ["new"]);
    let editor: Arc<dyn ContactEditor> = Arc::new(stand.inner.directory.clone());
    let editor = CachedEditor::new(editor, Arc::clone(&stand.cache));
    let contact = NewContact::new(address("new"), None);
    let no = editor
        .create_contact(&Scope::default(), &contact)
        .await
        .unwrap();
    assert_eq!(no, "NEW00001".into());
    assert_eq!(stand.ask(&["new"]).await, ["new"]);
}
