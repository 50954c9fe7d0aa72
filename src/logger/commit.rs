//! The commit of a batch, and what follows from each row's result.

use crate::caught::caught;
use crate::decision::{Disposition, Outcome, Quarantine};
use crate::error::Error;
use crate::ids::EntryId;
use crate::interaction::{InteractionLogEntry, NewEntry};
use crate::store::{
    CommitBatch, CommitRow, DecidedRow, Delivered, Lease, Original, RowContent, RowResult,
    SightingState,
};

use super::deliver::deliver;
use super::folders::Folders;
use super::identity::{compare, remember};
use super::moves::PlannedMove;
use super::parts::{Parts, check_count};
use super::pipeline::StepError;
use super::prepare::{Prepared, erased, outcome_of, set_aside};
use super::report::{RunReport, RunStep};

/// Rounds beyond one per row: of several rows with one Message-ID each round writes at least one, unless another worker
/// writes this id at the same time.
const SPARE_ROUNDS: usize = 4;

/// What a commit did.
#[derive(Debug, Default)]
pub(super) struct Committed {
    pub(super) rows: usize,
    counts: Vec<Count>,
    pub(super) moves: Vec<PlannedMove>,
    pub(super) deliveries: Vec<Delivered>,
    pub(super) error: Option<StepError>,
    /// What the host's own log refused, or the store even of a mail that is set aside; the run goes on, and its end tells.
    pub(super) refused: Option<StepError>,
}

/// How one row counts.
#[derive(Debug)]
enum Count {
    Outcome {
        outcome: &'static str,
        reason: String,
        entries: u64,
    },
    AlreadyLogged,
    Pending,
    /// The row was not written.
    Deferred,
}

impl Committed {
    pub(super) fn count(&self, report: &mut RunReport) {
        for count in &self.counts {
            count.add_to(report);
        }
        report.delivered += self.deliveries.len() as u64;
    }
}

impl Count {
    fn add_to(&self, report: &mut RunReport) {
        match self {
            Self::Deferred => report.deferred += 1,
            Self::Pending => {
                report.fetched += 1;
                report.pending += 1;
                report.count_reason("pending", "");
            }
            Self::AlreadyLogged => {
                report.fetched += 1;
                report.already_logged += 1;
                report.count_reason("already-logged", "");
            }
            Self::Outcome {
                outcome,
                reason,
                entries,
            } => {
                report.fetched += 1;
                report.entries += entries;
                report.count_reason(outcome, reason);
                match *outcome {
                    "logged" => report.logged += 1,
                    "not-matched" => report.not_matched += 1,
                    "excluded" => report.excluded += 1,
                    _ => report.quarantined += 1,
                }
            }
        }
    }
}

/// Commits rows together with the results of earlier moves and deliveries.
pub(super) async fn commit(
    parts: &Parts,
    folders: &Folders,
    lease: &Lease,
    mut rows: Vec<Prepared>,
    mut with: CommitBatch,
) -> Committed {
    let mut committed = Committed {
        rows: rows.len(),
        ..Committed::default()
    };
    let quiet = with.quiet;
    if let Err(error) = remember(parts, lease, &mut rows).await {
        return committed.failed(&rows, (RunStep::LoggingMessages, error));
    }
    for _ in 0..rows.len() + SPARE_ROUNDS {
        with.quiet = quiet;
        with.rows = rows.iter().map(|prepared| prepared.row.clone()).collect();
        let batch = std::mem::take(&mut with);
        if batch.is_empty() {
            return committed;
        }
        let receipt = match parts.ledger.commit(&parts.scope, lease, batch).await {
            Ok(receipt) => receipt,
            Err(error) => return committed.failed(&rows, (RunStep::LoggingMessages, error)),
        };
        if let Err(error) = check_count("commit", rows.len(), receipt.rows.len()) {
            return committed.failed(&rows, (RunStep::LoggingMessages, error));
        }
        let mut again = Vec::new();
        for (prepared, result) in rows.into_iter().zip(receipt.rows) {
            match take(parts, (folders, lease), &mut committed, prepared, result).await {
                Ok(None) => {}
                Ok(Some(prepared)) => again.push(prepared),
                Err(error) => committed.error = Some((RunStep::LoggingMessages, error)),
            }
        }
        rows = again;
    }
    let unsettled = rows.len();
    committed
        .counts
        .extend((0..unsettled).map(|_| Count::Deferred));
    committed
}

impl Committed {
    fn failed(mut self, rows: &[Prepared], error: StepError) -> Self {
        self.counts.extend(rows.iter().map(|_| Count::Deferred));
        self.error = Some(error);
        self
    }

    fn plan(&mut self, prepared: &Prepared, target: Disposition, again: bool) {
        if target != Disposition::Leave {
            let sighting = &prepared.row.sighting;
            // Of two items under one key the second makes a second copy, whoever moves first.
            let again = again || self.moves.iter().any(|it| it.key == sighting.key);
            // What came with a further item the store may have dropped: whether it holds the original is asked before a deletion.
            let kept = !again && has_original(&prepared.row);
            self.moves.push(PlannedMove {
                key: sighting.key.clone(),
                item: sighting.item.clone(),
                found: None,
                target,
                attempts: 0,
                again,
                kept,
            });
        }
    }
}

fn has_original(row: &CommitRow) -> bool {
    match &row.content {
        RowContent::Decided(row) => row.original != Original::NotKept,
        RowContent::Again { .. } | RowContent::Failed(_) => false,
    }
}

