//! A new key: every secret is sealed anew, a crash at any point loses nothing, and the old key goes last.

use std::sync::Arc;

use email_logging::credential::{KeyProvider, MemoryKeys};
use email_logging::store::{MemoryStore, SecretName, SecretStore};
use email_logging::{Result, Scope};
use secrecy::SecretString;

use super::support::{
    Bench, Crashing, NAME, bench, envelope, mine, over, put, replace, scope, value,
};

fn places() -> Vec<(Scope, SecretName)> {
    let scopes = [scope("a", "1"), scope("a", "2"), scope("b", "1")];
    let names = [SecretName::ClientSecret, SecretName::RefreshToken];
    scopes
        .iter()
        .flat_map(|scope| names.map(|name| (scope.clone(), name)))
        .collect()
}

fn text(scope: &Scope, name: SecretName) -> String {
    format!("{name:?} of {} {}", scope.tenant(), scope.company())
}

async fn filled() -> Bench {
    let bench = bench();
    for (scope, name) in places() {
        put(&bench.secrets, &scope, name, &text(&scope, name)).await;
    }
    bench
}

async fn assert_all_readable(bench: &Bench) {
    for (scope, name) in places() {
        let found = value(&bench.secrets, &scope, name).await;
        assert_eq!(found, text(&scope, name));
    }
}

async fn key_ids(store: &dyn SecretStore) -> Vec<String> {
    let places = store.list_secrets().await.unwrap();
    places.into_iter().map(|place| place.key_id).collect()
}

#[tokio::test]
async fn every_secret_of_every_scope_is_sealed_anew_and_the_old_key_may_go() {
    let bench = filled().await;
    let old = bench.keys.current_key_id().await.unwrap();
    let before = envelope(&*bench.store, &places()[0].0, places()[0].1).await;
    let new = bench.keys.add_key().unwrap();
    assert_eq!(bench.secrets.retire_unused_keys().await.unwrap(), [""; 0]);
    let rotation = bench.secrets.rotate().await.unwrap();
    assert_eq!((rotation.sealed_anew, rotation.unreadable.len()), (6, 0));
    assert_eq!(key_ids(&*bench.store).await, vec![new; 6]);
    let after = envelope(&*bench.store, &places()[0].0, places()[0].1).await;
    assert!(before.nonce != after.nonce && before.ciphertext != after.ciphertext);
    assert_all_readable(&bench).await;
    assert_eq!(bench.secrets.retire_unused_keys().await.unwrap(), [old]);
    assert_all_readable(&bench).await;
    let again = bench.secrets.rotate().await.unwrap();
    assert_eq!((again.sealed_anew, again.unreadable.len()), (0, 0));
    assert_eq!(bench.secrets.retire_unused_keys().await.unwrap(), [""; 0]);
}

/// Rotation and retirement, as an administrator runs them, until the process ends.
async fn rotate_and_retire(store: Arc<Crashing>, keys: &Arc<MemoryKeys>) -> Result<()> {
    let secrets = over(store, Arc::<MemoryKeys>::clone(keys));
    secrets.rotate().await?;
    secrets.retire_unused_keys().await?;
    Ok(())
}

