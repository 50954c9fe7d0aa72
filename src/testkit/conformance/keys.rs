//! The contract of a key provider: what it wraps it unwraps, an unknown key is the wrong key, and nothing is shown.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::Report;
use super::harness::{self, Case, Checked, Stop, cases, check, equal};
use crate::credential::{KeyProvider, RecordKey};

/// A key provider, and how it gets a new key.
pub struct KeyBackend {
    keys: Arc<dyn KeyProvider>,
    add_key: Option<Box<dyn Fn() + Send + Sync>>,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl KeyBackend {
    /// A provider that can wrap.
    pub fn new(keys: impl KeyProvider) -> Self {
        Self {
            keys: Arc::new(keys),
            add_key: None,
            guard: None,
        }
    }

    /// What makes a new key the current one. Without it the cases of rotation are skipped.
    #[must_use]
    pub fn with_new_key(mut self, add_key: impl Fn() + Send + Sync + 'static) -> Self {
        self.add_key = Some(Box::new(add_key));
        self
    }

    /// Something to keep until the case ends, such as a temporary directory.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    fn add_key(&self) -> Checked {
        let skipped = || Stop::Skipped("nothing that adds a key was given".into());
        self.add_key.as_ref().ok_or_else(skipped)?();
        Ok(())
    }

    /// Whether the provider unwraps the record's key.
    async fn unwraps(&self, id: &str, wrapped: &[u8]) -> bool {
        let unwrapped = self.keys.unwrap_key(id, wrapped, CONTEXT).await;
        unwrapped.is_ok_and(|key| key.as_bytes() == RECORD)
    }
}

impl fmt::Debug for KeyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBackend")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// Checks a key provider. `make` answers a fresh one for every case. No report holds a key.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = KeyBackend>,
{
    harness::run("key provider", list(), make).await
}

fn list() -> Vec<Case<KeyBackend>> {
    cases! {
        self::{
            what_is_wrapped_is_unwrapped_each_time,
            the_current_key_stays_until_there_is_a_new_one,
            an_id_that_is_not_there_is_the_wrong_key,
            what_was_changed_is_not_unwrapped,
            a_new_key_is_current_and_the_old_one_still_unwraps,
            a_key_in_use_and_the_current_one_are_never_retired,
            debug_output_shows_no_key,
        }
    }
}

const RECORD: &[u8; 32] = b"record key of the test, 32 bytes";
const CONTEXT: &[u8] = b"context of the test";

async fn wrapped(backend: &KeyBackend) -> Checked<(String, Vec<u8>)> {
    let id = backend.keys.current_key_id().await?;
    let key = RecordKey::new(RECORD);
    let wrapped = backend.keys.wrap_key(&id, &key, CONTEXT).await?;
    Ok((id, wrapped))
}

async fn what_is_wrapped_is_unwrapped_each_time(backend: &KeyBackend) -> Checked {
    for _ in 0..3 {
        let (id, wrapped) = wrapped(backend).await?;
        let shown = wrapped.windows(RECORD.len()).any(|part| part == RECORD);
        check!(!shown, "the key is in the clear in what was wrapped");
        for _ in 0..2 {
            let same = backend.unwraps(&id, &wrapped).await;
            check!(same, "what was wrapped does not come back");
        }
    }
    Ok(())
}

async fn the_current_key_stays_until_there_is_a_new_one(backend: &KeyBackend) -> Checked {
    let id = backend.keys.current_key_id().await?;
    let length = id.chars().count();
    check!((1..=200).contains(&length), "an id of {length} characters");
    for _ in 0..3 {
        equal("current", &backend.keys.current_key_id().await?, &id)?;
    }
    Ok(())
}

async fn an_id_that_is_not_there_is_the_wrong_key(backend: &KeyBackend) -> Checked {
    let (_, wrapped) = wrapped(backend).await?;
    let unknown = backend.keys.unwrap_key("no such key", &wrapped, CONTEXT);
    let Err(error) = unknown.await else {
        check!(false, "a key that is not there unwraps");
        return Ok(());
    };
    equal("code", error.code(), "secret.wrong_key")
}

async fn what_was_changed_is_not_unwrapped(backend: &KeyBackend) -> Checked {
    let (id, wrapped) = wrapped(backend).await?;
    for at in [0, wrapped.len() / 2, wrapped.len().saturating_sub(1)] {
        let mut changed = wrapped.clone();
        changed
            .iter_mut()
            .skip(at)
            .take(1)
            .for_each(|byte| *byte ^= 1);
        let answer = backend.keys.unwrap_key(&id, &changed, CONTEXT).await;
        check!(answer.is_err(), "byte {at} was changed and it unwraps");
    }
    let cut = wrapped.split_last().map_or(&[][..], |(_, cut)| cut);
    for short in [&[][..], cut] {
        let answer = backend.keys.unwrap_key(&id, short, CONTEXT).await;
        check!(answer.is_err(), "{} bytes unwrap", short.len());
    }
    Ok(())
}

async fn a_new_key_is_current_and_the_old_one_still_unwraps(backend: &KeyBackend) -> Checked {
    let (old, before) = wrapped(backend).await?;
    backend.add_key()?;
    let (new, after) = wrapped(backend).await?;
    check!(old != new, "the new key has the id of the old one");
    for (id, wrapped) in [(&old, &before), (&new, &after)] {
        let same = backend.unwraps(id, wrapped).await;
        check!(same, "key {id} does not unwrap");
    }
    Ok(())
}

async fn a_key_in_use_and_the_current_one_are_never_retired(backend: &KeyBackend) -> Checked {
    let (old, before) = wrapped(backend).await?;
    backend.add_key()?;
    let (new, after) = wrapped(backend).await?;
    let in_use = BTreeSet::from([old.clone()]);
    let retired = backend.keys.retire_unused_keys(&in_use).await?;
    equal("retired while in use", retired, vec![""; 0])?;
    check!(
        backend.unwraps(&old, &before).await,
        "the key in use is gone"
    );
    let retired = backend.keys.retire_unused_keys(&BTreeSet::new()).await?;
    check!(!retired.contains(&new), "the current key was retired");
    check!(
        backend.unwraps(&new, &after).await,
        "the current key is gone"
    );
    let gone = !backend.unwraps(&old, &before).await;
    equal("gone as told", gone, retired.contains(&old))
}

async fn debug_output_shows_no_key(backend: &KeyBackend) -> Checked {
    let (_, wrapped) = wrapped(backend).await?;
    let shown = format!(
        "{:?} {:#?} {:?}",
        backend.keys,
        backend.keys,
        RecordKey::new(RECORD)
    );
    for bytes in [&RECORD[..], &wrapped] {
        let list = format!("{bytes:?}");
        let list = list.trim_matches(['[', ']']);
        let text = String::from_utf8_lossy(bytes);
        check!(
            !shown.contains(list) && !shown.contains(&*text),
            "the debug output shows a key"
        );
    }
    Ok(())
}
