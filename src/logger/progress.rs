//! What a run tells while it works. For progress bars; lossy by design.

use std::fmt::Debug;

use super::report::RunReport;

/// Listens to a run. It is called from inside the run and must return at once.
pub trait Progress: Debug + Send + Sync + 'static {
    /// Something happened.
    fn on(&self, event: &ProgressEvent<'_>);
}

/// What happened in a run.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ProgressEvent<'a> {
    /// The run holds the mailbox and begins.
    Started,
    /// Items were listed; the total is what the folder holds, where the server tells it.
    Listed {
        /// New items.
        items: usize,
        /// Items in the folder.
        total: Option<u64>,
    },
    /// Mails were fetched and decided.
    Fetched {
        /// Mails.
        mails: usize,
    },
    /// Mails were committed.
    Committed {
        /// Mails.
        mails: usize,
    },
    /// Mails were moved.
    Moved {
        /// Mails.
        mails: usize,
    },
    /// The run ended.
    Ended {
        /// What it did.
        report: &'a RunReport,
    },
}
