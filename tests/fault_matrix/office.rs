//! A small company with a queue, a log in a SQLite file, and a clock that stands still.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::error::Code;
use email_logging::logger::{EmailLoggerBuilder, RunError, RunReport, RunSettings};
use email_logging::message::MailFacts;
use email_logging::parties::ContactKind;
use email_logging::source::{FolderPath, MemorySource};
use email_logging::store::{
    DecisionFilter, InteractionLog, InteractionStore, LogFilter, SqliteOptions, SqliteStore,
};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::{EmailLogger, Error, Scope};

pub(crate) fn folder(name: &str) -> FolderPath {
    format!(r"\Email Logging\{name}\").parse().unwrap()
}

pub(crate) fn queue() -> FolderPath {
    folder("Queue")
}

pub(crate) fn storage() -> FolderPath {
    folder("Storage")
}

pub(crate) fn quarantine() -> FolderPath {
    folder("Quarantine")
}

pub(crate) fn error(code: &'static Code) -> Error {
    Error::new(code, "planned")
}

/// Everything that a logger works with.
pub(crate) struct Office {
    pub(crate) source: MemorySource,
    pub(crate) directory: MemoryDirectory,
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<SqliteStore>,
    home: tempfile::TempDir,
}

impl Office {
    pub(crate) async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = ManualClock::default();
        let store = open(&home.path().join("log.sqlite"), &clock).await;
        let source = MemorySource::new()
            .with_folder(&queue())
            .with_folder(&storage())
            .with_folder(&quarantine());
        Self {
            source,
            directory: people(),
            clock,
            store,
            home,
        }
    }

    /// With a source that was changed.
    pub(crate) fn with_source(mut self, change: impl FnOnce(MemorySource) -> MemorySource) -> Self {
        self.source = change(self.source);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Copies the log as a back-up does.
    pub(crate) fn back_up(&self, name: &str) -> PathBuf {
        let copy = self.path(name);
        let log = rusqlite::Connection::open(self.path("log.sqlite")).unwrap();
        log.execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
            .unwrap();
        copy
    }

    /// Goes on with another file of the log.
    pub(crate) async fn restore(&mut self, file: &Path) {
        self.store = open(file, &self.clock).await;
    }

    pub(crate) fn builder(&self) -> EmailLoggerBuilder {
        self.builder_on(Arc::clone(&self.store))
    }

    pub(crate) fn builder_on<S: InteractionStore>(&self, store: Arc<S>) -> EmailLoggerBuilder {
        EmailLogger::builder()
            .with_source(Arc::new(self.source.clone()))
            .with_directory(Arc::new(self.directory.clone()))
            .with_store(store)
            .with_clock(Arc::new(self.clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_worker("worker-1")
            .with_settings(small_batches())
            .with_queue_folder(queue())
            .with_storage_folder(storage())
            .with_quarantine_folder(quarantine())
    }

    pub(crate) fn logger(&self) -> EmailLogger {
        self.builder().build().unwrap()
    }

    pub(crate) async fn run(&self) -> Result<RunReport, RunError> {
        let result = self.logger().run_once().await;
        match &result {
            Ok(report) => assert!(report.closes(), "{report:?}"),
            Err(failed) => assert!(failed.report.closes(), "{failed:?}"),
        }
        result
    }

    pub(crate) fn deliver(&self, mime: impl Into<Vec<u8>>) {
        let mut facts = MailFacts::default();
        facts.received = Some(email_logging::clock::Clock::now(&self.clock));
        self.source.deliver(&queue(), mime, facts);
    }

    pub(crate) fn deliver_numbers(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.deliver(offer(number));
        }
    }

    pub(crate) fn count(&self, path: &FolderPath) -> usize {
        self.source.items(path).len()
    }

    /// How many mails lie in queue, storage and quarantine.
    pub(crate) fn places(&self) -> [usize; 3] {
        [queue(), storage(), quarantine()].map(|path| self.count(&path))
    }

    /// Nothing lost and nothing twice: every offer lies in the storage folder and has one entry with its original.
    pub(crate) async fn assert_offers(&self, count: u32) {
        let expected: Vec<_> = (0..count).map(subject).collect();
        assert_eq!(subjects(self.store.as_ref()).await, expected);
        let stored = self.source.items(&storage());
        let stored: BTreeSet<_> = stored.iter().map(|item| item.original.to_vec()).collect();
        for number in 0..count {
            assert!(stored.contains(&offer(number)), "offer {number} is stored");
        }
        assert_eq!(self.count(&queue()), 0, "the queue is empty");
        assert_originals(self.store.as_ref(), &stored).await;
    }
}

pub(crate) async fn open(file: &Path, clock: &ManualClock) -> Arc<SqliteStore> {
    let options = SqliteOptions::default()
        .with_clock(Arc::new(clock.clone()))
        .with_entropy(Arc::new(SeededEntropy::new(7)));
    let store = SqliteStore::open_with(file, options).unwrap();
    store.migrate().await.unwrap();
    Arc::new(store)
}

pub(crate) fn people() -> MemoryDirectory {
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AH", "Anna", "ah@ours.example"))
        .with_contact(
            ContactRecord::new("C1", "Ada", ContactKind::Person).with_email("ada@contacts.example"),
        )
}

pub(crate) fn small_batches() -> RunSettings {
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = (3, 2);
    settings
}

pub(crate) fn subject(number: u32) -> String {
    format!("Offer {number:05}")
}

pub(crate) fn offer(number: u32) -> Vec<u8> {
    let id = format!("n{number}@x.example");
    mail("ada@contacts.example", &subject(number), &id, "")
}

pub(crate) fn mail(from: &str, subject: &str, message_id: &str, headers: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: ah@ours.example\r\nSubject: {subject}\r\nMessage-ID: <{message_id}>\r\n\
         Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n{headers}\r\nHello.\r\n"
    )
    .into_bytes()
}

/// The subjects of all entries, sorted.
pub(crate) async fn subjects(log: &dyn InteractionLog) -> Vec<String> {
    let scope = Scope::default();
    let page = log.mails(&scope, &LogFilter::default(), None, 10_000).await;
    let mut subjects = Vec::new();
    for mail in page.unwrap().rows {
        let count = mail.entries.len();
        subjects.extend(std::iter::repeat_n(mail.record.subject, count));
    }
    subjects.sort();
    subjects
}

async fn assert_originals(log: &dyn InteractionLog, stored: &BTreeSet<Vec<u8>>) {
    let scope = Scope::default();
    let page = log.mails(&scope, &LogFilter::default(), None, 10_000).await;
    for mail in page.unwrap().rows {
        let part = log.original(&scope, &mail.message, 0..u64::MAX).await;
        assert!(stored.contains(&part.unwrap().bytes), "bit for bit");
    }
}

/// Everything in a log that does not depend on when it was written: entries with their originals, and decisions.
pub(crate) async fn everything(log: &dyn InteractionLog) -> Vec<String> {
    let scope = Scope::default();
    let page = log.mails(&scope, &LogFilter::default(), None, 10_000).await;
    let mut lines = Vec::new();
    for mail in page.unwrap().rows {
        let original = log.original(&scope, &mail.message, 0..u64::MAX).await;
        let original = sum_of(&original.unwrap().bytes);
        for entry in mail.entries {
            let entry = entry.entry;
            let (flow, contact) = (entry.information_flow.code(), entry.contact_no);
            let subject = &mail.record.subject;
            lines.push(format!(
                "{} {subject} {flow} {contact} {original}",
                entry.id
            ));
        }
    }
    let filter = DecisionFilter::default();
    let page = log.decisions(&scope, &filter, None, 10_000).await;
    for decision in page.unwrap().rows {
        let (outcome, reason) = (decision.outcome, decision.reason);
        let place = decision.disposition.code();
        lines.push(format!("{} {outcome}/{reason} {place}", decision.sighting));
    }
    lines.sort();
    lines
}

fn sum_of(bytes: &[u8]) -> u64 {
    // A sum that is good enough to tell originals apart.
    bytes.iter().fold(bytes.len() as u64, |sum, byte| {
        sum.wrapping_mul(1_099_511_628_211)
            .wrapping_add(u64::from(*byte))
    })
}
