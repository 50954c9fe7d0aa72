//! A mail system whose answers a test chooses, over folders in memory.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::error::{Code, codes};
use email_logging::message::MailFacts;
use email_logging::setup::{
    ConnectionProbe, EmailLoggingSetup, MailConnection, MailConnector, ServiceFacts, SignedIn,
    StorageRoom,
};
use email_logging::source::{Folder, FolderPath, FolderRights, MemorySource};
use email_logging::testkit::clock::ManualClock;
use email_logging::{Error, Result, Scope};
use jiff::Timestamp;

type Answer<T> = Arc<dyn Fn() -> Result<T> + Send + Sync>;

/// What the mail system answers.
pub(crate) struct Answers {
    pub(crate) connect: Answer<()>,
    pub(crate) sign_in: Answer<SignedIn>,
    pub(crate) reach: Answer<ServiceFacts>,
    pub(crate) rights: Answer<Option<FolderRights>>,
    pub(crate) room: Answer<Option<StorageRoom>>,
    pub(crate) reads_mailbox: Answer<Option<bool>>,
    pub(crate) newest: Answer<Option<Option<Timestamp>>>,
}

/// Connects to folders in memory. Clones share everything.
#[derive(Clone)]
pub(crate) struct FakeMail {
    pub(crate) source: MemorySource,
    pub(crate) clock: ManualClock,
    answers: Arc<Mutex<Answers>>,
}

pub(crate) fn queue() -> FolderPath {
    r"\Email Logging\Queue\".parse().unwrap()
}

pub(crate) fn storage() -> FolderPath {
    r"\Email Logging\Storage\".parse().unwrap()
}

pub(crate) fn error(code: &'static Code) -> Error {
    Error::new(code, "fake")
}

pub(crate) fn answer<T: Clone + Send + Sync + 'static>(value: T) -> Answer<T> {
    Arc::new(move || Ok(value.clone()))
}

pub(crate) fn fails<T>(code: &'static Code) -> Answer<T> {
    Arc::new(move || Err(error(code)))
}

pub(crate) fn all_rights() -> FolderRights {
    let mut rights = FolderRights::default();
    rights.read = true;
    rights.create_contents = true;
    rights.delete = true;
    rights
}

impl FakeMail {
    /// A mail system on premises where everything is as it should be.
    pub(crate) fn new() -> Self {
        let clock = ManualClock::default();
        let now = ManualClock::default().now_plus(std::time::Duration::ZERO);
        let source = MemorySource::new()
            .with_folder(&queue())
            .with_folder(&storage());
        let mut facts = MailFacts::default();
        facts.received = Some(now);
        source.deliver(&queue(), "Subject: One\r\n\r\n", facts);
        let answers = Answers {
            connect: answer(()),
            sign_in: answer(SignedIn::as_application(["full_access_as_app"])),
            reach: answer(ServiceFacts::new(false).with_clocks(now, now)),
            rights: answer(Some(all_rights())),
            room: answer(Some(StorageRoom::new(1, Some(100)))),
            reads_mailbox: answer(Some(false)),
            newest: answer(None),
        };
        Self {
            source,
            clock,
            answers: Arc::new(Mutex::new(answers)),
        }
    }

    /// Changes what the mail system answers.
    pub(crate) fn answers(&self, change: impl FnOnce(&mut Answers)) {
        change(&mut self.answers.lock().unwrap());
    }

    fn ask<T>(&self, which: impl FnOnce(&Answers) -> Answer<T>) -> Result<T> {
        let answer = which(&self.answers.lock().unwrap());
        answer()
    }
}

impl fmt::Debug for FakeMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeMail")
    }
}

#[async_trait]
impl MailConnector for FakeMail {
    async fn connect(&self, _: &Scope, _: &EmailLoggingSetup) -> Result<MailConnection> {
        self.ask(|answers| answers.connect.clone())?;
        let source = Arc::new(self.source.clone());
        Ok(MailConnection::new(
            source.clone(),
            source,
            Arc::new(self.clone()),
        ))
    }
}

#[async_trait]
impl ConnectionProbe for FakeMail {
    async fn sign_in(&self) -> Result<SignedIn> {
        self.ask(|answers| answers.sign_in.clone())
    }

    async fn reach(&self) -> Result<ServiceFacts> {
        self.ask(|answers| answers.reach.clone())
    }

    async fn reads_mailbox(&self, _: &str) -> Result<Option<bool>> {
        self.ask(|answers| answers.reads_mailbox.clone())
    }

    async fn rights(&self, _: &Folder) -> Result<Option<FolderRights>> {
        self.ask(|answers| answers.rights.clone())
    }

    async fn room(&self, _: &Folder) -> Result<Option<StorageRoom>> {
        self.ask(|answers| answers.room.clone())
    }

    async fn newest_mail(&self, _: &Folder) -> Result<Option<Option<Timestamp>>> {
        self.ask(|answers| answers.newest.clone())
    }
}

/// A set-up that is complete and valid.
pub(crate) fn complete() -> EmailLoggingSetup {
    let mut setup = EmailLoggingSetup::default();
    setup.queue_folder = Some(queue());
    setup.storage_folder = Some(storage());
    setup.email_batch_size = 10;
    setup.autodiscovery_email_address = Some("logging@corp.example".into());
    setup.exchange_service_url = Some("https://mail.corp.example/EWS/Exchange.asmx".into());
    setup.exchange_client_id = Some("11111111-2222-3333-4444-555555555555".into());
    setup.exchange_redirect_url = Some("https://erp.corp.example/OAuthLanding.htm".into());
    setup.exchange_tenant_id = Some("99999999-2222-3333-4444-555555555555".into());
    setup.interaction_template_code = Some("EMAIL".into());
    setup
}

/// The error of a code, for tables.
pub(crate) fn tls(cause: &'static str) -> Error {
    let inner = std::io::Error::other(cause);
    error(&codes::HTTP_TLS).with_source(inner)
}
