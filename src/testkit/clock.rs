//! Time that moves only when a test says so, and randomness that repeats.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::clock::{Clock, Entropy};

/// A clock that stands still until [`advance`](Self::advance) moves it. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    /// How long the clock has gone, which nothing sets back.
    gone: Duration,
    sleepers: Vec<Waker>,
}

impl ManualClock {
    /// A clock that shows this time.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            gone: Duration::ZERO,
            sleepers: Vec::new(),
        })))
    }

    /// Moves the time on and wakes whoever waited for it.
    pub fn advance(&self, by: Duration) {
        self.set(self.now_plus(by));
    }

    /// Sets the time, back as well as forth, and wakes whoever waited for it. Set back, it makes no sleep longer.
    pub fn set(&self, now: Timestamp) {
        let mut state = self.state();
        let forth = Duration::try_from(now.duration_since(state.now));
        state.gone = state.gone.saturating_add(forth.unwrap_or_default());
        state.now = now;
        let sleepers = std::mem::take(&mut state.sleepers);
        drop(state);
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// The time that will be shown when this much has passed.
    pub fn now_plus(&self, wait: Duration) -> Timestamp {
        self.now().checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// How many sleeps have looked at the time and found it too early since it last moved.
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    /// A clock that shows 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::at(Timestamp::constant(1_767_225_600, 0))
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    async fn sleep(&self, wait: Duration) {
        let until = self.state().gone.saturating_add(wait);
        Sleep { clock: self, until }.await;
    }
}

struct Sleep<'a> {
    clock: &'a ManualClock,
    /// In the time that the clock has gone.
    until: Duration,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.gone >= self.until {
            return Poll::Ready(());
        }
        if !state
            .sleepers
            .iter()
            .any(|waker| waker.will_wake(context.waker()))
        {
            state.sleepers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

/// Random bytes that are the same for the same seed. Clones go on together.
#[derive(Debug, Clone)]
pub struct SeededEntropy(Arc<Mutex<u64>>);

impl SeededEntropy {
    /// The bytes of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            let random = split_mix(&mut state).to_le_bytes();
            let length = chunk.len();
            chunk.copy_from_slice(&random[..length]);
        }
    }
}

/// SplitMix64, after Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_sleep_ends_when_its_time_has_come_and_not_before() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep(Duration::from_mins(1));
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance(Duration::from_secs(59));
        assert_eq!((&mut sleep).now_or_never(), None);
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!((&mut sleep).now_or_never(), Some(()));
        assert_eq!(clock.now().to_string(), "2026-01-01T00:01:00Z");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_sleep_longer() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep(Duration::from_mins(1));
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance(Duration::from_secs(20));
        clock.set(Timestamp::UNIX_EPOCH);
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance(Duration::from_secs(40));
        assert_eq!((&mut sleep).now_or_never(), Some(()));
        assert_eq!(clock.now().to_string(), "1970-01-01T00:00:40Z");
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        let bytes = |seed| {
            let entropy = SeededEntropy::new(seed);
            let mut bytes = [0; 19];
            entropy.fill(&mut bytes);
            bytes
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
        assert_ne!(bytes(1)[..8], bytes(1)[8..16]);
    }
}
