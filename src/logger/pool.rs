//! [`LoggerPool`]: many mailboxes in one process, and over several processes on one store.
//!
//! Each mailbox has an [`EmailLogger`] of its own. The pool decides whose turn it is, and nothing else: a lease per mailbox
//! keeps several pools apart, as it does single loggers. It spawns nothing: turns are joined in the future that the host
//! polls, and time comes from an injected clock.

mod budget;
mod ear;
mod health;
mod mailbox;
mod seat;
mod settings;
mod turn;
mod watch;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::{Notify, watch as signal};

use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::error::{Error, Result, codes};
#[cfg(feature = "http")]
use crate::source::{ThrottlingGate, ThrottlingGates};
use crate::wish::Wish;

use super::EmailLogger;
use super::report::{RunError, RunReport};
use super::shutdown::Shutdown;

use ear::Ear;
use seat::Seat;
use turn::{Ended, Turn};

pub use budget::ConnectionBudget;
pub use health::{LastFailure, MailboxHealth, MailboxState, PoolHealth};
pub use mailbox::PoolMailbox;
pub use settings::PoolSettings;
pub use watch::{CredentialWatch, SecretWatch};

/// Runs the loggers of many mailboxes, in turn. Clones share it.
///
/// * Fair: of the mailboxes that are due, the one whose last turn is the longest ago is next, and a turn is bounded
///   ([`PoolSettings::turn`]), so that a full mailbox delays no other.
/// * A mailbox that fails waits longer each time, alone. One whose sign-in needs a person pauses until
///   [`credentials_changed`](Self::credentials_changed) is called, or until its [`CredentialWatch`] sees a change.
/// * A mailbox whose server wants to be left alone for longer than [`PoolSettings::longest_wait`], at once or in all waits of
///   a turn, gives its turn back and has the next one when that time is over. So does every other pool on the store, in
///   whichever process: the store keeps the wish ([`release_quiet`](crate::store::MailLedger::release_quiet)). One that came
///   in a turn that was dropped or killed is forgotten.
/// * Calls to mail systems are bounded for each mailbox and in all ([`ConnectionBudget`]).
/// * Several pools, in one process or in several, may have the same mailboxes: the lease of the store lets one work on
///   each, and the others look again later.
#[derive(Debug, Clone)]
pub struct LoggerPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: PoolSettings,
    budget: ConnectionBudget,
    #[cfg(feature = "http")]
    gates: ThrottlingGates,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    seats: Mutex<Seats>,
    /// Somebody changed when a turn is due.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Seats {
    by_mailbox: BTreeMap<PoolMailbox, Seat>,
    /// Turns that were begun.
    turns: u64,
}

type RunningTurn = Pin<Box<dyn Future<Output = Ended> + Send>>;
type Listening = Pin<Box<dyn Future<Output = ()> + Send>>;

impl LoggerPool {
    /// A pool without mailboxes, with a budget of its own.
    pub fn new(settings: PoolSettings) -> Self {
        let budget = ConnectionBudget::new(settings.connections, settings.connections_per_mailbox);
        Self::with_budget(settings, budget)
    }

