//! The time that the server stamps on items.

use jiff::{SignedDuration, Timestamp};

/// Tells the time.
pub(crate) enum Clock {
    /// Starts at a fixed instant and goes one second further at each look, so that runs are equal.
    Steps(Timestamp),
    /// Asks a function of the host.
    Function(Box<dyn FnMut() -> Timestamp + Send>),
}

/// 2026-01-05T08:00:00Z, a Monday morning.
const START_SECONDS: i64 = 1_767_600_000;

impl Default for Clock {
    fn default() -> Self {
        Self::Steps(Timestamp::from_second(START_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

impl Clock {
    pub(crate) fn now(&mut self) -> Timestamp {
        match self {
            Self::Steps(next) => {
                let now = *next;
                *next = now
                    .saturating_add(SignedDuration::from_secs(1))
                    .unwrap_or(now);
                now
            }
            Self::Function(function) => {
                // Items carry whole seconds, so comparisons must not see more than clients do.
                let now = function();
                Timestamp::from_second(now.as_second()).unwrap_or(now)
            }
        }
    }
}

/// A timestamp as EWS writes it: UTC, whole seconds.
pub(crate) fn text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
