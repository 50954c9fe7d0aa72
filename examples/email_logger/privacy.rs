//! `private`, `hold`, `remove`, `retention`, `erase` and `export-subject`: privacy after logging.

mod subject;

use std::path::Path;

use email_logging::error::codes;
use email_logging::privacy::{Person, RetentionRule};
use email_logging::store::{
    Deletion, Erased, Erasure, InteractionLog as _, Mark, MarkKind, PrivacyDesk, PrivacyStore as _,
    Removed, Retained,
};
use email_logging::{Error, MessageUid};
use serde_json::{Value, json};

use crate::cli::Which;
use crate::cli::privacy::{EraseArgs, MarkArgs, PrivacyCommand, RemoveArgs, RetentionArgs};
use crate::exit::{Exit, Failure};
use crate::find::Reader;
use crate::output::Output;
use crate::words;

/// The commands of privacy.
pub(crate) async fn command(
    command: &PrivacyCommand,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        PrivacyCommand::Private(args) => mark(&args.mail, MarkKind::Private, file, output).await,
        PrivacyCommand::Hold(args) => mark(&args.mail, MarkKind::Hold, file, output).await,
        PrivacyCommand::Remove(args) => remove(args, file, output).await,
        PrivacyCommand::Retention(args) => retention(args, file, output).await,
        PrivacyCommand::Erase(args) => erase(args, file, output).await,
        PrivacyCommand::ExportSubject(args) => subject::export(args, file, output).await,
    }
}

async fn message(reader: &Reader, which: &Which) -> Result<MessageUid, Failure> {
    let found = reader.find(which).await?;
    found.message.ok_or_else(|| {
        Failure::unknown(
            "nothing of this mail is kept",
            "Name a mail that `log` lists.",
        )
    })
}

async fn mark(
    args: &MarkArgs,
    kind: MarkKind,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let message = message(&reader, &args.which).await?;
    let (store, scope) = (&reader.store, &reader.scope);
    let changed = if args.undo {
        store.unmark_mail(scope, &message, kind).await?
    } else {
        let mark = Mark::new(&*args.by, &*args.reason);
        store.mark_mail(scope, &message, kind, &mark).await?;
        true
    };
    if output.json() {
        let marked = !args.undo;
        output.value(&json!({ kind.code(): {
            "message": message.to_string(), "marked": marked, "changed": changed,
        } }))?;
        return Ok(Exit::Done);
    }
    output.line(match (kind, args.undo, changed) {
        (_, true, false) => "The mail has no such mark.",
        (MarkKind::Private, false, _) => {
            "The mail is shown to its own salespeople alone; `private --undo` takes that back."
        }
        (MarkKind::Private, true, _) => "The mail is shown as others are.",
        (_, false, _) => "The mail stays, whatever its age; `hold --undo` takes that back.",
        (_, true, _) => "The mail goes when it is old enough.",
    })?;
    Ok(Exit::Done)
}

async fn remove(args: &RemoveArgs, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let message = message(&reader, &args.which).await?;
    let (store, scope) = (&*reader.store, &reader.scope);
    let removed = if args.dry_run {
        let marks = store.marks(scope, &message).await?;
        if marks.iter().any(|(kind, _)| *kind == MarkKind::Hold) {
            return Err(Error::new(&codes::PRIVACY_HELD, "remove").into());
        }
        let mail = store.mail(scope, &message).await?;
        let mut removed = Removed::default();
        (removed.mails, removed.entries) = (1, mail.entries.len() as u64);
        let original = store.original(scope, &message, 0..0).await;
        removed.originals = u64::from(original.is_ok());
        removed.messages.push(message);
        removed
    } else {
        PrivacyDesk::new(store, scope, &*args.by)
            .remove(&message)
            .await?
    };
    if output.json() {
        output.value(&json!({ "remove": counts(&removed, args.dry_run) }))?;
    } else {
        tell(&removed, args.dry_run, output)?;
    }
    Ok(Exit::Done)
}

async fn retention(
    args: &RetentionArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let mut rule = RetentionRule::before(args.older_than).with_templates(args.template.clone());
    if let Some(company) = &args.company {
        rule = rule.with_company(company.as_str());
    }
    let desk = PrivacyDesk::new(&*reader.store, &reader.scope, &*args.by);
    let told = desk.retain(&rule, deletion(args.dry_run)).await?;
    if output.json() {
        let mut value = counts(&told.removed, args.dry_run);
        let kept = json!({
            "for-opportunity": told.kept_for_opportunity,
            "on-hold": told.kept_on_hold,
            "waiting": told.kept_waiting,
        });
        add(&mut value, "kept", kept);
        output.value(&json!({ "retention": value }))?;
        return Ok(Exit::Done);
    }
    tell(&told.removed, args.dry_run, output)?;
    tell_kept(&told, output)?;
    Ok(Exit::Done)
}

