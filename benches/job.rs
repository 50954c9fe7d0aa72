//! The whole job against an EWS server on loopback: list, fetch, decide, store, move.
//!
//! Without an address it serves itself with the simulated Exchange, whose work is then part of the CPU figure. With
//! `EWS_STUB=host:port` it works against a neutral server that answers `/EWS/Exchange.asmx` (user `svc`, password `secret`,
//! public folders `\E-Mail Logging\Queue` and `\E-Mail Logging\Storage`), `GET /stats` and `POST /reset?latency_ms=`. Further settings from the environment:
//! `N` (mails the server holds; default 1000), `LATENCY_MS` (default `0`; several separated by commas), `CONNECTIONS`
//! (default 4), `BATCH` (default 50), `REPEATS` (default 3).
//!
//! Prints messages per second, CPU per message, peak resident memory, requests, and what the model says:
//! `R = min(C / (L (1/B + 1/M + 1/P)), cores / c)`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    missing_docs
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use email_logging::EmailLogger;
use email_logging::credential::StaticCredentials;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::{RunReport, RunSettings};
use email_logging::parties::ContactKind;
use email_logging::source::ews::{EwsSource, EwsSourceBuilder};
use email_logging::source::{FolderPath, FolderSelector, MailSource as _};
use email_logging::store::SqliteStore;
use email_logging::testkit::exchange::SimulatedExchange;

struct Plan {
    stub: Option<String>,
    mails: u64,
    latencies_ms: Vec<u64>,
    connections: u32,
    batch: u32,
    repeats: u32,
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

impl Plan {
    fn from_environment() -> Self {
        let latencies = std::env::var("LATENCY_MS").unwrap_or_else(|_| "0".into());
        Self {
            stub: std::env::var("EWS_STUB").ok(),
            mails: number("N", 1000),
            latencies_ms: latencies
                .split(',')
                .filter_map(|text| text.trim().parse().ok())
                .collect(),
            connections: number("CONNECTIONS", 4),
            batch: number("BATCH", 50),
            repeats: number("REPEATS", 3),
        }
    }

