//! The statements of privacy that every engine runs alike. A parameter is written `?1`; an engine that writes `$1` replaces it.

use crate::ids::ContactNo;
use crate::privacy::{Person, RetentionRule, Selection};

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Param {
    Int(i64),
    Text(String),
}

/// A statement with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) sql: String,
    pub(crate) values: Vec<Param>,
}

/// What stands in the place of a contact that was erased.
const ERASED: &str = "ERASED";

/// Before the rows of a message (`?2`) of a scope (`?1`) go: what was made of it loses what it took from it.
pub(crate) const LOOSEN: &[&str] = &[
    "UPDATE opportunity SET description = no, version = version + 1
     WHERE scope = ?1 AND no IN (SELECT opportunity_no FROM entry
         WHERE scope = ?1 AND message_no = ?2 AND opportunity_no IS NOT NULL)
     AND description IN (SELECT description FROM entry WHERE scope = ?1 AND message_no = ?2)",
    "DELETE FROM review WHERE scope = ?1
     AND sighting_no IN (SELECT no FROM sighting WHERE scope = ?1 AND message_no = ?2)",
    "UPDATE decision SET message_no = NULL, outcome = 'excluded', reason = 'erased', steps = '[]',
         flags = '[]' WHERE scope = ?1 AND message_no = ?2",
    "UPDATE event SET message_no = NULL, entries = coalesce(substr(entries, 1, 0), entries)
     WHERE scope = ?1 AND message_no = ?2",
    // A mail that was set aside and is removed is decided: nobody is to look at it.
    "UPDATE sighting SET message_no = NULL, state = 'decided' WHERE scope = ?1 AND message_no = ?2",
];

/// The rows of a message (`?2`) of a scope (`?1`), in an order that no key forbids. Original, search and references are each
/// engine's.
pub(crate) const DELETE: &[&str] = &[
    "DELETE FROM entry_comment WHERE scope = ?1
     AND entry_id IN (SELECT id FROM entry WHERE scope = ?1 AND message_no = ?2)",
    "DELETE FROM entry_link WHERE scope = ?1
     AND entry_id IN (SELECT id FROM entry WHERE scope = ?1 AND message_no = ?2)",
    "DELETE FROM entry WHERE scope = ?1 AND message_no = ?2",
    "DELETE FROM deleted_entry WHERE scope = ?1 AND message_no = ?2",
    "DELETE FROM mail_mark WHERE scope = ?1 AND message_no = ?2",
    "DELETE FROM content
     WHERE message_no IN (SELECT no FROM message WHERE scope = ?1 AND no = ?2)",
    "DELETE FROM participant WHERE scope = ?1 AND no >= CAST(?2 AS bigint) * 65536
     AND no < (CAST(?2 AS bigint) + 1) * 65536",
    "DELETE FROM message WHERE scope = ?1 AND no = ?2",
];

/// A condition in the making.
#[derive(Debug, Default)]
struct Condition {
    parts: Vec<String>,
    values: Vec<Param>,
}

impl Condition {
    fn bind(&mut self, value: Param) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    fn text(&mut self, value: &str) -> String {
        self.bind(Param::Text(super::text(value).into_owned()))
    }

    fn list(&mut self, values: &[String]) -> String {
        let all: Vec<String> = values.iter().map(|value| self.text(value)).collect();
        all.join(", ")
    }

    fn hold(&mut self, part: impl Into<String>) {
        self.parts.push(part.into());
    }
}

/// Mail of a selection with a number below `before`, newest first.
pub(crate) fn affected(scope: i64, before: i64, selection: &Selection, limit: u64) -> Asked {
    let mut all = Condition::default();
    let (scope, before) = (all.bind(Param::Int(scope)), all.bind(Param::Int(before)));
    all.hold(format!("m.scope = {scope} AND m.no < {before}"));
    match selection {
        Selection::Person(person) => of_person(&mut all, &scope, person),
        Selection::Retention(rule) => of_age(&mut all, rule),
    }
    let sql = format!(
        "SELECT m.no AS no, m.uid AS uid, coalesce(m.received, m.sent, m.logged_at) AS date,
             (SELECT count(*) FROM entry e WHERE e.message_no = m.no) AS entries,
             (SELECT o.size FROM original o WHERE o.scope = m.scope AND o.message_no = m.no)
                 AS original,
             (SELECT count(*) FROM entry e
                 JOIN opportunity o ON o.scope = e.scope AND o.no = e.opportunity_no
                 WHERE e.message_no = m.no AND o.status IN ('not-started', 'in-progress'))
                 AS deals,
             (SELECT count(*) FROM mail_mark k WHERE k.message_no = m.no AND k.kind = 'hold')
                 AS holds,
             (SELECT count(*) FROM entry e WHERE e.message_no = m.no AND e.delivery = 'waiting')
                 AS waits
         FROM message m WHERE {} ORDER BY m.no DESC LIMIT {limit}",
        all.parts.join(" AND ")
    );
    Asked {
        sql,
        values: all.values,
    }
}

