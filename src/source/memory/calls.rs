//! The record of the calls that were made.

use crate::source::FolderId;

/// An operation of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs)] // each is the trait's method of the same name
pub enum SourceOperation {
    OpenFolder,
    List,
    Fetch,
    MoveTo,
    Locate,
    Remove,
    Stamp,
    Children,
    Create,
}

/// One call that was made. A folder that is opened by its id makes none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceCall {
    /// Which operation.
    pub operation: SourceOperation,
    /// Which folder, where it was known by its id.
    pub folder: Option<FolderId>,
    /// How many items or keys were asked; for a listing, the most that were asked for.
    pub items: usize,
}

impl SourceCall {
    /// A call.
    pub(super) fn new(operation: SourceOperation, folder: Option<FolderId>, items: usize) -> Self {
        Self {
            operation,
            folder,
            items,
        }
    }
}
