//! The parts of the ERP: its people, its store, and the administration of email logging over them.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use email_logging::Scope;
use email_logging::credential::{
    CredentialResolver, KeyFile, SealedCredentials, SealedSecrets, StaticCredentials,
};
use email_logging::decision::TrustPolicy;
use email_logging::directory::{DirectoryRecords, MemoryDirectory};
use email_logging::opportunity::{
    ActivityStep, CloseCode, CloseKind, NumberSeries, Percent, SalesCycle, SalesCycleStage,
    TaskKind,
};
use email_logging::privacy::Visibility;
use email_logging::setup::{
    EmailLoggingAdministration, MemoryJobQueue, SetupChange, SetupField, TemplateList,
};
use email_logging::store::{OpportunitySetup, OpportunityStore as _, SecretName, SqliteStore};
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::args::Args;
use crate::company::{self, Company};
use crate::connectors::{Connectors, Consents};
use crate::passwords::Passwords;
use crate::people::People;
use crate::samples;

/// The interaction template of the ERP.
pub(crate) const TEMPLATE: &str = "EMAIL";

/// Everything that the pages and the job share.
pub(crate) struct Erp {
    pub(crate) origin: String,
    pub(crate) file: PathBuf,
    pub(crate) passwords: Passwords,
    /// What a salesperson sees of the mail of others.
    pub(crate) colleagues: Visibility,
    pub(crate) every: std::time::Duration,
    /// Whose word about a sender counts.
    pub(crate) trust: TrustPolicy,
    pub(crate) scope: Scope,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) secrets: SealedSecrets,
    pub(crate) directory: Arc<MemoryDirectory>,
    pub(crate) people: Arc<People>,
    pub(crate) connector: Connectors,
    pub(crate) consents: Consents,
    pub(crate) administration: EmailLoggingAdministration,
    pub(crate) jobs: Arc<MemoryJobQueue>,
    pub(crate) company: Option<Company>,
    pub(crate) last_run: Mutex<Option<crate::job::LastRun>>,
    pub(crate) sessions: crate::web::Sessions,
    pub(crate) guesses: crate::web::Guesses,
    pub(crate) originals: crate::web::Originals,
    pub(crate) private_mail: crate::web::PrivateMail,
    pub(crate) wake: Notify,
    /// Whoever reads and moves mail holds it: the job, and a person who matches again.
    pub(crate) at_work: tokio::sync::Mutex<()>,
    stopped: AtomicBool,
    written: AtomicU64,
}

impl Erp {
    /// Opens the file, or makes it, and puts the parts together.
    pub(crate) async fn open(
        args: &Args,
        passwords: Passwords,
        origin: String,
        company: Option<Company>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let file = match &args.store {
            Some(file) => file.clone(),
            None => temporary()?,
        };
        let store = Arc::new(SqliteStore::open(&file)?);
        store.migrate().await?;
        let keys = KeyFile::new(file.with_extension("keys"));
        let secrets = SealedSecrets::new(Arc::<SqliteStore>::clone(&store), Arc::new(keys));
        let stored = SealedCredentials::new(Arc::<SqliteStore>::clone(&store), secrets.clone());
        let credentials = CredentialResolver::new().with_stored(Arc::new(stored));
        let connector = Connectors::new(credentials, &secrets, company.as_ref())?;
        let consents = connector.consents();
        let records: DirectoryRecords = match &args.people {
            Some(file) => toml::from_str(&std::fs::read_to_string(file)?)?,
            None => toml::from_str(samples::DIRECTORY)?,
        };
        let directory = Arc::new(MemoryDirectory::from_records(records.clone()));
        let people = Arc::new(People::open(&records, &directory, &file)?);
        let jobs = Arc::new(MemoryJobQueue::new());
        let parts = AdministrationParts {
            store: Arc::clone(&store),
            directory: Arc::clone(&directory),
            jobs: Arc::clone(&jobs),
        };
        let administration = parts.administration(connector.clone(), Some(consents.clone()))?;
        let erp = Self {
            origin,
            file,
            colleagues: args.colleagues,
            every: std::time::Duration::from_secs(args.every.max(1)),
            trust: args.trust(),
            scope: Scope::default(),
            store,
            secrets,
            directory,
            people,
            connector,
            consents,
            administration,
            jobs,
            company,
            last_run: Mutex::default(),
            sessions: crate::web::Sessions::new(
                !passwords.are_needed(),
                std::time::Duration::from_secs(args.session_minutes * 60),
            ),
            guesses: crate::web::Guesses::default(),
            originals: crate::web::Originals::default(),
            private_mail: crate::web::PrivateMail::default(),
            passwords,
            wake: Notify::new(),
            at_work: tokio::sync::Mutex::default(),
            stopped: AtomicBool::new(false),
            written: AtomicU64::new(1),
        };
        erp.prefill().await?;
        erp.prepare_sales().await?;
        Ok(erp)
    }

    /// What the demo's administrator would have on a note; an existing set-up is left as it is.
    async fn prefill(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Some(company) = &self.company else {
            return Ok(());
        };
        if self.administration.load(&self.scope).await?.version > 0 {
            return Ok(());
        }
        let url = company.exchange.url();
        let landing = format!("{}{}", self.origin, crate::web::LANDING);
        let values = [
            (SetupField::QueueFolder, company::QUEUE),
            (SetupField::StorageFolder, company::STORAGE),
            (SetupField::AutodiscoveryEmailAddress, company::MAILBOX),
            (SetupField::ExchangeServiceUrl, url.as_str()),
            (SetupField::ExchangeClientId, company::CLIENT),
            (SetupField::ExchangeRedirectUrl, landing.as_str()),
            (SetupField::InteractionTemplateCode, TEMPLATE),
        ];
        let changes = values.map(|(field, text)| SetupChange::from_text(field, text));
        let changes = changes.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.administration
            .change(&self.scope, Some(0), &changes)
            .await?;
        let secret = SecretString::from(company::SECRET);
        self.secrets
            .put(&self.scope, SecretName::ClientSecret, &secret)
            .await?;
        Ok(())
    }

