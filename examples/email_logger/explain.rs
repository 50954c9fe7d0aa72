//! `explain`: why a mail is logged or not, step by step, without a server and without a store.

use std::path::Path;
use std::sync::Arc;

use email_logging::EmailLogger;
use email_logging::decision::{Decision, Keep, Verdict};
use email_logging::logger::RunSettings;
use email_logging::message::{MailAddress, MailFacts, Mailbox, Message};
use email_logging::source::{FolderPath, FolderRoot, MemorySource};
use email_logging::store::MemoryStore;
use serde_json::json;

use crate::cli::{ExplainArgs, Settings};
use crate::config::Config;
use crate::connect;
use crate::exit::{Exit, Failure};
use crate::output::{Output, mails, safe};
use crate::samples::{DIRECTORY, Sample};
use crate::words;

/// Addresses of one header that are named; more are counted.
const NAMED: usize = 4;

/// `explain`.
pub(crate) async fn explain(
    args: &ExplainArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let settings = Settings {
        directory: args.directory.clone(),
        ..Settings::default()
    };
    let config = Config::load(file, &settings)?;
    if config.directory.file.is_none() && args.files.iter().any(|path| sample(path).is_none()) {
        output.note(
            "note: no directory is set, so salespeople and contacts are those of the sample mails;",
        );
        output.note("      name the file of your own with --directory FILE");
    }
    for (index, path) in args.files.iter().enumerate() {
        let (name, original) = read(path)?;
        let logger = logger(&config)?;
        let decision = logger.explain(&original, &MailFacts::default()).await?;
        let limits = RunSettings::default().limits;
        let message = Message::read(&original, &MailFacts::default(), &limits).ok();
        let message = message.filter(|_| decision.keep != Keep::Reason);
        if output.json() {
            output.value(&json!({
                "file": name,
                "subject": message.as_ref().map(|message| &message.subject),
                "decision": decision,
            }))?;
            continue;
        }
        if index > 0 {
            output.line("")?;
        }
        tell(&name, message.as_ref(), &decision, output)?;
    }
    Ok(Exit::Done)
}

/// The number of a sample mail, if the path means one.
fn sample(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix("sample:")
}

/// Name and bytes of a mail.
fn read(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    let Some(word) = sample(path) else {
        let most = RunSettings::default().limits.message_bytes;
        let name = path.display().to_string();
        // One byte more than allowed is enough to say that it is too large.
        return Ok((name, connect::original(path, most + 1)?));
    };
    let sample = Sample::named(word).ok_or_else(|| {
        let what = format!("there is no sample mail `{word}`");
        Failure::usage(what, "Give its number, from sample:01 to sample:90.")
    })?;
    Ok((sample.name.to_owned(), sample.original.to_vec()))
}

/// Without another directory people are those of the samples.
fn logger(config: &Config) -> Result<EmailLogger, Failure> {
    let directory = if config.directory.file.is_some() {
        connect::directory(config)?
    } else {
        connect::read_directory(DIRECTORY, "the directory of the samples")?
    };
    let logger = EmailLogger::builder()
        .with_scope(config.scope()?)
        .with_policy(config.policy(&directory.own_domains())?)
        .with_directory(Arc::new(directory))
        .with_source(Arc::new(MemorySource::new()))
        .with_store(Arc::new(MemoryStore::new()))
        .with_queue_folder(FolderPath::new(FolderRoot::Mailbox, ["Queue"]))
        .with_storage_folder(FolderPath::new(FolderRoot::Mailbox, ["Storage"]));
    Ok(logger.build()?)
}

fn tell(
    name: &str,
    message: Option<&Message>,
    decision: &Decision,
    output: &Output,
) -> Result<(), Failure> {
    let style = output.style();
    output.line(style.strong(&safe::text(name)))?;
    if let Some(message) = message {
        let room = output.columns().saturating_sub(11);
        output.line(format!("  Subject  {}", safe::fit(&message.subject, room)))?;
        let lists = [
            ("From", &message.from),
            ("To", &message.to),
            ("Cc", &message.cc),
            ("Bcc", &message.bcc),
        ];
        for (label, list) in lists {
            if !list.is_empty() {
                output.line(format!("  {label:<7}  {}", safe::fit(&named(list), room)))?;
            }
        }
    }
    output.line("")?;
    tell_steps(&decision.steps, output)?;
    output.line("")?;
    tell_outcome(decision, output)
}

fn named(list: &[Mailbox]) -> String {
    let text = |mailbox: &Mailbox| {
        let address = address(&mailbox.address);
        match mailbox.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => format!("{name} <{address}>"),
            None => address,
        }
    };
    let mut texts: Vec<String> = list.iter().take(NAMED).map(text).collect();
    if list.len() > NAMED {
        texts.push(format!("and {} more", list.len() - NAMED));
    }
    texts.join(", ")
}

fn address(address: &MailAddress) -> String {
    match address {
        MailAddress::Smtp(address) => address.to_string(),
        MailAddress::Exchange(name) => name.clone(),
        _ => "no usable address".into(),
    }
}

/// The steps of a decision, in their order.
pub(crate) fn tell_steps(
    steps: &[email_logging::decision::Step],
    output: &Output,
) -> Result<(), Failure> {
    let room = output.columns().saturating_sub(20).max(20);
    for step in steps {
        let sign = sign(step.verdict);
        let mut label = format!("  {sign} {:<13}", step.stage.code());
        for line in safe::lines(&step.detail, room) {
            output.line(format!("{label}  {line}"))?;
            label = " ".repeat(17);
        }
    }
    Ok(())
}

fn sign(verdict: Verdict) -> char {
    match verdict {
        Verdict::Match => '+',
        Verdict::Note => '!',
        Verdict::Stop => '×',
        _ => '·',
    }
}

fn tell_outcome(decision: &Decision, output: &Output) -> Result<(), Failure> {
    let style = output.style();
    let outcome = &decision.outcome;
    if outcome.reason().is_empty() {
        output.line(format!("  Result   {}", style.good(outcome.code())))?;
    } else {
        let codes = format!("{}, {}", outcome.code(), outcome.reason());
        output.line(format!(
            "  Result   {}",
            style.attention(&safe::text(&codes))
        ))?;
        let words = words::reason(outcome.code(), outcome.reason());
        output.line(format!("           {}", safe::text(&words)))?;
    }
    for entry in &decision.entries {
        let text = format!(
            "{} ({}) {} {} ({})",
            entry.salesperson.name,
            entry.salesperson.code,
            mails::arrow(entry.flow),
            entry.contact.name,
            entry.contact.no
        );
        output.line(format!("  Entry    {}", safe::text(&text)))?;
    }
    if !decision.flags.is_empty() {
        output.line(format!(
            "  Notes    {}",
            safe::text(&decision.flags.join(", "))
        ))?;
    }
    Ok(())
}
