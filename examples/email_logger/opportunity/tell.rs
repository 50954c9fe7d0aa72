//! Opportunities for people, and for programs.

use email_logging::opportunity::{
    CloseCode, Opportunity, OpportunityEntry, OpportunityStatistics, SalesCycle, StageStatistics,
    Task,
};
use email_logging::store::{Cursor, StoredOpportunity};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output::{Output, mails, safe};

/// An opportunity as JSON.
pub(super) fn value(stored: &StoredOpportunity) -> Value {
    let mut value = json!(stored.opportunity);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("version".into(), json!(stored.version));
        fields.insert("next-task".into(), json!(stored.opportunity.next_task()));
    }
    value
}

/// One line per opportunity.
pub(super) fn list(
    rows: &[StoredOpportunity],
    next: Option<&Cursor>,
    output: &Output,
) -> Result<(), Failure> {
    if output.json() {
        for row in rows {
            output.value(&json!({ "opportunity": value(row) }))?;
        }
        return next.map_or(Ok(()), |next| {
            output.value(&json!({ "next": next.as_str() }))
        });
    }
    if rows.is_empty() {
        output.note("No opportunity fits.");
    }
    for row in rows {
        output.line(safe::fit(&line(&row.opportunity), output.columns()))?;
    }
    if let Some(next) = next {
        output.note(format!("There are more: --after {}", next.as_str()));
    }
    Ok(())
}

fn line(one: &Opportunity) -> String {
    let figures = one.active().map_or_else(String::new, |entry| {
        format!(
            "stage {}, {} at {} %",
            entry.stage, entry.estimated_value, entry.probability
        )
    });
    format!(
        "{:<10} {:<11} {:<12} {:<28} {}",
        one.no,
        one.status.code(),
        one.contact_no,
        figures,
        one.description
    )
}

/// What a change led to.
pub(super) fn changed(
    stored: &StoredOpportunity,
    notes: &[String],
    output: &Output,
) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({ "opportunity": value(stored), "notes": notes }));
    }
    output.line(safe::fit(&line(&stored.opportunity), output.columns()))?;
    for note in notes {
        output.line(format!("  {}", safe::text(note)))?;
    }
    match stored.opportunity.next_task() {
        Some(task) => output.line(format!("  next task {}", safe::text(&task_line(task)))),
        None => Ok(()),
    }
}

/// Everything about one.
pub(super) fn whole(
    stored: &StoredOpportunity,
    statistics: &OpportunityStatistics,
    output: &Output,
) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({ "opportunity": value(stored), "statistics": statistics }));
    }
    let one = &stored.opportunity;
    output.line(
        output
            .style()
            .strong(&safe::text(&format!("{}  {}", one.no, one.description))),
    )?;
    let company = one
        .contact_company_no
        .as_ref()
        .map_or_else(String::new, |no| format!(" of {no}"));
    let salesperson = one
        .salesperson_code
        .as_ref()
        .map_or("nobody", |code| code.as_str());
    let fields = [
        ("status", one.status.code().to_owned()),
        ("created", one.creation_date.to_string()),
        ("contact", format!("{}{company}", one.contact_no)),
        ("by", salesperson.to_owned()),
        (
            "cycle",
            one.sales_cycle_code
                .clone()
                .unwrap_or_else(|| "none".into()),
        ),
        ("mails", statistics.interactions.to_string()),
    ];
    for (label, text) in fields {
        output.line(format!("  {label:<10} {}", safe::text(&text)))?;
    }
    if let Some(quote) = &one.quote {
        output.line(format!(
            "  {:<10} {} ({})",
            "quote",
            safe::text(&quote.no),
            quote.value
        ))?;
    }
    one.entries
        .iter()
        .try_for_each(|entry| output.line(entry_line(entry)))?;
    for task in &one.tasks {
        output.line(format!("  task {}", safe::text(&task_line(task))))?;
    }
    for said in &one.comments {
        let text = format!("{} {}: {}", mails::minute(said.at), said.author, said.text);
        output.line(format!("  {}", safe::text(&text)))?;
    }
    Ok(())
}

fn entry_line(entry: &OpportunityEntry) -> String {
    let mark = if entry.active { "*" } else { " " };
    let code = entry
        .close_code
        .as_ref()
        .map_or_else(String::new, |code| format!(", {code}"));
    let text = format!(
        "{} {:<8} stage {:<3} {:>12} {:>5} % {:>12}  by {}{code}",
        entry.date_of_change,
        entry.action_taken.code(),
        entry.stage,
        entry.estimated_value.to_string(),
        entry.probability.to_string(),
        entry.calculated_value.to_string(),
        entry.estimated_close_date,
    );
    format!("{mark} {}", safe::text(&text))
}

fn task_line(task: &Task) -> String {
    format!(
        "{} {} {:<8} {}",
        task.no,
        task.date,
        task.status.code(),
        task.description
    )
}

/// The tasks of one.
pub(super) fn tasks(tasks: &[Task], output: &Output) -> Result<(), Failure> {
    for task in tasks {
        if output.json() {
            output.value(&json!({ "task": task }))?;
        } else {
            output.line(safe::text(&task_line(task)))?;
        }
    }
    Ok(())
}

/// The sales cycles with their stages.
pub(super) fn cycles(cycles: &[SalesCycle], output: &Output) -> Result<(), Failure> {
    if cycles.is_empty() && !output.json() {
        output.note("There is no sales cycle; `opportunity cycles --sample` stores one.");
    }
    for cycle in cycles {
        if output.json() {
            output.value(&json!({ "sales-cycle": cycle }))?;
            continue;
        }
        let blocked = if cycle.blocked { ", blocked" } else { "" };
        let text = format!(
            "{}  {} ({}{blocked})",
            cycle.code,
            cycle.description,
            cycle.probability.code()
        );
        output.line(safe::text(&text))?;
        for stage in &cycle.stages {
            let mut text = format!(
                "  {:<4} {:<20} completed {:>3} %, chance {:>3} %",
                stage.stage,
                stage.description,
                stage.completed.to_string(),
                stage.chance.to_string()
            );
            if stage.allow_skip {
                text += ", may be skipped";
            }
            if stage.quote_required {
                text += ", needs a quote";
            }
            output.line(safe::text(&text))?;
        }
    }
    Ok(())
}

/// The close codes.
pub(super) fn close_codes(codes: &[CloseCode], output: &Output) -> Result<(), Failure> {
    for code in codes {
        if output.json() {
            output.value(&json!({ "close-code": code }))?;
        } else {
            let text = format!(
                "{:<10} {:<5} {}",
                code.code,
                code.kind.code(),
                code.description
            );
            output.line(safe::text(&text))?;
        }
    }
    Ok(())
}

/// The figures of the stages.
pub(super) fn statistics(stages: &[StageStatistics], output: &Output) -> Result<(), Failure> {
    for one in stages {
        if output.json() {
            output.value(&json!({ "stage": one, "average-days": one.average_days() }))?;
            continue;
        }
        let days = one
            .average_days()
            .map_or_else(|| "-".to_owned(), |days| format!("{days:.1}"));
        let text = format!(
            "{} stage {}: {} open ({}, {} by probability), {} won ({}), {} lost, {days} days on average",
            one.sales_cycle_code,
            one.stage,
            one.open,
            one.estimated_value,
            one.calculated_value,
            one.won,
            one.sales_value,
            one.lost,
        );
        output.line(safe::text(&text))?;
    }
    Ok(())
}
