//! A set-up that is connected before it is stored, and one that changes between the two steps of a consent.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use email_logging::credential::{
    CredentialProvider as _, CredentialResolver, MemoryRefreshTokens, RefreshTokenStore,
    SealedCredentials, StaticCredentials, StoredRefreshToken,
};
use email_logging::setup::{
    AuthenticationType, ConsentRequest, EmailLoggingAdministration, EmailLoggingSetup,
    MailConnector as _, SetupChange,
};
use email_logging::store::{SecretName, SqliteStore};
use email_logging::{Result, Scope};
use secrecy::{ExposeSecret as _, SecretString};

use crate::place::*;

fn resolver(host: &Host) -> CredentialResolver {
    let store = Arc::<SqliteStore>::clone(&host.store);
    let stored = SealedCredentials::new(store, host.secrets.clone());
    CredentialResolver::new().with_stored(Arc::new(stored))
}

#[tokio::test]
async fn an_account_that_is_not_stored_yet_signs_in_with_the_stored_password() {
    let place = Place::new(on_premises()).await;
    let host = place.host().await;
    host.put(SecretName::AccountPassword, PASSWORD).await;
    let mut typed = EmailLoggingSetup::default();
    typed
        .apply(&place.changes(AuthenticationType::Basic))
        .unwrap();
    let connection = host.connector.connect(&scope(), &typed).await.unwrap();
    connection.probe.sign_in().await.unwrap();
    connection.probe.reach().await.unwrap();
    assert_eq!(host.administration.load(&scope()).await.unwrap().version, 0);
}

#[tokio::test]
async fn a_typed_field_counts_before_the_stored_one_and_behind_a_provider() {
    let place = Place::new(exchange()).await;
    let host = place.host().await;
    let mut typed = host.entered(&place, AuthenticationType::OAuth2).await;
    typed.exchange_client_id = Some("typed".into());
    typed.exchange_redirect_url = Some("https://erp.example/typed".into());
    let based = resolver(&host)
        .with_base_url("https://erp.example/BC")
        .unwrap();
    let supplied = StaticCredentials::new().with_client_id("supplied");
    let of_provider = based.clone().with_provider(Arc::new(supplied));
    for (resolver, setup, id, redirect) in [
        (&based, &typed, "typed", "https://erp.example/typed"),
        (
            &of_provider,
            &typed,
            "supplied",
            "https://erp.example/typed",
        ),
        (
            &based,
            &EmailLoggingSetup::default(),
            CLIENT,
            &*place.landing.url,
        ),
    ] {
        let credentials = resolver.for_setup(setup).unwrap();
        let found = credentials.client_id(&scope()).await.unwrap();
        assert_eq!(found.as_deref(), Some(id));
        let found = credentials.redirect_url(&scope()).await.unwrap();
        assert_eq!(found.as_deref(), Some(redirect));
        let secret = credentials.client_secret(&scope()).await.unwrap().unwrap();
        assert_eq!(secret.expose_secret(), CLIENT_SECRET);
    }
}

/// Begins a delegated consent and lets the administrator sign in: what is kept, and the callback.
async fn called_back(place: &Place, host: &Host) -> (ConsentRequest, String) {
    host.entered(place, AuthenticationType::OAuth2Delegated)
        .await;
    let setup = host.administration.load(&scope()).await.unwrap().setup;
    let request = host.consent.begin(&scope(), &setup).await.unwrap();
    let trusted = place.trusted();
    let callback = place.landing.visit(&request.authorize_url, &trusted).await;
    (request, callback)
}

async fn finish(host: &Host, whose: &Scope, called: &(ConsentRequest, String)) -> &'static str {
    let (request, callback) = called;
    let administration = &host.administration;
    let finished = host
        .consent
        .finish(administration, whose, &request.pending, callback);
    finished.await.unwrap_err().code()
}

async fn has_token(host: &Host) -> bool {
    let name = SecretName::RefreshToken;
    host.secrets.is_stored(&scope(), name).await.unwrap()
}

#[tokio::test]
async fn a_consent_is_finished_for_its_own_scope_alone() {
    let place = Place::new(exchange()).await;
    let host = place.host().await;
    let called = called_back(&place, &host).await;
    let other = Scope::new("tenant", "other").unwrap();
    let changes = place.changes(AuthenticationType::OAuth2Delegated);
    let same = host.administration.change(&other, Some(0), &changes);
    same.await.unwrap();
    assert_eq!(finish(&host, &other, &called).await, "oauth.state_mismatch");
    // It was not used up by that.
    let ((request, callback), whose) = (&called, scope());
    let finished = host
        .consent
        .finish(&host.administration, &whose, &request.pending, callback);
    let setup = finished.await.unwrap().stored.setup;
    let tenant = setup.exchange_tenant_id;
    assert_eq!(tenant.as_deref(), Some(place.identity.tenant_id()));
    assert!(has_token(&host).await);
}

#[tokio::test]
async fn a_consent_is_refused_after_the_address_was_changed_or_the_set_up_cleared() {
    for cleared in [false, true] {
        let place = Place::new(exchange()).await;
        let host = place.host().await;
        let called = called_back(&place, &host).await;
        if cleared {
            host.administration.clear(&scope()).await.unwrap();
        } else {
            let change = [SetupChange::AutodiscoveryEmailAddress(OTHER.into())];
            let whose = scope();
            let changed = host.administration.change(&whose, None, &change);
            changed.await.unwrap();
        }
        assert_eq!(finish(&host, &scope(), &called).await, "setup.version");
        assert!(!has_token(&host).await);
        let setup = host.administration.load(&scope()).await.unwrap().setup;
        assert_eq!(setup.exchange_tenant_id, None);
    }
}

/// A store during whose write somebody clears the set-up.
#[derive(Debug, Default)]
struct Clearing {
    tokens: MemoryRefreshTokens,
    administration: OnceLock<Arc<EmailLoggingAdministration>>,
}

#[async_trait]
impl RefreshTokenStore for Clearing {
    async fn load_refresh_token(&self, scope: &Scope) -> Result<Option<StoredRefreshToken>> {
        self.tokens.load_refresh_token(scope).await
    }

    async fn save_refresh_token(
        &self,
        scope: &Scope,
        token: &SecretString,
        expected_version: u64,
    ) -> Result<u64> {
        self.administration.get().unwrap().clear(scope).await?;
        let saved = self
            .tokens
            .save_refresh_token(scope, token, expected_version);
        saved.await
    }

    async fn erase_refresh_token(&self, scope: &Scope, expected_version: u64) -> Result<()> {
        self.tokens
            .erase_refresh_token(scope, expected_version)
            .await
    }
}

#[tokio::test]
async fn a_set_up_that_is_cleared_while_the_token_is_stored_keeps_none() {
    let place = Place::new(exchange()).await;
    let store = Arc::new(Clearing::default());
    let trusted = place.trusted();
    let host = place
        .host_with(|builder| {
            builder
                .with_trusted_roots(trusted)
                .with_refresh_tokens(Arc::<Clearing>::clone(&store))
        })
        .await;
    let administration = Arc::clone(&host.administration);
    store.administration.set(administration).unwrap();
    let called = called_back(&place, &host).await;
    assert_eq!(finish(&host, &scope(), &called).await, "setup.version");
    let left = store.load_refresh_token(&scope()).await.unwrap();
    assert!(left.is_none());
}
