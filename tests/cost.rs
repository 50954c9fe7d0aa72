//! What a run costs where no noise counts: requests, connections, syncs of the disk, bytes allocated, memory at its peak.
//!
//! The server is in this process, the job in a child of its own, so that what is counted there is the job's. Time is never
//! looked at here: `cargo bench --bench job` measures it.

#![cfg(all(
    feature = "ews",
    feature = "graph",
    feature = "sqlite",
    feature = "testkit",
    target_os = "linux"
))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "support/disk_shim.rs"]
mod disk_shim;
#[path = "support/skipped.rs"]
mod skipped;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use allocation_counter::measure;
use async_trait::async_trait;
use disk_shim::shim;
use email_logging::credential::{AccessToken, CredentialProvider, StaticCredentials};
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::RunSettings;
use email_logging::parties::ContactKind;
use email_logging::source::ews::EwsSource;
use email_logging::source::graph::GraphSource;
use email_logging::source::{FolderPath, FolderSelector, MailSource};
use email_logging::store::SqliteStore;
use email_logging::testkit::exchange::{Operation, SimulatedExchange, Statistics};
use email_logging::testkit::graph::SimulatedGraph;
use email_logging::{EmailLogger, Result, Scope};

const CHILD: &str = "EMAIL_LOGGING_COST_CHILD";
const QUEUE: &str = r"\Email Logging\Queue\";
const STORAGE: &str = r"\Email Logging\Storage\";
const MAILBOX: &str = "log@corp.example";
const MIB: u64 = 1 << 20;

/// What the child counted.
struct Cost {
    moved: u64,
    /// Bytes that the run's thread allocated, without those that SQLite allocates by itself.
    allocated: u64,
    peak_rss: u64,
    syncs: u64,
    statistics: Statistics,
}

