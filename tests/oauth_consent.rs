//! Administrator consent, against an identity service in Microsoft's shape.

#![cfg(feature = "oauth2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "oauth/support.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock;
use email_logging::credential::{
    AdminConsent, AdminConsentBuilder, IdentityService, PendingConsent, StaticCredentials,
};
use email_logging::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::*;

fn builder(service: IdentityService, clock: &Arc<HandClock>) -> AdminConsentBuilder {
    let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(clock);
    AdminConsent::at(service, account())
        .with_redirect_url(REDIRECT)
        .with_clock(clock)
        .dangerously_allow_plain_http_on_loopback()
}

struct Setting {
    identity: Identity,
    clock: Arc<HandClock>,
    consent: AdminConsent,
}

impl Setting {
    async fn new(tenant: &str) -> Self {
        let identity = Identity::start().await;
        let clock = Arc::new(HandClock::default());
        let consent = builder(identity.service(tenant), &clock).build().unwrap();
        Self {
            identity,
            clock,
            consent,
        }
    }

    /// Lets the identity service answer the next code with these claims.
    fn grant(&self, claims: &Value) {
        let answer =
            json!({ "id_token": self.identity.sign(claims), "refresh_token": "refresh-1" });
        let access = jwt(&json!({ "tid": TENANT, "scp": "EWS.AccessAsUser.All" }));
        self.identity.tokens.then(token_with(&access, answer));
    }
}

fn query(url: &str) -> BTreeMap<String, String> {
    let (_, query) = url.split_once('?').unwrap();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    let plain = |text: &str| {
        text.replace('+', " ")
            .replace("%3A", ":")
            .replace("%2F", "/")
    };
    pairs
        .map(|(name, value)| (name.to_owned(), plain(value)))
        .collect()
}

fn callback(pending: &PendingConsent, rest: &str) -> String {
    format!("{REDIRECT}?state={}{rest}", pending.state().expose_secret())
}

fn code_of(error: &Error) -> &'static str {
    assert!(!format!("{error:?}{error}").contains("canary"), "{error:?}");
    assert!(error.remedy().len() > 10);
    error.code()
}

