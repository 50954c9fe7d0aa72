//! Money and percentages that add exactly. Knows no currency.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use crate::error::{Error, Result, codes};

/// Money in the company's currency: a whole number of ten-thousandths, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The ten-thousandths of one unit of currency.
    pub const SCALE: i64 = 10_000;

    /// An amount of so many ten-thousandths.
    pub const fn from_ten_thousandths(value: i64) -> Self {
        Self(value)
    }

    /// How many ten-thousandths it is.
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// Whether it is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum; at the end of the range it stays there.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This part of it, rounded half away from zero to a ten-thousandth.
    #[must_use]
    pub fn part(self, percent: Percent) -> Self {
        let whole = i128::from(self.0) * i128::from(percent.0);
        Self(i64::try_from(rounded(whole, 10_000)).unwrap_or(i64::MAX))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

impl From<u32> for Amount {
    /// Whole units of currency.
    fn from(units: u32) -> Self {
        Self(i64::from(units) * Self::SCALE)
    }
}

impl fmt::Display for Amount {
    /// At least two decimals, at most four.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let value = self.0.unsigned_abs();
        let (units, rest) = (value / 10_000, value % 10_000);
        if rest % 100 == 0 {
            write!(f, "{sign}{units}.{:02}", rest / 100)
        } else {
            let text = format!("{rest:04}");
            write!(f, "{sign}{units}.{}", text.trim_end_matches('0'))
        }
    }
}

impl FromStr for Amount {
    type Err = Error;

    /// Reads digits with at most four decimals after a point, such as `1250` or `99.95`.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.amount`).
    fn from_str(text: &str) -> Result<Self> {
        decimal(text, 4)
            .map(Self)
            .ok_or_else(|| Error::new(&codes::OPPORTUNITY_AMOUNT, "Amount::from_str"))
    }
}

/// A percentage from 0 to 100 in hundredths of a per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Percent(u16);

impl Percent {
    /// 0 %.
    pub const ZERO: Self = Self(0);

    /// 100 %.
    pub const HUNDRED: Self = Self(10_000);

    /// A percentage of so many hundredths of a per cent.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.percent`) above 10,000.
    pub fn from_hundredths(value: u16) -> Result<Self> {
        if value > Self::HUNDRED.0 {
            return Err(not_a_percentage("Percent::from_hundredths"));
        }
        Ok(Self(value))
    }

    /// A percentage of so many whole per cent; 100 at most.
    #[must_use]
    pub fn whole(value: u8) -> Self {
        Self(u16::from(value.min(100)) * 100)
    }

    /// How many hundredths of a per cent it is.
    pub const fn hundredths(self) -> u16 {
        self.0
    }

    /// Whether it is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Both together, as two independent conditions are; rounded half up.
    #[must_use]
    pub(super) fn times(self, other: Self) -> Self {
        let product = i128::from(self.0) * i128::from(other.0);
        Self(u16::try_from(rounded(product, 10_000)).unwrap_or(Self::HUNDRED.0))
    }

    /// The mean of both, rounded half up.
    #[must_use]
    pub(super) fn mean(self, other: Self) -> Self {
        let sum = i128::from(self.0) + i128::from(other.0);
        Self(u16::try_from(rounded(sum, 2)).unwrap_or(Self::HUNDRED.0))
    }
}

impl fmt::Display for Percent {
    /// Without needless decimals and without a sign: `12.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let text = format!("{rest:02}");
        write!(f, "{whole}.{}", text.trim_end_matches('0'))
    }
}

impl FromStr for Percent {
    type Err = Error;

    /// Reads a number from 0 to 100 with at most two decimals.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.percent`).
    fn from_str(text: &str) -> Result<Self> {
        let value = decimal(text, 2).and_then(|value| u16::try_from(value).ok());
        let value = value.filter(|value| *value <= Self::HUNDRED.0);
        value
            .map(Self)
            .ok_or_else(|| not_a_percentage("Percent::from_str"))
    }
}

fn not_a_percentage(operation: &'static str) -> Error {
    Error::new(&codes::OPPORTUNITY_PERCENT, operation)
}

/// A quotient, rounded half away from zero.
fn rounded(value: i128, by: i128) -> i128 {
    let half = if value < 0 { -by / 2 } else { by / 2 };
    (value + half) / by
}

/// A decimal number as a whole number of its last place.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (units, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !number(units) || !number(rest) || rest.len() > places {
        return None;
    }
    let all: i64 = format!("{units}{rest:0<places$}").parse().ok()?;
    Some(sign * all)
}

#[cfg(feature = "serde")]
mod serial {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    use super::{Amount, Percent};

    impl Serialize for Amount {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for Amount {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        }
    }

    impl Serialize for Percent {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_f64(f64::from(self.0) / 100.0)
        }
    }

    impl<'de> Deserialize<'de> for Percent {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let value = f64::deserialize(deserializer)?;
            format!("{value}").parse().map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn amounts_are_read_and_shown_exactly() {
        let cases = [
            ("0", "0.00"),
            ("1250", "1250.00"),
            ("99.95", "99.95"),
            ("0.1", "0.10"),
            ("0.125", "0.125"),
            ("-3.0001", "-3.0001"),
            ("922337203685477.5807", "922337203685477.5807"),
        ];
        for (text, shown) in cases {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            ".5",
            "1.",
            "1,5",
            "1e3",
            "+1",
            "--1",
            "0.00001",
            "922337203685477.5808",
        ] {
            let refused = text.parse::<Amount>().unwrap_err();
            assert_eq!(refused.code(), "opportunity.amount", "{text}");
        }
    }

    #[test]
    fn ten_dimes_are_one_unit() {
        let dime: Amount = "0.10".parse().unwrap();
        assert_eq!(
            std::iter::repeat_n(dime, 10).sum::<Amount>(),
            Amount::from(1)
        );
    }

    #[test]
    fn a_part_is_rounded_half_away_from_zero() {
        let part = |value, percent: &str| {
            let amount = Amount::from_ten_thousandths(value);
            amount.part(percent.parse().unwrap()).ten_thousandths()
        };
        assert_eq!(part(1, "50"), 1);
        assert_eq!(part(-1, "50"), -1);
        assert_eq!(part(3, "10"), 0);
        assert_eq!(part(i64::MAX, "100"), i64::MAX);
        assert_eq!(
            Amount::from(1_000).part(Percent::whole(12)),
            Amount::from(120)
        );
    }

    #[test]
    fn percentages_stay_between_0_and_100() {
        for (text, shown) in [
            ("0", "0"),
            ("100", "100"),
            ("12.5", "12.5"),
            ("0.05", "0.05"),
        ] {
            assert_eq!(text.parse::<Percent>().unwrap().to_string(), shown);
        }
        for text in ["-1", "100.01", "1000", "12.345", "", "a"] {
            let refused = text.parse::<Percent>().unwrap_err();
            assert_eq!(refused.code(), "opportunity.percent", "{text}");
        }
        assert!(Percent::from_hundredths(10_001).is_err());
    }
}
