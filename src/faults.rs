//! Faults that a test plans for the n-th call of an operation. Owns the counting; knows nothing of what a fault does.

use std::collections::BTreeMap;

/// Calls so far per operation, and the faults that wait for theirs.
#[derive(Debug)]
pub(crate) struct Faults<Operation, Fault> {
    calls: BTreeMap<Operation, u64>,
    planned: BTreeMap<(Operation, u64), Fault>,
}

impl<Operation, Fault> Default for Faults<Operation, Fault> {
    fn default() -> Self {
        Self {
            calls: BTreeMap::new(),
            planned: BTreeMap::new(),
        }
    }
}

impl<Operation: Ord + Copy, Fault> Faults<Operation, Fault> {
    /// Counts a call and takes the fault that was planned for it.
    pub(crate) fn next(&mut self, operation: Operation) -> Option<Fault> {
        let calls = self.calls.entry(operation).or_default();
        *calls += 1;
        self.planned.remove(&(operation, *calls))
    }

    /// Plans a fault for the n-th call from the beginning, counted from 1.
    pub(crate) fn plan(&mut self, operation: Operation, nth: u64, fault: Fault) {
        self.planned.insert((operation, nth), fault);
    }

    /// Plans a fault for the first coming call that has none yet.
    pub(crate) fn plan_next(&mut self, operation: Operation, fault: Fault) {
        let mut nth = self.count(operation) + 1;
        while self.planned.contains_key(&(operation, nth)) {
            nth += 1;
        }
        self.plan(operation, nth, fault);
    }

    /// Calls so far.
    pub(crate) fn count(&self, operation: Operation) -> u64 {
        self.calls.get(&operation).copied().unwrap_or(0)
    }
}
