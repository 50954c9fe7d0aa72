//! What tells whether a commit was done whose reply was lost.
//!
//! A commit is all or nothing, so one row that it alone can have written answers for all of them. The next round holds the
//! lease's row again, so the lost transaction has ended by then, one way or the other.

use std::sync::{Mutex, PoisonError};

use super::super::lease::Fenced;
use crate::store::CommitReceipt;
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::uuid;

/// A row that only this commit writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Landmark {
    /// An event, by its number and its id.
    Event { number: i64, id: [u8; 16] },
    /// A sighting whose attempts were counted up to here.
    Attempts { sighting_no: i64, attempts: i64 },
    /// A planned move whose attempts were counted up to here.
    Moves {
        sighting_no: i64,
        item_id: String,
        attempts: i64,
    },
}

/// The landmark of the last round and its receipt.
#[derive(Debug, Default)]
pub(crate) struct Trail(Mutex<Left>);

#[derive(Debug, Default)]
struct Left {
    landmark: Option<Landmark>,
    receipt: Option<CommitReceipt>,
}

impl Trail {
    /// The receipt of a commit that is done.
    pub(crate) fn into_receipt(self) -> CommitReceipt {
        let left = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        left.receipt.unwrap_or_default()
    }

    pub(super) fn forget(&self) {
        *self.left() = Left::default();
    }

    /// One landmark is enough.
    pub(super) fn add(&self, landmark: Option<Landmark>) {
        let mut left = self.left();
        left.landmark = left.landmark.take().or(landmark);
    }

    pub(super) fn finish(&self, receipt: CommitReceipt) {
        self.left().receipt = Some(receipt);
    }

    /// Whether the commit of the round before is there. A commit without a landmark can be repeated: all of it is keyed.
    pub(super) async fn is_seen(&self, tx: &Tx, fenced: &Fenced) -> Done<bool> {
        let landmark = self.left().landmark.clone();
        let row = match &landmark {
            None => None,
            Some(Landmark::Event { number, id }) => {
                let find = "SELECT 1 FROM event WHERE scope = $1 AND number = $2 AND id = $3";
                tx.row(find, &[&fenced.scope, number, &uuid(id)]).await?
            }
            Some(Landmark::Attempts {
                sighting_no,
                attempts,
            }) => {
                let find = "SELECT 1 FROM sighting WHERE no = $1 AND attempts = $2";
                tx.row(find, &[sighting_no, attempts]).await?
            }
            Some(Landmark::Moves {
                sighting_no,
                item_id,
                attempts,
            }) => {
                let find = "SELECT 1 FROM pending_move
                    WHERE sighting_no = $1 AND item_id = $2 AND attempts = $3";
                tx.row(find, &[sighting_no, item_id, attempts]).await?
            }
        };
        Ok(row.is_some())
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
