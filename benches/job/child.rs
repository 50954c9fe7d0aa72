//! One measurement in a process of its own: the job, and what it took.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use email_logging::EmailLogger;
use email_logging::credential::StaticCredentials;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::RunSettings;
use email_logging::parties::ContactKind;
use email_logging::source::ews::AddressPolicy;
use email_logging::source::ews::{EwsSource, EwsSourceBuilder};
use email_logging::source::{FolderPath, FolderSelector, MailSource as _};
use email_logging::store::SqliteStore;
use email_logging::testkit::exchange::SimulatedExchange;

use crate::number;
use crate::server::Server;

/// The variable that makes this program a child.
pub(crate) const ORDER: &str = "JOB_ORDER";

/// What a child is to do.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) connections: u32,
    pub(crate) batch: u32,
    /// Mails that the run takes at most; 0 for all.
    pub(crate) most: u32,
    /// Mails that the simulated Exchange gets, where there is no other server.
    pub(crate) simulated: u64,
    /// Whether the second stage is measured too.
    pub(crate) index: bool,
}

/// What it took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub(crate) moved: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu_us: f64,
    /// With the second stage, where it is measured.
    pub(crate) peak_kib: u64,
    /// Where somebody counted them.
    pub(crate) requests: Option<u64>,
    /// Mails whose text the second stage read: those that were logged.
    pub(crate) indexed: u64,
    pub(crate) index_seconds: f64,
    pub(crate) index_cpu_us: f64,
    /// Calls of fsync and fdatasync, where somebody counted them.
    pub(crate) syncs: Option<u64>,
}

impl Figures {
    pub(crate) fn rate(&self) -> f64 {
        self.moved as f64 / self.seconds
    }

    pub(crate) fn cpu_of_one(&self) -> f64 {
        self.cpu_us / self.moved as f64
    }

    pub(crate) fn peak_mib(&self) -> f64 {
        self.peak_kib as f64 / 1024.0
    }
}

/// Has a child do it; with `strace` its syncs are counted, and it takes longer.
pub(crate) fn order(order: &Order, server: Option<&Server>, strace: bool) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let this = std::env::current_exe().unwrap();
    let counted = folder.path().join("syncs");
    let mut command = if strace {
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=fsync,fdatasync", "-o"]);
        command.arg(&counted).arg(this);
        command
    } else {
        Command::new(this)
    };
    command.arg("--bench").env(ORDER, "1");
    command.env("JOB_FOLDER", folder.path());
    for (name, value) in [
        ("JOB_CONNECTIONS", u64::from(order.connections)),
        ("JOB_BATCH", order.batch.into()),
        ("JOB_MOST", order.most.into()),
        ("JOB_SIMULATED", order.simulated),
        ("JOB_INDEX", order.index.into()),
    ] {
        command.env(name, value.to_string());
    }
    if let Some(server) = server {
        command.env("JOB_URL", server.url());
        if let Some(certificate) = server.certificate() {
            command.env("JOB_CERTIFICATE", certificate);
        }
    }
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut figures = read(&String::from_utf8(output.stdout).unwrap());
    if let Some(server) = server {
        let all = server.count("requests");
        figures.requests = all.zip(figures.requests).map(|(all, before)| all - before);
    }
    figures.syncs = std::fs::read_to_string(counted).ok().map(|calls| {
        let done = calls
            .lines()
            .filter(|line| line.contains("sync(") || line.contains("sync resumed"));
        let whole = done.filter(|line| !line.contains("unfinished"));
        whole.count() as u64
    });
    figures
}

fn read(output: &str) -> Figures {
    let said: BTreeMap<&str, f64> = output
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect();
    let whole = |name: &str| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let number = said[name] as u64;
        number
    };
    Figures {
        moved: whole("moved"),
        seconds: said["seconds"],
        cpu_us: said["cpu_us"],
        peak_kib: whole("peak_kib"),
        requests: Some(whole("requests")),
        indexed: whole("indexed"),
        index_seconds: said["index_seconds"],
        index_cpu_us: said["index_cpu_us"],
        syncs: None,
    }
}

/// The child: does the job and prints what it took. `requests` are those before the job where a server counts them all.
pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let figures = runtime.block_on(async {
        match std::env::var("JOB_URL") {
            Ok(url) => against_server(url).await,
            Err(_) => against_ourselves().await,
        }
    });
    println!(
        "moved={} seconds={} cpu_us={} peak_kib={} requests={} indexed={} index_seconds={} \
         index_cpu_us={}",
        figures.moved,
        figures.seconds,
        figures.cpu_us,
        figures.peak_kib,
        figures.requests.unwrap_or(0),
        figures.indexed,
        figures.index_seconds,
        figures.index_cpu_us
    );
}

async fn against_server(url: String) -> Figures {
    let source = EwsSource::builder(url).with_basic(account());
    let source = match std::env::var("JOB_CERTIFICATE") {
        Ok(certificate) => source
            .with_trusted_roots(certificate)
            .with_address_policy(AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap()),
        Err(_) => source.dangerously_allow_plain_http_on_loopback(),
    };
    let folders = (
        path(r"\E-Mail Logging\Queue"),
        path(r"\E-Mail Logging\Storage"),
    );
    job(source, folders).await
}

