//! `rematch`: the stored mail matched again.

use std::path::Path;

use email_logging::logger::{RematchOf, RematchOptions, RematchReport};
use email_logging::store::Cursor;
use serde_json::json;

use crate::cli::review::RematchArgs;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::run::{disabled, logger, skipped};
use crate::words;

/// `rematch`.
pub(crate) async fn rematch(
    args: &RematchArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let config = Config::load(file, &args.settings)?;
    let Some(logger) = logger(config, &args.settings, output).await? else {
        return disabled(output);
    };
    let of = match &args.contact {
        Some(contact) => RematchOf::Contact(contact.as_str().into()),
        None if args.address.is_empty() => RematchOf::All,
        None => RematchOf::Addresses(args.address.clone()),
    };
    let options = RematchOptions::of(of)
        .with_dry_run(args.dry_run)
        .with_most(args.most)
        .with_after(args.after.as_deref().map(Cursor::new))
        .with_withdraw(!args.keep_links)
        .with_without_original(args.without_original);
    let report = logger.rematch(&options).await?;
    tell(&report, args.dry_run, output)?;
    Ok(if report.skipped.is_some() {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn tell(report: &RematchReport, dry_run: bool, output: &Output) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({ "rematch": {
            "looked-at": report.looked_at,
            "matched": report.matched,
            "entries-added": report.entries_added,
            "restored": report.restored,
            "withdrawn": report.withdrawn,
            "unchanged": report.unchanged,
            "kept-by-person": report.kept_by_person,
            "elsewhere": report.elsewhere,
            "original-missing": report.original_missing,
            "failed": report.failed,
            "next": report.next.as_ref().map(Cursor::as_str),
            "skipped": report.skipped.map(email_logging::logger::Skipped::code),
        } }));
    }
    if let Some(why) = report.skipped {
        return output.line(skipped(why));
    }
    let mails = words::count(report.looked_at, "mail", "mails");
    output.line(format!("{mails} looked at, {} changed.", report.matched))?;
    let (added, withdrawn) = (report.entries_added + report.restored, report.withdrawn);
    output.line(format!("{added} entries added, {withdrawn} withdrawn."))?;
    if report.original_missing > 0 {
        let gone = words::count(report.original_missing, "mail matches", "mails match");
        output.line(format!(
            "{gone}, and the original was not found; it stays in the queue."
        ))?;
    }
    if report.failed > 0 {
        output.line(format!(
            "{} could not be read; call it again.",
            report.failed
        ))?;
    }
    if let Some(next) = &report.next {
        output.line(format!("There is more: --after {}", next.as_str()))?;
    }
    if dry_run {
        output.line("Nothing was written.")?;
    }
    Ok(())
}
