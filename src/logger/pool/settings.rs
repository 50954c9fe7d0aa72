//! How a pool works: times and bounds.

use std::time::Duration;

/// The numbers of a pool. Every field has a default that suits Exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolSettings {
    /// From the end of a mailbox's turn to its next one. Default 10 minutes.
    pub every: Duration,
    /// Mails of one turn at most; a mailbox that holds more is due again at once, behind all others that are. 0 is no
    /// limit. Default 500.
    pub turn: u32,
    /// Turns at a time. Default 8.
    pub runs: u32,
    /// Calls to mail systems at a time, in all. Default 32.
    pub connections: u32,
    /// Calls to one mailbox at a time. Default 4; Exchange allows 27.
    pub connections_per_mailbox: u32,
    /// The wait after the first failed turn of a mailbox; it doubles with each further one in a row, and up to a quarter
    /// is added by chance. Default 1 minute.
    pub first_backoff: Duration,
    /// The longest such wait, unless the server asks for more. Default 1 hour.
    pub longest_backoff: Duration,
    /// The longest wait inside a turn when a server asks for one, and the longest of all waits of a turn together; a longer
    /// one ends the turn, and the mailbox has its next one when the wait is over. Default 15 seconds: enough to ask again
    /// what failed in passing.
    ///
    /// Where turns of a mailbox end so in a row, the waits of each further one may be twice as long together, up to eight
    /// times: a mailbox whose server asks for a short wait at every call gets on, too.
    pub longest_wait: Duration,
    /// The wait after another worker was found on a mailbox. Default 1 minute.
    pub busy_after: Duration,
    /// From the end of a mailbox's turn to the next one that a hint of its wake-ups brings forward, at least. Default 10
    /// seconds.
    pub hint_pause: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            every: Duration::from_mins(10),
            turn: 500,
            runs: 8,
            connections: 32,
            connections_per_mailbox: 4,
            first_backoff: Duration::from_mins(1),
            longest_backoff: Duration::from_hours(1),
            longest_wait: Duration::from_secs(15),
            busy_after: Duration::from_mins(1),
            hint_pause: Duration::from_secs(10),
        }
    }
}

impl PoolSettings {
    /// What the calls of a turn may wait together, after so many turns in a row that ended for a longer wait.
    pub(super) fn waits_in_all(&self, throttled: u32) -> Duration {
        self.longest_wait.saturating_mul(1 << throttled.min(3))
    }

    /// The wait after so many failed turns in a row; `chance` is between 0 and 255.
    pub(super) fn backoff(&self, failed: u32, chance: u8) -> Duration {
        let factor = 2_u32.saturating_pow(failed.saturating_sub(1).min(16));
        let wait = self.first_backoff.saturating_mul(factor);
        let wait = wait.min(self.longest_backoff);
        wait + wait / 4 * u32::from(chance) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_of_a_turn_may_become_eight_times_as_long() {
        let settings = PoolSettings::default();
        let sums = [0, 1, 2, 3, 4, u32::MAX].map(|n| settings.waits_in_all(n).as_secs());
        assert_eq!(sums, [15, 30, 60, 120, 120, 120]);
    }

    #[test]
    fn the_wait_doubles_to_its_limit_and_chance_adds_a_quarter_at_most() {
        let settings = PoolSettings::default();
        let waits: Vec<u64> = [1, 2, 3, 6, 7, 4_000]
            .map(|failed| settings.backoff(failed, 0).as_secs())
            .into();
        assert_eq!(waits, [60, 120, 240, 1_920, 3_600, 3_600]);
        assert_eq!(settings.backoff(1, 255).as_secs(), 75);
        assert_eq!(settings.backoff(4_000, 255).as_secs(), 4_500);
    }
}
