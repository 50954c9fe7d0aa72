//! Reading `Retry-After` (RFC 9110, 10.2.3).
//!
//! Owns what the field says. Knows nothing of who waits, and of how long a wait may be.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::http_date;

/// The two older forms of a date in HTTP (RFC 9110, 5.6.7); their time is UTC.
const OLDER_FORMS: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The longest time that any `Retry-After` of an answer names; a date that has passed is no time. A date is the server's: it
/// is measured by the server's clock, and by the one that shows `now` where the answer tells no `Date`.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let now = http_date(headers).unwrap_or(now);
    let values = headers.get_all(RETRY_AFTER).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.filter_map(|text| read(text.trim(), now)).max()
}

fn read(text: &str, now: Timestamp) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = date(text)?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

fn date(text: &str) -> Option<Timestamp> {
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return Some(zoned.timestamp());
    }
    let older = |form: &&str| DateTime::strptime(form, text).ok();
    let date = OLDER_FORMS.iter().find_map(older)?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use reqwest::header::{DATE, HeaderValue};

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
        for (text, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("0", Some(0)),
            ("007", Some(7)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(7)),
            ("Sun Nov  6 08:49:37 1994", Some(7)),
            ("Sun, 06 Nov 1994 08:49:29 GMT", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Wed, 01 Jan 2994 00:00:00 GMT", Some(31_530_265_830)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None),
            ("-7", None),
            ("+7", None),
            ("1.5", None),
            ("7 s", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            let read = retry_after(&headers, now);
            assert_eq!(read, seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_date_is_measured_by_the_clock_of_its_server() {
        let ahead: Timestamp = "1994-11-06T08:59:37Z".parse().unwrap();
        for (date, until, seconds) in [
            (
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 08:54:37 GMT",
                300,
            ),
            (
                "Sun, 06 Nov 1994 10:49:37 GMT",
                "Sun, 06 Nov 1994 10:49:40 GMT",
                3,
            ),
            (
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 08:49:36 GMT",
                0,
            ),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "5", 5),
            ("no date", "Sun, 06 Nov 1994 08:59:39 GMT", 2),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static(date));
            headers.insert(RETRY_AFTER, HeaderValue::from_static(until));
            let read = retry_after(&headers, ahead);
            assert_eq!(read, Some(Duration::from_secs(seconds)), "{date} {until}");
        }
    }

    #[test]
    fn the_longest_of_several_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers, Timestamp::UNIX_EPOCH), None);
        for text in ["3", "no time", "9", "5"] {
            headers.append(RETRY_AFTER, HeaderValue::from_static(text));
        }
        let read = retry_after(&headers, Timestamp::UNIX_EPOCH);
        assert_eq!(read, Some(Duration::from_secs(9)));
    }
}
