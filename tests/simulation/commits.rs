//! What a commit must have made durable: looked up in the store, row by row, in the step that wrote it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use email_logging::decision::Disposition;
use email_logging::interaction::InteractionLogEntry;
use email_logging::source::SightingKey;
use email_logging::store::{
    CommitBatch, CommitReceipt, CommitRow, DecidedRow, InteractionStore, KnownSighting,
    MoveOutcome, MoveResult, RowContent, RowResult, SightingState,
};

use crate::book::{Book, MAILBOX, item_id, scope};
use crate::database::at_once;
use crate::mailbox::{Item, Label, Mailbox, Place, key_of};
use crate::mails::{Entry, Mails};
use crate::promises::place;
use crate::world::Plan;

/// Contacts and salespeople.
pub(crate) const NAMES: [&str; 3] = ["C1", "C2", "AH"];

/// Where a decision sends a mail; `None`: it stays.
fn target(plan: &Plan, disposition: Disposition) -> Option<Place> {
    match disposition {
        Disposition::NotLogged if plan.not_logged_folder => Some(Place::NotLogged),
        Disposition::Storage | Disposition::NotLogged => Some(Place::Storage),
        Disposition::Quarantine => Some(Place::Quarantine),
        Disposition::Delete => Some(Place::Deleted),
        _ => None,
    }
}

/// Attempts of a mail before it is set aside.
const ATTEMPTS: u32 = 8;

/// The look at commits.
#[derive(Debug, Clone)]
pub(crate) struct Commits {
    pub(crate) book: Arc<Book>,
    pub(crate) mails: Arc<Mails>,
    pub(crate) mailbox: Arc<Mutex<Mailbox>>,
    pub(crate) plan: Arc<Plan>,
}

/// Who wrote a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) worker: usize,
    /// Whether it walks over the folders: then a mail stays where it lies.
    pub(crate) walks: bool,
}

impl Commits {
    /// Looks at what a commit wrote.
    pub(crate) fn look(
        &self,
        store: &dyn InteractionStore,
        writer: Writer,
        batch: &CommitBatch,
        receipt: &CommitReceipt,
    ) {
        if batch.rows.len() != receipt.rows.len() {
            self.book
                .broken("I4: a commit answers another number of rows");
        }
        for (row, result) in batch.rows.iter().zip(&receipt.rows) {
            self.look_at_row(store, Some(writer), row, result);
        }
        for delivered in &batch.deliveries {
            let mut pages = self.book.pages();
            pages.confirmed.insert(delivered.entry);
            let there = pages.host.contains_key(&delivered.entry);
            drop(pages);
            if !there {
                self.book
                    .broken("I2: an entry is confirmed that the host's log does not hold");
            }
        }
        for moved in &batch.moves {
            self.look_at_move(moved, &batch.moves);
        }
    }

    /// Takes up what a store that was put back still holds.
    pub(crate) fn look_again(
        &self,
        store: &dyn InteractionStore,
        batch: &CommitBatch,
        receipt: &CommitReceipt,
    ) {
        for (row, result) in batch.rows.iter().zip(&receipt.rows) {
            self.look_at_row(store, None, row, result);
        }
    }

    /// What is set aside under these keys is about to be given another try.
    pub(crate) fn requeue(&self, store: &dyn InteractionStore, keys: &[SightingKey]) {
        let known = at_once(store.known(scope(), &MAILBOX.into(), keys)).unwrap();
        let is_aside = |known: &KnownSighting| known.state == SightingState::Quarantined;
        let mut mailbox = self.mailbox.lock().unwrap();
        let mut pages = self.book.pages();
        for (key, known) in keys.iter().zip(known) {
            if !known.as_ref().is_some_and(is_aside) {
                continue;
            }
            pages.decided.remove(key);
            pages.targets.remove(key);
            pages.attempts.remove(key);
            let items = mailbox.items.iter();
            let items = items.filter(|(id, it)| key_of(**id, it).as_ref() == Some(key));
            let items: Vec<(u64, u64)> = items.map(|(id, it)| (*id, it.key)).collect();
            for (id, key) in items {
                pages.committed.remove(&id);
                pages.move_after.remove(&id);
                mailbox.requeued.insert(key);
            }
        }
    }

