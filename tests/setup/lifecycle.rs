//! From the first change to clearing: what each step stores, schedules and erases.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::error::codes;
use email_logging::setup::{
    AdministratorSignIn, AuthenticationType, Check, Consent, Consequence,
    EmailLoggingAdministration, EmailLoggingAdministrationBuilder, EmailLoggingSetup, Enabling,
    JobQueue, MemoryJobQueue, SetupChange, SetupField, SignInState, SignedIn, TemplateList,
};
use email_logging::source::memory::SourceOperation;
use email_logging::store::{
    MemoryStore, SealedSecret, SecretName, SecretPlace, SecretStore, SetupStore as _,
    StoreOperation, StoredSecret,
};
use email_logging::{Error, Result, Scope};

use crate::fake_mail::{FakeMail, answer, complete, error, fails, queue};

/// Secrets by name; a test sees which are left.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<BTreeSet<SecretName>>);

impl Secrets {
    fn all() -> Self {
        Self(Mutex::new(SecretName::ALL.iter().copied().collect()))
    }

    pub(crate) fn put(&self, name: SecretName) {
        self.0.lock().unwrap().insert(name);
    }

    pub(crate) fn left(&self) -> Vec<SecretName> {
        self.0.lock().unwrap().iter().copied().collect()
    }
}

#[async_trait]
impl SecretStore for Secrets {
    async fn load_secret(&self, _: &Scope, name: SecretName) -> Result<Option<StoredSecret>> {
        let sealed = || SealedSecret::new("key", vec![1], vec![2], vec![3]);
        let held = self.0.lock().unwrap().contains(&name);
        Ok(held.then(|| StoredSecret::new(sealed(), 1)))
    }

    async fn save_secret(
        &self,
        _: &Scope,
        name: SecretName,
        _: &SealedSecret,
        _: u64,
    ) -> Result<u64> {
        self.0.lock().unwrap().insert(name);
        Ok(1)
    }

    async fn erase_secrets(&self, _: &Scope, names: &[SecretName]) -> Result<()> {
        self.0.lock().unwrap().retain(|name| !names.contains(name));
        Ok(())
    }

    async fn list_secrets(&self) -> Result<Vec<SecretPlace>> {
        Ok(Vec::new())
    }
}

pub(crate) struct Office {
    pub(crate) scope: Scope,
    mail: FakeMail,
    store: Arc<MemoryStore>,
    pub(crate) secrets: Arc<Secrets>,
    jobs: Arc<MemoryJobQueue>,
}

impl Office {
    pub(crate) fn new() -> Self {
        Self {
            scope: Scope::default(),
            mail: FakeMail::new(),
            store: Arc::new(MemoryStore::new()),
            secrets: Arc::new(Secrets::all()),
            jobs: Arc::new(MemoryJobQueue::new()),
        }
    }

    pub(crate) async fn with(setup: EmailLoggingSetup) -> Self {
        let office = Self::new();
        let saved = office.store.save_setup(&office.scope, &setup, 0).await;
        assert_eq!(saved.unwrap(), 1);
        office
    }

    fn builder(&self) -> EmailLoggingAdministrationBuilder {
        EmailLoggingAdministration::builder()
            .with_setup_store(self.store.clone())
            .with_secret_store(self.secrets.clone())
            .with_connector(Arc::new(self.mail.clone()))
            .with_templates(Arc::new(TemplateList::new(["EMAIL"])))
            .with_jobs(self.jobs.clone())
            .with_clock(Arc::new(self.mail.clock.clone()))
    }

    pub(crate) fn administration(&self) -> EmailLoggingAdministration {
        self.builder().build().unwrap()
    }

    pub(crate) async fn setup(&self) -> EmailLoggingSetup {
        self.administration().load(&self.scope).await.unwrap().setup
    }

    pub(crate) async fn enable(&self) -> Result<Enabling> {
        self.administration().enable(&self.scope, &mut |_| ()).await
    }

