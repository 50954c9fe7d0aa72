//! Privacy after logging in a memory store: tombstones, marks, and the removal of mails.

use async_trait::async_trait;
use jiff::Timestamp;

use super::cursor::{Place, Question};
use super::row::add_flag;
use super::tables::{MessageRow, ScopeTables, not_found};
use super::{MemoryStore, Stamp, StoreOperation};
use crate::error::{Error, Result, codes};
use crate::ids::{ContactNo, MessageUid};
use crate::interaction::{Comment, InteractionLogEntry};
use crate::privacy::naming::names;
use crate::privacy::tombstone::{Known, TombstoneKey, bars};
use crate::privacy::{MARKED_PRIVATE, Person, RetentionRule, Selection};
use crate::scope::Scope;
use crate::store::{
    AffectedMail, Cursor, DecidedRow, Deletion, Erasure, Forgotten, Mark, MarkKind, Page,
    PrivacyStore, Removal, RemovedMails, SightingState, StoredNeverLog, StoredOpportunity,
};

/// What stands in the place of a contact that was erased.
const ERASED: &str = "ERASED";

#[async_trait]
impl PrivacyStore for MemoryStore {
    async fn affected(
        &self,
        scope: &Scope,
        selection: &Selection,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AffectedMail>> {
        self.call(StoreOperation::Affected, scope, |tables, _| {
            let rows = tables.messages.iter();
            let rows = rows.filter(|(_, row)| fits(tables, row, selection));
            let rows: Vec<(Place, AffectedMail)> = rows
                .map(|(uid, row)| ((0, row.sequence), affected(tables, uid, row)))
                .collect();
            Question::new("affected", scope, selection).page(rows, after, limit)
        })
    }

    async fn remove_mails(
        &self,
        scope: &Scope,
        messages: &[MessageUid],
        removal: &Removal,
    ) -> Result<RemovedMails> {
        self.call(StoreOperation::RemoveMails, scope, |tables, stamp| {
            let mut told = RemovedMails::default();
            for uid in messages {
                let row = tables.messages.get(uid);
                if removal.spare_held && row.is_some_and(MessageRow::is_held) {
                    told.held.push(*uid);
                } else {
                    remove(tables, stamp, uid, &mut told);
                }
            }
            Ok(told)
        })
    }

    async fn forget_person(
        &self,
        scope: &Scope,
        person: &Person,
        erasure: Erasure,
        deletion: Deletion,
    ) -> Result<Forgotten> {
        self.call(StoreOperation::ForgetPerson, scope, |tables, stamp| {
            if erasure.refuse_open_opportunities && is_open(tables, person) {
                return Err(Error::new(
                    &codes::PRIVACY_OPEN_OPPORTUNITY,
                    "forget_person",
                ));
            }
            let mut told = Forgotten::default();
            let deletes = deletion == Deletion::Delete;
            for address in &person.addresses {
                let listed = unlist(tables, address, deletes);
                told.never_log_rules += listed;
                if deletes && (erasure.never_again || listed > 0) {
                    let bar = key(tables, stamp).of_address(address);
                    tables.tombstones.insert(bar);
                }
                forget_address(tables, address, deletes, &mut told);
            }
            if let Some(contact) = &person.contact {
                forget_contact(tables, contact, deletes, &mut told);
            }
            Ok(told)
        })
    }

    async fn mark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
        mark: &Mark,
    ) -> Result<()> {
        self.call(StoreOperation::MarkMail, scope, |tables, stamp| {
            let row = tables.messages.get_mut(message);
            let row = row.ok_or_else(|| not_found("mark_mail", message))?;
            let at = stamp.now();
            row.marks.insert(kind, Mark { at, ..mark.clone() });
            if kind == MarkKind::Private {
                flag(tables, message, |flags| add_flag(flags, MARKED_PRIVATE));
            }
            Ok(())
        })
    }

    async fn unmark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
    ) -> Result<bool> {
        self.call(StoreOperation::UnmarkMail, scope, |tables, _| {
            let row = tables.messages.get_mut(message);
            let row = row.ok_or_else(|| not_found("unmark_mail", message))?;
            let gone = row.marks.remove(&kind).is_some();
            if kind == MarkKind::Private {
                flag(tables, message, |flags| {
                    flags.retain(|f| f != MARKED_PRIVATE);
                });
            }
            Ok(gone)
        })
    }

    async fn marks(&self, scope: &Scope, message: &MessageUid) -> Result<Vec<(MarkKind, Mark)>> {
        self.call(StoreOperation::Marks, scope, |tables, _| {
            let row = tables.messages.get(message);
            let marks = row.into_iter().flat_map(|row| row.marks.iter());
            Ok(marks.map(|(kind, mark)| (*kind, mark.clone())).collect())
        })
    }

    async fn shred(&self) -> Result<()> {
        self.call_all(StoreOperation::Shred, |_| Ok(()))
    }
}

