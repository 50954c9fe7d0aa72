//! The lease of a run, renewed while the run lives.
//!
//! A move cannot be fenced: the server does it whether or not the lease still holds. So a request that moves is sent only
//! while the lease lasts longer than the request may take. A call that moves and is not answered by then is dropped, with
//! whatever it would have sent later.
//!
//! Its time is measured by the logger's own clock from before the call that took it, so that it never seems longer than it
//! is, whatever the store's clock shows; and the largest age that was seen counts, so that a clock which is set back makes it
//! no younger.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, ErrorKind, codes};
use crate::store::Lease;

use super::parts::Parts;

#[derive(Debug, Clone)]
pub(super) struct HeldLease {
    pub(super) lease: Lease,
    age: Age,
    /// The age at which a renewal that failed in passing is tried again.
    again: Duration,
}

impl HeldLease {
    /// A lease that was asked for at `since`.
    pub(super) fn new(lease: Lease, since: Timestamp) -> Self {
        Self {
            lease,
            age: Age::since(since),
            again: Duration::ZERO,
        }
    }

    /// How long until it is to be renewed: at half of its time, and a while after an attempt that failed in passing.
    pub(super) fn until_due(&self, parts: &Parts) -> Duration {
        let age = self.age(parts);
        due_in(parts.settings.lease, age).max(self.again.saturating_sub(age))
    }

    /// Whether it may end before a request that moves does.
    pub(super) fn is_short(&self, parts: &Parts) -> bool {
        self.until_short(parts).is_zero()
    }

    /// How long until it may end before a request that moves does.
    pub(super) fn until_short(&self, parts: &Parts) -> Duration {
        let longest = parts.source.capabilities().longest_change;
        short_in(parts.settings.lease, longest, self.age(parts))
    }

    fn age(&self, parts: &Parts) -> Duration {
        self.age.at(parts.clock.now())
    }

    /// The lease, renewed if that is due.
    pub(super) async fn keep(self, parts: &Parts) -> Result<Self, Error> {
        if self.until_due(parts).is_zero() {
            self.renew(parts).await
        } else {
            Ok(self)
        }
    }

    /// The lease, renewed; or as it is, where the store cannot be reached and the lease still lasts for a move: then there is
    /// time to try again.
    pub(super) async fn renew(self, parts: &Parts) -> Result<Self, Error> {
        let since = parts.clock.now();
        let ttl = parts.settings.lease;
        match parts.ledger.renew(&parts.scope, &self.lease, ttl).await {
            Ok(lease) => Ok(Self::new(lease, since)),
            Err(error) if error.kind() == ErrorKind::StoreUnavailable && !self.is_short(parts) => {
                let again = self.age(parts).saturating_add(ttl / RETRIES);
                Ok(Self { again, ..self })
            }
            Err(error) => Err(error),
        }
    }
}

/// How old a lease is, as one clock tells it.
#[derive(Debug, Clone)]
struct Age {
    since: Timestamp,
    /// The largest one that was seen, in microseconds.
    oldest: Arc<AtomicU64>,
}

impl Age {
    fn since(since: Timestamp) -> Self {
        Self {
            since,
            oldest: Arc::default(),
        }
    }

    /// A clock that was set back by less makes it no younger. One that shows a time from before the lease tells nothing: the
    /// lease is taken to be old.
    fn at(&self, now: Timestamp) -> Duration {
        let age = now.duration_since(self.since).as_micros();
        let age = u64::try_from(age).unwrap_or(u64::MAX);
        let oldest = self.oldest.fetch_max(age, Ordering::Relaxed);
        Duration::from_micros(oldest.max(age))
    }
}

/// A renewal that failed in passing is tried again after such a part of the lease's time.
const RETRIES: u32 = 32;

/// Looks at something, and renews the lease beside it whenever that is due. The look is dropped once the lease is lost.
pub(super) async fn beside<T>(
    lease: &mut HeldLease,
    parts: &Parts,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    held(lease, parts, false, call).await
}

/// Moves something, and renews the lease beside it whenever that is due. What is not done by the time at which the lease is
/// lost or short is dropped, and its effect is unknown.
pub(super) async fn under<T>(
    lease: &mut HeldLease,
    parts: &Parts,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    held(lease, parts, true, call).await
}