async fn against_ourselves() -> Figures {
    let (queue, storage) = (r"\Email Logging\Queue\", r"\Email Logging\Storage\");
    let exchange = SimulatedExchange::builder()
        .with_user("svc", "secret")
        .with_public_folder(queue)
        .with_public_folder(storage)
        .start()
        .await
        .unwrap();
    for number in 0..number("JOB_SIMULATED", 0) {
        exchange.deliver(queue, mail(number)).unwrap();
    }
    let source = EwsSource::builder(exchange.url())
        .with_basic(account())
        .dangerously_allow_plain_http_on_loopback();
    let mut figures = job(source, (path(queue), path(storage))).await;
    let all = exchange.statistics().requests;
    figures.requests = figures.requests.map(|before| all - before);
    figures
}

fn account() -> Arc<StaticCredentials> {
    Arc::new(StaticCredentials::new().with_password("svc", "secret"))
}

fn path(text: &str) -> FolderSelector {
    FolderSelector::Path(text.parse::<FolderPath>().unwrap())
}

/// One run over a fresh store, with folders that were opened before: each took two requests.
async fn job(
    source: EwsSourceBuilder,
    (queue, storage): (FolderSelector, FolderSelector),
) -> Figures {
    let folder = std::env::var("JOB_FOLDER").unwrap();
    let store = Arc::new(SqliteStore::open(Path::new(&folder).join("log.sqlite")).unwrap());
    store.migrate().await.unwrap();
    let mut settings = RunSettings::default();
    let batch = number("JOB_BATCH", 50);
    settings.connections = number("JOB_CONNECTIONS", 4);
    (settings.fetch_batch, settings.move_batch) = (batch, batch);
    (settings.batch_size, settings.index_batch) = (number("JOB_MOST", 0), 0);
    let source = source
        .with_connections(settings.connections)
        .build()
        .unwrap();
    let opened = [
        source.open_folder(&queue).await,
        source.open_folder(&storage).await,
    ];
    let [queue, storage] = opened.map(|folder| FolderSelector::Id(folder.unwrap().id, None));
    let logger = |settings: RunSettings| {
        EmailLogger::builder()
            .with_source(Arc::new(source.clone()))
            .with_directory(Arc::new(people()))
            .with_store(Arc::<SqliteStore>::clone(&store))
            .with_queue_folder(queue.clone())
            .with_storage_folder(storage.clone())
            .with_settings(settings)
            .build()
            .unwrap()
    };
    let first = logger(settings.clone());
    let (start, cpu) = (Instant::now(), cpu_time());
    let report = first.run_once().await.unwrap();
    let (wall, cpu) = (start.elapsed(), cpu_time().saturating_sub(cpu));
    assert!(report.closes() && report.moves_pending == 0, "{report:?}");
    let mut figures = Figures {
        moved: report.moved,
        seconds: wall.as_secs_f64(),
        cpu_us: cpu.as_secs_f64() * 1e6,
        peak_kib: peak_kib(),
        requests: Some(4),
        ..Figures::default()
    };
    if number("JOB_INDEX", 0) > 0 {
        settings.index_batch = u32::MAX;
        let second = logger(settings);
        let (start, cpu) = (Instant::now(), cpu_time());
        let indexed = second.run_once().await.unwrap().indexed;
        figures.indexed = indexed;
        figures.index_seconds = start.elapsed().as_secs_f64();
        figures.index_cpu_us = cpu_time().saturating_sub(cpu).as_secs_f64() * 1e6;
        figures.peak_kib = peak_kib();
    }
    figures
}

/// 10,000 contacts and 200 salespeople.
fn people() -> MemoryDirectory {
    let mut directory = MemoryDirectory::new();
    for number in 0..200 {
        let address = format!("seller{number}@corp.example");
        let name = format!("Seller {number}");
        directory = directory.with_salesperson(SalespersonRecord::new(
            format!("S{number}").as_str(),
            name,
            address,
        ));
    }
    for number in 0..10_000 {
        let address = format!("person{number}@cust{}.example", number % 997);
        let no = format!("C{number:05}");
        let contact =
            ContactRecord::new(no.as_str(), format!("Person {number}"), ContactKind::Person);
        directory = directory.with_contact(contact.with_email(address));
    }
    directory
}

fn mail(number: u64) -> Vec<u8> {
    let (seller, person) = (number % 200, number % 10_000);
    let body = "The offer as discussed, with prices and dates. ".repeat(640);
    format!(
        "From: seller{seller}@corp.example\r\nTo: person{person}@cust{}.example\r\n\
         Subject: Offer {number}\r\nMessage-ID: <{number}@corp.example>\r\n\
         Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n{number} {body}\r\n",
        person % 997
    )
    .into_bytes()
}

/// User and system time of this process, of all its threads, also of those that ended.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
