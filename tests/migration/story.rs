//! A mailbox's life up to the change and after it, with every state that a ledger can have at that moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use email_logging::clock::Clock as _;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::error::codes;
use email_logging::logger::{EmailLogger, ReconcileOptions};
use email_logging::message::MailFacts;
use email_logging::parties::ContactKind;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{FolderPath, MemorySource, SourceCapabilities};
use email_logging::store::{InteractionStore, LogFilter};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::{Error, Scope};

use crate::kinds::{Kind, Reached};
use crate::mails::{self, Class, Entry, class};

fn folder(name: &str) -> FolderPath {
    format!(r"\Email Logging\{name}\").parse().unwrap()
}

pub(crate) struct Story<S> {
    clock: ManualClock,
    store: Arc<S>,
    mailbox: MemorySource,
    count: u32,
    with_ids: bool,
    blind: bool,
    unsure: Arc<AtomicBool>,
    foreign: Arc<AtomicUsize>,
}

impl<S: InteractionStore> Story<S> {
    pub(crate) fn new(clock: ManualClock, store: Arc<S>, count: u32) -> Self {
        Self {
            clock,
            store,
            mailbox: mailbox(SourceCapabilities::default()),
            count,
            with_ids: false,
            blind: false,
            unsure: Arc::default(),
            foreign: Arc::default(),
        }
    }

    pub(crate) fn with_capabilities(mut self, capabilities: SourceCapabilities) -> Self {
        self.mailbox = mailbox(capabilities);
        self
    }

    pub(crate) fn with_message_ids_everywhere(mut self) -> Self {
        self.with_ids = true;
        self
    }

    pub(crate) fn with_every_id_taken_for_own(mut self) -> Self {
        self.blind = true;
        self
    }

    pub(crate) fn foreign_ids(&self) -> usize {
        self.foreign.load(Ordering::Relaxed)
    }

    /// Three fifths go their way; then answers are lost, moves fail, a reply is lost as a whole, mail is put back, and the
    /// last fifth lies in the queue.
    pub(crate) async fn begin(&self, kind: Kind) {
        let part = self.count / 20;
        self.deliver(0..part * 12);
        self.logger(kind).run_once().await.unwrap();
        self.deliver(part * 12..part * 15);
        self.unsure.store(true, Ordering::Relaxed);
        self.fail_fetches();
        let report = self.logger(kind).run_once().await.unwrap();
        assert!(report.moves_pending > u64::from(part), "{report:?}");
        assert!(report.pending > 0, "{report:?}");
        self.unsure.store(false, Ordering::Relaxed);
        self.deliver(part * 15..part * 16);
        let lost = Error::new(&codes::HTTP_CLOSED, "planned");
        let fault = SourceFault::LostReply(lost);
        self.mailbox.fail_next(SourceOperation::MoveTo, fault);
        self.logger(kind).run_once().await.unwrap_err();
        self.put_back();
        self.deliver(part * 16..self.count);
    }

    fn deliver(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let mime = mails::render(number, Kind::Ews, self.count, self.with_ids);
            let mut facts = MailFacts::default();
            facts.received = Some(self.clock.now());
            self.mailbox.deliver(&folder("Queue"), mime, facts);
        }
    }

    /// Some mails cannot be fetched for now.
    fn fail_fetches(&self) {
        let next = self.mailbox.count(SourceOperation::Fetch) as u64;
        let busy = || Error::new(&codes::HTTP_CLOSED, "planned");
        let fault = SourceFault::ItemFailed(0, busy());
        self.mailbox
            .fail_call(SourceOperation::Fetch, next + 1, fault);
    }

    /// A person puts stored mails back into the queue, and copies some that lie there.
    fn put_back(&self) {
        for stored in self.mailbox.items(&folder("Storage")).iter().take(20) {
            let queue = folder("Queue");
            self.mailbox.move_by_hand(&stored.item, &queue).unwrap();
        }
        for queued in self.mailbox.items(&folder("Queue")).iter().take(10) {
            let queue = folder("Queue");
            self.mailbox.copy_by_hand(&queued.item, &queue).unwrap();
        }
    }

    /// Two days go by, after which every move that waits is due.
    pub(crate) fn wait(&self) {
        self.clock.advance(Duration::from_hours(48));
    }

    /// The other kind goes on: at once, and when everything that waits is due.
    pub(crate) async fn go_on(&self, kind: Kind) {
        for _ in 0..4 {
            let report = self.logger(kind).run_once().await.unwrap();
            assert!(report.closes(), "{report:?}");
            self.wait();
        }
    }

    pub(crate) async fn reconcile(&self, kind: Kind) {
        let logger = self.logger(kind);
        let report = logger.reconcile(&ReconcileOptions::default()).await;
        let report = report.unwrap();
        assert!(report.complete, "{report:?}");
        assert_eq!(report.decided.entries, 0, "{report:?}");
    }

    fn logger(&self, kind: Kind) -> EmailLogger {
        let source = Reached {
            kind,
            mailbox: self.mailbox.clone(),
            count: self.count,
            with_ids: self.with_ids,
            blind: self.blind,
            unsure: Arc::clone(&self.unsure),
            foreign: Arc::clone(&self.foreign),
        };
        EmailLogger::builder()
            .with_source(Arc::new(source))
            .with_directory(Arc::new(people()))
            .with_store(Arc::clone(&self.store))
            .with_clock(Arc::new(self.clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_worker("worker-1")
            .with_queue_folder(folder("Queue"))
            .with_storage_folder(folder("Storage"))
            .with_quarantine_folder(folder("Quarantine"))
            .build()
            .unwrap()
    }

    /// Each mail has its entries exactly once, and lies where it belongs.
    pub(crate) async fn assert_as_if_nothing_had_changed(&self) {
        let mut expected: Vec<Entry> = (0..self.count).flat_map(mails::entries).collect();
        expected.sort();
        let written = self.entries().await;
        let mut times: BTreeMap<&(String, String), u32> = BTreeMap::new();
        for entry in &written {
            *times.entry(entry).or_default() += 1;
        }
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(
            twice.is_empty(),
            "{} written twice: {:?}",
            twice.len(),
            twice.first()
        );
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(subject, contact)| (subject, contact.to_owned()))
            .collect();
        assert_eq!(written.len(), expected.len());
        assert!(written == expected, "other entries than expected");
        self.assert_places();
    }

    fn assert_places(&self) {
        let count = |name| self.mailbox.items(&folder(name)).len();
        let damaged = (0..self.count).filter(|it| class(*it) == Class::Damaged);
        let damaged = damaged.count();
        assert_eq!(count("Queue"), 0, "the queue is empty");
        assert_eq!(count("Quarantine"), damaged, "set aside");
        let all = self.count as usize + 10;
        assert_eq!(count("Storage"), all - damaged, "in storage");
    }

    async fn entries(&self) -> Vec<(String, String)> {
        let (scope, all) = (Scope::default(), LogFilter::default());
        let (mut written, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.mails(&scope, &all, after.as_ref(), 1_000).await;
            let page = page.unwrap();
            for mail in page.rows {
                for entry in mail.entries {
                    let contact = entry.entry.contact_no.to_string();
                    written.push((mail.record.subject.clone(), contact));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        written.sort();
        written
    }
}

fn mailbox(capabilities: SourceCapabilities) -> MemorySource {
    ["Queue", "Storage", "Quarantine"].iter().fold(
        MemorySource::new().with_capabilities(capabilities),
        |mailbox, name| mailbox.with_folder(&folder(name)),
    )
}

pub(crate) fn people() -> MemoryDirectory {
    let contact = |no: &str, email: &str| {
        ContactRecord::new(no, format!("Contact {no}"), ContactKind::Person).with_email(email)
    };
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AH", "Anna", "ah@ours.example"))
        .with_contact(contact("C1", "ada@contacts.example"))
        .with_contact(contact("C2", "bob@contacts.example"))
}
