//! Faults: what goes wrong, at which call, and which of them have happened.

mod kind;
mod plan;
mod wire;

use super::operation::GraphOperation;

pub use self::kind::GraphFaultKind;
pub(super) use self::plan::{Effects, FaultPlan};
pub(super) use self::wire::{Instead, instead, spoil, spoil_parts};

/// A fault and the calls at which it happens: by itself the next call, once.
///
/// Without an operation the HTTP requests count. With one, its calls count, also those that are parts of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphFault {
    kind: GraphFaultKind,
    operation: Option<GraphOperation>,
    item: Option<String>,
    first_call: u64,
    times: Option<u64>,
}

impl GraphFault {
    /// A fault at the next HTTP request, once.
    pub fn new(kind: GraphFaultKind) -> Self {
        Self {
            kind,
            operation: None,
            item: None,
            first_call: 1,
            times: Some(1),
        }
    }

    /// Lets only calls of this operation count, those within batches included.
    #[must_use]
    pub fn on(mut self, operation: GraphOperation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Lets only calls count whose path names this message.
    #[must_use]
    pub fn for_item(mut self, id: impl Into<String>) -> Self {
        self.item = Some(id.into());
        self
    }

    /// Starts at the n-th call that counts, from 1, after the fault was given to the server.
    #[must_use]
    pub fn at_call(mut self, call: u64) -> Self {
        self.first_call = call;
        self
    }

    /// Happens at this many calls in a row.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Happens at every call from the first on.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }
}

/// A fault that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FiredGraphFault {
    /// What went wrong.
    pub kind: GraphFaultKind,
    /// In a call of which operation.
    pub operation: GraphOperation,
    /// The number of that call among the calls of the operation, from 1.
    pub call: u64,
}
