//! What the demo tells: the log, what is not in it and why, the counts, and what to type next.

use std::collections::BTreeMap;

use email_logging::store::DecisionRecord;
use serde_json::json;

use super::{Outcome, shown};
use crate::exit::Failure;
use crate::output::{Output, mails, safe};
use crate::run::summary;
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
    let mails = words::count(outcome.mails as u64, "sample mail", "sample mails");
    let queue = outcome.folders[0];
    output.line(format!("{mails} lay in {queue} of a simulated Exchange,"))?;
    output.line(format!("read over {}", outcome.url))?;
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
            output.line(
                style.dim("     nothing else is kept of it: no subject, no address, no text"),
            )?;
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
        "  {} EWS requests, {} ms in all",
        outcome.requests, outcome.millis
    ))?;
    output.line("")?;
    for (count, folder) in [queue, storage, quarantine]
        .into_iter()
        .zip(outcome.folders)
    {
        output.line(format!("  {count:>3} now in {folder}"))?;
    }
    output.line("")?;
    if queue > 0 && outcome.report.deferred > 0 {
        let (stays, lists) = if queue == 1 {
            ("It stays", "it with its id")
        } else {
            ("They stay", "them with their ids")
        };
        output.line(format!(
            "  {stays} in the queue: set aside for a person before, and passed over now."
        ))?;
        output.line(format!(
            "  `log --not-logged` lists {lists}; `requeue ID` gives one another try."
        ))?;
        output.line("")?;
    }
    output.line(format!(
        "  The log is {}",
        style.good(&shown(&outcome.file))
    ))?;
    output.line("")
}

/// The log's file is named by a variable of the shell alone: one of the environment would win over the configuration of
/// a later `run`.
fn tell_next(outcome: &Outcome, output: &Output) -> Result<(), Failure> {
    let style = output.style();
    let program = words::program();
    output.line(style.strong("What to type next"))?;
    output.line("")?;
    let variable = format!("  LOG={}", shown(&outcome.file));
    output.line(style.command(&variable))?;
    for (what, command) in next_commands(outcome) {
        output.line(style.dim(&format!("  # {what}")))?;
        output.line(style.command(&format!("  {program} {command}")))?;
    }
    if outcome.report.quarantined > 0 {
        let aside = words::count(outcome.report.quarantined, "mail is", "mails are");
        output.line("")?;
        output.line(format!(
            "{aside} set aside for a person in this run: a `run` ends with exit code 3 then,"
        ))?;
        output.line("and the demo with 0.")?;
    }
    Ok(())
}

/// What each command shows, and the command.
fn next_commands(outcome: &Outcome) -> [(&'static str, String); 9] {
    let most = outcome.logged.iter().max_by_key(|mail| mail.entries.len());
    let entry = most.and_then(|mail| mail.entries.first());
    let no = entry.map_or(1, |entry| entry.entry_no);
    let store = if shown(&outcome.file).starts_with('\'') {
        "--store \"$LOG\""
    } else {
        "--store $LOG"
    };
    [
        (
            "the history of one company",
            format!("log {store} --company C0100"),
        ),
        ("full-text search", format!("log {store} --text pump")),
        (
            "one entry, its mail, every step of the decision",
            format!("show {no} {store}"),
        ),
        (
            "the original mail, bit for bit",
            format!("show {no} {store} --original"),
        ),
        (
            "what is not in the log, why, and the ids of these mails",
            format!("log {store} --not-logged"),
        ),
        (
            "why this sample is not logged; `explain FILE.eml` says it of any mail",
            "explain sample:44".to_owned(),
        ),
        (
            "the same mails again: nothing is logged twice",
            format!("demo {store}"),
        ),
        (
            "this Exchange, served to any EWS client",
            "simulate".to_owned(),
        ),
        ("the job on your own Exchange", "run --help".to_owned()),
    ]
}
