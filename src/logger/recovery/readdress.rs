//! Moves that were planned under ids of another kind of mail system, as after a change from EWS to Graph.
//!
//! Such an id is never sent. The key of the sighting is the same in both kinds, so that the item is found by it.

use std::collections::BTreeMap;

use crate::decision::Disposition;
use crate::error::Result;
use crate::logger::folders::Folders;
use crate::logger::moves::{PlannedMove, can_locate, result};
use crate::logger::parts::{Parts, check_count};
use crate::source::{ItemRef, SightingKey, Sought};
use crate::store::{MoveOutcome, MoveResult};

/// Gives each plan the present id of its item, where the queue still has it.
pub(super) async fn readdress(
    parts: &Parts,
    folders: &Folders,
    batch: &[PlannedMove],
) -> Result<Vec<PlannedMove>> {
    let mut batch = batch.to_vec();
    let foreign = |it: &PlannedMove| is_foreign(parts, it) && can_locate(parts, &it.key);
    let mut keys: Vec<_> = batch.iter().filter(|it| foreign(it)).collect();
    keys.sort_by(|one, other| one.key.cmp(&other.key));
    keys.dedup_by(|one, other| one.key == other.key);
    let keys: Vec<SightingKey> = keys.into_iter().map(|it| it.key.clone()).collect();
    if keys.is_empty() {
        return Ok(batch);
    }
    let sought: Vec<Sought> = keys.iter().cloned().map(Sought::new).collect();
    let places = parts.source.locate(&folders.queue, &sought).await?;
    check_count("locate", keys.len(), places.len())?;
    let mut free = free(keys, places, &batch);
    for planned in batch.iter_mut().filter(|it| foreign(it)) {
        planned.found = free.get_mut(&planned.key).and_then(Vec::pop);
    }
    Ok(batch)
}

/// Answers what can be moved. A plan whose item was not found is let go: what still lies in the queue, without a key that
/// can be looked for, is found by the listing.
pub(super) fn without_lost(
    parts: &Parts,
    batch: Vec<PlannedMove>,
    results: &mut Vec<MoveResult>,
) -> Vec<PlannedMove> {
    let (lost, present): (Vec<_>, Vec<_>) = batch.into_iter().partition(|it| is_foreign(parts, it));
    results.extend(lost.iter().map(|it| result(it, end_of(parts, it))));
    present
}

fn end_of(parts: &Parts, planned: &PlannedMove) -> MoveOutcome {
    if planned.target == Disposition::Delete && can_locate(parts, &planned.key) {
        MoveOutcome::Deleted
    } else {
        MoveOutcome::Vanished
    }
}

fn is_foreign(parts: &Parts, planned: &PlannedMove) -> bool {
    !parts.source.is_own(planned.present())
}

/// The items in the queue that no plan has yet, by key, the oldest last.
fn free(
    keys: Vec<SightingKey>,
    places: Vec<Vec<ItemRef>>,
    batch: &[PlannedMove],
) -> BTreeMap<SightingKey, Vec<ItemRef>> {
    let is_free = |place: &ItemRef| batch.iter().all(|it| it.present().id != place.id);
    let free = places
        .into_iter()
        .map(|places| places.into_iter().filter(is_free).rev().collect());
    keys.into_iter().zip(free).collect()
}