    fn look_at_row(
        &self,
        store: &dyn InteractionStore,
        writer: Option<Writer>,
        row: &CommitRow,
        result: &RowResult,
    ) {
        let item = item_id(&row.sighting.item);
        let key = &row.sighting.key;
        if !matches!(result, RowResult::Recheck(_) | RowResult::Rejected(_)) {
            self.note_digest(item, key);
        }
        match (&row.content, result) {
            (
                RowContent::Decided(decided),
                RowResult::Written { .. } | RowResult::AlreadyLogged,
            ) => {
                // A sighting that was decided before may have become another message: a rendering of it.
                let is_new = !self.book.pages().decided.contains(key);
                if let Some(writer) = writer {
                    self.look_at_decision(writer, row, decided);
                }
                let is_logged = matches!(result, RowResult::AlreadyLogged);
                self.note_logged(row, decided, is_logged);
                self.look_at_message(store, writer, item, decided, is_new);
                self.note_target(writer, key, decided.decision.disposition, is_logged);
                let mut pages = self.book.pages();
                pages.committed.insert(item);
                pages.decided.insert(key.clone());
                pages.attempts.remove(key);
                pages.read_after.remove(&item);
            }
            (RowContent::Again { .. }, RowResult::Written { .. } | RowResult::AlreadyLogged) => {
                let mut pages = self.book.pages();
                let known = pages.decided.contains(key);
                pages.committed.insert(item);
                drop(pages);
                if !known {
                    self.book
                        .broken("I2: a sighting counts as decided and is not");
                }
            }
            (RowContent::Failed(failed), RowResult::Counted { .. }) => {
                let mut pages = self.book.pages();
                if pages.is_waited_for(failed.next_try) {
                    pages.read_after.insert(item, failed.next_try);
                }
                let attempts = pages.attempts.entry(key.clone()).or_default();
                *attempts += 1;
                let attempts = *attempts;
                drop(pages);
                if attempts >= ATTEMPTS {
                    self.book
                        .broken(format!("I8: {attempts} attempts of item {item}"));
                }
            }
            _ => {}
        }
    }

    /// I6, I8: a decision is one that follows from the mail and from the directory as it was meanwhile; what is set aside
    /// cannot be read, or failed as often as it may.
    fn look_at_decision(&self, writer: Writer, row: &CommitRow, decided: &DecidedRow) {
        let (id, outcome) = (item_id(&row.sighting.item), decided.decision.outcome.code());
        let mailbox = self.mailbox.lock().unwrap();
        let Some(item) = mailbox.meant(id) else {
            return;
        };
        if mailbox.is_undetermined(item.key) {
            return;
        }
        let pages = self.book.pages();
        let seen = pages.seen(writer.worker, id);
        let counted = pages.attempts.get(&row.sighting.key).copied();
        drop(pages);
        let mut allowed = self.mails.outcomes(&mailbox, item, seen);
        // It may have been mended since.
        if self.mails.is_poison(item.mail) {
            allowed.insert("quarantined");
        }
        let reason = decided.decision.outcome.reason();
        if writer.walks {
            // What lies in the quarantine stays there, and all else stays where it lies.
            if reason == "found-set-aside" {
                allowed.insert("quarantined");
            }
            if reason == "attempts-exhausted" {
                let what = "is set aside by a walk, which counts no attempts";
                self.book.broken(format!("I8: item {id} {what}"));
            }
        } else if outcome == "quarantined" && mailbox.flaky.contains(&item.key) {
            let attempts = counted.unwrap_or_default() + 1;
            if attempts != ATTEMPTS || reason != "attempts-exhausted" {
                self.book.broken(format!(
                    "I8: item {id} is set aside after {attempts} attempts"
                ));
            }
        }
        if !allowed.contains(outcome) {
            self.book.broken(format!(
                "I6: item {id} was {outcome}, and is one of {allowed:?}"
            ));
        }
        let to = target(&self.plan, decided.decision.disposition);
        if !writer.walks && to.is_some_and(|to| to != place(&self.plan, outcome)) {
            self.book
                .broken(format!("I6: item {id} was {outcome}, and goes to {to:?}"));
        }
    }

