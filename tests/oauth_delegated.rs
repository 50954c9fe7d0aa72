//! Signing in with a refresh token: rotation, other workers, lost answers, stores that fail.

#![cfg(feature = "oauth2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "oauth/support.rs"]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::credential::{
    DelegatedSignIn, IdentityService, MemoryRefreshTokens, RefreshTokenStore, StoredRefreshToken,
};
use email_logging::error::codes;
use email_logging::{Error, ErrorKind, Result, Scope};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use support::*;
use wiremock::ResponseTemplate;

/// A store that can be told what goes wrong with the next save.
#[derive(Debug)]
struct Faulty {
    inner: MemoryRefreshTokens,
    next: Mutex<Option<Fault>>,
    saves: AtomicUsize,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Nothing is saved.
    Fails,
    /// It is saved, and the answer is an error.
    AnswerLost,
    /// Another worker stores a token of its own first.
    Overtaken,
}

impl Faulty {
    fn new(fault: Option<Fault>) -> Arc<Self> {
        let inner = MemoryRefreshTokens::new().with_refresh_token(Scope::default(), "refresh-0");
        Arc::new(Self {
            inner,
            next: Mutex::new(fault),
            saves: AtomicUsize::new(0),
        })
    }

    async fn stored(&self) -> (String, u64) {
        let stored = self.inner.load_refresh_token(&Scope::default()).await;
        let stored = stored.unwrap().unwrap();
        (stored.token.expose_secret().to_owned(), stored.version)
    }
}

#[async_trait]
impl RefreshTokenStore for Faulty {
    async fn load_refresh_token(&self, scope: &Scope) -> Result<Option<StoredRefreshToken>> {
        self.inner.load_refresh_token(scope).await
    }

    async fn save_refresh_token(
        &self,
        scope: &Scope,
        token: &SecretString,
        expected_version: u64,
    ) -> Result<u64> {
        self.saves.fetch_add(1, Ordering::SeqCst);
        let down = || Error::new(&codes::STORE_UNAVAILABLE, "save_refresh_token");
        let fault = self.next.lock().unwrap().take();
        let save = |token: SecretString| async move {
            self.inner
                .save_refresh_token(scope, &token, expected_version)
                .await
        };
        match fault {
            Some(Fault::Fails) => return Err(down()),
            Some(Fault::AnswerLost) => {
                save(token.clone()).await?;
                return Err(down());
            }
            Some(Fault::Overtaken) => {
                save("refresh-other".into()).await?;
            }
            None => {}
        }
        save(token.clone()).await
    }
}

fn sign_in(identity: &Identity, store: Arc<dyn RefreshTokenStore>) -> DelegatedSignIn {
    DelegatedSignIn::at(identity.service("organizations"), account(), store)
        .with_clock(Arc::new(HandClock::default()))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap()
}

fn rotated(number: u8) -> ResponseTemplate {
    let new = json!({ "refresh_token": format!("refresh-{number}") });
    token_with(&format!("access-{number}"), new)
}

async fn presented(identity: &Identity) -> Vec<String> {
    let asked = identity.asked().await;
    asked
        .into_iter()
        .map(|form| form["refresh_token"].clone())
        .collect()
}

