//! Moving committed mail out of the queue. A move whose effect is unknown is never repeated without a look.

use crate::decision::{Disposition, MoveFallback};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::source::{Disposal, Folder, ItemRef, Moved, Removed, SightingKey, Sought};
use crate::store::{MoveOutcome, MoveResult, PendingMove};

use super::folders::Folders;
use super::parts::{Parts, check_count};

/// A mail whose entries are durable and that is to leave the queue.
#[derive(Debug, Clone)]
pub(super) struct PlannedMove {
    pub(super) key: SightingKey,
    pub(super) item: ItemRef,
    /// The item's id by now, where the plan has one of another mail system.
    pub(super) found: Option<ItemRef>,
    pub(super) target: Disposition,
    pub(super) attempts: u32,
    /// Whether its key had a move before, of another item or with an unknown end: the target may then hold two copies.
    pub(super) again: bool,
    /// Whether its original is known to be in the store, so that a policy may delete what cannot be moved.
    pub(super) kept: bool,
}

impl From<PendingMove> for PlannedMove {
    fn from(pending: PendingMove) -> Self {
        Self {
            key: pending.key,
            item: pending.item,
            found: None,
            target: pending.target,
            attempts: pending.attempts,
            again: false,
            kept: false,
        }
    }
}

impl PlannedMove {
    /// The id by which the source knows the item.
    pub(super) fn present(&self) -> &ItemRef {
        self.found.as_ref().unwrap_or(&self.item)
    }
}

/// Moves a batch of one lane. An error means that the effect is unknown for all of it.
pub(super) async fn move_batch(
    parts: &Parts,
    folders: &Folders,
    batch: &[PlannedMove],
) -> Result<Vec<MoveResult>> {
    let Some(first) = batch.first() else {
        return Ok(Vec::new());
    };
    let items: Vec<ItemRef> = batch.iter().map(|it| it.present().clone()).collect();
    match (first.target, folders.target(first.target)) {
        (Disposition::Delete, _) => delete(parts, folders, batch, &items).await,
        (_, Some(target)) => match move_items(parts, folders, target, batch, &items).await {
            Err(error) if is_lost_quarantine(first.target, &error) => {
                Ok(wait_for_quarantine(parts, batch, &error))
            }
            moved => moved,
        },
        // Only what is set aside has no folder, and only while that is missing.
        (_, None) => {
            let error = Error::new(&codes::SOURCE_FOLDER_NOT_FOUND, "open_folder");
            Ok(wait_for_quarantine(parts, batch, &error))
        }
    }
}

/// Whether a call found no quarantine folder. That concerns only what is set aside.
pub(super) fn is_lost_quarantine(target: Disposition, error: &Error) -> bool {
    target == Disposition::Quarantine && error.kind() == ErrorKind::NotFound
}

/// The mails stay in the queue, each with its own next attempt, until there is a quarantine folder.
pub(super) fn wait_for_quarantine(
    parts: &Parts,
    batch: &[PlannedMove],
    error: &Error,
) -> Vec<MoveResult> {
    let waits = batch.iter().map(|it| again_later(parts, it, error));
    waits.collect()
}

async fn move_items(
    parts: &Parts,
    folders: &Folders,
    target: &Folder,
    batch: &[PlannedMove],
    items: &[ItemRef],
) -> Result<Vec<MoveResult>> {
    let moved = parts.source.move_to(&folders.queue, items, target).await?;
    check_count("move_to", items.len(), moved.len())?;
    let mut results = Vec::with_capacity(batch.len());
    let (mut gone, mut stuck) = (Vec::new(), Vec::new());
    for (planned, moved) in batch.iter().zip(moved) {
        match moved {
            Moved::Done(place) => results.push(result(planned, MoveOutcome::Done(place))),
            Moved::Gone => gone.push(planned.clone()),
            Moved::Failed(error) => stuck.push((planned.clone(), error)),
        }
    }
    results.extend(look_for(parts, target, gone).await?);
    results.extend(fall_back(parts, folders, stuck).await?);
    note_copies(parts, target, batch, &mut results).await?;
    Ok(results)
}