#[tokio::test]
async fn an_administrator_consents_and_the_tenant_comes_from_the_checked_token() {
    let setting = Setting::new("organizations").await;
    let (url, pending) = setting.consent.begin().await.unwrap();
    let asked = query(&url);
    let fixed = [
        ("response_type", "code"),
        ("response_mode", "query"),
        ("client_id", "app-id"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid https://outlook.office365.com/.default"),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
    ];
    for (name, value) in fixed {
        assert_eq!(asked[name], value, "{name}");
    }
    assert_eq!(asked.len(), fixed.len() + 3);
    assert!(url.starts_with(&format!(
        "{}/organizations/oauth2/v2.0/authorize?",
        setting.identity.server.uri()
    )));
    setting.grant(&setting.identity.claims(&asked["nonce"]));
    let url = callback(&pending, "&code=code-1&session_state=x");
    let consented = setting.consent.finish(pending, &url).await.unwrap();
    assert_eq!(consented.tenant_id.as_deref(), Some(TENANT));
    assert_eq!(consented.client_id, "app-id");
    assert_eq!(consented.permissions.unwrap(), ["EWS.AccessAsUser.All"]);
    assert_eq!(
        consented.refresh_token.unwrap().expose_secret(),
        "refresh-1"
    );
    let sent = &setting.identity.asked().await[0];
    assert_eq!(sent["grant_type"], "authorization_code");
    assert_eq!(
        (sent["code"].as_str(), sent["redirect_uri"].as_str()),
        ("code-1", REDIRECT)
    );
    assert_eq!(
        (sent["client_id"].as_str(), sent["client_secret"].as_str()),
        ("app-id", "canary-secret")
    );
    assert_eq!(sent["code_verifier"].len(), 43);
    assert_ne!(sent["code_verifier"], asked["code_challenge"]);
}

#[tokio::test]
async fn a_refresh_token_is_asked_for_only_where_it_is_wanted() {
    let identity = Identity::start().await;
    let clock = Arc::new(HandClock::default());
    let consent = builder(identity.service("organizations"), &clock)
        .with_refresh_token()
        .build()
        .unwrap();
    let (url, _) = consent.begin().await.unwrap();
    assert_eq!(
        query(&url)["scope"],
        "openid https://outlook.office365.com/.default offline_access"
    );
}

#[tokio::test]
async fn a_pending_consent_survives_another_process_and_shows_nothing() {
    let setting = Setting::new("organizations").await;
    let (url, pending) = setting.consent.begin().await.unwrap();
    let asked = query(&url);
    let carried = pending.to_secret();
    let shown = format!("{pending:?}{pending:#?}{carried:?}{:?}", setting.consent);
    for hidden in ["state", "nonce"] {
        assert!(!shown.contains(&asked[hidden]));
    }
    let pending = PendingConsent::from_secret(&carried).unwrap();
    setting.grant(&setting.identity.claims(&asked["nonce"]));
    let url = callback(&pending, "&code=c");
    setting.consent.finish(pending, &url).await.unwrap();
    for text in ["", "{}", "canary", "{\"state\":\"\"}"] {
        let error = PendingConsent::from_secret(&text.into()).unwrap_err();
        assert_eq!(code_of(&error), "oauth.state_mismatch");
    }
}

/// Finishes a consent with this callback, and says what came of it and how many codes were shown.
async fn outcome(rest: &str) -> (&'static str, ErrorKind, usize) {
    let setting = Setting::new("organizations").await;
    let (_, pending) = setting.consent.begin().await.unwrap();
    let url = callback(&pending, rest);
    let error = setting.consent.finish(pending, &url).await.unwrap_err();
    (
        code_of(&error),
        error.kind(),
        setting.identity.count().await,
    )
}

#[tokio::test]
async fn what_the_administrator_did_is_told_by_a_code_of_its_own() {
    for (rest, code, kind) in [
        (
            "&error=access_denied&error_description=AADSTS65004%3a+canary",
            "oauth.consent_declined",
            ErrorKind::ReauthRequired,
        ),
        (
            "&error=access_denied&error_subcode=cancel",
            "oauth.consent_declined",
            ErrorKind::ReauthRequired,
        ),
        (
            "&error=access_denied&error_description=AADSTS90094%3a+canary",
            "oauth.not_administrator",
            ErrorKind::PermissionDenied,
        ),
        (
            "&error=consent_required&error_description=AADSTS65001%3a+canary",
            "oauth.consent_missing",
            ErrorKind::PermissionDenied,
        ),
        (
            "&error=invalid_client&error_description=AADSTS50011%3a+canary",
            "oauth.redirect",
            ErrorKind::Config,
        ),
        ("", "oauth.callback_invalid", ErrorKind::Protocol),
        ("&code=", "oauth.callback_invalid", ErrorKind::Protocol),
        (
            "&code=a&code=b",
            "oauth.callback_invalid",
            ErrorKind::Protocol,
        ),
    ] {
        assert_eq!(outcome(rest).await, (code, kind, 0), "{rest}");
    }
}

#[tokio::test]
async fn a_callback_that_never_comes_or_comes_late_is_said() {
    let setting = Setting::new("organizations").await;
    let (_, pending) = setting.consent.begin().await.unwrap();
    let never = std::future::pending();
    let error = setting.consent.wait_for(&pending, never).await.unwrap_err();
    assert_eq!(code_of(&error), "oauth.callback_missing");
    assert_eq!(setting.clock.now(), pending.expires_at());
    let url = callback(&pending, "&code=c");
    let error = setting.consent.finish(pending, &url).await.unwrap_err();
    assert_eq!(code_of(&error), "oauth.callback_missing");
    assert_eq!(setting.identity.count().await, 0);
    let (_, pending) = setting.consent.begin().await.unwrap();
    let came = std::future::ready("https://x".to_owned());
    assert_eq!(
        setting.consent.wait_for(&pending, came).await.unwrap(),
        "https://x"
    );
    setting.clock.sleep(Duration::from_secs(899)).await;
    let url = callback(&pending, "&error=access_denied");
    let error = setting.consent.finish(pending, &url).await.unwrap_err();
    assert_eq!(code_of(&error), "oauth.consent_declined");
}

#[tokio::test]
async fn a_permission_that_is_required_is_looked_for_in_the_granted_token() {
    let identity = Identity::start().await;
    let clock = Arc::new(HandClock::default());
    let consent = builder(identity.service("organizations"), &clock)
        .with_required_permission("full_access_as_app")
        .build()
        .unwrap();
    let (_, pending) = consent.begin().await.unwrap();
    identity
        .tokens
        .then(token(&jwt(&json!({ "scp": "Mail.Read" }))));
    let url = callback(&pending, "&code=c");
    let error = consent.finish(pending, &url).await.unwrap_err();
    assert_eq!(code_of(&error), "oauth.permission_missing");
    assert_eq!(error.detail(), Some("full_access_as_app"));
}

#[tokio::test]
async fn a_redirect_url_is_https_or_a_loopback_address_without_a_query() {
    let service =
        IdentityService::microsoft(email_logging::credential::MicrosoftCloud::China, TENANT);
    for (url, code) in [
        ("https://erp.example.com/OAuthLanding.htm", None),
        ("http://127.0.0.1:53682/", None),
        ("http://[::1]:53682/callback", None),
        ("http://erp.example.com/", Some("config.insecure")),
        ("http://localhost:1/", None),
        ("https://erp.example.com/?x=1", Some("config.invalid")),
        ("https://erp.example.com/#x", Some("config.invalid")),
        ("canary", Some("config.invalid")),
        ("", Some("credential.missing")),
    ] {
        let given = StaticCredentials::new()
            .with_client_id("app-id")
            .with_redirect_url(url);
        let consent = AdminConsent::at(service.clone(), Arc::new(given))
            .build()
            .unwrap();
        let begun = consent.begin().await;
        assert_eq!(begun.err().map(|error| code_of(&error)), code, "{url}");
    }
}

#[test]
fn a_service_without_the_addresses_of_a_consent_is_refused() {
    let custom =
        || IdentityService::custom("https://id.example.com", "https://id.example.com/token");
    let whole = || {
        custom()
            .with_authorize_endpoint("https://id.example.com/auth")
            .with_jwks_endpoint("https://id.example.com/jwks")
    };
    for (service, code) in [
        (custom(), "config.missing"),
        (
            custom().with_jwks_endpoint("https://id.example.com/jwks"),
            "config.missing",
        ),
        (
            whole().with_jwks_endpoint("http://id.example.com/jwks"),
            "config.insecure",
        ),
        (
            whole().with_authorize_endpoint("http://id.example.com/"),
            "config.insecure",
        ),
        (
            whole().with_token_endpoint("http://id.example.com/"),
            "config.insecure",
        ),
    ] {
        let built = AdminConsent::at(service, account()).build();
        assert_eq!(code_of(&built.unwrap_err()), code);
    }
    assert!(AdminConsent::at(whole(), account()).build().is_ok());
}

#[tokio::test]
async fn an_identity_token_that_does_not_fit_is_never_trusted() {
    let future = 1_790_001_000;
    let past = 1_789_999_000;
    for (field, value, code, detail) in [
        (
            "aud",
            json!("other-app"),
            "oauth.id_token_invalid",
            Some("aud"),
        ),
        (
            "aud",
            json!(["app-id", "other"]),
            "oauth.id_token_invalid",
            Some("aud"),
        ),
        ("azp", json!("other"), "oauth.id_token_invalid", Some("aud")),
        (
            "nonce",
            json!("other"),
            "oauth.id_token_invalid",
            Some("nonce"),
        ),
        (
            "nonce",
            json!(null),
            "oauth.id_token_invalid",
            Some("nonce"),
        ),
        ("exp", json!(past), "oauth.id_token_invalid", Some("exp")),
        ("exp", json!("soon"), "oauth.id_token_invalid", Some("exp")),
        ("nbf", json!(future), "oauth.id_token_invalid", Some("nbf")),
        ("tid", json!(null), "oauth.id_token_invalid", Some("tid")),
        ("tid", json!(OTHER_TENANT), "oauth.issuer_mismatch", None),
        (
            "iss",
            json!("https://login.example.com"),
            "oauth.issuer_mismatch",
            None,
        ),
        ("iss", json!(null), "oauth.issuer_mismatch", None),
    ] {
        let setting = Setting::new("organizations").await;
        let (url, pending) = setting.consent.begin().await.unwrap();
        let mut claims = setting.identity.claims(&query(&url)["nonce"]);
        claims[field] = value;
        setting.grant(&claims);
        let url = callback(&pending, "&code=c");
        let error = setting.consent.finish(pending, &url).await.unwrap_err();
        assert_eq!((code_of(&error), error.detail()), (code, detail), "{field}");
    }
}

#[tokio::test]
async fn only_a_key_that_the_service_publishes_signs_an_identity_token() {
    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let text = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
    for case in [
        "other key",
        "unknown id",
        "none",
        "shared secret",
        "cut",
        "absent",
    ] {
        let setting = Setting::new("organizations").await;
        let (url, pending) = setting.consent.begin().await.unwrap();
        let claims = setting.identity.claims(&query(&url)["nonce"]);
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(if case == "unknown id" { "k2" } else { "k1" }.into());
        let good = setting.identity.sign(&claims);
        let (signed, _) = good.rsplit_once('.').unwrap();
        let forged = match case {
            "none" => {
                let head = text("{\"alg\":\"none\",\"kid\":\"k1\"}");
                format!("{head}.{}.", text(&claims.to_string()))
            }
            "shared secret" => {
                let mut header = Header::new(Algorithm::HS256);
                header.kid = Some("k1".into());
                let keys = setting.identity.keys.lock().unwrap().to_string();
                let key = jsonwebtoken::EncodingKey::from_secret(keys.as_bytes());
                jsonwebtoken::encode(&header, &claims, &key).unwrap()
            }
            "cut" => format!("{signed}."),
            _ => sign_with(&other, &header, &claims),
        };
        let answer = if case == "absent" {
            token("t")
        } else {
            token_with("t", json!({ "id_token": forged }))
        };
        setting.identity.tokens.then(answer);
        let url = callback(&pending, "&code=c");
        let error = setting.consent.finish(pending, &url).await.unwrap_err();
        assert_eq!(code_of(&error), "oauth.id_token_invalid", "{case}");
    }
}

#[tokio::test]
async fn a_key_of_another_issuer_signs_nothing_for_this_one() {
    let setting = Setting::new("organizations").await;
    let (url, pending) = setting.consent.begin().await.unwrap();
    let elsewhere = format!("{}/{OTHER_TENANT}/v2.0", setting.identity.server.uri());
    setting.identity.keys.lock().unwrap()["keys"][0]["issuer"] = elsewhere.into();
    setting.identity.server.reset().await;
    wiremock::Mock::given(wiremock::matchers::method("POST"))
        .respond_with(setting.identity.tokens.clone())
        .mount(&setting.identity.server)
        .await;
    setting.identity.publish().await;
    setting.grant(&setting.identity.claims(&query(&url)["nonce"]));
    let url = callback(&pending, "&code=c");
    let error = setting.consent.finish(pending, &url).await.unwrap_err();
    assert_eq!(code_of(&error), "oauth.issuer_mismatch");
}

#[tokio::test]
async fn a_service_without_tenants_consents_too() {
    let identity = Identity::start().await;
    let clock = Arc::new(HandClock::default());
    let uri = identity.server.uri();
    let service = IdentityService::custom("https://id.example.com", format!("{uri}/token"))
        .with_authorize_endpoint(format!("{uri}/auth"))
        .with_jwks_endpoint(format!("{uri}/keys"))
        .with_scope("mail")
        .with_resource("https://mail.example.com/")
        .with_secret_in_header();
    let consent = builder(service, &clock).build().unwrap();
    let (url, pending) = consent.begin().await.unwrap();
    let asked = query(&url);
    assert_eq!(
        (asked["scope"].as_str(), asked["resource"].as_str()),
        ("openid mail", "https://mail.example.com/")
    );
    let claims = json!({
        "iss": "https://id.example.com", "aud": ["app-id"], "nonce": asked["nonce"], "exp": 1_790_000_060,
    });
    let id_token = identity.sign(&claims);
    identity.tokens.then(token_with(
        "opaque",
        json!({ "id_token": id_token, "scope": "mail" }),
    ));
    let url = callback(&pending, "&code=c&iss=https%3A%2F%2Fid.example.com");
    let consented = consent.finish(pending, &url).await.unwrap();
    assert_eq!(
        (consented.tenant_id, consented.permissions),
        (None, Some(vec!["mail".into()]))
    );
    let sent = identity.server.received_requests().await.unwrap();
    let basic = base64_simd::STANDARD.encode_to_string("app-id:canary-secret");
    let asked_first = sent[0].method.as_str();
    assert_eq!(asked_first, "GET", "the keys, before the code is spent");
    assert_eq!(
        sent[1].headers["authorization"],
        format!("Basic {basic}").as_str()
    );
    let sent = form(&sent[1]);
    assert_eq!(sent["resource"], "https://mail.example.com/");
    assert!(!sent.contains_key("client_secret"));
}

#[tokio::test]
async fn a_key_set_that_cannot_be_fetched_leaves_the_code_and_the_consent() {
    let setting = Setting::new("organizations").await;
    let (url, pending) = setting.consent.begin().await.unwrap();
    setting.identity.server.reset().await;
    wiremock::Mock::given(wiremock::matchers::method("POST"))
        .respond_with(setting.identity.tokens.clone())
        .mount(&setting.identity.server)
        .await;
    setting.grant(&setting.identity.claims(&query(&url)["nonce"]));
    let url = callback(&pending, "&code=c");
    let kept = pending.to_secret();
    let error = setting.consent.finish(pending, &url).await.unwrap_err();
    assert_eq!(code_of(&error), "http.status");
    assert_eq!(setting.identity.count().await, 0, "the code was not shown");
    setting.identity.publish().await;
    let pending = PendingConsent::from_secret(&kept).unwrap();
    setting.consent.finish(pending, &url).await.unwrap();
    let pending = PendingConsent::from_secret(&kept).unwrap();
    let error = setting.consent.finish(pending, &url).await.unwrap_err();
    assert_eq!(code_of(&error), "oauth.state_mismatch");
}

#[tokio::test]
async fn keys_are_fetched_again_only_for_one_that_is_not_known() {
    for (known, fetches) in [(true, 1), (false, 2)] {
        let setting = Setting::new("organizations").await;
        let (url, pending) = setting.consent.begin().await.unwrap();
        if !known {
            setting.identity.server.reset().await;
            wiremock::Mock::given(wiremock::matchers::method("POST"))
                .respond_with(setting.identity.tokens.clone())
                .mount(&setting.identity.server)
                .await;
            let old = json!({ "keys": [] });
            wiremock::Mock::given(wiremock::matchers::method("GET"))
                .respond_with(wiremock::ResponseTemplate::new(200).set_body_json(old))
                .up_to_n_times(1)
                .with_priority(1)
                .mount(&setting.identity.server)
                .await;
            setting.identity.publish().await;
        }
        setting.grant(&setting.identity.claims(&query(&url)["nonce"]));
        let url = callback(&pending, "&code=c");
        setting.consent.finish(pending, &url).await.unwrap();
        let sent = setting.identity.server.received_requests().await.unwrap();
        let gets = sent.iter().filter(|sent| sent.method.as_str() == "GET");
        assert_eq!(gets.count(), fetches);
    }
}

#[tokio::test]
async fn a_callback_without_an_issuer_is_taken_only_where_none_is_required() {
    for (required, named, code) in [
        (false, false, None),
        (true, true, None),
        (true, false, Some("oauth.issuer_mismatch")),
    ] {
        let identity = Identity::start().await;
        let clock = Arc::new(HandClock::default());
        let service = identity.service("organizations");
        let service = if required {
            service.with_issuer_in_callback()
        } else {
            service
        };
        let issuer = identity
            .issuer(TENANT)
            .replace(':', "%3A")
            .replace('/', "%2F");
        let setting = Setting {
            consent: builder(service, &clock).build().unwrap(),
            identity,
            clock,
        };
        let (url, pending) = setting.consent.begin().await.unwrap();
        setting.grant(&setting.identity.claims(&query(&url)["nonce"]));
        let rest = if named {
            format!("&code=c&iss={issuer}")
        } else {
            "&code=c".to_owned()
        };
        let url = callback(&pending, &rest);
        let finished = setting.consent.finish(pending, &url).await;
        assert_eq!(finished.err().map(|error| code_of(&error)), code, "{rest}");
        assert_eq!(setting.identity.count().await, usize::from(code.is_none()));
    }
}

/// The public key of an RSA key of 2048 bits as a JWK.
fn rsa_jwk(key: &rcgen::KeyPair, more: &Value) -> Value {
    // RSAPublicKey (RFC 8017, A.1.1): the modulus after 9 bytes of head, and the exponent in the last 3.
    let der = key.public_key_raw();
    let text = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    let mut jwk = json!({
        "kty": "RSA", "kid": "r1", "n": text(&der[9..265]), "e": text(&der[der.len() - 3..]),
    });
    let more = more.as_object().unwrap().clone();
    jwk.as_object_mut().unwrap().extend(more);
    jwk
}

#[tokio::test]
async fn a_key_for_another_use_signs_nothing_and_a_critical_header_is_not_passed_over() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let invalid = Some("oauth.id_token_invalid");
    for (more, critical, code) in [
        (json!({}), false, None),
        (json!({ "use": "sig", "key_ops": ["verify"] }), false, None),
        (json!({ "use": "enc" }), false, invalid),
        (json!({ "key_ops": ["encrypt"] }), false, invalid),
        (json!({}), true, invalid),
    ] {
        let setting = Setting::new("organizations").await;
        *setting.identity.keys.lock().unwrap() = json!({ "keys": [rsa_jwk(&key, &more)] });
        setting.identity.server.reset().await;
        wiremock::Mock::given(wiremock::matchers::method("POST"))
            .respond_with(setting.identity.tokens.clone())
            .mount(&setting.identity.server)
            .await;
        setting.identity.publish().await;
        let (url, pending) = setting.consent.begin().await.unwrap();
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("r1".into());
        header.crit = critical.then(|| vec!["exp".into()]);
        let signing = jsonwebtoken::EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes());
        let claims = setting.identity.claims(&query(&url)["nonce"]);
        let token = jsonwebtoken::encode(&header, &claims, &signing.unwrap()).unwrap();
        let answer = json!({ "id_token": token });
        setting.identity.tokens.then(token_with("opaque", answer));
        let url = callback(&pending, "&code=c");
        let finished = setting.consent.finish(pending, &url).await;
        assert_eq!(
            finished.err().map(|error| code_of(&error)),
            code,
            "{more} {critical}"
        );
    }
}
