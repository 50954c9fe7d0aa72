//! An administrator signs in: code with PKCE, refresh tokens that rotate, real expiry, a consent that is declined.

use std::sync::Arc;

use email_logging::credential::{
    AdminConsent, DelegatedSignIn, MemoryRefreshTokens, RefreshTokenStore as _,
};
use email_logging::{ErrorKind, Scope};
use secrecy::{ExposeSecret as _, SecretString};

use super::browser::{Person, drive};
use super::mailbox::{self, loopback};
use super::provider::{Provider, REDIRECT, SCOPE, SECRET, credentials};

/// Seconds; short enough to be waited for.
const SHORT: u32 = 3;

fn consent(provider: &Provider) -> AdminConsent {
    let credentials = credentials("erp")
        .with_client_secret(SECRET)
        .with_redirect_url(REDIRECT);
    AdminConsent::at(provider.service(), Arc::new(credentials))
        .with_refresh_token()
        .with_required_permission(SCOPE)
        .with_trusted_roots(&provider.authority)
        .with_address_policy(loopback())
        .build()
        .unwrap()
}

fn delegated(provider: &Provider, store: Arc<MemoryRefreshTokens>) -> DelegatedSignIn {
    let credentials = credentials("erp").with_client_secret(SECRET);
    DelegatedSignIn::at(provider.service(), Arc::new(credentials), store)
        .with_required_permission(SCOPE)
        .with_trusted_roots(&provider.authority)
        .with_address_policy(loopback())
        .build()
        .unwrap()
}

fn store(token: &SecretString) -> Arc<MemoryRefreshTokens> {
    let store = MemoryRefreshTokens::new();
    Arc::new(store.with_refresh_token(Scope::default(), token.clone()))
}

#[tokio::test]
async fn a_consent_gives_a_refresh_token_that_rotates_while_the_queue_is_read() {
    let Some(provider) = Provider::start(SHORT) else {
        return;
    };
    let exchange = mailbox::exchange(&provider).await;
    let consent = consent(&provider);
    let (url, pending) = consent.begin().await.unwrap();
    let callback = drive(&provider, &url, Person::Accepts).await;
    let consented = consent.finish(pending, &callback).await.unwrap();
    assert_eq!(
        consented.permissions.as_deref(),
        Some(&[SCOPE.to_owned()][..])
    );
    let first = consented.refresh_token.unwrap();
    mailbox::wait_until_expired(&exchange, consented.access_token.token.expose_secret()).await;

    let kept = store(&first);
    let sign_in = delegated(&provider, Arc::clone(&kept));
    let source = mailbox::source(&exchange, |builder| builder.with_delegated_sign_in(sign_in));
    mailbox::read_until(&source, async || {
        let issued = provider.said().await.issued;
        issued.iter().filter(|one| *one == "refresh_token").count() >= 3
    })
    .await;
    let stored = kept
        .load_refresh_token(&Scope::default())
        .await
        .unwrap()
        .unwrap();
    assert_ne!(stored.token.expose_secret(), first.expose_secret());
    assert!(stored.version >= 3);
    assert_eq!(provider.said().await.refused, [""; 0]);

    // The first token was used up: whoever uses it again has to sign in, and ends the others.
    let error = delegated(&provider, store(&first))
        .sign_in()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::ReauthRequired, "oauth.reauth")
    );
    assert_eq!(provider.said().await.refused, ["invalid_grant"]);
    let sign_in = delegated(&provider, store(&stored.token));
    for _ in 0..3 {
        assert_eq!(sign_in.sign_in().await.unwrap_err().code(), "oauth.reauth");
    }
    // An explicit sign-in asks each time; the job would not.
    assert_eq!(provider.said().await.refused, ["invalid_grant"; 4]);
}

#[tokio::test]
async fn a_callback_is_good_once() {
    let Some(provider) = Provider::start(SHORT) else {
        return;
    };
    let consent = consent(&provider);
    let (url, pending) = consent.begin().await.unwrap();
    let callback = drive(&provider, &url, Person::Accepts).await;
    let again =
        email_logging::credential::PendingConsent::from_secret(&pending.to_secret()).unwrap();
    consent.finish(pending, &callback).await.unwrap();
    let error = consent.finish(again, &callback).await.unwrap_err();
    assert_eq!(error.code(), "oauth.state_mismatch");
}

#[tokio::test]
async fn a_consent_that_is_declined_is_said_so() {
    let Some(provider) = Provider::start(SHORT) else {
        return;
    };
    let consent = consent(&provider);
    let (url, pending) = consent.begin().await.unwrap();
    let callback = drive(&provider, &url, Person::Declines).await;
    let error = consent.finish(pending, &callback).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::ReauthRequired, "oauth.consent_declined")
    );
    assert_eq!(provider.said().await.issued, [""; 0]);
}
