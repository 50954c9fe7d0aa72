//! Faults: what goes wrong, at which call, and which of them have happened.

mod by_hand;
mod kind;
mod plan;
mod wire;

use super::operation::Operation;

pub use self::by_hand::ByHand;
pub use self::kind::FaultKind;
pub(crate) use self::plan::{FaultPlan, Firing};
pub(crate) use self::wire::{html_page, spoil};

/// A fault and the calls at which it happens: by itself the next call, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    operation: Option<Operation>,
    item: Option<String>,
    first_call: u64,
    times: Option<u64>,
}

impl Fault {
    /// A fault at the next call of any operation, once.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation: None,
            item: None,
            first_call: 1,
            times: Some(1),
        }
    }

    /// Lets only calls of this operation count.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Lets only calls that name this item count; [`FaultKind::ItemError`] then strikes this item.
    #[must_use]
    pub fn for_item(mut self, item_id: impl Into<String>) -> Self {
        self.item = Some(item_id.into());
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
pub struct FiredFault {
    /// What went wrong.
    pub kind: FaultKind,
    /// In a call of which operation.
    pub operation: Operation,
    /// The number of that call among the calls of the operation, from 1.
    pub call: u64,
}
