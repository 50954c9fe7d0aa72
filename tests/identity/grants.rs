//! The token endpoint: what each grant gives and what each mistake is told.

use std::sync::Arc;
use std::time::Duration;

use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::identity::{Application, RefreshRotation, TokenFlaw, TokenVersion};

use super::client::*;

#[tokio::test]
async fn a_code_becomes_tokens_once_and_only_for_who_asked() {
    let identity = builder().start().await.unwrap();
    let code = code(&identity).await;
    let wrong = redeem(&identity, &code, "another-verifier").await.refusal();
    assert_eq!(wrong, (400, "invalid_grant".to_owned(), 501_481));
    let answer = redeem(&identity, &code, VERIFIER).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let scope = "https://outlook.office365.com/EWS.AccessAsUser.All";
    assert_eq!(answer.member("scope"), scope);
    assert_eq!(answer.member("token_type"), "Bearer");
    let access = claims(&answer.member("access_token"));
    assert_eq!(access["aud"], "https://outlook.office365.com");
    assert_eq!(access["scp"], "EWS.AccessAsUser.All");
    assert_eq!(access["appid"], CLIENT);
    assert_eq!(access["tid"], identity.tenant_id());
    let id = claims(&answer.member("id_token"));
    assert_eq!(id["nonce"], "the nonce");
    assert_eq!(id["aud"], CLIENT);
    assert_eq!(id["iss"], identity.issuer());
    let again = redeem(&identity, &code, VERIFIER).await.refusal();
    assert_eq!(again, (400, "invalid_grant".to_owned(), 54_005));
    let dead = refresh(&identity, &answer.member("refresh_token")).await;
    assert_eq!(dead.refusal(), (400, "invalid_grant".to_owned(), 50_173));
}

#[tokio::test]
async fn a_code_is_bound_to_its_redirect_address_and_to_ten_minutes() {
    let clock = ManualClock::default();
    let shared = Arc::new(clock.clone());
    let identity = builder().with_clock(shared).start().await.unwrap();
    let code = code(&identity).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("redirect_uri", "https://erp.example/other"),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let other = post(&identity, &form).await.refusal();
    assert_eq!(other, (400, "invalid_grant".to_owned(), 500_112));
    clock.advance(Duration::from_secs(601));
    let late = redeem(&identity, &code, VERIFIER).await.refusal();
    assert_eq!(late, (400, "invalid_grant".to_owned(), 70_008));
    let unknown = redeem(&identity, "no such code", VERIFIER).await.refusal();
    assert_eq!(unknown, (400, "invalid_grant".to_owned(), 70_000));
}

#[tokio::test]
async fn an_application_gets_its_roles_with_a_secret_in_the_body_or_in_the_header() {
    let identity = builder().start().await.unwrap();
    let answer = as_itself(&identity).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["expires_in"], 3599);
    assert!(answer.json().get("refresh_token").is_none());
    let body = claims(&answer.member("access_token"));
    assert_eq!(body["roles"], serde_json::json!(["full_access_as_app"]));
    assert_eq!(
        body["iss"],
        format!("{}/{}/", identity.url(), identity.tenant_id())
    );
    assert!(body.get("scp").is_none());
    let form = [("grant_type", "client_credentials"), ("scope", DEFAULT)];
    let encoded = "canary%2Bsecret%2F%25%26%3D";
    let basic = |secret| request_to(&identity.token_url(), &form).basic_auth(CLIENT, Some(secret));
    assert_eq!(Answer::of(basic(encoded)).await.status, 200);
    let wrong = Answer::of(basic("wrong")).await.refusal();
    assert_eq!(wrong, (401, "invalid_client".to_owned(), 7_000_215));
    let seen = identity.recorded();
    assert_eq!(seen[1].authorization.as_deref(), Some("Basic"));
    assert_eq!(seen[0].authorization, None);
}