/// Another item under a known key may make a second copy in the target: look, and note it.
async fn note_copies(
    parts: &Parts,
    target: &Folder,
    batch: &[PlannedMove],
    results: &mut [MoveResult],
) -> Result<()> {
    let again = batch
        .iter()
        .filter(|planned| planned.again && can_locate(parts, &planned.key));
    let (kept, renamed): (Vec<_>, Vec<_>) =
        again.partition(|planned| kept_its_id(planned, results));
    for planned in copied_before(parts, target, &kept).await? {
        note_copy(planned, results);
    }
    if renamed.is_empty() {
        return Ok(());
    }
    let sought = all_sought(parts, renamed.iter().copied());
    let places = parts.source.locate(target, &sought).await?;
    check_count("locate", sought.len(), places.len())?;
    for (planned, copies) in renamed.iter().zip(places) {
        if copies.len() > 1 {
            note_copy(planned, results);
        }
    }
    Ok(())
}

/// Whether an item has its id still after its move.
fn kept_its_id(planned: &PlannedMove, results: &[MoveResult]) -> bool {
    results.iter().any(|result| {
        result.item == planned.item
            && matches!(&result.outcome, MoveOutcome::Done(Some(at)) if at.id == planned.present().id)
    })
}

/// Of items that kept their ids, those whose key the ledger saw under another id that lies in the target too. Whoever moves
/// such an item once more makes no copy of it, so nothing else is looked for.
async fn copied_before<'a>(
    parts: &Parts,
    target: &Folder,
    kept: &[&'a PlannedMove],
) -> Result<Vec<&'a PlannedMove>> {
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<_> = kept.iter().map(|planned| planned.key.clone()).collect();
    let known = parts
        .ledger
        .known(&parts.scope, &parts.mailbox, &keys)
        .await?;
    check_count("known", keys.len(), known.len())?;
    let before = kept.iter().zip(known).filter_map(|(planned, known)| {
        let known = known?.item;
        let other = known.id != planned.present().id && parts.source.is_own(&known);
        other.then_some((*planned, known))
    });
    let before: Vec<(&PlannedMove, ItemRef)> = before.collect();
    if before.is_empty() {
        return Ok(Vec::new());
    }
    let sought = before.iter();
    let sought: Vec<_> = sought
        .map(|(planned, known)| Sought::new(planned.key.clone()).with_item(known.clone()))
        .collect();
    let places = parts.source.locate(target, &sought).await?;
    check_count("locate", sought.len(), places.len())?;
    let there = before.into_iter().zip(places);
    let there = there.filter(|((_, known), places)| places.iter().any(|at| at.id == known.id));
    Ok(there.map(|((planned, _), _)| planned).collect())
}

fn note_copy(planned: &PlannedMove, results: &mut [MoveResult]) {
    let moved = results
        .iter_mut()
        .find(|result| result.item == planned.item);
    if let Some(moved) = moved
        && let MoveOutcome::Done(place) = &moved.outcome
    {
        moved.outcome = MoveOutcome::DuplicateCopy(place.clone());
    }
}

pub(super) fn result(planned: &PlannedMove, outcome: MoveOutcome) -> MoveResult {
    MoveResult::new(planned.key.clone(), planned.item.clone(), outcome)
}

/// What is looked for: the item of a sighting. An id that another mail system gave is never sent.
pub(super) fn sought(parts: &Parts, key: &SightingKey, item: &ItemRef) -> Sought {
    let sought = Sought::new(key.clone());
    if parts.source.is_own(item) {
        sought.with_item(item.clone())
    } else {
        sought
    }
}

/// As [`sought`], of planned moves.
pub(super) fn all_sought<'a>(
    parts: &Parts,
    plans: impl IntoIterator<Item = &'a PlannedMove>,
) -> Vec<Sought> {
    let plans = plans.into_iter();
    plans
        .map(|planned| sought(parts, &planned.key, planned.present()))
        .collect()
}

/// Whether the source can find a sighting again.
pub(super) fn can_locate(parts: &Parts, key: &SightingKey) -> bool {
    parts.source.capabilities().locate && !matches!(key, SightingKey::Digest(_))
}

