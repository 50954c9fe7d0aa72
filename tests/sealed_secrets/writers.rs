//! Writers that meet: of a value that was read one successor is stored, and the others are told.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::credential::{MemoryKeys, RefreshTokenStore, SealedRefreshTokens};
use email_logging::error::{Code, Error, codes};
use email_logging::store::{
    MemoryStore, SealedSecret, SecretName, SecretPlace, SecretStore, StoredSecret,
};
use email_logging::{Result, Scope};
use secrecy::{ExposeSecret, SecretString};

use super::support::{Crashing, NAME, bench, mine, over, put, scope, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_who_store_over_one_version_one_succeeds_and_the_others_see_its_value() {
    let bench = bench();
    let tokens = Arc::new(SealedRefreshTokens::new(bench.secrets.clone()));
    let first = tokens
        .save_refresh_token(&mine(), &"first".into(), 0)
        .await
        .unwrap();
    let mut tasks = Vec::new();
    for n in 0..64 {
        let tokens = Arc::clone(&tokens);
        tasks.push(tokio::spawn(async move {
            let token = SecretString::from(format!("token {n}"));
            let saved = tokens.save_refresh_token(&mine(), &token, first).await;
            (n, saved)
        }));
    }
    let mut winners = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (n, Ok(version)) => winners.push((n, version)),
            (_, Err(error)) => assert_eq!(error.code(), "secret.version"),
        }
    }
    let [(winner, version)] = winners[..] else {
        panic!("{winners:?}")
    };
    let stored = tokens.load_refresh_token(&mine()).await.unwrap().unwrap();
    assert_eq!(stored.version, version);
    assert_eq!(stored.token.expose_secret(), format!("token {winner}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_different_secrets_do_not_disturb_each_other() {
    let bench = bench();
    let mut tasks = Vec::new();
    for n in 0..8 {
        for name in SecretName::ALL {
            let secrets = bench.secrets.clone();
            let scope = scope(&format!("tenant {n}"), "c");
            tasks.push(tokio::spawn(async move {
                put(&secrets, &scope, *name, &format!("{n} {name:?}")).await;
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    for n in 0..8 {
        for name in SecretName::ALL {
            let scope = scope(&format!("tenant {n}"), "c");
            let found = value(&bench.secrets, &scope, *name).await;
            assert_eq!(found, format!("{n} {name:?}"));
        }
    }
}

#[tokio::test]
async fn a_version_never_comes_back_though_the_secret_was_erased() {
    let bench = bench();
    let secret = SecretString::from("secret");
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        let first = bench.secrets.save(&mine(), NAME, &secret, 0).await.unwrap();
        let second = bench.secrets.save(&mine(), NAME, &secret, first).await;
        assert!(seen.insert(first) && seen.insert(second.unwrap()));
        bench.secrets.erase(&mine(), &[NAME]).await.unwrap();
        let late = bench.secrets.save(&mine(), NAME, &secret, first).await;
        assert_eq!(late.unwrap_err().code(), "secret.version");
    }
}

#[tokio::test]
async fn a_refresh_token_is_none_until_one_is_stored_and_an_error_where_it_is_damaged() {
    let bench = bench();
    let tokens = SealedRefreshTokens::new(bench.secrets.clone());
    assert!(tokens.load_refresh_token(&mine()).await.unwrap().is_none());
    tokens
        .save_refresh_token(&mine(), &"token".into(), 0)
        .await
        .unwrap();
    let name = SecretName::RefreshToken;
    let mut sealed = super::support::envelope(&*bench.store, &mine(), name).await;
    sealed.nonce[0] ^= 1;
    super::support::replace(&*bench.store, &mine(), name, &sealed).await;
    let error = tokens.load_refresh_token(&mine()).await.unwrap_err();
    assert_eq!(error.code(), "secret.damaged");
}

#[tokio::test]
async fn of_two_workers_one_holds_a_refresh_token_and_saving_takes_the_mark_away() {
    let bench = bench();
    let tokens = SealedRefreshTokens::new(bench.secrets.clone());
    let until = jiff::Timestamp::from_millisecond(1_790_000_000_123).unwrap();
    let none = tokens.hold_refresh_token(&mine(), 0, until).await;
    assert_eq!(none.unwrap_err().code(), "secret.version");
    let saved = tokens.save_refresh_token(&mine(), &"old".into(), 0).await;
    let saved = saved.unwrap();
    let scope = mine();
    let (one, other) = tokio::join!(
        tokens.hold_refresh_token(&scope, saved, until),
        tokens.hold_refresh_token(&scope, saved, until),
    );
    let (held, late) = if one.is_ok() {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(late.unwrap_err().code(), "secret.version");
    let stored = tokens.load_refresh_token(&mine()).await.unwrap().unwrap();
    assert_eq!(
        (
            stored.token.expose_secret(),
            stored.held_until,
            stored.version
        ),
        ("old", Some(until), held.unwrap())
    );
    tokens
        .save_refresh_token(&mine(), &"new".into(), stored.version)
        .await
        .unwrap();
    let stored = tokens.load_refresh_token(&mine()).await.unwrap().unwrap();
    assert_eq!(
        (stored.token.expose_secret(), stored.held_until),
        ("new", None)
    );
}

#[tokio::test]
async fn a_crash_in_a_write_leaves_the_old_value_or_the_new_one() {
    for after in [false, true] {
        for at in 1..=2 {
            let bench = bench();
            put(&bench.secrets, &mine(), NAME, "old").await;
            let store: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&bench.store);
            let crashing = Arc::new(Crashing::new(store, at, after));
            let secrets = over(crashing, Arc::<MemoryKeys>::clone(&bench.keys));
            let error = secrets.put(&mine(), NAME, &"new".into()).await.unwrap_err();
            assert_eq!(error.code(), "store.unavailable");
            let stored = value(&bench.secrets, &mine(), NAME).await;
            let expected = if at == 2 && after { "new" } else { "old" };
            assert_eq!(stored, expected, "call {at}, after it: {after}");
        }
    }
}

#[tokio::test]
async fn a_refresh_token_is_erased_in_the_version_that_is_named_and_in_no_other() {
    let tokens = SealedRefreshTokens::new(bench().secrets);
    let saved = tokens.save_refresh_token(&mine(), &"token".into(), 0).await;
    let version = saved.unwrap();
    let erased = tokens.erase_refresh_token(&mine(), version + 1).await;
    assert_eq!(erased.unwrap_err().code(), "secret.version");
    let stored = tokens.load_refresh_token(&mine()).await.unwrap();
    assert_eq!(stored.unwrap().token.expose_secret(), "token");
    // Where there is none any more, nothing is left to do.
    for _ in 0..2 {
        let erased = tokens.erase_refresh_token(&mine(), version).await;
        erased.unwrap();
        assert!(tokens.load_refresh_token(&mine()).await.unwrap().is_none());
    }
}

/// Refuses to save once.
#[derive(Debug)]
struct RefusesOnce {
    inner: Arc<MemoryStore>,
    with: Mutex<Option<&'static Code>>,
}

#[async_trait]
impl SecretStore for RefusesOnce {
    async fn load_secret(&self, scope: &Scope, name: SecretName) -> Result<Option<StoredSecret>> {
        self.inner.load_secret(scope, name).await
    }

    async fn save_secret(
        &self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        expected_version: u64,
    ) -> Result<u64> {
        if let Some(code) = self.with.lock().unwrap().take() {
            return Err(Error::new(code, "save_secret"));
        }
        let saved = self
            .inner
            .save_secret(scope, name, sealed, expected_version);
        saved.await
    }

    async fn erase_secrets(&self, scope: &Scope, names: &[SecretName]) -> Result<()> {
        self.inner.erase_secrets(scope, names).await
    }

    async fn list_secrets(&self) -> Result<Vec<SecretPlace>> {
        self.inner.list_secrets().await
    }
}

#[tokio::test]
async fn whoever_was_overtaken_writes_once_more_and_whom_the_store_failed_is_told() {
    for (code, told, left) in [
        (&codes::SECRET_VERSION, None, "new"),
        (&codes::STORE_UNAVAILABLE, Some("store.unavailable"), "old"),
    ] {
        let bench = bench();
        put(&bench.secrets, &mine(), NAME, "old").await;
        let store = RefusesOnce {
            inner: bench.store,
            with: Mutex::new(Some(code)),
        };
        let secrets = over(Arc::new(store), bench.keys);
        let done = secrets.put(&mine(), NAME, &"new".into()).await;
        assert_eq!(done.err().map(|error| error.code()), told);
        assert_eq!(value(&secrets, &mine(), NAME).await, left);
    }
}
