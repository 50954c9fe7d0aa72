//! `demo`: the whole job over real EWS, or over Microsoft Graph, with a simulated Exchange and sample mail, and nothing to install.

mod server;
mod told;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use email_logging::EmailLogger;
use email_logging::Scope;
use email_logging::decision::LoggingPolicy;
use email_logging::directory::MemoryDirectory;
use email_logging::logger::RunReport;
use email_logging::source::FolderPath;
use email_logging::store::{
    Cursor, DecisionFilter, DecisionRecord, InteractionLog as _, LogFilter, LoggedMail, SqliteStore,
};

use crate::cli::DemoArgs;
use crate::connect;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::run;
use crate::samples::DIRECTORY;

use server::Server;

/// Rows of a page while the log is read.
const PAGE: u32 = 200;

/// Everything that the demo tells.
struct Outcome {
    url: String,
    mails: usize,
    file: PathBuf,
    report: RunReport,
    logged: Vec<LoggedMail>,
    decisions: Vec<DecisionRecord>,
    requests: u64,
    left: [usize; 3],
    folders: [&'static str; 3],
    millis: u128,
}

/// `demo`.
pub(crate) async fn demo(args: &DemoArgs, output: &Output) -> Result<Exit, Failure> {
    let file = match &args.store {
        Some(path) => path.clone(),
        None => new_directory()?.join("log.sqlite"),
    };
    let began = Instant::now();
    let server = Server::start(args.graph).await?;
    let mails = server.deliver();
    let mails = mails.map_err(|error| Failure::input("the queue cannot be filled", &error))?;
    let store = connect::store(&file).await?;
    let logger = logger(&server, Arc::clone(&store), output)?;
    let report = logger.run_once().await?;
    let folders = server.folders();
    let outcome = Outcome {
        url: server.url(),
        mails,
        report,
        logged: logged(&store).await?,
        decisions: decisions(&store).await?,
        requests: server.requests(),
        left: folders.map(|folder| server.count(folder)),
        folders,
        millis: began.elapsed().as_millis(),
        file,
    };
    server.shutdown().await;
    let skipped = outcome.report.skipped;
    match skipped {
        _ if output.json() => told::values(&outcome, output)?,
        Some(why) => output.line(run::skipped(why))?,
        None => told::tell(&outcome, output)?,
    }
    Ok(if skipped.is_some() {
        Exit::Failed
    } else {
        Exit::Done
    })
}

/// A new directory of its own, which only its owner can enter, and which stays.
fn new_directory() -> Result<PathBuf, Failure> {
    let directory = tempfile::Builder::new()
        .prefix("email-logger-demo-")
        .tempdir();
    let directory =
        directory.map_err(|error| Failure::input("no temporary directory can be made", &error))?;
    Ok(directory.keep())
}

fn logger(
    server: &Server,
    store: Arc<SqliteStore>,
    output: &Output,
) -> Result<EmailLogger, Failure> {
    let [queue, storage, quarantine] = server.folders();
    let directory = connect::read_directory(DIRECTORY, "the directory of the samples")?;
    let folder = |path: &str| path.parse::<FolderPath>();
    let mut builder = EmailLogger::builder()
        .with_source(server.source()?)
        .with_policy(policy(&directory))
        .with_directory(Arc::new(directory))
        .with_store(store)
        .with_queue_folder(folder(queue)?)
        .with_storage_folder(folder(storage)?)
        .with_quarantine_folder(folder(quarantine)?);
    if let Some(bar) = output.bar() {
        builder = builder.with_progress(bar);
    }
    Ok(builder.build()?)
}

fn policy(directory: &MemoryDirectory) -> LoggingPolicy {
    let mut policy = LoggingPolicy::default();
    policy.own_domains = directory.own_domains();
    policy
}

async fn logged(store: &SqliteStore) -> Result<Vec<LoggedMail>, Failure> {
    let mut all = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let filter = LogFilter::default();
        let page = store
            .mails(&Scope::default(), &filter, after.as_ref(), PAGE)
            .await?;
        all.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

async fn decisions(store: &SqliteStore) -> Result<Vec<DecisionRecord>, Failure> {
    let mut all = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let filter = DecisionFilter::default();
        let page = store
            .decisions(&Scope::default(), &filter, after.as_ref(), PAGE)
            .await?;
        all.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// The path as it is typed.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) {
        format!("'{text}'")
    } else {
        text
    }
}
