//! One worker process: runs again and again until its standard input ends.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use email_logging::EmailLogger;
use email_logging::credential::StaticCredentials;
use email_logging::logger::RunSettings;
use email_logging::source::FolderPath;
use email_logging::source::ews::{EwsSource, EwsSourceBuilder};
use email_logging::store::{PostgresOptions, PostgresStore};

use super::queue::{PASSWORD, USER, queue_of, storage_of};
use super::{mail, pool};
use crate::proxy::Proxy;

pub(crate) const NUMBER: &str = "EMAIL_LOGGING_SOAK_WORKER";
pub(crate) const DATABASE: &str = "EMAIL_LOGGING_SOAK_DATABASE";
pub(crate) const PORT: &str = "EMAIL_LOGGING_SOAK_PORT";
pub(crate) const SCHEMA: &str = "EMAIL_LOGGING_SOAK_SCHEMA";
pub(crate) const EXCHANGE: &str = "EMAIL_LOGGING_SOAK_EXCHANGE";
/// How many mailboxes a pool has; without it one logger works on mailbox 0.
pub(crate) const MAILBOXES: &str = "EMAIL_LOGGING_SOAK_POOL";

pub(crate) struct Job {
    number: String,
    database: String,
    port: Option<u16>,
    schema: String,
    exchange: String,
    mailboxes: Option<u64>,
}

/// How often a worker did what.
pub(crate) type Figures = BTreeMap<&'static str, u64>;

/// The name of a worker as a holder of leases.
pub(crate) fn name_of(number: impl std::fmt::Display) -> String {
    format!("worker-{number}")
}

/// The name of a mailbox in the store.
pub(crate) fn mailbox_of(number: u64) -> String {
    format!("mailbox-{number}")
}

impl Job {
    pub(crate) fn from_environment() -> Option<Self> {
        let told = |name| std::env::var(name).ok();
        Some(Self {
            number: told(NUMBER)?,
            database: told(DATABASE)?,
            port: told(PORT).map(|port| port.parse().unwrap()),
            schema: told(SCHEMA)?,
            exchange: told(EXCHANGE)?,
            mailboxes: told(MAILBOXES).map(|count| count.parse().unwrap()),
        })
    }

    /// The link to the database, which breaks at every hundredth COMMIT; none to a server that is not the test's own.
    pub(crate) async fn proxy(&self) -> Option<Proxy> {
        let proxy = Proxy::start(self.port?).await;
        proxy.break_every(100);
        Some(proxy)
    }

    pub(crate) fn store(&self, proxy: Option<&Proxy>) -> Arc<PostgresStore> {
        let url = proxy.map_or_else(
            || self.database.clone(),
            |proxy| {
                format!(
                    "host=127.0.0.1 port={} user=postgres dbname=postgres",
                    proxy.port
                )
            },
        );
        let options = PostgresOptions::new(url.into())
            .with_schema(&self.schema)
            .with_application_name(format!("soak-{}", self.number))
            .with_pool_size(4);
        Arc::new(PostgresStore::open_with(options).unwrap())
    }

    pub(crate) fn source(&self) -> EwsSourceBuilder {
        EwsSource::builder(&self.exchange)
            .with_basic(Arc::new(
                StaticCredentials::new().with_password(USER, PASSWORD),
            ))
            .dangerously_allow_plain_http_on_loopback()
    }

    pub(crate) fn logger(
        &self,
        mailbox: u64,
        source: EwsSourceBuilder,
        store: &Arc<PostgresStore>,
        settings: RunSettings,
    ) -> EmailLogger {
        EmailLogger::builder()
            .with_worker(&*name_of(&self.number))
            .with_mailbox(&*mailbox_of(mailbox))
            .with_source(Arc::new(source.build().unwrap()))
            .with_directory(Arc::new(mail::people()))
            .with_store(Arc::clone(store))
            .with_queue_folder(queue_of(mailbox).parse::<FolderPath>().unwrap())
            .with_storage_folder(storage_of(mailbox).parse::<FolderPath>().unwrap())
            .with_settings(settings)
            .build()
            .unwrap()
    }
}

pub(crate) fn run(job: &Job) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let figures = runtime.block_on(async {
        match job.mailboxes {
            Some(mailboxes) => pool::work(job, mailboxes).await,
            None => work(job).await,
        }
    });
    let told: Vec<String> = figures
        .iter()
        .map(|(name, count)| format!("{name}={count}"))
        .collect();
    let told = format!("\nworker: {}\n", told.join(" "));
    std::io::stdout().write_all(told.as_bytes()).unwrap();
}

async fn work(job: &Job) -> Figures {
    let proxy = job.proxy().await;
    let source = job
        .source()
        .with_total_timeout(Duration::from_secs(30))
        .with_change_timeout(Duration::from_secs(20))
        .with_longest_wait(Duration::from_secs(10));
    let logger = job.logger(0, source, &job.store(proxy.as_ref()), settings());
    let stop = until_stdin_ends();
    let mut figures = Figures::new();
    while !stop.load(Ordering::Acquire) {
        let pause = match logger.run_once().await {
            Ok(report) if report.skipped.is_some() => {
                count(&mut figures, "busy", 1);
                10
            }
            Ok(report) => {
                assert!(report.closes(), "{report:?}");
                count(&mut figures, "runs", 1);
                count(&mut figures, "logged", report.logged);
                count(&mut figures, "recovered", report.recovered);
                u64::from(report.listed == 0) * 20
            }
            Err(error) => {
                count(&mut figures, "failed", 1);
                count(&mut figures, "logged", error.report.logged);
                20
            }
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    tell_of(proxy.as_ref(), &mut figures);
    figures
}

/// Short runs, so that the workers take turns.
fn settings() -> RunSettings {
    let mut settings = RunSettings::default();
    settings.batch_size = 400;
    settings.fetch_batch = 20;
    settings.move_batch = 20;
    settings.first_backoff = Duration::from_secs(1);
    settings.lease = Duration::from_mins(1);
    settings.inline_bytes = 200_000;
    settings
}

pub(crate) fn count(figures: &mut Figures, what: &'static str, times: u64) {
    *figures.entry(what).or_default() += times;
}

/// Counts the COMMITs at which the link broke.
pub(crate) fn tell_of(proxy: Option<&Proxy>, figures: &mut Figures) {
    let broken = proxy.map_or(0, Proxy::broken);
    count(figures, "broken_commits", broken.into());
}

/// Set once the parent closes our standard input, or is gone.
pub(crate) fn until_stdin_ends() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        set.store(true, Ordering::Release);
    });
    stop
}