    /// I4, I5, I6: entries, original and record are there together, and are those of a mail that was read.
    fn look_at_message(
        &self,
        store: &dyn InteractionStore,
        writer: Option<Writer>,
        item: u64,
        decided: &DecidedRow,
        is_new: bool,
    ) {
        let pages = self.book.pages();
        let read = pages.read.get(&item).cloned().unwrap_or_default();
        let seen = writer.map_or([true; 2], |writer| pages.seen(writer.worker, item));
        drop(pages);
        let kept: Vec<usize> = read.iter().map(|mail| self.mails.base(*mail)).collect();
        let scope = scope();
        let Ok(logged) = at_once(store.mail(scope, &decided.message)) else {
            let all_kept = kept.iter().all(|mail| self.mails.all[*mail].kind.is_kept());
            let is_aside = decided.decision.outcome.code() == "quarantined";
            let is_known = all_kept && read.len() == 1 && !self.is_undetermined(item);
            if is_new && is_known && !is_aside {
                self.book.broken(format!(
                    "I4: item {item} is committed, and its message is not there"
                ));
            }
            return;
        };
        let number: usize = logged.record.subject[1..].parse().unwrap();
        if !kept.contains(&number) {
            self.book.broken(format!(
                "I6: item {item} became mail {number}, it was {read:?}"
            ));
        }
        let entry = |row: &InteractionLogEntry| {
            let name = |text: &str| *NAMES.iter().find(|it| **it == text).unwrap();
            let contact = name(row.entry.contact_no.as_str());
            let salesperson = name(row.entry.salesperson_code.as_str());
            (logged.record.subject.clone(), contact, salesperson)
        };
        let found: BTreeSet<Entry> = logged.entries.iter().map(entry).collect();
        let is_whole = found.len() == logged.entries.len() && self.is_whole(number, &found, seen);
        if !is_whole {
            self.book
                .broken(format!("I4: mail {number} has the entries {found:?}"));
        }
        if found.is_empty() {
            return;
        }
        let part = at_once(store.original(scope, &decided.message, 0..u64::MAX));
        if !part.is_ok_and(|part| self.mails.is_original(number, &part.bytes)) {
            self.book
                .broken(format!("I5: the original of mail {number} is another one"));
        }
        let ids = logged.entries.iter().map(|row| row.entry.id);
        let mut pages = self.book.pages();
        pages.entries.insert(number, ids.collect());
        pages.logged.extend(found);
    }

    /// Whether the entries of a mail are those that it had, with all that follow from one of the directories.
    fn is_whole(&self, number: usize, found: &BTreeSet<Entry>, seen: [bool; 2]) -> bool {
        let pages = self.book.pages();
        let logged = |entry: &&Entry| pages.logged.contains(*entry);
        let before: BTreeSet<&Entry> = self.mails.all[number]
            .entries
            .iter()
            .filter(logged)
            .collect();
        let follows = |is_away: bool| {
            let wanted = self.mails.entries(number, is_away);
            let wanted: BTreeSet<&Entry> = wanted.chain(before.iter().copied()).collect();
            found.iter().collect::<BTreeSet<_>>() == wanted
        };
        // What is not logged itself adds nothing to what another mail logged.
        let adds_nothing = found.len() == before.len();
        adds_nothing || (seen[0] && follows(false)) || (seen[1] && follows(true))
    }

    /// I3: what was logged once is never decided anew, whatever became of the directory.
    fn note_logged(&self, row: &CommitRow, decided: &DecidedRow, is_repeated: bool) {
        let key = &row.sighting.key;
        let is_logged = is_repeated || decided.decision.outcome.code() == "logged";
        if is_logged {
            self.book.pages().logged_keys.insert(key.clone());
            return;
        }
        let was_logged = self.book.pages().logged_keys.contains(key);
        let item = item_id(&row.sighting.item);
        if was_logged && !self.is_undetermined(item) {
            let outcome = decided.decision.outcome.code();
            self.book
                .broken(format!("I3: item {item} was logged, and is {outcome} now"));
        }
    }

