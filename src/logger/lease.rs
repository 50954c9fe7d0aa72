//! The lease of a run, renewed while the run lives.
//!
//! Its time is measured by the logger's own clock from before the call that took it, so that it never seems longer than it
//! is, whatever the store's clock shows.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::Error;
use crate::store::Lease;

use super::parts::Parts;

#[derive(Debug, Clone)]
pub(super) struct HeldLease {
    pub(super) lease: Lease,
    since: Timestamp,
}

impl HeldLease {
    /// A lease that was asked for at `since`.
    pub(super) fn new(lease: Lease, since: Timestamp) -> Self {
        Self { lease, since }
    }

    /// How long until it is to be renewed: at half of its time.
    pub(super) fn until_due(&self, parts: &Parts) -> Duration {
        due_in(parts.settings.lease, self.age(parts))
    }

    /// Whether it may end before a call to the mail system does.
    pub(super) fn is_short(&self, parts: &Parts) -> bool {
        may_end(parts.settings.lease, self.age(parts))
    }

    fn age(&self, parts: &Parts) -> Duration {
        // A clock that was set back tells nothing: the lease is taken to be old.
        let age = parts.clock.now().duration_since(self.since);
        Duration::try_from(age).unwrap_or(Duration::MAX)
    }

    /// The lease, renewed if that is due.
    pub(super) async fn keep(self, parts: &Parts) -> Result<Self, Error> {
        if self.until_due(parts).is_zero() {
            self.renew(parts).await
        } else {
            Ok(self)
        }
    }

    pub(super) async fn renew(self, parts: &Parts) -> Result<Self, Error> {
        let since = parts.clock.now();
        let ttl = parts.settings.lease;
        let lease = parts.ledger.renew(&parts.scope, &self.lease, ttl).await?;
        Ok(Self { lease, since })
    }
}

fn due_in(ttl: Duration, age: Duration) -> Duration {
    (ttl / 2).saturating_sub(age)
}

/// The last quarter is left for the call.
fn may_end(ttl: Duration, age: Duration) -> bool {
    age > ttl * 3 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(400);

    #[test]
    fn a_lease_is_due_at_half_of_its_time() {
        let due = [0, 1, 199, 200, 201, 1_000].map(|age| due_in(TTL, Duration::from_secs(age)));
        assert_eq!(due.map(|due| due.as_secs()), [200, 199, 1, 0, 0, 0]);
    }

    #[test]
    fn a_lease_is_short_beyond_three_quarters_of_its_time() {
        let short = [0, 200, 300].map(|age| may_end(TTL, Duration::from_secs(age)));
        assert_eq!(short, [false; 3]);
        for age in [301, 399, 400, 100_000] {
            assert!(may_end(TTL, Duration::from_secs(age)), "{age} s");
        }
    }
}
