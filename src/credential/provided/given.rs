//! Values that were given.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::credential::{AccessToken, ClientCertificate, CredentialProvider, UserPassword};
use crate::error::Result;
use crate::scope::Scope;

/// Values that were given, the same for every scope. `Debug` shows no secret.
#[derive(Debug, Default, Clone)]
pub struct StaticCredentials {
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    redirect_url: Option<String>,
    certificate: Option<ClientCertificate>,
    password: Option<UserPassword>,
    access_token: Option<AccessToken>,
}

impl StaticCredentials {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the client id.
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Gives the client secret.
    #[must_use]
    pub fn with_client_secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Gives the redirect URL.
    #[must_use]
    pub fn with_redirect_url(mut self, url: impl Into<String>) -> Self {
        self.redirect_url = Some(url.into());
        self
    }

    /// Gives the client certificate.
    #[must_use]
    pub fn with_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Gives the account's user name and password.
    #[must_use]
    pub fn with_password(
        mut self,
        user_name: impl Into<String>,
        password: impl Into<SecretString>,
    ) -> Self {
        self.password = Some(UserPassword::new(user_name, password));
        self
    }

    /// Gives a ready-made access token, for every resource.
    #[must_use]
    pub fn with_access_token(mut self, token: AccessToken) -> Self {
        self.access_token = Some(token);
        self
    }
}

#[async_trait]
impl CredentialProvider for StaticCredentials {
    async fn client_id(&self, _: &Scope) -> Result<Option<String>> {
        Ok(self.client_id.clone())
    }

    async fn client_secret(&self, _: &Scope) -> Result<Option<SecretString>> {
        Ok(self.client_secret.clone())
    }

    async fn redirect_url(&self, _: &Scope) -> Result<Option<String>> {
        Ok(self.redirect_url.clone())
    }

    async fn certificate(&self, _: &Scope) -> Result<Option<ClientCertificate>> {
        Ok(self.certificate.clone())
    }

    async fn password(&self, _: &Scope) -> Result<Option<UserPassword>> {
        Ok(self.password.clone())
    }

    async fn access_token(&self, _: &Scope, _: &str) -> Result<Option<AccessToken>> {
        Ok(self.access_token.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let given = StaticCredentials::new()
            .with_client_secret("canary")
            .with_password("user", "canary")
            .with_certificate(ClientCertificate::new("public", "canary"))
            .with_access_token(AccessToken::new("canary", None));
        assert!(!format!("{given:?} {given:#?}").contains("canary"));
    }
}