/// The server's own thread: what it allocates and waits for is not the job's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mails_cost_what_they_may() {
    let cost = job_of(usual(1000), 50).await;
    assert_eq!(cost.moved, 1000);
    let statistics = &cost.statistics;
    let calls = |operation| statistics.calls(operation);
    let (lists, fetches, moves) = (
        calls(Operation::FindItem),
        calls(Operation::GetItem),
        calls(Operation::MoveItem),
    );
    assert_eq!((lists, fetches, moves), (1, 20, 20));
    // Four requests opened the two folders.
    assert_eq!(statistics.requests - 4, 41, "{statistics:?}");
    assert!(statistics.connections <= 4, "{statistics:?}");
    assert!(statistics.most_concurrent <= 4, "{statistics:?}");
    // 20 batches; the schema and the lease are synced too.
    assert!(cost.syncs <= 2 * 20 + 12, "{} syncs", cost.syncs);
    let of_one = cost.allocated / 1000;
    eprintln!(
        "{of_one} bytes allocated for a mail of 30 kB, {} syncs",
        cost.syncs
    );
    assert!(of_one <= 140_000, "{of_one} bytes allocated for a mail");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_a_hundred_take_half_the_requests() {
    let cost = job_of(usual(1000), 100).await;
    assert_eq!(cost.moved, 1000);
    assert_eq!(cost.statistics.requests - 4, 21, "{:?}", cost.statistics);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_queue_is_one_request() {
    let cost = job_of(Vec::new(), 50).await;
    assert_eq!(cost.statistics.requests - 4, 1, "{:?}", cost.statistics);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_with_the_queue() {
    // What is kept however long the queue is, pages of the database above all, is nearly full after 2,000; which stages meet
    // at the peak is worth 2 MiB from run to run. A kilobyte that stays of each mail makes 6 MiB.
    let (short, long) = (job_of(usual(2000), 50).await, job_of(usual(8000), 50).await);
    let peaks = (short.peak_rss, long.peak_rss);
    eprintln!(
        "at most {} and {} MiB of memory",
        peaks.0 / MIB,
        peaks.1 / MIB
    );
    assert!(long.peak_rss <= short.peak_rss + 4 * MIB, "{peaks:?}");
    assert!(long.peak_rss <= 58 * MIB, "{peaks:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_mail_never_stands_in_memory() {
    let few = job_and_second_stage_of(usual(10)).await;
    let large = job_and_second_stage_of(vec![mail(0, 60_000_000)]).await;
    assert_eq!(large.moved, 1);
    let peaks = (few.peak_rss, large.peak_rss);
    eprintln!(
        "at most {} MiB, with a mail of 60 MB {} MiB, {} syncs",
        peaks.0 / MIB,
        peaks.1 / MIB,
        large.syncs
    );
    // The second stage reads 8 MiB of it.
    assert!(large.peak_rss <= few.peak_rss + 24 * MIB, "{peaks:?}");
    // Not one for each of its 58 pieces: those of a small job, and two for each checkpoint of 32 MiB.
    assert!(large.syncs <= few.syncs + 8, "{} syncs", large.syncs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_one_over_graph() {
    let few = run_over_graph(usual(10)).await;
    let large = run_over_graph(vec![with_attachment(60_000_000)]).await;
    assert_eq!((few["moved"], large["moved"]), (10, 1));
    let peaks = (few["peak_kib"] / 1024, large["peak_kib"] / 1024);
    eprintln!(
        "over Graph at most {} MiB, with a mail of 60 MB {} MiB",
        peaks.0, peaks.1
    );
    assert!(peaks.1 <= peaks.0 + 12, "{peaks:?}");
}

fn usual(mails: u64) -> Vec<Vec<u8>> {
    (0..mails).map(|number| mail(number, 30_000)).collect()
}

fn mail(number: u64, bytes: usize) -> Vec<u8> {
    let sentence = "The offer as discussed, with prices and dates.\r\n";
    let body = sentence.repeat(bytes / sentence.len());
    let (seller, person) = (number % 200, number % 10_000);
    format!(
        "From: seller{seller}@corp.example\r\nTo: person{person}@cust.example\r\n\
         Subject: Offer {number}\r\nMessage-ID: <{number}@corp.example>\r\n\
         Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n{number} {body}\r\n"
    )
    .into_bytes()
}

/// One job at a time: how its stages overlap, and so what it holds at its peak, is its own.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Graph answers a move with the text of the mail, but not with what is attached.
fn with_attachment(bytes: usize) -> Vec<u8> {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let attached = line.repeat(bytes / line.len());
    format!(
        "From: seller0@corp.example\r\nTo: person0@cust.example\r\nSubject: Plans\r\n\
         Message-ID: <plans@corp.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nThe plans.\r\n--b\r\n\
         Content-Type: application/pdf; name=plans.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{attached}--b--\r\n"
    )
    .into_bytes()
}

/// Has a child log these mails from a server of its own.
async fn job_of(mails: Vec<Vec<u8>>, batch: u32) -> Cost {
    cost_of(mails, batch, 0).await
}

async fn job_and_second_stage_of(mails: Vec<Vec<u8>>) -> Cost {
    cost_of(mails, 50, RunSettings::default().index_batch).await
}

async fn cost_of(mails: Vec<Vec<u8>>, batch: u32, indexed: u32) -> Cost {
    let _alone = ALONE.lock().await;
    let exchange = SimulatedExchange::builder()
        .with_user("svc", "secret")
        .with_public_folder(QUEUE)
        .with_public_folder(STORAGE)
        .start()
        .await
        .unwrap();
    for mail in mails {
        exchange.deliver(QUEUE, mail).unwrap();
    }
    let url = exchange.url().clone();
    let child = tokio::task::spawn_blocking(move || run_child("ews", &url, batch, indexed));
    let (said, syncs) = child.await.unwrap();
    Cost {
        moved: said["moved"],
        allocated: said["allocated"],
        peak_rss: said["peak_kib"] * 1024,
        syncs,
        statistics: exchange.statistics(),
    }
}

/// The same over Graph.
async fn run_over_graph(mails: Vec<Vec<u8>>) -> BTreeMap<String, u64> {
    let graph = SimulatedGraph::builder()
        .with_plain_http()
        .with_mailbox(MAILBOX)
        .with_app_token("token")
        .start()
        .await
        .unwrap();
    for folder in ["Queue", "Storage"] {
        graph.add_folder(&format!(r"{MAILBOX}\{folder}")).unwrap();
    }
    for mail in mails {
        graph.deliver(&format!(r"{MAILBOX}\Queue"), mail).unwrap();
    }
    let url = graph.url();
    let child = tokio::task::spawn_blocking(move || run_child("graph", &url, 20, 0).0);
    child.await.unwrap()
}

fn run_child(service: &str, url: &str, batch: u32, indexed: u32) -> (BTreeMap<String, u64>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("events");
    let armed = folder.path().join("armed");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "the_child", "--nocapture"])
        .env(CHILD, url)
        .env("COST_SERVICE", service)
        .env("COST_BATCH", batch.to_string())
        .env("COST_INDEXED", indexed.to_string())
        .env("COST_FOLDER", folder.path());
    let library = shim(folder.path());
    if let Some(library) = &library {
        command
            .env("LD_PRELOAD", library)
            .env("SHIM_LOG", &log)
            .env("SHIM_MATCH", "log.sqlite")
            .env("SHIM_ARM", &armed);
    }
    let output = command.output().unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{said}\n{wrong}");
    let pairs = said
        .split_whitespace()
        .filter_map(|word| word.split_once('='));
    let said = pairs
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect();
    let events = fs::read_to_string(log).unwrap_or_default();
    assert!(library.is_none() || !events.is_empty(), "no sync was seen");
    (
        said,
        events.lines().filter(|line| line.contains("sync")).count() as u64,
    )
}

#[test]
fn the_child() {
    let Ok(url) = std::env::var(CHILD) else {
        return;
    };
    let folder = PathBuf::from(std::env::var_os("COST_FOLDER").unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let logger = runtime.block_on(logger(&url, &folder));
    let mut report = None;
    let counted = measure(|| report = Some(runtime.block_on(logger.run_once())));
    let report = report.unwrap().unwrap();
    assert!(report.closes() && report.moves_pending == 0, "{report:?}");
    println!(
        "\nmoved={} allocated={} peak_kib={}",
        report.moved,
        counted.bytes_total,
        peak_kib()
    );
}

#[derive(Debug)]
struct Token;

#[async_trait]
impl CredentialProvider for Token {
    async fn access_token(&self, _: &Scope, _: &str) -> Result<Option<AccessToken>> {
        Ok(Some(AccessToken::new("token", None)))
    }
}

fn ews(url: &str) -> (Arc<dyn MailSource>, [&'static str; 2]) {
    let credentials = StaticCredentials::new().with_password("svc", "secret");
    let source = EwsSource::builder(url)
        .with_basic(Arc::new(credentials))
        .dangerously_allow_plain_http_on_loopback()
        .build();
    (Arc::new(source.unwrap()), [QUEUE, STORAGE])
}

fn graph(url: &str) -> (Arc<dyn MailSource>, [&'static str; 2]) {
    let source = GraphSource::builder()
        .with_service_url(url)
        .with_mailbox(MAILBOX)
        .with_access_token(Arc::new(Token))
        .dangerously_allow_plain_http_on_loopback()
        .build();
    let folders = [r"mailbox:\Queue\", r"mailbox:\Storage\"];
    (Arc::new(source.unwrap()), folders)
}

async fn logger(url: &str, folder: &Path) -> EmailLogger {
    let service = std::env::var("COST_SERVICE").unwrap();
    let (source, paths) = match &*service {
        "graph" => graph(url),
        _ => ews(url),
    };
    let mut opened = Vec::new();
    for path in paths {
        let path = FolderSelector::Path(path.parse::<FolderPath>().unwrap());
        let folder = source.open_folder(&path).await.unwrap();
        opened.push(FolderSelector::Id(folder.id, None));
    }
    let [queue, storage] = opened.try_into().unwrap();
    let store = SqliteStore::open(folder.join("log.sqlite")).unwrap();
    store.migrate().await.unwrap();
    let batch = std::env::var("COST_BATCH").unwrap().parse().unwrap();
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = (batch, batch);
    settings.index_batch = std::env::var("COST_INDEXED").unwrap().parse().unwrap();
    EmailLogger::builder()
        .with_source(source)
        .with_directory(Arc::new(people()))
        .with_store(Arc::new(store))
        .with_queue_folder(queue)
        .with_storage_folder(storage)
        .with_settings(settings)
        .build()
        .unwrap()
}

/// 10,000 contacts and 200 salespeople.
fn people() -> MemoryDirectory {
    let mut directory = MemoryDirectory::new();
    for number in 0..200 {
        let (code, name) = (format!("S{number}"), format!("Seller {number}"));
        let address = format!("seller{number}@corp.example");
        directory =
            directory.with_salesperson(SalespersonRecord::new(code.as_str(), name, address));
    }
    for number in 0..10_000 {
        let (no, name) = (format!("C{number:05}"), format!("Person {number}"));
        let contact = ContactRecord::new(no.as_str(), name, ContactKind::Person);
        directory =
            directory.with_contact(contact.with_email(format!("person{number}@cust.example")));
    }
    directory
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
