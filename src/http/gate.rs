//! The back-off gate: one server's wish to wait holds every call of a mailbox with a credential.
//!
//! Owns the wish, the probe after it and how many requests may be open after the server said that there are too many. Knows
//! nothing of what is asked.

mod crowd;
mod shared;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::clock::{Clock, Entropy};
use crate::error::{Code, Error, Result, codes};
use crate::wish::Wish;
use crowd::Crowd;

pub use shared::ThrottlingGates;

/// The requests, and running parts of batches, that Graph lets one application have open at one mailbox (Microsoft Graph
/// service-specific throttling limits, "Outlook service limits").
pub(crate) const FEW: u32 = 4;

/// Holds every call of one mailbox with one credential while the server wants to be left alone.
///
/// A source has a gate of its own and shares it with its clones. Where a process has several sources for the same mailbox
/// with the same credential, give all of them one gate ([`with_gate`](crate::source::ews::EwsSourceBuilder::with_gate)):
/// what the server tells one of them then holds all. Sources with other mailboxes or credentials have budgets of their own
/// and need other gates. Cloning is cheap and gives the same gate.
///
/// No call is sent before the named time is over (`Retry-After`, `BackOffMilliseconds`, the longer of both; at most a day).
/// Each call adds a jitter of up to a twentieth of the wait and at most a second. Then one call goes alone; the others follow
/// once it is answered and the answer is no new wish to wait. What a call may take upon itself is the
/// [`longest wait`](crate::source::ews::EwsSourceBuilder::with_longest_wait) of its source.
///
/// After `ErrorExceededConnectionCount` half as many requests may be open as were, over all sources of the gate; each minute
/// without another adds one, until there are as many as before.
///
/// A gate lives as long as its process. What it knows when a run of a logger ends is kept in the store, so that no other run
/// asks sooner, in whichever process ([`release_quiet`](crate::store::MailLedger::release_quiet)). Calls that are made
/// without a logger are held by the gate alone.
///
/// The sources of a gate need the same [clock](crate::clock::Clock).
#[derive(Clone, Default)]
pub struct ThrottlingGate {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Notify,
    /// The places of requests to Graph.
    few: Arc<Semaphore>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changed: Notify::default(),
            few: Arc::new(Semaphore::new(FEW as usize)),
        }
    }
}

#[derive(Default)]
struct State {
    hold: Option<Wish>,
    probing: bool,
    crowd: Crowd,
}

impl ThrottlingGate {
    /// An open gate.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ThrottlingGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("ThrottlingGate")
            .field("hold", &state.hold)
            .field("probing", &state.probing)
            .field("crowd", &state.crowd)
            .finish()
    }
}

/// A source's view of its gate.
#[derive(Debug)]
pub(crate) struct Gate {
    shared: ThrottlingGate,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// In microseconds.
    longest: AtomicU64,
    allowance: Mutex<Allowance>,
    /// What a wait that is too long is called.
    throttled: &'static Code,
}

/// What calls may still wait, all together.
#[derive(Debug)]
struct Allowance {
    left: Duration,
    /// The end of the waits that were taken; calls that wait side by side take one wait.
    taken_until: Timestamp,
}

impl Allowance {
    fn of(sum: Duration) -> Self {
        Self {
            left: sum,
            taken_until: Timestamp::MIN,
        }
    }

    /// Takes a wait from now on. Answers whether there is so much left.
    fn take(&mut self, now: Timestamp, wait: Duration) -> bool {
        let span = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(span).unwrap_or(Timestamp::MAX);
        let more = until.duration_since(self.taken_until.max(now));
        let more = Duration::try_from(more).unwrap_or(Duration::ZERO);
        let Some(left) = self.left.checked_sub(more) else {
            return false;
        };
        self.left = left;
        self.taken_until = self.taken_until.max(until);
        true
    }
}

/// What the gate says to a call.
enum Told {
    Go,
    Probe(Wish),
    Wait(Wish, Duration),
    Queue,
}

impl Gate {
    /// A view of the gate; `longest` is the longest wait that a call takes upon itself.
    pub(crate) fn new(
        shared: ThrottlingGate,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        longest: Duration,
    ) -> Self {
        Self {
            shared,
            clock,
            entropy,
            longest: AtomicU64::new(micros(longest)),
            allowance: Mutex::new(Allowance::of(Duration::MAX)),
            throttled: &codes::EWS_THROTTLED,
        }
    }

