//! Whether a directory's records can be found by mail at all. For validation; correctness of a run never depends on it.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::RecordProblem;
use crate::error::Result;
use crate::forward::forward;
use crate::scope::Scope;

/// A directory that can say which of its records no mail will ever match. Optional.
#[async_trait]
pub trait DirectoryAudit: Debug + Send + Sync + 'static {
    /// The salespeople and contacts whose mail addresses are missing or cannot be used, a page at a time, in a stable
    /// order. A problem names the record and the field, never the address.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the directory cannot answer.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn audit(&self, scope: &Scope, offset: u32, limit: u32) -> Result<AuditPage>;
}

forward! {
    DirectoryAudit {
        async fn audit(&self, scope: &Scope, offset: u32, limit: u32) -> Result<AuditPage>;
    }
}

/// One page of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AuditPage {
    /// The problems.
    pub problems: Vec<RecordProblem>,
    /// Whether there is none after these.
    pub complete: bool,
}

impl AuditPage {
    /// A page.
    pub fn new(problems: Vec<RecordProblem>, complete: bool) -> Self {
        Self { problems, complete }
    }
}
