//! A mail system's wish to be left alone for a while.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The longest wish that is believed. A header or a body may name any number, and a wrong one must not end all logging.
const LONGEST: Duration = Duration::from_hours(24);

/// Whether it is time for the next try of a mail or of a move. What lies too far ahead was planned under a clock that has
/// been set back since, and is not waited for.
pub(crate) fn is_due(next_try: Option<Timestamp>, now: Timestamp) -> bool {
    next_try.is_none_or(|due| due <= now || due > too_far_ahead(now))
}

/// A try that is planned for later than this is due. No wait is longer than a day; the other day is for what is planned after
/// `now` was looked at.
pub(crate) fn too_far_ahead(now: Timestamp) -> Timestamp {
    now.saturating_add(LONGEST * 2).unwrap_or(Timestamp::MAX)
}

/// One wish to wait. The length is kept beside the end, so that a clock that steps back cannot make it longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) until: Timestamp,
    pub(crate) length: Duration,
}

impl Wish {
    /// A wish of so long from now on, at most a day.
    pub(crate) fn new(length: Duration, now: Timestamp) -> Self {
        Self::of_host(length.min(LONGEST), now)
    }

    /// A wish of the host itself, which is believed however long it is.
    pub(crate) fn of_host(length: Duration, now: Timestamp) -> Self {
        let span = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(span).unwrap_or(Timestamp::MAX);
        Self { until, length }
    }

    pub(crate) fn left(self, now: Timestamp) -> Duration {
        let left = Duration::try_from(self.until.duration_since(now));
        left.unwrap_or(Duration::ZERO).min(self.length)
    }

    /// The wish as it stands, for who does not wait beside it: none once it is over. Where the clock shows a time from before
    /// it began, it begins anew, so that it ends a length later at the latest, and not when the clock has caught up.
    pub(crate) fn at(self, now: Timestamp) -> Option<Self> {
        let left = self.left(now);
        (!left.is_zero()).then(|| Self {
            until: self.until.min(Self::of_host(left, now).until),
            ..self
        })
    }

    /// The wish, waited for, whatever the clock says.
    pub(crate) fn over(self) -> Self {
        Self {
            length: Duration::ZERO,
            ..self
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_wish_is_over_after_its_length_and_never_lasts_more_than_a_day() {
        let wish = Wish::new(Duration::from_secs(30), at(1_000));
        let left = [1_000, 1_029, 1_030, 1_031].map(|now| wish.left(at(now)).as_secs());
        assert_eq!(left, [30, 1, 0, 0]);
        assert_eq!(
            [1_029, 1_030].map(|now| wish.at(at(now))),
            [Some(wish), None]
        );
        let long = Wish::new(Duration::MAX, at(0));
        assert_eq!(long.left(at(0)), Duration::from_hours(24));
        assert_eq!(Wish::new(Duration::ZERO, at(0)).at(at(-9)), None);
        assert_eq!(long.over().at(at(-9)), None);
    }

    #[test]
    fn a_try_is_due_at_its_time_and_where_it_is_planned_for_more_than_two_days_ahead() {
        let due = |next_try: Option<i64>| is_due(next_try.map(at), at(1_000));
        assert!(due(None) && due(Some(999)) && due(Some(1_000)));
        assert!(!due(Some(1_001)) && !due(Some(1_000 + 2 * 86_400)));
        assert!(due(Some(1_001 + 2 * 86_400)), "the clock was set back");
        assert!(!is_due(Some(Timestamp::MAX), Timestamp::MAX - LONGEST));
    }

    #[test]
    fn a_wish_of_the_host_may_be_longer_than_a_day() {
        let days = Wish::of_host(Duration::from_hours(72), at(0));
        assert_eq!(days.left(at(3_600)), Duration::from_hours(71));
        assert_eq!(days.at(at(3_600)), Some(days));
        let anew = days.at(at(-3_600)).unwrap();
        assert_eq!(anew, Wish::of_host(Duration::from_hours(72), at(-3_600)));
    }

    #[test]
    fn under_a_clock_that_was_set_back_a_wish_lasts_its_length_once_more() {
        let wish = Wish::new(Duration::from_secs(30), at(1_000));
        assert_eq!(
            wish.at(at(980)).unwrap(),
            Wish::new(Duration::from_secs(30), at(980))
        );
        let anew = wish.at(at(100)).unwrap();
        assert_eq!(anew.at(at(129)), Some(anew));
        assert_eq!(anew.at(at(130)), None);
    }
}
