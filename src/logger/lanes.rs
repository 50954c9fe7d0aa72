//! The moves that a run has planned and that have no result yet: those that wait, by lane, and those under way.

use std::collections::{BTreeMap, VecDeque};

use crate::source::SightingKey;

use super::moves::PlannedMove;

/// A lane, see [`super::folders::Folders::lane`].
type Lane = &'static str;

/// By which lane the items of a key leave.
pub(super) type LaneOf = BTreeMap<SightingKey, Lane>;

/// Planned moves.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    waiting: BTreeMap<Lane, VecDeque<PlannedMove>>,
    /// By the task that moves them.
    under_way: BTreeMap<u64, (Lane, Vec<SightingKey>)>,
    /// What may have been moved or not.
    unknown: LaneOf,
}

impl Lanes {
    pub(super) fn push(&mut self, lane: Lane, planned: PlannedMove) {
        self.waiting.entry(lane).or_default().push_back(planned);
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.values().all(VecDeque::is_empty)
    }

    /// A batch of one lane, which `task` is to move: a full one, or with `flush` what there is. An item that will look for
    /// others under its key in the target waits until those have come there.
    pub(super) fn begin(
        &mut self,
        task: u64,
        size: usize,
        flush: bool,
    ) -> Option<Vec<PlannedMove>> {
        let moving = self.under_way.values();
        let moving = |key: &SightingKey| moving.clone().any(|(_, keys)| keys.contains(key));
        let is_free = |it: &&PlannedMove| !(it.again && moving(&it.key));
        let lanes = self.waiting.iter_mut();
        let (lane, batch) = lanes
            .filter(|(_, queue)| queue.len() >= size || flush)
            .find_map(|(lane, queue)| {
                let free = queue.iter().take(size).take_while(is_free).count();
                let batch: Vec<_> = queue.drain(..free).collect();
                (free > 0).then_some((*lane, batch))
            })?;
        let keys = batch.iter().map(|it| it.key.clone()).collect();
        self.under_way.insert(task, (lane, keys));
        Some(batch)
    }

    /// What a task moved has its results.
    pub(super) fn end(&mut self, task: u64) {
        self.under_way.remove(&task);
    }

    /// A task ended without results.
    pub(super) fn lose(&mut self, task: u64) {
        if let Some((lane, keys)) = self.under_way.remove(&task) {
            self.unknown.extend(keys.into_iter().map(|key| (key, lane)));
        }
    }

    /// All tasks were dropped.
    pub(super) fn lose_all(&mut self) {
        while let Some(task) = self.under_way.keys().next().copied() {
            self.lose(task);
        }
    }

    /// Of the items that wait, are under way or may have been moved.
    pub(super) fn lanes(&self) -> LaneOf {
        let waiting = self.waiting.iter();
        let waiting =
            waiting.flat_map(|(lane, queue)| queue.iter().map(|it| (it.key.clone(), *lane)));
        let under_way = self.under_way.values();
        let under_way =
            under_way.flat_map(|(lane, keys)| keys.iter().map(|key| (key.clone(), *lane)));
        let mut all = self.unknown.clone();
        all.extend(waiting.chain(under_way));
        all
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::decision::Disposition;
    use crate::source::ItemRef;
    use crate::store::PendingMove;

    fn key(number: u8) -> SightingKey {
        SightingKey::Digest([number; 32])
    }

    fn planned(number: u8) -> PlannedMove {
        let item = ItemRef::new(format!("item-{number}"));
        let (target, at) = (Disposition::Storage, Timestamp::UNIX_EPOCH);
        PlannedMove::from(PendingMove::new(key(number), item, target, at))
    }

    fn keys(batch: Option<Vec<PlannedMove>>) -> Option<Vec<SightingKey>> {
        batch.map(|batch| batch.into_iter().map(|it| it.key).collect())
    }

    #[test]
    fn a_batch_is_full_or_the_last_of_its_lane() {
        let mut lanes = Lanes::default();
        assert!(lanes.is_empty());
        for number in 1..=3 {
            lanes.push("storage", planned(number));
        }
        lanes.push("delete", planned(9));
        assert_eq!(lanes.waiting(), 4);
        assert_eq!(keys(lanes.begin(1, 2, false)), Some(vec![key(1), key(2)]));
        assert_eq!(keys(lanes.begin(2, 2, false)), None);
        assert_eq!(keys(lanes.begin(2, 2, true)), Some(vec![key(9)]));
        assert_eq!(keys(lanes.begin(3, 2, true)), Some(vec![key(3)]));
        assert_eq!(keys(lanes.begin(4, 2, true)), None);
        assert!(lanes.is_empty());
    }

    #[test]
    fn what_will_look_for_another_item_waits_until_that_has_moved() {
        let mut lanes = Lanes::default();
        let copy = || PlannedMove {
            again: true,
            ..planned(1)
        };
        for planned in [planned(1), planned(2), copy(), planned(3), copy()] {
            lanes.push("storage", planned);
        }
        assert_eq!(keys(lanes.begin(1, 2, false)), Some(vec![key(1), key(2)]));
        assert_eq!(keys(lanes.begin(2, 2, true)), None);
        lanes.push("delete", planned(9));
        assert_eq!(keys(lanes.begin(2, 2, true)), Some(vec![key(9)]));
        lanes.end(2);
        assert_eq!(keys(lanes.begin(3, 2, true)), None);
        lanes.lose(1);
        assert_eq!(keys(lanes.begin(4, 2, true)), Some(vec![key(1), key(3)]));
        assert_eq!(keys(lanes.begin(5, 2, true)), None);
        lanes.lose_all();
        assert_eq!(keys(lanes.begin(6, 2, true)), Some(vec![key(1)]));
    }

    #[test]
    fn a_key_has_its_lane_until_its_move_has_a_result() {
        let mut lanes = Lanes::default();
        lanes.push("quarantine", planned(1));
        lanes.push("storage", planned(2));
        let both = LaneOf::from([(key(1), "quarantine"), (key(2), "storage")]);
        assert_eq!(lanes.lanes(), both);
        for task in 1..=2 {
            assert!(lanes.begin(task, 1, false).is_some());
        }
        assert_eq!(lanes.lanes(), both);
        lanes.end(1);
        assert_eq!(lanes.lanes(), LaneOf::from([(key(2), "storage")]));
        lanes.lose_all();
        assert_eq!(lanes.lanes(), LaneOf::from([(key(2), "storage")]));
    }
}
