//! How a logger works: sizes, limits and times.

use std::time::Duration;

use crate::message::MessageLimits;

/// The numbers of a run. Every field has a default that suits Exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunSettings {
    /// How many mails a run takes at most, exactly; 0 is no limit. Default 0.
    pub batch_size: u32,
    /// Mails of one fetch. Default 50. A commit takes up to 200, in whole fetches that are ready.
    pub fetch_batch: u32,
    /// Bytes of one fetch, by the server's sizes; a larger mail travels alone. Default 4 MiB. All fetches that are under way
    /// or wait to be written have half as much for each connection, and at least this.
    pub fetch_bytes: u64,
    /// Mails of one move. Default 50.
    pub move_batch: u32,
    /// Calls to the mail system at a time. Default 4; Exchange allows 27. Each may hold a fetch of up to `fetch_bytes`. At
    /// 80 ms for a call, 16 log twice as many mails a second as 4 and take twice the memory (60 MiB).
    pub connections: u32,
    /// Attempts per mail before it is set aside. Default 8.
    pub attempts: u32,
    /// The wait after the first failed attempt of a mail; it doubles with each further one, up to a day. Default 1 minute.
    pub first_backoff: Duration,
    /// How long a mailbox is taken for; it is renewed while the run lives. Default 5 minutes. It must be more than twice as
    /// long as a move may take ([`SourceCapabilities::longest_change`](crate::source::SourceCapabilities::longest_change)).
    pub lease: Duration,
    /// Bytes of an original above which it is staged in the store in pieces. Default 4 MiB.
    pub inline_bytes: usize,
    /// Messages whose content is indexed after each run at most. Default 1,000.
    pub index_batch: u32,
    /// Whether commits write events, and [`LoggingHooks::after_entry`](crate::decision::LoggingHooks::after_entry) is told.
    /// Default true; an import of old mail has no news for the host.
    pub events: bool,
    /// The limits of reading one mail.
    pub limits: MessageLimits,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            batch_size: 0,
            fetch_batch: 50,
            fetch_bytes: 4 << 20,
            move_batch: 50,
            connections: 4,
            attempts: 8,
            first_backoff: Duration::from_mins(1),
            lease: Duration::from_mins(5),
            inline_bytes: 4 << 20,
            index_batch: 1_000,
            events: true,
            limits: MessageLimits::default(),
        }
    }
}

impl RunSettings {
    /// The same with events, or without.
    #[must_use]
    pub fn with_events(mut self, events: bool) -> Self {
        self.events = events;
        self
    }

    /// The wait before the next attempt of a mail that failed this often.
    pub(super) fn backoff(&self, failed_attempts: u32) -> Duration {
        const DAY: Duration = Duration::from_hours(24);
        let factor = 2_u32.saturating_pow(failed_attempts.saturating_sub(1).min(16));
        self.first_backoff.saturating_mul(factor).min(DAY)
    }
}

/// When [`EmailLogger::run`](super::EmailLogger::run) runs: the original's job queue entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// From one run to the next. Default 10 minutes.
    pub every: Duration,
    /// From the start to the first run. Default 60 seconds.
    pub first_after: Duration,
    /// Runs in a row that fail for a reason which only a person can remove, before the schedule ends. Default 3.
    pub attempts: u32,
    /// From the end of a run to the next one that a hint brings forward, at least. Default 10 seconds.
    pub hint_pause: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            every: Duration::from_mins(10),
            first_after: Duration::from_mins(1),
            attempts: 3,
            hint_pause: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_ends_at_a_day() {
        let settings = RunSettings::default();
        let waits: Vec<u64> = [1, 2, 3, 11, 12, 4_000]
            .map(|n| settings.backoff(n).as_secs())
            .into();
        assert_eq!(waits, [60, 120, 240, 61_440, 86_400, 86_400]);
    }
}
