//! From settings to the parts of a logger: source, directory, store.

mod account;
mod graph;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use email_logging::directory::{DirectoryRecords, MemoryDirectory};
use email_logging::logger::EmailLoggerBuilder;
use email_logging::setup::{EmailLoggingSetup, EwsRetirement, MailService};
use email_logging::source::ews::{AddressPolicy, EwsSource, EwsSourceBuilder, ThrottlingGate};
use email_logging::source::{FolderPath, MailFolders, MailHints, MailSource};
use email_logging::store::SqliteStore;
use email_logging::{EmailLogger, Error};

use crate::config::{Config, ConfigError, Service};
use crate::exit::Failure;
use crate::installation::Installation;
use crate::output::Output;

pub(crate) use account::{Account, refuse_shared};

/// The mail system of the configuration, for somebody who waits: one repetition is enough there.
pub(crate) fn impatient_folders(config: &Config) -> Result<Arc<dyn MailFolders>, Failure> {
    if config.exchange.service == Some(Service::Graph) {
        let source = graph::builder(config)?.with_repeats(1).build()?;
        return Ok(Arc::new(source));
    }
    Ok(Arc::new(source_builder(config)?.with_repeats(1).build()?))
}

/// A mail system, and its hints.
type Mail = (Arc<dyn MailSource>, Arc<dyn MailHints>);

/// The mail system of the configuration.
fn mail(config: &Config) -> Result<Mail, Failure> {
    if config.exchange.service == Some(Service::Graph) {
        let source = Arc::new(graph::builder(config)?.build()?);
        let hints = Arc::clone(&source);
        return Ok((source, hints));
    }
    let source = Arc::new(source_builder(config)?.build()?);
    let hints = Arc::clone(&source);
    Ok((source, hints))
}

fn source_builder(config: &Config) -> Result<EwsSourceBuilder, Failure> {
    let exchange = &config.exchange;
    let url = exchange.url.as_deref().ok_or_else(|| {
        ConfigError::missing("the address of Exchange", "exchange", "url", "--url")
    })?;
    let mut builder = EwsSource::builder(url)
        .with_basic(Arc::new(Account::of(exchange)?))
        .with_scope(config.scope()?)
        .with_address_policy(AddressPolicy::on_premises(exchange.ranges())?)
        .with_connections(config.run_settings().connections)
        .with_stamps(exchange.stamps.unwrap_or(false))
        .with_gate(gate(config));
    if let Some(file) = &exchange.ca_file {
        builder = builder.with_trusted_roots(text("the certificate authority", file)?);
    }
    if let Some(mailbox) = &exchange.mailbox {
        builder = builder.with_mailbox(mailbox);
    }
    if let Some(mailbox) = &exchange.impersonate {
        builder = builder.with_impersonation(mailbox);
    }
    if let Some(mailbox) = &exchange.anchor_mailbox {
        builder = builder.with_anchor_mailbox(mailbox);
    }
    if let Some(mailbox) = &exchange.public_folder_mailbox {
        builder = builder.with_public_folder_mailbox(mailbox);
    }
    if let Some(mailbox) = &exchange.public_folder_content_mailbox {
        builder = builder.with_public_folder_content_mailbox(mailbox);
    }
    if let Some(proxy) = &exchange.proxy {
        builder = builder.with_proxy(proxy);
    }
    if exchange.allow_plain_http_on_loopback.unwrap_or(false) {
        builder = builder.dangerously_allow_plain_http_on_loopback();
    }
    Ok(builder)
}

/// The gate of the mailbox with the account.
fn gate(config: &Config) -> ThrottlingGate {
    let exchange = &config.exchange;
    let account = exchange.user_name.as_deref().unwrap_or_default();
    let mailbox = exchange
        .mailbox
        .as_deref()
        .or(exchange.impersonate.as_deref());
    config.gates.of(mailbox.unwrap_or(account), account)
}

/// The contacts and salespeople of the configuration.
pub(crate) fn directory(config: &Config) -> Result<MemoryDirectory, Failure> {
    let file = config.directory.file.as_deref().ok_or_else(|| {
        let what = "the file of salespeople and contacts";
        ConfigError::missing(what, "directory", "file", "--directory")
    })?;
    read_directory(&text("the directory", file)?, &file.display().to_string())
}

/// A directory out of the text of its file.
pub(crate) fn read_directory(text: &str, name: &str) -> Result<MemoryDirectory, Failure> {
    let records: DirectoryRecords = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        let message = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        let what = format!("{name}, line {line}: {message}");
        ConfigError::invalid(
            what,
            "Correct the record; see the directory of the sample mails.",
        )
    })?;
    Ok(MemoryDirectory::from_records(records))
}

/// The log's file, which is made where it is not there, with its tables up to date.
pub(crate) async fn store(path: &Path) -> Result<Arc<SqliteStore>, Failure> {
    let named = |error: Error| error.with_detail(path.display().to_string());
    let store = SqliteStore::open(path).map_err(named)?;
    store.migrate().await.map_err(named)?;
    Ok(Arc::new(store))
}

