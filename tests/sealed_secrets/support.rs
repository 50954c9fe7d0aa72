//! Stores and keys for the tests of sealed secrets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use email_logging::credential::{KeyProvider, MemoryKeys, SealedSecrets};
use email_logging::error::{Error, codes};
use email_logging::store::{
    MemoryStore, SealedSecret, SecretName, SecretPlace, SecretStore, StoredSecret,
};
use email_logging::{Result, Scope};
use secrecy::{ExposeSecret, SecretString};

pub(crate) const NAME: SecretName = SecretName::ClientSecret;

pub(crate) fn scope(tenant: &str, company: &str) -> Scope {
    Scope::new(tenant, company).unwrap()
}

pub(crate) fn mine() -> Scope {
    Scope::default()
}

/// Secrets in memory, with the store and the keys that they are in.
pub(crate) struct Bench {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) keys: Arc<MemoryKeys>,
    pub(crate) secrets: SealedSecrets,
}

pub(crate) fn bench() -> Bench {
    let (store, keys) = (Arc::new(MemoryStore::new()), Arc::new(MemoryKeys::new()));
    let secrets = over(
        Arc::<MemoryStore>::clone(&store),
        Arc::<MemoryKeys>::clone(&keys),
    );
    Bench {
        store,
        keys,
        secrets,
    }
}

pub(crate) fn over(store: Arc<dyn SecretStore>, keys: Arc<dyn KeyProvider>) -> SealedSecrets {
    SealedSecrets::new(store, keys)
}

pub(crate) async fn put(secrets: &SealedSecrets, scope: &Scope, name: SecretName, value: &str) {
    let value = SecretString::from(value);
    secrets.put(scope, name, &value).await.unwrap();
}

/// The value, or the code of the error.
pub(crate) async fn value(secrets: &SealedSecrets, scope: &Scope, name: SecretName) -> String {
    match secrets.load(scope, name).await {
        Ok(Some(opened)) => opened.value.expose_secret().to_owned(),
        Ok(None) => "none".into(),
        Err(error) => error.code().into(),
    }
}

/// Replaces the stored envelope.
pub(crate) async fn replace(
    store: &dyn SecretStore,
    scope: &Scope,
    name: SecretName,
    sealed: &SealedSecret,
) {
    let stored = store.load_secret(scope, name).await.unwrap();
    let version = stored.map_or(0, |stored| stored.version);
    let saved = store.save_secret(scope, name, sealed, version).await;
    saved.unwrap();
}

pub(crate) async fn envelope(
    store: &dyn SecretStore,
    scope: &Scope,
    name: SecretName,
) -> SealedSecret {
    let stored = store.load_secret(scope, name).await.unwrap();
    stored.unwrap().sealed
}

/// A store whose process ends at one of its calls: before the call has its effect, or after it.
pub(crate) struct Crashing {
    pub(crate) inner: Arc<dyn SecretStore>,
    calls: AtomicU64,
    at: u64,
    after: bool,
}

impl Crashing {
    pub(crate) fn new(inner: Arc<dyn SecretStore>, at: u64, after: bool) -> Self {
        Self {
            inner,
            calls: AtomicU64::new(0),
            at,
            after,
        }
    }

    async fn call<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let gone = || Err(Error::new(&codes::STORE_UNAVAILABLE, "crash"));
        // Nothing follows a crash.
        if call > self.at || (call == self.at && !self.after) {
            return gone();
        }
        let answer = work.await;
        if call == self.at { gone() } else { answer }
    }

    /// Whether the crash came.
    pub(crate) fn crashed(&self) -> bool {
        self.calls.load(Ordering::SeqCst) >= self.at
    }
}

impl fmt::Debug for Crashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crashing").finish_non_exhaustive()
    }
}

#[async_trait]
impl SecretStore for Crashing {
    async fn load_secret(&self, scope: &Scope, name: SecretName) -> Result<Option<StoredSecret>> {
        self.call(self.inner.load_secret(scope, name)).await
    }

    async fn save_secret(
        &self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        expected_version: u64,
    ) -> Result<u64> {
        self.call(
            self.inner
                .save_secret(scope, name, sealed, expected_version),
        )
        .await
    }

    async fn erase_secrets(&self, scope: &Scope, names: &[SecretName]) -> Result<()> {
        self.call(self.inner.erase_secrets(scope, names)).await
    }

    async fn list_secrets(&self) -> Result<Vec<SecretPlace>> {
        self.call(self.inner.list_secrets()).await
    }
}
