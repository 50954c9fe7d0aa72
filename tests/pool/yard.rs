//! Many mailboxes with one log, a pool over them, and a hand that turns the clock.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::error::codes;
use email_logging::logger::{
    EmailLoggerBuilder, LoggerPool, PoolMailbox, PoolSettings, RunError, RunReport,
};
use email_logging::message::MailFacts;
use email_logging::source::{
    Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
    MailSource, MemorySource, Moved, Removed, Sought, SourceCapabilities,
};
use email_logging::store::MemoryStore;
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::{EmailLogger, Error, Result, Scope};

use crate::office::{error, mail, people, quarantine, queue, small_batches, storage};

/// Waits once: a point where others go on.
#[derive(Default)]
pub(crate) struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Calls that are under way, with the most there ever were.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    now: AtomicU32,
    most: AtomicU32,
}

impl Counter {
    fn begin(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
    }

    fn end(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn most(&self) -> u32 {
        self.most.load(Ordering::Relaxed)
    }
}

struct Counted<'a>([&'a Counter; 2]);

impl<'a> Counted<'a> {
    fn new(counters: [&'a Counter; 2]) -> Self {
        for counter in &counters {
            counter.begin();
        }
        Self(counters)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        for counter in &self.0 {
            counter.end();
        }
    }
}

/// A mailbox whose calls are counted, take a while, and can be made to fail or to hang.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) source: MemorySource,
    pub(crate) own: Counter,
    all: Arc<Counter>,
    pub(crate) fails: Mutex<Option<fn() -> Error>>,
    pub(crate) hangs: AtomicBool,
    /// How long the server wants to be left alone, at each call.
    pub(crate) asks: Mutex<Option<Duration>>,
    /// Whether it answers a call that has waited once.
    pub(crate) relents: AtomicBool,
    /// The longest wait that a call takes upon itself.
    patience: Mutex<Duration>,
    /// What calls may still wait together.
    left: Mutex<Duration>,
    clock: ManualClock,
    pub(crate) calls: AtomicU32,
}

impl Mailbox {
    /// Waits as a source does in its gate, and is told to wait again each time.
    async fn left_alone(&self) -> Result<()> {
        for _ in 0..5 {
            let Some(wait) = *self.asks.lock().unwrap() else {
                return Ok(());
            };
            if wait > *self.patience.lock().unwrap() || !self.may_wait(wait) {
                return Err(throttled(wait));
            }
            self.clock.sleep(wait).await;
            if self.relents.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        Err(throttled(Duration::from_secs(1)))
    }
}

impl Mailbox {
    fn may_wait(&self, wait: Duration) -> bool {
        let mut left = self.left.lock().unwrap();
        let rest = left.checked_sub(wait);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }
}

fn throttled(wait: Duration) -> Error {
    error(&codes::EWS_THROTTLED).with_retry_after(wait)
}

/// What the pool has of a mailbox.
#[derive(Debug)]
pub(crate) struct Line(pub(crate) Arc<Mailbox>);

impl Line {
    /// What calls may still wait together.
    pub(crate) fn may_still_wait(&self) -> Duration {
        *self.0.left.lock().unwrap()
    }
}

macro_rules! counted {
    ($mailbox:expr, $call:expr) => {{
        let mailbox = &$mailbox.0;
        let _counted = Counted::new([&mailbox.own, &mailbox.all]);
        mailbox.calls.fetch_add(1, Ordering::Relaxed);
        Pause::default().await;
        while mailbox.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        mailbox.left_alone().await?;
        let fails = *mailbox.fails.lock().unwrap();
        match fails {
            Some(error) => Err(error()),
            None => $call.await,
        }
    }};
}

#[async_trait]
impl MailSource for Line {
    fn capabilities(&self) -> SourceCapabilities {
        self.0.source.capabilities()
    }

    fn wait_at_most(&self, longest: Duration) {
        let mut patience = self.0.patience.lock().unwrap();
        *patience = longest.min(*patience);
    }

    fn wait_in_all_at_most(&self, sum: Duration) {
        *self.0.left.lock().unwrap() = sum;
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        // Who relents does so once the call has waited.
        let asks = *self.0.asks.lock().unwrap();
        asks.filter(|_| !self.0.relents.load(Ordering::Relaxed))
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        counted!(self, self.0.source.open_folder(folder))
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        counted!(self, self.0.source.list(folder, request))
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        counted!(self, self.0.source.fetch(from, items, sink))
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        counted!(self, self.0.source.move_to(from, items, to))
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        counted!(self, self.0.source.locate(folder, sought))
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        how: Disposal,
    ) -> Result<Vec<Removed>> {
        counted!(self, self.0.source.remove(from, items, how))
    }
}

/// What the pool told of one turn: the mailbox, and how many mails were logged, or the error's code.
pub(crate) type Told = (String, std::result::Result<u64, &'static str>);

pub(crate) struct Yard {
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) all: Arc<Counter>,
    pub(crate) mailboxes: BTreeMap<String, Arc<Mailbox>>,
    pub(crate) told: Arc<Mutex<Vec<Told>>>,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::default();
        let store = MemoryStore::new()
            .with_clock(Arc::new(clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(7)));
        Self {
            clock,
            store: Arc::new(store),
            all: Arc::default(),
            mailboxes: BTreeMap::new(),
            told: Arc::default(),
        }
    }

