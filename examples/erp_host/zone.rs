//! The company's time zone: whose day it is, and when a day begins.

use std::sync::OnceLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Reads a name such as `Europe/Paris`, or a rule such as `NZST-12NZDT,M9.5.0,M4.1.0/3` (POSIX TZ).
pub(crate) fn parse(text: &str) -> Result<TimeZone, String> {
    if text.eq_ignore_ascii_case("utc") {
        return Ok(TimeZone::UTC);
    }
    let named = TimeZone::get(text).or_else(|_| TimeZone::posix(text));
    named.map_err(|error| format!("no such time zone: {error}"))
}

/// Says where the company is; once, before the first page.
pub(crate) fn set(zone: TimeZone) {
    // The first one stays.
    let _ = ZONE.set(zone);
}

fn zone() -> TimeZone {
    ZONE.get().cloned().unwrap_or(TimeZone::UTC)
}

/// A point in time on the company's clocks.
pub(crate) fn at(time: Timestamp) -> Zoned {
    time.to_zoned(zone())
}

/// The work date.
pub(crate) fn today() -> Date {
    at(Timestamp::now()).date()
}

/// When a day begins.
pub(crate) fn midnight(day: Date) -> Option<Timestamp> {
    day.to_zoned(zone()).ok().map(|zoned| zoned.timestamp())
}

/// How far the company's clocks are ahead of UTC now, in minutes.
pub(crate) fn offset_min() -> i32 {
    at(Timestamp::now()).offset().seconds() / 60
}
