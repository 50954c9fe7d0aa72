//! A store in memory, for tests and demonstrations.
//!
//! Every role of a store over ordered maps behind one lock, so that a commit is one step for everybody else. Faults can
//! be planned for tests. It must not know the logger or any other store.

mod commit;
mod cursor;
mod feed;
mod ledger;
mod log;
mod opportunity;
mod privacy;
mod reports;
mod review;
mod row;
mod search;
mod secret;
mod tables;
mod text;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use self::tables::{ScopeTables, Tables};
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::error::{Error, Result};
use crate::faults::Faults;
use crate::ids::{EventId, uuid_v7};
use crate::scope::Scope;

/// Everything in memory; gone with the process.
///
/// It behaves as the other stores do, lease epochs included. Share it as an `Arc`.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tables: Tables,
    faults: Faults<StoreOperation, Fault>,
}

enum Fault {
    Fails(Error),
    LosesReply(Error),
}

/// An operation of a store that a test can make fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs)] // each is the trait's method of the same name; `Release` is `release_quiet` too
pub enum StoreOperation {
    Acquire,
    Renew,
    Release,
    Known,
    KeysOf,
    WithMessageIds,
    Stage,
    Staged,
    Commit,
    PendingMoves,
    Undelivered,
    Requeue,
    Entries,
    Mails,
    Entry,
    Mail,
    Original,
    Decisions,
    Annotate,
    Cancel,
    Unindexed,
    PutContent,
    ReadEvents,
    Acknowledge,
    LoadSetup,
    SaveSetup,
    LoadSecret,
    SaveSecret,
    EraseSecrets,
    ListSecrets,
    CreateOpportunity,
    LoadOpportunity,
    SaveOpportunity,
    DeleteOpportunity,
    Opportunities,
    CountInteractions,
    StageStatistics,
    SalesCycles,
    PutSalesCycle,
    CloseCodes,
    PutCloseCode,
    OpportunitySetup,
    PutOpportunitySetup,
    Count,
    Statistics,
    Conversation,
    DeleteCanceled,
    ReviewItems,
    ReviewCounts,
    Resolve,
    MailsNaming,
    Relink,
    LoadNeverLog,
    SaveNeverLog,
    Announce,
    Affected,
    RemoveMails,
    ForgetPerson,
    MarkMail,
    UnmarkMail,
    Marks,
    Shred,
}

impl MemoryStore {
    /// An empty store with the system's clock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the time, and so the expiry of leases, from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes the randomness of event ids from here.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Makes the next call of an operation fail before it has an effect. Called again, it is the call after that.
    pub fn fail_next(&self, operation: StoreOperation, error: Error) {
        self.state()
            .faults
            .plan_next(operation, Fault::Fails(error));
    }

    /// Makes the next call of an operation have its effect and then fail, as a lost reply does.
    pub fn lose_next_reply(&self, operation: StoreOperation, error: Error) {
        self.state()
            .faults
            .plan_next(operation, Fault::LosesReply(error));
    }

    /// Makes the n-th call of an operation fail before it has an effect; counted from 1, from the store's beginning.
    pub fn fail_call(&self, operation: StoreOperation, nth: u64, error: Error) {
        self.state()
            .faults
            .plan(operation, nth, Fault::Fails(error));
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: StoreOperation) -> u64 {
        self.state().faults.count(operation)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does an operation on the rows of a scope, with the fault that was planned for it.
    fn call<T>(
        &self,
        operation: StoreOperation,
        scope: &Scope,
        work: impl FnOnce(&mut ScopeTables, &Stamp<'_>) -> Result<T>,
    ) -> Result<T> {
        let stamp = Stamp {
            store: self,
            now: self.clock.now(),
        };
        self.call_all(operation, |tables| work(tables.of(scope), &stamp))
    }

    /// Does an operation on the rows of every scope.
    fn call_all<T>(
        &self,
        operation: StoreOperation,
        work: impl FnOnce(&mut Tables) -> Result<T>,
    ) -> Result<T> {
        let mut state = self.state();
        let fault = state.faults.next(operation);
        if let Some(Fault::Fails(error)) = fault {
            return Err(error);
        }
        let answer = work(&mut state.tables);
        match fault {
            Some(Fault::LosesReply(error)) => Err(error),
            _ => answer,
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            state: Mutex::default(),
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// The time of one operation, the same for all that it writes, and new ids.
struct Stamp<'a> {
    store: &'a MemoryStore,
    now: Timestamp,
}

impl Stamp<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn event_id(&self) -> EventId {
        EventId::from_bytes(uuid_v7(
            self.store.clock.as_ref(),
            self.store.entropy.as_ref(),
        ))
    }
}
