//! `run` and `watch` over the mailboxes of `[[mailbox]]`: in turn, on one log, each alone with its failures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use email_logging::EmailLogger;
use email_logging::logger::{
    LoggerPool, MailboxHealth, MailboxState, PoolSettings, RunError, RunReport,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{builder_of, exit_of, span, tell, tell_scheduled};
use crate::cli::Settings;
use crate::config::{Config, ConfigError, Mailbox};
use crate::connect;
use crate::exit::{Exit, Failure};
use crate::output::{Output, mails};
use crate::runs::{RunBook, Runs};
use crate::signals::Signals;
use crate::wake;

/// The loggers of all mailboxes that are not disabled, by name.
async fn loggers(
    config: &mut Config,
    flags: &Settings,
    output: &Output,
    gates: &email_logging::source::ews::ThrottlingGates,
) -> Result<Vec<(String, EmailLogger)>, Failure> {
    let path = config.store_path()?.to_owned();
    let store = connect::store(&path).await?;
    let waker = &config.waker;
    let mut all = Vec::new();
    for Mailbox { name, mut config } in std::mem::take(&mut config.mailboxes) {
        config.gates = gates.clone();
        config.waker.clone_from(waker);
        match builder_of(config, Arc::clone(&store), flags, output).await? {
            Some(builder) => {
                let builder = builder
                    .with_mailbox(name.as_str())
                    .with_review_store(Arc::clone(&store))
                    .with_store(Arc::clone(&store));
                all.push((name, builder.build()?));
            }
            None => output.note(format!("{name}: email logging is disabled in its set-up")),
        }
    }
    Ok(all)
}

/// One run of each mailbox, one after the other. A mailbox that fails stops no other.
pub(super) async fn run(
    mut config: Config,
    flags: &Settings,
    output: &Output,
) -> Result<Exit, Failure> {
    let book = RunBook::beside(config.store_path()?);
    let gates = email_logging::source::ews::ThrottlingGates::new();
    let loggers = loggers(&mut config, flags, output, &gates).await?;
    if loggers.is_empty() {
        return super::disabled(output);
    }
    let signals = Signals::listen();
    let mut exit = Exit::Done;
    for (name, logger) in &loggers {
        let result = logger.run_until(signals.received()).await;
        let code = result.as_ref().err().map(|failed| failed.error.code());
        book.note(name, |runs| runs.ended(code));
        named(name, output)?;
        let of_this = match &result {
            Ok(report) => {
                tell(report, output)?;
                exit_of(report)
            }
            Err(failed) => {
                tell_scheduled(&result, output)?;
                crate::exit::of_run(failed)
            }
        };
        exit = worse(exit, of_this);
        if signals.exit(Exit::Done) == Exit::Interrupted {
            break;
        }
    }
    Ok(signals.exit(exit))
}

/// A failure weighs more than mail that was set aside, and that more than nothing.
fn worse(one: Exit, other: Exit) -> Exit {
    let weight = |exit: Exit| match exit {
        Exit::Done => 0,
        Exit::Quarantined => 1,
        Exit::Failed => 2,
        _ => 3,
    };
    if weight(other) > weight(one) {
        other
    } else {
        one
    }
}

/// All mailboxes on the schedule, until Ctrl-C; then what is begun is finished.
pub(super) async fn watch(
    mut config: Config,
    flags: &Settings,
    output: &Output,
) -> Result<Exit, Failure> {
    let book = RunBook::beside(config.store_path()?);
    let (schedule, waker) = (config.schedule(), config.waker.clone());
    let mut settings = PoolSettings::default();
    settings.every = schedule.every;
    settings.hint_pause = schedule.hint_pause;
    let pool = LoggerPool::new(settings);
    let mut names = BTreeMap::new();
    for (name, logger) in loggers(&mut config, flags, output, &pool.gates()).await? {
        names.insert(pool.add(logger)?, name);
    }
    if names.is_empty() {
        return super::disabled(output);
    }
    let signals = Signals::listen();
    output.note(format!(
        "{} mailboxes: each begins in {}, and then has a run every {}.",
        names.len(),
        span(schedule.first_after),
        span(schedule.every)
    ));
    wake::tell(waker.as_ref(), output);
    output.note("Ctrl-C finishes what is begun and stops; twice stops at once.");
    tokio::select! {
        () = signals.received() => return Ok(signals.exit(Exit::Done)),
        () = tokio::time::sleep(schedule.first_after) => {}
    }
    let (mut quarantined, mut closed) = (0, None);
    pool.run(signals.received(), |mailbox, result| {
        quarantined += result.as_ref().map_or(0, |report| report.quarantined);
        let name = names.get(mailbox).map_or("", String::as_str);
        let told = ended(name, result, pool.health().of(mailbox), &book, output);
        wake::tell_trouble(waker.as_ref(), output);
        closed = closed.take().or(told.err());
    })
    .await;
    wake::end(waker).await;
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

fn ended(
    name: &str,
    result: &Result<RunReport, RunError>,
    health: Option<&MailboxHealth>,
    book: &RunBook,
    output: &Output,
) -> Result<(), Failure> {
    let code = result.as_ref().err().map(|failed| failed.error.code());
    book.note(name, |runs| {
        runs.ended(code);
        if let Some(health) = health {
            note_health(runs, health);
        }
    });
    named(name, output)?;
    tell_scheduled(result, output)?;
    match health {
        Some(health) => tell_health(name, health, output),
        None => Ok(()),
    }
}

fn note_health(runs: &mut Runs, health: &MailboxHealth) {
    let since = |age: Duration| {
        let age = SignedDuration::try_from(age).ok()?;
        Timestamp::now().checked_sub(age).ok()
    };
    runs.oldest_mail = health.lag.and_then(since);
    runs.oldest_move = health.oldest_move.and_then(since);
    if let MailboxState::BackingOff { until } = health.state {
        runs.backs_off_until = Some(until);
    }
}

fn named(name: &str, output: &Output) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({ "mailbox": name }));
    }
    output.line(output.style().strong(name))
}

