//! What a run did, in counts that close, and what stopped it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::decision::Decision;
use crate::error::Error;
use crate::ids::MessageUid;
use crate::message::codes;
use crate::source::SightingKey;

/// What a run did.
///
/// The counts close: `listed = fetched + gone + deferred`, and `fetched = logged + already_logged + not_matched +
/// excluded + quarantined + pending`. [`RunReport::closes`] says whether they do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct RunReport {
    /// Items that the run took up from the queue folder.
    pub listed: u64,
    /// Items that were read, or recognised by their key.
    pub fetched: u64,
    /// Items that somebody took away before they were read.
    pub gone: u64,
    /// Items that were left for a later run: their next attempt is not due, or the run stopped.
    pub deferred: u64,
    /// Mails that made at least one new entry.
    pub logged: u64,
    /// Copies of mails that were logged before.
    pub already_logged: u64,
    /// Mails without a pair of a salesperson and a contact.
    pub not_matched: u64,
    /// Mails that the policy leaves out.
    pub excluded: u64,
    /// Mails that were set aside for a person.
    pub quarantined: u64,
    /// Mails whose attempt failed and is repeated.
    pub pending: u64,
    /// Entries that were written.
    pub entries: u64,
    /// Mails that were moved out of the queue folder, those of earlier runs included.
    pub moved: u64,
    /// Mails that were deleted because the policy says so.
    pub deleted: u64,
    /// Mails whose move is still to be done: it failed, its answer was lost, or it was not begun.
    pub moves_pending: u64,
    /// Mails that lie in their target more than once.
    pub duplicate_copies: u64,
    /// Mails that vanished between commit and move.
    pub vanished: u64,
    /// Moves of earlier runs that this run finished.
    pub recovered: u64,
    /// Entries that the host's own log confirmed.
    pub delivered: u64,
    /// Messages whose content was indexed.
    pub indexed: u64,
    /// How many mails ended with each reason, by `outcome/reason`.
    pub reasons: BTreeMap<String, u64>,
    /// Why nothing was done, if the run did not start.
    pub skipped: Option<Skipped>,
}

/// Why a run did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Skipped {
    /// Email logging is disabled in the set-up; no request was made.
    LoggingDisabled,
    /// Another worker holds the mailbox.
    MailboxBusy,
}

codes!(Skipped { LoggingDisabled => "logging-disabled", MailboxBusy => "mailbox-busy", });

impl RunReport {
    /// Whether the counts close.
    pub fn closes(&self) -> bool {
        self.listed == self.fetched + self.gone + self.deferred
            && self.fetched
                == self.logged
                    + self.already_logged
                    + self.not_matched
                    + self.excluded
                    + self.quarantined
                    + self.pending
    }

    pub(super) fn skipped(why: Skipped) -> Self {
        Self {
            skipped: Some(why),
            ..Self::default()
        }
    }

    pub(super) fn count_reason(&mut self, outcome: &str, reason: &str) {
        let key = if reason.is_empty() {
            outcome.into()
        } else {
            format!("{outcome}/{reason}")
        };
        *self.reasons.entry(key).or_default() += 1;
    }
}

/// The step of a run that failed: the original's error context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum RunStep {
    /// Validating the set-up.
    ValidatingSetup,
    /// Taking the mailbox.
    TakingMailbox,
    /// Opening the queue folder.
    OpeningQueueFolder,
    /// Opening the storage folder, or one of the other targets.
    OpeningStorageFolder,
    /// Finishing what an earlier run left.
    Recovering,
    /// Listing the queue folder.
    ListingQueue,
    /// Reading messages.
    ReadingMessages,
    /// Asking the contact directory.
    ResolvingAddresses,
    /// Deciding about messages.
    CheckingMessages,
    /// Writing entries.
    LoggingMessages,
    /// Handing entries to the host's own log.
    DeliveringEntries,
    /// Moving messages out of the queue.
    MovingMessages,
    /// Indexing text and attachments.
    IndexingMessages,
    /// Making the ledger fit the folders again.
    Reconciling,
    /// Matching stored mail again, or logging what a person assigned.
    Rematching,
    /// Any of them: a part of the host panicked, and nothing tells in which.
    Unknown,
}

codes!(RunStep {
    ValidatingSetup => "validating-setup",
    TakingMailbox => "taking-mailbox",
    OpeningQueueFolder => "opening-queue-folder",
    OpeningStorageFolder => "opening-storage-folder",
    Recovering => "recovering",
    ListingQueue => "listing-queue",
    ReadingMessages => "reading-messages",
    ResolvingAddresses => "resolving-addresses",
    CheckingMessages => "checking-messages",
    LoggingMessages => "logging-messages",
    DeliveringEntries => "delivering-entries",
    MovingMessages => "moving-messages",
    IndexingMessages => "indexing-messages",
    Reconciling => "reconciling",
    Rematching => "rematching",
    Unknown => "unknown",
});

/// A run that was stopped by an error: which step, what, and what was done until then.
#[derive(Debug)]
#[non_exhaustive]
pub struct RunError {
    /// The step that failed.
    pub step: RunStep,
    /// The error.
    pub error: Error,
    /// What was done until then.
    pub report: Box<RunReport>,
    /// Whether the error is of single mails, and everything else was done.
    pub(super) of_single_mails: bool,
}

impl RunError {
    pub(super) fn new(step: RunStep, error: Error, report: RunReport) -> Self {
        Self {
            step,
            error,
            report: Box::new(report),
            of_single_mails: false,
        }
    }

    /// What a run that came to its end has to say of mails that were refused.
    pub(super) fn of_single_mails(step: RunStep, error: Error, report: RunReport) -> Self {
        Self {
            of_single_mails: true,
            ..Self::new(step, error, report)
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step.code().replace('-', " "), self.error)
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct DryRun {
    /// The counts; nothing was written and nothing moved.
    pub report: RunReport,
    /// One line per mail, oldest first. Of two copies in the queue the second counts as already logged, as far as their
    /// bytes tell it.
    pub mails: Vec<DryRunMail>,
    pub(super) seen: BTreeSet<MessageUid>,
}

/// What a run would do with one mail.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DryRunMail {
    /// The sighting.
    pub key: SightingKey,
    /// The whole subject, unless it may not be shown.
    pub subject: Option<String>,
    /// The decision.
    pub decision: Decision,
    /// Whether its entries are in the log already.
    pub already_logged: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::codes;

    #[test]
    fn the_error_of_a_run_names_its_step_in_words() {
        let error = Error::new(&codes::HTTP_CONNECT, "FindItem");
        let text = error.to_string();
        let error = RunError::new(RunStep::ListingQueue, error, RunReport::default());
        assert_eq!(error.to_string(), format!("listing queue: {text}"));
    }
}
