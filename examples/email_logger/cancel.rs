//! `cancel` and `delete-canceled`: entries that should not be there.

use std::path::Path;

use email_logging::store::{CanceledEntries as _, DeletedEntries, Deletion, InteractionLog as _};
use serde_json::json;

use crate::cli::reports::{CancelArgs, DeleteCanceledArgs};
use crate::exit::{Exit, Failure};
use crate::find::Reader;
use crate::output::Output;
use crate::words;

/// `cancel`.
pub(crate) async fn cancel(
    args: &CancelArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let found = reader.find(&args.which).await?;
    let Some(id) = found.entry else {
        return Err(Failure::usage(
            format!("`{}` is a mail, not an entry", args.which),
            "Give the number or the id of an entry, as `show` lists them.",
        ));
    };
    reader.store.cancel(&reader.scope, &id, !args.undo).await?;
    if output.json() {
        output.value(&json!({ "cancel": { "id": id.to_string(), "canceled": !args.undo } }))?;
    } else if args.undo {
        output.line("The entry counts again.")?;
    } else {
        output.line("The entry is cancelled; `cancel --undo` takes that back.")?;
    }
    Ok(Exit::Done)
}

/// `delete-canceled`.
pub(crate) async fn delete_canceled(
    args: &DeleteCanceledArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let filter = reader.filter(&args.filters).await?;
    let deletion = if args.yes {
        Deletion::Delete
    } else {
        Deletion::Preview
    };
    let deleted = reader
        .store
        .delete_canceled(&reader.scope, &filter, deletion);
    let deleted = deleted.await?;
    if output.json() {
        output.value(&json!({ "delete-canceled": { "done": args.yes, "what": deleted } }))?;
    } else {
        tell(&deleted, args.yes, output)?;
    }
    Ok(Exit::Done)
}

fn tell(deleted: &DeletedEntries, done: bool, output: &Output) -> Result<(), Failure> {
    let kept = kept(deleted);
    if deleted.entries == 0 && kept.is_empty() {
        output.note("No cancelled entry fits.");
        return Ok(());
    }
    let verb = if done { "Deleted" } else { "Would delete" };
    output.line(format!(
        "{verb} {} with {}, and {} ({}).",
        words::count(deleted.entries, "cancelled entry", "cancelled entries"),
        words::count(deleted.comments, "comment", "comments"),
        words::count(deleted.originals, "original", "originals"),
        words::size(deleted.bytes),
    ))?;
    for line in kept {
        output.line(line)?;
    }
    if !done {
        output.note("Nothing was changed. Add --yes to delete.");
    }
    Ok(())
}

/// A line for each reason to keep a cancelled entry.
fn kept(deleted: &DeletedEntries) -> Vec<String> {
    let reasons = [
        (
            deleted.kept_for_opportunity,
            "an open opportunity refers to it",
        ),
        (deleted.kept_on_hold, "a person holds its mail"),
        (
            deleted.kept_waiting,
            "the host's own log has still to confirm it",
        ),
        (
            deleted.kept_withdrawn,
            "a later match withdrew it, and no person; `cancel` it as well to have it deleted",
        ),
    ];
    let told = reasons.iter().filter(|(entries, _)| *entries > 0);
    let line = |(entries, why): &(u64, &str)| format!("Kept {entries}: {why}.");
    told.map(line).collect()
}
