//! The contract of a store of sealed secrets: envelopes come back as they were, versions never repeat, scopes are apart.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::Report;
use super::harness::{self, Case, Checked, cases, check, equal, fails};
use crate::error::{ErrorKind, Result};
use crate::scope::Scope;
use crate::store::{SealedSecret, SecretName, SecretPlace, SecretStore, StoredSecret};

/// A fresh and empty store, as each case wants one.
pub struct SecretBackend {
    store: Arc<dyn SecretStore>,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl SecretBackend {
    /// A store that was just made and migrated.
    pub fn new(store: impl SecretStore) -> Self {
        Self {
            store: Arc::new(store),
            guard: None,
        }
    }

    /// Something to keep until the case ends, such as a temporary directory.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    async fn load(&self, scope: &Scope, name: SecretName) -> Result<Option<StoredSecret>> {
        self.store.load_secret(scope, name).await
    }

    async fn save(&self, scope: &Scope, name: SecretName, n: u8, expected: u64) -> Result<u64> {
        let envelope = envelope(n);
        self.store
            .save_secret(scope, name, &envelope, expected)
            .await
    }
}

impl fmt::Debug for SecretBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretBackend")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Checks a store of sealed secrets. `make` answers a fresh and empty one for every case.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = SecretBackend>,
{
    harness::run("secret store", list(), make).await
}

fn list() -> Vec<Case<SecretBackend>> {
    cases! {
        self::{
            an_envelope_is_read_back_bit_for_bit,
            odd_envelopes_are_kept,
            a_secret_is_stored_only_over_the_version_that_was_read,
            one_of_many_who_store_at_once_wins_and_nothing_is_lost,
            a_version_is_never_used_twice_though_the_secret_was_erased,
            erased_secrets_are_gone_and_the_others_stay,
            erasing_what_is_not_there_is_no_error,
            names_do_not_touch_each_other,
            another_scope_reads_changes_and_erases_nothing,
            secrets_are_listed_by_scope_and_name_with_their_key,
            debug_output_shows_no_byte_of_an_envelope,
        }
    }
}

const NAME: SecretName = SecretName::ClientSecret;

fn mine() -> Scope {
    Scope::default()
}

fn scope(tenant: &str, company: &str) -> Result<Scope> {
    Scope::new(tenant, company)
}

fn envelope(n: u8) -> SealedSecret {
    SealedSecret::new(
        format!("key-{n}"),
        vec![n; 60],
        vec![0, n, 255],
        vec![n, 0, 1],
    )
}

async fn an_envelope_is_read_back_bit_for_bit(backend: &SecretBackend) -> Checked {
    equal("before", backend.load(&mine(), NAME).await?, None)?;
    let every = SealedSecret::new("k", vec![1, 0], (0..12).collect(), (0..=255).collect());
    let version = backend.store.save_secret(&mine(), NAME, &every, 0).await?;
    check!(version > 0, "the first version is 0");
    let stored = Some(StoredSecret::new(every, version));
    for _ in 0..2 {
        let read = backend.load(&mine(), NAME).await?;
        check!(read == stored, "the envelope that is read differs");
    }
    Ok(())
}

async fn odd_envelopes_are_kept(backend: &SecretBackend) -> Checked {
    let odd = [
        SealedSecret::new("", vec![], vec![], vec![]),
        SealedSecret::new("ключ '\";--", vec![0], vec![0; 24], vec![0; 100_000]),
        SealedSecret::new("k".repeat(2_000), vec![9; 5_000], vec![1], vec![]),
    ];
    let mut version = 0;
    for (n, sealed) in odd.iter().enumerate() {
        version = backend
            .store
            .save_secret(&mine(), NAME, sealed, version)
            .await?;
        let read = backend.load(&mine(), NAME).await?;
        let kept = read.is_some_and(|read| read.sealed == *sealed && read.version == version);
        check!(kept, "envelope {n} differs");
    }
    Ok(())
}

async fn a_secret_is_stored_only_over_the_version_that_was_read(
    backend: &SecretBackend,
) -> Checked {
    let refused = backend.save(&mine(), NAME, 1, 1).await;
    conflict("a version where none is stored", refused)?;
    let first = backend.save(&mine(), NAME, 1, 0).await?;
    conflict("none expected", backend.save(&mine(), NAME, 2, 0).await)?;
    let second = backend.save(&mine(), NAME, 2, first).await?;
    check!(second != first, "the version did not change");
    let refused = backend.save(&mine(), NAME, 3, first).await;
    conflict("the version before", refused)?;
    let read = backend.load(&mine(), NAME).await?;
    let expected = Some(StoredSecret::new(envelope(2), second));
    equal("what is stored", read, expected)
}

fn conflict(what: &str, answer: Result<u64>) -> Checked {
    let error = fails(what, answer, ErrorKind::Conflict)?;
    equal(what, error.code(), "secret.version")
}