    pub(crate) async fn is_scheduled(&self) -> bool {
        self.jobs.state(&self.scope).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn without_a_stored_setup_the_empty_one_is_loaded_and_the_first_change_stores_it() {
    let office = Office::new();
    let administration = office.administration();
    let stored = administration.load(&office.scope).await.unwrap();
    assert_eq!(
        (stored.setup, stored.version),
        (EmailLoggingSetup::default(), 0)
    );
    let changes = [SetupChange::EmailBatchSize(20)];
    let first = administration
        .change(&office.scope, Some(0), &changes)
        .await
        .unwrap();
    assert_eq!(first.stored.version, 1);
    assert_eq!(
        first.consequences,
        [Consequence::Changed(SetupField::EmailBatchSize)]
    );
    let again = administration
        .change(&office.scope, None, &changes)
        .await
        .unwrap();
    assert_eq!((again.stored.version, again.consequences.len()), (1, 0));
}

#[tokio::test]
async fn a_change_of_what_somebody_else_changed_meanwhile_is_a_conflict() {
    let office = Office::with(complete()).await;
    let administration = office.administration();
    let changes = [SetupChange::EmailBatchSize(20)];
    administration
        .change(&office.scope, Some(1), &changes)
        .await
        .unwrap();
    let changes = [SetupChange::EmailBatchSize(30)];
    let refused = administration
        .change(&office.scope, Some(1), &changes)
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), "setup.version");
    assert_eq!(
        refused.remedy(),
        "Load the set-up again and repeat the change."
    );
    assert_eq!(office.setup().await.email_batch_size, 20);
}

#[tokio::test]
async fn a_change_without_a_version_is_repeated_a_few_times_when_others_write() {
    let office = Office::with(complete()).await;
    let administration = office.administration();
    let changes = [SetupChange::EmailBatchSize(20)];
    for _ in 0..3 {
        office
            .store
            .fail_next(StoreOperation::SaveSetup, error(&codes::SETUP_VERSION));
    }
    administration
        .change(&office.scope, None, &changes)
        .await
        .unwrap();
    assert_eq!(office.store.calls(StoreOperation::SaveSetup), 5);
    for _ in 0..4 {
        office
            .store
            .fail_next(StoreOperation::SaveSetup, error(&codes::SETUP_VERSION));
    }
    let changes = [SetupChange::EmailBatchSize(30)];
    let refused = administration.change(&office.scope, None, &changes).await;
    assert_eq!(refused.unwrap_err().code(), "setup.version");
}

#[tokio::test]
async fn choosing_basic_erases_the_secrets_of_oauth2() {
    let office = Office::with(complete()).await;
    let administration = office.administration();
    let basic = [SetupChange::AuthenticationType(AuthenticationType::Basic)];
    administration
        .change(&office.scope, None, &basic)
        .await
        .unwrap();
    assert_eq!(office.secrets.left(), [SecretName::AccountPassword]);
    let oauth = [SetupChange::AuthenticationType(AuthenticationType::OAuth2)];
    administration
        .change(&office.scope, None, &oauth)
        .await
        .unwrap();
    assert_eq!(office.secrets.left(), []);
}

#[tokio::test]
async fn a_refused_change_erases_nothing() {
    let mut setup = complete();
    setup.exchange_service_url = Some("https://outlook.office365.com/EWS/Exchange.asmx".into());
    let office = Office::with(setup).await;
    let basic = [SetupChange::AuthenticationType(AuthenticationType::Basic)];
    let refused = office
        .administration()
        .change(&office.scope, None, &basic)
        .await;
    assert_eq!(refused.unwrap_err().code(), "ews.basic_online");
    assert_eq!(office.secrets.left(), SecretName::ALL);
}

