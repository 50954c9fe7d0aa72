//! The process that logs, and that is killed: this test's own program, started again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::{Clock, SystemClock};
use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::decision::LoggingPolicy;
use email_logging::logger::{EmailLoggerBuilder, RunSettings};
use email_logging::source::ews::EwsSource;
use email_logging::source::graph::GraphSource;
use email_logging::source::{FolderPath, MailSource};
use email_logging::store::{
    InteractionStore, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore,
};
use email_logging::{EmailLogger, Error};
use jiff::{SignedDuration, Timestamp};

use crate::company::{
    INLINE_BYTES, Profile, QUARANTINE, QUEUE, STORAGE, Service, TOKEN, USER, people,
};
use crate::crm::Crm;
use crate::points::Points;
use crate::wrapped::Deadly;

/// What a child is told, in its environment.
pub(crate) const FOLDER: &str = "EMAIL_LOGGING_CRASH_FOLDER";
pub(crate) const URL: &str = "EMAIL_LOGGING_CRASH_URL";
pub(crate) const SERVICE: &str = "EMAIL_LOGGING_CRASH_SERVICE";
pub(crate) const PROFILE: &str = "EMAIL_LOGGING_CRASH_PROFILE";
pub(crate) const WORKER: &str = "EMAIL_LOGGING_CRASH_WORKER";
/// Seconds that its clock is ahead.
pub(crate) const AHEAD: &str = "EMAIL_LOGGING_CRASH_AHEAD";
/// Seconds that its clock goes on whenever it is read.
pub(crate) const STEP: &str = "EMAIL_LOGGING_CRASH_STEP";
/// A fail point and how often it is passed before the end.
pub(crate) const POINT: &str = "EMAIL_LOGGING_CRASH_POINT";
/// The file where the library under it records what it does to the disk, and it what it asks of the mail system.
pub(crate) const TRACE: &str = "SHIM_TRACE";
/// The database and the schema to log into, instead of a file.
pub(crate) const DATABASE: &str = "EMAIL_LOGGING_CRASH_DATABASE";
pub(crate) const SCHEMA: &str = "EMAIL_LOGGING_CRASH_SCHEMA";

/// The files of a child, in the folder that it is told.
pub(crate) const STORE: &str = "log.sqlite";
pub(crate) const CRM: &str = "crm.sqlite";
/// "ok", or the kind and the code of the error that ended the run.
pub(crate) const REPORT: &str = "report";
pub(crate) const PASSED: &str = "passed";
/// While it is there, the disk may fail.
pub(crate) const ARMED: &str = "armed";

struct Orders {
    folder: PathBuf,
    url: String,
    service: Service,
    profile: Profile,
    worker: String,
    clock: Arc<dyn Clock>,
    points: Arc<Points>,
    /// The URL of a database and the schema in it.
    database: Option<(String, String)>,
}

fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Orders {
    fn from_env() -> Option<Self> {
        let folder = PathBuf::from(told(FOLDER)?);
        let (name, service) = (told(PROFILE)?, told(SERVICE)?);
        let seconds = |name| told(name).map_or(0, |text| text.parse().unwrap());
        let database = told(DATABASE).map(|url| (url, told(SCHEMA).unwrap()));
        let deadly = told(POINT).map(|text| {
            let (point, count) = text.rsplit_once(' ').unwrap();
            (point.to_owned(), count.parse().unwrap())
        });
        Some(Self {
            folder,
            database,
            url: told(URL)?,
            service: *Service::ALL.iter().find(|it| it.name() == service)?,
            profile: *Profile::ALL.iter().find(|it| it.name() == name)?,
            worker: told(WORKER)?,
            clock: Arc::new(Ahead {
                by: seconds(AHEAD),
                step: seconds(STEP),
                reads: AtomicU64::new(0),
            }),
            points: Arc::new(Points::new(deadly, told(TRACE).map(PathBuf::from))),
        })
    }
}

/// The system's clock, ahead, and further ahead with each look at it: leases come to be renewed that way.
#[derive(Debug)]
struct Ahead {
    by: u64,
    step: u64,
    reads: AtomicU64,
}

#[async_trait]
impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        let reads = self.reads.fetch_add(1, Ordering::Relaxed);
        let ahead = self.by + self.step * reads;
        SystemClock.now() + SignedDuration::from_secs(i64::try_from(ahead).unwrap())
    }

    async fn sleep(&self, wait: Duration) {
        SystemClock.sleep(wait).await;
    }
}

impl Orders {
    fn folder(&self, path: &str) -> FolderPath {
        self.service.folder(path).parse().unwrap()
    }