fn tell_kept(told: &Retained, output: &Output) -> Result<(), Failure> {
    let kept = [
        (told.kept_for_opportunity, "for an open opportunity"),
        (told.kept_on_hold, "on hold"),
        (told.kept_waiting, "until the host's own log has it"),
    ];
    for (number, why) in kept.into_iter().filter(|(number, _)| *number > 0) {
        let mails = words::count(number, "mail is", "mails are");
        output.line(format!("{mails} kept {why}."))?;
    }
    Ok(())
}

async fn erase(args: &EraseArgs, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    let mut person = Person::default();
    for address in &args.person.address {
        person = named(person, address)?;
    }
    if let Some(contact) = &args.person.contact {
        person = person.with_contact(contact.as_str());
    }
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let erasure = Erasure::default()
        .with_never_again(args.never_again)
        .with_refuse_open_opportunities(args.refuse_open_opportunities);
    let mut desk = PrivacyDesk::new(&*reader.store, &reader.scope, &*args.by);
    let directory = if reader.has_directory() {
        Some(reader.directory()?)
    } else {
        None
    };
    if let Some(directory) = &directory {
        desk = desk.with_directory(&*reader.store, directory);
    }
    let told = desk.erase(&person, erasure, deletion(args.dry_run)).await?;
    if output.json() {
        let mut value = counts(&told.removed, args.dry_run);
        add(&mut value, "forgotten", forgotten(&told));
        add(&mut value, "addresses", json!(told.addresses));
        add(&mut value, "shared-addresses", json!(told.shared_addresses));
        output.value(&json!({ "erase": value }))?;
        return Ok(Exit::Done);
    }
    tell(&told.removed, args.dry_run, output)?;
    tell_forgotten(&told, output)?;
    if !told.shared_addresses.is_empty() {
        let shared = told.shared_addresses.join(", ");
        let line =
            format!("Others have these addresses too, by which nothing was erased: {shared}.");
        output.line(line)?;
    }
    if !args.dry_run && args.never_again {
        output.line("Mail that names the person is never logged again.")?;
    }
    Ok(Exit::Done)
}

/// The person with one more address.
fn named(person: Person, address: &str) -> Result<Person, Failure> {
    person.with_address(address).map_err(|_| {
        Failure::usage(
            "this is no address",
            "Give an address such as anna@example.com.",
        )
    })
}

fn forgotten(told: &Erased) -> Value {
    let other = &told.forgotten;
    json!({
        "never-log-rules": other.never_log_rules,
        "decisions": other.decisions,
        "reviews": other.reviews,
        "comments": other.comments,
        "opportunities": other.opportunities,
        "open-opportunities": other.open_opportunities.max(told.open_opportunities),
    })
}

fn tell_forgotten(told: &Erased, output: &Output) -> Result<(), Failure> {
    let other = &told.forgotten;
    let parts = [
        (other.never_log_rules, "never-log rule", "never-log rules"),
        (other.decisions, "decision's words", "decisions' words"),
        (other.reviews, "note of the queue", "notes of the queue"),
        (other.comments, "comment", "comments"),
    ];
    let parts = parts.into_iter().filter(|(number, ..)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(n, one, more)| words::count(n, one, more))
        .collect();
    if !parts.is_empty() {
        output.line(format!("Besides: {}.", parts.join(", ")))?;
    }
    if other.opportunities > 0 {
        let deals = words::count(
            other.opportunities,
            "opportunity stays",
            "opportunities stay",
        );
        output.line(format!("{deals}, without name and words."))?;
    }
    Ok(())
}

fn deletion(dry_run: bool) -> Deletion {
    if dry_run {
        Deletion::Preview
    } else {
        Deletion::Delete
    }
}

fn counts(removed: &Removed, dry_run: bool) -> Value {
    let ids: Vec<String> = removed.messages.iter().map(ToString::to_string).collect();
    json!({
        "done": !dry_run,
        "mails": removed.mails,
        "entries": removed.entries,
        "originals": removed.originals,
        "messages": ids,
        "host-references": removed.host_references,
    })
}

fn add(value: &mut Value, name: &str, more: Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), more);
    }
}

fn tell(removed: &Removed, dry_run: bool, output: &Output) -> Result<(), Failure> {
    let verb = if dry_run { "Would remove" } else { "Removed" };
    output.line(format!(
        "{verb} {} with {} and {}.",
        words::count(removed.mails, "mail", "mails"),
        words::count(removed.entries, "entry", "entries"),
        words::count(removed.originals, "original", "originals"),
    ))?;
    if dry_run {
        output.note("Nothing was changed.");
    }
    Ok(())
}
