//! Reports, conversations and the deleting of cancelled entries in a memory store.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::search::Search;
use super::tables::{EntryRow, MessageRow, ScopeTables, not_found};
use super::{MemoryStore, StoreOperation};
use crate::error::Result;
use crate::ids::{EntryId, MessageUid};
use crate::interaction::{
    Conversation, InteractionStatistics, StatisticsOptions, TalliedEntry, Tally, ThreadMail,
    ThreadWalk,
};
use crate::scope::Scope;
use crate::store::{
    CanceledEntries, Conversations, DeletedEntries, Deletion, InteractionReports, LogCount,
    LogFilter,
};

#[async_trait]
impl InteractionReports for MemoryStore {
    async fn count(&self, scope: &Scope, filter: &LogFilter) -> Result<LogCount> {
        self.call(StoreOperation::Count, scope, |tables, _| {
            let rows = Search::new(filter, tables).entries(tables);
            let mails: BTreeSet<_> = rows.iter().map(|row| row.entry.entry.message).collect();
            Ok(LogCount::new(rows.len() as u64, mails.len() as u64))
        })
    }

    async fn statistics(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        options: &StatisticsOptions,
    ) -> Result<InteractionStatistics> {
        self.call(StoreOperation::Statistics, scope, |tables, _| {
            let mut rows = Search::new(filter, tables).entries(tables);
            rows.sort_by_key(|row| (row.entry.entry.date, row.entry.entry_no));
            let mut tally = Tally::new(options);
            for row in rows {
                tally.add(&tallied(row), row.entry.entry.message);
            }
            Ok(tally.finish())
        })
    }
}

#[async_trait]
impl Conversations for MemoryStore {
    async fn conversation(&self, scope: &Scope, message: &MessageUid) -> Result<Conversation> {
        self.call(StoreOperation::Conversation, scope, |tables, _| {
            walk(tables, message).ok_or_else(|| not_found("conversation", message))
        })
    }
}

#[async_trait]
impl CanceledEntries for MemoryStore {
    async fn delete_canceled(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        deletion: Deletion,
    ) -> Result<DeletedEntries> {
        self.call(StoreOperation::DeleteCanceled, scope, |tables, _| {
            let (doomed, kept) = doomed(tables, filter);
            let alone = left_alone(tables, &doomed);
            let told = told(tables, &doomed, &alone, kept);
            if deletion == Deletion::Delete {
                delete(tables, &doomed, &alone);
            }
            Ok(told)
        })
    }
}

fn tallied(row: &EntryRow) -> TalliedEntry<'_> {
    let entry = &row.entry.entry;
    TalliedEntry {
        contact_no: entry.contact_no.as_str(),
        contact_name: &entry.contact_name,
        salesperson_code: entry.salesperson_code.as_str(),
        salesperson_name: &entry.salesperson_name,
        flow: entry.information_flow,
        date: entry.date,
    }
}

/// The mails in the conversation of a mail; none where it is unknown.
pub(super) fn conversation_of(tables: &ScopeTables, message: &MessageUid) -> BTreeSet<MessageUid> {
    let found = walk(tables, message);
    let mails = found.into_iter().flat_map(|found| found.mails);
    mails.map(|mail| mail.message).collect()
}

fn walk(tables: &ScopeTables, message: &MessageUid) -> Option<Conversation> {
    let mut walk = ThreadWalk::from(thread_mail(tables, message, tables.messages.get(message)?));
    loop {
        let ids: BTreeSet<String> = walk.next_ids().into_iter().collect();
        if ids.is_empty() {
            return Some(walk.finish());
        }
        let names = |row: &MessageRow| {
            let record = &row.record;
            record.message_id.iter().any(|id| ids.contains(id))
                || !row.is_unindexed() && record.references.iter().any(|id| ids.contains(id))
        };
        let mails = tables.messages.iter().filter(|(_, row)| names(row));
        walk.found(
            mails
                .map(|(uid, row)| thread_mail(tables, uid, row))
                .collect(),
        );
    }
}