#[tokio::test]
async fn each_new_refresh_token_is_stored_and_the_next_refresh_uses_it() {
    let identity = Identity::start().await;
    identity
        .tokens
        .then(rotated(1))
        .then(rotated(2))
        .then(token("access-3"));
    let store = Faulty::new(None);
    let sign_in = sign_in(&identity, Arc::<Faulty>::clone(&store));
    for _ in 0..4 {
        sign_in.sign_in().await.unwrap();
    }
    assert_eq!(
        presented(&identity).await,
        ["refresh-0", "refresh-1", "refresh-2", "refresh-2"]
    );
    assert_eq!(store.stored().await, ("refresh-2".into(), 3));
    assert_eq!(store.saves.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_of_another_worker_is_used_instead_of_the_own_one() {
    let identity = Identity::start().await;
    identity.tokens.then(rotated(1)).then(rotated(2));
    let store = Faulty::new(Some(Fault::Overtaken));
    sign_in(&identity, Arc::<Faulty>::clone(&store))
        .sign_in()
        .await
        .unwrap();
    assert_eq!(presented(&identity).await, ["refresh-0", "refresh-other"]);
    assert_eq!(store.stored().await, ("refresh-2".into(), 3));
}

#[tokio::test]
async fn an_access_token_is_not_used_before_the_refresh_token_is_stored_and_none_is_lost() {
    for (fault, stored) in [(Fault::Fails, 3), (Fault::AnswerLost, 3)] {
        let identity = Identity::start().await;
        identity.tokens.then(rotated(1)).then(rotated(2));
        let store = Faulty::new(Some(fault));
        let sign_in = sign_in(&identity, Arc::<Faulty>::clone(&store));
        let error = sign_in.sign_in().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
        sign_in.sign_in().await.unwrap();
        assert_eq!(
            presented(&identity).await,
            ["refresh-0", "refresh-1"],
            "{fault:?}"
        );
        assert_eq!(
            store.stored().await,
            ("refresh-2".into(), stored),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_token_that_is_refused_here_leaves_its_refresh_token_stored() {
    let lacking = jwt(&json!({ "scp": "openid", "tid": TENANT }));
    let foreign = jwt(&json!({ "scp": "EWS.AccessAsUser.All", "tid": OTHER_TENANT }));
    for (access, code) in [
        (lacking, "oauth.permission_missing"),
        (foreign, "oauth.tenant_mismatch"),
    ] {
        let identity = Identity::start().await;
        let rotated = token_with(&access, json!({ "refresh_token": "refresh-1" }));
        identity.tokens.then(rotated);
        let store = Faulty::new(None);
        let sign_in = DelegatedSignIn::at(
            identity.service(TENANT),
            account(),
            Arc::<Faulty>::clone(&store),
        )
        .with_required_permission("EWS.AccessAsUser.All")
        .with_clock(Arc::new(HandClock::default()))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
        assert_eq!(sign_in.sign_in().await.unwrap_err().code(), code);
        assert_eq!(store.stored().await, ("refresh-1".into(), 2), "{code}");
    }
}

#[tokio::test]
async fn two_workers_on_one_store_lose_no_token() {
    let identity = Identity::start().await;
    for number in 1..=8 {
        identity
            .tokens
            .then(rotated(number).set_delay(Duration::from_millis(20)));
    }
    let store = Faulty::new(None);
    let one = sign_in(&identity, Arc::<Faulty>::clone(&store));
    let two = sign_in(&identity, Arc::<Faulty>::clone(&store));
    let (first, second) = tokio::join!(one.sign_in(), two.sign_in());
    first.and(second).unwrap();
    let (_, version) = store.stored().await;
    let shown = presented(&identity).await;
    assert_eq!(
        (&shown[..2], shown.len()),
        (&["refresh-0".into(), "refresh-0".into()][..], 3)
    );
    assert_eq!(version, 3);
}

/// Rotates with every refresh, and revokes the whole grant when a token comes a second time (RFC 9700, 4.14.2).
struct Rotating(Mutex<(usize, bool)>);

impl wiremock::Respond for Rotating {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let shown = form(request)["refresh_token"].clone();
        if state.1 || shown != format!("refresh-{}", state.0) {
            state.1 = true;
            return refused("invalid_grant", "AADSTS54005:");
        }
        state.0 += 1;
        let new = json!({ "refresh_token": format!("refresh-{}", state.0) });
        token_with("access", new)
    }
}

/// Takes its time to save, and holds tokens.
#[derive(Debug)]
struct Slow(MemoryRefreshTokens);

#[async_trait]
impl RefreshTokenStore for Slow {
    async fn load_refresh_token(&self, scope: &Scope) -> Result<Option<StoredRefreshToken>> {
        self.0.load_refresh_token(scope).await
    }

    async fn save_refresh_token(
        &self,
        scope: &Scope,
        token: &SecretString,
        version: u64,
    ) -> Result<u64> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.0.save_refresh_token(scope, token, version).await
    }

    async fn hold_refresh_token(
        &self,
        scope: &Scope,
        version: u64,
        until: jiff::Timestamp,
    ) -> Result<u64> {
        self.0.hold_refresh_token(scope, version, until).await
    }
}

#[tokio::test]
async fn of_two_workers_one_refreshes_and_the_other_goes_on_with_what_it_stored() {
    let server = wiremock::MockServer::start().await;
    wiremock::Mock::given(wiremock::matchers::method("POST"))
        .respond_with(Rotating(Mutex::default()))
        .mount(&server)
        .await;
    let tokens = MemoryRefreshTokens::new().with_refresh_token(Scope::default(), "refresh-0");
    let store = Arc::new(Slow(tokens));
    let worker = || {
        let service = IdentityService::custom(server.uri(), format!("{}/token", server.uri()));
        DelegatedSignIn::at(service, account(), Arc::<Slow>::clone(&store))
            .dangerously_allow_plain_http_on_loopback()
            .build()
            .unwrap()
    };
    let (one, two) = (worker(), worker());
    let (first, second) = tokio::join!(one.sign_in(), two.sign_in());
    first.and(second).unwrap();
    let stored = store.load_refresh_token(&Scope::default()).await;
    let stored = stored.unwrap().unwrap();
    assert_eq!(stored.token.expose_secret(), "refresh-2");
    assert_eq!(stored.held_until, None);
}

#[tokio::test]
async fn a_mark_that_nobody_takes_away_is_waited_for_and_no_longer() {
    let identity = Identity::start().await;
    identity.tokens.then(rotated(1));
    let scope = Scope::default();
    let store = Arc::new(MemoryRefreshTokens::new().with_refresh_token(scope.clone(), "refresh-0"));
    store
        .hold_refresh_token(&scope, 1, jiff::Timestamp::MAX)
        .await
        .unwrap();
    let sign_in = sign_in(&identity, Arc::<MemoryRefreshTokens>::clone(&store));
    sign_in.sign_in().await.unwrap();
    let stored = store.load_refresh_token(&scope).await.unwrap().unwrap();
    assert_eq!(stored.token.expose_secret(), "refresh-1");
}

#[tokio::test]
async fn a_refresh_that_fails_or_brings_no_new_token_leaves_none_held() {
    for (answer, code) in [
        (token("access"), None),
        (ResponseTemplate::new(400), Some("oauth.token_invalid")),
        (refused("invalid_grant", ""), Some("oauth.reauth")),
    ] {
        let identity = Identity::start().await;
        identity.tokens.then(answer);
        let scope = Scope::default();
        let store = MemoryRefreshTokens::new().with_refresh_token(scope.clone(), "refresh-0");
        let store = Arc::new(store);
        let sign_in = sign_in(&identity, Arc::<MemoryRefreshTokens>::clone(&store));
        let outcome = sign_in.sign_in().await;
        assert_eq!(outcome.err().map(|error| error.code()), code);
        let stored = store.load_refresh_token(&scope).await.unwrap().unwrap();
        let found = (stored.token.expose_secret(), stored.held_until);
        assert_eq!(found, ("refresh-0", None));
    }
}

#[tokio::test]
async fn a_refusal_while_another_worker_rotated_is_tried_with_the_newer_token() {
    #[derive(Debug)]
    struct Late(MemoryRefreshTokens, AtomicUsize);
    #[async_trait]
    impl RefreshTokenStore for Late {
        async fn load_refresh_token(&self, scope: &Scope) -> Result<Option<StoredRefreshToken>> {
            if self.1.fetch_add(1, Ordering::SeqCst) == 1 {
                self.0
                    .save_refresh_token(scope, &"refresh-other".into(), 1)
                    .await?;
            }
            self.0.load_refresh_token(scope).await
        }

        async fn save_refresh_token(
            &self,
            scope: &Scope,
            token: &SecretString,
            version: u64,
        ) -> Result<u64> {
            self.0.save_refresh_token(scope, token, version).await
        }
    }
    let identity = Identity::start().await;
    identity
        .tokens
        .then(refused("invalid_grant", ""))
        .then(token("access-1"));
    let tokens = MemoryRefreshTokens::new().with_refresh_token(Scope::default(), "refresh-0");
    let store = Arc::new(Late(tokens, AtomicUsize::new(0)));
    sign_in(&identity, store).sign_in().await.unwrap();
    assert_eq!(presented(&identity).await, ["refresh-0", "refresh-other"]);
}

/// Takes connections, reads a request each and closes without an answer; the last one is answered with this.
async fn losing(lost: usize, answer: &'static str) -> (String, Arc<AtomicUsize>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = Vec::new();
            while !String::from_utf8_lossy(&text).contains("refresh_token=") {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).await.unwrap();
                if read == 0 {
                    break;
                }
                text.extend_from_slice(&piece[..read]);
            }
            if count.fetch_add(1, Ordering::SeqCst) >= lost {
                let head = format!(
                    "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n\
                     connection: close\r\ncontent-length: {}\r\n\r\n{answer}",
                    answer.len()
                );
                stream.write_all(head.as_bytes()).await.unwrap();
            }
        }
    });
    (address, seen)
}

