//! The changes of a batch as statements: one per table, sent without waiting for the one before.

mod entry;
mod message;
mod original;
mod sighting;

pub(in crate::store::postgres::core) use self::entry::entries_as_rows;
use tokio_postgres::types::ToSql;

use super::changes::Changes;
use crate::store::postgres::core::many::{Kind, Many};
use crate::store::postgres::core::privacy;
use crate::store::postgres::core::words;
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::{Tx, Value, Write};
use crate::store::postgres::values::uuid;
use crate::store::rows::text;

/// The values of one column.
fn all<'a, R, T, F>(rows: &'a [R], value: F) -> Value<'a>
where
    T: ToSql + Sync + Send + 'a,
    F: Fn(&'a R) -> T,
{
    Box::new(rows.iter().map(value).collect::<Vec<T>>())
}

/// The same value for each row.
fn each<'a, R>(rows: &[R], value: i64) -> Value<'a> {
    Box::new(vec![value; rows.len()])
}

/// The values of a column that has to be made first.
fn made<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> Done<T>) -> Done<Value<'a>>
where
    T: ToSql + Sync + Send + 'a,
{
    Ok(Box::new(rows.iter().map(value).collect::<Done<Vec<T>>>()?))
}

impl Changes<'_> {
    /// Writes everything.
    pub(super) async fn flush(self, tx: &Tx) -> Done<()> {
        let changed = self.changed_sightings();
        let moves = self.changed_moves();
        let gone = self.gone_moves();
        let pieces = self.pieces();
        let mut writes = Vec::new();
        self.add_messages(&mut writes)?;
        self.add_participants(&mut writes);
        self.add_originals(&mut writes, &pieces)?;
        self.add_sightings(&mut writes, &changed);
        self.add_decisions(&mut writes)?;
        self.add_moves(&mut writes, &moves, &gone);
        self.add_entries_written(&mut writes)?;
        self.add_events(&mut writes);
        writes.extend(words::write(self.kept, &self.words));
        self.add_deliveries(&mut writes);
        self.add_counters(&mut writes);
        tx.pipeline(&writes).await?;
        privacy::carry_marks(tx, &self.marked_private()).await
    }

    /// The messages that a person marked private and that got entries.
    fn marked_private(&self) -> Vec<i64> {
        let numbers = self.entries.iter().map(|row| row.message_no);
        numbers
            .filter(|no| self.state.private.contains(no))
            .collect()
    }

    fn add_events<'w>(&'w self, writes: &mut Vec<Write<'w>>) {
        let rows = &self.events;
        if rows.is_empty() {
            return;
        }
        let many = Many::default()
            .with("scope", Kind::Number, each(rows, self.fenced.scope))
            .with("number", Kind::Number, all(rows, |row| row.number))
            .with("id", Kind::Id, all(rows, |row| uuid(&row.id)))
            .with("at", Kind::Number, each(rows, self.fenced.now))
            .with("mailbox", Kind::Number, each(rows, self.fenced.mailbox))
            .with("kind", Kind::Text, all(rows, |row| row.kind.code()))
            .with("message_no", Kind::Number, all(rows, |row| row.message_no))
            .with(
                "entries",
                Kind::Bytes,
                all(rows, |row| row.entries.as_slice()),
            )
            .with("reason", Kind::Text, all(rows, |row| text(&row.reason)));
        writes.push(many.insert("event", ""));
    }

    fn add_counters(&self, writes: &mut Vec<Write<'_>>) {
        if !self.entries.is_empty() || !self.events.is_empty() {
            let sql = "UPDATE scope SET last_entry_no = $2, last_event_no = $3 WHERE id = $1";
            let values: Vec<Value<'_>> = vec![
                Box::new(self.fenced.scope),
                Box::new(self.state.entry_no),
                Box::new(self.state.event_no),
            ];
            writes.push(Write::new(sql, values));
        }
    }
}
