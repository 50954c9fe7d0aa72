//! Which faults a call meets.

use super::{FiredGraphFault, GraphFault, GraphFaultKind};
use crate::testkit::graph::operation::Route;

/// All faults that were ordered, and those that have happened.
#[derive(Default)]
pub(in crate::testkit::graph) struct FaultPlan {
    ordered: Vec<Ordered>,
    fired: Vec<FiredGraphFault>,
}

struct Ordered {
    fault: GraphFault,
    seen: u64,
}

/// What faults change in an operation itself.
#[derive(Clone, Debug, Default)]
pub(in crate::testkit::graph) struct Effects {
    pub(in crate::testkit::graph) move_leaves_original: bool,
    pub(in crate::testkit::graph) duplicate_items: bool,
    pub(in crate::testkit::graph) endless_paging: bool,
    pub(in crate::testkit::graph) next_link: Option<String>,
}

impl Effects {
    pub(in crate::testkit::graph) fn of(kinds: &[GraphFaultKind]) -> Self {
        let mut effects = Self::default();
        for kind in kinds {
            match kind {
                GraphFaultKind::MoveLeavesOriginal => effects.move_leaves_original = true,
                GraphFaultKind::DuplicateItems => effects.duplicate_items = true,
                GraphFaultKind::EndlessPaging => effects.endless_paging = true,
                GraphFaultKind::NextLinkTo(link) => effects.next_link = Some(link.clone()),
                _ => {}
            }
        }
        effects
    }
}

impl FaultPlan {
    pub(in crate::testkit::graph) fn order(&mut self, fault: GraphFault) {
        self.ordered.push(Ordered { fault, seen: 0 });
    }

    pub(in crate::testkit::graph) fn clear(&mut self) {
        self.ordered.clear();
    }

    /// How many faults have not struck as often as they were ordered to.
    pub(in crate::testkit::graph) fn pending(&self) -> usize {
        let ordered = self.ordered.iter();
        ordered.filter(|ordered| ordered.is_pending()).count()
    }

    pub(in crate::testkit::graph) fn fired(&self) -> Vec<FiredGraphFault> {
        self.fired.clone()
    }

    /// Counts a call and answers the faults that it meets; `part` says that it is in a batch.
    pub(in crate::testkit::graph) fn meet(
        &mut self,
        route: &Route,
        call: u64,
        part: bool,
    ) -> Vec<GraphFaultKind> {
        let mut met = Vec::new();
        for ordered in &mut self.ordered {
            if ordered.counts(route, part) && ordered.strikes() {
                let kind = ordered.fault.kind.clone();
                self.fired.push(FiredGraphFault {
                    kind: kind.clone(),
                    operation: route.operation,
                    call,
                });
                met.push(kind);
            }
        }
        met
    }
}

impl Ordered {
    fn counts(&self, route: &Route, part: bool) -> bool {
        let fault = &self.fault;
        let operation = match fault.operation {
            Some(wanted) => wanted == route.operation,
            None => !part || fault.item.is_some(),
        };
        let is_wanted = |id: &str| route.item.as_deref() == Some(id);
        operation && fault.item.as_deref().is_none_or(is_wanted)
    }

    fn is_pending(&self) -> bool {
        let last = |times: u64| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::graph::GraphOperation::{self, GetMime, ListMessages};

    fn hit(fault: GraphFault, calls: &[(GraphOperation, bool)]) -> Vec<usize> {
        let mut plan = FaultPlan::default();
        plan.order(fault);
        let met = calls.iter().enumerate().filter(|(_, (operation, part))| {
            let route = Route {
                operation: *operation,
                owner: None,
                folder: None,
                item: Some("x".to_owned()),
            };
            !plan.meet(&route, 1, *part).is_empty()
        });
        met.map(|(at, _)| at).collect()
    }

    #[test]
    fn a_fault_strikes_at_its_calls_alone() {
        let calls = [
            (GetMime, false),
            (ListMessages, false),
            (GetMime, true),
            (GetMime, true),
        ];
        let fault = || GraphFault::new(GraphFaultKind::LoseReply);
        assert_eq!(hit(fault(), &calls), [0]);
        assert_eq!(hit(fault().always(), &calls), [0, 1]);
        assert_eq!(hit(fault().on(GetMime).at_call(2), &calls), [2]);
        assert_eq!(hit(fault().on(GetMime).at_call(2).times(2), &calls), [2, 3]);
        assert_eq!(hit(fault().for_item("y"), &calls), [0_usize; 0]);
    }
}