/// Whether a tombstone bars the mail of a row that is not known.
pub(super) fn is_barred(tables: &ScopeTables, row: &DecidedRow) -> bool {
    let (Some(key), Some(record)) = (&tables.tombstone_key, &row.record) else {
        return false;
    };
    let bars = bars(key, &row.message, record);
    !tables.messages.contains_key(&row.message)
        && bars.iter().any(|bar| tables.tombstones.contains(bar))
}

/// The key of the scope, which is made if there is none.
fn key(tables: &mut ScopeTables, stamp: &Stamp<'_>) -> TombstoneKey {
    *tables.tombstone_key.get_or_insert_with(|| {
        let mut bytes = [0; 32];
        stamp.store.entropy.fill(&mut bytes);
        TombstoneKey::from_bytes(bytes)
    })
}

fn flag(tables: &mut ScopeTables, message: &MessageUid, change: impl Fn(&mut Vec<String>)) {
    let Some(row) = tables.messages.get(message) else {
        return;
    };
    for id in &row.entries {
        if let Some(entry) = tables.entries.get_mut(id) {
            change(&mut entry.entry.entry.flags);
        }
    }
}

fn date(row: &MessageRow) -> Timestamp {
    let record = &row.record;
    record.received.or(record.sent).unwrap_or(row.logged_at)
}

fn fits(tables: &ScopeTables, row: &MessageRow, selection: &Selection) -> bool {
    match selection {
        Selection::Person(person) => is_of(tables, row, person),
        Selection::Retention(rule) => is_old(tables, row, rule),
    }
}

fn is_of(tables: &ScopeTables, row: &MessageRow, person: &Person) -> bool {
    let mut people = row.record.participants.iter();
    let mut entries = row.entries.iter().filter_map(|id| tables.entries.get(id));
    people.any(|named| person.addresses.contains(&named.address))
        || entries.any(|row| person.contact.as_ref() == Some(&row.entry.entry.contact_no))
}

fn is_old(tables: &ScopeTables, row: &MessageRow, rule: &RetentionRule) -> bool {
    let entries = row.entries.iter().filter_map(|id| tables.entries.get(id));
    let entries: Vec<_> = entries.map(|row| &row.entry.entry).collect();
    let narrowed = !rule.templates.is_empty() || rule.company.is_some();
    date(row) < rule.before
        && !(narrowed && entries.is_empty())
        && entries.iter().all(|entry| {
            let company = entry.contact_company_no.as_ref();
            let company = company.unwrap_or(&entry.contact_no);
            let templates = &rule.templates;
            entry.date < rule.before
                && (templates.is_empty() || templates.contains(&entry.interaction_template_code))
                && rule.company.as_ref().is_none_or(|asked| asked == company)
        })
}

fn affected(tables: &ScopeTables, uid: &MessageUid, row: &MessageRow) -> AffectedMail {
    let entries = || row.entries.iter().filter_map(|id| tables.entries.get(id));
    let deals = entries().filter_map(|row| row.entry.opportunity_no.as_deref());
    let mut deals = deals.filter(|no| tables.opportunities.is_open(no));
    AffectedMail {
        entries: row.entries.len() as u64,
        original: row.original.as_ref().map(|bytes| bytes.len() as u64),
        open_opportunity: deals.next().is_some(),
        held: row.is_held(),
        waiting: entries().any(|row| row.undelivered),
        ..AffectedMail::new(*uid, date(row))
    }
}

fn remove(tables: &mut ScopeTables, stamp: &Stamp<'_>, uid: &MessageUid, told: &mut RemovedMails) {
    let Some(row) = tables.messages.remove(uid) else {
        return;
    };
    told.mails += 1;
    told.originals += u64::from(row.original.is_some());
    let bars = key(tables, stamp).of_mail(uid, &Known::of(&row.record));
    tables.tombstones.extend(bars);
    for id in &row.entries {
        tables.links.remove(id);
        let Some(entry) = tables.entries.remove(id) else {
            continue;
        };
        tables.removed_entries += 1;
        told.entries += 1;
        loosen(tables, &entry.entry);
        told.host_references.extend(entry.entry.host_reference);
    }
    let before = tables.deleted.len();
    tables.deleted.retain(|_, message| message != uid);
    tables.removed_entries += (before - tables.deleted.len()) as u64;
    bare_decisions(tables, uid);
    for event in &mut tables.events {
        if event.message == Some(*uid) {
            event.message = None;
            event.entries.clear();
        }
    }
}