    /// A pool that shares the budget of others.
    pub fn with_budget(settings: PoolSettings, budget: ConnectionBudget) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                budget,
                #[cfg(feature = "http")]
                gates: ThrottlingGates::new(),
                clock: Arc::new(SystemClock),
                entropy: Arc::new(SystemEntropy),
                seats: Mutex::default(),
                changed: Notify::new(),
            }),
        }
    }

    /// Another clock and another source of randomness, for tests. To be called before the pool is cloned: a pool that is
    /// shared already keeps its own.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            (inner.clock, inner.entropy) = (clock, entropy);
        }
        self
    }

    /// The gate that every source of a mailbox with a credential is to have
    /// ([`with_gate`](crate::source::ews::EwsSourceBuilder::with_gate)), so that what the server says to one logger of the
    /// pair holds all of them, and no other. See [`ThrottlingGates::of`].
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "ews", feature = "graph"))))]
    pub fn gate(&self, mailbox: &str, credential: &str) -> ThrottlingGate {
        self.inner.gates.of(mailbox, credential)
    }

    /// The gates of the pool, for a connector ([`with_gates`](crate::setup::EwsConnectorBuilder::with_gates)) or for other
    /// pools.
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "ews", feature = "graph"))))]
    pub fn gates(&self) -> ThrottlingGates {
        self.inner.gates.clone()
    }

    /// Takes a mailbox up, also while the pool runs. Its first turn is due at once.
    ///
    /// The calls of the logger's source count against the budget from here on, and a longer wait than
    /// [`PoolSettings::longest_wait`] ends the turn. That a call waits no longer holds for every clone of the source from
    /// here on, whoever else calls it, and it stays so after [`remove`](Self::remove). The bound on all waits together holds
    /// during the turns.
    ///
    /// # Errors
    ///
    /// `Config` (`config.invalid`): the pool has this mailbox of this scope already.
    pub fn add(&self, logger: EmailLogger) -> Result<PoolMailbox> {
        self.seat(logger, None)
    }

    /// As [`add`](Self::add), with a watch on the credentials: a mailbox that was paused goes on when they change, in
    /// whatever process they were changed.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn add_watched(
        &self,
        logger: EmailLogger,
        credentials: Arc<dyn CredentialWatch>,
    ) -> Result<PoolMailbox> {
        self.seat(logger, Some(credentials))
    }

    fn seat(
        &self,
        mut logger: EmailLogger,
        credentials: Option<Arc<dyn CredentialWatch>>,
    ) -> Result<PoolMailbox> {
        let mailbox = PoolMailbox::new(logger.parts.scope.clone(), logger.parts.mailbox.clone());
        let mut seats = self.inner.seats();
        if seats.by_mailbox.contains_key(&mailbox) {
            let error = Error::new(&codes::CONFIG_INVALID, "add");
            return Err(error.with_detail("the pool has this mailbox already"));
        }
        let source = Arc::clone(&logger.parts.source);
        source.wait_at_most(self.inner.settings.longest_wait);
        let bound = self.inner.budget.bound_to(&mailbox, source);
        logger.parts.source = Arc::new(bound);
        let seat = Seat::new(logger, credentials, self.inner.clock.now());
        seats.by_mailbox.insert(mailbox.clone(), seat);
        drop(seats);
        self.inner.changed.notify_one();
        Ok(mailbox)
    }

    /// Lets a mailbox go. A turn that is under way drains first; until then [`health`](Self::health) shows it. Answers
    /// whether the pool had it.
    pub fn remove(&self, mailbox: &PoolMailbox) -> bool {
        let mut seats = self.inner.seats();
        let Some(seat) = seats.by_mailbox.get_mut(mailbox) else {
            return false;
        };
        if seat.leave() {
            seats.by_mailbox.remove(mailbox);
        }
        drop(seats);
        self.inner.changed.notify_one();
        true
    }

    /// The logger of a mailbox, for what a person asks for beside the schedule.
    pub fn logger(&self, mailbox: &PoolMailbox) -> Option<Arc<EmailLogger>> {
        let seats = self.inner.seats();
        let seat = seats.by_mailbox.get(mailbox)?;
        Some(Arc::clone(&seat.logger))
    }

    /// Makes the next turn of a mailbox due now: mail may have arrived. A back-off and a pause are kept. Answers whether
    /// the pool has the mailbox.
    pub fn wake(&self, mailbox: &PoolMailbox) -> bool {
        self.change(mailbox, Seat::wake)
    }

    /// The credentials of a mailbox are new: a pause and a back-off end. Answers whether the pool has the mailbox. A wish of
    /// its mail system to be left alone holds all the same.
    pub fn credentials_changed(&self, mailbox: &PoolMailbox) -> bool {
        self.change(mailbox, Seat::resume)
    }

    fn change(&self, mailbox: &PoolMailbox, change: impl FnOnce(&mut Seat, Timestamp)) -> bool {
        let now = self.inner.clock.now();
        let mut seats = self.inner.seats();
        let Some(seat) = seats.by_mailbox.get_mut(mailbox) else {
            return false;
        };
        change(seat, now);
        drop(seats);
        self.inner.changed.notify_one();
        true
    }

    /// How every mailbox is, as its last turn left it. Asks nobody.
    pub fn health(&self) -> PoolHealth {
        let now = self.inner.clock.now();
        let seats = self.inner.seats();
        let mailboxes = seats.by_mailbox.iter();
        PoolHealth {
            at: now,
            mailboxes: mailboxes
                .map(|(mailbox, seat)| seat.health(mailbox, now))
                .collect(),
            connections: self.inner.budget.in_use(),
        }
    }

    /// Gives every due mailbox its turn, sooner after a hint of its wake-ups
    /// ([`with_wakeup`](super::EmailLoggerBuilder::with_wakeup), [`PoolSettings::hint_pause`]), until `shutdown` is ready;
    /// then drains: no turn begins, those under way finish what is committed and give their leases back. The end of every
    /// turn is told to `on_turn`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is like a crash of its runs: nothing is lost or logged twice, and calling it again goes on.
    pub async fn run(
        &self,
        shutdown: impl Future<Output = ()> + Send,
        mut on_turn: impl FnMut(&PoolMailbox, &Result<RunReport, RunError>) + Send,
    ) {
        let mut shutdown = pin!(shutdown);
        let mut shutdown = Shutdown::new(shutdown.as_mut());
        let drain = signal::Sender::new(false);
        let mut turns: FuturesUnordered<RunningTurn> = FuturesUnordered::new();
        let mut ears: FuturesUnordered<Listening> = FuturesUnordered::new();
        loop {
            if !shutdown.has_come().await {
                while let Some(turn) = self.inner.next_turn() {
                    turns.push(Box::pin(turn.take(drain.subscribe())));
                }
                while let Some(ear) = self.inner.next_ear() {
                    ears.push(Box::pin(ear.begin().listen()));
                }
            } else if turns.is_empty() {
                return;
            }
            let goes_on = !shutdown.came();
            tokio::select! {
                biased;
                () = shutdown.wait() => { drain.send_replace(true); }
                Some(ended) = turns.next() => self.end(&ended, &mut on_turn),
                Some(()) = ears.next() => {}
                () = self.inner.changed.notified() => {}
                () = self.inner.until_due(), if goes_on => {}
            }
        }
    }

    fn end(
        &self,
        ended: &Ended,
        on_turn: &mut (impl FnMut(&PoolMailbox, &Result<RunReport, RunError>) + Send),
    ) {
        if let Some(result) = self.inner.finish(ended) {
            on_turn(&ended.mailbox, result);
        }
    }
}

