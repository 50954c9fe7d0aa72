//! Seeing that credentials have changed, in whatever process that was.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::scope::Scope;
use crate::store::{SecretName, SecretStore};

/// Tells whether the credentials of a mailbox are still the ones that were refused.
#[async_trait]
pub trait CredentialWatch: Debug + Send + Sync + 'static {
    /// A number that is another one after the credentials changed.
    ///
    /// # Errors
    ///
    /// Any: the mailbox stays paused and is asked about again later.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn version(&self) -> Result<u64>;
}

/// Watches a secret of the store, such as the refresh token of a delegated sign-in.
#[derive(Debug, Clone)]
pub struct SecretWatch {
    store: Arc<dyn SecretStore>,
    scope: Scope,
    name: SecretName,
}

impl SecretWatch {
    /// A watch on one secret.
    pub fn new(store: Arc<dyn SecretStore>, scope: Scope, name: SecretName) -> Self {
        Self { store, scope, name }
    }
}

#[async_trait]
impl CredentialWatch for SecretWatch {
    async fn version(&self) -> Result<u64> {
        let stored = self.store.load_secret(&self.scope, self.name).await?;
        Ok(stored.map_or(0, |stored| stored.version))
    }
}
