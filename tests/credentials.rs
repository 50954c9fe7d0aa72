//! Which credential counts: a row of the original's precedence, one test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/canary.rs"]
mod canary;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use canary::Canary;
use email_logging::credential::{
    AccessToken, ClientCertificate, ClosureCredentials, CredentialOrigin, CredentialProvider,
    CredentialResolver, CredentialValue, EnvironmentCredentials, FileCredentials,
    StaticCredentials, StoredRefreshToken, UserPassword, check_redirect_url,
    suggested_redirect_url,
};
use email_logging::error::{Error, codes};
use email_logging::testkit::conformance::credential::{CredentialBackend, run};
use email_logging::{ErrorKind, Result, Scope};
use secrecy::{ExposeSecret, SecretString};

fn scope() -> Scope {
    Scope::default()
}

fn values(id: &str, secret: &str, redirect: &str) -> Arc<dyn CredentialProvider> {
    Arc::new(
        StaticCredentials::new()
            .with_client_id(id)
            .with_client_secret(secret)
            .with_redirect_url(redirect),
    )
}

fn stored() -> CredentialResolver {
    CredentialResolver::new().with_stored(values(
        "stored id",
        "stored secret",
        "https://stored.example/",
    ))
}

/// A provider that must not be asked, or that cannot answer.
#[derive(Debug, Default)]
struct Failing {
    asked: AtomicU32,
}

impl Failing {
    fn fail<T>(&self) -> Result<Option<T>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(&codes::CREDENTIAL_PROVIDER, "vault"))
    }
}

#[async_trait]
impl CredentialProvider for Failing {
    async fn client_id(&self, _: &Scope) -> Result<Option<String>> {
        self.fail()
    }
    async fn client_secret(&self, _: &Scope) -> Result<Option<SecretString>> {
        self.fail()
    }
    async fn redirect_url(&self, _: &Scope) -> Result<Option<String>> {
        self.fail()
    }
    async fn certificate(&self, _: &Scope) -> Result<Option<ClientCertificate>> {
        self.fail()
    }
    async fn password(&self, _: &Scope) -> Result<Option<UserPassword>> {
        self.fail()
    }
    async fn access_token(&self, _: &Scope, _: &str) -> Result<Option<AccessToken>> {
        self.fail()
    }
}

/// Id and secret with the origin of each, as one line.
async fn client(resolver: &CredentialResolver) -> String {
    let found = resolver.resolve_client(&scope()).await;
    match found {
        Ok(found) => format!(
            "{} ({:?}), {} ({:?})",
            found.client_id,
            found.client_id_origin,
            found.client_secret.expose_secret(),
            found.client_secret_origin
        ),
        Err(error) => error.to_string(),
    }
}

async fn redirect(resolver: &CredentialResolver) -> Option<(String, CredentialOrigin)> {
    let found = resolver.resolve_redirect_url(&scope()).await.unwrap();
    found.map(|found| (found.url, found.origin))
}

#[tokio::test]
async fn an_explicit_pair_counts_and_nobody_else_is_asked() {
    let vault = Arc::new(Failing::default());
    let asked: Arc<dyn CredentialProvider> = Arc::<Failing>::clone(&vault);
    let resolver = stored()
        .with_provider(asked)
        .with_explicit_client("given id", "given secret");
    assert_eq!(
        client(&resolver).await,
        "given id (Explicit), given secret (Explicit)"
    );
    assert!(resolver.certificate(&scope()).await.unwrap().is_none());
    assert_eq!(vault.asked.load(Ordering::Relaxed), 0);
}

/// A level of the precedence: what it supplies of secret and certificate.
#[derive(Debug)]
struct Level(&'static str, &'static str);

