//! Where the set-up is kept.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Result;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;

/// Keeps the set-up of each scope.
#[async_trait]
pub trait SetupStore: Debug + Send + Sync + 'static {
    /// The set-up, if one was stored.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn load_setup(&self, scope: &Scope) -> Result<Option<StoredSetup>>;

    /// Stores the set-up if the stored one still has the expected version; 0 where none is stored. Answers the new
    /// version.
    ///
    /// # Errors
    ///
    /// `Conflict` (`setup.version`) where it was changed meanwhile; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Unknown after a drop: load it again.
    async fn save_setup(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        expected_version: u64,
    ) -> Result<u64>;
}

/// A set-up as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredSetup {
    /// The set-up.
    pub setup: EmailLoggingSetup,
    /// Its version, from 1.
    pub version: u64,
}

impl StoredSetup {
    /// A set-up with its version.
    pub fn new(setup: EmailLoggingSetup, version: u64) -> Self {
        Self { setup, version }
    }
}
