//! The account of a host's provider, asked for at each sign-in and kept nowhere.

use std::sync::Arc;

use crate::credential::{CredentialProvider, UserPassword};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;

/// Where user name and password come from.
#[derive(Debug)]
pub(crate) struct Account {
    provider: Arc<dyn CredentialProvider>,
    scope: Scope,
}

impl Account {
    /// The account that this provider supplies for a scope.
    pub(crate) fn new(provider: Arc<dyn CredentialProvider>, scope: Scope) -> Self {
        Self { provider, scope }
    }

    /// Asks the provider; `scheme` is what an error names.
    pub(crate) async fn ask(&self, scheme: &'static str) -> Result<UserPassword> {
        let account = self.provider.password(&self.scope).await?;
        account
            .filter(|account| !account.user_name.is_empty())
            .ok_or_else(|| Error::new(&codes::CREDENTIAL_MISSING, scheme))
    }
}
