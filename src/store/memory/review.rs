//! The review queue and the never-log lists of a memory store.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::cursor::Question;
use super::tables::{DecisionRow, LinkRow, ReviewRow, ScopeTables, Seen, not_found};
use super::{MemoryStore, Stamp, StoreOperation, log, row};
use crate::decision::NeverLog;
use crate::error::{Error, Result, codes};
use crate::ids::{EntryId, MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::source::SightingKey;
use crate::store::{
    Cursor, EventKind, Lease, LinkChange, LinkResult, LoggedMail, NeverLogStore, Page, Resolution,
    ReviewCount, ReviewFilter, ReviewItem, ReviewQueue, ReviewState, StoredNeverLog,
};

#[async_trait]
impl ReviewQueue for MemoryStore {
    async fn review_items(
        &self,
        scope: &Scope,
        filter: &ReviewFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ReviewItem>> {
        self.call(StoreOperation::ReviewItems, scope, |tables, _| {
            let items = tables
                .decisions
                .iter()
                .filter(|(_, row)| is_open(row))
                .map(|(seen, row)| (row, item(tables, seen, row)))
                .filter(|(_, item)| fits(filter, item))
                .map(|(row, item)| {
                    let at = row.record.decided_at.as_microsecond();
                    ((at, row.sequence), item)
                })
                .collect();
            Question::new("review", scope, filter).page(items, after, limit)
        })
    }

    async fn review_counts(&self, scope: &Scope) -> Result<Vec<ReviewCount>> {
        self.call(StoreOperation::ReviewCounts, scope, |tables, _| {
            let mut counts: BTreeMap<(ReviewState, &str, &str), u64> = BTreeMap::new();
            for (seen, row) in tables.decisions.iter().filter(|(_, row)| is_open(row)) {
                let state = tables.reviews.get(seen).map(|review| review.said.state);
                let record = &row.record;
                let key = (
                    state.unwrap_or_default(),
                    record.outcome.as_str(),
                    record.reason.as_str(),
                );
                *counts.entry(key).or_default() += 1;
            }
            let counts = counts.into_iter();
            Ok(counts
                .map(|((state, outcome, reason), n)| ReviewCount::new(state, outcome, reason, n))
                .collect())
        })
    }

    async fn resolve(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
        resolution: &Resolution,
        expected_version: u64,
    ) -> Result<u64> {
        self.call(StoreOperation::Resolve, scope, |tables, stamp| {
            let seen = (mailbox.clone(), key.clone());
            let decision = tables.decisions.get(&seen);
            let decision = decision.ok_or_else(|| not_found("resolve", key))?;
            if !is_open(decision) {
                return Err(Error::new(&codes::REVIEW_LOGGED, "resolve"));
            }
            let message = decision.record.message;
            let version = tables.reviews.get(&seen).map_or(0, |row| row.version);
            if version != expected_version {
                return Err(Error::new(&codes::REVIEW_VERSION, "resolve"));
            }
            let row = ReviewRow {
                version: version + 1,
                said: resolution.clone(),
                at: stamp.now(),
            };
            tables.reviews.insert(seen, row);
            if resolution.state == ReviewState::Assigned {
                let kind = EventKind::Assigned;
                tables.event(stamp, mailbox, kind, |event| event.message = message);
            }
            Ok(version + 1)
        })
    }

    async fn mails_naming(
        &self,
        scope: &Scope,
        addresses: Option<&[String]>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        self.call(StoreOperation::MailsNaming, scope, |tables, _| {
            let found = tables.messages.iter().filter(|(_, row)| match addresses {
                None => true,
                Some(asked) => {
                    let named = row.record.participants.iter();
                    named.into_iter().any(|one| asked.contains(&one.address))
                }
            });
            let found = found.map(|(uid, row)| Ok(((0, row.sequence), log::mail(tables, uid)?)));
            let found = found.collect::<Result<Vec<_>>>()?;
            Question::new("naming", scope, &addresses).page(found, after, limit)
        })
    }

    async fn relink(&self, scope: &Scope, lease: &Lease, links: &LinkChange) -> Result<LinkResult> {
        self.call(StoreOperation::Relink, scope, |tables, stamp| {
            tables.fence(lease, "relink")?;
            if !tables.messages.contains_key(&links.message) {
                return Err(not_found("relink", links.message));
            }
            let result = change(tables, stamp, links);
            if !result.is_empty() {
                let kind = EventKind::Rematched;
                tables.event(stamp, &lease.mailbox, kind, |event| {
                    event.message = Some(links.message);
                    event.entries = result.changed();
                    event.reason.clone_from(&links.reason);
                });
            }
            Ok(result)
        })
    }
}

#[async_trait]
impl NeverLogStore for MemoryStore {
    async fn load_never_log(&self, scope: &Scope) -> Result<StoredNeverLog> {
        self.call(StoreOperation::LoadNeverLog, scope, |tables, _| {
            Ok(tables.never_log.clone())
        })
    }

    async fn save_never_log(
        &self,
        scope: &Scope,
        lists: &NeverLog,
        expected_version: u64,
    ) -> Result<u64> {
        self.call(StoreOperation::SaveNeverLog, scope, |tables, _| {
            if tables.never_log.version != expected_version {
                return Err(Error::new(&codes::REVIEW_VERSION, "save_never_log"));
            }
            tables.never_log = StoredNeverLog::new(lists.clone(), expected_version + 1);
            Ok(expected_version + 1)
        })
    }
}

/// Whether no entry came of it.
fn is_open(row: &DecisionRow) -> bool {
    !matches!(row.record.outcome.as_str(), "logged" | "already-logged")
}

fn item(tables: &ScopeTables, seen: &Seen, row: &DecisionRow) -> ReviewItem {
    let message = row.record.message.and_then(|uid| tables.messages.get(&uid));
    let participants = message.map(|message| message.record.participants.clone());
    let item = ReviewItem::new(row.record.clone(), participants.unwrap_or_default());
    match tables.reviews.get(seen) {
        None => item,
        Some(review) => ReviewItem {
            state: review.said.state,
            version: review.version,
            resolution: Some((review.at, review.said.clone())),
            ..item
        },
    }
}

fn fits(filter: &ReviewFilter, item: &ReviewItem) -> bool {
    let decision = &item.decision;
    let place = match &filter.sighting {
        Some((mailbox, key)) => decision.mailbox == *mailbox && decision.sighting == *key,
        None => item.state == filter.state && (filter.excluded || decision.outcome != "excluded"),
    };
    let outcome = filter.outcome.as_ref();
    let reason = filter.reason.as_ref();
    let address = filter.address.as_ref();
    place
        && outcome.is_none_or(|outcome| *outcome == decision.outcome)
        && reason.is_none_or(|reason| *reason == decision.reason)
        && address.is_none_or(|address| item.participants.iter().any(|p| p.address == *address))
}

fn change(tables: &mut ScopeTables, stamp: &Stamp<'_>, links: &LinkChange) -> LinkResult {
    let mut result = LinkResult::default();
    for entry in &links.add {
        let mut entry = entry.clone();
        super::text::clean_entry(&mut entry);
        let id = entry.id;
        if let Some(added) = row::write_entry(tables, stamp, entry, links.deliver) {
            result.added.push(added);
        } else if restore(tables, &id) {
            result.restored.push(id);
        }
    }
    for id in &links.withdraw {
        if withdraw(tables, &links.message, id) {
            result.withdrawn.push(*id);
        }
    }
    result
}

fn restore(tables: &mut ScopeTables, id: &EntryId) -> bool {
    let Some(link) = tables.links.get_mut(id) else {
        return false;
    };
    let restored = link.withdrawn && !link.held;
    if restored && let Some(row) = tables.entries.get_mut(id) {
        link.withdrawn = false;
        row.entry.canceled = false;
    }
    restored
}

fn withdraw(tables: &mut ScopeTables, message: &MessageUid, id: &EntryId) -> bool {
    let held = tables.links.get(id).is_some_and(|link| link.held);
    let row = tables.entries.get_mut(id);
    let row = row.filter(|row| row.entry.entry.message == *message && !row.entry.canceled);
    let Some(row) = row.filter(|row| !held && !row.entry.is_worked_with()) else {
        return false;
    };
    row.entry.canceled = true;
    let link = LinkRow {
        held: false,
        withdrawn: true,
    };
    tables.links.insert(*id, link);
    true
}
