//! A small company with a queue, to run loggers on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::directory::ContactDirectory;
use email_logging::error::codes;
use email_logging::logger::{EmailLoggerBuilder, RunError, RunReport, RunSettings};
use email_logging::message::{Address, MailFacts};
use email_logging::parties::{AddressParties, ContactKind, ContactMatch, SalespersonMatch};
use email_logging::source::{FolderPath, MemorySource};
use email_logging::store::{InteractionLog as _, LogFilter, LoggedMail, MemoryStore};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::{EmailLogger, Error, Result, Scope};

/// A directory of two salespeople and some contacts, which can be out of order.
#[derive(Debug, Default)]
pub(crate) struct Company {
    people: Mutex<BTreeMap<Address, AddressParties>>,
    pub(crate) out_of_order: AtomicBool,
}

impl Company {
    pub(crate) fn new() -> Self {
        let salesperson = |code: &str| {
            let found = SalespersonMatch::new(code, format!("Salesperson {code}"));
            AddressParties::nobody().with_salesperson(found)
        };
        let contact = |no: &str| {
            let found = ContactMatch::new(no, format!("Contact {no}"), ContactKind::Person);
            AddressParties::nobody().with_contact(found)
        };
        let people = [
            ("ah@ours.example", salesperson("AH")),
            ("bk@ours.example", salesperson("BK")),
            ("ada@contacts.example", contact("C1")),
            ("bob@contacts.example", contact("C2")),
            ("eve@contacts.example", contact("C3")),
        ];
        let people = people
            .into_iter()
            .map(|(text, found)| (text.parse().unwrap(), found));
        Self {
            people: Mutex::new(people.collect()),
            out_of_order: AtomicBool::new(false),
        }
    }
}

impl Company {
    pub(crate) fn add_contact(&self, address: &str, no: &str) {
        let found = ContactMatch::new(no, format!("Contact {no}"), ContactKind::Person);
        let parties = AddressParties::nobody().with_contact(found);
        self.people
            .lock()
            .unwrap()
            .insert(address.parse().unwrap(), parties);
    }
}

impl Company {
    pub(crate) fn forget(&self, address: &str) {
        self.people
            .lock()
            .unwrap()
            .remove(&address.parse().unwrap());
    }
}

#[async_trait]
impl ContactDirectory for Company {
    async fn resolve(&self, _: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        if self.out_of_order.load(Ordering::Relaxed) {
            return Err(Error::new(&codes::DIRECTORY_UNAVAILABLE, "resolve"));
        }
        let people = self.people.lock().unwrap();
        let find = |address| people.get(address).cloned().unwrap_or_default();
        Ok(addresses.iter().map(find).collect())
    }
}

/// Everything that a run works with.
pub(crate) struct Bench {
    pub(crate) source: MemorySource,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) company: Arc<Company>,
    pub(crate) clock: ManualClock,
}

pub(crate) fn queue() -> FolderPath {
    r"\Email Logging\Queue\".parse().unwrap()
}

pub(crate) fn storage() -> FolderPath {
    r"\Email Logging\Storage\".parse().unwrap()
}

pub(crate) fn quarantine() -> FolderPath {
    r"\Email Logging\Quarantine\".parse().unwrap()
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::default();
        let entropy = Arc::new(SeededEntropy::new(7));
        let store = MemoryStore::new()
            .with_clock(Arc::new(clock.clone()))
            .with_entropy(entropy);
        let source = MemorySource::new()
            .with_folder(&queue())
            .with_folder(&storage())
            .with_folder(&quarantine());
        Self {
            source,
            store: Arc::new(store),
            company: Arc::new(Company::new()),
            clock,
        }
    }

    /// With a source that was changed.
    pub(crate) fn with_source(mut self, change: impl FnOnce(MemorySource) -> MemorySource) -> Self {
        self.source = change(self.source);
        self
    }

    pub(crate) fn builder(&self) -> EmailLoggerBuilder {
        EmailLogger::builder()
            .with_source(Arc::new(self.source.clone()))
            .with_directory(self.company.clone())
            .with_store(Arc::clone(&self.store))
            .with_clock(Arc::new(self.clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_worker("worker-1")
            .with_queue_folder(queue())
            .with_storage_folder(storage())
    }

    pub(crate) async fn run(&self) -> Result<RunReport, RunError> {
        self.builder().build().unwrap().run_once().await
    }

    pub(crate) async fn run_with(&self, settings: RunSettings) -> Result<RunReport, RunError> {
        self.builder()
            .with_settings(settings)
            .build()
            .unwrap()
            .run_once()
            .await
    }

    pub(crate) fn deliver(&self, mime: impl Into<Vec<u8>>) {
        self.source.deliver(&queue(), mime, MailFacts::default());
    }

    /// Delivers mails from Ada to AH with these numbers.
    pub(crate) fn deliver_numbers(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.deliver(numbered(number));
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.source.items(&queue()).len()
    }

    pub(crate) fn stored(&self) -> usize {
        self.source.items(&storage()).len()
    }

    pub(crate) async fn mails(&self) -> Vec<LoggedMail> {
        let scope = Scope::default();
        let page = self
            .store
            .mails(&scope, &LogFilter::default(), None, 10_000)
            .await;
        page.unwrap().rows
    }

    /// `(subject, direction, contact, salesperson)` of every entry, sorted.
    pub(crate) async fn entries(&self) -> Vec<(String, &'static str, String, String)> {
        let mut entries = Vec::new();
        for mail in self.mails().await {
            for entry in mail.entries {
                let entry = entry.entry;
                entries.push((
                    mail.record.subject.clone(),
                    entry.information_flow.code(),
                    entry.contact_no.to_string(),
                    entry.salesperson_code.to_string(),
                ));
            }
        }
        entries.sort();
        entries
    }

    /// Checks what must hold at the end of any history: every mail is in the storage folder, each once, and logged once
    /// with its original bit for bit.
    pub(crate) async fn assert_all_stored_and_logged_once(&self, mails: u32) {
        assert_eq!(self.queued(), 0, "the queue is empty");
        let stored = self.source.items(&storage());
        let distinct: BTreeSet<_> = stored.iter().map(|item| item.original.to_vec()).collect();
        assert_eq!(distinct.len(), mails as usize, "no mail is lost");
        let expected: Vec<_> = (0..mails).map(subject).collect();
        let subjects: Vec<_> = self
            .entries()
            .await
            .into_iter()
            .map(|entry| entry.0)
            .collect();
        assert_eq!(subjects, expected, "each mail has one entry");
        for mail in self.mails().await {
            let scope = Scope::default();
            let part = self
                .store
                .original(&scope, &mail.message, 0..u64::MAX)
                .await
                .unwrap();
            assert!(
                distinct.contains(&part.bytes),
                "the original is kept bit for bit"
            );
        }
    }
}

pub(crate) fn subject(number: u32) -> String {
    format!("Offer {number:05}")
}

pub(crate) fn numbered(number: u32) -> Vec<u8> {
    mail(
        "ada@contacts.example",
        "ah@ours.example",
        &subject(number),
        &format!("n{number}@x.example"),
    )
}

pub(crate) fn mail(from: &str, to: &str, subject: &str, message_id: &str) -> Vec<u8> {
    mail_with(from, to, subject, message_id, "", "Hello.\r\n")
}

pub(crate) fn mail_with(
    from: &str,
    to: &str,
    subject: &str,
    message_id: &str,
    headers: &str,
    body: &str,
) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{message_id}>\r\n\
         Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}
