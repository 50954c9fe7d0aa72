//! `log`: the interaction log, or what was not logged, a page at a time.

use std::path::Path;

use email_logging::store::{Cursor, DecisionFilter, DecisionRecord, InteractionLog as _};
use serde_json::json;

use crate::cli::LogArgs;
use crate::exit::{Exit, Failure};
use crate::find::{self, Reader};
use crate::output::{Output, mails, safe};
use crate::words;

/// `log`.
pub(crate) async fn log(
    args: &LogArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let (store, scope) = (&reader.store, &reader.scope);
    let after = args.after.as_ref().map(Cursor::new);
    if args.not_logged {
        let mut filter = DecisionFilter::default();
        filter.not_logged = true;
        let page = store
            .decisions(scope, &filter, after.as_ref(), args.limit)
            .await?;
        return tell_not_logged(&page.rows, page.next.as_ref(), output);
    }
    let filter = reader.filter(&args.filters).await?;
    let page = store
        .mails(scope, &filter, after.as_ref(), args.limit)
        .await?;
    if page.not_indexed > 0 {
        let many = words::count(page.not_indexed, "mail is", "mails are");
        output.note(format!(
            "note: {many} not indexed yet, and not searched by their text"
        ));
    }
    if output.json() {
        for mail in &page.rows {
            output.value(&json!({ "mail": mails::value(mail) }))?;
        }
    } else if page.rows.is_empty() {
        output.note("Nothing in the log fits.");
    } else {
        output.line(output.mails(&page.rows))?;
    }
    next(page.next.as_ref(), output)
}

fn tell_not_logged(
    records: &[DecisionRecord],
    cursor: Option<&Cursor>,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.json() {
        for record in records {
            output.value(&json!({ "decision": record }))?;
        }
        return next(cursor, output);
    }
    let ids = find::short_ids(records);
    for (record, id) in records.iter().zip(&ids) {
        tell_decision(record, id, output)?;
    }
    if records.is_empty() {
        output.note("Every mail that was read is in the log.");
    } else {
        output.note("`show ID` tells every step that led there; `requeue ID` gives what was set aside another try.");
    }
    next(cursor, output)
}

fn tell_decision(record: &DecisionRecord, id: &str, output: &Output) -> Result<(), Failure> {
    let room = output.columns().saturating_sub(4);
    let style = output.style();
    let time = mails::minute(record.decided_at);
    let nobody = if record.subject.is_some() {
        "(no sender)"
    } else {
        "(its sender is not kept)"
    };
    let sender = record.sender.as_deref().unwrap_or(nobody);
    let sender = safe::fit(sender, room.saturating_sub(time.len() + id.len()).max(12));
    output.line(format!(
        "{time}  {}  {sender}",
        style.strong(&safe::text(id))
    ))?;
    output.line(format!("    {}", safe::fit(&words::subject(record), room)))?;
    let why = safe::fit(&words::reason(&record.outcome, &record.reason), room);
    output.line(format!("    {}", style.dim(&why)))
}

fn next(next: Option<&Cursor>, output: &Output) -> Result<Exit, Failure> {
    if let Some(cursor) = next {
        if output.json() {
            output.value(&json!({ "next": cursor.as_str() }))?;
        } else {
            output.note(format!("There is more: add --after '{}'", cursor.as_str()));
        }
    }
    Ok(Exit::Done)
}