#[async_trait]
impl CredentialProvider for Level {
    async fn client_secret(&self, _: &Scope) -> Result<Option<SecretString>> {
        Ok(Some(self.0.into()))
    }
    async fn certificate(&self, _: &Scope) -> Result<Option<ClientCertificate>> {
        Ok(Some(ClientCertificate::new(self.1, "key"))
            .filter(|found| !found.certificates.is_empty()))
    }
}

#[tokio::test]
async fn a_secret_is_not_passed_over_for_the_certificate_of_a_later_level() {
    let provider = Some(CredentialOrigin::Provider);
    let stored = Some(CredentialOrigin::StoredSetup);
    for (first, second, setup, expected) in [
        (Level("", ""), Level("", ""), Level("", ""), (None, None)),
        (
            Level("", ""),
            Level("", ""),
            Level("s", "c"),
            (Some("c"), stored),
        ),
        (Level("s", ""), Level("", ""), Level("s", "c"), (None, None)),
        (Level("", ""), Level("s", ""), Level("s", "c"), (None, None)),
        (
            Level("s", ""),
            Level("", "b"),
            Level("s", "c"),
            (None, None),
        ),
        (
            Level("s", "a"),
            Level("", "b"),
            Level("s", "c"),
            (Some("a"), provider),
        ),
        (
            Level("", "a"),
            Level("s", "b"),
            Level("s", "c"),
            (Some("a"), provider),
        ),
        (
            Level("", ""),
            Level("s", "b"),
            Level("s", "c"),
            (Some("b"), provider),
        ),
    ] {
        let shown = format!("{first:?} {second:?} {setup:?}");
        let resolver = CredentialResolver::new()
            .with_provider(Arc::new(first))
            .with_provider(Arc::new(second))
            .with_stored(Arc::new(setup));
        let found = resolver.certificate(&scope()).await.unwrap();
        let found = found.map(|found| found.certificates);
        let origin = resolver
            .origin_of(&scope(), CredentialValue::Certificate)
            .await;
        assert_eq!((found.as_deref(), origin.unwrap()), expected, "{shown}");
    }
}

#[tokio::test]
async fn an_explicit_id_without_a_secret_does_not_count() {
    let resolver = stored().with_explicit_client("given id", "");
    assert_eq!(
        client(&resolver).await,
        "stored id (StoredSetup), stored secret (StoredSetup)"
    );
}

#[tokio::test]
async fn an_explicit_secret_without_an_id_does_not_count() {
    let resolver = stored()
        .with_provider(values("vault id", "", ""))
        .with_explicit_client("", "given secret");
    assert_eq!(
        client(&resolver).await,
        "vault id (Provider), stored secret (StoredSetup)"
    );
}

#[tokio::test]
async fn a_provider_beats_what_is_stored() {
    let resolver = stored().with_provider(values("vault id", "vault secret", ""));
    assert_eq!(
        client(&resolver).await,
        "vault id (Provider), vault secret (Provider)"
    );
}

#[tokio::test]
async fn the_first_provider_that_handles_a_question_answers_it() {
    let resolver = stored()
        .with_provider(values("", "", ""))
        .with_provider(values("first id", "", ""))
        .with_provider(values("second id", "second secret", ""));
    assert_eq!(
        client(&resolver).await,
        "first id (Provider), second secret (Provider)"
    );
}

#[tokio::test]
async fn an_empty_answer_is_not_handled_and_the_setup_counts() {
    let resolver = stored().with_provider(values("", "", ""));
    assert_eq!(
        client(&resolver).await,
        "stored id (StoredSetup), stored secret (StoredSetup)"
    );
}

#[tokio::test]
async fn the_id_of_a_provider_goes_with_the_secret_of_the_setup() {
    let resolver = stored().with_provider(values("vault id", "", ""));
    assert_eq!(
        client(&resolver).await,
        "vault id (Provider), stored secret (StoredSetup)"
    );
}

#[tokio::test]
async fn the_secret_of_a_provider_goes_with_the_id_of_the_setup() {
    let resolver = stored().with_provider(values("", "vault secret", ""));
    assert_eq!(
        client(&resolver).await,
        "stored id (StoredSetup), vault secret (Provider)"
    );
}