#[tokio::test]
async fn each_mistake_of_a_client_has_its_number() {
    let identity = builder().start().await.unwrap();
    identity.register(application().with_expired_secret("old"));
    identity.register(Application::new("public").with_redirect_url(REDIRECT));
    let base = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("scope", DEFAULT),
    ];
    for (name, value, expected) in [
        ("client_secret", "wrong", (401, "invalid_client", 7_000_215)),
        ("client_secret", "old", (401, "invalid_client", 7_000_222)),
        ("client_secret", "", (401, "invalid_client", 7_000_218)),
        (
            "client_id",
            "another",
            (400, "unauthorized_client", 700_016),
        ),
        ("client_id", "", (400, "invalid_request", 900_144)),
        (
            "grant_type",
            "password",
            (400, "unsupported_grant_type", 70_003),
        ),
        ("grant_type", "", (400, "invalid_request", 900_144)),
        ("scope", "", (400, "invalid_request", 900_144)),
        (
            "scope",
            "https://outlook.office365.com/x",
            (400, "invalid_scope", 1_002_012),
        ),
        (
            "scope",
            "https://other.example/.default",
            (400, "invalid_resource", 500_011),
        ),
    ] {
        let form = base.map(|(own, old)| (own, if own == name { value } else { old }));
        let answer = post(&identity, &form).await;
        let (status, error, number) = expected;
        assert_eq!(
            answer.refusal(),
            (status, error.to_owned(), number),
            "{name}={value}"
        );
    }
    let public = [
        ("grant_type", "client_credentials"),
        ("client_id", "public"),
        ("scope", DEFAULT),
    ];
    let answer = post(&identity, &public).await;
    assert_eq!(
        answer.refusal(),
        (401, "invalid_client".to_owned(), 7_000_218)
    );
    let twice = post(&identity, &[("scope", "a"), ("scope", "b")]).await;
    assert_eq!(
        twice.refusal(),
        (400, "invalid_request".to_owned(), 9_000_411)
    );
    assert_eq!(identity.statistics().refusals[&7_000_218], 2);
    assert_eq!(identity.statistics().tokens, 0);
}

#[tokio::test]
async fn a_refusal_has_microsofts_form() {
    let clock = Arc::new(ManualClock::default());
    let identity = builder().with_clock(clock).start().await.unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", "x"),
    ];
    let request = request_to(&identity.token_url(), &form);
    let answer = Answer::of(request.header("client-request-id", "my-correlation")).await;
    let json = answer.json();
    let members: Vec<_> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "correlation_id",
        "error",
        "error_codes",
        "error_description",
        "error_uri",
        "timestamp",
        "trace_id",
    ];
    assert_eq!(members, expected);
    assert_eq!(json["correlation_id"], "my-correlation");
    assert_eq!(json["timestamp"], "2026-01-01 00:00:00Z");
    let description = answer.member("error_description");
    assert!(description.starts_with("AADSTS7000215: Invalid client secret provided."));
    let end = "Correlation ID: my-correlation Timestamp: 2026-01-01 00:00:00Z";
    assert!(description.ends_with(end), "{description}");
}

#[tokio::test]
async fn tenants_are_told_apart_by_the_path() {
    let identity = builder()
        .with_tenant("tenant-id", "corp.example")
        .start()
        .await
        .unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("scope", DEFAULT),
    ];
    for (path, number) in [
        ("/tenant-id/oauth2/v2.0/token", None),
        ("/corp.example/oauth2/v2.0/token", None),
        ("/token", None),
        ("/adfs/oauth2/token/", None),
        ("/common/oauth2/v2.0/token", Some(50_059)),
        ("/organizations/oauth2/v2.0/token", Some(50_059)),
        ("/other.example/oauth2/v2.0/token", Some(90_002)),
    ] {
        let answer = post_to(&format!("{}{path}", identity.url()), &form).await;
        let expected = number.map_or((200, 0), |number| (400, number));
        let (status, _, number) = answer.refusal();
        assert_eq!((status, number), expected, "{path}");
    }
}

