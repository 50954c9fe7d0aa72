//! A directory that remembers answers of another one for a while.

mod memo;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{ContactDirectory, ContactEditor};
use crate::clock::Clock;
use crate::error::{Error, Result, codes};
use crate::ids::ContactNo;
use crate::message::Address;
use crate::parties::{AddressParties, NewContact};
use crate::scope::Scope;

use memo::Memo;

/// A cache before a slower directory.
///
/// Only addresses that are not remembered are asked, in one call and each once. Answers are kept 5 minutes, the answer that
/// nobody has an address 30 seconds, errors never; beyond 10,000 answers the one that was not used for longest is
/// forgotten. A change in the directory is seen when its answer expires, or at once after [`invalidate`](Self::invalidate).
pub struct CachedDirectory {
    inner: Arc<dyn ContactDirectory>,
    clock: Arc<dyn Clock>,
    memory_time: Duration,
    memory_time_of_nobody: Duration,
    memo: Mutex<Memo>,
}

impl CachedDirectory {
    /// A cache before this directory.
    pub fn new(inner: Arc<dyn ContactDirectory>, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            clock,
            memory_time: Duration::from_mins(5),
            memory_time_of_nobody: Duration::from_secs(30),
            memo: Mutex::new(Memo::new(10_000)),
        }
    }

    /// How long an answer is kept; default 5 minutes.
    #[must_use]
    pub fn with_memory_time(mut self, time: Duration) -> Self {
        self.memory_time = time;
        self
    }

    /// How long the answer that nobody has an address is kept; default 30 seconds.
    #[must_use]
    pub fn with_memory_time_of_nobody(mut self, time: Duration) -> Self {
        self.memory_time_of_nobody = time;
        self
    }

    /// How many answers are kept; default 10,000. With 0 nothing is remembered.
    #[must_use]
    pub fn with_capacity(self, answers: usize) -> Self {
        self.memo().resize(answers);
        self
    }

    /// Forgets what is known about an address, in every scope.
    pub fn invalidate(&self, address: &Address) {
        self.memo().forget(address);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.memo().clear();
    }

    fn memo(&self) -> MutexGuard<'_, Memo> {
        self.memo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the directory and remembers, unless something was invalidated meanwhile: the answer may be older than that.
    async fn ask(&self, scope: &Scope, missing: &[Address], generation: u64) -> Result<Answers> {
        let answers = self.inner.resolve(scope, missing).await?;
        if answers.len() != missing.len() {
            let error = Error::new(&codes::DIRECTORY_INVALID, "CachedDirectory::resolve");
            return Err(error.with_detail("another number of answers than of addresses"));
        }
        let answers: Answers = missing.iter().cloned().zip(answers).collect();
        let now = self.clock.now();
        let mut memo = self.memo();
        if memo.generation() == generation {
            for (address, answer) in &answers {
                let time = if answer.is_empty() {
                    self.memory_time_of_nobody
                } else {
                    self.memory_time
                };
                memo.remember(
                    scope,
                    address,
                    answer,
                    now.saturating_add(time).unwrap_or(now),
                );
            }
        }
        Ok(answers)
    }
}

type Answers = BTreeMap<Address, AddressParties>;

impl fmt::Debug for CachedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedDirectory")
            .field("inner", &self.inner)
            .field("memory_time", &self.memory_time)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ContactDirectory for CachedDirectory {
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let now = self.clock.now();
        let (mut known, generation) = {
            let mut memo = self.memo();
            let recalled = addresses.iter().filter_map(|address| {
                let answer = memo.recall(scope, address, now)?;
                Some((address.clone(), answer))
            });
            (recalled.collect::<Answers>(), memo.generation())
        };
        let mut missing: Vec<Address> = addresses.to_vec();
        missing.retain(|address| !known.contains_key(address));
        missing.sort();
        missing.dedup();
        if !missing.is_empty() {
            known.extend(self.ask(scope, &missing, generation).await?);
        }
        let answers = addresses.iter().map(|address| known.get(address).cloned());
        Ok(answers.map(Option::unwrap_or_default).collect())
    }
}

/// An editor that makes the cache forget an address for which it created a contact.
#[derive(Debug)]
pub struct CachedEditor {
    inner: Arc<dyn ContactEditor>,
    cache: Arc<CachedDirectory>,
}

impl CachedEditor {
    /// An editor beside this cache.
    pub fn new(inner: Arc<dyn ContactEditor>, cache: Arc<CachedDirectory>) -> Self {
        Self { inner, cache }
    }
}

#[async_trait]
impl ContactEditor for CachedEditor {
    async fn create_contact(&self, scope: &Scope, contact: &NewContact) -> Result<ContactNo> {
        let created = self.inner.create_contact(scope, contact).await;
        // Also after an error: its effect may have been reached all the same.
        self.cache.invalidate(&contact.address);
        created
    }
}