/// The log's file, which must be there.
pub(crate) fn existing_store(config: &Config) -> Result<Arc<SqliteStore>, Failure> {
    let path = config.store_path()?;
    if !path.is_file() {
        return Err(ConfigError {
            code: "config.missing",
            what: format!("there is no log at {}", path.display()),
            remedy: "Name the file of a log; `demo` and `run` make one.".into(),
        }
        .into());
    }
    let store = SqliteStore::open(path);
    let named = |error: Error| error.with_detail(path.display().to_string());
    Ok(Arc::new(store.map_err(named)?))
}

/// A logger of the configuration, up to its store.
pub(crate) fn logger(config: &Config, output: &Output) -> Result<EmailLoggerBuilder, Failure> {
    let folders = &config.folders;
    let needed = |folder: &Option<crate::config::Folder>, what, key, flag| {
        let folder = folder.clone().map(|folder| folder.0);
        folder.ok_or_else(|| ConfigError::missing(what, "folders", key, flag))
    };
    let directory = directory(config)?;
    let queue = needed(&folders.queue, "the queue folder", "queue", "--queue")?;
    let storage = needed(
        &folders.storage,
        "the storage folder",
        "storage",
        "--storage",
    )?;
    let (source, hints) = mail(config)?;
    let service = config.exchange.service.unwrap_or(Service::Ews);
    let builder = unplaced_logger(config, directory, output)?;
    let builder = woken(
        config,
        builder,
        service.mail_service(),
        Some(&hints),
        &queue,
    )?;
    Ok(builder
        .with_source(source)
        .with_queue_folder(queue)
        .with_storage_folder(storage))
}

/// A logger of the stored set-up, up to its store: the mail system and the folders are the set-up's, and the rest is the
/// configuration's.
pub(crate) async fn logger_of_setup(
    installation: &Installation,
    setup: &EmailLoggingSetup,
    output: &Output,
) -> Result<EmailLoggerBuilder, Failure> {
    let directory = directory(&installation.config)?;
    let connection = installation.connect(setup).await?;
    if setup.mail_service == MailService::Ews && connection.probe.is_online() == Some(true) {
        let retirement = EwsRetirement::at(jiff::Timestamp::now());
        output.note(format!("note: {retirement} `migrate` says how."));
    }
    let source = connection.source;
    let mut builder = unplaced_logger(&installation.config, directory, output)?.with_source(source);
    if let (Some(queue), Some(storage)) = (&setup.queue_folder, &setup.storage_folder) {
        let (config, hints) = (&installation.config, connection.hints.as_ref());
        builder = woken(config, builder, setup.mail_service, hints, queue)?
            .with_queue_folder(queue.clone())
            .with_storage_folder(storage.clone());
    }
    Ok(builder)
}

/// With what brings its runs forward, where it runs on a schedule.
fn woken(
    config: &Config,
    builder: EmailLoggerBuilder,
    service: MailService,
    hints: Option<&Arc<dyn MailHints>>,
    queue: &FolderPath,
) -> Result<EmailLoggerBuilder, Failure> {
    match (&config.waker, hints) {
        (Some(waker), Some(hints)) => waker.attach(builder, service, hints, queue),
        _ => Ok(builder),
    }
}

/// What does not depend on where the mail is.
fn unplaced_logger(
    config: &Config,
    directory: MemoryDirectory,
    output: &Output,
) -> Result<EmailLoggerBuilder, Failure> {
    tell_problems(&directory, output);
    let mut builder = EmailLogger::builder()
        .with_scope(config.scope()?)
        .with_policy(config.policy(&directory.own_domains())?)
        .with_directory(Arc::new(directory))
        .with_settings(config.run_settings());
    if let Some(folder) = &config.folders.not_logged {
        builder = builder.with_not_logged_folder(folder.0.clone());
    }
    if let Some(folder) = &config.folders.quarantine {
        builder = builder.with_quarantine_folder(folder.0.clone());
    }
    if let Some(bar) = output.bar() {
        builder = builder.with_progress(bar);
    }
    Ok(builder)
}

/// Records that nobody will be found by. They are named by their key, never by the address.
pub(crate) fn tell_problems(directory: &MemoryDirectory, output: &Output) {
    for problem in directory.problems() {
        let (record, field) = (&problem.record, problem.field);
        output.note(format!(
            "note: record {record} of the directory: {field} cannot be used"
        ));
    }
}

/// The text of a file.
pub(crate) fn text(what: &str, file: &Path) -> Result<String, Failure> {
    let read = std::fs::read_to_string(file);
    read.map_err(|error| {
        let what = format!("{what} {} cannot be read: {error}", file.display());
        ConfigError::invalid(what, "Check the name and the rights of the file.").into()
    })
}

/// The bytes of a mail's file, up to `most`.
pub(crate) fn original(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let name = path.display();
    let unreadable = |error| Failure::input(format!("{name} cannot be read"), &error);
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}
