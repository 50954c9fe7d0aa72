//! Values of the environment, under names that the caller gives.

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::credential::{CredentialProvider, UserPassword};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;

/// Values of environment variables, read at each question. Nothing else in this library reads the environment.
///
/// A variable that is not set, or is empty, is *not handled*.
#[derive(Default, Clone)]
pub struct EnvironmentCredentials {
    client_id: Option<String>,
    client_secret: Option<String>,
    redirect_url: Option<String>,
    user_name: Option<String>,
    password: Option<String>,
}

impl EnvironmentCredentials {
    /// No variable yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the variable of the client id.
    #[must_use]
    pub fn with_client_id(mut self, variable: impl Into<String>) -> Self {
        self.client_id = Some(variable.into());
        self
    }

    /// Names the variable of the client secret.
    #[must_use]
    pub fn with_client_secret(mut self, variable: impl Into<String>) -> Self {
        self.client_secret = Some(variable.into());
        self
    }

    /// Names the variable of the redirect URL.
    #[must_use]
    pub fn with_redirect_url(mut self, variable: impl Into<String>) -> Self {
        self.redirect_url = Some(variable.into());
        self
    }

    /// Names the variables of the account's user name and password.
    #[must_use]
    pub fn with_password(
        mut self,
        user_name: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.user_name = Some(user_name.into());
        self.password = Some(password.into());
        self
    }
}

/// The names of variables are no secrets; their values are not held.
impl fmt::Debug for EnvironmentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentCredentials")
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("redirect_url", &self.redirect_url)
            .field("user_name", &self.user_name)
            .field("password", &self.password)
            .finish()
    }
}

fn read(variable: Option<&String>) -> Result<Option<String>> {
    let Some(name) = variable else {
        return Ok(None);
    };
    match std::env::var(name) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Error::new(
            &codes::CREDENTIAL_PROVIDER,
            "EnvironmentCredentials",
        )
        .with_detail("a variable is no Unicode text")),
    }
}

#[async_trait]
impl CredentialProvider for EnvironmentCredentials {
    async fn client_id(&self, _: &Scope) -> Result<Option<String>> {
        read(self.client_id.as_ref())
    }

    async fn client_secret(&self, _: &Scope) -> Result<Option<SecretString>> {
        Ok(read(self.client_secret.as_ref())?.map(Into::into))
    }

    async fn redirect_url(&self, _: &Scope) -> Result<Option<String>> {
        read(self.redirect_url.as_ref())
    }

    async fn password(&self, _: &Scope) -> Result<Option<UserPassword>> {
        let user_name = read(self.user_name.as_ref())?;
        let password = read(self.password.as_ref())?;
        Ok(user_name
            .zip(password)
            .map(|(name, password)| UserPassword::new(name, password)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_variable_that_is_not_set_is_not_handled() {
        // Cargo sets the first variable for every test; the second one nobody sets.
        let (set, unset) = (
            "CARGO_PKG_NAME",
            "EMAIL_LOGGING_TEST_VARIABLE_THAT_NOBODY_SETS",
        );
        let scope = Scope::default();
        let given = EnvironmentCredentials::new()
            .with_client_id(set)
            .with_password(set, unset);
        assert_eq!(
            given.client_id(&scope).await.unwrap().as_deref(),
            Some("email-logging")
        );
        assert!(given.password(&scope).await.unwrap().is_none());
        assert!(given.redirect_url(&scope).await.unwrap().is_none());
    }
}
