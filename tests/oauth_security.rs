//! What OAuth2 must never do: the security rules of a sign-in, each with a test of its name.

#![cfg(feature = "oauth2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ews/support.rs"]
mod ews;
#[path = "oauth/support.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock;
use email_logging::credential::{
    AdminConsent, AppSignIn, AppSignInBuilder, DelegatedSignIn, IdentityService,
    MemoryRefreshTokens, MicrosoftCloud, PendingConsent, RefreshTokenStore,
};
use email_logging::source::MailSource;
use email_logging::{ErrorKind, Scope};
use ews::{Operation, all, folder, ok, page, response, source_with};
use secrecy::ExposeSecret;
use serde_json::json;
use support::*;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn consent(identity: &Identity, tenant: &str, clock: &Arc<HandClock>) -> AdminConsent {
    let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(clock);
    AdminConsent::at(identity.service(tenant), account())
        .with_redirect_url(REDIRECT)
        .with_clock(clock)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap()
}

fn nonce_of(url: &str) -> String {
    let (_, rest) = url.split_once("&nonce=").unwrap();
    rest.split('&').next().unwrap().to_owned()
}

fn callback(pending: &PendingConsent, rest: &str) -> String {
    format!("{REDIRECT}?state={}{rest}", pending.state().expose_secret())
}

fn granted(identity: &Identity, url: &str) {
    let id_token = identity.sign(&identity.claims(&nonce_of(url)));
    identity
        .tokens
        .then(token_with("opaque", json!({ "id_token": id_token })));
}

#[tokio::test]
async fn check_06_every_consent_has_its_own_state_nonce_and_verifier_of_256_bit() {
    let identity = Identity::start().await;
    let consent = consent(&identity, TENANT, &Arc::default());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let (url, pending) = consent.begin().await.unwrap();
        assert!(url.contains("&code_challenge_method=S256&"));
        let state = pending.state().expose_secret().to_owned();
        let (_, challenge) = url.split_once("code_challenge=").unwrap();
        let challenge = challenge.split('&').next().unwrap().to_owned();
        for text in [state, nonce_of(&url), challenge] {
            let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(&text).unwrap();
            assert_eq!(bytes.len(), 32);
            assert!(seen.insert(text));
        }
    }
}

#[tokio::test]
async fn check_06_a_state_is_good_for_one_callback() {
    let identity = Identity::start().await;
    let consent = consent(&identity, TENANT, &Arc::default());
    let (url, pending) = consent.begin().await.unwrap();
    let copy = PendingConsent::from_secret(&pending.to_secret()).unwrap();
    granted(&identity, &url);
    let url = callback(&pending, "&code=c");
    consent.finish(pending, &url).await.unwrap();
    let error = consent.finish(copy, &url).await.unwrap_err();
    assert_eq!(error.code(), "oauth.state_mismatch");
    assert_eq!(identity.count().await, 1);
}