#[tokio::test]
async fn with_blank_fields_a_provider_of_both_is_enough() {
    let resolver = CredentialResolver::new()
        .with_provider(values("vault id", "vault secret", ""))
        .with_stored(values("", "", ""));
    assert_eq!(
        client(&resolver).await,
        "vault id (Provider), vault secret (Provider)"
    );
    for value in [CredentialValue::ClientId, CredentialValue::ClientSecret] {
        let origin = resolver.origin_of(&scope(), value).await.unwrap();
        assert_eq!(origin, Some(CredentialOrigin::Provider));
    }
    let redirect = CredentialValue::RedirectUrl;
    let origin = resolver.origin_of(&scope(), redirect).await.unwrap();
    assert_eq!(origin, None);
}

#[tokio::test]
async fn what_nobody_has_is_missing_and_named() {
    for (id, secret, missing) in [
        ("", "", "client id and client secret"),
        ("", "s", "client id"),
        ("i", "", "client secret"),
    ] {
        for resolver in [
            CredentialResolver::new().with_provider(values(id, secret, "")),
            CredentialResolver::new().with_stored(values(id, secret, "")),
        ] {
            let error = resolver.resolve_client(&scope()).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (ErrorKind::Config, "credential.missing")
            );
            assert_eq!(
                error.to_string(),
                format!(
                    "CredentialResolver: no provider and no setting supplied the credentials \
                     ({missing}) [credential.missing]"
                )
            );
            assert!(error.remedy().contains("Add a credential provider"));
        }
    }
    let nothing = CredentialResolver::new();
    assert!(nothing.client_id(&scope()).await.unwrap().is_none());
    assert!(nothing.client_secret(&scope()).await.unwrap().is_none());
}

#[tokio::test]
async fn the_error_of_a_provider_is_an_error_though_the_setup_has_an_answer() {
    let vault: Arc<dyn CredentialProvider> = Arc::new(Failing::default());
    let resolver = stored()
        .with_provider(Arc::clone(&vault))
        .with_provider(values(
            "second id",
            "second secret",
            "https://second.example/",
        ));
    let scope = scope();
    let failures = [
        resolver.resolve_client(&scope).await.map(drop),
        resolver.resolve_redirect_url(&scope).await.map(drop),
        resolver.client_id(&scope).await.map(drop),
        resolver.client_secret(&scope).await.map(drop),
        resolver.redirect_url(&scope).await.map(drop),
        resolver.certificate(&scope).await.map(drop),
        resolver.password(&scope).await.map(drop),
        resolver.access_token(&scope, "r").await.map(drop),
        resolver
            .origin_of(&scope, CredentialValue::ClientId)
            .await
            .map(drop),
    ];
    for failure in failures {
        let error = failure.unwrap_err();
        assert_eq!(error.code(), "credential.provider");
        assert_eq!(
            error.remedy(),
            "Look at the cause; the provider belongs to the host."
        );
    }
    let resolver = CredentialResolver::new()
        .with_provider(values("id", "secret", ""))
        .with_stored(vault);
    assert_eq!(client(&resolver).await, "id (Provider), secret (Provider)");
    let redirect = resolver.resolve_redirect_url(&scope).await.unwrap_err();
    assert_eq!(redirect.code(), "credential.provider");
}

#[tokio::test]
async fn an_explicit_redirect_url_counts_first() {
    let resolver = stored()
        .with_provider(values("", "", "https://vault.example/"))
        .with_base_url("https://erp.example/")
        .unwrap()
        .with_explicit_redirect_url("https://given.example/");
    let expected = ("https://given.example/".into(), CredentialOrigin::Explicit);
    assert_eq!(redirect(&resolver).await, Some(expected));
}

