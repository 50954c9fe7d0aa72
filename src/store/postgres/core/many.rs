//! Rows of one table written by one statement: a parameter per column, which is an array.

use std::fmt::Write as _;

use crate::store::postgres::pool::{Value, Write};

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Number,
    Float,
    Text,
    Bytes,
    Id,
    /// Text that is JSON.
    Json,
}

impl Kind {
    fn array(self) -> &'static str {
        match self {
            Self::Number => "bigint[]",
            Self::Float => "double precision[]",
            Self::Text | Self::Json => "text[]",
            Self::Bytes => "bytea[]",
            Self::Id => "uuid[]",
        }
    }
}

/// Columns with their values, each as long as the others.
#[derive(Default)]
pub(super) struct Many<'a> {
    names: Vec<(&'static str, Kind)>,
    values: Vec<Value<'a>>,
}

impl<'a> Many<'a> {
    /// Adds a column.
    pub(super) fn with(mut self, name: &'static str, kind: Kind, values: Value<'a>) -> Self {
        self.names.push((name, kind));
        self.values.push(values);
        self
    }

    /// The statement that inserts the rows; `tail` follows, as a conflict's clause.
    pub(super) fn insert(self, table: &str, tail: &str) -> Write<'a> {
        let mut names = String::new();
        let mut picks = String::new();
        for (number, (name, kind)) in (1..).zip(&self.names) {
            let comma = if number == 1 { "" } else { ", " };
            let cast = if matches!(kind, Kind::Json) {
                "::jsonb"
            } else {
                ""
            };
            // Writing to a string does not fail.
            let _ = write!(names, "{comma}{name}");
            let _ = write!(picks, "{comma}c{number}{cast}");
        }
        let from = self.from();
        let sql = format!("INSERT INTO {table} ({names}) SELECT {picks} FROM {from} {tail}");
        Write::new(sql, self.values)
    }

    /// The statement that these rows are the table `r` of, with the columns' own names.
    pub(super) fn update(self, set: &str, condition: &str) -> Write<'a> {
        let names: Vec<&str> = self.names.iter().map(|(name, _)| *name).collect();
        let arrays = self.arrays();
        let sql = format!(
            "UPDATE {set} FROM UNNEST({arrays}) AS r ({}) WHERE {condition}",
            names.join(", ")
        );
        Write::new(sql, self.values)
    }

    fn from(&self) -> String {
        let numbers: Vec<String> = (1..=self.names.len()).map(|n| format!("c{n}")).collect();
        format!("UNNEST({}) AS r ({})", self.arrays(), numbers.join(", "))
    }

    fn arrays(&self) -> String {
        let kinds = (1..).zip(&self.names);
        let arrays: Vec<String> = kinds
            .map(|(number, (_, kind))| format!("${number}::{}", kind.array()))
            .collect();
        arrays.join(", ")
    }
}
