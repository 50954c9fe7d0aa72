//! The back-off gate: one server's wish to wait holds every call of a source.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, Entropy};
use crate::error::{Error, Result, codes};

/// Holds all calls of one mailbox and credential while the server wants it.
#[derive(Debug)]
pub(crate) struct Gate {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    longest: Duration,
    hold: Mutex<Option<Hold>>,
}

/// One wish to wait. The length is kept beside the end, so that a clock that steps back cannot make it longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    until: Timestamp,
    length: Duration,
}

impl Gate {
    /// An open gate; `longest` is the longest wait that a call takes upon itself.
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, longest: Duration) -> Self {
        Self {
            clock,
            entropy,
            longest,
            hold: Mutex::new(None),
        }
    }

    /// Holds every call for this long; a shorter wish never shortens a longer one.
    pub(crate) fn hold(&self, length: Duration) {
        let span = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let until = self
            .clock
            .now()
            .saturating_add(span)
            .unwrap_or(Timestamp::MAX);
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if hold.is_none_or(|held| held.until < until) {
            *hold = Some(Hold { until, length });
        }
    }

    /// Waits until the gate is open.
    ///
    /// # Errors
    ///
    /// `Throttled` when the wait is longer than this source may take upon itself.
    pub(crate) async fn pass(&self, operation: &'static str) -> Result<()> {
        while let Some(hold) = self.current() {
            let left = self.left(hold);
            if left > self.longest {
                let error = Error::new(&codes::EWS_THROTTLED, operation);
                return Err(error.with_retry_after(left));
            }
            if !left.is_zero() {
                self.clock.sleep(left + self.jitter(left)).await;
            }
            self.lift(hold);
        }
        Ok(())
    }

    fn current(&self) -> Option<Hold> {
        *self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self, hold: Hold) -> Duration {
        let left = hold.until.duration_since(self.clock.now());
        Duration::try_from(left)
            .unwrap_or(Duration::ZERO)
            .min(hold.length)
    }

    fn lift(&self, passed: Hold) {
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if *hold == Some(passed) {
            *hold = None;
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
            Gate::new(shared, Arc::new(NoJitter), Duration::from_secs(100)),
        )
    }

    #[tokio::test]
    async fn every_call_waits_exactly_what_the_server_asked_for() {
        let (clock, gate) = gate();
        gate.pass("GetItem").await.unwrap();
        gate.hold(Duration::from_millis(1500));
        gate.hold(Duration::from_millis(500));
        gate.pass("GetItem").await.unwrap();
        gate.pass("GetItem").await.unwrap();
        assert_eq!(clock.0.lock().unwrap().1, [Duration::from_millis(1500)]);
    }

    #[tokio::test]
    async fn a_wait_beyond_the_limit_is_the_callers() {
        let (clock, gate) = gate();
        gate.hold(Duration::from_secs(101));
        let error = gate.pass("GetItem").await.unwrap_err();
        assert_eq!(error.code(), "ews.throttled");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(101)));
        assert!(clock.0.lock().unwrap().1.is_empty());
    }
}