#[tokio::test]
async fn after_a_lost_answer_the_old_token_is_tried_once_and_then_at_each_sign_in() {
    let (address, seen) = losing(1, "{\"error\":\"invalid_grant\"}").await;
    let service = IdentityService::custom(address.clone(), format!("{address}/token"));
    let store = Faulty::new(None);
    let sign_in = DelegatedSignIn::at(service, account(), Arc::<Faulty>::clone(&store) as _)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    for _ in 0..3 {
        let error = sign_in.sign_in().await.unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("oauth.reauth", ErrorKind::ReauthRequired)
        );
    }
    assert_eq!(seen.load(Ordering::SeqCst), 4);
    assert_eq!(store.stored().await, ("refresh-0".into(), 1));
}

#[tokio::test]
async fn two_lost_answers_are_a_transient_failure_and_the_next_call_tries_again() {
    let (address, seen) = losing(2, "{\"error\":\"invalid_grant\"}").await;
    let service = IdentityService::custom(address.clone(), format!("{address}/token"));
    let sign_in = DelegatedSignIn::at(service, account(), Faulty::new(None))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let error = sign_in.sign_in().await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("http.closed", true));
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    assert_eq!(sign_in.sign_in().await.unwrap_err().code(), "oauth.reauth");
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn without_a_stored_refresh_token_nothing_is_asked() {
    let identity = Identity::start().await;
    let error = sign_in(&identity, Arc::new(MemoryRefreshTokens::new()))
        .sign_in()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        ("oauth.reauth", Some("no refresh token is stored"))
    );
    assert_eq!(identity.count().await, 0);
}