async fn one_of_many_who_store_at_once_wins_and_nothing_is_lost(
    backend: &SecretBackend,
) -> Checked {
    let scope = mine();
    let mut version = 0;
    for round in 0..4 {
        let writers = (1..=8).map(|n| backend.save(&scope, NAME, n + round * 8, version));
        let answers = futures_util::future::join_all(writers).await;
        let mut winner = None;
        for (n, answer) in (1..=8).zip(answers) {
            match answer {
                Ok(stored) => {
                    check!(winner.is_none(), "two stored over version {version}");
                    winner = Some((n + round * 8, stored));
                }
                Err(error) => conflict("a writer that was late", Err(error))?,
            }
        }
        let Some((n, stored)) = winner else {
            check!(false, "nobody stored over version {version}");
            return Ok(());
        };
        let read = backend.load(&scope, NAME).await?;
        let expected = Some(StoredSecret::new(envelope(n), stored));
        equal("the winner's envelope", read, expected)?;
        version = stored;
    }
    Ok(())
}

async fn a_version_is_never_used_twice_though_the_secret_was_erased(
    backend: &SecretBackend,
) -> Checked {
    let mut seen = Vec::new();
    for round in 0..4 {
        let mut version = 0;
        for n in 0..=round {
            version = backend.save(&mine(), NAME, n, version).await?;
            check!(!seen.contains(&version), "version {version} came twice");
            seen.push(version);
        }
        backend.store.erase_secrets(&mine(), &[NAME]).await?;
        backend.store.erase_secrets(&mine(), &[NAME]).await?;
        let late = backend.save(&mine(), NAME, 9, version).await;
        conflict("a writer that did not see the erasure", late)?;
    }
    Ok(())
}

async fn erased_secrets_are_gone_and_the_others_stay(backend: &SecretBackend) -> Checked {
    for name in SecretName::ALL {
        backend.save(&mine(), *name, 1, 0).await?;
    }
    let (erased, kept) = SecretName::ALL.split_at(2);
    backend.store.erase_secrets(&mine(), erased).await?;
    for name in erased {
        equal("erased", backend.load(&mine(), *name).await?, None)?;
    }
    for name in kept {
        let read = backend.load(&mine(), *name).await?;
        equal("kept", read.map(|read| read.sealed), Some(envelope(1)))?;
    }
    Ok(())
}

async fn erasing_what_is_not_there_is_no_error(backend: &SecretBackend) -> Checked {
    backend
        .store
        .erase_secrets(&mine(), SecretName::ALL)
        .await?;
    backend.store.erase_secrets(&mine(), &[]).await?;
    backend.save(&mine(), NAME, 1, 0).await?;
    Ok(())
}

async fn names_do_not_touch_each_other(backend: &SecretBackend) -> Checked {
    let mut expected = Vec::new();
    for (name, n) in SecretName::ALL.iter().zip(1..) {
        let version = backend.save(&mine(), *name, n, 0).await?;
        expected.push((*name, Some(StoredSecret::new(envelope(n), version))));
    }
    for (name, stored) in expected {
        equal(name.code(), backend.load(&mine(), name).await?, stored)?;
    }
    Ok(())
}

async fn another_scope_reads_changes_and_erases_nothing(backend: &SecretBackend) -> Checked {
    let version = backend.save(&mine(), NAME, 1, 0).await?;
    for other in [scope("default", "other")?, scope("other", "default")?] {
        equal("read", backend.load(&other, NAME).await?, None)?;
        let refused = backend.save(&other, NAME, 2, version).await;
        conflict("the version of another scope", refused)?;
        backend.save(&other, NAME, 2, 0).await?;
        backend.store.erase_secrets(&other, SecretName::ALL).await?;
    }
    let read = backend.load(&mine(), NAME).await?;
    let expected = Some(StoredSecret::new(envelope(1), version));
    equal("after the others", read, expected)
}

async fn secrets_are_listed_by_scope_and_name_with_their_key(backend: &SecretBackend) -> Checked {
    equal("empty", backend.store.list_secrets().await?, vec![])?;
    let scopes = [scope("b", "1")?, scope("a", "2")?, scope("a", "1")?];
    let names = [SecretName::RefreshToken, SecretName::ClientSecret];
    let mut expected = Vec::new();
    for (one, n) in scopes.iter().zip(1..) {
        for name in names {
            backend.save(one, name, n, 0).await?;
            expected.push(SecretPlace::new(one.clone(), name, format!("key-{n}")));
        }
    }
    expected.sort();
    equal("all", &backend.store.list_secrets().await?, &expected)?;
    let [_, _, gone] = &scopes;
    backend.store.erase_secrets(gone, SecretName::ALL).await?;
    expected.retain(|place| place.scope != *gone);
    equal(
        "after an erasure",
        backend.store.list_secrets().await?,
        expected,
    )
}

async fn debug_output_shows_no_byte_of_an_envelope(backend: &SecretBackend) -> Checked {
    const MARK: &[u8] = b"mark-of-the-envelope";
    let sealed = SealedSecret::new("k", MARK.to_vec(), MARK.to_vec(), MARK.to_vec());
    backend.store.save_secret(&mine(), NAME, &sealed, 0).await?;
    let stored = backend.load(&mine(), NAME).await?;
    let shown = format!("{:?} {stored:?} {sealed:?}", backend.store);
    let bytes = format!("{MARK:?}");
    let bytes = bytes.trim_start_matches('[').trim_end_matches(']');
    check!(
        !shown.contains("mark-of-the-envelope") && !shown.contains(bytes),
        "the debug output shows an envelope"
    );
    Ok(())
}