#[tokio::test]
async fn check_06_a_foreign_state_shows_no_code_to_anybody_and_leaves_the_consent_open() {
    let identity = Identity::start().await;
    let consent = consent(&identity, TENANT, &Arc::default());
    let (_, other) = consent.begin().await.unwrap();
    let (url, pending) = consent.begin().await.unwrap();
    let state = pending.state().expose_secret().to_owned();
    for query in [
        format!("?state={}&code=c", other.state().expose_secret()),
        format!("?state={}&code=c", &state[1..]),
        format!("?state={state}x&code=c"),
        "?state=&code=c".to_owned(),
        "?code=c".to_owned(),
        String::new(),
        "?error=access_denied".to_owned(),
    ] {
        let copy = PendingConsent::from_secret(&pending.to_secret()).unwrap();
        let error = consent
            .finish(copy, &format!("{REDIRECT}{query}"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "oauth.state_mismatch", "{query}");
    }
    assert_eq!(identity.count().await, 0);
    granted(&identity, &url);
    let url = callback(&pending, "&code=c");
    consent.finish(pending, &url).await.unwrap();
}

#[tokio::test]
async fn check_06_the_redirect_url_is_compared_exactly() {
    let identity = Identity::start().await;
    let consent = consent(&identity, TENANT, &Arc::default());
    let (_, pending) = consent.begin().await.unwrap();
    let state = pending.state().expose_secret();
    for url in [
        "https://erp.example.com/OAuthLanding.html",
        "https://erp.example.com/OAuthLanding.htm/",
        "https://erp.example.com/oauthlanding.htm",
        "https://erp.example.com:8443/OAuthLanding.htm",
        "https://erp.example.com.evil.example/OAuthLanding.htm",
        "https://user@erp.example.com/OAuthLanding.htm",
        "http://erp.example.com/OAuthLanding.htm",
    ] {
        let copy = PendingConsent::from_secret(&pending.to_secret()).unwrap();
        let url = format!("{url}?state={state}&code=c");
        let error = consent.finish(copy, &url).await.unwrap_err();
        assert_eq!(error.code(), "oauth.callback_invalid", "{url}");
    }
    let twice = callback(&pending, &format!("&code=c&state={state}"));
    let error = consent.finish(pending, &twice).await.unwrap_err();
    assert_eq!(error.code(), "oauth.callback_invalid");
    assert_eq!(identity.count().await, 0);
}

#[tokio::test]
async fn check_06_mix_up_the_code_of_one_service_is_never_shown_to_another() {
    let (honest, attacker) = (Identity::start().await, Identity::start().await);
    let at_honest = consent(&honest, TENANT, &Arc::default());
    let at_attacker = consent(&attacker, TENANT, &Arc::default());
    // The attacker's service was asked, and the honest one called back: the code must not go to the attacker.
    let (_, pending) = at_attacker.begin().await.unwrap();
    let issuer = honest
        .issuer(TENANT)
        .replace(':', "%3A")
        .replace('/', "%2F");
    let url = callback(&pending, &format!("&code=c&iss={issuer}"));
    let error = at_attacker.finish(pending, &url).await.unwrap_err();
    assert_eq!(error.code(), "oauth.issuer_mismatch");
    // The host finishes a consent with the description of another service.
    let (_, pending) = at_honest.begin().await.unwrap();
    let url = callback(&pending, "&code=c");
    let error = at_attacker.finish(pending, &url).await.unwrap_err();
    assert_eq!(error.code(), "oauth.issuer_mismatch");
    assert_eq!((honest.count().await, attacker.count().await), (0, 0));
    // The right issuer passes.
    let (url, pending) = at_honest.begin().await.unwrap();
    granted(&honest, &url);
    let url = callback(&pending, &format!("&code=c&iss={issuer}"));
    at_honest.finish(pending, &url).await.unwrap();
}

fn app(identity: &Identity, tenant: &str) -> AppSignInBuilder {
    AppSignIn::at(identity.service(tenant), account())
        .with_clock(Arc::new(HandClock::default()))
        .dangerously_allow_plain_http_on_loopback()
}

fn delegated(
    identity: &Identity,
    store: &Arc<MemoryRefreshTokens>,
    clock: &Arc<HandClock>,
) -> DelegatedSignIn {
    let store: Arc<dyn RefreshTokenStore> = Arc::<MemoryRefreshTokens>::clone(store);
    let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(clock);
    DelegatedSignIn::at(identity.service("organizations"), account(), store)
        .with_clock(clock)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap()
}

fn stored() -> Arc<MemoryRefreshTokens> {
    Arc::new(MemoryRefreshTokens::new().with_refresh_token(Scope::default(), "refresh-0"))
}

#[tokio::test]
async fn check_07_no_more_is_asked_for_than_is_needed_and_the_grant_is_read() {
    let identity = Identity::start().await;
    let access = jwt(&json!({ "roles": ["full_access_as_app"] }));
    identity.tokens.then(token(&access));
    let signed_in = app(&identity, TENANT)
        .with_required_permission("full_access_as_app")
        .build()
        .unwrap()
        .sign_in()
        .await
        .unwrap();
    assert_eq!(signed_in.permissions.unwrap(), ["full_access_as_app"]);
    assert!(signed_in.application);
    delegated(&identity, &stored(), &Arc::default())
        .sign_in()
        .await
        .unwrap();
    let asked = identity.asked().await;
    assert_eq!(asked[0]["scope"], "https://outlook.office365.com/.default");
    assert_eq!(
        asked[1]["scope"],
        "https://outlook.office365.com/EWS.AccessAsUser.All offline_access"
    );
    let error = app(&identity, TENANT)
        .with_required_permission("Mail.ReadWrite")
        .build()
        .unwrap()
        .sign_in()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        ("oauth.permission_missing", Some("Mail.ReadWrite"))
    );
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn check_08_a_token_of_another_tenant_or_for_another_audience_is_refused() {
    let exchange = "https://outlook.office365.com";
    for (claims, code) in [
        (
            json!({ "tid": OTHER_TENANT }),
            Some("oauth.tenant_mismatch"),
        ),
        (
            json!({ "aud": "https://graph.microsoft.com" }),
            Some("oauth.audience_mismatch"),
        ),
        (
            json!({ "tid": TENANT, "aud": ["x", "y"] }),
            Some("oauth.audience_mismatch"),
        ),
        (
            json!({ "tid": TENANT.to_uppercase(), "aud": exchange }),
            None,
        ),
        (
            json!({ "tid": TENANT, "aud": "00000002-0000-0ff1-ce00-000000000000" }),
            None,
        ),
        (
            json!({ "tid": TENANT, "aud": "https://outlook.office.com/" }),
            None,
        ),
        (json!({}), None),
    ] {
        let identity = Identity::start().await;
        identity.tokens.then(token(&jwt(&claims)));
        let signed_in = app(&identity, TENANT).build().unwrap().sign_in().await;
        assert_eq!(signed_in.err().map(|error| error.code()), code, "{claims}");
    }
    let identity = Identity::start().await;
    identity
        .tokens
        .then(token(&jwt(&json!({ "tid": OTHER_TENANT }))));
    let store: Arc<dyn RefreshTokenStore> = stored();
    let sign_in = DelegatedSignIn::at(identity.service(TENANT), account(), store)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    assert_eq!(
        sign_in.sign_in().await.unwrap_err().code(),
        "oauth.tenant_mismatch"
    );
}

#[tokio::test]
async fn check_07_what_the_service_says_beside_an_opaque_token_counts_as_its_permissions() {
    let resource = "https://outlook.office365.com";
    for (scope, code) in [
        (json!({}), None),
        (json!({ "scope": "EWS.AccessAsUser.All openid" }), None),
        (
            json!({ "scope": format!("{resource}/EWS.AccessAsUser.All") }),
            None,
        ),
        (
            json!({ "scope": "openid" }),
            Some("oauth.permission_missing"),
        ),
        (
            json!({ "scope": "x/EWS.AccessAsUser.All" }),
            Some("oauth.permission_missing"),
        ),
    ] {
        let identity = Identity::start().await;
        identity.tokens.then(token_with("opaque", scope.clone()));
        let sign_in = app(&identity, TENANT)
            .with_required_permission("EWS.AccessAsUser.All")
            .build()
            .unwrap();
        let signed_in = sign_in.sign_in().await;
        if scope["scope"] == "EWS.AccessAsUser.All openid" {
            let permissions = signed_in.as_ref().unwrap().permissions.clone();
            let expected = vec!["EWS.AccessAsUser.All".to_owned(), "openid".to_owned()];
            assert_eq!(permissions, Some(expected));
        }
        assert_eq!(signed_in.err().map(|error| error.code()), code, "{scope}");
    }
}

#[tokio::test]
async fn check_08_a_tenant_id_is_a_pin_or_no_setting_at_all() {
    let microsoft = IdentityService::microsoft(MicrosoftCloud::default(), TENANT);
    for id in ["contoso.example", "", "organizations"] {
        let built = AppSignIn::at(microsoft.clone().with_tenant_id(id), account()).build();
        assert_eq!(built.unwrap_err().code(), "config.invalid", "{id}");
    }
    for (named, code) in [
        ("Tenant-A", None),
        ("tenant-a", Some("oauth.tenant_mismatch")),
        ("Tenant-B", Some("oauth.tenant_mismatch")),
    ] {
        let identity = Identity::start().await;
        identity.tokens.then(token(&jwt(&json!({ "tid": named }))));
        let url = identity.server.uri();
        let service =
            IdentityService::custom(url.clone(), format!("{url}/token")).with_tenant_id("Tenant-A");
        let sign_in = AppSignIn::at(service, account())
            .dangerously_allow_plain_http_on_loopback()
            .build()
            .unwrap();
        let signed_in = sign_in.sign_in().await;
        assert_eq!(signed_in.err().map(|error| error.code()), code, "{named}");
    }
}

#[tokio::test]
async fn check_08_no_order_of_the_settings_takes_the_audience_away() {
    type Settings = fn(IdentityService) -> IdentityService;
    let other = "oauth.audience_mismatch";
    let mail = "https://mail.example.com";
    let settings: [(Settings, &str, Option<&str>); 6] = [
        (
            |s| s.with_audience("https://mail.example.com").with_scope("x"),
            mail,
            None,
        ),
        (
            |s| s.with_audience("https://mail.example.com").with_scope("x"),
            "https://y",
            Some(other),
        ),
        (
            |s| s.with_audience("https://mail.example.com").for_graph(),
            "https://graph.microsoft.com",
            Some(other),
        ),
        (
            |s| s.with_scope("https://outlook.office365.com/EWS.AccessAsUser.All"),
            "https://outlook.office.com",
            None,
        ),
        (
            |s| s.with_scope("https://outlook.office365.com/EWS.AccessAsUser.All"),
            mail,
            Some(other),
        ),
        (
            |s| s.with_scope("openid https://graph.microsoft.com/Mail.Read"),
            mail,
            Some(other),
        ),
    ];
    for (at, (set, audience, code)) in settings.into_iter().enumerate() {
        let identity = Identity::start().await;
        identity
            .tokens
            .then(token(&jwt(&json!({ "aud": audience }))));
        let sign_in = AppSignIn::at(set(identity.service(TENANT)), account())
            .dangerously_allow_plain_http_on_loopback()
            .build()
            .unwrap();
        let signed_in = sign_in.sign_in().await;
        assert_eq!(signed_in.err().map(|error| error.code()), code, "{at}");
    }
}

#[tokio::test]
async fn check_06_without_randomness_no_consent_begins() {
    #[derive(Debug)]
    struct Dry;

    impl email_logging::clock::Entropy for Dry {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }

        fn fill_secret(&self, _: &mut [u8]) -> email_logging::Result<()> {
            let none = &email_logging::error::codes::INTERNAL;
            Err(email_logging::Error::new(none, "test"))
        }
    }
    let identity = Identity::start().await;
    let consent = AdminConsent::at(identity.service(TENANT), account())
        .with_redirect_url(REDIRECT)
        .with_entropy(Arc::new(Dry))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    assert_eq!(
        consent.begin().await.unwrap_err().kind(),
        ErrorKind::Internal
    );
}

