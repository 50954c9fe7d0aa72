//! [`WakeupSignal`]: a hint that somebody else in the process gives.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::Wakeup;

/// A [`Wakeup`] by hand: whoever learns that mail may have arrived calls [`wake`](Self::wake). Clones are the same signal.
///
/// A hint that nobody waits for is kept, and any number of them is one. One logger waits for a signal; where several do, a
/// hint is one logger's.
#[derive(Debug, Clone, Default)]
pub struct WakeupSignal(Arc<Notify>);

impl WakeupSignal {
    /// A signal without a hint.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a hint. Never waits.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

#[async_trait]
impl Wakeup for WakeupSignal {
    async fn wait(&self) {
        self.0.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_hint_that_nobody_waits_for_is_kept_and_many_are_one() {
        let signal = WakeupSignal::new();
        assert_eq!(signal.wait().now_or_never(), None);
        signal.wake();
        signal.clone().wake();
        assert_eq!(signal.wait().now_or_never(), Some(()));
        assert_eq!(signal.wait().now_or_never(), None);
    }

    #[test]
    fn a_wait_that_is_dropped_with_its_hint_gives_it_to_the_next() {
        let signal = WakeupSignal::new();
        let mut first = Box::pin(signal.wait());
        assert_eq!(first.as_mut().now_or_never(), None);
        signal.wake();
        drop(first);
        assert_eq!(signal.wait().now_or_never(), Some(()));
    }
}
