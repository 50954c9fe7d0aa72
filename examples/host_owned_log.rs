//! A host that keeps the entries in a table of its own, and workers that are killed at the worst moments.
//!
//! `cargo run --example host_owned_log` plays the mail server and starts itself three times as the worker that logs. The
//! first worker is killed after the commit and before it writes to the host's table, the second after it wrote there
//! and before it could say so. The third finishes. Every entry is in the table exactly once: the sink is called at least
//! once, and the entry's id is its key.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use email_logging::credential::StaticCredentials;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::error::{Error, Result, codes};
use email_logging::parties::ContactKind;
use email_logging::source::FolderPath;
use email_logging::source::ews::EwsSource;
use email_logging::store::{HostReference, InteractionSink, SinkDelivery, SqliteStore};
use email_logging::testkit::exchange::SimulatedExchange;
use email_logging::{EmailLogger, Scope};
use rusqlite::{Connection, params};

const QUEUE: &str = r"\Email Logging\Queue\";
const STORAGE: &str = r"\Email Logging\Storage\";
const USER: (&str, &str) = ("logger@corp.example", "s3cret");
const MAILS: usize = 5;

/// The host's table, and when its worker dies.
#[derive(Debug)]
struct CrmTable {
    database: Mutex<Connection>,
    dies: String,
}

impl CrmTable {
    fn open(directory: &Path, dies: &str) -> rusqlite::Result<Self> {
        let database = Connection::open(directory.join("crm.sqlite"))?;
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS interaction (
               no INTEGER PRIMARY KEY, entry_id TEXT NOT NULL UNIQUE, contact TEXT NOT NULL,
               subject TEXT NOT NULL, puts INTEGER NOT NULL DEFAULT 1)",
        )?;
        Ok(Self {
            database: Mutex::new(database),
            dies: dies.into(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one row per entry. A row that is there already keeps its number; `puts` counts for the story only.
    fn write(&self, delivery: SinkDelivery<'_>) -> rusqlite::Result<Vec<HostReference>> {
        let mut database = self.lock();
        let transaction = database.transaction()?;
        let mut references = Vec::new();
        for logged in delivery.entries {
            let entry = &logged.entry;
            let (id, contact) = (entry.id.to_string(), entry.contact_no.as_str());
            let no: i64 = transaction.query_row(
                "INSERT INTO interaction (entry_id, contact, subject) VALUES (?1, ?2, ?3)
                 ON CONFLICT (entry_id) DO UPDATE SET puts = puts + 1 RETURNING no",
                params![id, contact, entry.description],
                |row| row.get(0),
            )?;
            references.push(HostReference::new(entry.id, format!("CRM-{no}")));
        }
        transaction.commit()?;
        Ok(references)
    }
}

#[async_trait]
impl InteractionSink for CrmTable {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        let killed = |moment| self.dies == moment;
        if killed("before-put") {
            std::process::abort();
        }
        let references = self.write(delivery);
        if killed("after-put") {
            std::process::abort();
        }
        references.map_err(|error| Error::new(&codes::SINK_FAILED, "put").with_source(error))
    }
}

/// One worker: the process that is killed.
async fn work(url: &str, directory: &Path, dies: &str) -> Result<(), Box<dyn std::error::Error>> {
    let account = StaticCredentials::new().with_password(USER.0, USER.1);
    let exchange = EwsSource::builder(url)
        .with_basic(Arc::new(account))
        .dangerously_allow_plain_http_on_loopback() // the simulated Exchange of this example
        .build()?;
    let anna = SalespersonRecord::new("AB", "Anna Berg", "anna@corp.example");
    let tim = ContactRecord::new("CT000012", "Tim Lund", ContactKind::Person);
    let contacts = MemoryDirectory::new()
        .with_salesperson(anna)
        .with_contact(tim.with_email("tim@customer.example"));
    let store = Arc::new(SqliteStore::open(directory.join("log.sqlite"))?);
    store.migrate().await?;
    let report = EmailLogger::builder()
        .with_worker("the only worker") // so that it need not wait for the lease of the one that was killed
        .with_source(Arc::new(exchange))
        .with_directory(Arc::new(contacts))
        .with_store(store)
        .with_sink(Arc::new(CrmTable::open(directory, dies)?))
        .with_queue_folder(QUEUE.parse::<FolderPath>()?)
        .with_storage_folder(STORAGE.parse::<FolderPath>()?)
        .build()?
        .run_once()
        .await?;
    println!("  delivered {}, moved {}", report.delivered, report.moved);
    Ok(())
}

/// The mail server, the three workers, and what is left of it all.
async fn tell() -> Result<(), Box<dyn std::error::Error>> {
    let server = SimulatedExchange::builder()
        .with_user(USER.0, USER.1)
        .with_public_folder(QUEUE)
        .with_public_folder(STORAGE)
        .start()
        .await?;
    for number in 1..=MAILS {
        let headers = "From: anna@corp.example\r\nTo: tim@customer.example";
        let mail = format!("{headers}\r\nSubject: Offer {number}\r\n\r\nDear Tim.\r\n");
        server.deliver(QUEUE, mail)?;
    }
    let directory = tempfile::tempdir()?;
    for dies in ["before-put", "after-put", "never"] {
        println!("worker that dies: {dies}");
        let mut worker = Command::new(std::env::current_exe()?);
        worker.arg(server.url()).arg(directory.path()).arg(dies);
        let status = tokio::task::spawn_blocking(move || worker.status()).await??;
        let rows = rows(directory.path())?;
        let end = ["was killed", "ended well"][usize::from(status.success())];
        let (rows, mails) = (rows.len(), server.count(QUEUE)?);
        println!("  it {end}\n  host's table: {rows} rows, queue: {mails} mails");
    }
    for (no, subject, puts) in rows(directory.path())? {
        println!("CRM-{no}  {subject}  (put {puts} times)");
    }
    println!("in storage: {} mails", server.count(STORAGE)?);
    Ok(())
}

fn rows(directory: &Path) -> rusqlite::Result<Vec<(i64, String, i64)>> {
    let table = CrmTable::open(directory, "never")?;
    let database = table.lock();
    let mut query = database.prepare("SELECT no, subject, puts FROM interaction ORDER BY no")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [url, directory, dies] => work(url, Path::new(directory), dies).await,
        _ => tell().await,
    }
}
