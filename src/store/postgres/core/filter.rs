//! Filters as SQL: conditions with bound values, and words that never reach the engine as syntax.

use tokio_postgres::types::ToSql;

use super::{conversation, words};
use crate::ids::{ContactNo, SalespersonCode};
use crate::store::LogFilter;
use crate::store::postgres::fault::Done;
use crate::store::postgres::migrate::Words as Kept;
use crate::store::postgres::pool::{Tx, Value};
use crate::store::rows::{micros, text};

/// Conditions that must all hold, with the values of their parameters.
#[derive(Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Conditions {
    /// Adds a condition without a value.
    pub(super) fn hold(&mut self, sql: impl Into<String>) {
        self.sql.push(sql.into());
    }

    /// Adds a condition; every `?` in it stands for the value.
    pub(super) fn with(&mut self, sql: &str, value: impl ToSql + Sync + Send + 'static) {
        let parameter = self.bind(value);
        self.sql.push(sql.replace('?', &parameter));
    }

    /// Binds a value and answers its parameter.
    pub(super) fn bind(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    /// Conditions of an inner query, in one expression, whose values are bound here.
    pub(super) fn nested(&mut self, build: impl FnOnce(&mut Self)) -> String {
        let outer = std::mem::take(&mut self.sql);
        build(self);
        let inner = std::mem::replace(&mut self.sql, outer);
        inner.join(" AND ")
    }

    /// The conditions in one expression.
    pub(super) fn sql(&self) -> String {
        self.sql.join(" AND ")
    }

    /// The values, in the order of the parameters.
    pub(super) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values
            .iter()
            .map(|value| {
                let value: &(dyn ToSql + Sync) = &**value;
                value
            })
            .collect()
    }
}

/// The conditions of a filter on the entry `{alias}`.
pub(super) fn entry_conditions(all: &mut Conditions, filter: &LogFilter, alias: &str) {
    let own = |value: &str| text(value).into_owned();
    let on = |condition: &str| condition.replace("{e}", alias);
    if let Some(no) = filter.entry_no {
        let no = i64::try_from(no).unwrap_or(-1);
        all.with(&on("{e}.entry_no = ?"), no);
    }
    if let Some(contact) = filter.contact.as_ref().map(ContactNo::as_str) {
        all.with(&on("{e}.contact_no = ?"), own(contact));
    }
    if let Some(company) = filter.company.as_ref().map(ContactNo::as_str) {
        let condition = "coalesce({e}.contact_company_no, {e}.contact_no) = ?";
        all.with(&on(condition), own(company));
    }
    if let Some(code) = filter.salesperson.as_ref().map(SalespersonCode::as_str) {
        all.with(&on("{e}.salesperson_code = ?"), own(code));
    }
    if let Some(flow) = filter.flow {
        all.with(&on("{e}.information_flow = ?"), flow.code());
    }
    if let Some(since) = filter.since {
        all.with(&on("{e}.date >= ?"), micros(since));
    }
    if let Some(until) = filter.until {
        all.with(&on("{e}.date < ?"), micros(until));
    }
    if let Some(flag) = &filter.flag {
        all.with(&on(FLAGGED), own(flag));
    }
    if let Some(no) = &filter.opportunity {
        all.with(&on("{e}.opportunity_no = ?"), own(no));
    }
    if let Some(grade) = filter.evaluation {
        all.with(&on("{e}.evaluation = ?"), i16::from(grade));
    }
    if !filter.canceled {
        all.hold(on("NOT {e}.canceled"));
    }
}

/// A flag of the entry or of its message.
const FLAGGED: &str = "({e}.flags @> to_jsonb(ARRAY[?::text]) OR EXISTS (SELECT 1 FROM message f
    WHERE f.no = {e}.message_no AND f.flags @> to_jsonb(ARRAY[?::text])))";

/// The condition that the message of the entry `e` belongs to the filter's conversation, if it has one.
pub(super) async fn conversation_condition(
    all: &mut Conditions,
    tx: &Tx,
    scope: i64,
    filter: &LogFilter,
) -> Done<()> {
    if let Some(message) = &filter.conversation {
        let numbers = conversation::numbers(tx, scope, message).await?;
        all.with("e.message_no = ANY(?)", numbers);
    }
    Ok(())
}

/// The condition on the message of the entry `e`, if the filter has a text. A text without words fits nothing.
pub(super) fn text_condition(all: &mut Conditions, filter: &LogFilter, kept: Kept) {
    let Some(asked) = &filter.text else {
        return;
    };
    let Some(question) = words::question(kept, asked) else {
        return all.hold("false");
    };
    let operator = match kept {
        Kept::Vector => "w.words @@ ?::text::tsquery",
        Kept::Plain => "w.words LIKE ?",
    };
    let found = all.nested(|found| {
        for part in question {
            found.with(operator, part);
        }
    });
    all.hold(format!(
        "e.message_no IN (SELECT w.message_no FROM search w WHERE {found})"
    ));
}