/// One line: what the mailbox does now, and what waits in it.
fn tell_health(name: &str, health: &MailboxHealth, output: &Output) -> Result<(), Failure> {
    let at = |time: Timestamp| format!("{} UTC", mails::minute(time));
    let state = match &health.state {
        MailboxState::Waiting { until } => format!("next run {}", at(*until)),
        MailboxState::BackingOff { until } => format!(
            "failed {} times in a row, tried again {}",
            health.failed_in_a_row,
            at(*until)
        ),
        MailboxState::Elsewhere { until } => {
            format!("another worker has it, looked at again {}", at(*until))
        }
        MailboxState::Disabled { .. } => "disabled in its set-up".into(),
        MailboxState::Paused { .. } => "paused until an administrator signs in again".into(),
        MailboxState::Leaving => "ends".into(),
        _ => "runs".into(),
    };
    if output.json() {
        return output.value(&json!({ "health": {
            "mailbox": name,
            "state": state,
            "well": health.is_well(),
            "last-success": health.last_success,
            "failed-in-a-row": health.failed_in_a_row,
            "lag-seconds": health.lag.map(|lag| lag.as_secs()),
            "oldest-move-seconds": health.oldest_move.map(|age| age.as_secs()),
            "queued": health.queued,
        } }));
    }
    let success = health.last_success.map_or_else(|| "never".into(), at);
    let lag = health.lag.map_or_else(|| "none".into(), span);
    output.line(format!("  {state}; last success {success}; lag {lag}"))
}

/// Where a configuration lists mailboxes, a command that works on one of them cannot tell which is meant.
pub(crate) fn no_dry_run() -> Failure {
    ConfigError::invalid(
        "--dry-run works on one mailbox, and the configuration lists several in [[mailbox]]",
        "Name a configuration file with one of them, such as --config ONE.toml.",
    )
    .into()
}
