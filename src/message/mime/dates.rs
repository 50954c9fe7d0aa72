//! The `Date` field (RFC 5322 3.3 and 4.3): can it be read, and can it be meant?

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::fields::{Field, words};

/// No mail is older than the epoch, and no clock is a day ahead of the server that received the
/// mail.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// 9998-12-31T23:59:59Z; later years are no dates but marks.
const LAST_SECOND: i64 = 253_370_764_799;
/// RFC 5322 4.3 has two-digit years; a year of four digits below this is no year.
const FIRST_YEAR: u32 = 1900;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Date {
    Missing,
    Implausible,
    At(Timestamp),
}

/// Reads a `Date` field: by the letter of RFC 5322, else as the MIME parser forgives.
pub(super) fn read(field: &Field<'_>) -> Date {
    let mut line = field.unfolded();
    let Some(second) = strict(&line).or_else(|| lenient(&mut line)) else {
        return Date::Missing;
    };
    let plausible = (0..=LAST_SECOND).contains(&second) && !has_impossible_number(&line);
    match Timestamp::from_second(second) {
        Ok(timestamp) if plausible => Date::At(timestamp),
        _ => Date::Implausible,
    }
}

fn strict(line: &[u8]) -> Option<i64> {
    static PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    let timestamp = PARSER.parse_timestamp(line).ok()?;
    Some(timestamp.as_second())
}

fn lenient(line: &mut Vec<u8>) -> Option<i64> {
    // The MIME parser takes any three letters for a month.
    if !words(line).any(begins_with_month) {
        return None;
    }
    line.push(b'\n');
    let HeaderValue::DateTime(date) = MessageStream::new(line).parse_date() else {
        return None;
    };
    let exists = date.day <= month_length(date.year, date.month) && date.day > 0;
    let exists = exists && date.hour <= 23 && date.minute <= 59 && date.second <= 60;
    exists.then(|| date.to_timestamp())
}

/// Holds a date against the time at which the server received the mail.
pub(super) fn against(date: Date, received: Option<Timestamp>) -> Date {
    match (date, received) {
        (Date::At(sent), Some(received)) if sent.duration_since(received) > AHEAD => {
            Date::Implausible
        }
        _ => date,
    }
}

fn begins_with_month(word: &[u8]) -> bool {
    const MONTHS: &[u8] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let Some(start) = word.get(..3) else {
        return false;
    };
    MONTHS
        .chunks(3)
        .any(|month| month.eq_ignore_ascii_case(start))
}

fn month_length(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// A zone of a whole day or more, or a year of four digits before 1900: the MIME parser makes both
/// into something else.
fn has_impossible_number(line: &[u8]) -> bool {
    words(line).any(|word| match word {
        [b'+' | b'-', zone @ ..] if zone.len() == 4 => {
            number(zone).is_some_and(|zone| zone / 100 > 23 || zone % 100 > 59)
        }
        _ if word.len() == 4 => number(word).is_some_and(|year| year < FIRST_YEAR),
        _ => false,
    })
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(value: &str) -> Date {
        read(&Field {
            name: b"Date",
            value: value.as_bytes(),
        })
    }

    #[test]
    fn dates_are_read_or_refused() {
        let at = |text: &str| Date::At(text.parse().unwrap());
        let table = [
            (
                "Mon, 27 Apr 2026 10:00:54 +0100",
                at("2026-04-27T09:00:54Z"),
            ),
            ("27 Apr 2026 10:00 GMT", at("2026-04-27T10:00:00Z")),
            (
                "Mon,\r\n 27 Apr 2026\r\n 10:00:54 -0330 (a (b))",
                at("2026-04-27T13:30:54Z"),
            ),
            ("27 Apr 26 10:00:00 EST", at("2026-04-27T15:00:00Z")),
            ("29 Feb 2024 00:00:00 +0000", at("2024-02-29T00:00:00Z")),
            ("", Date::Missing),
            ("yesterday", Date::Missing),
            ("30 Feb 2026 00:00:00 +0000", Date::Missing),
            ("27 Apr 2026 25:00:00 +0000", Date::Missing),
            ("27 Foo 2026 10:00:00 +0000", Date::Missing),
            ("Thu, 01 Jan 1960 00:00:00 +0000", Date::Implausible),
            ("Fri, 31 Dec 9999 23:59:59 +0000", Date::Implausible),
            ("1 Jan 0000 00:00:00 +0000", Date::Implausible),
            ("1 Jan 2026 00:00:00 +2400", Date::Implausible),
        ];
        for (value, read) in table {
            assert_eq!(date(value), read, "{value:?}");
        }
    }

    #[test]
    fn no_mail_is_sent_a_day_after_it_was_received() {
        let sent = date("27 Apr 2026 10:00:00 +0000");
        let received = |text: &str| Some(text.parse().unwrap());
        assert_eq!(against(sent, None), sent);
        assert_eq!(against(sent, received("2026-04-26T10:00:00Z")), sent);
        let early = received("2026-04-26T09:59:59Z");
        assert_eq!(against(sent, early), Date::Implausible);
        assert_eq!(against(Date::Missing, early), Date::Missing);
    }

    proptest! {
        #[test]
        fn any_date_is_read_without_panic(value in "[0-9 :+JanFeb,()\\\\;-]{0,60}") {
            date(&value);
        }
    }
}