/// Takes one row's result; answers the row where it has to be committed once more.
async fn take(
    parts: &Parts,
    (folders, lease): (&Folders, &Lease),
    committed: &mut Committed,
    mut prepared: Prepared,
    result: RowResult,
) -> Result<Option<Prepared>, Error> {
    match result {
        RowResult::Written { entries } => written(parts, committed, &prepared, &entries).await,
        RowResult::AlreadyLogged => already_logged(parts, committed, &prepared),
        RowResult::Counted { .. } => committed.counts.push(Count::Pending),
        RowResult::Recheck(met) => {
            if let Err(error) = compare(parts, lease, &mut prepared, &met).await {
                committed.counts.push(Count::Deferred);
                return Err(error);
            }
            return Ok(Some(prepared));
        }
        RowResult::Erased => return Ok(Some(erased(parts, folders, prepared.work))),
        RowResult::Rejected(error) if is_set_aside(&prepared.row) => {
            committed.counts.push(Count::Deferred);
            let refused = &mut committed.refused;
            refused.get_or_insert((RunStep::LoggingMessages, error));
        }
        RowResult::Rejected(_) => {
            let reason = Quarantine::RowRefused;
            return Ok(Some(set_aside(parts, folders, prepared.work, reason)));
        }
    }
    Ok(None)
}

fn is_set_aside(row: &CommitRow) -> bool {
    matches!(
        outcome_of(row),
        Some(Outcome::Quarantined(Quarantine::RowRefused))
    )
}

async fn written(
    parts: &Parts,
    committed: &mut Committed,
    prepared: &Prepared,
    numbers: &[(EntryId, u64)],
) {
    match &prepared.row.content {
        RowContent::Again { .. } => already_logged(parts, committed, prepared),
        RowContent::Failed(_) => committed.counts.push(Count::Pending),
        RowContent::Decided(row) => {
            let outcome = row.decision.outcome.code();
            let reason = row.decision.outcome.reason().to_owned();
            committed.counts.push(Count::Outcome {
                outcome,
                reason,
                entries: numbers.len() as u64,
            });
            let entries = tell_hooks(parts, prepared, row, numbers);
            // Entries of an earlier commit may still wait for the host's own log; then the mail waits with them.
            let whole = parts.sink.is_none() || numbers.len() == row.entries.len();
            // What the ledger has met before may have another item under its key in the target, or one that goes there in this
            // run: of what was set aside every copy got another try.
            let anew = prepared.work.known.is_some();
            if hand_over(parts, committed, row, &entries).await && whole {
                committed.plan(prepared, row.decision.disposition, anew);
            }
        }
    }
}

/// Hands new entries to the host's own log. The mail may move only when the host has them.
async fn hand_over(
    parts: &Parts,
    committed: &mut Committed,
    row: &DecidedRow,
    entries: &[InteractionLogEntry],
) -> bool {
    let (true, Some(record)) = (row.deliver, &row.record) else {
        return true;
    };
    match deliver(parts, &row.message, record, entries).await {
        Ok(delivered) => {
            committed.deliveries.extend(delivered);
            true
        }
        Err(error) => {
            committed.refused = Some((RunStep::DeliveringEntries, error));
            false
        }
    }
}

fn already_logged(parts: &Parts, committed: &mut Committed, prepared: &Prepared) {
    committed.counts.push(copy_of(prepared));
    match &prepared.row.content {
        RowContent::Again { target } if parts.sink.is_none() => {
            committed.plan(prepared, *target, true);
        }
        // Entries that a lost reply hid may still wait for the host's own log; then the plan waits with them. And a decision
        // other than that of the log is not the one that holds: the next run moves the item to where the ledger sends it.
        // Another item under its key may have been logged since this one was listed: the target is looked at after the move.
        RowContent::Decided(row) if !row.deliver && row.decision.outcome == Outcome::Logged => {
            committed.plan(prepared, row.decision.disposition, true);
        }
        RowContent::Again { .. } | RowContent::Decided(_) | RowContent::Failed(_) => {}
    }
}

/// How another item under a known key counts: as the first one did.
fn copy_of(prepared: &Prepared) -> Count {
    let known = prepared.work.known.as_ref();
    let aside = known.is_some_and(|known| known.state == SightingState::Quarantined);
    if aside && matches!(prepared.row.content, RowContent::Again { .. }) {
        return Count::Outcome {
            outcome: "quarantined",
            reason: String::new(),
            entries: 0,
        };
    }
    Count::AlreadyLogged
}

fn tell_hooks(
    parts: &Parts,
    prepared: &Prepared,
    row: &DecidedRow,
    numbers: &[(EntryId, u64)],
) -> Vec<InteractionLogEntry> {
    let now = parts.clock.now();
    let find = |id: &EntryId| row.entries.iter().find(|entry: &&NewEntry| entry.id == *id);
    let entries: Vec<_> = numbers
        .iter()
        .filter_map(|(id, number)| {
            find(id).map(|entry| InteractionLogEntry::written(*number, entry.clone(), now))
        })
        .collect();
    if let (Some(message), true) = (&prepared.message, parts.settings.events) {
        for (entry, hook) in entries
            .iter()
            .flat_map(|e| parts.hooks.iter().map(move |h| (e, h)))
        {
            // What is committed stays so, whatever becomes of the news.
            let _ = caught(|| hook.after_entry(message, entry));
        }
    }
    entries
}