    /// A sales cycle, close codes and numbers for opportunities, where there are none yet.
    async fn prepare_sales(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        if !self.store.sales_cycles(&self.scope).await?.is_empty() {
            return Ok(());
        }
        for cycle in [pumps()?, projects()?] {
            self.store.put_sales_cycle(&self.scope, &cycle).await?;
        }
        for (code, words, kind) in [
            ("BEST-OFFER", "Best offer", CloseKind::Won),
            ("PRICE", "Too expensive", CloseKind::Lost),
            ("NO-NEED", "No need any more", CloseKind::Lost),
        ] {
            let code = CloseCode::new(code, kind).with_description(words);
            self.store.put_close_code(&self.scope, &code).await?;
        }
        let setup = OpportunitySetup::default()
            .with_number_series(NumberSeries::new("OPP", "OP000001"))
            .with_default_sales_cycle("PUMPS");
        Ok(self
            .store
            .put_opportunity_setup(&self.scope, &setup)
            .await?)
    }

    /// A connector that signs in with what is given before what is stored: for an assisted set-up that is open.
    pub(crate) fn connector_with(
        &self,
        given: StaticCredentials,
    ) -> Result<Connectors, Box<dyn Error + Send + Sync>> {
        let stored =
            SealedCredentials::new(Arc::<SqliteStore>::clone(&self.store), self.secrets.clone());
        let credentials = CredentialResolver::new()
            .with_provider(Arc::new(given))
            .with_stored(Arc::new(stored));
        Connectors::new(credentials, &self.secrets, self.company.as_ref())
    }

    /// The administration over another connector; its sign-in is the host's.
    pub(crate) fn administration_with(
        &self,
        connector: Connectors,
    ) -> Result<EmailLoggingAdministration, Box<dyn Error + Send + Sync>> {
        let parts = AdministrationParts {
            store: Arc::clone(&self.store),
            directory: Arc::clone(&self.directory),
            jobs: Arc::clone(&self.jobs),
        };
        parts.administration(connector, None)
    }

    /// Code and name of every salesperson.
    pub(crate) fn salespeople(&self) -> Vec<(String, String)> {
        self.people.salespeople.clone()
    }

    /// Tells the job to end.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Whether the program ends.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The number of the next mail that a customer of the demo writes.
    pub(crate) fn next_mail(&self) -> u64 {
        self.written.fetch_add(1, Ordering::Relaxed)
    }

    /// What the last run did.
    pub(crate) fn last_run(&self) -> Option<crate::job::LastRun> {
        let last = self.last_run.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What every administration of this ERP stands on.
struct AdministrationParts {
    store: Arc<SqliteStore>,
    directory: Arc<MemoryDirectory>,
    jobs: Arc<MemoryJobQueue>,
}

impl AdministrationParts {
    fn administration(
        self,
        connector: Connectors,
        sign_in: Option<Consents>,
    ) -> Result<EmailLoggingAdministration, Box<dyn Error + Send + Sync>> {
        let mut builder = EmailLoggingAdministration::builder()
            .with_setup_store(Arc::<SqliteStore>::clone(&self.store))
            .with_secret_store(self.store)
            .with_connector(Arc::new(connector))
            .with_templates(Arc::new(TemplateList::new([TEMPLATE])))
            .with_directory(self.directory)
            .with_jobs(self.jobs);
        if let Some(sign_in) = sign_in {
            builder = builder.with_sign_in(Arc::new(sign_in));
        }
        Ok(builder.build()?)
    }
}

/// From the first call to the contract, with a call in each stage.
fn pumps() -> Result<SalesCycle, Box<dyn Error + Send + Sync>> {
    let stages = [
        ("Qualify", 10, 20, false),
        ("Offer", 40, 40, true),
        ("Negotiate", 70, 60, true),
        ("Sign", 90, 90, false),
    ];
    let mut cycle = SalesCycle::new("PUMPS").with_description("Pumps");
    for (stage, (name, completed, chance, may_skip)) in (1_u32..).zip(stages) {
        let stage = stage_of(stage, name, completed, chance)?
            .with_allow_skip(may_skip)
            .with_task(ActivityStep::new(
                TaskKind::PhoneCall,
                format!("{name}: call"),
                "1W".parse()?,
            ));
        cycle = cycle.with_stage(stage);
    }
    Ok(cycle)
}

/// Larger ones, which end with a quote.
fn projects() -> Result<SalesCycle, Box<dyn Error + Send + Sync>> {
    let quoted = stage_of(2, "Quote", 60, 60)?.with_quote_required(true);
    Ok(SalesCycle::new("PROJECTS")
        .with_description("Projects")
        .with_stage(stage_of(1, "Plan", 20, 30)?)
        .with_stage(quoted))
}

fn stage_of(
    stage: u32,
    name: &str,
    completed: u8,
    chance: u8,
) -> Result<SalesCycleStage, Box<dyn Error + Send + Sync>> {
    let of = SalesCycleStage::new(stage, Percent::whole(completed), Percent::whole(chance));
    Ok(of.with_description(name).with_close_date("1M".parse()?))
}

/// A file in a new directory that only its owner can enter, and that stays.
fn temporary() -> std::io::Result<PathBuf> {
    let directory = tempfile::Builder::new().prefix("erp-host-").tempdir()?;
    Ok(directory.keep().join("erp.sqlite"))
}
