//! Which faults a call meets.

use std::time::Duration;

use super::{Fault, FaultKind, FiredFault};
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::operation::{Effects, FailAt, Operation};
use crate::testkit::exchange::xml::Element;

/// All faults that were ordered, and those that have happened.
#[derive(Default)]
pub(crate) struct FaultPlan {
    ordered: Vec<Ordered>,
    fired: Vec<FiredFault>,
}

struct Ordered {
    fault: Fault,
    seen: u64,
}

/// A fault that happens now.
#[derive(Clone, Debug)]
pub(crate) struct Firing {
    pub(crate) kind: FaultKind,
    item: Option<String>,
}

impl FaultPlan {
    pub(crate) fn order(&mut self, fault: Fault) {
        self.ordered.push(Ordered { fault, seen: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.ordered.clear();
    }

    /// How many faults have not struck as often as they were ordered to.
    pub(crate) fn pending(&self) -> usize {
        self.ordered
            .iter()
            .filter(|ordered| ordered.is_pending())
            .count()
    }

    pub(crate) fn fired(&self) -> Vec<FiredFault> {
        self.fired.clone()
    }

    /// Counts a call and answers the faults that it meets.
    pub(crate) fn meet(
        &mut self,
        operation: Operation,
        call: u64,
        request: &Element,
    ) -> Vec<Firing> {
        let mut firing = Vec::new();
        for ordered in &mut self.ordered {
            if ordered.counts(operation, request) && ordered.strikes() {
                let (kind, item) = (ordered.fault.kind.clone(), ordered.fault.item.clone());
                self.fired.push(FiredFault {
                    kind: kind.clone(),
                    operation,
                    call,
                });
                firing.push(Firing { kind, item });
            }
        }
        firing
    }
}

impl Ordered {
    fn counts(&self, operation: Operation, request: &Element) -> bool {
        let fault = &self.fault;
        fault.operation.is_none_or(|wanted| wanted == operation)
            && fault
                .item
                .as_deref()
                .is_none_or(|id| request.mentions("ItemId", id))
    }

    fn is_pending(&self) -> bool {
        let last = |times| {
            self.fault
                .first_call
                .saturating_add(times)
                .saturating_sub(1)
        };
        self.fault
            .times
            .is_some_and(|times| self.seen < last(times))
    }

    fn strikes(&mut self) -> bool {
        self.seen += 1;
        let since = self.seen.checked_sub(self.fault.first_call);
        since.is_some_and(|since| self.fault.times.is_none_or(|times| since < times))
    }
}

impl Firing {
    /// Adds what this fault changes in the operation itself.
    pub(crate) fn affect(&self, effects: &mut Effects) {
        match &self.kind {
            FaultKind::ItemError { index, code } => {
                let at = self.place(FailAt::Index(*index));
                effects.item_failures.push((at, Failure::new(code.clone())));
            }
            FaultKind::ServerBusyInside { back_off } => {
                let at = self.place(FailAt::Every);
                effects.item_failures.push((at, busy_inside(*back_off)));
            }
            FaultKind::BatchStopped { after } => effects.stop_batch_after = Some(*after),
            FaultKind::MissingAnswers(count) => effects.missing_answers += count,
            FaultKind::DuplicateItems => effects.duplicate_items = true,
            FaultKind::EndlessPaging => effects.endless_paging = true,
            FaultKind::MoveLeavesOriginal => effects.move_leaves_original = true,
            FaultKind::MoveWithoutNewId => effects.move_without_new_id = true,
            _ => {}
        }
    }

    fn place(&self, otherwise: FailAt) -> FailAt {
        self.item.clone().map_or(otherwise, FailAt::Id)
    }

    /// How long the client must be silent after this fault.
    pub(crate) fn back_off(&self) -> Option<Duration> {
        match &self.kind {
            FaultKind::ServerBusy { back_off } | FaultKind::ServerBusyInside { back_off } => {
                Some(*back_off)
            }
            FaultKind::Http { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn busy_inside(back_off: Duration) -> Failure {
    Failure::new("ErrorInternalServerError")
        .with_detail(
            "InnerErrorMessageText",
            "The server cannot service this request right now.",
        )
        .with_detail("InnerErrorResponseCode", "ErrorServerBusy")
        .with_detail("InnerErrorDescriptiveLinkKey", "0")
        .with_detail("BackOffMilliseconds", back_off.as_millis().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testkit::exchange::xml::parse;

    fn fired(fault: Fault, calls: &[(Operation, &str)]) -> Vec<usize> {
        let mut plan = FaultPlan::default();
        plan.order(fault);
        let mut hit = |(at, (operation, request)): (usize, &(Operation, &str))| {
            let request = parse(request).unwrap();
            (!plan.meet(*operation, 1, &request).is_empty()).then_some(at)
        };
        calls.iter().enumerate().filter_map(&mut hit).collect()
    }

    #[test]
    fn a_fault_strikes_at_its_calls_alone() {
        use Operation::{FindItem, GetItem};
        let calls = [
            (GetItem, "<a/>"),
            (FindItem, "<a/>"),
            (GetItem, "<a/>"),
            (GetItem, "<a/>"),
        ];
        let fault = || Fault::new(FaultKind::LoseReply);
        assert_eq!(fired(fault(), &calls), [0]);
        assert_eq!(fired(fault().always(), &calls), [0, 1, 2, 3]);
        assert_eq!(fired(fault().on(GetItem).at_call(2), &calls), [2]);
        assert_eq!(
            fired(fault().on(GetItem).at_call(2).times(2), &calls),
            [2, 3]
        );
        assert_eq!(fired(fault().on(FindItem).at_call(2), &calls), [0_usize; 0]);
    }

    #[test]
    fn a_fault_for_an_item_waits_for_it() {
        let item = "<a><ItemId Id='x'/></a>";
        let calls = [(Operation::GetItem, "<a/>"), (Operation::GetItem, item)];
        assert_eq!(
            fired(Fault::new(FaultKind::LoseReply).for_item("x"), &calls),
            [1]
        );
    }
}