#[tokio::test]
async fn the_redirect_url_of_a_provider_counts_before_the_setups() {
    let resolver = stored()
        .with_explicit_redirect_url("")
        .with_provider(values("", "", "https://vault.example/"));
    let expected = ("https://vault.example/".into(), CredentialOrigin::Provider);
    assert_eq!(redirect(&resolver).await, Some(expected));
}

#[tokio::test]
async fn the_redirect_url_of_the_setup_is_kept_where_it_overrides_the_default() {
    let resolver = stored()
        .with_provider(values("id", "secret", ""))
        .with_base_url("https://erp.example/")
        .unwrap();
    let expected = (
        "https://stored.example/".into(),
        CredentialOrigin::StoredSetup,
    );
    assert_eq!(redirect(&resolver).await, Some(expected));
}

#[tokio::test]
async fn without_a_redirect_url_it_is_the_default_of_the_base_url() {
    let resolver = CredentialResolver::new().with_stored(values("", "", ""));
    assert_eq!(redirect(&resolver).await, None);
    let resolver = resolver.with_base_url("https://erp.example/BC").unwrap();
    let expected = (
        "https://erp.example/BC/OAuthLanding.htm".into(),
        CredentialOrigin::Default,
    );
    assert_eq!(redirect(&resolver).await, Some(expected));
}

#[tokio::test]
async fn a_redirect_url_is_checked_whoever_names_it() {
    let bad = "http://erp.example/";
    for resolver in [
        CredentialResolver::new().with_explicit_redirect_url(bad),
        CredentialResolver::new().with_provider(values("", "", bad)),
        CredentialResolver::new().with_stored(values("", "", bad)),
    ] {
        let error = resolver.resolve_redirect_url(&scope()).await.unwrap_err();
        assert_eq!(error.code(), "config.insecure");
        let error = resolver.redirect_url(&scope()).await.unwrap_err();
        assert_eq!(error.code(), "config.insecure");
    }
}