    /// Where the ledger sends a sighting by now: what is logged stays logged.
    fn note_target(
        &self,
        writer: Option<Writer>,
        key: &SightingKey,
        disposition: Disposition,
        is_logged: bool,
    ) {
        let mut pages = self.book.pages();
        let walks = writer.is_none_or(|writer| writer.walks);
        match target(&self.plan, disposition) {
            Some(_) if is_logged && !walks => pages.targets.insert(key.clone(), Place::Storage),
            Some(to) if !walks => pages.targets.insert(key.clone(), to),
            _ => pages.targets.remove(key),
        };
    }

    /// I14: an item without a key has one row in the ledger, from the first failed attempt to the end. Whether a key of its own
    /// takes that place depends on the moment: then it is not known again by one key alone.
    fn note_digest(&self, id: u64, key: &SightingKey) {
        if !matches!(key, SightingKey::Digest(_)) {
            return;
        }
        let mut mailbox = self.mailbox.lock().unwrap();
        let item = mailbox.meant(id).map(|item| (item.key, item.label));
        if let Some((key, Label::Stamp(_))) = item {
            mailbox.loose.insert(key);
        }
        let is_loose = item.is_none_or(|(key, _)| mailbox.loose.contains(&key));
        drop(mailbox);
        let mut pages = self.book.pages();
        let keys = pages.digests.entry(id).or_default();
        keys.insert(key.clone());
        let is_known_twice = keys.len() > 1 && !is_loose;
        drop(pages);
        if is_known_twice {
            self.book
                .broken(format!("I14: item {id} is known to the ledger twice"));
        }
    }

    fn is_undetermined(&self, item: u64) -> bool {
        let mailbox = self.mailbox.lock().unwrap();
        let item = mailbox.meant(item);
        item.is_none_or(|item| mailbox.is_undetermined(item.key))
    }

    /// What is marked as moved has moved, what is said to have vanished lies nowhere. Under its key there may lie what came of
    /// another plan since: where a requeue brought a mail back and broke off, the plan for its old id goes on beside that for the
    /// new one.
    fn look_at_move(&self, moved: &MoveResult, all: &[MoveResult]) {
        let item = item_id(&moved.item);
        let mut pages = self.book.pages();
        pages.move_after.remove(&item);
        if let MoveOutcome::Retry { next_try, .. } = &moved.outcome
            && pages.is_waited_for(*next_try)
        {
            pages.move_after.insert(item, *next_try);
        }
        drop(pages);
        let mailbox = self.mailbox.lock().unwrap();
        if moved.outcome == MoveOutcome::Deleted {
            if mailbox.find(Place::Queue, item).is_some() {
                let told = format!("I1: item {item} is said to be deleted, and lies in the queue");
                self.book.broken(told);
            }
            return;
        }
        if !mailbox.server.stable_keys {
            return;
        }
        let same = mailbox.items.iter();
        let same = same.filter(|(id, it)| key_of(**id, it).as_ref() == Some(&moved.key));
        let same: Vec<&Item> = same.map(|(_, it)| it).collect();
        let first = same.first();
        if first.is_none_or(|it| mailbox.is_touched(it.key)) {
            return;
        }
        let there = same.iter();
        let there = there.filter(|it| !matches!(it.place, Place::Queue | Place::Deleted));
        let there = there.count();
        match &moved.outcome {
            // A worker that had lost its lease may have deleted it since.
            MoveOutcome::Done(_) | MoveOutcome::DuplicateCopy(_)
                if there == 0 && !first.is_some_and(|it| mailbox.unseen.contains(&it.key)) =>
            {
                self.book
                    .broken(format!("I10: item {item} is marked as moved, and is not"));
            }
            MoveOutcome::Vanished if there > moved_under(&moved.key, all) => {
                self.book.broken(format!(
                    "I10: item {item} is said to have vanished, and lies there"
                ));
            }
            _ => {}
        }
    }
}

/// How many items a commit tells to have moved under a key.
fn moved_under(key: &SightingKey, all: &[MoveResult]) -> usize {
    let is_there = |outcome: &MoveOutcome| {
        matches!(
            outcome,
            MoveOutcome::Done(_) | MoveOutcome::DuplicateCopy(_)
        )
    };
    all.iter()
        .filter(|it| it.key == *key && is_there(&it.outcome))
        .count()
}