    pub(crate) fn pool(&self, settings: PoolSettings) -> LoggerPool {
        LoggerPool::new(settings).with_clock(
            Arc::new(self.clock.clone()),
            Arc::new(SeededEntropy::new(9)),
        )
    }

    /// A new mailbox with so many mails.
    pub(crate) fn mailbox(&mut self, name: &str, mails: u32) -> EmailLogger {
        let source = MemorySource::new()
            .with_folder(&queue())
            .with_folder(&storage())
            .with_folder(&quarantine());
        let mailbox = Arc::new(Mailbox {
            source,
            own: Counter::default(),
            all: Arc::clone(&self.all),
            fails: Mutex::default(),
            hangs: AtomicBool::new(false),
            asks: Mutex::default(),
            relents: AtomicBool::new(false),
            patience: Mutex::new(Duration::from_mins(4)),
            left: Mutex::new(Duration::MAX),
            clock: self.clock.clone(),
            calls: AtomicU32::new(0),
        });
        self.mailboxes.insert(name.to_owned(), mailbox);
        self.deliver(name, 0..mails);
        self.logger(name, "worker-1")
    }

    pub(crate) fn logger(&self, name: &str, worker: &str) -> EmailLogger {
        self.builder(name, worker).build().unwrap()
    }

    pub(crate) fn builder(&self, name: &str, worker: &str) -> EmailLoggerBuilder {
        EmailLogger::builder()
            .with_source(Arc::new(Line(Arc::clone(&self.mailboxes[name]))))
            .with_directory(Arc::new(people()))
            .with_store(Arc::clone(&self.store))
            .with_clock(Arc::new(self.clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_mailbox(name)
            .with_worker(worker)
            .with_settings(small_batches())
            .with_queue_folder(queue())
            .with_storage_folder(storage())
    }

    pub(crate) fn deliver(&self, name: &str, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let (subject, id) = (format!("{name} {number}"), format!("{name}{number}@x"));
            let mut facts = MailFacts::default();
            facts.received = Some(self.clock.now());
            let mime = mail("ada@contacts.example", &subject, &id, "");
            self.mailboxes[name].source.deliver(&queue(), mime, facts);
        }
    }

    /// Runs a pool until a turn of the mailbox is under way: its first call waits for ten seconds, and no other does.
    pub(crate) fn begin<F: Future + ?Sized>(&self, run: Pin<&mut F>, name: &str) {
        let mailbox = &self.mailboxes[name];
        *mailbox.asks.lock().unwrap() = Some(Duration::from_secs(10));
        mailbox.relents.store(true, Ordering::Relaxed);
        let before = mailbox.calls.load(Ordering::Relaxed);
        assert!(settle(run).is_none());
        assert_eq!(mailbox.calls.load(Ordering::Relaxed), before + 1);
        *mailbox.asks.lock().unwrap() = None;
    }

    /// Lets a turn that was begun so go on, to its end.
    pub(crate) fn go_on<F: Future + ?Sized>(&self, run: Pin<&mut F>) {
        self.clock.advance(Duration::from_secs(10));
        assert!(settle(run).is_none());
    }

    pub(crate) fn stored(&self, name: &str) -> usize {
        self.mailboxes[name].source.items(&storage()).len()
    }

    pub(crate) fn fail(&self, name: &str, error: Option<fn() -> Error>) {
        *self.mailboxes[name].fails.lock().unwrap() = error;
    }

    /// What was told since the last time.
    pub(crate) fn told(&self) -> Vec<Told> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    pub(crate) fn tell(
        &self,
    ) -> impl FnMut(&PoolMailbox, &std::result::Result<RunReport, RunError>) + Send + use<> {
        let told = Arc::clone(&self.told);
        move |mailbox, result| {
            let result = match result {
                Ok(report) => Ok(report.logged),
                Err(failed) => Err(failed.error.code()),
            };
            let name = mailbox.mailbox.to_string();
            told.lock().unwrap().push((name, result));
        }
    }
}

pub(crate) fn named(name: &str) -> PoolMailbox {
    PoolMailbox::new(Scope::default(), name.into())
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls until nothing more happens at this time.
pub(crate) fn settle<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    for _ in 0..1_000_000 {
        woken.0.store(false, Ordering::Relaxed);
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        if !woken.0.load(Ordering::Relaxed) {
            return None;
        }
    }
    panic!("it does not come to rest");
}

/// Runs a pool over some minutes, and looks at it after each.
pub(crate) fn minutes(yard: &Yard, pool: &LoggerPool, minutes: u32, mut each: impl FnMut(u32)) {
    let mut run = pin!(pool.run(std::future::pending(), yard.tell()));
    for minute in 0..minutes {
        assert!(settle(run.as_mut()).is_none());
        each(minute);
        yard.clock.advance(Duration::from_mins(1));
    }
    assert!(settle(run.as_mut()).is_none());
}
