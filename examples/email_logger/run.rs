//! `run` and `watch`: the job itself, once or on a schedule.

mod several;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use email_logging::EmailLogger;
use email_logging::logger::{DryRun, DryRunMail, EmailLoggerBuilder, RunError, RunReport, Skipped};
use email_logging::setup::EmailLoggingSetup;
use email_logging::store::{MemoryStore, SetupStore as _, SqliteStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::cli::{RunArgs, Settings, WatchArgs};
use crate::config::Config;
use crate::connect;
use crate::exit::{self, Exit, Failure};
use crate::installation::Installation;
use crate::output::{Output, failure, mails, safe};
use crate::runs::RunBook;
use crate::signals::Signals;
use crate::wake::{self, Waker};
use crate::words;

/// `run`.
pub(crate) async fn run(
    args: &RunArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let config = Config::load(file, &args.settings)?;
    if !config.mailboxes.is_empty() {
        if args.dry_run {
            return Err(several::no_dry_run());
        }
        return several::run(config, &args.settings, output).await;
    }
    if args.dry_run {
        return dry_run(config, &args.settings, output).await;
    }
    let book = RunBook::beside(config.store_path()?);
    let Some(logger) = logger(config, &args.settings, output).await? else {
        return disabled(output);
    };
    let signals = Signals::listen();
    let result = logger.run_until(signals.received()).await;
    note(&book, &result);
    let report = result?;
    tell(&report, output)?;
    Ok(signals.exit(exit_of(&report)))
}

/// `watch`.
pub(crate) async fn watch(
    args: &WatchArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut config = Config::load(file, &args.settings)?;
    config.apply_schedule(args.every.as_ref(), args.first_after.as_ref())?;
    config.apply_wake(args.wake);
    config.waker = Waker::start(&config.wake).await?;
    let waker = config.waker.clone();
    if !config.mailboxes.is_empty() {
        return several::watch(config, &args.settings, output).await;
    }
    let schedule = config.schedule();
    let book = RunBook::beside(config.store_path()?);
    let Some(logger) = logger(config, &args.settings, output).await? else {
        return disabled(output);
    };
    let signals = Signals::listen();
    output.note(format!(
        "The first run is in {}, then one every {}.",
        span(schedule.first_after),
        span(schedule.every)
    ));
    wake::tell(waker.as_ref(), output);
    output.note("Ctrl-C finishes what is begun and stops; twice stops at once.");
    let mut quarantined = 0;
    let mut closed = None;
    let ended = logger
        .run(&schedule, signals.received(), |result| {
            quarantined += result.as_ref().map_or(0, |report| report.quarantined);
            note(&book, result);
            let told = tell_scheduled(result, output);
            wake::tell_trouble(waker.as_ref(), output);
            closed = closed.take().or(told.err());
        })
        .await;
    wake::end(waker).await;
    ended?;
    if let Some(failure) = closed {
        return Err(failure);
    }
    let exit = if quarantined > 0 {
        Exit::Quarantined
    } else {
        Exit::Done
    };
    Ok(signals.exit(exit))
}

/// Notes a run of the one mailbox of a configuration.
fn note(book: &RunBook, result: &Result<RunReport, RunError>) {
    let failure = result.as_ref().err().map(|failed| failed.error.code());
    book.note("default", |runs| runs.ended(failure));
}

/// The logger of the stored set-up, else of the configuration; none while the set-up is disabled.
pub(crate) async fn logger(
    config: Config,
    flags: &Settings,
    output: &Output,
) -> Result<Option<EmailLogger>, Failure> {
    let path = config.store_path()?.to_owned();
    if path.is_file() {
        let store = connect::store(&path).await?;
        return match builder_of(config, Arc::clone(&store), flags, output).await? {
            Some(builder) => {
                let builder = builder.with_review_store(Arc::clone(&store));
                Ok(Some(builder.with_store(store).build()?))
            }
            None => Ok(None),
        };
    }
    let builder = connect::logger(&config, output)?;
    let store = connect::store(&path).await?;
    let builder = builder.with_review_store(Arc::clone(&store));
    Ok(Some(builder.with_store(store).build()?))
}

/// A logger up to its store; none while the set-up of its scope is disabled.
async fn builder_of(
    config: Config,
    store: Arc<SqliteStore>,
    flags: &Settings,
    output: &Output,
) -> Result<Option<EmailLoggerBuilder>, Failure> {
    match set_up(config, store).await? {
        SetUp::Enabled(installation, setup) => {
            tell_unused(flags, output);
            let builder = connect::logger_of_setup(&installation, &setup, output).await?;
            Ok(Some(builder))
        }
        SetUp::Disabled => Ok(None),
        SetUp::None(config) => connect::logger(&config, output).map(Some),
    }
}

/// What the log says about the set-up.
enum SetUp {
    Enabled(Box<Installation>, Box<EmailLoggingSetup>),
    Disabled,
    /// None was ever stored: the configuration counts.
    None(Box<Config>),
}

async fn set_up(config: Config, store: Arc<SqliteStore>) -> Result<SetUp, Failure> {
    let Some(stored) = store.load_setup(&config.scope()?).await? else {
        return Ok(SetUp::None(Box::new(config)));
    };
    if !stored.setup.enabled {
        return Ok(SetUp::Disabled);
    }
    let installation = Installation::with_store(config, store)?;
    Ok(SetUp::Enabled(
        Box::new(installation),
        Box::new(stored.setup),
    ))
}

/// Flags that the stored set-up overrules; who typed one should know.
fn tell_unused(flags: &Settings, output: &Output) {
    let typed = [
        ("--url", flags.url.is_some()),
        ("--user-name", flags.user_name.is_some()),
        ("--queue", flags.queue.is_some()),
        ("--storage", flags.storage.is_some()),
    ];
    let names = typed.iter().filter(|(_, typed)| *typed);
    let names: Vec<_> = names.map(|(name, _)| *name).collect();
    if !names.is_empty() {
        output.note(format!(
            "note: the set-up that is stored counts, and not {}; `setup` shows and changes it",
            names.join(", ")
        ));
    }
}

/// Says that logging is off, and how to switch it on.
pub(crate) fn disabled(output: &Output) -> Result<Exit, Failure> {
    let why = Skipped::LoggingDisabled;
    if output.json() {
        output.value(&json!({ "report": { "skipped": why } }))?;
    } else {
        output.line(skipped(why))?;
        output.note("To switch it on:");
        output.note(format!("  {}", words::command("enable")));
    }
    Ok(Exit::Access)
}

/// Nothing is written, not even an empty file where there is no log yet.
async fn dry_run(config: Config, flags: &Settings, output: &Output) -> Result<Exit, Failure> {
    let logger = if config.store_path()?.is_file() {
        let store = connect::existing_store(&config)?;
        let builder = match set_up(config, Arc::clone(&store)).await? {
            SetUp::Enabled(installation, setup) => {
                tell_unused(flags, output);
                connect::logger_of_setup(&installation, &setup, output).await?
            }
            SetUp::Disabled => return disabled(output),
            SetUp::None(config) => connect::logger(&config, output)?,
        };
        builder.with_store(store).build()?
    } else {
        let builder = connect::logger(&config, output)?;
        builder.with_store(Arc::new(MemoryStore::new())).build()?
    };
    let dry = logger.dry_run().await?;
    if output.json() {
        for mail in &dry.mails {
            output.value(&json!({
                "key": mail.key.to_string(),
                "subject": mail.subject,
                "already-logged": mail.already_logged,
                "decision": mail.decision,
            }))?;
        }
        output.value(&json!({ "dry-run": true, "report": dry.report }))?;
    } else {
        tell_dry(&dry, output)?;
    }
    Ok(if dry.report.skipped.is_some() {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn tell_dry(dry: &DryRun, output: &Output) -> Result<(), Failure> {
    if let Some(why) = dry.report.skipped {
        return output.line(skipped(why));
    }
    let subjects: Vec<String> = dry.mails.iter().map(|mail| subject(mail, output)).collect();
    let widest = subjects
        .iter()
        .map(|text| safe::width(text))
        .max()
        .unwrap_or(0);
    for (mail, subject) in dry.mails.iter().zip(&subjects) {
        let gap = " ".repeat(widest - safe::width(subject) + 2);
        let verdict = safe::fit(
            &verdict(mail),
            output.columns().saturating_sub(widest + 2).max(20),
        );
        output.line(format!("{subject}{gap}{}", output.style().dim(&verdict)))?;
    }
    let report = &dry.report;
    output.line(format!(
        "A run would log {} with {} and leave {} unlogged. Nothing was written, and nothing was moved.",
        words::count(report.logged, "mail", "mails"),
        words::count(report.entries, "entry", "entries"),
        report.not_matched + report.excluded + report.quarantined,
    ))
}

fn subject(mail: &DryRunMail, output: &Output) -> String {
    let subject = mail
        .subject
        .as_deref()
        .unwrap_or("(nothing of this mail is kept)");
    safe::fit(subject, output.columns() / 2)
}

fn verdict(mail: &DryRunMail) -> String {
    if mail.already_logged {
        return "in the log already".into();
    }
    let decision = &mail.decision;
    let pairs: Vec<String> = decision
        .entries
        .iter()
        .map(|entry| {
            let arrow = mails::arrow(entry.flow);
            let (contact, salesperson) = entry.pair();
            format!("{salesperson} {arrow} {contact}")
        })
        .collect();
    if pairs.is_empty() {
        words::reason(decision.outcome.code(), decision.outcome.reason())
    } else {
        pairs.join(", ")
    }
}

/// What a run did, in one line for people and in one object for programs.
fn tell(report: &RunReport, output: &Output) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({ "report": report }));
    }
    match in_one_line(report) {
        Some(line) => output.line(line),
        None => summary(report)
            .iter()
            .try_for_each(|line| output.line(line)),
    }
}

/// Why a run did nothing.
pub(crate) fn skipped(why: Skipped) -> &'static str {
    match why {
        Skipped::LoggingDisabled => "Email logging is disabled in the set-up; nothing was done.",
        Skipped::MailboxBusy => "Another worker holds the mailbox; nothing was done.",
        _ => "The run was skipped; nothing was done.",
    }
}

