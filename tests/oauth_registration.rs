//! An application's own sign-in: certificate or secret, rotation, early renewal, and what each refusal means.

#![cfg(feature = "oauth2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ews/support.rs"]
mod ews;
#[path = "oauth/support.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::clock::Clock;
use email_logging::credential::{
    AppSignIn, ClientCertificate, CredentialProvider, IdentityService,
};
use email_logging::source::MailSource;
use email_logging::source::ews::EwsSource;
use ews::{Operation, all, folder, ok, page, response, source_with};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use support::*;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn made(
    kind: &'static rcgen::SignatureAlgorithm,
    year: i32,
) -> (ClientCertificate, rcgen::KeyPair) {
    let key = rcgen::KeyPair::generate_for(kind).unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec!["app.example.com".into()]).unwrap();
    parameters.not_after = rcgen::date_time_ymd(year, 1, 2);
    let certificate = parameters.self_signed(&key).unwrap();
    (
        ClientCertificate::new(certificate.pem(), key.serialize_pem()),
        key,
    )
}

fn sign_in(service: IdentityService, provider: Arc<dyn CredentialProvider>) -> AppSignIn {
    AppSignIn::at(service, provider)
        .with_clock(Arc::new(HandClock::default()))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap()
}

/// Reads an assertion with the public key that belongs to it.
fn read(assertion: &str, key: &rcgen::KeyPair, algorithm: Algorithm) -> Value {
    let pem = key.public_key_pem();
    let key = match algorithm {
        Algorithm::ES256 => DecodingKey::from_ec_pem(pem.as_bytes()),
        _ => DecodingKey::from_rsa_pem(pem.as_bytes()),
    };
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(assertion, &key.unwrap(), &validation)
        .unwrap()
        .claims
}

