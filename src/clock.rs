//! Time and randomness, injected so that a run can be replayed.
//!
//! Nothing else in the crate may ask the system for either.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::{Error, Result, codes};
use crate::forward::forward;

/// A source of the current time that can also wait.
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// The current time in UTC.
    fn now(&self) -> Timestamp;

    /// Waits. Dropping the future ends the wait.
    async fn sleep(&self, wait: Duration);
}

/// A source of random bytes.
pub trait Entropy: Debug + Send + Sync + 'static {
    /// Fills the buffer for an id or for jitter, which may be guessed.
    fn fill(&self, bytes: &mut [u8]);

    /// Fills the buffer for what nobody may guess: a state, a nonce, a verifier, a challenge. The default is
    /// [`fill`](Self::fill), which then has to be fit for it, as that of a test is not.
    ///
    /// # Errors
    ///
    /// `Internal` where there is no randomness; nothing is made up then.
    fn fill_secret(&self, bytes: &mut [u8]) -> Result<()> {
        self.fill(bytes);
        Ok(())
    }
}

forward! {
    Clock {
        fn now(&self) -> Timestamp;
        async fn sleep(&self, wait: Duration);
    }
}

forward! {
    Entropy {
        fn fill(&self, bytes: &mut [u8]);
        fn fill_secret(&self, bytes: &mut [u8]) -> Result<()>;
    }
}

/// The system's clock and tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// Fills a key or a nonce from the operating system. It is not injected, so that nobody can repeat it, and where the system
/// has no randomness it fails rather than make some up.
#[cfg(feature = "seal")]
pub(crate) fn fill_secret(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    getrandom::fill(bytes)
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Where the system has no randomness left, a time-based id is still unique per process; what is secret is made
        // by `fill_secret`, which fails then.
        if getrandom::fill(bytes).is_err() {
            let nanos = Timestamp::now().as_nanosecond().to_le_bytes();
            for (byte, nano) in bytes.iter_mut().zip(nanos.iter().cycle()) {
                *byte = *nano;
            }
        }
    }
    fn fill_secret(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| {
            Error::new(&codes::INTERNAL, "SystemEntropy")
                .with_detail("the system has no randomness")
        })
    }
}
