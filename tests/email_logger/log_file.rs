//! The table of what must come of the samples, and what the file of a log says that came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Table {
    pub mail: Vec<Expected>,
}

#[derive(Debug, Deserialize)]
pub struct Expected {
    pub file: String,
    pub outcome: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub flags: BTreeSet<String>,
    #[serde(default)]
    pub entry: Vec<Pair>,
    pub why: String,
}

#[derive(Debug, Clone, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub direction: String,
    pub contact: String,
    pub salesperson: String,
}

/// The flags that the table knows; others are about how a pair was found, or about the authentication of the sender.
pub const FLAGS: [&str; 10] = [
    "automatic-message",
    "automatic-reply",
    "ambiguous-contact",
    "bulk",
    "date-implausible",
    "date-missing",
    "mailing-list",
    "message-id-conflict",
    "message-id-missing",
    "opaque-content",
];

/// What became of one mail.
#[derive(Debug, PartialEq, Eq)]
pub struct Result {
    pub outcome: String,
    pub reason: String,
    pub flags: BTreeSet<String>,
    pub entries: Vec<Pair>,
}

pub fn table() -> Vec<Expected> {
    let text = include_str!("../../examples/email_logger/samples/expected.toml");
    let table: Table = toml::from_str(text).unwrap();
    table.mail
}

/// What the file says of every mail, by the time of its receipt, which no two samples share.
pub fn results(file: &Path) -> BTreeMap<i64, Result> {
    let database = Connection::open(file).unwrap();
    let sql = "SELECT s.received, d.outcome, d.reason, coalesce(s.message_no, 0)
               FROM sighting s JOIN decision d ON d.sighting_no = s.no";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    let mut results = BTreeMap::new();
    for row in rows.unwrap() {
        let (received, outcome, reason, message): (i64, String, String, i64) = row.unwrap();
        let mut result = Result {
            outcome,
            reason,
            flags: BTreeSet::new(),
            entries: Vec::new(),
        };
        if result.outcome == "logged" {
            result.entries = entries(&database, message);
            result.flags = flags(&database, message);
        }
        let other = results.insert(received, result);
        assert!(other.is_none(), "two sightings of one sample");
    }
    results
}

/// What is noted about a message, its decision and its entries.
pub fn flags(database: &Connection, message: i64) -> BTreeSet<String> {
    let sql = "SELECT flags FROM message WHERE no = ?1
               UNION ALL SELECT flags FROM decision WHERE message_no = ?1
               UNION ALL SELECT flags FROM content WHERE message_no = ?1
               UNION ALL SELECT flags FROM entry WHERE message_no = ?1";
    let mut statement = database.prepare(sql).unwrap();
    let lists = statement.query_map([message], |row| row.get::<_, String>(0));
    let lists = lists.unwrap().map(std::result::Result::unwrap);
    let all = lists.flat_map(|list| serde_json::from_str::<Vec<String>>(&list).unwrap());
    all.filter(|flag| FLAGS.contains(&flag.as_str())).collect()
}

pub fn entries(database: &Connection, message: i64) -> Vec<Pair> {
    let sql =
        "SELECT information_flow, contact_no, salesperson_code FROM entry WHERE message_no = ?1";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([message], |row| {
        Ok(Pair {
            direction: row.get(0)?,
            contact: row.get(1)?,
            salesperson: row.get(2)?,
        })
    });
    let mut entries: Vec<Pair> = rows.unwrap().map(std::result::Result::unwrap).collect();
    entries.sort();
    entries
}

pub fn number(file: &Path, sql: &str) -> i64 {
    Connection::open(file)
        .unwrap()
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}
