//! The stored set-up as a provider: fields from the set-up, secrets from their envelopes.

use std::sync::{Arc, LazyLock};

use email_logging::credential::{
    ClientCertificate, CredentialOrigin, CredentialProvider, CredentialResolver, CredentialValue,
    SealedCredentials,
};
use email_logging::error::{Error, codes};
use email_logging::setup::EmailLoggingSetup;
use email_logging::store::{MemoryStore, SecretName, SetupStore, StoreOperation};
use email_logging::testkit::conformance::credential::{CredentialBackend, run};
use secrecy::ExposeSecret;

use super::support::{Bench, bench, mine, put, scope};

/// Two certificates and the key of the first, PEM.
static MADE: LazyLock<(String, String)> = LazyLock::new(|| {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["app.example.com".into()]).unwrap();
    let certificate = parameters
        .self_signed(&key)
        .unwrap()
        .pem()
        .replace('\r', "");
    (certificate.repeat(2), key.serialize_pem().replace('\r', ""))
});

/// A key in the older form.
const OLDER: &str = "-----BEGIN EC PRIVATE KEY-----\nYw==\n-----END EC PRIVATE KEY-----\n";

fn provider(bench: &Bench) -> SealedCredentials {
    let setup: Arc<dyn SetupStore> = Arc::<MemoryStore>::clone(&bench.store);
    SealedCredentials::new(setup, bench.secrets.clone())
}

async fn save(bench: &Bench, edit: impl FnOnce(&mut EmailLoggingSetup)) {
    let stored = bench.store.load_setup(&mine()).await.unwrap();
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    let mut setup = stored.map(|stored| stored.setup).unwrap_or_default();
    edit(&mut setup);
    bench
        .store
        .save_setup(&mine(), &setup, version)
        .await
        .unwrap();
}

async fn filled() -> Bench {
    let bench = bench();
    save(&bench, |setup| {
        setup.exchange_client_id = Some("an id".into());
        setup.exchange_redirect_url = Some("https://erp.example/back".into());
        setup.exchange_account_user_name = Some("CORP\\logger".into());
    })
    .await;
    put(&bench.secrets, &mine(), SecretName::ClientSecret, "s3cret").await;
    put(&bench.secrets, &mine(), SecretName::AccountPassword, "p4ss").await;
    bench
}

#[tokio::test]
async fn the_stored_setup_keeps_the_contract_of_providers() {
    let report = run(|| async {
        let bench = filled().await;
        let credentials = provider(&bench);
        let (chain, key) = &*MADE;
        let certificate = ClientCertificate::new(chain.as_str(), key.as_str());
        credentials
            .put_certificate(&mine(), &certificate)
            .await
            .unwrap();
        let failing = filled().await;
        failing.keys.add_key().unwrap();
        for operation in [StoreOperation::LoadSetup, StoreOperation::LoadSecret] {
            for nth in 0..9 {
                let gone = Error::new(&codes::STORE_UNAVAILABLE, "test");
                let nth = failing.store.calls(operation) + 1 + nth;
                failing.store.fail_call(operation, nth, gone);
            }
        }
        CredentialBackend::new(credentials)
            .with_failing(provider(&failing))
            .with_other_scope(scope("other", "default"))
            .with_client_id("an id")
            .with_client_secret("s3cret")
            .with_redirect_url("https://erp.example/back")
            .with_certificate(chain.as_str(), key.as_str())
            .with_password("CORP\\logger", "p4ss")
    })
    .await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[tokio::test]
async fn blank_fields_and_secrets_that_are_not_stored_are_not_handled() {
    let bench = bench();
    save(&bench, |setup| {
        setup.exchange_client_id = Some(String::new());
    })
    .await;
    run(|| async { CredentialBackend::new(provider(&bench)) })
        .await
        .assert_passed();
    save(&bench, |setup| {
        setup.exchange_account_user_name = Some("user".into());
    })
    .await;
    assert!(provider(&bench).password(&mine()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_secret_that_was_rotated_counts_at_once() {
    let bench = filled().await;
    let credentials = provider(&bench);
    for secret in ["s3cret", "rotated", "again"] {
        put(&bench.secrets, &mine(), SecretName::ClientSecret, secret).await;
        let found = credentials.client_secret(&mine()).await.unwrap().unwrap();
        assert_eq!(found.expose_secret(), secret);
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_opened_is_an_error_and_not_missing() {
    let bench = filled().await;
    bench.keys.add_key().unwrap();
    let lost = email_logging::credential::MemoryKeys::new();
    let secrets = super::support::over(Arc::<MemoryStore>::clone(&bench.store), Arc::new(lost));
    let setup: Arc<dyn SetupStore> = Arc::<MemoryStore>::clone(&bench.store);
    let stored = Arc::new(SealedCredentials::new(setup, secrets));
    let resolver = CredentialResolver::new().with_stored(stored);
    let error = resolver.resolve_client(&mine()).await.unwrap_err();
    assert_eq!(error.code(), "secret.wrong_key");
    let value = CredentialValue::ClientSecret;
    let origin = resolver.origin_of(&mine(), value).await;
    assert_eq!(origin.unwrap_err().code(), "secret.wrong_key");
}

#[tokio::test]
async fn the_resolver_takes_what_no_provider_supplies_from_the_stored_setup() {
    let bench = filled().await;
    let resolver = CredentialResolver::new().with_stored(Arc::new(provider(&bench)));
    let client = resolver.resolve_client(&mine()).await.unwrap();
    assert_eq!(client.client_id, "an id");
    assert_eq!(client.client_secret.expose_secret(), "s3cret");
    assert_eq!(client.client_secret_origin, CredentialOrigin::StoredSetup);
    let origin = resolver.origin_of(&mine(), CredentialValue::Password).await;
    assert_eq!(origin.unwrap(), Some(CredentialOrigin::StoredSetup));
}

#[tokio::test]
async fn a_certificate_is_stored_with_its_key_or_not_at_all() {
    let bench = bench();
    let credentials = provider(&bench);
    let (own, own_key) = (MADE.0.as_str(), MADE.1.as_str());
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let cut = &own_key[..own_key.len() / 2];
    for (chain, key, code) in [
        ("", own_key, "config.invalid"),
        (own, "", "config.invalid"),
        (own, cut, "config.invalid"),
        ("no PEM", "no PEM", "config.invalid"),
        (own, OLDER, "config.invalid"),
        (own, other.as_str(), "oauth.certificate_invalid"),
        (own_key, own, "stored"),
    ] {
        let certificate = ClientCertificate::new(chain, key);
        let stored = credentials.put_certificate(&mine(), &certificate).await;
        let outcome = stored.map_or_else(|error| error.code(), |()| "stored");
        assert_eq!(outcome, code);
    }
    // What is put in the other's place is told apart by its labels.
    let read = credentials.certificate(&mine()).await.unwrap().unwrap();
    assert_eq!(read.certificates, own);
    assert_eq!(read.private_key.expose_secret(), own_key);
    put(&bench.secrets, &mine(), SecretName::CertificateKey, own_key).await;
    let error = credentials.certificate(&mine()).await.unwrap_err();
    assert_eq!(error.code(), "credential.provider");
}