fn of_person(all: &mut Condition, scope: &str, person: &Person) {
    let mut either = Vec::new();
    if !person.addresses.is_empty() {
        let addresses = all.list(&person.addresses);
        either.push(format!(
            "m.no IN (SELECT message_no FROM participant
                 WHERE scope = {scope} AND address IN ({addresses}))"
        ));
    }
    if let Some(contact) = &person.contact {
        let contact = all.text(contact.as_str());
        either.push(format!(
            "m.no IN (SELECT message_no FROM entry
                 WHERE scope = {scope} AND contact_no = {contact})"
        ));
    }
    if either.is_empty() {
        either.push("1 = 0".to_owned());
    }
    all.hold(format!("({})", either.join(" OR ")));
}

fn of_age(all: &mut Condition, rule: &RetentionRule) {
    let before = all.bind(Param::Int(super::micros(rule.before)));
    let entries = "SELECT 1 FROM entry e WHERE e.message_no = m.no";
    all.hold(format!(
        "coalesce(m.received, m.sent, m.logged_at) < {before}"
    ));
    all.hold(format!("NOT EXISTS ({entries} AND e.date >= {before})"));
    if !rule.templates.is_empty() {
        let templates = all.list(&rule.templates);
        all.hold(format!("EXISTS ({entries})"));
        all.hold(format!(
            "NOT EXISTS ({entries} AND e.interaction_template_code NOT IN ({templates}))"
        ));
    }
    if let Some(company) = &rule.company {
        let company = all.text(company.as_str());
        all.hold(format!("EXISTS ({entries})"));
        all.hold(format!(
            "NOT EXISTS ({entries} AND coalesce(e.contact_company_no, e.contact_no) <> {company})"
        ));
    }
}

/// What a step of forgetting a person counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    Decisions,
    Reviews,
    Comments,
    Opportunities,
    OpenOpportunities,
    Nothing,
}

/// A step of forgetting a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) counts: Counts,
    table: &'static str,
    /// `None`: it only counts.
    change: Option<String>,
    condition: String,
    values: Vec<Param>,
}

impl Step {
    /// How many rows it is about.
    pub(crate) fn count(&self) -> Asked {
        let (table, condition) = (self.table, &self.condition);
        self.asked(format!(
            "SELECT count(*) AS rows_found FROM {table} WHERE {condition}"
        ))
    }

    /// What it changes.
    pub(crate) fn change(&self) -> Option<Asked> {
        let change = self.change.as_ref()?;
        Some(self.asked(format!("{change} WHERE {}", self.condition)))
    }

    fn asked(&self, sql: String) -> Asked {
        Asked {
            sql,
            values: self.values.clone(),
        }
    }
}

/// What of a person stands elsewhere than in mail.
pub(crate) fn forget(scope: i64, person: &Person) -> Vec<Step> {
    let mut steps = Vec::new();
    for address in &person.addresses {
        forget_address(&mut steps, scope, address);
    }
    if let Some(contact) = &person.contact {
        forget_contact(&mut steps, scope, contact);
    }
    steps
}

