//! How far the job is behind: the oldest mail that waits, and the oldest move.

use jiff::Timestamp;

use crate::source::ListRequest;

use super::listing::{Fate, list};
use super::parts::Parts;
use super::pipeline::StepError;
use super::report::RunStep;
use super::run::{Plan, open_folders, plan};

/// Pages that are looked through for a mail that is not set aside.
const PAGES: u32 = 10;

/// What waits for a mailbox's next run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Backlog {
    /// Items in the queue folder, where the server tells it; those that are set aside and stay there included.
    pub queued: Option<u64>,
    /// When the oldest mail was received that a run would take up now.
    pub oldest_mail: Option<Timestamp>,
    /// When the oldest move was planned that is still to do.
    pub oldest_move: Option<Timestamp>,
}

/// Looks at the queue folder and the ledger. Reads only, and takes no mailbox.
pub(super) async fn backlog(parts: &Parts) -> Result<Backlog, StepError> {
    let mut backlog = Backlog::default();
    let Plan::Enabled { folders, .. } = plan(parts).await? else {
        return Ok(backlog);
    };
    let (scope, mailbox) = (&parts.scope, &parts.mailbox);
    let pending = parts
        .ledger
        .pending_moves(scope, mailbox, Timestamp::MAX, 1)
        .await
        .map_err(|error| (RunStep::Recovering, error))?;
    backlog.oldest_move = pending.first().map(|planned| planned.planned_at);
    let folders = open_folders(parts, &folders).await?;
    let page = parts.source.capabilities().list_page.clamp(1, 100);
    for number in 0..PAGES {
        let request = ListRequest::new(number * page, page);
        let listed = list(parts, &folders.queue, request).await;
        let listed = listed.map_err(|error| (RunStep::ListingQueue, error))?;
        backlog.queued = listed.total.or(backlog.queued);
        let waits = listed.items.iter().find(|(_, fate)| *fate != Fate::Passed);
        if let Some((work, _)) = waits {
            backlog.oldest_mail = work.listed.received;
            break;
        }
        if listed.is_last() {
            break;
        }
    }
    Ok(backlog)
}