#[tokio::test]
async fn nothing_is_kept_so_that_a_rotated_secret_counts_at_once() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let vault = ClosureCredentials::new()
        .with_client_id(|scope| async move { Ok(Some(scope.tenant().to_owned())) })
        .with_client_secret(move |_| {
            let time = counted.fetch_add(1, Ordering::Relaxed);
            async move { Ok(Some(format!("secret {time}").into())) }
        });
    let resolver = stored().with_provider(Arc::new(vault));
    for time in 0..3 {
        let expected = format!("default (Provider), secret {time} (Provider)");
        assert_eq!(client(&resolver).await, expected);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn certificate_password_and_token_follow_the_same_order() {
    let provider = StaticCredentials::new()
        .with_certificate(ClientCertificate::new("chain", "key"))
        .with_password("vault user", "vault password");
    let setup = StaticCredentials::new()
        .with_password("stored user", "stored password")
        .with_access_token(AccessToken::new("stored token", None));
    let resolver = CredentialResolver::new()
        .with_provider(Arc::new(provider))
        .with_stored(Arc::new(setup));
    let account = resolver.password(&scope()).await.unwrap().unwrap();
    assert_eq!(account.user_name, "vault user");
    let token = resolver.access_token(&scope(), "r").await.unwrap().unwrap();
    assert_eq!(token.token.expose_secret(), "stored token");
    for (value, origin) in [
        (
            CredentialValue::Certificate,
            Some(CredentialOrigin::Provider),
        ),
        (CredentialValue::Password, Some(CredentialOrigin::Provider)),
        (CredentialValue::ClientSecret, None),
    ] {
        assert_eq!(resolver.origin_of(&scope(), value).await.unwrap(), origin);
    }
}

#[test]
fn the_suggested_redirect_url_is_the_landing_page_below_the_base_url() {
    for (base, suggested) in [
        (
            "https://erp.example",
            "https://erp.example/OAuthLanding.htm",
        ),
        (
            " https://erp.example/ ",
            "https://erp.example/OAuthLanding.htm",
        ),
        (
            "https://erp.example:8443/BC",
            "https://erp.example:8443/BC/OAuthLanding.htm",
        ),
        (
            "https://erp.example/BC/web//",
            "https://erp.example/BC/web/OAuthLanding.htm",
        ),
        (
            "http://127.0.0.1:8080/BC",
            "http://127.0.0.1:8080/BC/OAuthLanding.htm",
        ),
        ("http://[::1]:8080", "http://[::1]:8080/OAuthLanding.htm"),
    ] {
        assert_eq!(suggested_redirect_url(base).unwrap(), suggested);
    }
    for (base, code) in [
        ("", "config.invalid"),
        ("erp.example", "config.invalid"),
        ("https://erp.example/?tenant=a", "config.invalid"),
        ("https://erp.example/#a", "config.invalid"),
        ("http://erp.example/", "config.insecure"),
    ] {
        let error = suggested_redirect_url(base).unwrap_err();
        assert_eq!(error.code(), code, "{base}");
        let resolver = CredentialResolver::new().with_base_url(base);
        assert_eq!(resolver.unwrap_err().code(), code, "{base}");
    }
    let long = format!("https://erp.example/{}", "a".repeat(2_020));
    assert_eq!(
        suggested_redirect_url(&long).unwrap_err().code(),
        "config.invalid"
    );
}

#[test]
fn a_redirect_url_is_https_or_an_exact_loopback_address() {
    let long = format!("https://erp.example/{}", "a".repeat(2_029));
    for (url, code) in [
        ("http://erp.example/", "config.insecure"),
        ("http://localhost.evil.example/", "config.insecure"),
        ("https://erp.example/?tenant=a", "config.invalid"),
        ("http://127.0.0.2/", "config.insecure"),
        ("http://127.0.0.1.evil.example/", "config.insecure"),
        ("http://127.1/", "config.insecure"),
        ("http://2130706433/", "config.insecure"),
        ("http://[::ffff:127.0.0.1]/", "config.insecure"),
        ("http://[0:0:0:0:0:0:0:1]/", "config.insecure"),
        ("https://user@erp.example/", "config.invalid"),
        ("https://user:word@erp.example/", "config.invalid"),
        ("http://127.0.0.1@evil.example/", "config.invalid"),
        ("https://erp.example/#fragment", "config.invalid"),
        ("https://erp.example/#", "config.invalid"),
        ("https://erp.example\\@evil.example/", "config.invalid"),
        ("https://erp.example/a b", "config.invalid"),
        ("https://erp.example/\r\nX: y", "config.invalid"),
        ("https://erp.exämple/", "config.invalid"),
        ("https:///path", "config.invalid"),
        ("https://", "config.invalid"),
        ("https://.example/", "config.invalid"),
        ("https://erp..example/", "config.invalid"),
        ("https://erp.example:0/", "config.invalid"),
        ("https://erp.example:65536/", "config.invalid"),
        ("https://erp.example:+80/", "config.invalid"),
        ("https://erp.example:/", "config.invalid"),
        ("https://[::1/", "config.invalid"),
        ("https://[::1]x/", "config.invalid"),
        ("https://[1.2.3.4]/", "config.invalid"),
        ("javascript://erp.example/", "config.invalid"),
        ("ftp://erp.example/", "config.invalid"),
        ("//erp.example/", "config.invalid"),
        ("urn:ietf:wg:oauth:2.0:oob", "config.invalid"),
        ("", "config.invalid"),
        (&long, "config.invalid"),
    ] {
        let error = check_redirect_url(url).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Config, code),
            "{url}"
        );
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("evil") && !shown.contains("word"),
            "{shown}"
        );
    }
    for url in [
        "https://erp.example",
        "http://localhost:8080/OAuthLanding.htm",
        "HTTPS://ERP.example:8443/OAuthLanding.htm",
        "https://[2001:db8::1]:443/",
        "https://xn--erp-xmple-4za.example/",
        "http://127.0.0.1:51234/callback",
        "http://[::1]/",
        long.strip_suffix('a').unwrap(),
    ] {
        check_redirect_url(url).unwrap();
    }
}