/// An opportunity that was made of an entry loses what it took from the mail.
fn loosen(tables: &mut ScopeTables, entry: &InteractionLogEntry) {
    for stored in tables.opportunities.each() {
        let deal = &mut stored.opportunity;
        if Some(deal.no.as_str()) != entry.opportunity_no.as_deref() {
            continue;
        }
        let before = deal.comments.len();
        deal.comments.retain(|said| !entry.comments.contains(said));
        let mut changed = deal.comments.len() < before;
        if deal.description == entry.entry.description {
            deal.no.as_str().clone_into(&mut deal.description);
            changed = true;
        }
        stored.version += u64::from(changed);
    }
}

fn bare_decisions(tables: &mut ScopeTables, uid: &MessageUid) {
    for (seen, sighting) in &mut tables.sightings {
        if sighting.message != Some(*uid) {
            continue;
        }
        sighting.message = None;
        sighting.state = SightingState::Decided;
        tables.reviews.remove(seen);
    }
    for row in tables.decisions.values_mut() {
        let record = &mut row.record;
        if record.message == Some(*uid) {
            record.message = None;
            "excluded".clone_into(&mut record.outcome);
            "erased".clone_into(&mut record.reason);
            record.steps.clear();
            record.flags.clear();
            record.subject = None;
            record.sender = None;
        }
    }
}

fn unlist(tables: &mut ScopeTables, address: &str, deletes: bool) -> u64 {
    let mut lists = tables.never_log.lists.clone();
    let listed = lists.forget(address);
    if deletes && listed > 0 {
        tables.never_log = StoredNeverLog::new(lists, tables.never_log.version + 1);
    }
    listed
}

/// Whether an opportunity is open that is the person's, or that was made of a mail of the person.
fn is_open(tables: &mut ScopeTables, person: &Person) -> bool {
    let mails = tables.messages.iter();
    let mut mails = mails.filter(|(_, row)| is_of(tables, row, person));
    if mails.any(|(uid, row)| affected(tables, uid, row).open_opportunity) {
        return true;
    }
    let mut deals = tables.opportunities.each();
    deals.any(|stored| {
        let deal = &stored.opportunity;
        person.contact.as_ref() == Some(&deal.contact_no) && !deal.status.is_closed()
    })
}

fn forget_address(tables: &mut ScopeTables, address: &str, deletes: bool, told: &mut Forgotten) {
    for row in tables.decisions.values_mut() {
        let steps = &mut row.record.steps;
        if steps.iter().any(|step| names(&step.detail, address)) {
            told.decisions += 1;
            if deletes {
                steps.clear();
            }
        }
    }
    tables.reviews.retain(|_, row| {
        let said = &row.said;
        let named = names(&said.note, address) || names(&said.by, address);
        told.reviews += u64::from(named);
        !(named && deletes)
    });
    let comments = |comments: &mut Vec<Comment>| {
        let before = comments.len();
        let named = comments.iter().filter(|said| names(&said.text, address));
        let named = named.count() as u64;
        if deletes {
            comments.retain(|said| !names(&said.text, address));
        }
        (named, comments.len() < before)
    };
    for row in tables.entries.values_mut() {
        told.comments += comments(&mut row.entry.comments).0;
    }
    for stored in tables.opportunities.each() {
        let (named, changed) = comments(&mut stored.opportunity.comments);
        told.comments += named;
        // Who loaded the opportunity before must not bring them back.
        stored.version += u64::from(changed);
    }
}

fn forget_contact(
    tables: &mut ScopeTables,
    contact: &ContactNo,
    deletes: bool,
    told: &mut Forgotten,
) {
    tables.reviews.retain(|_, row| {
        let assigned = row.said.assignment.as_ref();
        let named = assigned.is_some_and(|link| link.contact == *contact);
        told.reviews += u64::from(named);
        !(named && deletes)
    });
    for stored in tables.opportunities.each() {
        if stored.opportunity.contact_no == *contact {
            told.opportunities += 1;
            told.open_opportunities += u64::from(!stored.opportunity.status.is_closed());
            told.comments += stored.opportunity.comments.len() as u64;
            if deletes {
                make_nobodys(stored);
            }
        }
        if deletes {
            let deal = &mut stored.opportunity;
            let of_entries = deal.entries.iter_mut().map(|entry| &mut entry.contact_no);
            let of_tasks = deal.tasks.iter_mut().map(|task| &mut task.contact_no);
            let named = of_entries.chain(of_tasks).filter(|no| *no == contact);
            named.for_each(|no| *no = ContactNo::new(ERASED));
        }
    }
}

fn make_nobodys(stored: &mut StoredOpportunity) {
    let deal = &mut stored.opportunity;
    deal.contact_no = ContactNo::new(ERASED);
    deal.no.as_str().clone_into(&mut deal.description);
    deal.comments.clear();
    for task in &mut deal.tasks {
        task.description.clear();
    }
    stored.version += 1;
}