    /// Messages per second that the round trips allow.
    fn by_round_trips(&self, latency_ms: u64) -> f64 {
        let per_mail = 2.0 / f64::from(self.batch) + 1.0 / 1000.0;
        f64::from(self.connections) / (latency_ms as f64 / 1000.0 * per_mail)
    }
}

fn main() {
    // `cargo test --benches` only looks whether it runs.
    let test = !std::env::args().any(|argument| argument == "--bench");
    let mut plan = Plan::from_environment();
    if test {
        (plan.mails, plan.repeats) = (20, 1);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    println!(
        "{} mails, batch {}, {} connections, {}",
        plan.mails,
        plan.batch,
        plan.connections,
        plan.stub
            .as_deref()
            .unwrap_or("simulated Exchange in this process"),
    );
    println!(
        "latency ms | messages/s | CPU us/message | peak RSS MiB | requests | model messages/s"
    );
    for latency in plan.latencies_ms.clone() {
        let mut best: Option<Figures> = None;
        for _ in 0..plan.repeats.max(1) {
            let figures = runtime.block_on(measure(&plan, latency));
            if best
                .as_ref()
                .is_none_or(|best| figures.seconds < best.seconds)
            {
                best = Some(figures);
            }
        }
        print_row(&plan, latency, &best.unwrap());
    }
}

struct Figures {
    seconds: f64,
    cpu_seconds: f64,
    requests: u64,
    /// Requests that opened the folders: one per segment of a path.
    opening: u64,
    report: RunReport,
}

fn print_row(plan: &Plan, latency: u64, figures: &Figures) {
    let mails = figures.report.moved as f64;
    let model = match latency {
        0 => "-".into(),
        latency => format!("{:.0}", plan.by_round_trips(latency)),
    };
    println!(
        "{latency:>10} | {:>10.0} | {:>14.1} | {:>12} | {:>8} | {model:>10}",
        mails / figures.seconds,
        figures.cpu_seconds / mails * 1e6,
        peak_rss_mib(),
        figures.requests,
    );
}

async fn measure(plan: &Plan, latency_ms: u64) -> Figures {
    match &plan.stub {
        Some(address) => against_stub(plan, address, latency_ms).await,
        None => against_ourselves(plan).await,
    }
}

async fn against_stub(plan: &Plan, address: &str, latency_ms: u64) -> Figures {
    http(address, "POST", &format!("/reset?latency_ms={latency_ms}"));
    let before = stub_requests(address);
    let source = EwsSource::builder(format!("http://{address}/EWS/Exchange.asmx"))
        .with_basic(Arc::new(
            StaticCredentials::new().with_password("svc", "secret"),
        ))
        .dangerously_allow_plain_http_on_loopback();
    let folders = (
        path(r"\E-Mail Logging\Queue"),
        path(r"\E-Mail Logging\Storage"),
    );
    let mut figures = job(plan, source, folders).await;
    figures.requests = stub_requests(address) - before - figures.opening;
    figures
}

async fn against_ourselves(plan: &Plan) -> Figures {
    let (queue, storage) = (r"\Email Logging\Queue\", r"\Email Logging\Storage\");
    let exchange = SimulatedExchange::builder()
        .with_user("svc", "secret")
        .with_public_folder(queue)
        .with_public_folder(storage)
        .start()
        .await
        .unwrap();
    for number in 0..plan.mails {
        exchange.deliver(queue, mail(number)).unwrap();
    }
    let source = EwsSource::builder(exchange.url())
        .with_basic(Arc::new(
            StaticCredentials::new().with_password("svc", "secret"),
        ))
        .dangerously_allow_plain_http_on_loopback();
    let mut figures = job(plan, source, (path(queue), path(storage))).await;
    figures.requests = exchange.statistics().requests - figures.opening;
    figures
}

fn path(text: &str) -> FolderSelector {
    FolderSelector::Path(text.parse::<FolderPath>().unwrap())
}

/// One run over a fresh store, with folders that were opened before; the index of the second stage is not part of the figure.
async fn job(
    plan: &Plan,
    source: EwsSourceBuilder,
    (queue, storage): (FolderSelector, FolderSelector),
) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("log.sqlite")).unwrap();
    store.migrate().await.unwrap();
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = (plan.batch, plan.batch);
    (settings.connections, settings.index_batch) = (plan.connections, 0);
    let source = source.with_connections(plan.connections).build().unwrap();
    let opened = [
        source.open_folder(&queue).await,
        source.open_folder(&storage).await,
    ];
    let [queue, storage] = opened.map(|folder| FolderSelector::Id(folder.unwrap().id, None));
    let logger = EmailLogger::builder()
        .with_source(Arc::new(source))
        .with_directory(Arc::new(people()))
        .with_store(Arc::new(store))
        .with_queue_folder(queue)
        .with_storage_folder(storage)
        .with_settings(settings)
        .build()
        .unwrap();
    let (start, cpu) = (Instant::now(), cpu_time());
    let report = logger.run_once().await.unwrap();
    let (wall, cpu) = (start.elapsed(), cpu_time().saturating_sub(cpu));
    assert!(report.closes() && report.moved == plan.mails, "{report:?}");
    Figures {
        seconds: wall.as_secs_f64(),
        cpu_seconds: cpu.as_secs_f64(),
        requests: 0,
        opening: 4,
        report,
    }
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

fn http(address: &str, method: &str, target: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the server answers");
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn stub_requests(address: &str) -> u64 {
    let stats = http(address, "GET", "/stats");
    let number = stats.split("\"requests\":").nth(1).unwrap_or("0");
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// User and system time of this process (proc(5), `stat`, fields 14 and 15, in ticks of 10 ms).
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|it| it.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

fn peak_rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap_or("");
    let kib = line
        .split_whitespace()
        .nth(1)
        .and_then(|text| text.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
