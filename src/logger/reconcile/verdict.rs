//! Whether the ledger knows an item that lies where runs move mail to.

use crate::error::Result;
use crate::logger::listing::{WorkItem, is_logged, lookup_key};
use crate::logger::moves::{can_locate, sought};
use crate::logger::parts::{Parts, check_count};
use crate::source::{Folder, ItemRef, Sought};
use crate::store::{KnownSighting, SightingState};

/// What follows from what the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is missing.
    Known,
    /// The move of this item is believed to be still to do.
    Settle(ItemRef),
    /// It is to be read and decided.
    Decide,
}

/// The verdict on an item whose sighting is known.
pub(super) fn of(known: &KnownSighting, item: &ItemRef) -> Verdict {
    let is_at = |place: &ItemRef| place.id == item.id;
    if known.state == SightingState::Pending {
        return Verdict::Decide;
    }
    if let Some(waiting) = known.waiting.iter().find(|place| is_at(place)) {
        return Verdict::Settle(waiting.clone());
    }
    match known.waiting.first() {
        // The ledger has this copy's place: another one waits.
        _ if is_at(&known.item) => Verdict::Known,
        Some(waiting) => Verdict::Settle(waiting.clone()),
        None if is_logged(known) => Verdict::Known,
        // It went without entries to a place that the ledger does not know: it may have been put back and logged since.
        None => Verdict::Decide,
    }
}

/// The verdicts on a page. Of several items under a key, one that the ledger has the place of speaks for all.
pub(super) async fn judge(
    parts: &Parts,
    folder: &Folder,
    works: Vec<WorkItem>,
) -> Result<Vec<(WorkItem, Verdict)>> {
    let mut judged: Vec<(WorkItem, Verdict)> = works
        .into_iter()
        .map(|work| {
            let verdict = match &work.known {
                None => Verdict::Decide,
                Some(known) => of(known, &work.listed.item),
            };
            (work, verdict)
        })
        .collect();
    settle_each_once(&mut judged);
    let doubtful: Vec<usize> = (0..judged.len())
        .filter(|index| judged.get(*index).is_some_and(|it| is_doubtful(parts, it)))
        .collect();
    let asked: Vec<_> = doubtful
        .iter()
        .filter_map(|index| judged.get(*index))
        .map(|(work, _)| last_seen(parts, work))
        .collect();
    if asked.is_empty() {
        return Ok(judged);
    }
    let places = parts.source.locate(folder, &asked).await?;
    check_count("locate", asked.len(), places.len())?;
    for (index, copies) in doubtful.into_iter().zip(places) {
        let Some((work, verdict)) = judged.get_mut(index) else {
            continue;
        };
        let known = work.known.as_ref();
        if known.is_some_and(|known| copies.iter().any(|copy| copy.id == known.item.id)) {
            *verdict = Verdict::Known;
        }
    }
    Ok(judged)
}

/// The item that the ledger has the place of.
fn last_seen(parts: &Parts, work: &WorkItem) -> Sought {
    let key = lookup_key(&work.listed);
    match &work.known {
        Some(known) => sought(parts, &key, &known.item),
        None => Sought::new(key),
    }
}

fn is_doubtful(parts: &Parts, (work, verdict): &(WorkItem, Verdict)) -> bool {
    let decided = work.known.as_ref();
    let decided = decided.is_some_and(|known| known.state != SightingState::Pending);
    *verdict == Verdict::Decide && decided && can_locate(parts, &lookup_key(&work.listed))
}

/// Of several copies under one key each settles a plan of its own; those that are too many are known.
fn settle_each_once(judged: &mut [(WorkItem, Verdict)]) {
    let mut taken = std::collections::BTreeSet::new();
    for (work, verdict) in judged {
        let Verdict::Settle(waiting) = verdict else {
            continue;
        };
        let key = lookup_key(&work.listed);
        let plans = work.known.iter().flat_map(|known| &known.waiting);
        let free = std::iter::once(&*waiting)
            .chain(plans)
            .find(|plan| !taken.contains(&(key.clone(), plan.id.clone())))
            .cloned();
        *verdict = match free {
            Some(plan) => {
                taken.insert((key, plan.id.clone()));
                Verdict::Settle(plan)
            }
            None => Verdict::Known,
        };
    }
}
