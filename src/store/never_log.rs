//! Where the lists of those who are never logged are kept.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::decision::NeverLog;
use crate::error::Result;
use crate::scope::Scope;

/// Keeps the never-log lists of each scope.
#[async_trait]
pub trait NeverLogStore: Debug + Send + Sync + 'static {
    /// The lists with their version; empty with version 0 where none were stored.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn load_never_log(&self, scope: &Scope) -> Result<StoredNeverLog>;

    /// Stores the lists if the stored ones still have the expected version. Answers the new version.
    ///
    /// # Errors
    ///
    /// `Conflict` (`review.version`) where they were changed meanwhile; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: load them again.
    async fn save_never_log(
        &self,
        scope: &Scope,
        lists: &NeverLog,
        expected_version: u64,
    ) -> Result<u64>;
}

/// The lists as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StoredNeverLog {
    /// The lists.
    pub lists: NeverLog,
    /// Their version, from 1; 0 where none were stored.
    pub version: u64,
}

impl StoredNeverLog {
    /// Lists with their version.
    pub fn new(lists: NeverLog, version: u64) -> Self {
        Self { lists, version }
    }
}
