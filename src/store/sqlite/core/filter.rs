//! Filters as SQL: conditions with bound values, and words that never reach FTS5 as syntax.

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::ids::{ContactNo, SalespersonCode};
use crate::store::LogFilter;
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{json, micros, text};
use crate::store::words::words as folded;

/// Conditions that must all hold, with the values of their parameters.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a condition without a value.
    pub(super) fn hold(&mut self, sql: impl Into<String>) {
        self.sql.push(sql.into());
    }

    /// Adds a condition; every `?` in it stands for the value.
    pub(super) fn with(&mut self, sql: &str, value: impl Into<Value>) {
        let parameter = self.bind(value);
        self.sql.push(sql.replace('?', &parameter));
    }

    /// Binds a value and answers its parameter.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
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
    pub(super) fn into_values(self) -> Vec<Value> {
        self.values
    }
}

/// The conditions of a filter on the entry `{alias}`.
pub(super) fn entry_conditions(all: &mut Conditions, filter: &LogFilter, alias: &str) {
    let mut with = |condition: &str, value: Value| {
        all.with(&condition.replace("{e}", alias), value);
    };
    if let Some(no) = filter.entry_no {
        with("{e}.entry_no = ?", i64::try_from(no).unwrap_or(-1).into());
    }
    if let Some(contact) = filter.contact.as_ref().map(ContactNo::as_str) {
        with("{e}.contact_no = ?", owned(contact));
    }
    if let Some(company) = filter.company.as_ref().map(ContactNo::as_str) {
        with(
            "coalesce({e}.contact_company_no, {e}.contact_no) = ?",
            owned(company),
        );
    }
    if let Some(code) = filter.salesperson.as_ref().map(SalespersonCode::as_str) {
        with("{e}.salesperson_code = ?", owned(code));
    }
    if let Some(flow) = filter.flow {
        with("{e}.information_flow = ?", owned(flow.code()));
    }
    if let Some(since) = filter.since {
        with("{e}.date >= ?", micros(since).into());
    }
    if let Some(until) = filter.until {
        with("{e}.date < ?", micros(until).into());
    }
    if let Some(flag) = &filter.flag {
        with(FLAGGED, owned(flag));
    }
    if let Some(no) = &filter.opportunity {
        with("{e}.opportunity_no = ?", owned(no));
    }
    if let Some(grade) = filter.evaluation {
        with("{e}.evaluation = ?", i64::from(grade).into());
    }
    if !filter.canceled {
        all.hold(format!("{alias}.canceled = 0"));
    }
}

/// A flag of the entry or of its message.
const FLAGGED: &str = "(EXISTS (SELECT 1 FROM json_each({e}.flags) WHERE value = ?)
    OR EXISTS (SELECT 1 FROM message f, json_each(f.flags) j
        WHERE f.no = {e}.message_no AND j.value = ?))";

/// The condition on the message of the entry `e`, if the filter has a text. A text without words fits nothing.
pub(super) fn text_condition(all: &mut Conditions, filter: &LogFilter) {
    match filter.text.as_deref().map(match_query) {
        None => {}
        Some(None) => all.hold("0"),
        Some(Some(query)) => all.with(FOUND, query),
    }
}

const FOUND: &str = "e.message_no IN (SELECT rowid FROM search WHERE search MATCH ?)";

/// The condition that the message of the entry `e` belongs to the filter's conversation, if it has one.
pub(super) fn conversation_condition(
    all: &mut Conditions,
    conn: &Connection,
    scope: i64,
    filter: &LogFilter,
) -> Done<()> {
    if let Some(message) = &filter.conversation {
        let numbers = super::conversation::numbers(conn, scope, message)?;
        all.with(
            "e.message_no IN (SELECT value FROM json_each(?))",
            json(&numbers)?,
        );
    }
    Ok(())
}

/// Matches up to which a search begins with them; beyond, walking the log by date finds a page sooner.
const RARE: i64 = 2_000;

/// Whether the filter has words, and few messages have them, or asks for a conversation: then reading begins with messages.
pub(super) fn is_rare(conn: &Connection, filter: &LogFilter) -> Done<bool> {
    if filter.conversation.is_some() {
        return Ok(true);
    }
    let Some(query) = filter.text.as_deref().and_then(match_query) else {
        return Ok(false);
    };
    finds_few(conn, &query)
}

