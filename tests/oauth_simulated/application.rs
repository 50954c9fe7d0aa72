//! The application as itself: expiry, revocation, new keys, refusals, a tenant that blocks EWS.

use std::sync::Arc;
use std::time::Duration;

use email_logging::credential::{ClientCertificate, StaticCredentials};
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::EwsBlock;
use email_logging::testkit::identity::{
    Application, ClientCertificate as MadeCertificate, TokenFlaw,
};

use super::tenant::{CLIENT, SECRET, Tenant, application, credentials, read_queue};

#[tokio::test]
async fn expiry_revocation_and_new_keys_in_the_middle_of_a_run_are_not_noticed() {
    let clock = ManualClock::default();
    let shared = Arc::new(clock.clone());
    let tenant = Tenant::with(|builder| builder.with_clock(shared)).await;
    let source = tenant.source_of_application();
    read_queue(&source).await.unwrap();
    clock.advance(Duration::from_secs(3599));
    read_queue(&source).await.unwrap();
    tenant.identity.revoke_access_tokens();
    read_queue(&source).await.unwrap();
    tenant.identity.rotate_key().unwrap();
    tenant.identity.retire_old_keys();
    read_queue(&source).await.unwrap();
    assert_eq!(tenant.identity.statistics().tokens, 4);
    assert_eq!(tenant.exchange.statistics().unauthorized, 3);
}

#[tokio::test]
async fn a_certificate_proves_the_application_and_an_unregistered_one_does_not() {
    let tenant = Tenant::new().await;
    let [own, other] = [(); 2].map(|()| MadeCertificate::generate(2040).unwrap());
    tenant.identity.register(
        Application::new(CLIENT)
            .with_certificate(&own.certificate_pem)
            .with_role("full_access_as_app"),
    );
    let with = |made: &MadeCertificate| {
        let certificate = ClientCertificate::new(&made.certificate_pem, made.key_pem.as_str());
        StaticCredentials::new()
            .with_client_id(CLIENT)
            .with_certificate(certificate)
    };
    tenant
        .sign_in(with(&own))
        .build()
        .unwrap()
        .sign_in()
        .await
        .unwrap();
    let refused = tenant.sign_in(with(&other)).build().unwrap();
    assert_eq!(
        refused.sign_in().await.unwrap_err().code(),
        "oauth.certificate_refused"
    );
}

#[tokio::test]
async fn each_refusal_has_its_name() {
    let tenant = Tenant::new().await;
    tenant
        .identity
        .register(application().with_expired_secret("old"));
    let own = || StaticCredentials::new().with_client_id(CLIENT);
    for (credentials, code) in [
        (own().with_client_secret("wrong"), "oauth.secret_wrong"),
        (own().with_client_secret("old"), "oauth.secret_expired"),
        (
            StaticCredentials::new()
                .with_client_id("other")
                .with_client_secret(SECRET),
            "oauth.app_unknown",
        ),
    ] {
        let sign_in = tenant.sign_in(credentials).build().unwrap();
        assert_eq!(sign_in.sign_in().await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn a_token_of_another_tenant_or_audience_or_without_the_permission_is_not_used() {
    let tenant = Tenant::new().await;
    for (flaw, code) in [
        (TokenFlaw::WrongTenant, "oauth.tenant_mismatch"),
        (TokenFlaw::WrongAudience, "oauth.audience_mismatch"),
        (TokenFlaw::WithoutPermissions, "oauth.permission_missing"),
    ] {
        tenant.identity.set_flaw(Some(flaw));
        let sign_in = tenant.sign_in(credentials());
        let sign_in = sign_in
            .with_required_permission("full_access_as_app")
            .build()
            .unwrap();
        assert_eq!(
            sign_in.sign_in().await.unwrap_err().code(),
            code,
            "{flaw:?}"
        );
    }
    assert_eq!(tenant.exchange.statistics().requests, 0);
}

#[tokio::test]
async fn a_tenant_that_blocks_ews_is_recognised_and_works_again_when_it_allows_it() {
    let tenant = Tenant::new().await;
    let source = tenant.source_of_application();
    for (block, code) in [
        (EwsBlock::ForbiddenWithReason, "ews.blocked"),
        // Only Exchange Online's own host makes a bare 403 a block.
        (EwsBlock::Forbidden, "http.forbidden"),
    ] {
        tenant.exchange.set_ews_block(Some(block));
        assert_eq!(
            read_queue(&source).await.unwrap_err().code(),
            code,
            "{block:?}"
        );
    }
    tenant.exchange.set_ews_block(None);
    read_queue(&source).await.unwrap();
}