fn forget_address(steps: &mut Vec<Step>, scope: i64, address: &str) {
    let plain = within(address);
    let quoted = within(&in_json(address));
    let mut add = |counts, table, change: String, condition: &str, pattern: &str| {
        steps.push(Step {
            counts,
            table,
            change: Some(change),
            condition: condition.to_owned(),
            values: vec![Param::Int(scope), Param::Text(pattern.to_owned())],
        });
    };
    let has = |column: &str| format!("lower(CAST({column} AS text)) LIKE ?2 ESCAPE '!'");
    let own = |column: &str| format!("scope = ?1 AND {}", has(column));
    let of_deals = format!(
        "opportunity IN (SELECT id FROM opportunity WHERE scope = ?1) AND {}",
        has("text")
    );
    let delete = |table: &str| format!("DELETE FROM {table}");
    let bare = "UPDATE decision SET steps = '[]'".to_owned();
    add(Counts::Decisions, "decision", bare, &own("steps"), &quoted);
    add(
        Counts::Reviews,
        "review",
        delete("review"),
        &own("resolution"),
        &quoted,
    );
    let comments = Counts::Comments;
    add(
        comments,
        "entry_comment",
        delete("entry_comment"),
        &own("text"),
        &plain,
    );
    let table = "opportunity_comment";
    add(comments, table, delete(table), &of_deals, &plain);
}

fn forget_contact(steps: &mut Vec<Step>, scope: i64, contact: &ContactNo) {
    let contact = super::text(contact.as_str());
    let noted = format!(
        "%{}%",
        escaped(&format!("\"contact\":\"{}\"", in_json(&contact)))
    );
    let mut add = |counts, table, change: Option<String>, condition: &str, value: &str| {
        steps.push(Step {
            counts,
            table,
            change,
            condition: condition.to_owned(),
            values: vec![Param::Int(scope), Param::Text(value.to_owned())],
        });
    };
    let erase =
        |table: &str, more: &str| Some(format!("UPDATE {table} SET contact_no = '{ERASED}'{more}"));
    let of_contact =
        "opportunity IN (SELECT id FROM opportunity WHERE scope = ?1 AND contact_no = ?2)";
    let named = "contact_no = ?2 AND opportunity IN (SELECT id FROM opportunity WHERE scope = ?1)";
    let deals = "scope = ?1 AND contact_no = ?2";
    let said = "scope = ?1 AND resolution LIKE ?2 ESCAPE '!'";
    let delete = |table: &str| Some(format!("DELETE FROM {table}"));
    add(Counts::Reviews, "review", delete("review"), said, &noted);
    let open = format!("{deals} AND status IN ('not-started', 'in-progress')");
    add(
        Counts::OpenOpportunities,
        "opportunity",
        None,
        &open,
        &contact,
    );
    let table = "opportunity_comment";
    add(Counts::Comments, table, delete(table), of_contact, &contact);
    let table = "opportunity_task";
    let words = Some(format!("UPDATE {table} SET description = ''"));
    add(Counts::Nothing, table, words, of_contact, &contact);
    add(Counts::Nothing, table, erase(table, ""), named, &contact);
    let table = "opportunity_entry";
    add(Counts::Nothing, table, erase(table, ""), named, &contact);
    let table = "opportunity";
    let more = ", description = no, version = version + 1";
    add(
        Counts::Opportunities,
        table,
        erase(table, more),
        deals,
        &contact,
    );
}

/// The pattern of a text that holds this one, in any case.
fn within(text: &str) -> String {
    format!("%{}%", escaped(&text.to_lowercase()))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '!' | '%' | '_') {
            escaped.push('!');
        }
        escaped.push(c);
    }
    escaped
}

/// A text as it stands within a JSON string.
fn in_json(text: &str) -> String {
    let quoted = super::json(text).unwrap_or_default();
    let bare = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    bare.unwrap_or_default().to_owned()
}

impl crate::store::Forgotten {
    /// Counts the rows of a step.
    pub(crate) fn add(&mut self, counts: Counts, rows: u64) {
        match counts {
            Counts::Decisions => self.decisions += rows,
            Counts::Reviews => self.reviews += rows,
            Counts::Comments => self.comments += rows,
            Counts::Opportunities => self.opportunities += rows,
            Counts::OpenOpportunities => self.open_opportunities += rows,
            Counts::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_no_character_of_an_address_for_a_sign() {
        assert_eq!(within("A_b%c!@x.example"), "%a!_b!%c!!@x.example%");
        assert_eq!(in_json("\"a b\"@x.example"), "\\\"a b\\\"@x.example");
    }

    #[test]
    fn nobody_has_no_mail() {
        let asked = affected(1, 9, &Selection::Person(Person::default()), 5);
        assert!(asked.sql.contains("1 = 0"), "{}", asked.sql);
        assert!(forget(1, &Person::default()).is_empty());
    }
}