#[tokio::test]
async fn enabling_validates_schedules_and_stores_the_toggle_with_the_folders_ids() {
    let office = Office::with(complete()).await;
    let mut told = Vec::new();
    let administration = office.administration();
    let enabling = administration
        .enable(&office.scope, &mut |result| told.push(result.check))
        .await;
    let Enabling::Enabled(report) = enabling.unwrap() else {
        panic!("it is not enabled");
    };
    assert!(report.is_green(), "{report}");
    let checks: Vec<_> = report.results.iter().map(|result| result.check).collect();
    assert_eq!(told, checks);
    let setup = office.setup().await;
    assert!(setup.enabled);
    assert!(setup.queue_folder_id.is_some() && setup.storage_folder_id.is_some());
    assert_ne!(setup.queue_folder_id, setup.storage_folder_id);
    let job = office.jobs.state(&office.scope).await.unwrap().unwrap().job;
    let start = office
        .mail
        .clock
        .now_plus(std::time::Duration::from_mins(1));
    assert_eq!((job.maximum_attempts, job.earliest_start), (3, start));
    assert!(matches!(
        office.enable().await.unwrap(),
        Enabling::AlreadyEnabled
    ));
}

#[tokio::test]
async fn enabling_clears_what_belongs_to_another_way_of_signing_in() {
    let mut setup = complete();
    setup.exchange_account_user_name = Some("left over".into());
    let office = Office::with(setup).await;
    assert!(matches!(
        office.enable().await.unwrap(),
        Enabling::Enabled(_)
    ));
    assert_eq!(office.setup().await.exchange_account_user_name, None);
    let kept = [SecretName::ClientSecret, SecretName::CertificateKey];
    assert_eq!(office.secrets.left(), kept);
}

#[tokio::test]
async fn a_failed_validation_leaves_logging_off_and_says_why() {
    let mut setup = complete();
    setup.interaction_template_code = None;
    let office = Office::with(setup).await;
    let Enabling::Invalid(report) = office.enable().await.unwrap() else {
        panic!("it is not refused");
    };
    let failed: Vec<_> = report.failures().map(|result| result.code).collect();
    assert_eq!(failed, [Some("check.template_missing")]);
    assert!(!office.setup().await.enabled);
    assert!(!office.is_scheduled().await);
}

#[tokio::test]
async fn enabling_without_consent_says_so_and_goes_through_after_the_sign_in() {
    let mut setup = complete();
    setup.exchange_tenant_id = None;
    let office = Office::with(setup).await;
    office
        .mail
        .answers(|answers| answers.sign_in = fails(&codes::OAUTH_TOKEN_REFUSED));
    let Enabling::ConsentNeeded(needed) = office.enable().await.unwrap() else {
        panic!("no consent is asked for");
    };
    assert_eq!(needed.reason.code(), "oauth.token_refused");
    assert!(!office.setup().await.enabled);
    assert!(
        office.mail.source.calls().is_empty(),
        "the mail system is not asked"
    );

    let tenant = [SetupChange::ExchangeTenantId("tenant".into())];
    let administration = office.administration();
    administration
        .change(&office.scope, None, &tenant)
        .await
        .unwrap();
    let signed_in = SignedIn::as_application(["full_access_as_app"]);
    office
        .mail
        .answers(|answers| answers.sign_in = answer(signed_in));
    assert!(matches!(
        office.enable().await.unwrap(),
        Enabling::Enabled(_)
    ));
}

#[tokio::test]
async fn credentials_that_are_missing_are_no_matter_of_consent() {
    let mut setup = complete();
    setup.exchange_tenant_id = None;
    let office = Office::with(setup).await;
    office
        .mail
        .answers(|answers| answers.sign_in = fails(&codes::CREDENTIAL_MISSING));
    let Enabling::Invalid(report) = office.enable().await.unwrap() else {
        panic!("consent cannot help");
    };
    let result = report.result(Check::Credentials).unwrap();
    assert_eq!(result.code, Some("credential.missing"));
}

#[tokio::test]
async fn a_service_that_cannot_be_found_is_no_matter_of_consent() {
    let mut setup = complete();
    setup.exchange_tenant_id = None;
    let office = Office::with(setup).await;
    office
        .mail
        .answers(|answers| answers.connect = fails(&codes::CONFIG_INVALID));
    let Enabling::Invalid(report) = office.enable().await.unwrap() else {
        panic!("consent cannot help");
    };
    let result = report.result(Check::Service).unwrap();
    assert_eq!(result.code, Some("config.invalid"));
}

