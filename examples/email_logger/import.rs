//! `import`: old mail out of files, with its own dates and without events.

use std::path::Path;
use std::sync::Arc;

use email_logging::EmailLogger;
use email_logging::logger::{EmailLoggerBuilder, RunReport};
use email_logging::source::FileSource;
use email_logging::source::files::FileFormat;
use email_logging::store::{MemoryStore, SqliteStore};
use serde_json::json;

use crate::cli::Settings;
use crate::cli::import::ImportArgs;
use crate::config::Config;
use crate::connect;
use crate::exit::{Exit, Failure};
use crate::output::{Output, safe};
use crate::run::{exit_of, skipped};
use crate::signals::Signals;
use crate::words;

/// The name of the mailbox and of the worker: that of the place. An import that was cut off is taken up by the next one of the
/// same place at once, and imports of several places go on beside each other.
fn name(path: &Path) -> String {
    let whole = path.canonicalize();
    let whole = whole.as_deref().unwrap_or(path);
    let digest = blake3::hash(whole.as_os_str().as_encoded_bytes()).to_hex();
    format!("import-{}", digest.get(..12).unwrap_or_default())
}

/// `import`.
pub(crate) async fn import(
    args: &ImportArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let settings = Settings {
        store: args.store.clone(),
        directory: args.directory.clone(),
        batch_size: args.batch_size,
        ..Settings::default()
    };
    let config = Config::load(file, &settings)?;
    let source = source(args)?;
    let builder = builder(&config, source.clone(), output)?;
    let name = name(&args.path);
    let builder = builder
        .with_mailbox(name.as_str())
        .with_worker(name.as_str());
    let path = config.store_path()?;
    if args.dry_run {
        let builder = if path.is_file() {
            with_store(builder, connect::existing_store(&config)?)
        } else {
            // Nothing is written, not even an empty file.
            builder.with_store(Arc::new(MemoryStore::new()))
        };
        let dry = builder.build()?.dry_run().await?;
        tell(&dry.report, &source, args, output)?;
        return Ok(Exit::Done);
    }
    let logger = with_store(builder, connect::store(path).await?).build()?;
    let signals = Signals::listen();
    let report = logger.run_until(signals.received()).await?;
    tell(&report, &source, args, output)?;
    Ok(signals.exit(exit(&report)))
}

fn source(args: &ImportArgs) -> Result<FileSource, Failure> {
    let mut builder = FileSource::builder(&args.path)
        .with_recursive(args.recursive)
        .with_mbox_quoting(args.mbox_quoting.into());
    if let Some(format) = args.format.named() {
        builder = builder.with_format(format);
    }
    if let Some(directory) = &args.move_to {
        builder = builder.with_move_to(directory);
    }
    let named = |error: email_logging::Error| error.with_detail(args.path.display().to_string());
    Ok(builder.build().map_err(|error| match error.detail() {
        Some(_) => error,
        None => named(error),
    })?)
}

/// The logger up to its store. Its folders are the files', whatever the set-up says.
fn builder(
    config: &Config,
    source: FileSource,
    output: &Output,
) -> Result<EmailLoggerBuilder, Failure> {
    let directory = connect::directory(config)?;
    connect::tell_problems(&directory, output);
    let mut settings = config.run_settings().with_events(false);
    // There may be no next run that goes on with the index.
    settings.index_batch = u32::MAX;
    let mut builder = EmailLogger::builder()
        .with_scope(config.scope()?)
        .with_policy(config.policy(&directory.own_domains())?)
        .with_directory(Arc::new(directory))
        .with_source(Arc::new(source))
        .with_queue_folder(FileSource::queue_folder())
        .with_storage_folder(FileSource::storage_folder())
        .with_settings(settings);
    if let Some(bar) = output.bar() {
        builder = builder.with_progress(bar);
    }
    Ok(builder)
}

/// Every role but the set-up, which is that of another mailbox.
fn with_store(builder: EmailLoggerBuilder, store: Arc<SqliteStore>) -> EmailLoggerBuilder {
    builder
        .with_review_store(Arc::clone(&store))
        .with_ledger(Arc::clone(&store) as _)
        .with_log(Arc::clone(&store) as _)
        .with_content_index(store)
}

/// Mail that is left is no success, though the next import tries it again.
fn exit(report: &RunReport) -> Exit {
    if report.pending + report.moves_pending > 0 {
        Exit::Failed
    } else {
        exit_of(report)
    }
}

fn tell(
    report: &RunReport,
    source: &FileSource,
    args: &ImportArgs,
    output: &Output,
) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({
            "dry-run": args.dry_run,
            "format": format(source),
            "passed-over": source.passed_over(),
            "report": report,
        }));
    }
    if let Some(why) = report.skipped {
        return output.line(skipped(why));
    }
    let mails = words::count(report.listed, "mail", "mails");
    let place = safe::text(&args.path.display().to_string());
    output.line(format!("{mails} in {place}, as {}", format(source)))?;
    for (count, text) in lines(report, source) {
        output.line(format!("  {count:>7} {text}"))?;
    }
    if args.dry_run {
        return output.line("Nothing was written, and nothing was moved.");
    }
    Ok(())
}

fn format(source: &FileSource) -> &'static str {
    match source.format() {
        FileFormat::Mbox => "mbox",
        FileFormat::Maildir => "maildir",
        _ => "eml",
    }
}

/// The counts by reason, and what happened besides; what is 0 is left out.
fn lines(report: &RunReport, source: &FileSource) -> Vec<(u64, String)> {
    let reasons = report.reasons.iter().map(|(code, count)| {
        let (outcome, reason) = code.split_once('/').unwrap_or((code, ""));
        let text = match outcome {
            "logged" => format!(
                "logged, with {}",
                words::count(report.entries, "entry", "entries")
            ),
            "pending" => "not readable now, to be tried again".to_owned(),
            _ => words::reason(outcome, reason),
        };
        (*count, text)
    });
    let beside = [
        (
            report.deferred,
            "known from an earlier import, or not taken up now",
        ),
        (report.gone, "taken away before they were read"),
        (report.moved, "moved"),
        (report.moves_pending, "to be moved by the next import"),
        (
            source.passed_over(),
            "passed over: links, or no mail by their name",
        ),
    ];
    let beside = beside.map(|(count, text)| (count, text.to_owned()));
    reasons
        .chain(beside)
        .filter(|(count, _)| *count > 0)
        .collect()
}