impl Inner {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        // A panic of a host's callback leaves every seat whole.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The turn that is next, if one is due and there is room for it.
    fn next_turn(self: &Arc<Self>) -> Option<Turn> {
        let now = self.clock.now();
        let mut seats = self.seats();
        if seats.running() >= self.settings.runs.max(1) as usize {
            return None;
        }
        let number = seats.turns + 1;
        let (mailbox, seat) = seats
            .by_mailbox
            .iter_mut()
            .filter(|(_, seat)| seat.is_due(now))
            .min_by_key(|(_, seat)| seat.last_turn)?;
        seat.begin(number, now);
        let turn = Turn::new(Arc::clone(self), mailbox.clone(), seat);
        seats.turns = number;
        Some(turn)
    }

    /// The next mailbox whose hints nobody waits for.
    fn next_ear(self: &Arc<Self>) -> Option<Ear> {
        let mut seats = self.seats();
        let mut unheard = seats.by_mailbox.iter_mut();
        let (mailbox, seat) = unheard.find(|(_, seat)| seat.is_unheard())?;
        seat.listen();
        Some(Ear::new(Arc::clone(self), mailbox.clone(), seat))
    }

    /// The wait for a hint of a mailbox is over.
    fn hear(&self, mailbox: &PoolMailbox, came: bool) {
        let now = self.clock.now();
        let mut seats = self.seats();
        if let Some(seat) = seats.by_mailbox.get_mut(mailbox) {
            seat.hear(came, now);
        }
    }

    /// Returns when the next turn is due; never where the end of another one has to come first.
    async fn until_due(&self) {
        let now = self.clock.now();
        let Some(next) = self.next_due(now) else {
            return std::future::pending().await;
        };
        self.clock.sleep(next.left(now)).await;
        let now = self.clock.now();
        let mut seats = self.seats();
        let seats = seats.by_mailbox.values_mut();
        seats.for_each(|seat| seat.sat_out(next, now));
    }

    /// The shortest wait for a turn.
    fn next_due(&self, now: Timestamp) -> Option<Wish> {
        let mut seats = self.seats();
        if seats.running() >= self.settings.runs.max(1) as usize {
            return None;
        }
        let seats = seats.by_mailbox.values_mut();
        let waits = seats.filter_map(|seat| seat.next_due(now));
        waits.min_by_key(|due| due.left(now))
    }

    /// Takes the end of a turn to its seat. Answers what is to be told of it.
    fn finish<'a>(&self, ended: &'a Ended) -> Option<&'a Result<RunReport, RunError>> {
        let now = self.clock.now();
        let mut seats = self.seats();
        let seat = seats.by_mailbox.get_mut(&ended.mailbox)?;
        seat.end(ended, now, &self.settings, self.entropy.as_ref());
        if seat.has_left() {
            seats.by_mailbox.remove(&ended.mailbox);
        }
        ended.result.as_ref()
    }

    /// A turn was dropped: its mailbox is free again.
    fn abandon(&self, mailbox: &PoolMailbox) {
        let mut seats = self.seats();
        let Some(seat) = seats.by_mailbox.get_mut(mailbox) else {
            return;
        };
        seat.abandon();
        if seat.has_left() {
            seats.by_mailbox.remove(mailbox);
        }
    }
}

impl Seats {
    fn running(&self) -> usize {
        let seats = self.by_mailbox.values();
        seats.filter(|seat| seat.is_running()).count()
    }
}