    /// Calls a wait that is too long by this code of its protocol's.
    #[cfg_attr(not(feature = "graph"), allow(dead_code))]
    pub(crate) fn with_code(mut self, throttled: &'static Code) -> Self {
        self.throttled = throttled;
        self
    }

    /// Takes no longer wait upon itself from now on than this.
    pub(crate) fn wait_at_most(&self, longest: Duration) {
        self.longest.fetch_min(micros(longest), Ordering::Relaxed);
    }

    /// Takes no more than this upon itself in all from now on, whatever was waited before.
    pub(crate) fn wait_in_all_at_most(&self, sum: Duration) {
        let allowance = self.allowance.lock();
        *allowance.unwrap_or_else(PoisonError::into_inner) = Allowance::of(sum);
    }

    /// How long every call is still held.
    pub(crate) fn asked_to_wait(&self) -> Option<Duration> {
        let hold = self.shared.state().hold?;
        Some(hold.left(self.clock.now())).filter(|left| !left.is_zero())
    }

    fn may_wait(&self, wait: Duration) -> bool {
        let allowance = self.allowance.lock();
        let mut allowance = allowance.unwrap_or_else(PoisonError::into_inner);
        wait <= self.longest() && allowance.take(self.clock.now(), wait)
    }

    fn longest(&self) -> Duration {
        Duration::from_micros(self.longest.load(Ordering::Relaxed))
    }

    /// Holds every call for this long; a shorter wish never shortens a longer one.
    pub(crate) fn hold(&self, length: Duration) {
        let now = self.clock.now();
        let wish = Wish::new(length, now);
        let mut state = self.shared.state();
        // What is left is compared, not the ends: the clock may have been set back between the two.
        if state.hold.is_none_or(|held| held.left(now) < wish.length) {
            state.hold = Some(wish);
        }
    }

    /// Lets fewer requests be open from now on, because the server says that there are too many.
    pub(crate) fn shrink(&self) {
        let now = self.clock.now();
        self.shared.state().crowd.shrink(now);
    }

    /// Whether a wish to wait came since a call has passed.
    pub(crate) fn is_held(&self) -> bool {
        let hold = self.shared.state().hold;
        hold.is_some_and(|hold| !hold.left(self.clock.now()).is_zero())
    }

    /// Waits until the gate is open. The call is answered when the pass is dropped.
    ///
    /// # Errors
    ///
    /// `Throttled` when the wait is longer than this source may take upon itself.
    pub(crate) async fn pass(&self, operation: &'static str) -> Result<Pass> {
        loop {
            let mut changed = std::pin::pin!(self.shared.shared.changed.notified());
            changed.as_mut().enable();
            match self.ask() {
                Told::Go => return Ok(Pass(None)),
                Told::Probe(hold) => return Ok(Pass(Some((self.shared.clone(), hold)))),
                Told::Wait(_, left) if !self.may_wait(left) => {
                    let error = Error::new(self.throttled, operation);
                    return Err(error.with_retry_after(left));
                }
                Told::Wait(hold, left) => {
                    self.clock.sleep(left + self.jitter(left)).await;
                    self.sat_out(hold);
                }
                Told::Queue => changed.await,
            }
        }
    }

    /// Waits until one more request may be open. It is open until the place is dropped.
    pub(crate) async fn place(&self) -> OpenPlace {
        loop {
            let mut changed = std::pin::pin!(self.shared.shared.changed.notified());
            changed.as_mut().enable();
            if self.shared.state().crowd.enter(self.clock.now()) {
                return OpenPlace(self.shared.clone());
            }
            changed.await;
        }
    }

    /// Waits, in turn, until so many more of the [`FEW`] may be open: 1 for a request, up to 4 for a batch, whose parts run at
    /// once. All sources of the gate share them.
    #[cfg_attr(not(feature = "graph"), allow(dead_code))]
    pub(crate) async fn few(&self, count: u32) -> Option<OwnedSemaphorePermit> {
        let few = Arc::clone(&self.shared.shared.few);
        // It is never closed.
        few.acquire_many_owned(count.clamp(1, FEW)).await.ok()
    }

    fn ask(&self) -> Told {
        let now = self.clock.now();
        let mut state = self.shared.state();
        match state.hold {
            Some(hold) if !hold.left(now).is_zero() => Told::Wait(hold, hold.left(now)),
            _ if state.probing => Told::Queue,
            Some(hold) => {
                state.probing = true;
                Told::Probe(hold)
            }
            None => Told::Go,
        }
    }

