//! A run's report while it is being made: an item whose move is open counts once, however often the run tries, and not any
//! more once it is moved.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::store::{MoveOutcome, MoveResult};

use super::report::RunReport;

/// What a run has done so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) report: RunReport,
    /// Items whose move is open, by the hashes of their ids: a million ids of Exchange would be hundreds of megabytes.
    open: BTreeSet<u64>,
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Counts {
    /// Counts an item that is to be moved.
    pub(super) fn plan_move(&mut self, item: &str) {
        self.report.moves_pending += u64::from(self.open.insert(hash(item)));
    }

    /// Counts what became of moves. Answers how many ended that this run had not planned.
    pub(super) fn take_moves(&mut self, results: &[MoveResult]) -> u64 {
        let mut recovered = 0;
        for result in results {
            let item = &result.item.id;
            if matches!(result.outcome, MoveOutcome::Retry { .. }) {
                self.plan_move(item);
            } else if self.open.remove(&hash(item)) {
                self.report.moves_pending -= 1;
            } else {
                recovered += 1;
            }
            count_ended(&mut self.report, &result.outcome);
        }
        recovered
    }
}

fn count_ended(report: &mut RunReport, outcome: &MoveOutcome) {
    match outcome {
        MoveOutcome::Done(_) => report.moved += 1,
        MoveOutcome::DuplicateCopy(_) => {
            report.moved += 1;
            report.duplicate_copies += 1;
        }
        MoveOutcome::Deleted => report.deleted += 1,
        MoveOutcome::Vanished => report.vanished += 1,
        MoveOutcome::Retry { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{ItemRef, SightingKey};
    use jiff::Timestamp;

    fn result(item: &str, outcome: MoveOutcome) -> MoveResult {
        MoveResult::new(SightingKey::Digest([1; 32]), ItemRef::new(item), outcome)
    }

    fn retry(item: &str) -> MoveResult {
        let outcome = MoveOutcome::Retry {
            code: "ews.unavailable".into(),
            next_try: Timestamp::UNIX_EPOCH,
        };
        result(item, outcome)
    }

    #[test]
    fn an_item_counts_once_as_open_and_not_once_it_is_moved() {
        let mut counts = Counts::default();
        assert_eq!(counts.take_moves(&[retry("a"), retry("b")]), 0);
        for planned in ["a", "c"] {
            counts.plan_move(planned);
        }
        assert_eq!((counts.report.moves_pending, counts.report.moved), (3, 0));
        let moved = [
            result("a", MoveOutcome::Done(None)),
            result("d", MoveOutcome::DuplicateCopy(None)),
            retry("b"),
        ];
        assert_eq!(counts.take_moves(&moved), 1, "of an earlier run: d");
        let report = &counts.report;
        assert_eq!((report.moves_pending, report.moved), (2, 2));
        assert_eq!(report.duplicate_copies, 1);
        let ended = [
            result("b", MoveOutcome::Vanished),
            result("c", MoveOutcome::Deleted),
        ];
        assert_eq!(counts.take_moves(&ended), 0);
        let report = &counts.report;
        assert_eq!((report.moves_pending, report.moved), (0, 2));
        assert_eq!((report.vanished, report.deleted), (1, 1));
    }
}
