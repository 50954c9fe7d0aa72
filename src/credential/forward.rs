//! Credential providers through `Arc` and `Box`: what the inner one handles is handled.

use std::sync::Arc;

use secrecy::SecretString;

use super::{AccessToken, ClientCertificate, CredentialProvider, UserPassword};
use crate::error::Result;
use crate::forward::forward;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;

forward! {
    CredentialProvider {
        fn for_setup(&self, setup: &EmailLoggingSetup) -> Option<Arc<dyn CredentialProvider>>;
        async fn client_id(&self, scope: &Scope) -> Result<Option<String>>;
        async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>>;
        async fn redirect_url(&self, scope: &Scope) -> Result<Option<String>>;
        async fn certificate(&self, scope: &Scope) -> Result<Option<ClientCertificate>>;
        async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>>;
        async fn access_token(
            &self,
            scope: &Scope,
            resource: &str,
        ) -> Result<Option<AccessToken>>;
    }
}