#[tokio::test]
async fn closures_and_the_resolver_keep_the_contract_of_providers() {
    fn mine<T>(scope: &Scope, answer: T) -> Option<T> {
        (*scope == Scope::default()).then_some(answer)
    }
    let closures = || {
        ClosureCredentials::new()
            .with_client_id(|of| async move { Ok(mine(&of, "an id".to_owned())) })
            .with_client_secret(|of| async move { Ok(mine(&of, "s3cret".into())) })
            .with_redirect_url(|of| async move { Ok(mine(&of, "https://a.example/".to_owned())) })
            .with_certificate(
                |of| async move { Ok(mine(&of, ClientCertificate::new("chain", "k3y"))) },
            )
            .with_password(|of| async move { Ok(mine(&of, UserPassword::new("user", "p4ss"))) })
            .with_access_token(|of, resource| async move {
                assert!(resource.starts_with("https://"));
                Ok(mine(&of, AccessToken::new("t0ken", None)))
            })
    };
    let expecting = |provider: Arc<dyn CredentialProvider>| {
        CredentialBackend::new(provider)
            .with_other_scope(Scope::new("other", "default").unwrap())
            .with_client_id("an id")
            .with_client_secret("s3cret")
            .with_redirect_url("https://a.example/")
            .with_certificate("chain", "k3y")
            .with_password("user", "p4ss")
            .with_access_token("t0ken")
    };
    let failing = || {
        CredentialResolver::new()
            .with_provider(Arc::new(Failing::default()))
            .with_stored(Arc::new(closures()))
    };
    for provider in [
        Arc::new(closures()) as Arc<dyn CredentialProvider>,
        Arc::new(CredentialResolver::new().with_provider(Arc::new(closures()))),
        Arc::new(CredentialResolver::new().with_stored(Arc::new(closures()))),
    ] {
        let make = || async { expecting(Arc::clone(&provider)).with_failing(failing()) };
        let report = run(make).await;
        report.assert_passed();
        assert_eq!(report.skipped(), 0, "{report}");
    }
    run(|| async { CredentialBackend::new(ClosureCredentials::new()) })
        .await
        .assert_passed();
}

#[tokio::test]
async fn no_value_that_holds_a_secret_shows_it() {
    let secret = "c4n4ry-secret/of=the test";
    let canary = Canary::new(secret);
    let certificate = ClientCertificate::new("chain", secret);
    let given = StaticCredentials::new()
        .with_client_secret(secret)
        .with_certificate(certificate.clone())
        .with_password("user", secret)
        .with_access_token(AccessToken::new(secret, None));
    let resolver = CredentialResolver::new()
        .with_explicit_client("id", secret)
        .with_provider(Arc::new(given.clone()))
        .with_stored(Arc::new(given.clone()));
    canary.assert_debug(&given);
    canary.assert_debug(&certificate);
    canary.assert_debug(&UserPassword::new("user", secret));
    canary.assert_debug(&AccessToken::new(secret, None));
    canary.assert_debug(&StoredRefreshToken::new(secret, 1));
    canary.assert_debug(&resolver.resolve_client(&scope()).await.unwrap());
    canary.assert_debug(&resolver);
    canary.assert_debug(&EnvironmentCredentials::new().with_password("USER", "PASSWORD"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, secret).unwrap();
    let file = FileCredentials::new().with_client_secret(&path);
    canary.assert_debug(&file);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = file.client_secret(&scope()).await.unwrap_err();
        assert_eq!(error.code(), "credential.file_mode");
        canary.assert_error(&error);
    }
}