/// What there is to say of a run that found nothing to do.
fn in_one_line(report: &RunReport) -> Option<String> {
    if let Some(why) = report.skipped {
        return Some(skipped(why).to_owned());
    }
    let done = report.fetched + report.gone + report.moved + report.deleted + report.recovered;
    if done + report.moves_pending + report.vanished > 0 {
        return None;
    }
    Some(if report.deferred == 0 {
        "The queue folder is empty; there was nothing to do.".to_owned()
    } else {
        let mails = words::count(report.deferred, "mail", "mails");
        format!(
            "Nothing new in the queue folder; {mails} passed over: set aside before, or not due yet."
        )
    })
}

/// The counts in words. Those above the line's end close; what is 0 is left out.
pub(crate) fn summary(report: &RunReport) -> Vec<String> {
    let logged = format!(
        "logged, with {}",
        words::count(report.entries, "entry", "entries")
    );
    let closing = [
        (report.logged, logged.as_str()),
        (
            report.already_logged,
            "known from before: nothing is logged twice",
        ),
        (
            report.not_matched,
            "without a pair of a salesperson and a contact",
        ),
        (report.excluded, "left out by the policy"),
        (report.quarantined, "set aside for a person"),
        (report.pending, "failed, to be tried again"),
    ];
    let beside = [
        (report.gone, "taken away before they were read"),
        (
            report.deferred,
            "passed over: set aside before, or not due yet",
        ),
        (report.moved, "moved out of the queue"),
        (report.deleted, "deleted, as the policy says"),
        (report.moves_pending, "to be moved by the next run"),
        (report.recovered, "moves of an earlier run finished"),
        (report.duplicate_copies, "in the storage folder twice"),
        (report.vanished, "taken away before they were moved"),
    ];
    let width = report.listed.max(report.moved).to_string().len();
    let line = |(count, text): &(u64, &str)| format!("  {count:>width$} {text}");
    let shown = |counts: &[(u64, &str)]| -> Vec<String> {
        counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(line)
            .collect()
    };
    let mut lines = vec![words::count(report.fetched, "mail read", "mails read")];
    lines.extend(shown(&closing));
    let beside = shown(&beside);
    if !beside.is_empty() {
        lines.push("and".into());
        lines.extend(beside);
    }
    lines
}

