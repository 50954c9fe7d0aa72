//! Stores of sealed secrets that break one rule each fail the suite.

use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use email_logging::store::{
    MemoryStore, SealedSecret, SecretName, SecretPlace, SecretStore, StoredSecret,
};
use email_logging::testkit::conformance::secrets::{SecretBackend, run};
use email_logging::{Result, Scope};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Breaks {
    Nothing,
    Bytes,
    EmptyIsNone,
    Versions,
    Reuse,
    Erase,
    EraseAll,
    Names,
    Scopes,
    Companies,
    ListOrder,
    ListErased,
    Debug,
}

struct Broken {
    inner: MemoryStore,
    breaks: Breaks,
    /// What was stored last and how many versions an erasure took back.
    last: Mutex<(Vec<u8>, u64)>,
}

impl Broken {
    fn is(&self, breaks: Breaks) -> bool {
        self.breaks == breaks
    }

    fn scope(&self, scope: &Scope) -> Scope {
        match self.breaks {
            Breaks::Scopes => Scope::default(),
            Breaks::Companies => Scope::new(scope.tenant(), "default").unwrap(),
            _ => scope.clone(),
        }
    }

    fn name(&self, name: SecretName) -> SecretName {
        if self.is(Breaks::Names) {
            SecretName::ClientSecret
        } else {
            name
        }
    }

    fn taken_back(&self) -> u64 {
        if self.is(Breaks::Reuse) {
            self.last.lock().unwrap().1
        } else {
            0
        }
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is(Breaks::Debug) {
            return write!(f, "Broken({:?})", self.last.lock().unwrap().0);
        }
        f.debug_struct("Broken").finish_non_exhaustive()
    }
}

#[async_trait]
impl SecretStore for Broken {
    async fn load_secret(&self, scope: &Scope, name: SecretName) -> Result<Option<StoredSecret>> {
        let (scope, name) = (self.scope(scope), self.name(name));
        let mut stored = self.inner.load_secret(&scope, name).await?;
        if let Some(stored) = &mut stored {
            stored.version -= self.taken_back();
            if self.is(Breaks::Bytes) {
                stored.sealed.nonce.retain(|byte| *byte != 0);
            }
        }
        let empty = |stored: &StoredSecret| stored.sealed.ciphertext.is_empty();
        Ok(stored.filter(|stored| !(self.is(Breaks::EmptyIsNone) && empty(stored))))
    }

    async fn save_secret(
        &self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        expected_version: u64,
    ) -> Result<u64> {
        let (scope, name) = (self.scope(scope), self.name(name));
        self.last.lock().unwrap().0.clone_from(&sealed.ciphertext);
        let expected = if self.is(Breaks::Versions) {
            let stored = self.inner.load_secret(&scope, name).await?;
            stored.map_or(0, |stored| stored.version)
        } else if expected_version == 0 {
            0
        } else {
            expected_version + self.taken_back()
        };
        let version = self.inner.save_secret(&scope, name, sealed, expected);
        Ok(version.await? - self.taken_back())
    }

    async fn erase_secrets(&self, scope: &Scope, names: &[SecretName]) -> Result<()> {
        if self.is(Breaks::Erase) {
            return Ok(());
        }
        let scope = self.scope(scope);
        for name in names {
            if let Some(stored) = self.inner.load_secret(&scope, *name).await? {
                self.last.lock().unwrap().1 = stored.version;
            }
        }
        let all = self.is(Breaks::EraseAll) && !names.is_empty();
        let names = if all { SecretName::ALL } else { names };
        self.inner.erase_secrets(&scope, names).await
    }

    async fn list_secrets(&self) -> Result<Vec<SecretPlace>> {
        let mut places = self.inner.list_secrets().await?;
        if self.is(Breaks::ListOrder) {
            places.reverse();
        }
        if self.is(Breaks::ListErased) && !places.is_empty() {
            let scope = Scope::new("a", "1").unwrap();
            places.insert(
                0,
                SecretPlace::new(scope, SecretName::RefreshToken, "key-3"),
            );
            places.dedup();
        }
        Ok(places)
    }
}

async fn failures(breaks: Breaks) -> Vec<&'static str> {
    let make = || async move {
        SecretBackend::new(Broken {
            inner: MemoryStore::new(),
            breaks,
            last: Mutex::default(),
        })
    };
    run(make).await.failures()
}

#[tokio::test]
async fn a_store_of_secrets_that_breaks_a_rule_fails() {
    let expected = [
        (Breaks::Bytes, "an_envelope_is_read_back_bit_for_bit"),
        (Breaks::EmptyIsNone, "odd_envelopes_are_kept"),
        (
            Breaks::Versions,
            "a_secret_is_stored_only_over_the_version_that_was_read",
        ),
        (
            Breaks::Versions,
            "one_of_many_who_store_at_once_wins_and_nothing_is_lost",
        ),
        (
            Breaks::Reuse,
            "a_version_is_never_used_twice_though_the_secret_was_erased",
        ),
        (Breaks::Erase, "erased_secrets_are_gone_and_the_others_stay"),
        (
            Breaks::EraseAll,
            "erased_secrets_are_gone_and_the_others_stay",
        ),
        (Breaks::Names, "names_do_not_touch_each_other"),
        (
            Breaks::Scopes,
            "another_scope_reads_changes_and_erases_nothing",
        ),
        (
            Breaks::Companies,
            "another_scope_reads_changes_and_erases_nothing",
        ),
        (
            Breaks::ListOrder,
            "secrets_are_listed_by_scope_and_name_with_their_key",
        ),
        (
            Breaks::ListErased,
            "secrets_are_listed_by_scope_and_name_with_their_key",
        ),
        (Breaks::Debug, "debug_output_shows_no_byte_of_an_envelope"),
    ];
    assert_eq!(failures(Breaks::Nothing).await, Vec::<&str>::new());
    for (breaks, case) in expected {
        let failed = failures(breaks).await;
        assert!(failed.contains(&case), "{breaks:?}: {failed:?}");
    }
}