async fn held<T>(
    lease: &mut HeldLease,
    parts: &Parts,
    moves: bool,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut call = pin!(call);
    loop {
        tokio::select! {
            biased;
            done = guarded(moves, lease, parts, call.as_mut()) => return done,
            () = parts.clock.sleep(lease.until_due(parts)) => {}
        }
        tokio::select! {
            biased;
            renewed = lease.clone().renew(parts) => *lease = renewed?,
            done = guarded(moves, lease, parts, call.as_mut()) => return done,
        }
    }
}

async fn guarded<T>(
    moves: bool,
    lease: &HeldLease,
    parts: &Parts,
    call: impl Future<Output = Result<T, Error>> + Unpin,
) -> Result<T, Error> {
    if !moves {
        return call.await;
    }
    let done = while_long(lease, parts, call).await;
    done.unwrap_or_else(|| {
        let detail = "it was not renewed in time for a move";
        Err(Error::new(&codes::LEASE_LOST, "renew").with_detail(detail))
    })
}

/// Goes on with a call only while the lease is long enough for what it may send: what is not polled sends nothing. Answers
/// nothing where the call wants to go on and the lease is short. The clock is asked each time, so that after a pause of the
/// whole program nothing is sent under a lease that may be over.
pub(super) async fn while_long<T>(
    lease: &HeldLease,
    parts: &Parts,
    mut call: impl Future<Output = T> + Unpin,
) -> Option<T> {
    poll_fn(|context| {
        if lease.is_short(parts) {
            return Poll::Ready(None);
        }
        Pin::new(&mut call).poll(context).map(Some)
    })
    .await
}

/// Whether a lease lasts long enough: at half of its time it is renewed, and from then on until it is short it can be.
pub(super) fn is_long_enough(ttl: Duration, longest_change: Duration) -> bool {
    ttl / 2 > longest_change
}

fn due_in(ttl: Duration, age: Duration) -> Duration {
    (ttl / 2).saturating_sub(age)
}

/// The last quarter is left for the request, or as much as it may take.
fn short_in(ttl: Duration, longest_change: Option<Duration>, age: Duration) -> Duration {
    let left = longest_change.unwrap_or_default().max(ttl / 4);
    ttl.saturating_sub(left).saturating_sub(age)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(400);

    #[test]
    fn a_clock_that_is_set_back_makes_a_lease_no_younger() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let age = Age::since(at(1_000));
        let ages = [1_000, 1_100, 1_040, 1_101].map(|now| age.at(at(now)).as_secs());
        assert_eq!(ages, [0, 100, 100, 101]);
        let same = age.clone();
        assert!(same.at(at(999)) > Duration::from_hours(1_000_000));
        assert!(age.at(at(1_102)) > Duration::from_hours(1_000_000));
    }

    #[test]
    fn a_lease_is_due_at_half_of_its_time() {
        let due = [0, 1, 199, 200, 201, 1_000].map(|age| due_in(TTL, Duration::from_secs(age)));
        assert_eq!(due.map(|due| due.as_secs()), [200, 199, 1, 0, 0, 0]);
    }

    #[test]
    fn a_lease_is_short_where_less_is_left_than_a_quarter_or_than_a_request_takes() {
        for (longest, expected) in [
            (None, [300, 100, 1, 0, 0]),
            (Some(30), [300, 100, 1, 0, 0]),
            (Some(150), [250, 50, 0, 0, 0]),
            (Some(1_000), [0; 5]),
        ] {
            let longest = longest.map(Duration::from_secs);
            let short = [0, 200, 299, 300, 100_000]
                .map(|age| short_in(TTL, longest, Duration::from_secs(age)).as_secs());
            assert_eq!(short, expected, "{longest:?}");
        }
    }

    #[test]
    fn a_lease_is_long_enough_where_it_is_due_before_it_is_short() {
        let fits = [0, 199, 200, 201].map(|it| is_long_enough(TTL, Duration::from_secs(it)));
        assert_eq!(fits, [true, true, false, false]);
    }
}
