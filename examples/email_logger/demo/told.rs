//! What the demo tells: the log, what is not in it and why, the counts, and what to type next.

use std::collections::BTreeMap;

use email_logging::store::DecisionRecord;
use serde_json::json;

use super::{Outcome, shown};
use crate::exit::Failure;
use crate::output::{Output, mails, safe};
use crate::run::summary;
use crate::simulate::{QUARANTINE, QUEUE, STORAGE};
use crate::words;

/// Everything, as JSON lines: a line per mail, per decision, and the report.
pub(super) fn values(outcome: &Outcome, output: &Output) -> Result<(), Failure> {
    for mail in &outcome.logged {
        output.value(&json!({ "mail": mails::value(mail) }))?;
    }
    for decision in &outcome.decisions {
        output.value(&json!({ "decision": decision }))?;
    }
    output.value(&json!({
        "report": outcome.report,
        "store": outcome.file,
        "requests": outcome.requests,
        "queue": outcome.left[0],
        "storage": outcome.left[1],
        "quarantine": outcome.left[2],
        "milliseconds": outcome.millis,
    }))
}

/// Everything, for people.
pub(super) fn tell(outcome: &Outcome, output: &Output) -> Result<(), Failure> {
    let style = output.style();
    output.line(format!(
        "{} lay in {QUEUE} of a simulated Exchange at {}.",
        words::count(outcome.mails as u64, "sample mail", "sample mails"),
        outcome.url
    ))?;
    output.line("")?;
    output.line(style.strong(&format!("Interaction log ({})", entries(outcome))))?;
    output.line("")?;
    output.line(output.mails(&outcome.logged))?;
    output.line("")?;
    tell_reasons(outcome, output)?;
    tell_counts(outcome, output)?;
    tell_next(outcome, output)
}

fn entries(outcome: &Outcome) -> String {
    let entries: usize = outcome.logged.iter().map(|mail| mail.entries.len()).sum();
    format!(
        "{}, {}; newest first",
        words::count(outcome.logged.len() as u64, "mail", "mails"),
        words::count(entries as u64, "entry", "entries")
    )
}

/// Why mails are not in the log, or not once more.
fn tell_reasons(outcome: &Outcome, output: &Output) -> Result<(), Failure> {
    let mut groups: BTreeMap<(u8, String), Vec<&DecisionRecord>> = BTreeMap::new();
    for record in outcome
        .decisions
        .iter()
        .filter(|record| record.outcome != "logged")
    {
        let words = words::reason(&record.outcome, &record.reason);
        groups
            .entry((order(record), words))
            .or_default()
            .push(record);
    }
    let style = output.style();
    let total: usize = groups.values().map(Vec::len).sum();
    output.line(style.strong(&format!(
        "Not logged, and why ({})",
        words::count(total as u64, "mail", "mails")
    )))?;
    for ((order, words), records) in groups {
        output.line("")?;
        let heading = format!("{:>3}  {words}", records.len());
        output.line(if order == 0 {
            style.attention(&heading)
        } else {
            heading
        })?;
        let kept = records.iter().filter(|record| record.subject.is_some());
        for record in kept.clone() {
            let room = output.columns().saturating_sub(5);
            output.line(style.dim(&format!(
                "     {}",
                safe::fit(&words::subject(record), room)
            )))?;
        }
        if kept.count() < records.len() {
            output
                .line(style.dim("     nothing of it is kept: no subject, no address, no text"))?;
        }
    }
    output.line("")
}

/// What a person must look at comes first.
fn order(record: &DecisionRecord) -> u8 {
    match record.outcome.as_str() {
        "quarantined" => 0,
        "not-matched" => 1,
        "excluded" => 2,
        _ => 3,
    }
}

fn tell_counts(outcome: &Outcome, output: &Output) -> Result<(), Failure> {
    let style = output.style();
    let [queue, storage, quarantine] = outcome.left;
    output.line(style.strong("This run"))?;
    output.line("")?;
    for line in summary(&outcome.report) {
        output.line(format!("  {line}"))?;
    }
    output.line(format!(
        "  Exchange now: {queue} in {QUEUE}, {storage} in {STORAGE}, {quarantine} in {QUARANTINE}"
    ))?;
    output.line(format!(
        "  {} EWS requests, {} ms",
        outcome.requests, outcome.millis
    ))?;
    output.line("")?;
    output.line(format!(
        "  The log is {}",
        style.good(&shown(&outcome.file))
    ))?;
    if outcome.report.quarantined > 0 {
        output.line(style.dim("  A `run` with mail set aside for a person ends with exit code 3; the demo ends with 0."))?;
    }
    output.line("")
}

fn tell_next(outcome: &Outcome, output: &Output) -> Result<(), Failure> {
    let style = output.style();
    let store = format!("--store {}", shown(&outcome.file));
    let first = outcome.logged.iter().find(|mail| mail.entries.len() > 1);
    let first = first.or_else(|| outcome.logged.first());
    let no = first
        .and_then(|mail| mail.entries.first())
        .map_or(1, |entry| entry.entry_no);
    let next = [
        (
            format!("log {store} --company C0100"),
            "the history of one company",
        ),
        (format!("log {store} --text pump"), "full-text search"),
        (
            format!("show {no} {store}"),
            "one entry, its mail, and every step of the decision",
        ),
        (
            format!("show {no} {store} --original"),
            "the original mail, bit for bit",
        ),
        (
            "explain sample:44".to_owned(),
            "why a mail is logged or not; takes any .eml file",
        ),
        (
            format!("demo {store}"),
            "the same mails again: nothing is logged twice",
        ),
        (
            "simulate".to_owned(),
            "serve this Exchange to any EWS client",
        ),
        ("run --help".to_owned(), "the job on your own Exchange"),
    ];
    output.line(style.strong(&format!("Next, after {}", words::program())))?;
    output.line("")?;
    let wide = next
        .iter()
        .map(|(command, _)| safe::width(command))
        .max()
        .unwrap_or(0);
    for (command, what) in next {
        if wide + 6 + 50 <= output.columns() {
            let gap = " ".repeat(wide - safe::width(&command));
            output.line(format!(
                "  {}{gap}  {}",
                style.command(&command),
                style.dim(what)
            ))?;
        } else {
            output.line(format!("  {}", style.dim(&format!("# {what}"))))?;
            output.line(format!("  {}", style.command(&command)))?;
        }
    }
    Ok(())
}
