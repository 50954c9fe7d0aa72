//! `requeue`: another try for mail that was set aside for a person.

use std::path::Path;

use email_logging::store::MailLedger as _;
use serde_json::json;

use crate::cli::RequeueArgs;
use crate::exit::{Exit, Failure};
use crate::find::{Found, Reader};
use crate::output::Output;
use crate::words;

/// `requeue`.
pub(crate) async fn requeue(
    args: &RequeueArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref())?;
    let mut found = Vec::new();
    for which in &args.ids {
        found.push((which, reader.find(which).await?));
    }
    let (mut all, mut refused) = (0, Vec::new());
    for (which, found) in &found {
        let requeued = again(&reader, found).await?;
        all += requeued;
        if output.json() {
            output.value(&json!({ "requeue": { "id": which.to_string(), "mails": requeued } }))?;
        }
        if requeued == 0 {
            refused.push(which.to_string());
        }
    }
    if !output.json() && all > 0 {
        let mails = words::count(all, "mail gets", "mails get");
        output.line(format!(
            "{mails} another try in the next run, if it lies in the queue folder."
        ))?;
        output.line("A mail that was moved to the quarantine folder: move it back there yourself, as in Outlook.")?;
        output.line("It is set aside again, unless what stood against it has changed.")?;
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

/// Every copy of the mail that was set aside.
async fn again(reader: &Reader, found: &Found) -> Result<u64, Failure> {
    let mut requeued = 0;
    for record in &found.decisions {
        let keys = [record.sighting.clone()];
        let store = &reader.store;
        requeued += store.requeue(&reader.scope, &record.mailbox, &keys).await?;
    }
    Ok(requeued)
}