#[tokio::test]
async fn tokens_in_memory_are_kept_by_scope_and_version() {
    let store = MemoryRefreshTokens::new();
    let (one, other) = (Scope::default(), Scope::new("t", "c").unwrap());
    assert!(store.load_refresh_token(&one).await.unwrap().is_none());
    assert_eq!(
        store
            .save_refresh_token(&one, &"a".into(), 0)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .save_refresh_token(&one, &"b".into(), 1)
            .await
            .unwrap(),
        2
    );
    for version in [0, 1, 3] {
        let error = store
            .save_refresh_token(&one, &"c".into(), version)
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("secret.version", ErrorKind::Conflict)
        );
    }
    let kept = store.load_refresh_token(&one).await.unwrap().unwrap();
    assert_eq!((kept.token.expose_secret(), kept.version), ("b", 2));
    assert!(store.load_refresh_token(&other).await.unwrap().is_none());
}

#[tokio::test]
async fn a_token_is_erased_in_the_version_that_is_named_and_in_no_other() {
    let tokens = MemoryRefreshTokens::new().with_refresh_token(Scope::default(), "refresh");
    let erased = tokens.erase_refresh_token(&Scope::default(), 2).await;
    assert_eq!(erased.unwrap_err().code(), "secret.version");
    let stored = tokens.load_refresh_token(&Scope::default()).await.unwrap();
    assert_eq!(stored.unwrap().token.expose_secret(), "refresh");
    // Where there is none any more, nothing is left to do.
    for _ in 0..2 {
        let erased = tokens.erase_refresh_token(&Scope::default(), 1).await;
        erased.unwrap();
        let stored = tokens.load_refresh_token(&Scope::default()).await.unwrap();
        assert!(stored.is_none());
    }
}

#[tokio::test]
async fn a_store_that_cannot_erase_says_so() {
    let store = Faulty::new(None);
    let erased = store.erase_refresh_token(&Scope::default(), 1).await;
    assert_eq!(erased.unwrap_err().code(), "config.missing");
    assert_eq!(store.stored().await.0, "refresh-0");
}
