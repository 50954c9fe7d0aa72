//! The line between two mails of an mbox file: `From `, a sender, a date (RFC 4155).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A longer line is no separator.
const LINE_BYTES: usize = 1024;

/// Whether a line separates mails, and the date that it names.
///
/// A line of text that begins with `From ` is none unless a whole date with its weekday follows, as `asctime` writes it
/// (`Mon Jan  5 10:00:00 2026`, with or without an offset) or as a mail does (`Mon, 5 Jan 2026 10:00:00 +0000`).
pub(super) fn date(line: &[u8]) -> Option<Timestamp> {
    let rest = line.strip_prefix(b"From ")?;
    if line.len() > LINE_BYTES {
        return None;
    }
    let text = String::from_utf8_lossy(rest);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let at = words.iter().rposition(|word| clock(word).is_some())?;
    let (hour, minute, second) = clock(words.get(at)?)?;
    let before = |n: usize| {
        at.checked_sub(n)
            .and_then(|index| words.get(index))
            .copied()
    };
    let after = words.get(at + 1..)?;
    let mail = || Some((before(4)?, before(3)?, before(2)?, before(1)?));
    let asctime = || {
        Some((
            before(3)?,
            before(1)?,
            before(2)?,
            after.iter().copied().find(|word| year(word).is_some())?,
        ))
    };
    let whole = |(weekday, day, month, of): (&str, &str, &str, &str)| {
        is_weekday(weekday).then_some(())?;
        DateTime::new(
            year(of)?,
            self::month(month)?,
            day.parse().ok()?,
            hour,
            minute,
            second,
            0,
        )
        .ok()
    };
    let local = mail()
        .and_then(whole)
        .or_else(|| asctime().and_then(whole))?;
    let offset = after
        .iter()
        .find_map(|word| offset(word))
        .unwrap_or(Offset::UTC);
    offset.to_timestamp(local).ok()
}

fn clock(word: &str) -> Option<(i8, i8, i8)> {
    let mut parts = word.split(':');
    let hour = two(parts.next()?)?;
    let minute = two(parts.next()?)?;
    let second = parts.next().map_or(Some(0), two)?;
    // A leap second is the second before it.
    (parts.next().is_none() && hour < 24 && minute < 60).then_some((hour, minute, second.min(59)))
}

fn two(digits: &str) -> Option<i8> {
    let number = digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|value| number && *value <= 60)
}

fn year(word: &str) -> Option<i16> {
    let four = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|year| four && *year >= 1970)
}

fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let at = MONTHS
        .iter()
        .position(|name| word.eq_ignore_ascii_case(name))?;
    i8::try_from(at + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    let word = word.strip_suffix(',').unwrap_or(word);
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}

fn offset(word: &str) -> Option<Offset> {
    let sign = match word.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = word.get(1..).filter(|digits| digits.len() == 4)?;
    let number: i32 = digits.parse().ok()?;
    Offset::from_seconds(sign * (number / 100 * 3600 + number % 100 * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_has_a_date_as_one_of_the_mail_programs_writes_it() {
        for (line, expected) in [
            (
                "From a@b.example Mon Jan  5 10:00:00 2026\n",
                "2026-01-05T10:00:00Z",
            ),
            (
                "From - Mon Jan 05 10:00:00 2026\r\n",
                "2026-01-05T10:00:00Z",
            ),
            (
                "From 17@xxx Mon Jan 05 10:00:00 +0100 2026\n",
                "2026-01-05T09:00:00Z",
            ),
            (
                "From a@b Mon Jan  5 10:00:00 CET 2026\n",
                "2026-01-05T10:00:00Z",
            ),
            (
                "From a@b Mon Jan  5 10:00 2026 -0230",
                "2026-01-05T12:30:00Z",
            ),
            (
                "From \"a b\"@c Mon, 5 Jan 2026 10:00:00 +0000\n",
                "2026-01-05T10:00:00Z",
            ),
            (
                "From MAILER-DAEMON Sat Dec 31 23:59:60 2016\n",
                "2016-12-31T23:59:59Z",
            ),
        ] {
            let date = date(line.as_bytes()).map(|at| at.to_string());
            assert_eq!(date.as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn a_line_of_text_is_no_separator() {
        for line in [
            "From here on it is easy\n",
            "From Monday at 10:00 we are closed in 2026\n",
            "From Mon Jan 5 on\n",
            "from a@b Mon Jan  5 10:00:00 2026\n",
            " From a@b Mon Jan  5 10:00:00 2026\n",
            ">From a@b Mon Jan  5 10:00:00 2026\n",
            "From a@b Mon Foo  5 10:00:00 2026\n",
            "From a@b Mon Feb 30 10:00:00 2026\n",
            "From a@b Jan  5 10:00:00 2026\n",
            "From:\n",
            "From ",
        ] {
            assert_eq!(date(line.as_bytes()), None, "{line}");
        }
    }
}
