//! `requeue`: another try for mail that was set aside for a person.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::{Entropy as _, SystemEntropy};
use email_logging::error::{Error, codes};
use email_logging::logger::RequeueReport;
use email_logging::source::SightingKey;
use email_logging::store::{Acquired, KnownSighting, Lease, MailLedger as _, SightingState};
use email_logging::{EmailLogger, MailboxKey, WorkerId};
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

/// How long a mailbox is held for what is done in the store alone.
const HELD: Duration = Duration::from_mins(1);

/// How long a mailbox is waited for that is to be left alone, as before a run.
const SHORT_QUIET: Duration = Duration::from_secs(5);

/// What became of mails: of those under the mailbox of a configuration, and of those under a key of a host's own.
#[derive(Debug, Default)]
struct Requeued {
    here: RequeueReport,
    elsewhere: RequeueReport,
}

impl Requeued {
    fn add(&mut self, other: Self) {
        add(&mut self.here, other.here);
        add(&mut self.elsewhere, other.elsewhere);
    }

    fn both(&self) -> RequeueReport {
        let mut both = self.here.clone();
        add(&mut both, self.elsewhere.clone());
        both
    }
}

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
    let (mut all, mut refused) = (Requeued::default(), Vec::new());
    for (which, found) in &found {
        let found = again(&reader, logger.as_ref(), found).await?;
        let requeued = found.both();
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
        all.add(found);
    }
    if !output.json() {
        tell(&all, output)?;
    }
    if refused.is_empty() && all.both().failed > 0 {
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

fn tell(all: &Requeued, output: &Output) -> Result<(), Failure> {
    let both = all.both();
    if both.requeued + both.moved_back > 0 {
        tell_tried(&both, output)?;
    }
    let then = if all.here.failure.as_deref() == Some(UNCONNECTED) {
        "ask again with a configuration that names Exchange, its folders and the directory"
    } else {
        "ask again later"
    };
    tell_failed(&all.here, then, output)?;
    // No configuration of this program leads into the folders of a mailbox that a host has named.
    let then = "the host that logs this mailbox gives it another try";
    tell_failed(&all.elsewhere, then, output)
}

fn tell_failed(report: &RequeueReport, then: &str, output: &Output) -> Result<(), Failure> {
    let Some(code) = &report.failure else {
        return Ok(());
    };
    let items = words::count(report.failed, "item", "items");
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
) -> Result<Requeued, Failure> {
    let mut all = Requeued::default();
    for record in &found.decisions {
        let keys = [record.sighting.clone()];
        let is_here = record.mailbox.as_str() == MAILBOX;
        let done = match logger {
            Some(logger) if is_here => logger.requeue(&keys).await?,
            _ => in_the_log(reader, &record.mailbox, &keys).await?,
        };
        let whose = if is_here {
            &mut all.here
        } else {
            &mut all.elsewhere
        };
        add(whose, done);
    }
    Ok(all)
}

/// Requeues where nobody can look into the folders, and holds the mailbox for it: a run beside it may set a mail aside, and begin
/// its move, between the look at it and the write.
async fn in_the_log(
    reader: &Reader,
    mailbox: &MailboxKey,
    keys: &[SightingKey],
) -> Result<RequeueReport, Failure> {
    // For what is not set aside nobody is held up.
    if set_aside(reader, mailbox, keys).await?.is_empty() {
        return Ok(RequeueReport::default());
    }
    let lease = take(reader, mailbox).await?;
    let done = under(reader, &lease, keys).await;
    // A lease that cannot be given back ends by itself.
    let _ = reader.store.release(&reader.scope, &lease).await;
    done
}

async fn take(reader: &Reader, mailbox: &MailboxKey) -> Result<Lease, Failure> {
    let mut random = [0; 8];
    SystemEntropy.fill(&mut random);
    // A name that nobody else has: a lease is taken over by who has the same one.
    let worker = WorkerId::new(format!("requeue-{:016x}", u64::from_be_bytes(random)));
    for is_last in [false, true] {
        let acquired = reader.store.acquire(&reader.scope, mailbox, &worker, HELD);
        match acquired.await? {
            Acquired::Held(lease) => return Ok(lease),
            Acquired::Quiet { left } if left > SHORT_QUIET || is_last => {
                let quiet = Error::new(&codes::LEASE_QUIET, "requeue").with_retry_after(left);
                return Err(quiet.into());
            }
            Acquired::Quiet { left } => tokio::time::sleep(left).await,
            _ => break,
        }
    }
    Err(Error::new(&codes::LEASE_BUSY, "requeue").into())
}

/// A move that is still to be done may have left a copy in the quarantine folder, which the log would forget: such a mail stays
/// set aside.
async fn under(
    reader: &Reader,
    lease: &Lease,
    keys: &[SightingKey],
) -> Result<RequeueReport, Failure> {
    let (mut report, mut free) = (RequeueReport::default(), Vec::new());
    for (key, known) in set_aside(reader, &lease.mailbox, keys).await? {
        if known.waiting.is_empty() {
            free.push(key);
        } else {
            report.failed += 1;
            report.failure = Some(UNCONNECTED.to_owned());
        }
    }
    report.requeued = reader
        .store
        .requeue_held(&reader.scope, lease, &free)
        .await?;
    Ok(report)
}

/// Those of these sightings that are set aside.
async fn set_aside(
    reader: &Reader,
    mailbox: &MailboxKey,
    keys: &[SightingKey],
) -> Result<Vec<(SightingKey, KnownSighting)>, Failure> {
    let known = reader.store.known(&reader.scope, mailbox, keys).await?;
    let known = keys.iter().zip(known);
    let known = known.filter_map(|(key, known)| Some((key.clone(), known?)));
    let aside = known.filter(|(_, known)| known.state == SightingState::Quarantined);
    Ok(aside.collect())
}