fn thread_mail(tables: &ScopeTables, message: &MessageUid, row: &MessageRow) -> ThreadMail {
    let record = &row.record;
    let mut mail = ThreadMail {
        date: record.sent.or(record.received),
        message_id: record.message_id.clone(),
        references: record.references.clone(),
        ..ThreadMail::new(*message)
    };
    for named in &record.participants {
        mail.name(&named.address, named.own);
    }
    let entries = tables.entries_of(message).map(|row| &row.entry);
    for entry in entries.filter(|entry| !entry.canceled) {
        mail.contacts.insert(entry.entry.contact_no.clone());
        mail.contacts.extend(entry.entry.contact_company_no.clone());
    }
    mail
}

/// Cancelled entries that fit and that nothing keeps, by message.
type Doomed = BTreeMap<MessageUid, BTreeSet<EntryId>>;

/// What goes, and how much stays.
fn doomed(tables: &ScopeTables, filter: &LogFilter) -> (Doomed, DeletedEntries) {
    let mut filter = filter.clone();
    filter.canceled = true;
    let rows = Search::new(&filter, tables).entries(tables).into_iter();
    let (mut doomed, mut kept) = (Doomed::new(), DeletedEntries::default());
    for row in rows.filter(|row| row.entry.canceled) {
        if let Some(counted) = keeps(tables, row, &mut kept) {
            *counted += 1;
            continue;
        }
        let entry = &row.entry.entry;
        doomed.entry(entry.message).or_default().insert(entry.id);
    }
    (doomed, kept)
}

/// Where an entry is counted that stays.
fn keeps<'a>(
    tables: &ScopeTables,
    row: &EntryRow,
    kept: &'a mut DeletedEntries,
) -> Option<&'a mut u64> {
    let entry = &row.entry;
    let deal = entry.opportunity_no.as_ref();
    let message = tables.messages.get(&entry.entry.message);
    let link = tables.links.get(&entry.entry.id);
    if deal.is_some_and(|no| tables.opportunities.is_open(no)) {
        Some(&mut kept.kept_for_opportunity)
    } else if message.is_some_and(MessageRow::is_held) {
        Some(&mut kept.kept_on_hold)
    } else if row.undelivered {
        Some(&mut kept.kept_waiting)
    } else if link.is_some_and(|link| link.withdrawn && !link.held) {
        Some(&mut kept.kept_withdrawn)
    } else {
        None
    }
}

/// The messages that have no other entries.
fn left_alone(tables: &ScopeTables, doomed: &Doomed) -> BTreeSet<MessageUid> {
    let all = doomed.iter().filter(|(message, gone)| {
        let row = tables.messages.get(message);
        row.is_some_and(|row| row.entries.iter().all(|id| gone.contains(id)))
    });
    all.map(|(message, _)| *message).collect()
}

fn told(
    tables: &ScopeTables,
    doomed: &Doomed,
    alone: &BTreeSet<MessageUid>,
    kept: DeletedEntries,
) -> DeletedEntries {
    let rows = doomed.values().flatten();
    let rows: Vec<_> = rows.filter_map(|id| tables.entries.get(id)).collect();
    let originals = alone
        .iter()
        .filter_map(|uid| tables.messages.get(uid)?.original.as_ref());
    let sizes: Vec<u64> = originals.map(|bytes| bytes.len() as u64).collect();
    DeletedEntries {
        entries: rows.len() as u64,
        comments: rows.iter().map(|row| row.entry.comments.len() as u64).sum(),
        mails: alone.len() as u64,
        originals: sizes.len() as u64,
        bytes: sizes.iter().sum(),
        oldest: rows.iter().map(|row| row.entry.entry.date).min(),
        newest: rows.iter().map(|row| row.entry.entry.date).max(),
        ..kept
    }
}

fn delete(tables: &mut ScopeTables, doomed: &Doomed, alone: &BTreeSet<MessageUid>) {
    for (message, ids) in doomed {
        for id in ids {
            tables.entries.remove(id);
            tables.deleted.insert(*id, *message);
        }
        if let Some(row) = tables.messages.get_mut(message) {
            row.entries.retain(|id| !ids.contains(id));
            if alone.contains(message) {
                (row.original, row.content) = (None, None);
            }
        }
    }
}
