//! An installation: the store that keeps the set-up, the key that seals its secrets, and who supplies credentials.
//!
//! Every command of the set-up opens one. It must not know the words that a command says.

mod connector;
mod missing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use email_logging::Scope;
use email_logging::credential::{
    CredentialResolver, EnvironmentCredentials, KeyFile, SealedCredentials, SealedSecrets,
};
use email_logging::interaction::InteractionTemplate;
use email_logging::setup::{
    EmailLoggingAdministration, EmailLoggingSetup, MailConnection, MailConnector, TemplateList,
};
use email_logging::store::{SecretName, SqliteStore, StoredSetup};

use crate::cli::Settings;
use crate::config::{CLIENT_ID, CLIENT_SECRET, Config, ConfigError};
use crate::connect;
use crate::exit::Failure;

pub(crate) use missing::{Missing, missing, next};

/// A set-up with everything that belongs to it.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) config: Config,
    pub(crate) scope: Scope,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) secrets: SealedSecrets,
    pub(crate) credentials: Arc<CredentialResolver>,
    pub(crate) connector: Arc<dyn MailConnector>,
    pub(crate) key_file: PathBuf,
}

impl Installation {
    /// Opens the log that is there.
    pub(crate) async fn open(file: Option<&Path>, flags: &Settings) -> Result<Self, Failure> {
        let config = Config::load(file, flags)?;
        let path = config.store_path()?;
        if !path.is_file() {
            return Err(ConfigError {
                code: "config.missing",
                what: format!("there is no set-up: {} does not exist", path.display()),
                remedy: "Begin with `setup FIELD=VALUE`, which makes the file; `setup --help` lists the fields.".into(),
            }
            .into());
        }
        Self::of(config).await
    }

    /// Opens the installation of a configuration, and makes its log where it is not there.
    pub(crate) async fn of(config: Config) -> Result<Self, Failure> {
        let store = connect::store(config.store_path()?).await?;
        Self::with_store(config, store)
    }

    /// The installation of a log that is open.
    pub(crate) fn with_store(config: Config, store: Arc<SqliteStore>) -> Result<Self, Failure> {
        let key_file = config.key_path()?;
        let keys = Arc::new(KeyFile::new(&key_file));
        let secrets = SealedSecrets::new(Arc::clone(&store) as _, keys);
        let credentials = Arc::new(credentials(&config, &store, &secrets)?);
        let connector = connector::connector(&config, &secrets, &credentials)?;
        Ok(Self {
            scope: config.scope()?,
            config,
            store,
            secrets,
            credentials,
            connector,
            key_file,
        })
    }

    /// Who changes, validates, enables, disables and clears.
    pub(crate) fn administration(
        &self,
        directory: bool,
        other_mailbox: Option<&String>,
    ) -> Result<EmailLoggingAdministration, Failure> {
        let template = InteractionTemplate::default();
        let mut builder = EmailLoggingAdministration::builder()
            .with_setup_store(Arc::clone(&self.store) as _)
            .with_secret_store(Arc::clone(&self.store) as _)
            .with_templates(Arc::new(TemplateList::new([template.code])))
            .with_connector(Arc::clone(&self.connector));
        if directory && self.config.directory.file.is_some() {
            builder = builder.with_directory(Arc::new(connect::directory(&self.config)?));
        }
        if let Some(mailbox) = other_mailbox {
            builder = builder.with_other_mailbox(mailbox);
        }
        Ok(builder.build()?)
    }

    /// The set-up as it is stored; empty, with version 0, where none is.
    pub(crate) async fn load(&self) -> Result<StoredSetup, Failure> {
        use email_logging::store::SetupStore as _;
        let stored = self.store.load_setup(&self.scope).await?;
        Ok(stored.unwrap_or_else(|| StoredSetup::new(EmailLoggingSetup::default(), 0)))
    }

    /// The secrets that are stored.
    pub(crate) async fn stored_secrets(&self) -> Result<Vec<SecretName>, Failure> {
        let mut stored = Vec::new();
        for name in SecretName::ALL {
            if self.secrets.is_stored(&self.scope, *name).await? {
                stored.push(*name);
            }
        }
        Ok(stored)
    }

    /// The mail system of the set-up.
    pub(crate) async fn connect(
        &self,
        setup: &EmailLoggingSetup,
    ) -> Result<MailConnection, Failure> {
        Ok(self.connector.connect(&self.scope, setup).await?)
    }
}

/// The environment first, as a deployment has it; then the set-up.
fn credentials(
    config: &Config,
    store: &Arc<SqliteStore>,
    secrets: &SealedSecrets,
) -> Result<CredentialResolver, Failure> {
    let environment = EnvironmentCredentials::new()
        .with_client_id(CLIENT_ID)
        .with_client_secret(CLIENT_SECRET);
    let stored = SealedCredentials::new(Arc::clone(store) as _, secrets.clone());
    let mut resolver = CredentialResolver::new().with_provider(Arc::new(environment));
    if config.exchange.user_name.is_some() && connect::Account::is_at_hand(&config.exchange) {
        resolver = resolver.with_provider(Arc::new(connect::Account::of(&config.exchange)?));
    }
    Ok(resolver.with_stored(Arc::new(stored)))
}
