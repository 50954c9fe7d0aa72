//! One mailbox with its log under a clock that stands still, and hands that give hints.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::logger::{EmailLoggerBuilder, RunError, RunReport};
use email_logging::message::MailFacts;
use email_logging::source::{MemorySource, Wakeup, WakeupSignal};
use email_logging::store::{InteractionLog as _, LogFilter, MemoryStore};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::{EmailLogger, Scope};

use crate::office::{mail, people, queue, small_batches, storage};

/// When a run ended, by seconds since the start, and how many mails it logged; or the error's code.
pub(crate) type Ran = (i64, Result<u64, &'static str>);

/// Hints without an end.
#[derive(Debug)]
pub(crate) struct Flood;

#[async_trait]
impl Wakeup for Flood {
    async fn wait(&self) {}
}

pub(crate) struct Desk {
    pub(crate) name: &'static str,
    pub(crate) clock: ManualClock,
    pub(crate) source: MemorySource,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) signal: WakeupSignal,
    pub(crate) ran: Arc<Mutex<Vec<Ran>>>,
    delivered: Mutex<u32>,
}

impl Desk {
    pub(crate) fn new(name: &'static str, clock: &ManualClock) -> Self {
        let store = MemoryStore::new()
            .with_clock(Arc::new(clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(7)));
        Self {
            name,
            clock: clock.clone(),
            source: MemorySource::new()
                .with_folder(&queue())
                .with_folder(&storage()),
            store: Arc::new(store),
            signal: WakeupSignal::new(),
            ran: Arc::default(),
            delivered: Mutex::default(),
        }
    }

    /// The logger with these wake-ups.
    pub(crate) fn logger(&self, wakeups: Vec<Arc<dyn Wakeup>>) -> EmailLogger {
        let with = wakeups
            .into_iter()
            .fold(self.builder(), EmailLoggerBuilder::with_wakeup);
        with.build().unwrap()
    }

    pub(crate) fn builder(&self) -> EmailLoggerBuilder {
        EmailLogger::builder()
            .with_source(Arc::new(self.source.clone()))
            .with_directory(Arc::new(people()))
            .with_store(Arc::clone(&self.store))
            .with_clock(Arc::new(self.clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_mailbox(self.name)
            .with_worker("worker-1")
            .with_settings(small_batches())
            .with_queue_folder(queue())
            .with_storage_folder(storage())
    }

    /// The logger with the signal of the desk.
    pub(crate) fn hinted(&self) -> EmailLogger {
        self.logger(vec![Arc::new(self.signal.clone())])
    }

    pub(crate) fn deliver(&self, mails: u32) {
        let mut delivered = self.delivered.lock().unwrap();
        for _ in 0..mails {
            let (subject, id) = (
                format!("Offer {delivered}"),
                format!("{delivered}@{}", self.name),
            );
            let mut facts = MailFacts::default();
            facts.received = Some(self.clock.now());
            let mime = mail("ada@contacts.example", &subject, &id, "");
            self.source.deliver(&queue(), mime, facts);
            *delivered += 1;
        }
    }

    pub(crate) fn delivered(&self) -> usize {
        *self.delivered.lock().unwrap() as usize
    }

    /// How many mails lie in queue and storage.
    pub(crate) fn places(&self) -> [usize; 2] {
        [queue(), storage()].map(|path| self.source.items(&path).len())
    }

    /// The subjects of all entries.
    pub(crate) fn logged(&self) -> Vec<String> {
        let scope = Scope::default();
        let filter = LogFilter::default();
        let mut page = Box::pin(self.store.entries(&scope, &filter, None, 1000));
        let page = settle(&mut page).unwrap().unwrap();
        page.rows
            .into_iter()
            .map(|row| row.entry.description)
            .collect()
    }

    /// What became of the runs since the last time.
    pub(crate) fn ran(&self) -> Vec<Ran> {
        std::mem::take(&mut self.ran.lock().unwrap())
    }

    pub(crate) fn note(&self) -> impl FnMut(&Result<RunReport, RunError>) + Send + use<> {
        let (ran, clock) = (Arc::clone(&self.ran), self.clock.clone());
        move |result| {
            let at = clock.now().duration_since(start()).as_secs();
            let result = match result {
                Ok(report) => {
                    assert_eq!(report.skipped, None);
                    Ok(report.logged)
                }
                Err(failed) => Err(failed.error.code()),
            };
            ran.lock().unwrap().push((at, result));
        }
    }
}

fn start() -> jiff::Timestamp {
    ManualClock::default().now()
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls until nothing more happens at this time.
pub(crate) fn settle<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Option<F::Output> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    for _ in 0..100_000 {
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

/// Lets so many seconds pass, one by one.
pub(crate) fn pass<F: Future + ?Sized>(
    clock: &ManualClock,
    future: &mut Pin<Box<F>>,
    seconds: u32,
) {
    assert!(settle(future).is_none());
    for _ in 0..seconds {
        clock.advance(Duration::from_secs(1));
        assert!(settle(future).is_none());
    }
}