#[tokio::test]
async fn check_08_a_consent_of_another_tenant_than_the_one_set_up_is_refused() {
    let identity = Identity::start().await;
    let consent = consent(&identity, OTHER_TENANT, &Arc::default());
    let (url, pending) = consent.begin().await.unwrap();
    granted(&identity, &url);
    let url = callback(&pending, "&code=c");
    let error = consent.finish(pending, &url).await.unwrap_err();
    assert_eq!(error.code(), "oauth.tenant_mismatch");
}

#[test]
fn check_08_an_application_never_signs_in_at_a_shared_tenant() {
    for tenant in ["common", "Organizations", "consumers", "", "a/b", "a?b"] {
        let service = IdentityService::microsoft(MicrosoftCloud::default(), tenant);
        let built = AppSignIn::at(service, account()).build();
        assert_eq!(built.unwrap_err().code(), "config.invalid", "{tenant}");
    }
}

/// An Exchange that answers every FindItem.
async fn exchange() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(Operation("FindItem"))
        .respond_with(ok(response("FindItem", &[page("", 0, true)])))
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn check_09_64_callers_at_once_are_one_refresh_and_no_token_is_lost() {
    let (identity, exchange) = (Identity::start().await, exchange().await);
    let rotated = json!({ "refresh_token": "refresh-1" });
    let slow = token_with("access-1", rotated).set_delay(Duration::from_millis(50));
    identity.tokens.then(slow).then(ResponseTemplate::new(500));
    let store = stored();
    let sign_in = delegated(&identity, &store, &Arc::default());
    let (source, _) = source_with(&exchange, |builder| {
        builder.with_delegated_sign_in(sign_in).with_connections(64)
    });
    let queue = folder("Q");
    let calls = (0..64).map(|_| source.list(&queue, all()));
    for listed in futures_util::future::join_all(calls).await {
        listed.unwrap();
    }
    assert_eq!(identity.count().await, 1);
    let kept = store
        .load_refresh_token(&Scope::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (kept.token.expose_secret(), kept.held_until),
        ("refresh-1", None)
    );
}

