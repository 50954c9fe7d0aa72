//! When the identity service is asked again after it could not answer.
//!
//! Owns the time that a service named, and how often one call tries. Sends nothing.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Entropy;
use crate::error::{Code, Error, Result, codes};
use crate::http::is_tls;

/// Attempts of one call.
const ATTEMPTS: u32 = 3;

/// The first wait between two attempts where the service names none; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that a call takes upon itself: others wait for the same token.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a call goes on trying.
const LONGEST_CALL: Duration = Duration::from_secs(45);

/// The longest time for which a service is left alone, whatever it says.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The time before which the service does not want to be asked.
#[derive(Debug, Default)]
pub(super) struct Pause(Mutex<Option<Until>>);

/// The length is kept beside the end, so that a clock that steps back cannot make it longer.
#[derive(Debug, Clone, Copy)]
struct Until {
    end: Timestamp,
    length: Duration,
    code: &'static Code,
}

impl Pause {
    /// Takes the time that a refusal named (`Retry-After`, RFC 9110, 10.2.3).
    pub(super) fn heed(&self, error: &Error, now: Timestamp) {
        let Some(length) = error.retry_after().map(|wait| wait.min(LONGEST_PAUSE)) else {
            return;
        };
        let span = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let end = now.saturating_add(span).unwrap_or(Timestamp::MAX);
        let throttled = error.code() == codes::HTTP_THROTTLED.code;
        let code = if throttled {
            &codes::HTTP_THROTTLED
        } else {
            &codes::HTTP_UNAVAILABLE
        };
        *self.until() = Some(Until { end, length, code });
    }

    /// Whether the service may be asked.
    ///
    /// # Errors
    ///
    /// `Throttled` or `Unavailable`, as the service said it, with the rest of the time.
    pub(super) fn check(&self, operation: &'static str, now: Timestamp) -> Result<()> {
        let mut until = self.until();
        let Some(pause) = *until else {
            return Ok(());
        };
        let left = Duration::try_from(pause.end.duration_since(now)).unwrap_or_default();
        if left.is_zero() {
            *until = None;
            return Ok(());
        }
        let left = left.min(pause.length);
        Err(Error::new(pause.code, operation).with_retry_after(left))
    }

    fn until(&self) -> std::sync::MutexGuard<'_, Option<Until>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The attempts of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    began: Timestamp,
    made: u32,
    /// Whether a request whose answer was lost may be sent again.
    repeatable: bool,
}

impl Attempts {
    /// No attempt was made yet.
    pub(super) fn new(began: Timestamp, repeatable: bool) -> Self {
        Self {
            began,
            made: 0,
            repeatable,
        }
    }

    /// One more was made.
    pub(super) fn count(&mut self) {
        self.made = self.made.saturating_add(1);
    }

    /// How long to wait before the next one; none where there is to be none.
    pub(super) fn wait(
        &self,
        error: &Error,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Option<Duration> {
        let is = |code: &Code| error.code() == code.code;
        let lost = is(&codes::HTTP_TIMEOUT) || is(&codes::HTTP_CLOSED);
        let tired = now.duration_since(self.began).unsigned_abs() >= LONGEST_CALL;
        let useless = !error.is_transient() || is_tls(error) || (lost && !self.repeatable);
        if useless || tired || self.made >= ATTEMPTS {
            return None;
        }
        let wait = match error.retry_after() {
            Some(wished) => wished,
            None if is(&codes::HTTP_THROTTLED) => return None,
            None => FIRST_WAIT.saturating_mul(1 << self.made.saturating_sub(1).min(8)),
        };
        (wait <= LONGEST_WAIT).then(|| wait + jitter(wait, entropy))
    }
}

/// Up to a quarter of the wait, so that several hosts do not come back together.
fn jitter(wait: Duration, entropy: &dyn Entropy) -> Duration {
    let mut bytes = [0; 2];
    entropy.fill(&mut bytes);
    wait / 4 * u32::from(u16::from_le_bytes(bytes)) / u32::from(u16::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Same(u8);

    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn error(code: &'static Code, wait: Option<u64>) -> Error {
        let error = Error::new(code, "test");
        match wait {
            Some(wait) => error.with_retry_after(Duration::from_secs(wait)),
            None => error,
        }
    }

    #[test]
    fn only_what_passes_soon_is_tried_again_and_not_for_ever() {
        let began = Timestamp::UNIX_EPOCH;
        let (down, busy) = (&codes::HTTP_UNAVAILABLE, &codes::HTTP_THROTTLED);
        for (code, wished, made, repeatable, wait) in [
            (down, None, 1, false, Some(500)),
            (down, None, 2, false, Some(1000)),
            (down, None, 3, false, None),
            (down, Some(2), 1, false, Some(2000)),
            (down, Some(6), 1, false, None),
            (busy, Some(2), 1, false, Some(2000)),
            (busy, None, 1, true, None),
            (&codes::HTTP_TIMEOUT, None, 1, false, None),
            (&codes::HTTP_TIMEOUT, None, 1, true, Some(500)),
            (&codes::HTTP_TLS_EXPIRED, None, 1, true, None),
            (&codes::OAUTH_REAUTH, None, 1, true, None),
        ] {
            let mut attempts = Attempts::new(began, repeatable);
            (0..made).for_each(|_| attempts.count());
            let error = error(code, wished);
            let found = attempts.wait(&error, began, &Same(0));
            assert_eq!(found, wait.map(Duration::from_millis), "{}", code.code);
            let late = began + SignedDuration::from_secs(45);
            assert_eq!(attempts.wait(&error, late, &Same(0)), None);
            let longest = attempts.wait(&error, began, &Same(255));
            assert_eq!(longest, found.map(|wait| wait + wait / 4));
        }
    }

    #[test]
    fn a_service_is_left_alone_for_as_long_as_it_wishes_and_at_most_an_hour() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for (wished, left) in [(9, 9), (100_000, 3600)] {
            let pause = Pause::default();
            pause.heed(&error(&codes::HTTP_THROTTLED, Some(wished)), at(0));
            let refused = pause.check("test", at(0)).unwrap_err();
            assert_eq!(refused.code(), "http.throttled");
            assert_eq!(refused.retry_after(), Some(Duration::from_secs(left)));
            let stepped_back = pause.check("test", at(-100_000)).unwrap_err();
            assert_eq!(stepped_back.retry_after(), Some(Duration::from_secs(left)));
            let left = i64::try_from(left).unwrap();
            assert!(pause.check("test", at(left - 1)).is_err());
            assert!(pause.check("test", at(left)).is_ok());
        }
        let pause = Pause::default();
        pause.heed(&error(&codes::HTTP_UNAVAILABLE, None), at(0));
        assert!(pause.check("test", at(0)).is_ok());
    }
}