#[tokio::test]
async fn a_crash_at_any_call_leaves_every_secret_readable_and_the_next_run_ends_it() {
    for after in [false, true] {
        let mut crashes = 0;
        for at in 1.. {
            let bench = filled().await;
            bench.keys.add_key().unwrap();
            let store: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&bench.store);
            let crashing = Arc::new(Crashing::new(store, at, after));
            let ended = rotate_and_retire(Arc::clone(&crashing), &bench.keys).await;
            assert_all_readable(&bench).await;
            if !crashing.crashed() {
                ended.unwrap();
                break;
            }
            assert!(ended.is_err());
            crashes += 1;
            bench.secrets.rotate().await.unwrap();
            assert_all_readable(&bench).await;
            let current = bench.keys.current_key_id().await.unwrap();
            assert_eq!(key_ids(&*bench.store).await, vec![current; 6]);
            assert_eq!(bench.secrets.retire_unused_keys().await.unwrap().len(), 1);
            assert_all_readable(&bench).await;
        }
        // A list, a load and a save for each of six secrets, and the list of the retirement.
        assert_eq!(crashes, 14);
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_opened_stays_is_named_and_keeps_its_key() {
    let bench = filled().await;
    let old = bench.keys.current_key_id().await.unwrap();
    let (damaged, name) = places().remove(1);
    let mut sealed = envelope(&*bench.store, &damaged, name).await;
    sealed.ciphertext[20] ^= 1;
    replace(&*bench.store, &damaged, name, &sealed).await;
    let (foreign, of) = places().remove(4);
    let other = super::support::bench();
    put(&other.secrets, &foreign, of, "of another host").await;
    let sealed_elsewhere = envelope(&*other.store, &foreign, of).await;
    replace(&*bench.store, &foreign, of, &sealed_elsewhere).await;

    bench.keys.add_key().unwrap();
    let rotation = bench.secrets.rotate().await.unwrap();
    assert_eq!(rotation.sealed_anew, 4);
    let unreadable: Vec<_> = rotation.unreadable.iter().collect();
    let named = |at: usize| {
        let one = unreadable[at];
        (one.scope.clone(), one.name, one.error.code())
    };
    assert_eq!(unreadable.len(), 2);
    assert_eq!(named(0), (damaged.clone(), name, "secret.damaged"));
    assert_eq!(named(1), (foreign, of, "secret.wrong_key"));
    assert_eq!(envelope(&*bench.store, &damaged, name).await, sealed);
    assert_eq!(bench.secrets.retire_unused_keys().await.unwrap(), [""; 0]);
    put(&bench.secrets, &damaged, name, "entered again").await;
    assert_eq!(bench.secrets.retire_unused_keys().await.unwrap(), [old]);
}

#[tokio::test]
async fn the_version_of_a_value_survives_any_number_of_rotations() {
    let bench = bench();
    let text = |text: &str| SecretString::from(text);
    let secrets = &bench.secrets;
    let first = secrets.save(&mine(), NAME, &text("one"), 0).await.unwrap();
    for _ in 0..3 {
        bench.keys.add_key().unwrap();
        assert_eq!(secrets.rotate().await.unwrap().sealed_anew, 1);
        let opened = secrets.load(&mine(), NAME).await.unwrap().unwrap();
        assert_eq!(opened.version, first);
    }
    // The token that a sign-in was given meanwhile is stored over the one that it used.
    let second = secrets
        .save(&mine(), NAME, &text("two"), first)
        .await
        .unwrap();
    assert!(second > first);
    let late = secrets.save(&mine(), NAME, &text("three"), first).await;
    assert_eq!(late.unwrap_err().code(), "secret.version");
    assert_eq!(value(secrets, &mine(), NAME).await, "two");
}

#[tokio::test]
async fn writers_and_a_rotation_lose_nothing_to_each_other() {
    let bench = filled().await;
    for round in 0..20 {
        bench.keys.add_key().unwrap();
        let (scope, name) = places().remove(round % 6);
        let new = format!("new in round {round}");
        let written = SecretString::from(new.clone());
        let (rotated, put) = tokio::join!(
            bench.secrets.rotate(),
            bench.secrets.put(&scope, name, &written)
        );
        rotated.unwrap();
        put.unwrap();
        assert_eq!(value(&bench.secrets, &scope, name).await, new);
        bench.secrets.rotate().await.unwrap();
        bench.secrets.retire_unused_keys().await.unwrap();
        put_back(&bench, &scope, name).await;
        assert_all_readable(&bench).await;
    }
}

async fn put_back(bench: &Bench, scope: &Scope, name: SecretName) {
    put(&bench.secrets, scope, name, &text(scope, name)).await;
}