    /// Notes that a wish was waited for, whatever the clock says.
    fn sat_out(&self, waited: Wish) {
        let mut state = self.shared.state();
        if state.hold == Some(waited) {
            state.hold = Some(waited.over());
        }
    }

    /// Up to a twentieth of the wait and at most a second, so that several hosts do not come back together.
    fn jitter(&self, wait: Duration) -> Duration {
        let mut bytes = [0; 2];
        self.entropy.fill(&mut bytes);
        let most = (wait / 20).min(Duration::from_secs(1));
        most * u32::from(u16::from_le_bytes(bytes)) / u32::from(u16::MAX)
    }
}

fn micros(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros()).unwrap_or(u64::MAX)
}

/// One call that has passed. While it is the first after a wish to wait, the others wait for its answer.
#[must_use]
pub(crate) struct Pass(Option<(ThrottlingGate, Wish)>);

impl Drop for Pass {
    fn drop(&mut self) {
        let Some((gate, passed)) = self.0.take() else {
            return;
        };
        let mut state = gate.state();
        state.probing = false;
        if state.hold == Some(passed) {
            state.hold = None;
        }
        drop(state);
        gate.shared.changed.notify_waiters();
    }
}

/// One request that is open.
#[must_use]
pub(crate) struct OpenPlace(ThrottlingGate);

impl Drop for OpenPlace {
    fn drop(&mut self) {
        self.0.state().crowd.leave();
        self.0.shared.changed.notify_waiters();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use async_trait::async_trait;

    /// A clock that moves only by waiting, and writes the waits down.
    #[derive(Debug, Default)]
    struct Waits(Mutex<(Duration, Vec<Duration>)>);

    #[async_trait]
    impl Clock for Waits {
        fn now(&self) -> Timestamp {
            let elapsed = self.0.lock().unwrap().0;
            Timestamp::UNIX_EPOCH + SignedDuration::try_from(elapsed).unwrap()
        }

        async fn sleep(&self, wait: Duration) {
            let mut state = self.0.lock().unwrap();
            state.0 += wait;
            state.1.push(wait);
        }
    }

    #[derive(Debug)]
    struct NoJitter;

    impl Entropy for NoJitter {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn gate() -> (Arc<Waits>, Gate) {
        let clock = Arc::new(Waits::default());
        let shared: Arc<dyn Clock> = Arc::<Waits>::clone(&clock);
        (
            clock,
            Gate::new(
                ThrottlingGate::new(),
                shared,
                Arc::new(NoJitter),
                Duration::from_secs(100),
            ),
        )
    }

    #[tokio::test]
    async fn every_call_waits_exactly_what_the_server_asked_for() {
        let (clock, gate) = gate();
        drop(gate.pass("GetItem").await.unwrap());
        gate.hold(Duration::from_millis(1500));
        gate.hold(Duration::from_millis(500));
        drop(gate.pass("GetItem").await.unwrap());
        drop(gate.pass("GetItem").await.unwrap());
        assert_eq!(clock.0.lock().unwrap().1, [Duration::from_millis(1500)]);
    }

    #[tokio::test]
    async fn a_wait_beyond_the_limit_is_the_callers() {
        let (clock, gate) = gate();
        gate.hold(Duration::from_secs(101));
        let error = gate.pass("GetItem").await.err().unwrap();
        assert_eq!(error.code(), "ews.throttled");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(101)));
        assert!(clock.0.lock().unwrap().1.is_empty());
    }