/// A duration as it is written in the configuration.
pub(crate) fn span(span: Duration) -> String {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    format!("{span:#}")
}

/// A run of the schedule, with the time at which it ended.
fn tell_scheduled(result: &Result<RunReport, RunError>, output: &Output) -> Result<(), Failure> {
    let now = format!("{} UTC", mails::minute(Timestamp::now()));
    if !output.json() {
        let one = result.as_ref().ok().and_then(in_one_line);
        let idle = one.is_some();
        let rest = one.map_or_else(String::new, |line| format!("  {line}"));
        output.line(output.style().dim(&format!("{now}{rest}")))?;
        if idle {
            return Ok(());
        }
    }
    match result {
        Ok(report) => tell(report, output),
        Err(error) if output.json() => {
            let error = failure::run_error(error, exit::of_run(error));
            output.value(&json!({ "error": error }))
        }
        Err(error) => {
            let text = safe::text(&exit::what(&error.error, Some(error.step)));
            output.note(format!("this run failed: {text}"));
            output.note(format!("  what to do: {}", exit::remedy(&error.error)));
            Ok(())
        }
    }
}

/// The exit code of a run that ended. One that was skipped did not do what it was asked.
pub(crate) fn exit_of(report: &RunReport) -> Exit {
    if report.skipped.is_some() {
        Exit::Failed
    } else if report.quarantined > 0 {
        Exit::Quarantined
    } else {
        Exit::Done
    }
}
