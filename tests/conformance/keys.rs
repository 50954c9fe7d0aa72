//! Every key provider of this crate keeps its contract, and those that break a rule fail.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use email_logging::Result;
use email_logging::credential::{KeyFile, KeyProvider, MemoryKeys, RecordKey};
use email_logging::testkit::conformance::keys::{KeyBackend, run};

#[tokio::test]
async fn keys_in_memory_keep_the_contract() {
    let report = run(|| async { broken(Breaks::Nothing) }).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
    let report = run(|| async { KeyBackend::new(MemoryKeys::new()) }).await;
    report.assert_passed();
    assert_eq!(report.skipped(), 2, "{report}");
}

#[tokio::test]
async fn keys_in_a_file_keep_the_contract() {
    let report = run(|| async {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("keys"));
        let adding = file.clone();
        KeyBackend::new(file)
            .with_new_key(move || drop(adding.add_key().unwrap()))
            .with_guard(folder)
    })
    .await;
    report.assert_passed();
    assert_eq!(report.skipped(), 0, "{report}");
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Breaks {
    Nothing,
    Clear,
    AnyId,
    NewIsIgnored,
    RetiresInUse,
    RetiresQuietly,
    Debug,
}

/// Keys that break a rule, over keys that keep it.
struct Broken {
    inner: Arc<MemoryKeys>,
    breaks: Breaks,
    first: std::sync::OnceLock<String>,
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.breaks == Breaks::Debug {
            return f.write_str("record key of the test, 32 bytes");
        }
        f.debug_struct("Broken").finish_non_exhaustive()
    }
}

#[async_trait]
impl KeyProvider for Broken {
    async fn current_key_id(&self) -> Result<String> {
        let id = self.inner.current_key_id().await?;
        let first = self.first.get_or_init(|| id.clone());
        let ignored = self.breaks == Breaks::NewIsIgnored;
        Ok(if ignored { first.clone() } else { id })
    }

    async fn wrap_key(&self, key_id: &str, key: &RecordKey, context: &[u8]) -> Result<Vec<u8>> {
        if self.breaks == Breaks::Clear {
            return Ok(key.as_bytes().to_vec());
        }
        self.inner.wrap_key(key_id, key, context).await
    }

    async fn unwrap_key(&self, key_id: &str, wrapped: &[u8], context: &[u8]) -> Result<RecordKey> {
        match self.breaks {
            Breaks::Clear if wrapped.len() == 32 => Ok(RecordKey::new(wrapped.try_into().unwrap())),
            Breaks::AnyId => {
                let id = self.inner.current_key_id().await?;
                self.inner.unwrap_key(&id, wrapped, context).await
            }
            _ => self.inner.unwrap_key(key_id, wrapped, context).await,
        }
    }

    async fn retire_unused_keys(&self, in_use: &BTreeSet<String>) -> Result<Vec<String>> {
        let none = BTreeSet::new();
        match self.breaks {
            Breaks::RetiresInUse => self.inner.retire_unused_keys(&none).await,
            Breaks::RetiresQuietly => {
                self.inner.retire_unused_keys(in_use).await?;
                Ok(Vec::new())
            }
            _ => self.inner.retire_unused_keys(in_use).await,
        }
    }
}

fn broken(breaks: Breaks) -> KeyBackend {
    let inner = Arc::new(MemoryKeys::new());
    let adding = Arc::clone(&inner);
    let first = std::sync::OnceLock::new();
    KeyBackend::new(Broken {
        inner,
        breaks,
        first,
    })
    .with_new_key(move || drop(adding.add_key().unwrap()))
}

#[tokio::test]
async fn a_key_provider_that_breaks_a_rule_fails() {
    let rotated = "a_new_key_is_current_and_the_old_one_still_unwraps";
    let retired = "a_key_in_use_and_the_current_one_are_never_retired";
    let expected = [
        (Breaks::Clear, "what_is_wrapped_is_unwrapped_each_time"),
        (Breaks::Clear, "what_was_changed_is_not_unwrapped"),
        (Breaks::AnyId, "an_id_that_is_not_there_is_the_wrong_key"),
        (Breaks::AnyId, rotated),
        (Breaks::NewIsIgnored, rotated),
        (Breaks::RetiresInUse, retired),
        (Breaks::RetiresQuietly, retired),
        (Breaks::Debug, "debug_output_shows_no_key"),
    ];
    for (breaks, case) in expected {
        let failed = run(|| async { broken(breaks) }).await.failures();
        assert!(failed.contains(&case), "{breaks:?}: {failed:?}");
    }
}
