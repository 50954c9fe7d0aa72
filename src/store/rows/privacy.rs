//! The statements of privacy that every engine runs alike. A parameter is written `?1`; an engine that writes `$1` replaces it.

use crate::ids::ContactNo;
use crate::privacy::naming::{names, names_in_json};
use crate::privacy::{Person, RetentionRule, Selection};
use crate::store::Resolution;

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
    // Before the comments that were copied: who loaded the opportunity before must not bring them back.
    "UPDATE opportunity SET version = version + 1
     WHERE scope = ?1 AND no IN (SELECT opportunity_no FROM entry
         WHERE scope = ?1 AND message_no = ?2 AND opportunity_no IS NOT NULL)
     AND EXISTS (SELECT 1 FROM opportunity_comment o
         JOIN entry_comment c ON c.at = o.at AND c.author = o.author AND c.text = o.text
         JOIN entry e ON e.scope = c.scope AND e.id = c.entry_id
         WHERE o.opportunity = opportunity.id AND e.scope = ?1 AND e.message_no = ?2
         AND e.opportunity_no = opportunity.no)",
    "DELETE FROM opportunity_comment
     WHERE EXISTS (SELECT 1 FROM opportunity d
         JOIN entry e ON e.scope = d.scope AND e.opportunity_no = d.no
         JOIN entry_comment c ON c.scope = e.scope AND c.entry_id = e.id
         WHERE d.id = opportunity_comment.opportunity AND e.scope = ?1 AND e.message_no = ?2
         AND c.at = opportunity_comment.at AND c.author = opportunity_comment.author
         AND c.text = opportunity_comment.text)
     AND opportunity IN (SELECT id FROM opportunity WHERE scope = ?1
         AND no IN (SELECT opportunity_no FROM entry
             WHERE scope = ?1 AND message_no = ?2 AND opportunity_no IS NOT NULL))",
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
    table: Table,
    /// `None`: it only counts.
    change: Option<String>,
    condition: String,
    values: Vec<Param>,
    /// What a row must say, which the condition cannot ask; `None`: the condition is all.
    named: Option<Named>,
}

/// A table with the numbers of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Table {
    name: &'static str,
    key: &'static str,
    /// The second number of a key of two.
    other: Option<&'static str>,
}

const DECISION: Table = Table::keyed("decision", "no");
const REVIEW: Table = Table::keyed("review", "sighting_no");
const ENTRY_COMMENT: Table = Table::keyed("entry_comment", "no");
const DEAL: Table = Table::keyed("opportunity", "id");
const DEAL_ENTRY: Table = Table::of_deal("opportunity_entry");
const DEAL_COMMENT: Table = Table::of_deal("opportunity_comment");
const DEAL_TASK: Table = Table::of_deal("opportunity_task");

impl Table {
    const fn keyed(name: &'static str, key: &'static str) -> Self {
        let other = None;
        Self { name, key, other }
    }

    const fn of_deal(name: &'static str) -> Self {
        let (key, other) = ("opportunity", Some("no"));
        Self { name, key, other }
    }
}