#[tokio::test]
async fn a_certificate_comes_before_a_secret_and_signs_a_short_assertion() {
    for (kind, algorithm) in [
        (&rcgen::PKCS_RSA_SHA256, Algorithm::PS256),
        (&rcgen::PKCS_ECDSA_P256_SHA256, Algorithm::ES256),
    ] {
        let identity = Identity::start().await;
        identity.tokens.then(token("opaque"));
        let (certificate, key) = made(kind, 2031);
        let provider = Arc::new(Changing::default());
        *provider.secret.lock().unwrap() = "canary-secret".into();
        *provider.certificate.lock().unwrap() = Some(certificate);
        let sign_in = sign_in(identity.service(TENANT), provider);
        let signed_in = sign_in.sign_in().await.unwrap();
        assert_eq!(
            signed_in.credential_ends.unwrap().to_string(),
            "2031-01-02T00:00:00Z"
        );
        assert_eq!(
            (signed_in.permissions, signed_in.application),
            (None, false)
        );
        sign_in.sign_in().await.unwrap();
        let asked = identity.asked().await;
        let mut ids = Vec::new();
        for form in &asked {
            assert!(!form.contains_key("client_secret"));
            assert_eq!(form["client_id"], "app-id");
            assert_eq!(
                form["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            let header = jsonwebtoken::decode_header(&form["client_assertion"]).unwrap();
            assert_eq!((header.alg, header.x5t), (algorithm, None));
            let thumbprint = header.x5t_s256.unwrap();
            assert_eq!(
                base64_simd::URL_SAFE_NO_PAD
                    .decode_to_vec(thumbprint)
                    .unwrap()
                    .len(),
                32
            );
            let claims = read(&form["client_assertion"], &key, algorithm);
            let endpoint = format!("{}/{TENANT}/oauth2/v2.0/token", identity.server.uri());
            assert_eq!(
                (&claims["iss"], &claims["sub"]),
                (&json!("app-id"), &json!("app-id"))
            );
            assert_eq!(claims["aud"], endpoint);
            assert_eq!(
                (&claims["nbf"], &claims["exp"]),
                (&json!(1_790_000_000), &json!(1_790_000_300))
            );
            ids.push(claims["jti"].as_str().unwrap().to_owned());
        }
        assert_ne!(ids[0], ids[1]);
    }
}

#[tokio::test]
async fn ad_fs_gets_its_resource_and_an_assertion_that_it_knows() {
    let identity = Identity::start().await;
    identity.tokens.then(token(&jwt(
        &json!({ "aud": "https://mail.contoso.example/" }),
    )));
    let (certificate, key) = made(&rcgen::PKCS_RSA_SHA256, 2031);
    let provider = Arc::new(Changing::default());
    *provider.certificate.lock().unwrap() = Some(certificate);
    let base = format!("{}/adfs", identity.server.uri());
    let service = IdentityService::ad_fs(base, "https://mail.contoso.example/")
        .with_token_endpoint(format!("{}/adfs/oauth2/token", identity.server.uri()));
    sign_in(service, provider).sign_in().await.unwrap();
    let form = &identity.asked().await[0];
    assert_eq!(form["resource"], "https://mail.contoso.example/");
    assert!(!form.contains_key("scope"));
    let header = jsonwebtoken::decode_header(&form["client_assertion"]).unwrap();
    assert_eq!(header.alg, Algorithm::RS256);
    assert!(header.x5t.is_some());
    read(&form["client_assertion"], &key, Algorithm::RS256);
}

#[tokio::test]
async fn a_certificate_that_has_ended_or_cannot_be_used_asks_nothing() {
    let (old, _) = made(&rcgen::PKCS_ECDSA_P256_SHA256, 2020);
    let (good, _) = made(&rcgen::PKCS_ECDSA_P256_SHA256, 2031);
    for (certificate, code) in [
        (old, "oauth.certificate_expired"),
        (
            ClientCertificate::new("canary", "canary"),
            "oauth.certificate_invalid",
        ),
        (
            ClientCertificate::new(good.certificates, "canary"),
            "oauth.certificate_invalid",
        ),
    ] {
        let identity = Identity::start().await;
        let provider = Arc::new(Changing::default());
        *provider.certificate.lock().unwrap() = Some(certificate);
        let error = sign_in(identity.service(TENANT), provider)
            .sign_in()
            .await
            .unwrap_err();
        assert_eq!((error.code(), error.kind()), (code, ErrorKind::Config));
        assert!(!format!("{error:?}{error}").contains("canary"));
        assert_eq!(identity.count().await, 0);
    }
}

/// An Exchange that answers every FindItem, and a source that signs in at the identity service.
async fn source(
    identity: &Identity,
    provider: Arc<dyn CredentialProvider>,
) -> (MockServer, EwsSource, Arc<HandClock>) {
    let server = MockServer::start().await;
    Mock::given(Operation("FindItem"))
        .respond_with(ok(response("FindItem", &[page("", 0, true)])))
        .mount(&server)
        .await;
    let clock = Arc::new(HandClock::default());
    let shared: Arc<dyn Clock> = Arc::<HandClock>::clone(&clock);
    let sign_in = AppSignIn::at(identity.service(TENANT), provider)
        .with_clock(shared)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let (source, _) = source_with(&server, |builder| {
        builder
            .with_app_sign_in(sign_in)
            .with_impersonation("queue@example.com")
    });
    (server, source, clock)
}

#[tokio::test]
async fn a_rotated_secret_works_without_a_restart() {
    let identity = Identity::start().await;
    identity
        .tokens
        .then(token("one"))
        .then(refused("invalid_client", "AADSTS7000222:"))
        .then(token("two"));
    let provider = Arc::new(Changing::default());
    *provider.secret.lock().unwrap() = "old".into();
    let asked: Arc<dyn CredentialProvider> = Arc::<Changing>::clone(&provider);
    let (_server, source, clock) = source(&identity, asked).await;
    source.list(&folder("Q"), all()).await.unwrap();
    clock.sleep(Duration::from_hours(1)).await;
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    assert_eq!(error.code(), "oauth.secret_expired");
    *provider.secret.lock().unwrap() = "new".into();
    source.list(&folder("Q"), all()).await.unwrap();
    let secrets: Vec<_> = identity
        .asked()
        .await
        .into_iter()
        .map(|form| form["client_secret"].clone())
        .collect();
    assert_eq!(secrets, ["old", "old", "new"]);
}

#[tokio::test]
async fn a_token_that_is_still_valid_serves_while_its_renewal_fails_for_a_moment() {
    let identity = Identity::start().await;
    identity
        .tokens
        .then(token("one"))
        .then(ResponseTemplate::new(503))
        .then(ResponseTemplate::new(503))
        .then(ResponseTemplate::new(503))
        .then(token("two"));
    let (server, source, clock) = source(&identity, account()).await;
    let queue = folder("Q");
    // Renewal is due 300 s before the end and is tried three times; it is tried again 30 s after that.
    for (wait, asked) in [(0, 1), (3300, 4), (10, 4), (30, 5)] {
        clock.sleep(Duration::from_secs(wait)).await;
        source.list(&queue, all()).await.unwrap();
        assert_eq!(identity.count().await, asked, "{wait}");
    }
    let sent = server.received_requests().await.unwrap();
    let used: Vec<_> = sent
        .iter()
        .map(|sent| sent.headers["authorization"].to_str().unwrap())
        .collect();
    let old = "Bearer one";
    assert_eq!(used, [old, old, old, "Bearer two"]);
}

#[tokio::test]
async fn a_token_that_has_ended_is_never_used_and_a_refusal_is_not_waited_out() {
    for (failure, wait, code) in [
        (ResponseTemplate::new(503), 3600, "http.unavailable"),
        (
            refused("invalid_client", "AADSTS7000215:"),
            3300,
            "oauth.secret_wrong",
        ),
    ] {
        let identity = Identity::start().await;
        identity.tokens.then(token("one")).then(failure);
        let (server, source, clock) = source(&identity, account()).await;
        source.list(&folder("Q"), all()).await.unwrap();
        clock.sleep(Duration::from_secs(wait)).await;
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_token_without_a_life_is_taken_at_its_own_word_or_used_once() {
    let bare = |text: &str| {
        ResponseTemplate::new(200)
            .set_body_json(json!({ "access_token": text, "token_type": "bearer" }))
    };
    let ends = jwt(&json!({ "exp": 1_790_001_000 }));
    for (text, asked) in [("opaque", 3), (ends.as_str(), 1)] {
        let identity = Identity::start().await;
        identity.tokens.then(bare(text));
        let (_server, source, clock) = source(&identity, account()).await;
        for wait in [0, 500, 399] {
            clock.sleep(Duration::from_secs(wait)).await;
            source.list(&folder("Q"), all()).await.unwrap();
        }
        assert_eq!(identity.count().await, asked);
    }
}

#[tokio::test]
async fn each_refusal_of_microsoft_has_a_code_of_its_own_with_a_remedy() {
    use ErrorKind::{
        Blocked, Config, PermissionDenied, ReauthRequired, Throttled, Unauthenticated, Unavailable,
    };
    for (number, code, kind) in [
        (7_000_215, "oauth.secret_wrong", Unauthenticated),
        (7_000_222, "oauth.secret_expired", Unauthenticated),
        (7_000_218, "credential.missing", Config),
        (700_027, "oauth.certificate_refused", Unauthenticated),
        (700_024, "oauth.clock", Config),
        (700_016, "oauth.app_unknown", Config),
        (7_000_112, "oauth.app_disabled", Blocked),
        (65_001, "oauth.consent_missing", PermissionDenied),
        (7_000_229, "oauth.consent_missing", PermissionDenied),
        (65_004, "oauth.consent_declined", ReauthRequired),
        (90_094, "oauth.not_administrator", PermissionDenied),
        (90_002, "oauth.tenant_unknown", Config),
        (50_020, "oauth.tenant_mismatch", Unauthenticated),
        (50_076, "oauth.conditional_access", ReauthRequired),
        (53_003, "oauth.conditional_access", ReauthRequired),
        (700_082, "oauth.reauth", ReauthRequired),
        (50_053, "oauth.account", Blocked),
        (50_011, "oauth.redirect", Config),
        (500_011, "oauth.scope", Config),
        (50_196, "http.throttled", Throttled),
        (90_033, "http.unavailable", Unavailable),
        (1, "oauth.token_refused", Unauthenticated),
    ] {
        let identity = Identity::start().await;
        identity.tokens.then(refused(
            "unauthorized_client",
            &format!("AADSTS{number}: x."),
        ));
        let error = sign_in(identity.service(TENANT), account())
            .sign_in()
            .await
            .unwrap_err();
        assert_eq!((error.code(), error.kind()), (code, kind), "{number}");
        let detail = format!("unauthorized_client AADSTS{number}");
        assert_eq!(error.detail(), Some(detail.as_str()));
        assert!(error.remedy().ends_with('.'));
        assert!(!format!("{error}{error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_name_decides_where_there_is_no_number() {
    for (name, code) in [
        ("invalid_scope", "oauth.scope"),
        ("invalid_target", "oauth.scope"),
        ("temporarily_unavailable", "http.unavailable"),
        ("invalid_client", "oauth.token_refused"),
        ("invalid_grant", "oauth.token_refused"),
    ] {
        let identity = Identity::start().await;
        identity.tokens.then(refused(name, "none"));
        let error = sign_in(identity.service(TENANT), account())
            .sign_in()
            .await
            .unwrap_err();
        assert_eq!((error.code(), error.detail()), (code, Some(name)));
    }
}
