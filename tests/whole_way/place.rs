//! The machines of a company on loopback, all of them over HTTPS: an identity service, an Exchange, and the host.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use email_logging::credential::{
    CredentialProvider, CredentialResolver, IdentityService, KeyFile, MicrosoftCloud,
    SealedCredentials, SealedRefreshTokens, SealedSecrets,
};
use email_logging::logger::RunSettings;
use email_logging::setup::AuthenticationType;
use email_logging::setup::{
    ConsentSignIn, EmailLoggingAdministration, EmailLoggingSetup, EwsConnector,
    EwsConnectorBuilder, MemoryJobQueue, SetupChange, TemplateList,
};
use email_logging::source::FolderPath;
use email_logging::source::ews::AddressPolicy;
use email_logging::store::{SecretName, SqliteStore};
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::{
    AuthScheme, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};
use email_logging::testkit::identity::{Application, RefreshRotation, SimulatedIdentity};
use email_logging::{EmailLogger, Scope};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::browser::Landing;
use crate::company::{Company, people};

pub(crate) const CLIENT: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub(crate) const CLIENT_SECRET: &str = "canary-client/Secret~?=";
pub(crate) const PASSWORD: &str = "canary-pässword/€?";
pub(crate) const MAILBOX: &str = "logging@corp.example";
pub(crate) const OTHER: &str = "ceo@corp.example";
pub(crate) const QUEUE: &str = r"\Email Logging\Queue\";
pub(crate) const STORAGE: &str = r"\Email Logging\Storage\";
pub(crate) const HOST: &str = "mail.corp.example";
pub(crate) const AUTODISCOVER: &str = "autodiscover.corp.example";
/// Long enough for a run, and short enough to end in the middle of one.
pub(crate) const LIFETIME: Duration = Duration::from_mins(1);

/// The company.
pub(crate) struct Place {
    pub(crate) clock: ManualClock,
    pub(crate) identity: Arc<SimulatedIdentity>,
    pub(crate) exchange: SimulatedExchange,
    pub(crate) landing: Landing,
    pub(crate) folder: tempfile::TempDir,
}

/// The host's part: what a program that embeds the library builds once.
pub(crate) struct Host {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) secrets: SealedSecrets,
    pub(crate) connector: EwsConnector,
    pub(crate) consent: ConsentSignIn,
    pub(crate) administration: Arc<EmailLoggingAdministration>,
}

pub(crate) fn application() -> Application {
    Application::new(CLIENT)
        .with_secret(CLIENT_SECRET)
        .with_redirect_url("http://127.0.0.1/OAuthLanding.htm")
        .with_role("full_access_as_app")
        .with_scope("EWS.AccessAsUser.All")
}

/// An Exchange with queue and storage in one content mailbox; applications and people are let into their own mailbox.
pub(crate) fn exchange() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_mailbox(MAILBOX)
        .with_mailbox(OTHER)
        .with_public_folder(QUEUE)
        .with_application_access([MAILBOX])
        .with_private_mailboxes(true)
        .with_host_name(HOST)
        .with_host_name(AUTODISCOVER)
        .with_autodiscover_url(format!("https://{HOST}/EWS/Exchange.asmx"))
        .with_tls(TlsCertificate::Trusted)
        .with_recording(true)
        .with_clock(Timestamp::now)
}

/// The same as it is on premises: NTLM and Negotiate, bound to the channel.
pub(crate) fn on_premises() -> SimulatedExchangeBuilder {
    exchange()
        .with_user(MAILBOX, PASSWORD)
        .with_auth_schemes([AuthScheme::Negotiate, AuthScheme::Ntlm])
        .with_extended_protection(true)
}

/// The same with queue and storage in two content mailboxes, which the calls have to be routed to.
pub(crate) fn apart(builder: SimulatedExchangeBuilder) -> SimulatedExchangeBuilder {
    builder
        .with_public_folder_in(STORAGE, 2)
        .with_routing_enforced("corp.example")
}

