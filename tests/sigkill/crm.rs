//! The table of a host that keeps the entries itself, in a file of its own.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use email_logging::store::{HostReference, InteractionSink, SinkDelivery};
use email_logging::{Result, Scope};
use rusqlite::{Connection, params};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS interaction (
    no INTEGER PRIMARY KEY, entry_id TEXT NOT NULL UNIQUE, contact TEXT NOT NULL,
    salesperson TEXT NOT NULL, flow TEXT NOT NULL, subject TEXT NOT NULL)";

/// A host's table in this file.
#[derive(Debug)]
pub(crate) struct Crm(pub(crate) PathBuf);

impl Crm {
    fn write(&self, delivery: SinkDelivery<'_>) -> rusqlite::Result<Vec<HostReference>> {
        let mut database = Connection::open(&self.0)?;
        database.execute_batch(TABLE)?;
        let transaction = database.transaction()?;
        let mut references = Vec::new();
        for logged in delivery.entries {
            let entry = &logged.entry;
            let no: i64 = transaction.query_row(
                "INSERT INTO interaction (entry_id, contact, salesperson, flow, subject)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (entry_id) DO UPDATE SET subject = subject RETURNING no",
                params![
                    entry.id.to_string(),
                    entry.contact_no.as_str(),
                    entry.salesperson_code.as_str(),
                    entry.information_flow.code(),
                    entry.description
                ],
                |row| row.get(0),
            )?;
            references.push(HostReference::new(entry.id, format!("CRM-{no}")));
        }
        transaction.commit()?;
        Ok(references)
    }
}

#[async_trait]
impl InteractionSink for Crm {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        Ok(self
            .write(delivery)
            .expect("the host's table can be written"))
    }
}

/// Every row of the table: subject, contact, salesperson, flow.
pub(crate) fn rows(file: &Path) -> Vec<[String; 4]> {
    let database = Connection::open(file).unwrap();
    database.execute_batch(TABLE).unwrap();
    let mut rows = database
        .prepare("SELECT subject, contact, salesperson, flow FROM interaction")
        .unwrap();
    let rows = rows
        .query_map([], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })
        .unwrap();
    rows.map(rusqlite::Result::unwrap).collect()
}
