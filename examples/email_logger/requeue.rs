//! `requeue`: another try for mail that was set aside for a person.

use std::path::Path;
use std::sync::Arc;

use email_logging::error::codes;
use email_logging::logger::RequeueReport;
use email_logging::source::SightingKey;
use email_logging::store::{MailLedger as _, SightingState};
use email_logging::{EmailLogger, MailboxKey};
use serde_json::json;

use crate::cli::{RequeueArgs, Settings};
use crate::config::Config;
use crate::connect;
use crate::exit::{Exit, Failure};
use crate::find::{Found, Reader};
use crate::output::Output;
use crate::words;

/// The mailbox of a configuration that names one alone.
const MAILBOX: &str = "queue";

/// Why a mail stays set aside where the configuration does not say enough to look into the folders.
const UNCONNECTED: &str = codes::SETUP_INCOMPLETE.code;

/// `requeue`.
pub(crate) async fn requeue(
    args: &RequeueArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let mut found = Vec::new();
    for which in &args.ids {
        found.push((which, reader.find(which).await?));
    }
    let logger = mover(args, file, &reader, output)?;
    let (mut all, mut refused) = (RequeueReport::default(), Vec::new());
    for (which, found) in &found {
        let requeued = again(&reader, logger.as_ref(), found).await?;
        if output.json() {
            let id = which.to_string();
            let (mails, back) = (requeued.requeued, requeued.moved_back);
            let (failed, failure) = (requeued.failed, &requeued.failure);
            output.value(&json!({
                "requeue": {
                    "id": id, "mails": mails, "moved-back": back, "failed": failed, "failure": failure
                }
            }))?;
        }
        if requeued.requeued + requeued.moved_back + requeued.failed == 0 {
            refused.push(which.to_string());
        }
        add(&mut all, requeued);
    }
    if !output.json() {
        tell(&all, output)?;
    }
    if refused.is_empty() && all.failed > 0 {
        return Ok(Exit::Failed);
    }
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Failure::unknown(
        format!(
            "not set aside, so there is nothing to requeue: {}",
            refused.join(", ")
        ),
        "`log --not-logged` lists what is set aside, with its id.",
    ))
}

fn add(all: &mut RequeueReport, report: RequeueReport) {
    all.requeued += report.requeued;
    all.moved_back += report.moved_back;
    all.failed += report.failed;
    all.failure = all.failure.take().or(report.failure);
}

fn tell(all: &RequeueReport, output: &Output) -> Result<(), Failure> {
    if all.requeued + all.moved_back > 0 {
        tell_tried(all, output)?;
    }
    let Some(code) = &all.failure else {
        return Ok(());
    };
    let items = words::count(all.failed, "item", "items");
    let then = if code == UNCONNECTED {
        "ask again with a configuration that names Exchange, its folders and the directory"
    } else {
        "ask again later"
    };
    output.line(format!(
        "{items} could not be moved back ({code}), so that its mail stays set aside: {then}."
    ))
}

fn tell_tried(all: &RequeueReport, output: &Output) -> Result<(), Failure> {
    let mails = words::count(all.requeued.max(all.moved_back), "mail gets", "mails get");
    output.line(format!(
        "{mails} another try in the next run, if it lies in the queue folder."
    ))?;
    if all.moved_back > 0 {
        let moved = words::count(all.moved_back, "mail was", "mails were");
        output.line(format!("{moved} moved back from the quarantine folder."))?;
    } else {
        output.line("A mail that was moved to the quarantine folder: move it back there yourself, as in Outlook.")?;
    }
    output.line("It is set aside again, unless what stood against it has changed.")
}

/// The logger that moves mail back, where the configuration says enough for one.
fn mover(
    args: &RequeueArgs,
    file: Option<&Path>,
    reader: &Reader,
    output: &Output,
) -> Result<Option<EmailLogger>, Failure> {
    let settings = Settings {
        store: args.store.clone(),
        ..Settings::default()
    };
    let config = Config::load(file, &settings)?;
    let folders = &config.folders;
    let named = config.exchange.url.is_some()
        && folders.quarantine.is_some()
        && folders.queue.is_some()
        && folders.storage.is_some()
        && config.directory.file.is_some();
    if !named {
        return Ok(None);
    }
    let builder = connect::logger(&config, output)?;
    Ok(Some(builder.with_store(Arc::clone(&reader.store)).build()?))
}

/// Every copy of the mail that was set aside.
async fn again(
    reader: &Reader,
    logger: Option<&EmailLogger>,
    found: &Found,
) -> Result<RequeueReport, Failure> {
    let mut all = RequeueReport::default();
    for record in &found.decisions {
        let keys = [record.sighting.clone()];
        match logger {
            Some(logger) if record.mailbox.as_str() == MAILBOX => {
                add(&mut all, logger.requeue(&keys).await?);
            }
            _ => add(&mut all, in_the_log(reader, &record.mailbox, &keys).await?),
        }
    }
    Ok(all)
}

/// Requeues where nobody can look into the folders. A move that is still to be done may have left a copy in the quarantine folder,
/// which the log would forget: such a mail stays set aside.
async fn in_the_log(
    reader: &Reader,
    mailbox: &MailboxKey,
    keys: &[SightingKey],
) -> Result<RequeueReport, Failure> {
    let (store, scope) = (&reader.store, &reader.scope);
    let known = store.known(scope, mailbox, keys).await?;
    let (mut report, mut free) = (RequeueReport::default(), Vec::new());
    for (key, known) in keys.iter().zip(known) {
        match known {
            Some(it) if it.state == SightingState::Quarantined && !it.waiting.is_empty() => {
                report.failed += 1;
                report.failure = Some(UNCONNECTED.to_owned());
            }
            _ => free.push(key.clone()),
        }
    }
    report.requeued = store.requeue(scope, mailbox, &free).await?;
    Ok(report)
}