    #[tokio::test]
    async fn the_limit_can_be_made_shorter_and_never_longer() {
        let (clock, gate) = gate();
        gate.wait_at_most(Duration::from_secs(15));
        gate.wait_at_most(Duration::MAX);
        gate.hold(Duration::from_secs(15));
        drop(gate.pass("GetItem").await.unwrap());
        gate.hold(Duration::from_secs(16));
        let error = gate.pass("GetItem").await.err().unwrap();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(16)));
        assert_eq!(clock.0.lock().unwrap().1, [Duration::from_secs(15)]);
    }

    #[tokio::test]
    async fn the_waits_of_all_calls_together_have_a_limit_until_it_is_set_anew() {
        let (clock, gate) = gate();
        gate.wait_in_all_at_most(Duration::from_secs(15));
        gate.hold(Duration::from_secs(10));
        assert_eq!(gate.asked_to_wait(), Some(Duration::from_secs(10)));
        drop(gate.pass("GetItem").await.unwrap());
        assert_eq!(gate.asked_to_wait(), None);
        gate.hold(Duration::from_secs(6));
        let error = gate.pass("GetItem").await.err().unwrap();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(6)));
        gate.wait_in_all_at_most(Duration::from_secs(6));
        drop(gate.pass("GetItem").await.unwrap());
        let waits = [10, 6].map(Duration::from_secs);
        assert_eq!(clock.0.lock().unwrap().1, waits);
    }

    #[test]
    fn calls_that_wait_side_by_side_take_one_wait() {
        let [now, later] = [0, 4].map(|at| Timestamp::from_second(at).unwrap());
        let mut allowance = Allowance::of(Duration::from_secs(15));
        for (at, wait, taken, left) in [
            (now, 10, true, 5),
            (now, 10, true, 5),
            (later, 6, true, 5),
            (later, 9, true, 2),
            (later, 12, false, 2),
            (now, 13, true, 2),
        ] {
            assert_eq!(allowance.take(at, Duration::from_secs(wait)), taken);
            assert_eq!(allowance.left.as_secs(), left, "{at} {wait}");
        }
    }

    #[tokio::test]
    async fn after_a_wait_one_call_goes_and_the_others_wait_for_its_answer() {
        let (_, gate) = gate();
        gate.hold(Duration::from_secs(5));
        let probe = gate.pass("GetItem").await.unwrap();
        let mut second = std::pin::pin!(gate.pass("GetItem"));
        assert!(futures_util::poll!(&mut second).is_pending());
        gate.hold(Duration::from_secs(7));
        drop(probe);
        assert!(gate.is_held(), "the probe was told to wait once more");
        let probe = second.await.unwrap();
        let mut third = std::pin::pin!(gate.pass("GetItem"));
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(probe);
        let together = (third.await.unwrap(), gate.pass("GetItem").await.unwrap());
        assert!(together.0.0.is_none() && together.1.0.is_none());
    }

    #[tokio::test]
    async fn a_clock_that_steps_back_makes_nobody_wait_twice() {
        let (clock, gate) = gate();
        clock.0.lock().unwrap().0 = Duration::from_secs(1000);
        gate.hold(Duration::from_secs(5));
        clock.0.lock().unwrap().0 = Duration::ZERO;
        drop(gate.pass("GetItem").await.unwrap());
        drop(gate.pass("GetItem").await.unwrap());
        assert_eq!(clock.0.lock().unwrap().1, [Duration::from_secs(5)]);
    }

    #[tokio::test]
    async fn after_a_step_back_of_the_clock_a_longer_wish_counts_and_a_shorter_one_does_not() {
        let (clock, gate) = gate();
        clock.0.lock().unwrap().0 = Duration::from_secs(1000);
        gate.hold(Duration::from_secs(5));
        clock.0.lock().unwrap().0 = Duration::ZERO;
        gate.hold(Duration::from_secs(50));
        gate.hold(Duration::from_secs(20));
        assert_eq!(gate.asked_to_wait(), Some(Duration::from_secs(50)));
        drop(gate.pass("GetItem").await.unwrap());
        assert_eq!(clock.0.lock().unwrap().1, [Duration::from_secs(50)]);
    }

    #[tokio::test]
    async fn a_wish_for_years_is_one_for_a_day() {
        let (_, gate) = gate();
        gate.hold(Duration::MAX);
        let error = gate.pass("GetItem").await.err().unwrap();
        assert_eq!(error.retry_after(), Some(Duration::from_hours(24)));
    }

    #[tokio::test]
    async fn views_of_one_gate_share_its_waits_and_its_places() {
        let (clock, first) = gate();
        let shared: Arc<dyn Clock> = Arc::<Waits>::clone(&clock);
        let longest = Duration::from_secs(100);
        let second = Gate::new(first.shared.clone(), shared, Arc::new(NoJitter), longest);
        let open = (first.place().await, second.place().await);
        first.shrink();
        let mut third = std::pin::pin!(second.place());
        drop(open.0);
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(open.1);
        let _third = third.await;
        second.hold(Duration::from_secs(3));
        assert!(first.is_held());
        drop(first.pass("GetItem").await.unwrap());
        assert_eq!(clock.0.lock().unwrap().1, [Duration::from_secs(3)]);
    }
}
