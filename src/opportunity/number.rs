//! The number series that opportunities take their numbers from.

use crate::error::{Error, Result, codes};
use crate::ids::OpportunityNo;

/// The most characters of a number (Business Central: Code[20]).
const LONGEST: usize = 20;

/// A row of numbers: the digits at the end rise by one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct NumberSeries {
    /// The code of the series, such as `OPP`.
    pub code: String,
    /// The number that the next opportunity gets, such as `OP000001`.
    pub next: String,
}

impl NumberSeries {
    /// A series that begins with this number.
    pub fn new(code: impl Into<String>, first: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            next: first.into(),
        }
    }

    /// The next number, and the series as it stands after it was taken. `OP9` is followed by `OP10`.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.series_end`) where the number does not end in digits or has more than 20 characters.
    pub fn take(&self) -> Result<(OpportunityNo, Self)> {
        let after = incremented(&self.next);
        let after = after.filter(|_| self.next.chars().count() <= LONGEST);
        let end = || Error::new(&codes::OPPORTUNITY_SERIES_END, "number series");
        let rest = Self::new(&self.code, after.ok_or_else(end)?);
        Ok((OpportunityNo::new(&self.next), rest))
    }
}

fn incremented(number: &str) -> Option<String> {
    let text = number.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = number.strip_prefix(text)?;
    let next = digits.parse::<u64>().ok()?.checked_add(1)?;
    Some(format!("{text}{next:0width$}", width = digits.len()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_digits_at_the_end_rise() {
        let cases = [
            ("OP000001", "OP000002"),
            ("OP9", "OP10"),
            ("2026-099", "2026-100"),
            ("7", "8"),
        ];
        for (next, after) in cases {
            let (taken, rest) = NumberSeries::new("OPP", next).take().unwrap();
            assert_eq!((taken.as_str(), rest.next.as_str()), (next, after));
        }
    }

    #[test]
    fn a_series_without_a_next_number_is_refused() {
        for next in ["", "OP", "OP1A", "OP18446744073709551615", &"1".repeat(21)] {
            let refused = NumberSeries::new("OPP", next).take().unwrap_err();
            assert_eq!(refused.code(), "opportunity.series_end", "{next}");
        }
    }
}