#[tokio::test]
async fn a_tenant_that_is_not_known_yet_is_a_matter_of_consent() {
    let mut setup = complete();
    setup.exchange_tenant_id = None;
    let office = Office::with(setup).await;
    office
        .mail
        .answers(|answers| answers.connect = fails(&codes::SETUP_INCOMPLETE));
    let enabling = office.enable().await.unwrap();
    assert!(matches!(enabling, Enabling::ConsentNeeded(_)));
    office.mail.answers(|answers| answers.connect = answer(()));
    let enabling = office.enable().await.unwrap();
    assert!(
        matches!(enabling, Enabling::Enabled(_)),
        "a host that knows the tenant itself needs no consent"
    );
}

/// An administrator who consents.
#[derive(Debug)]
struct Administrator(FakeMail);

#[async_trait]
impl AdministratorSignIn for Administrator {
    async fn sign_in(&self, _: &Scope, _: &EmailLoggingSetup, reason: &Error) -> Result<Consent> {
        assert_eq!(reason.code(), "oauth.token_refused");
        let signed_in = SignedIn::as_application(["full_access_as_app"]);
        self.0
            .answers(|answers| answers.sign_in = answer(signed_in));
        Ok(Consent::Granted(Some("tenant-of-the-token".into())))
    }
}

#[tokio::test]
async fn enabling_asks_an_administrator_who_is_there_and_keeps_the_tenant() {
    let mut setup = complete();
    setup.exchange_tenant_id = None;
    let office = Office::with(setup).await;
    office
        .mail
        .answers(|answers| answers.sign_in = fails(&codes::OAUTH_TOKEN_REFUSED));
    let administrator = Arc::new(Administrator(office.mail.clone()));
    let administration = office
        .builder()
        .with_sign_in(administrator)
        .build()
        .unwrap();
    let enabling = administration.enable(&office.scope, &mut |_| ()).await;
    assert!(matches!(enabling.unwrap(), Enabling::Enabled(_)));
    let setup = office.setup().await;
    assert_eq!(
        setup.exchange_tenant_id.as_deref(),
        Some("tenant-of-the-token")
    );
}

#[tokio::test]
async fn a_setup_that_changes_during_the_validation_is_not_enabled() {
    let office = Office::with(complete()).await;
    // The first store of enabling would be the toggle.
    office
        .store
        .fail_next(StoreOperation::SaveSetup, error(&codes::SETUP_VERSION));
    assert_eq!(office.enable().await.unwrap_err().code(), "setup.version");
    assert!(!office.setup().await.enabled);
    assert!(!office.is_scheduled().await);
}

#[tokio::test]
async fn disabling_keeps_settings_and_secrets_and_enabling_again_asks_for_nothing() {
    let office = Office::with(complete()).await;
    office.enable().await.unwrap();
    let (before, secrets) = (office.setup().await, office.secrets.left());
    let administration = office.administration();
    assert!(administration.disable(&office.scope).await.unwrap());
    let mut expected = before.clone();
    expected.enabled = false;
    assert_eq!(office.setup().await, expected);
    assert_eq!(office.secrets.left(), secrets);
    assert!(!office.is_scheduled().await);
    assert!(!administration.disable(&office.scope).await.unwrap());
    assert!(matches!(
        office.enable().await.unwrap(),
        Enabling::Enabled(_)
    ));
    assert_eq!(office.setup().await, before);
}

#[tokio::test]
async fn clearing_is_refused_while_enabled() {
    let office = Office::with(complete()).await;
    office.enable().await.unwrap();
    let before = office.setup().await;
    let refused = office
        .administration()
        .clear(&office.scope)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "setup.enabled");
    assert_eq!(office.setup().await, before);
    assert!(!office.secrets.left().is_empty());
}

