//! The commit: one transaction per batch, fenced first, written whole or not at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::decided::write_row;
use super::identity::{Identity, identify};
use super::lease::fence;
use super::original::last_original;
use super::sightings::Found;
use super::words::{self, Words};
use super::{Core, moves, sightings};
use crate::clock::{Clock, Entropy};
use crate::ids::{EntryId, uuid_v7};
use crate::privacy::tombstone::TombstoneKey;
use crate::scope::Scope;
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{micros, text};
use crate::store::{
    CommitBatch, CommitReceipt, CommitRow, EventKind, Lease, RowContent, RowResult,
};

/// How the rows of a batch are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// All at once: the usual case.
    Together,
    /// Each in a savepoint of its own, after one of them was refused.
    Apart,
}

impl Core {
    pub(crate) fn commit(
        &mut self,
        scope: &Scope,
        lease: &Lease,
        batch: &CommitBatch,
    ) -> Done<CommitReceipt> {
        match self.commit_rows(scope, lease, batch, Rows::Together) {
            Err(fault) if fault.is_data() => self.commit_rows(scope, lease, batch, Rows::Apart),
            other => other,
        }
    }

    fn commit_rows(
        &mut self,
        scope: &Scope,
        lease: &Lease,
        batch: &CommitBatch,
        rows: Rows,
    ) -> Done<CommitReceipt> {
        let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let (tx, scope) = self.write(scope)?;
        let mailbox = fence(&tx, scope, lease)?;
        let mut writer = Writer::new(&tx, scope, mailbox, &*clock, &*entropy)?;
        writer.quiet = batch.quiet;
        for delivered in &batch.deliveries {
            moves::deliver(&tx, scope, delivered)?;
        }
        for result in &batch.moves {
            writer.close_move(result)?;
        }
        let results = match rows {
            Rows::Together => writer.write_together(&batch.rows)?,
            Rows::Apart => writer.write_apart(&batch.rows)?,
        };
        words::write(&tx, std::mem::take(&mut writer.words))?;
        writer.keep_counters()?;
        tx.commit()?;
        Ok(CommitReceipt::new(results))
    }
}

/// What the rows of one commit share.
pub(super) struct Writer<'a> {
    pub(super) conn: &'a Connection,
    pub(super) scope: i64,
    pub(super) mailbox: i64,
    pub(super) now: i64,
    clock: &'a dyn Clock,
    entropy: &'a dyn Entropy,
    counters: Counters,
    /// The words of the messages that are new.
    pub(super) words: Vec<Words>,
    last_original: Option<i64>,
    /// The key of the scope's tombstones, if it has any.
    pub(super) tombstones: Option<TombstoneKey>,
    /// Whether events are left out.
    quiet: bool,
}

/// What a row meets: its message, and its sighting if that is known.
pub(super) struct Met {
    pub(super) identity: Identity,
    pub(super) sighting: Option<Found>,
}