/// What a text must say to be about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// A text names the address.
    Address(&'static str, String),
    /// A string of a JSON value names the address.
    AddressInJson(&'static str, String),
    /// A resolution assigns to the contact.
    Contact(&'static str, ContactNo),
}

impl Named {
    fn column(&self) -> &'static str {
        match self {
            Self::Address(column, _)
            | Self::AddressInJson(column, _)
            | Self::Contact(column, _) => column,
        }
    }
}

/// The numbers of a row.
pub(crate) type RowKey = (i64, i64);

/// Rows that one statement changes.
const CHUNK: usize = 500;

impl Step {
    /// How many rows it is about; `None` where that needs a look at each of the [`candidates`](Self::candidates).
    pub(crate) fn count(&self) -> Option<Asked> {
        if self.named.is_some() {
            return None;
        }
        let (table, condition) = (self.table.name, &self.condition);
        Some(self.asked(format!(
            "SELECT count(*) AS rows_found FROM {table} WHERE {condition}"
        )))
    }

    /// The rows that it may be about: two numbers and what they say.
    pub(crate) fn candidates(&self) -> Option<Asked> {
        let (key, other) = (self.table.key, self.table.other.unwrap_or("0"));
        let (table, condition) = (self.table.name, &self.condition);
        let column = self.named.as_ref()?.column();
        Some(self.asked(format!(
            "SELECT CAST({key} AS bigint) AS row_key, CAST({other} AS bigint) AS row_other,
                 CAST({column} AS text) AS said FROM {table} WHERE {condition}"
        )))
    }

    /// Whether a candidate that says this is one of the rows.
    pub(crate) fn is_about(&self, said: &str) -> bool {
        match &self.named {
            None => true,
            Some(Named::Address(_, address)) => names(said, address),
            Some(Named::AddressInJson(_, address)) => names_in_json(said, address),
            Some(Named::Contact(_, contact)) => super::from_json::<Resolution>(said)
                .ok()
                .and_then(|said| said.assignment)
                .is_some_and(|link| link.contact == *contact),
        }
    }

    /// What it changes at all of its rows.
    pub(crate) fn change(&self) -> Option<Asked> {
        let change = self.change.as_ref().filter(|_| self.named.is_none())?;
        Some(self.asked(format!("{change} WHERE {}", self.condition)))
    }

    /// What it changes at these rows.
    pub(crate) fn changes(&self, rows: &[RowKey]) -> Vec<String> {
        let Some(change) = &self.change else {
            return Vec::new();
        };
        let chunks = rows.chunks(CHUNK);
        chunks
            .flat_map(|rows| self.change_of(change, rows))
            .collect()
    }

    fn change_of(&self, change: &str, rows: &[RowKey]) -> Vec<String> {
        let list = |make: &dyn Fn(&RowKey) -> String| {
            let all: Vec<String> = rows.iter().map(make).collect();
            all.join(", ")
        };
        let key = self.table.key;
        let Some(other) = self.table.other else {
            let keys = list(&|(key, _)| key.to_string());
            return vec![format!("{change} WHERE {key} IN ({keys})")];
        };
        let keys = list(&|(key, other)| format!("({key}, {other})"));
        let deals = list(&|(key, _)| key.to_string());
        vec![
            format!("{change} WHERE ({key}, {other}) IN (VALUES {keys})"),
            // Who loaded the opportunity before must not bring it back.
            format!("UPDATE opportunity SET version = version + 1 WHERE id IN ({deals})"),
        ]
    }

    fn asked(&self, sql: String) -> Asked {
        Asked {
            sql,
            values: self.values.clone(),
        }
    }
}

/// How many opportunities are open that are the person's, or that were made of a mail of the person.
pub(crate) fn open_opportunities(scope: i64, person: &Person) -> Asked {
    let mut all = Condition::default();
    let scope = all.bind(Param::Int(scope));
    of_person(&mut all, &scope, person);
    let of_mail = all.parts.join(" AND ");
    let contact = person.contact.as_ref();
    let theirs = match contact.map(|contact| all.text(contact.as_str())) {
        Some(contact) => format!("o.contact_no = {contact}"),
        None => "1 = 0".to_owned(),
    };
    let sql = format!(
        "SELECT count(*) AS rows_found FROM opportunity o
         WHERE o.scope = {scope} AND o.status IN ('not-started', 'in-progress')
         AND ({theirs} OR EXISTS (SELECT 1 FROM entry e JOIN message m ON m.no = e.message_no
             WHERE e.scope = {scope} AND e.opportunity_no = o.no AND {of_mail}))"
    );
    Asked {
        sql,
        values: all.values,
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
    let has = |column: &str| format!("lower(CAST({column} AS text)) LIKE ?2 ESCAPE '!'");
    let own = |column: &str| format!("scope = ?1 AND {}", has(column));
    let of_deals = format!(
        "opportunity IN (SELECT id FROM opportunity WHERE scope = ?1) AND {}",
        has("text")
    );
    let mut add = |counts, table: Table, named: Named, condition: String| {
        let change = match counts {
            Counts::Decisions => "UPDATE decision SET steps = '[]'".to_owned(),
            _ => format!("DELETE FROM {}", table.name),
        };
        let pattern = match named {
            Named::AddressInJson(..) => &quoted,
            _ => &plain,
        };
        steps.push(Step {
            counts,
            table,
            change: Some(change),
            condition,
            values: vec![Param::Int(scope), Param::Text(pattern.clone())],
            named: Some(named),
        });
    };
    let json = |column| Named::AddressInJson(column, address.to_owned());
    let text = || Named::Address("text", address.to_owned());
    add(Counts::Decisions, DECISION, json("steps"), own("steps"));
    add(
        Counts::Reviews,
        REVIEW,
        json("resolution"),
        own("resolution"),
    );
    add(Counts::Comments, ENTRY_COMMENT, text(), own("text"));
    add(Counts::Comments, DEAL_COMMENT, text(), of_deals);
}

fn forget_contact(steps: &mut Vec<Step>, scope: i64, contact: &ContactNo) {
    let no = super::text(contact.as_str());
    let noted = format!(
        "%{}%",
        escaped(&format!("\"contact\":\"{}\"", in_json(&no)))
    );
    let mut add = |counts, table, change: Option<String>, condition: &str| {
        let (value, named) = match table {
            REVIEW => (&*noted, Some(Named::Contact("resolution", contact.clone()))),
            _ => (&*no, None),
        };
        steps.push(Step {
            counts,
            table,
            change,
            condition: condition.to_owned(),
            values: vec![Param::Int(scope), Param::Text(value.to_owned())],
            named,
        });
    };
    let erase = |table: Table, more: &str| {
        let name = table.name;
        Some(format!("UPDATE {name} SET contact_no = '{ERASED}'{more}"))
    };
    let of_contact =
        "opportunity IN (SELECT id FROM opportunity WHERE scope = ?1 AND contact_no = ?2)";
    let named = "contact_no = ?2 AND opportunity IN (SELECT id FROM opportunity WHERE scope = ?1)";
    let deals = "scope = ?1 AND contact_no = ?2";
    let said = "scope = ?1 AND resolution LIKE ?2 ESCAPE '!'";
    let delete = |table: Table| Some(format!("DELETE FROM {}", table.name));
    add(Counts::Reviews, REVIEW, delete(REVIEW), said);
    let open = format!("{deals} AND status IN ('not-started', 'in-progress')");
    add(Counts::OpenOpportunities, DEAL, None, &open);
    add(
        Counts::Comments,
        DEAL_COMMENT,
        delete(DEAL_COMMENT),
        of_contact,
    );
    let words = Some("UPDATE opportunity_task SET description = ''".to_owned());
    add(Counts::Nothing, DEAL_TASK, words, of_contact);
    add(Counts::Nothing, DEAL_TASK, erase(DEAL_TASK, ""), named);
    add(Counts::Nothing, DEAL_ENTRY, erase(DEAL_ENTRY, ""), named);
    let more = ", description = no, version = version + 1";
    add(Counts::Opportunities, DEAL, erase(DEAL, more), deals);
}

/// The pattern of a text that may hold this one, in any case: the engines fold the case of ASCII alone in the same way.
fn within(text: &str) -> String {
    let lower = text.to_lowercase();
    let ascii = lower.split(|c: char| !c.is_ascii());
    let parts: Vec<String> = ascii.filter(|part| !part.is_empty()).map(escaped).collect();
    format!("%{}%", parts.join("%"))
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
        assert_eq!(within("M\u{fc}\u{df}ler@x.example"), "%m%ler@x.example%");
        assert_eq!(in_json("\"a b\"@x.example"), "\\\"a b\\\"@x.example");
    }

    #[test]
    fn nobody_has_no_mail() {
        let asked = affected(1, 9, &Selection::Person(Person::default()), 5);
        assert!(asked.sql.contains("1 = 0"), "{}", asked.sql);
        assert!(forget(1, &Person::default()).is_empty());
    }
}
