//! How many requests may be open after the server said that there are too many.
//!
//! Owns the count and its limit. Knows nothing of why requests are made and who waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Answers of requests that were open together say the same thing once.
const ONE_WORD: SignedDuration = SignedDuration::from_secs(10);

/// The time after which one more request may be open.
const STEP: Duration = Duration::from_mins(1);

/// The requests that are open, and how many may be.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    open: u32,
    limit: Option<Limit>,
}

#[derive(Debug, Clone, Copy)]
struct Limit {
    since: Timestamp,
    least: u32,
    before: u32,
}

impl Limit {
    fn at(self, now: Timestamp) -> u32 {
        let passed = Duration::try_from(now.duration_since(self.since)).unwrap_or_default();
        let steps = passed.as_secs() / STEP.as_secs();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.least.saturating_add(steps)
    }
}

impl Crowd {
    /// Counts a request in, if it may be open.
    pub(super) fn enter(&mut self, now: Timestamp) -> bool {
        self.limit = self.limit.filter(|limit| limit.at(now) < limit.before);
        let free = self.limit.is_none_or(|limit| self.open < limit.at(now));
        self.open += u32::from(free);
        free
    }

    /// Counts a request out.
    pub(super) fn leave(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Halves what may be open; one is always left.
    pub(super) fn shrink(&mut self, now: Timestamp) {
        let before = match self.limit {
            Some(limit) if now.duration_since(limit.since).abs() < ONE_WORD => return,
            Some(limit) => limit.before,
            None => self.open.max(1),
        };
        let most = self.limit.map_or(u32::MAX, |limit| limit.at(now));
        self.limit = Some(Limit {
            since: now,
            least: (self.open.min(most) / 2).max(1),
            before,
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn entered(crowd: &mut Crowd, now: Timestamp) -> usize {
        (0..20).take_while(|_| crowd.enter(now)).count()
    }

    #[test]
    fn half_as_many_may_be_open_and_one_more_each_minute_until_all_may() {
        let mut crowd = Crowd::default();
        for _ in 0..8 {
            assert!(crowd.enter(at(0)));
        }
        crowd.shrink(at(0));
        crowd.shrink(at(9));
        for _ in 0..8 {
            crowd.leave();
        }
        for (seconds, places) in [(0, 4), (59, 4), (60, 5), (179, 6), (180, 7), (240, 20)] {
            assert_eq!(entered(&mut crowd, at(seconds)), places, "{seconds}");
            for _ in 0..places {
                crowd.leave();
            }
        }
    }

    #[test]
    fn a_second_word_halves_again_and_one_is_always_left() {
        let mut crowd = Crowd::default();
        for _ in 0..4 {
            assert!(crowd.enter(at(0)));
        }
        for (seconds, places) in [(0, 2), (20, 1), (40, 1), (60, 1)] {
            crowd.shrink(at(seconds));
            while crowd.open > 0 {
                crowd.leave();
            }
            assert_eq!(entered(&mut crowd, at(seconds)), places, "{seconds}");
        }
        while crowd.open > 0 {
            crowd.leave();
        }
        assert_eq!(entered(&mut crowd, at(60 + 120)), 3);
        while crowd.open > 0 {
            crowd.leave();
        }
        assert_eq!(entered(&mut crowd, at(60 + 180)), 20);
    }
}
