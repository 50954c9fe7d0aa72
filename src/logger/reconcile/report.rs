//! What a walk over the folders did.

use crate::logger::report::{RunReport, Skipped};

/// How [`EmailLogger::reconcile`](crate::EmailLogger::reconcile) works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ReconcileOptions {
    /// Decides and counts, and writes nothing. The mailbox is not taken. Default false.
    pub dry_run: bool,
    /// How many mails are decided at most; the next call goes on behind them. Default 0: no limit.
    pub most: u32,
}

impl ReconcileOptions {
    /// Writes nothing.
    #[must_use]
    pub fn with_dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Decides at most so many mails.
    #[must_use]
    pub fn with_most(mut self, most: u32) -> Self {
        self.most = most;
        self
    }
}

/// What a walk over the folders found and wrote.
///
/// The counts close: `listed = known + settled + decided.listed`, and those of `decided` as in every
/// [`RunReport`]. Where people move mail meanwhile, an item may be listed twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct ReconcileReport {
    /// Items in the folders.
    pub listed: u64,
    /// Items that the ledger knows, as they are.
    pub known: u64,
    /// Items that the ledger took to be still in the queue.
    pub settled: u64,
    /// What became of the others; nothing of it was moved. In a dry run, what would become of them, as far as it can be
    /// told without writing: a second copy of a mail counts as a mail.
    pub decided: RunReport,
    /// Whether every folder was walked to its end, and nothing that stayed there was passed over. Where it is not, the next
    /// call goes on; but where a server's pages repeat themselves or do not fit together it never is, and calling again may
    /// find nothing more.
    pub complete: bool,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Why nothing was done, if so.
    pub skipped: Option<Skipped>,
}

impl ReconcileReport {
    pub(super) fn new(options: ReconcileOptions) -> Self {
        Self {
            complete: true,
            dry_run: options.dry_run,
            ..Self::default()
        }
    }

    pub(super) fn skipped(self, why: Skipped) -> Self {
        Self {
            skipped: Some(why),
            complete: false,
            ..self
        }
    }

    /// Whether the counts close.
    pub fn closes(&self) -> bool {
        self.listed == self.known + self.settled + self.decided.listed && self.decided.closes()
    }

    /// Whether the ledger was as the folders are: never where the walk is not [`complete`](Self::complete).
    pub fn nothing_missing(&self) -> bool {
        self.complete && self.listed == self.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_close_only_together() {
        let mut report = ReconcileReport::new(ReconcileOptions::default());
        assert!(report.closes());
        report.listed = 3;
        assert!(!report.closes());
        (report.known, report.settled) = (1, 1);
        assert!(!report.closes());
        (report.decided.listed, report.decided.deferred) = (1, 1);
        assert!(report.closes());
        report.decided.deferred = 0;
        assert!(!report.closes(), "those of what was decided do not");
    }
}