#[tokio::test]
async fn check_09_a_failure_is_shared_by_all_that_waited_for_it() {
    let (identity, exchange) = (Identity::start().await, exchange().await);
    let slow = refused("invalid_client", "AADSTS7000215:").set_delay(Duration::from_millis(50));
    identity.tokens.then(slow);
    let sign_in = app(&identity, TENANT).build().unwrap();
    let (source, _) = source_with(&exchange, |builder| {
        builder
            .with_app_sign_in(sign_in)
            .with_impersonation("queue@example.com")
            .with_connections(64)
    });
    let queue = folder("Q");
    let calls = (0..64).map(|_| source.list(&queue, all()));
    for listed in futures_util::future::join_all(calls).await {
        let error = listed.unwrap_err();
        assert_eq!(error.code(), "oauth.secret_wrong");
        assert_eq!(error.detail(), Some("invalid_client AADSTS7000215"));
    }
    assert_eq!(identity.count().await, 1);
}

#[tokio::test]
async fn check_09_a_caller_that_is_dropped_leaves_its_refresh_to_the_next() {
    let (identity, exchange) = (Identity::start().await, exchange().await);
    let rotated = json!({ "refresh_token": "refresh-1" });
    let slow = token_with("access-1", rotated).set_delay(Duration::from_millis(100));
    identity.tokens.then(slow).then(ResponseTemplate::new(500));
    let store = stored();
    let sign_in = delegated(&identity, &store, &Arc::default());
    let (source, _) = source_with(&exchange, |builder| builder.with_delegated_sign_in(sign_in));
    let queue = folder("Q");
    let mut first = Box::pin(source.list(&queue, all()));
    while identity.count().await == 0 {
        tokio::select! {
            _ = &mut first => panic!("answered before it could be dropped"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(first);
    source.list(&queue, all()).await.unwrap();
    assert_eq!(identity.count().await, 1);
    let kept = store
        .load_refresh_token(&Scope::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.token.expose_secret(), "refresh-1");
}

#[tokio::test]
async fn check_10_invalid_grant_asks_nothing_more_until_a_new_refresh_token_is_stored() {
    let (identity, exchange) = (Identity::start().await, exchange().await);
    identity
        .tokens
        .then(refused("invalid_grant", "AADSTS700082:"))
        .then(token("access-1"));
    let store = stored();
    let sign_in = delegated(&identity, &store, &Arc::default());
    let (source, _) = source_with(&exchange, |builder| builder.with_delegated_sign_in(sign_in));
    let queue = folder("Q");
    for _ in 0..20 {
        let error = source.list(&queue, all()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("oauth.reauth", ErrorKind::ReauthRequired)
        );
        assert!(!error.is_transient());
    }
    assert_eq!(identity.count().await, 1);
    assert!(exchange.received_requests().await.unwrap().is_empty());
    let scope = Scope::default();
    let refused = store.load_refresh_token(&scope).await.unwrap().unwrap();
    store
        .save_refresh_token(&scope, &"refresh-1".into(), refused.version)
        .await
        .unwrap();
    source.list(&queue, all()).await.unwrap();
    let asked = identity.asked().await;
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1]["refresh_token"], "refresh-1");
}

#[tokio::test]
async fn check_10_invalid_grant_is_asked_again_once_the_provider_answers_differently() {
    let (identity, exchange) = (Identity::start().await, exchange().await);
    identity
        .tokens
        .then(refused("invalid_grant", ""))
        .then(token("access-1"));
    let provider = Arc::new(Changing::default());
    *provider.secret.lock().unwrap() = "one".into();
    let asked: Arc<dyn email_logging::credential::CredentialProvider> =
        Arc::<Changing>::clone(&provider);
    let store: Arc<dyn RefreshTokenStore> = stored();
    let sign_in = DelegatedSignIn::at(identity.service(TENANT), asked, store)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let (source, _) = source_with(&exchange, |builder| builder.with_delegated_sign_in(sign_in));
    let queue = folder("Q");
    for _ in 0..5 {
        let error = source.list(&queue, all()).await.unwrap_err();
        assert_eq!(error.code(), "oauth.reauth");
    }
    assert_eq!(identity.count().await, 1);
    *provider.secret.lock().unwrap() = "two".into();
    source.list(&queue, all()).await.unwrap();
    assert_eq!(identity.asked().await[1]["client_secret"], "two");
}

#[tokio::test]
async fn check_10_what_an_administrator_lifts_is_noticed_by_a_sign_in_and_after_a_while() {
    for (description, lifted) in [("AADSTS53003:", true), ("AADSTS700082:", false)] {
        let (identity, exchange) = (Identity::start().await, exchange().await);
        let refusal = refused("invalid_grant", description);
        identity.tokens.then(refusal).then(token("access-1"));
        let clock = Arc::new(HandClock::default());
        let sign_in = delegated(&identity, &stored(), &clock);
        let job = sign_in.clone();
        let (source, _) = source_with(&exchange, |builder| builder.with_delegated_sign_in(job));
        let queue = folder("Q");
        for wait in [0, 899] {
            clock.sleep(Duration::from_secs(wait)).await;
            source.list(&queue, all()).await.unwrap_err();
        }
        assert_eq!(identity.count().await, 1, "{description}");
        clock.sleep(Duration::from_secs(1)).await;
        let listed = source.list(&queue, all()).await;
        assert_eq!(listed.is_ok(), lifted, "{description}");
        sign_in.sign_in().await.unwrap();
        source.list(&queue, all()).await.unwrap();
    }
}

#[tokio::test]
async fn check_14_no_error_and_no_debug_output_holds_a_token_a_secret_or_a_description() {
    let hidden = ["canary", "refresh-0", "access-secret", TENANT];
    let mut shown = Vec::new();
    for description in ["", "AADSTS50053: canary", "AADSTS53003: canary"] {
        for name in ["invalid_grant", "invalid_client", "unauthorized_client"] {
            let identity = Identity::start().await;
            identity.tokens.then(refused(name, description));
            let delegated = delegated(&identity, &stored(), &Arc::default());
            let app = app(&identity, TENANT);
            shown.push(format!("{app:?}{delegated:?}{:?}", stored()));
            let error = delegated.sign_in().await.unwrap_err();
            shown.push(format!("{error}{error:?}"));
            let error = app.build().unwrap().sign_in().await.unwrap_err();
            shown.push(format!("{error}{error:?}"));
        }
    }
    let identity = Identity::start().await;
    let broken = "{\"access_token\": \"access-secret\", \"canary\": ";
    identity
        .tokens
        .then(ResponseTemplate::new(200).set_body_string(broken));
    let error = app(&identity, TENANT)
        .build()
        .unwrap()
        .sign_in()
        .await
        .unwrap_err();
    assert_eq!(error.code(), "oauth.token_invalid");
    shown.push(format!("{error}{error:?}"));
    for text in shown {
        for hidden in hidden {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
}