/// The highest numbers of the scope.
#[derive(Debug, Clone, Copy)]
struct Counters {
    entry_no: i64,
    event_no: i64,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        conn: &'a Connection,
        scope: i64,
        mailbox: i64,
        clock: &'a dyn Clock,
        entropy: &'a dyn Entropy,
    ) -> Done<Self> {
        let (counters, key) = conn
            .prepare_cached(
                "SELECT last_entry_no, last_event_no, tombstone_key FROM scope WHERE id = ?1",
            )?
            .query_row([scope], |row| {
                let counters = Counters {
                    entry_no: row.get(0)?,
                    event_no: row.get(1)?,
                };
                Ok((counters, row.get::<_, Option<[u8; 32]>>(2)?))
            })?;
        Ok(Self {
            conn,
            scope,
            mailbox,
            now: micros(clock.now()),
            clock,
            entropy,
            counters,
            words: Vec::new(),
            last_original: None,
            tombstones: key.map(TombstoneKey::from_bytes),
            quiet: false,
        })
    }

    /// Messages first, in the order of their ids, so that every engine takes them in the same order; then row by row. A
    /// further row under a key takes its message in its turn: the row before may have logged the sighting.
    fn write_together(&mut self, rows: &[CommitRow]) -> Done<Vec<RowResult>> {
        let mut all: Vec<Option<Met>> = rows.iter().map(|_| None).collect();
        let mut keys = BTreeSet::new();
        let mut ordered: Vec<_> = rows.iter().zip(&mut all).collect();
        ordered.retain(|(row, _)| keys.insert(&row.sighting.key));
        ordered.sort_by_key(|(row, _)| match &row.content {
            RowContent::Decided(decided) => Some(decided.message),
            _ => None,
        });
        for (row, met) in ordered {
            *met = Some(self.meet(row)?);
        }
        let mut results = Vec::with_capacity(rows.len());
        for (row, met) in rows.iter().zip(all) {
            let met = met.map_or_else(|| self.meet(row), Ok)?;
            results.push(write_row(self, row, &met)?);
        }
        Ok(results)
    }

    /// A row that is refused for its data is undone alone.
    fn write_apart(&mut self, rows: &[CommitRow]) -> Done<Vec<RowResult>> {
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let (counters, words) = (self.counters, self.words.len());
            self.conn.execute_batch("SAVEPOINT row")?;
            let result = match self.write_alone(row) {
                Err(fault) if fault.is_data() => {
                    self.conn.execute_batch("ROLLBACK TO row")?;
                    self.counters = counters;
                    self.words.truncate(words);
                    RowResult::Rejected(fault.into_error("commit"))
                }
                other => other?,
            };
            self.conn.execute_batch("RELEASE row")?;
            results.push(result);
        }
        Ok(results)
    }

    fn write_alone(&mut self, row: &CommitRow) -> Done<RowResult> {
        let met = self.meet(row)?;
        write_row(self, row, &met)
    }

    /// The message and the sighting of a row. A sighting that is logged writes no message.
    fn meet(&mut self, row: &CommitRow) -> Done<Met> {
        let RowContent::Decided(decided) = &row.content else {
            return Ok(Met {
                identity: Identity::Unkept,
                sighting: None,
            });
        };
        let sighting = sightings::find(self.conn, self.mailbox, &row.sighting.key)?;
        let identity = match &sighting {
            Some(found) if found.is_logged() => Identity::Unkept,
            _ => identify(self, decided)?,
        };
        Ok(Met { identity, sighting })
    }

    fn close_move(&mut self, result: &crate::store::MoveResult) -> Done<()> {
        match moves::close(self, result)? {
            Some((kind, message_no)) => self.event(kind, message_no, &[], ""),
            None => Ok(()),
        }
    }

    /// The next number of an original. Nobody else gives one while this transaction writes; one that is not used after all
    /// stays free.
    pub(super) fn next_original(&mut self) -> Done<i64> {
        let last = match self.last_original {
            Some(last) => last,
            None => last_original(self.conn)?,
        };
        self.last_original = Some(last + 1);
        Ok(last + 1)
    }

    /// The next number for people.
    pub(super) fn next_entry_no(&mut self) -> i64 {
        self.counters.entry_no += 1;
        self.counters.entry_no
    }

    /// Gives the last number back: the entry was there.
    pub(super) fn return_entry_no(&mut self) {
        self.counters.entry_no -= 1;
    }

    /// Writes an event, unless this commit writes none.
    pub(super) fn event(
        &mut self,
        kind: EventKind,
        message_no: Option<i64>,
        entries: &[(EntryId, u64)],
        reason: &str,
    ) -> Done<()> {
        if self.quiet {
            return Ok(());
        }
        self.counters.event_no += 1;
        let ids: Vec<u8> = entries
            .iter()
            .flat_map(|(id, _)| id.as_bytes())
            .copied()
            .collect();
        self.conn
            .prepare_cached(
                "INSERT INTO event (scope, number, id, at, mailbox, kind, message_no, entries, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                self.scope,
                self.counters.event_no,
                uuid_v7(self.clock, self.entropy),
                self.now,
                self.mailbox,
                kind.code(),
                message_no,
                ids,
                text(reason)
            ])?;
        Ok(())
    }

    pub(super) fn keep_counters(&self) -> Done<()> {
        self.conn
            .prepare_cached(
                "UPDATE scope SET last_entry_no = ?2, last_event_no = ?3 WHERE id = ?1",
            )?
            .execute(params![
                self.scope,
                self.counters.entry_no,
                self.counters.event_no
            ])?;
        Ok(())
    }
}
