//! The same over both protocols: one mailbox of a simulated Exchange, read by EWS and then by Microsoft Graph, which renders its
//! mails anew.

use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock as _;
use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::{EmailLogger, RunSettings};
use email_logging::parties::ContactKind;
use email_logging::source::ews::EwsSource;
use email_logging::source::graph::GraphSource;
use email_logging::source::{AddressPolicy, FolderPath, MailSource};
use email_logging::store::{
    InteractionLog as _, LogFilter, MailLedger as _, SqliteOptions, SqliteStore,
};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::testkit::exchange::{
    Delivery, Fault, FaultKind, Operation, SimulatedExchange, TlsCertificate,
};
use email_logging::testkit::graph::{MimeRendering, SimulatedGraph};
use email_logging::{MailboxKey, Scope};
use jiff::Timestamp;

const USER: &str = "logging@corp.example";
const PASSWORD: &str = "simulated";
const TOKEN: &str = "simulated~token";

fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

fn inbox() -> String {
    format!(r"{USER}\Inbox")
}

fn archive() -> String {
    format!(r"{USER}\Archive")
}

struct Office {
    exchange: SimulatedExchange,
    graph: SimulatedGraph,
    store: Arc<SqliteStore>,
    clock: ManualClock,
    _home: tempfile::TempDir,
}

impl Office {
    async fn open() -> Self {
        let exchange = SimulatedExchange::builder()
            .with_user(USER, PASSWORD)
            .with_mailbox(USER)
            .with_tls(TlsCertificate::Trusted)
            .start()
            .await
            .unwrap();
        let graph = SimulatedGraph::over(&exchange)
            .with_app_token(TOKEN)
            .with_mime_rendering(MimeRendering::MadeAnew)
            .with_recording(true)
            .start()
            .await
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Timestamp::now());
        let options = SqliteOptions::default().with_clock(Arc::new(clock.clone()));
        let store = SqliteStore::open_with(home.path().join("log.sqlite"), options).unwrap();
        store.migrate().await.unwrap();
        Self {
            exchange,
            graph,
            store: Arc::new(store),
            clock,
            _home: home,
        }
    }

    fn deliver(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let mime = format!(
                "Message-ID: <m{number}@x.example>\nFrom: ada@contacts.example\nTo: ah@ours.example\n\
                 Subject: Offer {number}\nDate: Thu, 1 Jan 2026 10:00:00 +0000\n\nHello {number}.\n"
            );
            let delivery = Delivery::new(mime.as_bytes()).with_received(self.clock.now());
            self.exchange.deliver_with(&inbox(), delivery).unwrap();
        }
    }

    fn ews(&self) -> Arc<dyn MailSource> {
        let account = StaticCredentials::new().with_password(USER, PASSWORD);
        let source = EwsSource::builder(self.exchange.url())
            .with_basic(Arc::new(account))
            .with_repeats(0)
            .with_address_policy(AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap())
            .with_trusted_roots(self.exchange.ca_pem().unwrap());
        Arc::new(source.build().unwrap())
    }

    fn graph(&self) -> Arc<dyn MailSource> {
        let token = StaticCredentials::new().with_access_token(AccessToken::new(TOKEN, None));
        let source = GraphSource::builder()
            .with_service_url(self.graph.url())
            .with_mailbox(USER)
            .with_access_token(Arc::new(token))
            .with_address_policy(AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap())
            .with_trusted_roots(self.graph.root_pem().unwrap());
        Arc::new(source.build().unwrap())
    }

    fn logger(&self, source: Arc<dyn MailSource>) -> EmailLogger {
        let contact = ContactRecord::new("C1", "Ada", ContactKind::Person);
        let directory = MemoryDirectory::new()
            .with_salesperson(SalespersonRecord::new("AH", "Anna", "ah@ours.example"))
            .with_contact(contact.with_email("ada@contacts.example"));
        let mut settings = RunSettings::default();
        (settings.fetch_batch, settings.move_batch) = (5, 5);
        EmailLogger::builder()
            .with_source(source)
            .with_directory(Arc::new(directory))
            .with_store(Arc::clone(&self.store))
            .with_clock(Arc::new(self.clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_worker("worker-1")
            .with_settings(settings)
            .with_queue_folder(path("inbox:"))
            .with_storage_folder(path("archive:"))
            .build()
            .unwrap()
    }

    /// The ids under which moves wait.
    async fn waiting(&self) -> Vec<String> {
        let (scope, mailbox) = (Scope::default(), MailboxKey::new("queue"));
        let due = self.clock.now() + jiff::SignedDuration::from_hours(1_000);
        let pending = self.store.pending_moves(&scope, &mailbox, due, 1_000).await;
        pending.unwrap().into_iter().map(|it| it.item.id).collect()
    }

    async fn subjects(&self) -> Vec<String> {
        let all = LogFilter::default();
        let page = self.store.mails(&Scope::default(), &all, None, 1_000).await;
        let mut subjects = Vec::new();
        for mail in page.unwrap().rows {
            let count = mail.entries.len();
            subjects.extend(std::iter::repeat_n(mail.record.subject, count));
        }
        subjects.sort();
        subjects
    }
}

#[tokio::test]
async fn graph_goes_on_over_the_wire_where_ews_was_cut_off() {
    let office = Office::open().await;
    office.deliver(0..20);
    office.logger(office.ews()).run_once().await.unwrap();
    office.deliver(20..40);
    // The first move happens and its answer is lost; the others never reach the server.
    let lost = Fault::new(FaultKind::LoseReply).on(Operation::MoveItem);
    office.exchange.inject(lost);
    office.logger(office.ews()).run_once().await.unwrap_err();
    let waiting = office.waiting().await;
    assert!(waiting.len() >= 5, "{}", waiting.len());
    // More mail, and mail that is known, delivered once more.
    office.deliver(35..60);
    office.deliver(0..5);
    office.clock.advance(Duration::from_hours(48));
    for _ in 0..3 {
        let report = office.logger(office.graph()).run_once().await.unwrap();
        assert!(report.closes(), "{report:?}");
        office.clock.advance(Duration::from_hours(48));
    }
    let mut expected: Vec<_> = (0..60).map(|number| format!("Offer {number}")).collect();
    expected.sort();
    assert_eq!(office.subjects().await, expected, "each mail has one entry");
    let count = |path: &str| office.exchange.count(path).unwrap();
    assert_eq!((count(&inbox()), count(&archive())), (0, 70));
    assert_eq!(office.waiting().await, [""; 0]);
    let sent = office.graph.recorded().into_iter();
    let sent = sent.map(|call| call.target + &String::from_utf8_lossy(&call.request));
    let sent: String = sent.collect();
    assert!(sent.contains("/move"), "requests are recorded");
    for id in &waiting {
        assert!(
            !sent.contains(id.as_str()),
            "an id of EWS was sent to Graph"
        );
    }
}
