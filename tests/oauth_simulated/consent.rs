//! An administrator's consent, with every user and every flawed token that the provider can play.

use std::sync::Arc;

use email_logging::credential::{
    AdminConsent, Consented, DelegatedSignIn, MemoryRefreshTokens, RefreshTokenStore as _,
};
use email_logging::testkit::identity::{RefreshRotation, TokenFlaw, UserBehaviour};
use email_logging::{Result, Scope};
use secrecy::ExposeSecret as _;

use super::tenant::{Tenant, credentials, loopback, read_queue};

/// The whole consent; the browser is an HTTP client that is redirected once.
async fn consent(tenant: &Tenant) -> Result<Consented> {
    let consent = AdminConsent::at(tenant.service(), Arc::new(credentials()))
        .with_refresh_token()
        .with_trusted_roots(tenant.roots())
        .with_address_policy(loopback())
        .build()?;
    let (url, pending) = consent.begin().await?;
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let authority = reqwest::Certificate::from_pem(tenant.roots().as_bytes()).unwrap();
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([authority])
        .build()
        .unwrap();
    let page = browser.get(url).send().await.unwrap();
    let callback = page.headers()["location"].to_str().unwrap();
    consent.finish(pending, callback).await
}

#[tokio::test]
async fn a_consent_names_the_tenant_and_its_refresh_token_rotates_and_opens_the_mailbox() {
    let tenant =
        Tenant::with(|builder| builder.with_refresh_rotation(RefreshRotation::OldDies)).await;
    let consented = consent(&tenant).await.unwrap();
    assert_eq!(
        consented.tenant_id.as_deref(),
        Some(tenant.identity.tenant_id())
    );
    assert_eq!(consented.permissions.unwrap(), ["EWS.AccessAsUser.All"]);
    let first = consented.refresh_token.unwrap();
    let store = MemoryRefreshTokens::new().with_refresh_token(Scope::default(), first.clone());
    let store = Arc::new(store);
    let kept = Arc::clone(&store);
    let sign_in = DelegatedSignIn::at(tenant.service(), Arc::new(credentials()), kept)
        .with_trusted_roots(tenant.roots())
        .with_address_policy(loopback())
        .build()
        .unwrap();
    let source = tenant.source(|builder| builder.with_delegated_sign_in(sign_in.clone()));
    for _ in 0..3 {
        read_queue(&source).await.unwrap();
        tenant.identity.revoke_access_tokens();
    }
    assert_eq!(tenant.identity.statistics().grants_of("refresh_token"), 3);
    let stored = store
        .load_refresh_token(&Scope::default())
        .await
        .unwrap()
        .unwrap();
    // Each refresh holds the token first, so that no other worker uses it, and then stores the new one.
    assert_eq!(stored.version, 7);
    assert_ne!(stored.token.expose_secret(), first.expose_secret());
    tenant.identity.revoke_refresh_tokens();
    for _ in 0..3 {
        let error = read_queue(&source).await.unwrap_err();
        assert_eq!(error.code(), "oauth.reauth");
    }
    assert_eq!(
        tenant.identity.statistics().grants_of("refresh_token"),
        4,
        "the job asks once and then waits for somebody"
    );
    assert_eq!(sign_in.sign_in().await.unwrap_err().code(), "oauth.reauth");
    assert_eq!(
        tenant.identity.statistics().grants_of("refresh_token"),
        5,
        "who asks in so many words is answered anew"
    );
}

#[tokio::test]
async fn each_user_has_an_outcome_of_its_own() {
    let tenant = Tenant::new().await;
    for (user, code) in [
        (UserBehaviour::Declines, "oauth.consent_declined"),
        (UserBehaviour::NotAdministrator, "oauth.not_administrator"),
        (UserBehaviour::ReturnsWrongState, "oauth.state_mismatch"),
        (UserBehaviour::ReturnsWrongIssuer, "oauth.issuer_mismatch"),
    ] {
        tenant.identity.set_user(user);
        assert_eq!(consent(&tenant).await.unwrap_err().code(), code, "{user:?}");
    }
    assert_eq!(
        tenant.identity.statistics().grants_of("authorization_code"),
        0
    );
    // Microsoft's own service names no issuer on the way back.
    tenant
        .identity
        .set_user(UserBehaviour::ReturnsWithoutIssuer);
    consent(&tenant).await.unwrap();
}

#[tokio::test]
async fn no_token_with_a_flaw_is_believed() {
    let tenant = Tenant::new().await;
    for (flaw, code) in [
        (TokenFlaw::WrongSignature, "oauth.id_token_invalid"),
        (TokenFlaw::WrongIssuer, "oauth.issuer_mismatch"),
        (TokenFlaw::WrongNonce, "oauth.id_token_invalid"),
        (TokenFlaw::Expired, "oauth.id_token_invalid"),
        (TokenFlaw::Opaque, "oauth.id_token_invalid"),
        (TokenFlaw::WithoutTenant, "oauth.id_token_invalid"),
        (TokenFlaw::WrongTenant, "oauth.tenant_mismatch"),
        (TokenFlaw::WrongAudience, "oauth.audience_mismatch"),
    ] {
        tenant.identity.set_flaw(Some(flaw));
        assert_eq!(consent(&tenant).await.unwrap_err().code(), code, "{flaw:?}");
    }
}
