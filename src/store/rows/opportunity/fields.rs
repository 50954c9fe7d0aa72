//! A row as named cells: numbers and texts, each of which may be null.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::opportunity::{Amount, Percent};
use crate::store::rows::{Fit, Flaw, UNKNOWN_CODE};

/// The value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// A whole number.
    Number(Option<i64>),
    /// A text.
    Text(Option<String>),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Number(Some(value))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(Some(super::text(value).into_owned()))
    }
}

/// A row that is written.
pub(crate) type Cells = Vec<(&'static str, Cell)>;

const DAMAGED: Flaw = Flaw::Damaged("a column");

/// A row that was read.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, Cell>);

impl FromIterator<(String, Cell)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, Cell)>>(cells: I) -> Self {
        Self(cells.into_iter().collect())
    }
}

impl Fields {
    pub(crate) fn maybe_number(&self, name: &str) -> Fit<Option<i64>> {
        match self.0.get(name) {
            Some(Cell::Number(value)) => Ok(*value),
            Some(Cell::Text(None)) => Ok(None),
            _ => Err(DAMAGED),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Fit<i64> {
        self.maybe_number(name)?.ok_or(DAMAGED)
    }

    pub(super) fn small(&self, name: &str) -> Fit<u32> {
        u32::try_from(self.number(name)?).map_err(|_| DAMAGED)
    }

    pub(super) fn flag(&self, name: &str) -> Fit<bool> {
        Ok(self.number(name)? != 0)
    }

    pub(super) fn amount(&self, name: &str) -> Fit<Amount> {
        self.number(name).map(Amount::from_ten_thousandths)
    }

    pub(super) fn percent(&self, name: &str) -> Fit<Percent> {
        let value = u16::try_from(self.number(name)?).map_err(|_| DAMAGED)?;
        Percent::from_hundredths(value).map_err(|_| DAMAGED)
    }

    pub(super) fn maybe_text(&self, name: &str) -> Fit<Option<String>> {
        match self.0.get(name) {
            Some(Cell::Text(value)) => Ok(value.clone()),
            Some(Cell::Number(None)) => Ok(None),
            _ => Err(DAMAGED),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Fit<String> {
        self.maybe_text(name)?.ok_or(DAMAGED)
    }

    pub(super) fn date(&self, name: &str) -> Fit<Date> {
        date(&self.text(name)?)
    }

    pub(super) fn maybe_date(&self, name: &str) -> Fit<Option<Date>> {
        self.maybe_text(name)?.map(|text| date(&text)).transpose()
    }

    pub(super) fn code<T>(&self, name: &str, from_code: impl Fn(&str) -> Option<T>) -> Fit<T> {
        from_code(&self.text(name)?).ok_or(UNKNOWN_CODE)
    }
}

fn date(text: &str) -> Fit<Date> {
    text.parse().map_err(|_| Flaw::Damaged("a date"))
}