    fn source(&self) -> Arc<dyn MailSource> {
        match self.service {
            Service::Ews => Arc::new(ews(&self.url, self.profile == Profile::Stamping)),
            Service::Graph => Arc::new(graph(&self.url)),
        }
    }
}

fn ews(url: &str, stamps: bool) -> EwsSource {
    let password = StaticCredentials::new().with_password(USER.0, USER.1);
    EwsSource::builder(url)
        .with_basic(Arc::new(password))
        .with_stamps(stamps)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap()
}

fn graph(url: &str) -> GraphSource {
    let token = StaticCredentials::new().with_access_token(AccessToken::new(TOKEN, None));
    GraphSource::builder()
        .with_service_url(url)
        .with_mailbox(USER.0)
        .with_access_token(Arc::new(token))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap()
}

fn builder<S: InteractionStore>(orders: &Orders, store: &Arc<S>) -> EmailLoggerBuilder {
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = orders.service.batches();
    settings.inline_bytes = INLINE_BYTES;
    let points = || Arc::clone(&orders.points);
    macro_rules! deadly {
        ($inner:expr) => {
            Arc::new(Deadly {
                inner: $inner,
                points: points(),
            })
        };
    }
    let builder = EmailLogger::builder()
        .with_source(deadly!(orders.source()))
        .with_directory(deadly!(people()))
        .with_ledger(deadly!(Arc::clone(store)))
        .with_log(deadly!(Arc::clone(store)))
        .with_content_index(deadly!(Arc::clone(store)))
        .with_setup_store(deadly!(Arc::clone(store)))
        .with_queue_folder(orders.folder(QUEUE))
        .with_storage_folder(orders.folder(STORAGE))
        .with_worker(orders.worker.as_str())
        .with_clock(Arc::clone(&orders.clock))
        .with_settings(settings);
    match orders.profile {
        Profile::Plain | Profile::Stamping => {
            builder.with_quarantine_folder(orders.folder(QUARANTINE))
        }
        Profile::Host => builder
            .with_quarantine_folder(orders.folder(QUARANTINE))
            .with_sink(deadly!(Crm(orders.folder.join(CRM)))),
        Profile::Deleting => builder.with_policy(LoggingPolicy::business_central()),
    }
}

/// One run on a store file, from opening to closing it.
async fn log_into_file(orders: &Orders) -> Result<(), Error> {
    let options = SqliteOptions::default().with_clock(Arc::clone(&orders.clock));
    let file = orders.folder.join(STORE);
    orders.points.pass("open", "before");
    let store = Arc::new(SqliteStore::open_with(file, options)?);
    orders.points.pass("open", "after");
    store.migrate().await?;
    orders.points.pass("migrate", "after");
    let ran = log_once(orders, &store).await;
    store.close();
    orders.points.pass("close", "after");
    ran
}

/// One run on a database.
async fn log_into_database(orders: &Orders, url: &str, schema: &str) -> Result<(), Error> {
    let options = PostgresOptions::new(url.to_owned().into())
        .with_schema(schema)
        .with_pool_size(2)
        .with_clock(Arc::clone(&orders.clock));
    let store = Arc::new(PostgresStore::open_with(options)?);
    store.migrate().await?;
    orders.points.pass("migrate", "after");
    let ran = log_once(orders, &store).await;
    store.close();
    ran
}

async fn log_once<S: InteractionStore>(orders: &Orders, store: &Arc<S>) -> Result<(), Error> {
    let logger = builder(orders, store).build().unwrap();
    let ran = logger.run_once().await;
    orders.points.pass("run", "after");
    let report = ran.map_err(|failed| failed.error)?;
    assert!(report.closes(), "{report:?}");
    assert_eq!(report.skipped, None);
    // Nobody but these processes moves mail.
    assert_eq!((report.vanished, report.duplicate_copies), (0, 0));
    Ok(())
}

/// The answer of a run, as it is written for the parent.
fn write_report(folder: &Path, answer: &Result<(), Error>) {
    let text = match answer {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("{:?} {}", error.kind(), error.code()),
    };
    std::fs::write(folder.join(REPORT), text).unwrap();
}

/// Does nothing unless it is told to be the child.
#[tokio::test]
async fn the_child() {
    let Some(orders) = Orders::from_env() else {
        return;
    };
    let answer = match &orders.database {
        Some((url, schema)) => log_into_database(&orders, url, schema).await,
        None => log_into_file(&orders).await,
    };
    orders.points.write_to(&orders.folder.join(PASSED));
    write_report(&orders.folder, &answer);
}
