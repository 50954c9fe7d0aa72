//! The account that signs in, and where its password comes from. The password is read at each sign-in and not kept.

use std::io::Read as _;
use std::path::PathBuf;

use async_trait::async_trait;
use email_logging::Scope;
use email_logging::credential::{CredentialProvider, UserPassword};
use email_logging::error::{Error, Result, codes};
use secrecy::SecretString;

use crate::config::{ConfigError, Exchange, PASSWORD};

/// Bytes of a password file; more is no password.
const LONGEST: u64 = 4096;

/// An account with a password that is at hand when it is needed.
#[derive(Debug)]
pub(crate) struct Account {
    user_name: String,
    password: Source,
}

#[derive(Debug)]
enum Source {
    Given(SecretString),
    Environment,
    File(PathBuf),
}

impl Account {
    /// The account of the configuration. A password file wins over the environment.
    pub(crate) fn of(exchange: &Exchange) -> std::result::Result<Self, ConfigError> {
        let user_name = exchange.user_name.clone().ok_or_else(|| {
            ConfigError::missing("the account's name", "exchange", "user-name", "--user-name")
        })?;
        let password = match &exchange.password_file {
            Some(file) => Source::File(file.clone()),
            None => Source::Environment,
        };
        Ok(Self {
            user_name,
            password,
        })
    }

    /// Whether a password is at hand outside the stored set-up.
    pub(crate) fn is_at_hand(exchange: &Exchange) -> bool {
        exchange.password_file.is_some() || from_environment().is_ok()
    }

    /// An account with this password.
    pub(crate) fn with_password(user_name: &str, password: &str) -> Self {
        Self {
            user_name: user_name.to_owned(),
            password: Source::Given(SecretString::from(password)),
        }
    }
}

#[async_trait]
impl CredentialProvider for Account {
    async fn password(&self, _scope: &Scope) -> Result<Option<UserPassword>> {
        let password = match &self.password {
            Source::Given(password) => password.clone(),
            Source::Environment => from_environment()?,
            Source::File(file) => from_file(file)?,
        };
        Ok(Some(UserPassword::new(self.user_name.clone(), password)))
    }
}

fn from_environment() -> Result<SecretString> {
    let text = std::env::var(PASSWORD).ok().filter(|text| !text.is_empty());
    text.map(SecretString::from).ok_or_else(|| {
        Error::new(&codes::CREDENTIAL_MISSING, "sign-in").with_detail(format!(
            "neither {PASSWORD} nor `password-file` in [exchange] is set"
        ))
    })
}

fn from_file(path: &PathBuf) -> Result<SecretString> {
    let unreadable = |error| {
        Error::new(&codes::CREDENTIAL_MISSING, "sign-in")
            .with_detail("the password file cannot be read")
            .with_source(error)
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    refuse_shared(&file.metadata().map_err(unreadable)?)?;
    let mut text = String::new();
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        let error = Error::new(&codes::CREDENTIAL_MISSING, "sign-in");
        return Err(error.with_detail("the password file is empty"));
    }
    Ok(SecretString::from(password))
}

#[cfg(unix)]
pub(crate) fn refuse_shared(file: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let others = file.permissions().mode() & 0o077;
    if others == 0 {
        Ok(())
    } else {
        Err(Error::new(&codes::CREDENTIAL_FILE_MODE, "sign-in"))
    }
}

#[cfg(not(unix))]
pub(crate) fn refuse_shared(_file: &std::fs::Metadata) -> Result<()> {
    Ok(())
}
