//! Entries of a row: those that are not there get the next numbers.

use super::changes::{Changes, WrittenEntry};
use super::state::entry_key;
use crate::ids::EntryId;
use crate::store::DecidedRow;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::rows::unsigned;

impl<'a> Changes<'a> {
    /// Adds the entries that are not there, and answers those.
    pub(super) fn add_entries(
        &mut self,
        row: &'a DecidedRow,
        message_no: Option<i64>,
    ) -> Done<Vec<(EntryId, u64)>> {
        let mut written = Vec::new();
        let Some(message_no) = message_no else {
            return Ok(written);
        };
        for entry in &row.entries {
            let key = entry_key(message_no, entry);
            if self.state.deleted.contains(&entry.id) {
                continue;
            }
            if self.state.entries.contains(&key) {
                continue;
            }
            if self.state.entry_ids.contains(&entry.id) {
                return Err(Fault::Data("the entry's id belongs to another entry"));
            }
            self.state.entries.insert(key);
            self.state.entry_ids.insert(entry.id);
            self.state.entry_no += 1;
            let entry_no = self.state.entry_no;
            self.entries.push(WrittenEntry {
                entry,
                message_no,
                entry_no,
                delivery: if row.deliver { "waiting" } else { "none" },
            });
            written.push((entry.id, unsigned(entry_no)?));
        }
        Ok(written)
    }
}