impl Place {
    pub(crate) async fn new(builder: SimulatedExchangeBuilder) -> Self {
        // Where it is not apart already, the storage folder is in the content mailbox of the queue.
        let builder = builder.with_public_folder(STORAGE);
        let clock = ManualClock::at(Timestamp::now());
        let identity = SimulatedIdentity::builder()
            .with_application(application())
            .with_tls(TlsCertificate::Trusted)
            .with_clock(Arc::new(clock.clone()))
            .with_token_lifetime(LIFETIME)
            .with_refresh_rotation(RefreshRotation::OldDies)
            .with_user_name(MAILBOX)
            .start()
            .await
            .unwrap();
        let exchange = builder.with_bearer(&identity).start().await.unwrap();
        exchange.set_quota(STORAGE, Some(100 << 20)).unwrap();
        Self {
            clock,
            identity: Arc::new(identity),
            exchange,
            landing: Landing::open().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn trusted(&self) -> String {
        let pems = [self.identity.ca_pem(), self.exchange.ca_pem()];
        pems.into_iter().flatten().collect()
    }

    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("log.db")
    }

    /// A host that trusts both servers.
    pub(crate) async fn host(&self) -> Host {
        let trusted = self.trusted();
        self.host_with(|builder| builder.with_trusted_roots(trusted))
            .await
    }

    pub(crate) async fn host_with(
        &self,
        change: impl FnOnce(EwsConnectorBuilder) -> EwsConnectorBuilder,
    ) -> Host {
        let store = Arc::new(SqliteStore::open(self.database()).unwrap());
        store.migrate().await.unwrap();
        let keys = KeyFile::new(self.folder.path().join("keys"));
        let secrets = SealedSecrets::new(Arc::<SqliteStore>::clone(&store), Arc::new(keys));
        let stored = SealedCredentials::new(Arc::<SqliteStore>::clone(&store), secrets.clone());
        let credentials = CredentialResolver::new().with_stored(Arc::new(stored));
        let refresh_tokens = SealedRefreshTokens::new(secrets.clone());
        let builder = self
            .connector(Arc::new(credentials))
            .with_refresh_tokens(Arc::new(refresh_tokens));
        let connector = change(builder).build().unwrap();
        let consent = ConsentSignIn::new(connector.clone());
        let administration = EmailLoggingAdministration::builder()
            .with_setup_store(Arc::<SqliteStore>::clone(&store))
            .with_secret_store(Arc::<SqliteStore>::clone(&store))
            .with_connector(Arc::new(connector.clone()))
            .with_sign_in(Arc::new(consent.clone()))
            .with_templates(Arc::new(TemplateList::new(["EMAIL"])))
            .with_directory(Arc::new(people()))
            .with_jobs(Arc::new(MemoryJobQueue::new()))
            .with_other_mailbox(OTHER)
            .with_clock(Arc::new(self.clock.clone()))
            .build()
            .unwrap();
        Host {
            store,
            secrets,
            connector,
            consent,
            administration: Arc::new(administration),
        }
    }

    /// A connector to this company, without roots.
    pub(crate) fn connector(
        &self,
        credentials: Arc<dyn CredentialProvider>,
    ) -> EwsConnectorBuilder {
        let service = IdentityService::microsoft(MicrosoftCloud::Worldwide, "organizations")
            .with_authority(self.identity.url());
        let exchange = SocketAddr::from(([127, 0, 0, 1], self.exchange.port()));
        EwsConnector::builder()
            .with_credentials(credentials)
            .with_identity_service(service)
            .with_address_policy(AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap())
            .with_host_address(HOST, exchange)
            .with_host_address(AUTODISCOVER, exchange)
            .with_connections(1)
            .with_clock(Arc::new(self.clock.clone()))
    }

    /// What a person enters; the service URL is left blank.
    pub(crate) fn changes(&self, kind: AuthenticationType) -> Vec<SetupChange> {
        let path = |text: &str| Some(text.parse::<FolderPath>().unwrap().into());
        let mut changes = vec![
            SetupChange::AuthenticationType(kind),
            SetupChange::QueueFolder(path(QUEUE)),
            SetupChange::StorageFolder(path(STORAGE)),
            SetupChange::AutodiscoveryEmailAddress(MAILBOX.into()),
            SetupChange::InteractionTemplateCode("EMAIL".into()),
        ];
        if kind == AuthenticationType::Basic {
            changes.push(SetupChange::ExchangeAccountUserName(MAILBOX.into()));
        } else {
            changes.push(SetupChange::ExchangeClientId(CLIENT.into()));
            changes.push(SetupChange::ExchangeRedirectUrl(self.landing.url.clone()));
        }
        changes
    }
}

pub(crate) fn scope() -> Scope {
    Scope::default()
}

impl Host {
    /// The set-up with all that a person enters, and what a consent stores of the tenant.
    pub(crate) async fn entered(
        &self,
        place: &Place,
        kind: AuthenticationType,
    ) -> EmailLoggingSetup {
        let changes = place.changes(kind);
        let whose = scope();
        let stored = self.administration.change(&whose, Some(0), &changes);
        let mut setup = stored.await.unwrap().stored.setup;
        if kind == AuthenticationType::Basic {
            self.put(SecretName::AccountPassword, PASSWORD).await;
        } else {
            self.put(SecretName::ClientSecret, CLIENT_SECRET).await;
            setup.exchange_tenant_id = Some(place.identity.tenant_id().to_owned());
        }
        setup
    }

    pub(crate) async fn put(&self, name: SecretName, value: &str) {
        let value = SecretString::from(value);
        self.secrets.put(&scope(), name, &value).await.unwrap();
    }

    /// The job as the set-up has it, in batches of two.
    pub(crate) async fn logger(&self, company: &Company) -> EmailLogger {
        use email_logging::setup::MailConnector as _;
        use email_logging::source::FolderSelector;
        let setup = self.administration.load(&scope()).await.unwrap().setup;
        let connection = self.connector.connect(&scope(), &setup).await.unwrap();
        let mut settings = RunSettings::default();
        (
            settings.fetch_batch,
            settings.move_batch,
            settings.connections,
        ) = (2, 2, 1);
        let folder = |id: Option<email_logging::source::FolderId>, path| {
            FolderSelector::Id(id.unwrap(), path)
        };
        EmailLogger::builder()
            .with_source(connection.source)
            .with_directory(Arc::new(company.clone()))
            .with_store(Arc::clone(&self.store))
            .with_queue_folder(folder(setup.queue_folder_id, setup.queue_folder))
            .with_storage_folder(folder(setup.storage_folder_id, setup.storage_folder))
            .with_settings(settings)
            .build()
            .unwrap()
    }
}

/// The files of the database as they are on the disk.
pub(crate) fn database_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}
