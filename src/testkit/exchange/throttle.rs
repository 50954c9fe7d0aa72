//! Throttling: how many requests may be open, and the back-off that clients must keep.

use std::time::Duration;

use tokio::time::Instant;

/// The state of the throttle.
#[derive(Default)]
pub(crate) struct Throttle {
    limit: Option<usize>,
    open: usize,
    quiet_until: Option<Instant>,
}

impl Throttle {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Counts a request in; answers how many are open now.
    pub(crate) fn enter(&mut self) -> usize {
        self.open += 1;
        self.open
    }

    pub(crate) fn leave(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Whether more requests are open than are allowed.
    pub(crate) fn is_crowded(&self) -> bool {
        self.limit.is_some_and(|limit| self.open > limit)
    }

    /// Whether a request that comes now breaks a back-off.
    pub(crate) fn is_quiet_time(&self) -> bool {
        self.quiet_until.is_some_and(|until| Instant::now() < until)
    }

    /// Notes a back-off that an answer announces.
    pub(crate) fn announce(&mut self, back_off: Duration) {
        let until = Instant::now().checked_add(back_off);
        self.quiet_until = self.quiet_until.max(until);
    }
}
