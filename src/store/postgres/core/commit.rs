//! The commit: one transaction per batch, fenced first, written whole or not at all.
//!
//! Under the lock of its scope's row a commit reads what is there (`state`), works out what its rows change (`row`), and
//! writes that with a few statements of many rows each (`flush`).

mod changes;
mod entry;
mod flush;
mod identity;
mod original;
mod row;
mod settle;
mod state;
mod trail;

pub(super) use self::flush::entries_as_rows;
pub(crate) use self::trail::Trail;

use self::changes::Changes;
use self::state::State;
use super::lease::{Fenced, fence};
use super::take_turn;
use crate::clock::Entropy;
use crate::scope::Scope;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::migrate::Words as Kept;
use crate::store::postgres::pool::{Round, Tx};
use crate::store::{CommitBatch, CommitReceipt, CommitRow, Lease, RowResult};

/// How the rows of a batch are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// All at once: the usual case.
    Together,
    /// Each in a savepoint of its own, after one of them was refused.
    Apart,
}

/// What is to be committed.
pub(crate) struct Job<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) lease: &'a Lease,
    pub(crate) batch: &'a CommitBatch,
    pub(crate) time: Option<i64>,
    /// How the schema keeps words.
    pub(crate) kept: Kept,
    pub(crate) entropy: &'a dyn Entropy,
}

/// Writes the batch and leaves its receipt with the trail, which outlives a reply that is lost.
pub(crate) async fn commit(
    tx: &Tx,
    job: &Job<'_>,
    rows: Rows,
    trail: &Trail,
    round: Round,
) -> Done<()> {
    let fenced = fence(tx, job.scope, job.lease, job.time).await?;
    if round.unknown && trail.is_seen(tx, &fenced).await? {
        return Ok(());
    }
    trail.forget();
    take_turn(tx, fenced.scope).await?;
    let batch = job.batch;
    settle(tx, job, fenced, trail).await?;
    let results = match rows {
        Rows::Together => {
            let all: Vec<&CommitRow> = batch.rows.iter().collect();
            write(tx, job, fenced, &all, trail).await?
        }
        Rows::Apart => write_apart(tx, job, fenced, trail).await?,
    };
    trail.finish(CommitReceipt::new(results));
    Ok(())
}

/// Results of earlier moves and deliveries.
async fn settle(tx: &Tx, job: &Job<'_>, fenced: Fenced, trail: &Trail) -> Done<()> {
    let batch = job.batch;
    if batch.moves.is_empty() && batch.deliveries.is_empty() {
        return Ok(());
    }
    let state = State::of_moves(tx, fenced, &batch.moves).await?;
    let mut changes = Changes::new(state, fenced, job);
    for delivered in &batch.deliveries {
        changes.deliver(delivered);
    }
    for result in &batch.moves {
        changes.close_move(result)?;
    }
    trail.add(changes.landmark());
    changes.flush(tx).await
}

async fn write(
    tx: &Tx,
    job: &Job<'_>,
    fenced: Fenced,
    rows: &[&CommitRow],
    trail: &Trail,
) -> Done<Vec<RowResult>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let state = State::of_rows(tx, fenced, rows).await?;
    let mut changes = Changes::new(state, fenced, job);
    let results = changes.write_rows(rows)?;
    let landmark = changes.landmark();
    changes.flush(tx).await?;
    trail.add(landmark);
    Ok(results)
}

/// A row that is refused for its data is undone alone.
async fn write_apart(
    tx: &Tx,
    job: &Job<'_>,
    fenced: Fenced,
    trail: &Trail,
) -> Done<Vec<RowResult>> {
    let mut results = Vec::with_capacity(job.batch.rows.len());
    for row in &job.batch.rows {
        tx.batch("SAVEPOINT row_alone").await?;
        let result = match write(tx, job, fenced, &[row], trail).await {
            Ok(written) => written,
            Err(fault) if fault.is_data() => {
                tx.batch("ROLLBACK TO SAVEPOINT row_alone").await?;
                vec![RowResult::Rejected(Fault::into_error(fault, "commit"))]
            }
            Err(fault) => return Err(fault),
        };
        tx.batch("RELEASE SAVEPOINT row_alone").await?;
        results.extend(result);
    }
    Ok(results)
}
