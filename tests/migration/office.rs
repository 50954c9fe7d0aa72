//! A mailbox of a simulated Exchange that is read over EWS and over Microsoft Graph, which renders its mails anew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock as _;
use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::logger::{EmailLogger, RunSettings};
use email_logging::source::ews::EwsSource;
use email_logging::source::graph::GraphSource;
use email_logging::source::{AddressPolicy, FolderPath, MailSource};
use email_logging::store::{
    InteractionLog as _, LogFilter, MailLedger as _, SqliteOptions, SqliteStore,
};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::testkit::exchange::{Delivery, SimulatedExchange, TlsCertificate};
use email_logging::testkit::graph::{MimeRendering, SimulatedGraph};
use email_logging::{MailboxKey, Scope};
use jiff::Timestamp;

use crate::kinds::Kind;
use crate::mails::{self, Class, class};
use crate::story::people;

pub(crate) const USER: &str = "logging@corp.example";
const PASSWORD: &str = "simulated";
const TOKEN: &str = "simulated~token";
const PUBLIC: (&str, &str) = (r"\Email Logging\Queue\", r"\Email Logging\Storage\");

fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

pub(crate) fn inbox() -> String {
    format!(r"{USER}\Inbox")
}

pub(crate) fn archive() -> String {
    format!(r"{USER}\Archive")
}

pub(crate) struct Office {
    pub(crate) exchange: SimulatedExchange,
    pub(crate) graph: SimulatedGraph,
    pub(crate) clock: ManualClock,
    store: Arc<SqliteStore>,
    /// How many mails there are in all.
    count: u32,
    /// Mails of one fetch and of one move; the usual ones where it is 0.
    batch: u32,
    /// Whether EWS reads public folders.
    public: bool,
    _home: tempfile::TempDir,
}

impl Office {
    pub(crate) async fn open(count: u32, batch: u32, public: bool) -> Self {
        let exchange = SimulatedExchange::builder()
            .with_user(USER, PASSWORD)
            .with_mailbox(USER)
            .with_public_folder(PUBLIC.0)
            .with_public_folder(PUBLIC.1)
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
            count,
            batch,
            public,
            _home: home,
        }
    }

    /// The folder that EWS reads.
    pub(crate) fn queue(&self) -> String {
        let public = self.public.then(|| PUBLIC.0.to_owned());
        public.unwrap_or_else(inbox)
    }

    /// Delivers the mails of these numbers; those that no server can render are left out. Answers how many there are.
    pub(crate) fn deliver(
        &self,
        folder: &str,
        numbers: impl IntoIterator<Item = u32>,
        lacks_key: impl Fn(u32) -> bool,
    ) -> usize {
        let sound = numbers
            .into_iter()
            .filter(|it| class(*it) != Class::Damaged);
        let delivered = sound.map(|number| {
            let mime = mails::render(number, Kind::Ews, self.count, false);
            let delivery = Delivery::new(mime).with_received(self.clock.now());
            let delivery = if lacks_key(number) {
                delivery.without_search_key()
            } else {
                delivery
            };
            self.exchange.deliver_with(folder, delivery).unwrap();
        });
        delivered.count()
    }

    pub(crate) fn source(&self, kind: Kind) -> Arc<dyn MailSource> {
        let policy = AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap();
        match kind {
            Kind::Ews => {
                let account = StaticCredentials::new().with_password(USER, PASSWORD);
                let source = EwsSource::builder(self.exchange.url())
                    .with_basic(Arc::new(account))
                    .with_repeats(0)
                    .with_address_policy(policy)
                    .with_trusted_roots(self.exchange.ca_pem().unwrap());
                Arc::new(source.build().unwrap())
            }
            Kind::Graph => {
                let token = AccessToken::new(TOKEN, None);
                let token = StaticCredentials::new().with_access_token(token);
                let source = GraphSource::builder()
                    .with_service_url(self.graph.url())
                    .with_mailbox(USER)
                    .with_access_token(Arc::new(token))
                    .with_address_policy(policy)
                    .with_trusted_roots(self.graph.root_pem().unwrap());
                Arc::new(source.build().unwrap())
            }
        }
    }

    pub(crate) fn logger(&self, kind: Kind, worker: &str) -> EmailLogger {
        self.logger_of(self.source(kind), kind, (worker, &self.clock))
    }

    pub(crate) fn logger_of(
        &self,
        source: Arc<dyn MailSource>,
        kind: Kind,
        (worker, clock): (&str, &ManualClock),
    ) -> EmailLogger {
        let mut settings = RunSettings::default();
        if self.batch > 0 {
            (settings.fetch_batch, settings.move_batch) = (self.batch, self.batch);
        }
        let (queue, storage) = match kind {
            Kind::Ews if self.public => PUBLIC,
            _ => ("inbox:", "archive:"),
        };
        EmailLogger::builder()
            .with_source(source)
            .with_directory(Arc::new(people()))
            .with_store(Arc::clone(&self.store))
            .with_clock(Arc::new(clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_worker(worker)
            .with_settings(settings)
            .with_queue_folder(path(queue))
            .with_storage_folder(path(storage))
            .build()
            .unwrap()
    }

    /// Graph goes on until everything that waits is done.
    pub(crate) async fn go_on_with_graph(&self, worker: &str) {
        for _ in 0..3 {
            // Past every lease and every wait.
            self.clock.advance(Duration::from_hours(48));
            let report = self.logger(Kind::Graph, worker).run_once().await.unwrap();
            assert!(report.closes() && report.skipped.is_none(), "{report:?}");
        }
    }

    /// The ids under which moves wait.
    pub(crate) async fn waiting(&self) -> Vec<String> {
        let (scope, mailbox) = (Scope::default(), MailboxKey::new("queue"));
        let due = self.clock.now() + jiff::SignedDuration::from_hours(1_000);
        let pending = self.store.pending_moves(&scope, &mailbox, due, 1_000).await;
        pending.unwrap().into_iter().map(|it| it.item.id).collect()
    }

    /// How often each entry was written: the contact with the subject.
    async fn entries(&self) -> BTreeMap<(String, String), u32> {
        let all = LogFilter::default();
        let (mut times, mut after) = (BTreeMap::new(), None);
        loop {
            let scope = Scope::default();
            let page = self.store.mails(&scope, &all, after.as_ref(), 1_000).await;
            let page = page.unwrap();
            for mail in page.rows {
                for entry in mail.entries {
                    let contact = entry.entry.contact_no.to_string();
                    let written = times.entry((mail.record.subject.clone(), contact));
                    *written.or_default() += 1;
                }
            }
            after = page.next;
            if after.is_none() {
                return times;
            }
        }
    }

    /// Every mail has its entries, none of them twice, nothing waits, and so many mails lie in the archive of the mailbox.
    pub(crate) async fn assert_as_if_nothing_had_changed(&self, archived: usize) {
        let written = self.entries().await;
        let twice = written.iter().filter(|(_, times)| **times > 1);
        assert_eq!(twice.collect::<Vec<_>>(), [], "written twice");
        let expected = (0..self.count).flat_map(mails::entries);
        let expected: BTreeMap<_, u32> = expected
            .map(|(subject, contact)| ((subject, contact.to_owned()), 1))
            .collect();
        assert!(written == expected, "other entries than expected");
        assert_eq!(self.waiting().await, [""; 0]);
        let count = |path: &str| self.exchange.count(path).unwrap();
        assert_eq!((count(&inbox()), count(&archive())), (0, archived));
    }

    /// None of these ids of EWS was ever sent to Graph.
    pub(crate) fn assert_never_sent(&self, ids: &[String]) {
        let sent = self.graph.recorded().into_iter();
        let sent = sent.map(|call| call.target + &String::from_utf8_lossy(&call.request));
        let sent: String = sent.collect();
        assert!(sent.contains("/move"), "requests are recorded");
        for id in ids {
            assert!(
                !sent.contains(id.as_str()),
                "an id of EWS was sent to Graph"
            );
        }
    }
}
