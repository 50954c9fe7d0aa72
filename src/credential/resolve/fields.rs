//! A set-up that may not be stored yet, over the stored one.
//!
//! Owns which fields count before stored ones. It keeps no secret and knows no store.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::credential::{AccessToken, ClientCertificate, CredentialProvider, UserPassword};
use crate::error::Result;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;

/// Stored credentials under the fields of a set-up; a blank field is the stored one's.
pub(super) struct FieldsFirst {
    stored: Arc<dyn CredentialProvider>,
    client_id: Option<String>,
    redirect_url: Option<String>,
    user_name: Option<String>,
}

impl std::fmt::Debug for FieldsFirst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FieldsFirst")
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}

impl FieldsFirst {
    pub(super) fn over(stored: Arc<dyn CredentialProvider>, setup: &EmailLoggingSetup) -> Self {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        Self {
            client_id: filled(&setup.exchange_client_id),
            redirect_url: filled(&setup.exchange_redirect_url),
            user_name: filled(&setup.exchange_account_user_name),
            stored: stored.for_setup(setup).unwrap_or(stored),
        }
    }
}

#[async_trait]
impl CredentialProvider for FieldsFirst {
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        match &self.client_id {
            Some(id) => Ok(Some(id.clone())),
            None => self.stored.client_id(scope).await,
        }
    }

    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        self.stored.client_secret(scope).await
    }

    async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>> {
        match &self.redirect_url {
            Some(url) => Ok(Some(url.clone())),
            None => self.stored.redirect_url(scope).await,
        }
    }

    async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>> {
        self.stored.certificate(scope).await
    }

    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        let account = self.stored.password(scope).await?;
        Ok(account.map(|account| match &self.user_name {
            Some(user_name) => UserPassword::new(user_name.clone(), account.password),
            None => account,
        }))
    }

    async fn access_token(&self, scope: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        self.stored.access_token(scope, resource).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::StaticCredentials;

    #[test]
    fn fields_over_stored_credentials_show_the_provider_alone() {
        let setup = EmailLoggingSetup {
            exchange_account_user_name: Some("user".into()),
            ..EmailLoggingSetup::default()
        };
        let stored = StaticCredentials::new().with_password("user", "secret");
        let shown = format!("FieldsFirst {{ stored: {stored:?}, .. }}");
        let fields = FieldsFirst::over(Arc::new(stored), &setup);
        assert_eq!(format!("{fields:?}"), shown);
    }
}
