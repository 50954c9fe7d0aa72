//! One worker process: runs again and again until its standard input ends.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use email_logging::EmailLogger;
use email_logging::credential::StaticCredentials;
use email_logging::logger::RunSettings;
use email_logging::source::FolderPath;
use email_logging::source::ews::EwsSource;
use email_logging::store::{PostgresOptions, PostgresStore};

use super::mail;
use super::queue::{PASSWORD, QUEUE, STORAGE, USER};
use crate::proxy::Proxy;

pub(crate) const NUMBER: &str = "EMAIL_LOGGING_SOAK_WORKER";
pub(crate) const DATABASE: &str = "EMAIL_LOGGING_SOAK_DATABASE";
pub(crate) const PORT: &str = "EMAIL_LOGGING_SOAK_PORT";
pub(crate) const SCHEMA: &str = "EMAIL_LOGGING_SOAK_SCHEMA";
pub(crate) const EXCHANGE: &str = "EMAIL_LOGGING_SOAK_EXCHANGE";

pub(crate) struct Job {
    number: String,
    database: String,
    port: Option<u16>,
    schema: String,
    exchange: String,
}

impl Job {
    pub(crate) fn from_environment() -> Option<Self> {
        Some(Self {
            number: std::env::var(NUMBER).ok()?,
            database: std::env::var(DATABASE).ok()?,
            port: std::env::var(PORT).ok().map(|port| port.parse().unwrap()),
            schema: std::env::var(SCHEMA).ok()?,
            exchange: std::env::var(EXCHANGE).ok()?,
        })
    }
}

/// What a worker did.
#[derive(Default)]
struct Figures {
    runs: u64,
    busy: u64,
    failed: u64,
    logged: u64,
    recovered: u64,
    broken: u64,
}

pub(crate) fn run(job: &Job) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let figures = runtime.block_on(work(job));
    let Figures {
        runs,
        busy,
        failed,
        logged,
        recovered,
        broken,
    } = figures;
    let told = format!(
        "\nworker: runs={runs} busy={busy} failed={failed} logged={logged} recovered={recovered} \
         broken_commits={broken}\n"
    );
    std::io::stdout().write_all(told.as_bytes()).unwrap();
}

async fn work(job: &Job) -> Figures {
    let proxy = match job.port {
        Some(port) => Some(Proxy::start(port).await),
        None => None,
    };
    if let Some(proxy) = &proxy {
        proxy.break_every(100);
    }
    let logger = logger(job, proxy.as_ref());
    let stop = until_stdin_ends();
    let mut figures = Figures::default();
    while !stop.load(Ordering::Acquire) {
        let pause = match logger.run_once().await {
            Ok(report) if report.skipped.is_some() => {
                figures.busy += 1;
                10
            }
            Ok(report) => {
                assert!(report.closes(), "{report:?}");
                figures.runs += 1;
                figures.logged += report.logged;
                figures.recovered += report.recovered;
                u64::from(report.listed == 0) * 20
            }
            Err(error) => {
                figures.failed += 1;
                figures.logged += error.report.logged;
                20
            }
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    figures.broken = proxy.map_or(0, |proxy| proxy.broken().into());
    figures
}

fn logger(job: &Job, proxy: Option<&Proxy>) -> EmailLogger {
    let url = proxy.map_or_else(
        || job.database.clone(),
        |proxy| {
            format!(
                "host=127.0.0.1 port={} user=postgres dbname=postgres",
                proxy.port
            )
        },
    );
    let options = PostgresOptions::new(url.into())
        .with_schema(&job.schema)
        .with_application_name(format!("soak-{}", job.number))
        .with_pool_size(4);
    let source = EwsSource::builder(&job.exchange)
        .with_basic(Arc::new(
            StaticCredentials::new().with_password(USER, PASSWORD),
        ))
        .with_change_timeout(Duration::from_secs(20))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let mut settings = RunSettings::default();
    // Short runs, so that the workers take turns.
    settings.batch_size = 400;
    settings.fetch_batch = 20;
    settings.move_batch = 20;
    settings.first_backoff = Duration::from_secs(1);
    settings.lease = Duration::from_mins(1);
    settings.inline_bytes = 200_000;
    EmailLogger::builder()
        .with_worker(&*format!("worker-{}", job.number))
        .with_source(Arc::new(source))
        .with_directory(Arc::new(mail::people()))
        .with_store(Arc::new(PostgresStore::open_with(options).unwrap()))
        .with_queue_folder(QUEUE.parse::<FolderPath>().unwrap())
        .with_storage_folder(STORAGE.parse::<FolderPath>().unwrap())
        .with_settings(settings)
        .build()
        .unwrap()
}

/// Set once the parent closes our standard input, or is gone.
fn until_stdin_ends() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        set.store(true, Ordering::Release);
    });
    stop
}
