//! Date formulas as Business Central writes them (Microsoft reference, "Use Date Formulas"): `1M+CM`, `2W`, `D15`, `-CW`.
//!
//! Terms are applied from left to right. A term is a number with a unit (`3D`, `2W`, `1M`, `1Q`, `1Y`), the end of the current
//! unit (`CM`; its beginning with a minus), or the next day with this number (`D15` of a month, `WD5` of a week; the last one
//! with a minus).

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use crate::error::{Error, Result, codes};

/// The most characters of a formula.
const LONGEST: usize = 32;

/// A rule that makes a date of a date. The empty one keeps the date.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct DateFormula {
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Term {
    back: bool,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Step {
    /// So many units.
    Count(i32, Unit),
    /// To the border of the current unit.
    Current(Unit),
    /// To the day with this number in a month.
    DayOfMonth(i8),
    /// To the day with this number in a week, 1 for Monday.
    DayOfWeek(i8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl DateFormula {
    /// Whether it keeps every date.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The date that the formula makes of a date.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.date_formula`) where it leaves the calendar.
    pub fn apply(&self, date: Date) -> Result<Date> {
        let mut date = date;
        for term in &self.terms {
            date = term.apply(date).ok_or_else(invalid)?;
        }
        Ok(date)
    }
}

impl Term {
    fn apply(self, date: Date) -> Option<Date> {
        match self.step {
            Step::Count(count, unit) => unit.add(date, if self.back { -count } else { count }),
            Step::Current(unit) if self.back => unit.first(date),
            Step::Current(unit) => unit.add(unit.first(date)?, 1)?.yesterday().ok(),
            Step::DayOfMonth(day) => self.day_of_month(date, day),
            Step::DayOfWeek(day) => {
                let weekday = Weekday::from_monday_one_offset(day).ok()?;
                let nth = if self.back { -1 } else { 1 };
                date.nth_weekday(nth, weekday).ok()
            }
        }
    }

    /// The nearest such day after the date, or before it; a month that is too short is passed over.
    fn day_of_month(self, date: Date, day: i8) -> Option<Date> {
        let step = if self.back { -1 } else { 1 };
        let mut first = date.first_of_month();
        for _ in 0..4 {
            let found = Date::new(first.year(), first.month(), day).ok();
            let fits = |found: &Date| {
                if self.back {
                    *found < date
                } else {
                    *found > date
                }
            };
            if let Some(found) = found.filter(fits) {
                return Some(found);
            }
            first = Unit::Month.add(first, step)?;
        }
        None
    }
}

impl Unit {
    fn add(self, date: Date, count: i32) -> Option<Date> {
        let span = match self {
            Self::Day => count.days(),
            Self::Week => count.weeks(),
            Self::Month => count.months(),
            Self::Quarter => (count.checked_mul(3)?).months(),
            Self::Year => count.years(),
        };
        date.checked_add(span).ok()
    }

    /// The first day of the unit that the date is in.
    fn first(self, date: Date) -> Option<Date> {
        match self {
            Self::Day => Some(date),
            Self::Week => {
                let since = i32::from(date.weekday().to_monday_zero_offset());
                Self::Day.add(date, -since)
            }
            Self::Month => Some(date.first_of_month()),
            Self::Quarter => Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok(),
            Self::Year => Some(date.first_of_year()),
        }
    }

    fn of(letter: char) -> Option<Self> {
        match letter {
            'D' => Some(Self::Day),
            'W' => Some(Self::Week),
            'M' => Some(Self::Month),
            'Q' => Some(Self::Quarter),
            'Y' => Some(Self::Year),
            _ => None,
        }
    }
}

fn invalid() -> Error {
    Error::new(&codes::OPPORTUNITY_DATE_FORMULA, "DateFormula")
}

impl fmt::Display for DateFormula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for DateFormula {
    type Err = Error;

    /// Reads a formula of at most 32 characters; case and angle brackets do not matter.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.date_formula`).
    fn from_str(text: &str) -> Result<Self> {
        let inner = text.trim();
        let inner = inner
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'))
            .unwrap_or(inner)
            .to_ascii_uppercase();
        if inner.len() > LONGEST {
            return Err(invalid());
        }
        let terms = terms(&inner).ok_or_else(invalid)?;
        Ok(Self { text: inner, terms })
    }
}

fn terms(text: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let back = rest.starts_with('-');
        if back || rest.starts_with('+') {
            rest = rest.get(1..)?;
        } else if !terms.is_empty() {
            return None;
        }
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let (term, after) = rest.split_at_checked(end)?;
        terms.push(Term {
            back,
            step: step(term)?,
        });
        rest = after;
    }
    Some(terms)
}

fn step(term: &str) -> Option<Step> {
    if let Some(day) = term.strip_prefix("WD") {
        return numbered(day, 7).map(Step::DayOfWeek);
    }
    if let Some(day) = term.strip_prefix('D') {
        return numbered(day, 31).map(Step::DayOfMonth);
    }
    let mut letters = term.chars();
    let unit = Unit::of(letters.next_back()?)?;
    match letters.as_str() {
        "C" => Some(Step::Current(unit)),
        count if count.bytes().all(|b| b.is_ascii_digit()) => {
            let count: i32 = count.parse().ok()?;
            (count <= 9_999).then_some(Step::Count(count, unit))
        }
        _ => None,
    }
}

fn numbered(text: &str, last: i8) -> Option<i8> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number: i8 = text.parse().ok().filter(|_| digits)?;
    (1..=last).contains(&number).then_some(number)
}

#[cfg(feature = "serde")]
impl serde::Serialize for DateFormula {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for DateFormula {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn formulas_make_dates() {
        // 14 May 2026 is a Thursday.
        let cases = [
            ("", "2026-05-14"),
            ("1D", "2026-05-15"),
            ("+10D", "2026-05-24"),
            ("-1W", "2026-05-07"),
            ("1M", "2026-06-14"),
            ("1Q", "2026-08-14"),
            ("-1Y", "2025-05-14"),
            ("CM", "2026-05-31"),
            ("-CM", "2026-05-01"),
            ("CW", "2026-05-17"),
            ("-CW", "2026-05-11"),
            ("CQ", "2026-06-30"),
            ("-CQ", "2026-04-01"),
            ("CY", "2026-12-31"),
            ("-CY", "2026-01-01"),
            ("CD", "2026-05-14"),
            ("1M+CM", "2026-06-30"),
            ("CM+1D", "2026-06-01"),
            ("CM-1M", "2026-04-30"),
            ("-CM+1Y-1D", "2027-04-30"),
            ("<1m+cm>", "2026-06-30"),
            ("D15", "2026-05-15"),
            ("D14", "2026-06-14"),
            ("D31", "2026-05-31"),
            ("-D14", "2026-04-14"),
            ("-D31", "2026-03-31"),
            ("WD5", "2026-05-15"),
            ("WD4", "2026-05-21"),
            ("-WD2", "2026-05-12"),
        ];
        let from: Date = "2026-05-14".parse().unwrap();
        for (formula, expected) in cases {
            let formula: DateFormula = formula.parse().unwrap();
            let made = formula.apply(from).unwrap();
            assert_eq!(made.to_string(), expected, "{formula}");
        }
    }

    #[test]
    fn the_end_of_a_short_month_is_kept_inside_it() {
        let formula: DateFormula = "1M".parse().unwrap();
        let made = formula.apply("2027-01-31".parse().unwrap()).unwrap();
        assert_eq!(made.to_string(), "2027-02-28");
    }

    #[test]
    fn what_is_no_formula_is_refused() {
        let long = "1D+".repeat(11) + "1D";
        let wrong = [
            "1", "D", "M", "C", "1X", "1M CM", "1M2D", "++1D", "1D+", "CWD", "1WD", "D0", "D32",
            "WD8", "D+1", "99999D", "<1D", "é", &long,
        ];
        for text in wrong {
            let refused = text.parse::<DateFormula>();
            assert_eq!(
                refused.unwrap_err().code(),
                "opportunity.date_formula",
                "{text}"
            );
        }
    }

    #[test]
    fn a_date_beyond_the_calendar_is_refused() {
        let formula: DateFormula = "9999Y".parse().unwrap();
        assert!(formula.apply("2026-05-14".parse().unwrap()).is_err());
    }
}