fn finds_few(conn: &Connection, query: &str) -> Done<bool> {
    let mut count = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ?1 LIMIT ?2)",
    )?;
    let found: i64 = count.query_row(params![query, RARE + 1], |row| row.get(0))?;
    Ok(found <= RARE)
}

fn owned(value: &str) -> Value {
    Value::Text(text(value).into_owned())
}

/// Every word as a quoted string, so that none is read as syntax; the last may be a beginning. `None` without a word.
pub(super) fn match_query(words: &str) -> Option<String> {
    let quoted: Vec<String> = split(words).map(quoted).collect();
    (!quoted.is_empty()).then(|| quoted.join(" AND ") + " *")
}

/// What stands between white space and ASCII punctuation.
fn split(words: &str) -> impl Iterator<Item = &str> {
    let words = words.split(|c: char| c.is_whitespace() || c.is_ascii_punctuation() || c == '\0');
    words.filter(|word| word.chars().any(char::is_alphanumeric))
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

/// A text whose last word may be the beginning of many.
///
/// FTS5 gathers every place of each of these words before it answers, which can take longer than the mails of a page take to
/// read. An index of beginnings would answer at once, and would triple what the words of a mail cost to write and to keep.
#[derive(Debug)]
pub(super) struct Beginning {
    /// What the other words ask of FTS5, where there are any.
    whole: Option<String>,
    /// The beginning, folded.
    last: String,
}

impl Beginning {
    /// The beginning of a filter's text, where that is one word.
    pub(super) fn of(filter: &LogFilter) -> Option<Self> {
        let text: Vec<&str> = split(filter.text.as_deref()?).collect();
        let (last, whole) = text.split_last()?;
        // What the tokenizer takes for several words is a phrase.
        let [last] = <[String; 1]>::try_from(folded(last)).ok()?;
        let whole: Vec<String> = whole.iter().copied().map(quoted).collect();
        Some(Self {
            whole: (!whole.is_empty()).then(|| whole.join(" AND ")),
            last,
        })
    }

    /// The condition of the other words on the message of the entry `e`.
    pub(super) fn condition(&self, all: &mut Conditions) {
        if let Some(whole) = &self.whole {
            all.with(FOUND, whole.clone());
        }
    }

    /// Whether few messages have the other words, or a conversation is asked for: then reading begins with messages.
    pub(super) fn is_rare(&self, conn: &Connection, filter: &LogFilter) -> Done<bool> {
        match &self.whole {
            _ if filter.conversation.is_some() => Ok(true),
            Some(whole) => finds_few(conn, whole),
            None => Ok(false),
        }
    }

    /// Whether a word of the message begins so: of its subject, its participants or its body.
    pub(super) fn fits(&self, conn: &Connection, message_no: i64) -> Done<bool> {
        let mut read = conn.prepare_cached(
            "SELECT m.subject, c.text FROM message m
             LEFT JOIN content c ON c.message_no = m.no WHERE m.no = ?1",
        )?;
        let (subject, body): (String, Option<String>) =
            read.query_row([message_no], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if self.begins_a_word_of(&subject) || body.is_some_and(|text| self.begins_a_word_of(&text))
        {
            return Ok(true);
        }
        let mut people = conn
            .prepare_cached("SELECT address, name FROM participant WHERE no >= ?1 AND no < ?2")?;
        let mut people = people.query([message_no << 16, (message_no + 1) << 16])?;
        while let Some(row) = people.next()? {
            let (address, name): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            if self.begins_a_word_of(&address) || name.is_some_and(|it| self.begins_a_word_of(&it))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn begins_a_word_of(&self, text: &str) -> bool {
        // A piece at a time: the first words of a mail mostly have one.
        let pieces = text.split_inclusive([' ', '\n']);
        let mut words = pieces.flat_map(folded);
        words.any(|word| word.starts_with(&self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::match_query;

    #[test]
    fn words_are_quoted_and_the_last_is_a_beginning() {
        let cases = [
            ("", None),
            ("  - \" * ", None),
            ("Angebot", Some(r#""Angebot" *"#)),
            ("a OR b NOT", Some(r#""a" AND "OR" AND "b" AND "NOT" *"#)),
            (
                r#"x" OR subject:y*"#,
                Some(r#""x" AND "OR" AND "subject" AND "y" *"#),
            ),
            (
                "anna@contoso.com",
                Some(r#""anna" AND "contoso" AND "com" *"#),
            ),
        ];
        for (words, query) in cases {
            assert_eq!(match_query(words).as_deref(), query, "{words}");
        }
    }
}