#[tokio::test]
async fn a_refresh_token_lives_as_long_as_its_rotation_says() {
    // Which of the uses of the first token are answered, and whether a new one came.
    for (rotation, uses, rotates) in [
        (RefreshRotation::OldStaysGood, [true, true, true], true),
        (RefreshRotation::OldWorksOnceMore, [true, true, false], true),
        (RefreshRotation::OldDies, [true, false, false], true),
        (RefreshRotation::Never, [true, true, true], false),
    ] {
        let identity = builder()
            .with_refresh_rotation(rotation)
            .start()
            .await
            .unwrap();
        let code = code(&identity).await;
        let first = redeem(&identity, &code, VERIFIER)
            .await
            .member("refresh_token");
        let mut newest = String::new();
        for good in uses {
            let answer = refresh(&identity, &first).await;
            assert_eq!(answer.status == 200, good, "{rotation:?}: {}", answer.text);
            if good {
                newest = answer.member("refresh_token");
                assert_eq!(
                    !newest.is_empty() && newest != first,
                    rotates,
                    "{rotation:?}"
                );
            }
        }
        // The reuse of a dead token has ended the family.
        if uses == [true; 3] && rotates {
            assert_eq!(
                refresh(&identity, &newest).await.status,
                200,
                "{rotation:?}"
            );
        } else if rotates {
            let (_, error, number) = refresh(&identity, &newest).await.refusal();
            assert_eq!(
                (error.as_str(), number),
                ("invalid_grant", 50_173),
                "{rotation:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_revoked_refresh_token_is_an_invalid_grant() {
    let identity = builder().start().await.unwrap();
    let code = code(&identity).await;
    let token = redeem(&identity, &code, VERIFIER)
        .await
        .member("refresh_token");
    identity.revoke_refresh_tokens();
    let answer = refresh(&identity, &token).await.refusal();
    assert_eq!(answer, (400, "invalid_grant".to_owned(), 50_173));
    assert_eq!(identity.statistics().grants_of("refresh_token"), 1);
}

#[tokio::test]
async fn tokens_carry_the_lifetime_the_version_and_the_flaw_that_are_set() {
    let clock = Arc::new(ManualClock::default());
    let identity = builder()
        .with_clock(clock)
        .with_token_version(TokenVersion::V2)
        .with_token_lifetime(Duration::from_mins(1))
        .start()
        .await
        .unwrap();
    let answer = as_itself(&identity).await;
    let good = claims(&answer.member("access_token"));
    assert_eq!(answer.json()["expires_in"], 60);
    assert_eq!(
        (good["exp"].as_i64(), &good["azp"]),
        (Some(1_767_225_660), &CLIENT.into())
    );
    assert_eq!(good["iss"], identity.issuer());
    for (flaw, claim) in [
        (TokenFlaw::WrongAudience, "aud"),
        (TokenFlaw::WrongTenant, "tid"),
        (TokenFlaw::WithoutTenant, "tid"),
        (TokenFlaw::WrongIssuer, "iss"),
        (TokenFlaw::Expired, "exp"),
        (TokenFlaw::WithoutPermissions, "roles"),
    ] {
        identity.set_flaw(Some(flaw));
        let mut bad = claims(&as_itself(&identity).await.member("access_token"));
        assert_ne!(bad[claim], good[claim], "{flaw:?}");
        bad[claim] = good[claim].clone();
        bad["uti"] = good["uti"].clone();
        assert_eq!(bad, good, "{flaw:?}: only {claim} may differ");
    }
    identity.set_flaw(Some(TokenFlaw::Opaque));
    let opaque = as_itself(&identity).await.member("access_token");
    assert!(!opaque.is_empty() && !opaque.contains('.'));
}

#[tokio::test]
async fn a_permission_that_was_not_granted_is_missing_in_the_token() {
    let identity = builder().start().await.unwrap();
    identity.register(
        Application::new(CLIENT)
            .with_secret(SECRET)
            .with_redirect_url(REDIRECT),
    );
    let app = claims(&as_itself(&identity).await.member("access_token"));
    assert!(app.get("roles").is_none(), "{app}");
    let code = code(&identity).await;
    let user = redeem(&identity, &code, VERIFIER).await;
    assert_eq!(claims(&user.member("access_token"))["scp"], "");
}

#[tokio::test]
async fn ad_fs_names_the_resource_in_a_parameter_and_has_an_issuer_of_its_own() {
    let resource = "https://mail.contoso.example/";
    let identity = builder().with_resources([resource]).start().await.unwrap();
    let base = format!("{}/adfs", identity.url());
    let parameters = [
        ("client_id", CLIENT),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid"),
        ("resource", resource),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let url = reqwest::Url::parse_with_params(&format!("{base}/oauth2/authorize/"), parameters);
    let answer = Answer::of(http().build().unwrap().get(url.unwrap())).await;
    let (_, back) = answer.way_back();
    assert_eq!(back["iss"], base);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("redirect_uri", REDIRECT),
        ("code", &back["code"]),
        ("code_verifier", VERIFIER),
    ];
    let answer = post_to(&format!("{base}/oauth2/token/"), &form).await;
    let access = claims(&answer.member("access_token"));
    assert_eq!(
        (&access["aud"], &access["iss"]),
        (&resource.into(), &base.clone().into())
    );
    assert_eq!(access["scp"], "EWS.AccessAsUser.All");
    assert_eq!(claims(&answer.member("id_token"))["iss"], base);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("resource", resource),
    ];
    let answer = post_to(&format!("{base}/oauth2/token/"), &form).await;
    assert_eq!(claims(&answer.member("access_token"))["aud"], resource);
}