#[tokio::test]
async fn clearing_empties_every_field_and_erases_every_secret() {
    let office = Office::with(complete()).await;
    office.enable().await.unwrap();
    let administration = office.administration();
    administration.disable(&office.scope).await.unwrap();
    let followed = administration.clear(&office.scope).await.unwrap();
    assert_eq!(Consequence::secrets(&followed), SecretName::ALL);
    let mut empty = EmailLoggingSetup::default();
    empty.interaction_template_code = Some("EMAIL".into());
    assert_eq!(office.setup().await, empty);
    assert_eq!(office.secrets.left(), []);
    let cleared = followed.iter().filter_map(|one| match one {
        Consequence::Cleared(field) => Some(field.code()),
        _ => None,
    });
    let expected = [
        "queue-folder",
        "storage-folder",
        "email-batch-size",
        "autodiscovery-email-address",
        "exchange-service-url",
        "exchange-client-id",
        "exchange-redirect-url",
        "exchange-tenant-id",
    ];
    assert_eq!(cleared.collect::<Vec<_>>(), expected);
    assert_eq!(office.mail.source.items(&queue()).len(), 1, "mail stays");
}

#[tokio::test]
async fn clearing_an_empty_setup_erases_secrets_all_the_same() {
    let office = Office::new();
    office.administration().clear(&office.scope).await.unwrap();
    assert_eq!(office.secrets.left(), []);
}

#[tokio::test]
async fn the_status_tells_what_is_known_without_asking_the_mail_system() {
    let office = Office::with(complete()).await;
    let administration = office.administration();
    let status = administration.status(&office.scope).await.unwrap();
    assert!(!status.enabled);
    assert_eq!((status.version, status.authentication_type), (1, "oauth2"));
    assert_eq!(status.signed_in, SignInState::SignedIn);
    assert_eq!((status.last_validation, status.job), (None, None));
    assert_eq!(office.mail.source.count(SourceOperation::List), 0);
    administration
        .enable(&office.scope, &mut |_| ())
        .await
        .unwrap();
    let status = administration.status(&office.scope).await.unwrap();
    assert!(status.enabled && status.job.is_some());
    assert!(status.last_validation.unwrap().is_green());
}

#[tokio::test]
async fn whether_the_job_can_sign_in_depends_on_the_way_it_does() {
    use AuthenticationType::{AccessToken, Basic, OAuth2, OAuth2Delegated};
    for (way, tenant, user, held, expected) in [
        (OAuth2, true, false, true, SignInState::SignedIn),
        (OAuth2, false, false, true, SignInState::SignedOut),
        (OAuth2Delegated, true, false, true, SignInState::SignedIn),
        (OAuth2Delegated, true, false, false, SignInState::SignedOut),
        (AccessToken, false, false, false, SignInState::WithHost),
        (Basic, false, true, true, SignInState::SignedIn),
        (Basic, false, true, false, SignInState::SignedOut),
        (Basic, false, false, false, SignInState::WithHost),
    ] {
        let mut setup = EmailLoggingSetup::default();
        setup.authentication_type = way;
        setup.exchange_tenant_id = tenant.then(|| "tenant".into());
        setup.exchange_account_user_name = user.then(|| "user".into());
        let office = Office::with(setup).await;
        if !held {
            let all = SecretName::ALL;
            office
                .secrets
                .erase_secrets(&office.scope, all)
                .await
                .unwrap();
        }
        let status = office.administration().status(&office.scope).await.unwrap();
        assert_eq!(status.signed_in, expected, "{way:?}");
    }
}

#[tokio::test]
async fn an_administration_needs_a_store_and_a_connector() {
    let code = EmailLoggingAdministration::builder()
        .build()
        .unwrap_err()
        .code();
    assert_eq!(code, "config.missing");
    let builder = EmailLoggingAdministration::builder();
    let builder = builder.with_setup_store(Arc::new(MemoryStore::new()));
    assert_eq!(builder.build().unwrap_err().code(), "config.missing");
}

#[tokio::test]
async fn one_scope_is_cleared_and_another_one_stays() {
    let office = Office::with(complete()).await;
    let other = Scope::new("other", "company").unwrap();
    office
        .store
        .save_setup(&other, &complete(), 0)
        .await
        .unwrap();
    let administration = office.administration();
    administration.clear(&office.scope).await.unwrap();
    assert_eq!(administration.load(&other).await.unwrap().setup, complete());
}