/// What became of items that are no longer in the queue: moved before, or taken away by a person.
pub(super) async fn look_for(
    parts: &Parts,
    target: &Folder,
    gone: Vec<PlannedMove>,
) -> Result<Vec<MoveResult>> {
    let (findable, lost): (Vec<_>, Vec<_>) = gone
        .into_iter()
        .partition(|planned| can_locate(parts, &planned.key));
    let mut results: Vec<_> = lost
        .iter()
        .map(|planned| result(planned, MoveOutcome::Vanished))
        .collect();
    if findable.is_empty() {
        return Ok(results);
    }
    let sought = all_sought(parts, &findable);
    let places = parts.source.locate(target, &sought).await?;
    check_count("locate", sought.len(), places.len())?;
    for (planned, copies) in findable.iter().zip(places) {
        results.push(result(planned, found(copies)));
    }
    Ok(results)
}

fn found(mut copies: Vec<ItemRef>) -> MoveOutcome {
    match copies.len() {
        0 => MoveOutcome::Vanished,
        1 => MoveOutcome::Done(copies.pop()),
        _ => MoveOutcome::DuplicateCopy(copies.pop()),
    }
}

/// What could not be moved stays and is tried again; a policy that deletes instead may do so.
async fn fall_back(
    parts: &Parts,
    folders: &Folders,
    stuck: Vec<(PlannedMove, Error)>,
) -> Result<Vec<MoveResult>> {
    let wanted = parts.policy.move_fallback == MoveFallback::Delete;
    let (mut results, mut batch) = (Vec::new(), Vec::new());
    for (planned, error) in stuck {
        let delete_now = wanted && may_delete(&planned, &error);
        if delete_now && is_kept(parts, &planned).await? {
            batch.push(planned);
        } else {
            results.push(again_later(parts, &planned, &error));
        }
    }
    if !batch.is_empty() {
        let items: Vec<_> = batch.iter().map(|it| it.present().clone()).collect();
        results.extend(delete(parts, folders, &batch, &items).await?);
    }
    Ok(results)
}

/// What waiting or a person can mend is no reason to delete.
fn may_delete(planned: &PlannedMove, error: &Error) -> bool {
    let lasting = matches!(
        error.kind(),
        ErrorKind::Protocol | ErrorKind::LimitExceeded | ErrorKind::Unsupported
    );
    planned.target == Disposition::Storage && lasting
}

/// Whether the store holds the original: what it does not hold is never deleted. The plan of an earlier run, or of a second
/// item under one key, does not know. A plan whose item cannot be looked for may be done already, and its item lie in the
/// target.
async fn is_kept(parts: &Parts, planned: &PlannedMove) -> Result<bool> {
    if planned.kept || !can_locate(parts, &planned.key) {
        return Ok(planned.kept);
    }
    let (scope, key) = (&parts.scope, std::slice::from_ref(&planned.key));
    let known = parts.ledger.known(scope, &parts.mailbox, key).await?;
    check_count("known", key.len(), known.len())?;
    let Some(message) = known.into_iter().flatten().find_map(|it| it.message) else {
        return Ok(false);
    };
    match parts.log.original(scope, &message, 0..1).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn again_later(parts: &Parts, planned: &PlannedMove, error: &Error) -> MoveResult {
    if error.kind() == ErrorKind::NotFound {
        parts.forget_folders();
    }
    let next_try = parts.next_try(planned.attempts + 1, error);
    let outcome = MoveOutcome::Retry {
        code: error.code().to_owned(),
        next_try,
    };
    result(planned, outcome)
}

async fn delete(
    parts: &Parts,
    folders: &Folders,
    batch: &[PlannedMove],
    items: &[ItemRef],
) -> Result<Vec<MoveResult>> {
    let disposal = if folders.queue.public {
        Disposal::Recoverable
    } else {
        Disposal::DeletedItems
    };
    let removed = parts.source.remove(&folders.queue, items, disposal).await?;
    check_count("remove", items.len(), removed.len())?;
    let results = batch
        .iter()
        .zip(removed)
        .map(|(planned, removed)| match removed {
            Removed::Done | Removed::Gone => result(planned, MoveOutcome::Deleted),
            Removed::Failed(error) => again_later(parts, planned, &error),
        });
    Ok(results.collect())
}
