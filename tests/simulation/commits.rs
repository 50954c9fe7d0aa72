//! What a commit must have made durable: looked up in the store, row by row, in the step that wrote it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use email_logging::MessageUid;
use email_logging::source::SightingKey;
use email_logging::store::{
    CommitBatch, CommitReceipt, CommitRow, InteractionStore, MoveOutcome, MoveResult, RowContent,
    RowResult,
};

use crate::book::{Book, item_id, scope};
use crate::database::at_once;
use crate::mailbox::{Item, Mailbox, Place, key_of};
use crate::mails::Mails;

/// Attempts of a mail before it is set aside.
const ATTEMPTS: u32 = 8;

/// The look at commits.
#[derive(Debug, Clone)]
pub(crate) struct Commits {
    pub(crate) book: Arc<Book>,
    pub(crate) mails: Arc<Mails>,
    pub(crate) mailbox: Arc<Mutex<Mailbox>>,
}

impl Commits {
    /// Looks at what a commit wrote.
    pub(crate) fn look(
        &self,
        store: &dyn InteractionStore,
        batch: &CommitBatch,
        receipt: &CommitReceipt,
    ) {
        if batch.rows.len() != receipt.rows.len() {
            self.book
                .broken("I4: a commit answers another number of rows");
        }
        for (row, result) in batch.rows.iter().zip(&receipt.rows) {
            self.look_at_row(store, row, result);
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
            self.look_at_move(moved);
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
            self.look_at_row(store, row, result);
        }
    }

    fn look_at_row(&self, store: &dyn InteractionStore, row: &CommitRow, result: &RowResult) {
        let item = item_id(&row.sighting.item);
        let key = &row.sighting.key;
        match (&row.content, result) {
            (
                RowContent::Decided(decided),
                RowResult::Written { .. } | RowResult::AlreadyLogged,
            ) => {
                // A sighting that was decided before may have become another message: a rendering of it.
                let is_new = !self.book.pages().decided.contains(key);
                self.look_at_message(store, item, &decided.message, is_new);
                self.note_loose(item, key);
                let mut pages = self.book.pages();
                pages.committed.insert(item);
                pages.decided.insert(key.clone());
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
                pages.read_after.insert(item, failed.next_try);
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

    /// I4, I5, I6: entries, original and record are there together, and are those of a mail that was read.
    fn look_at_message(
        &self,
        store: &dyn InteractionStore,
        item: u64,
        message: &MessageUid,
        is_new: bool,
    ) {
        let read = self
            .book
            .pages()
            .read
            .get(&item)
            .cloned()
            .unwrap_or_default();
        let kept: Vec<usize> = read.iter().map(|mail| self.mails.base(*mail)).collect();
        let scope = scope();
        let Ok(logged) = at_once(store.mail(scope, message)) else {
            let all_logged = kept.iter().all(|mail| self.mails.0[*mail].kind.is_kept());
            if is_new && all_logged && read.len() == 1 && !self.is_touched(item) {
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
        let mail = &self.mails.0[number];
        let entry = |(_, contact, salesperson): &(String, &'static str, &'static str)| {
            (*contact, *salesperson)
        };
        let wanted: BTreeSet<_> = mail.entries.iter().map(entry).collect();
        let found: Vec<_> = logged
            .entries
            .iter()
            .map(|row| {
                (
                    row.entry.contact_no.as_str(),
                    row.entry.salesperson_code.as_str(),
                )
            })
            .collect();
        if found.len() != wanted.len() || !found.iter().all(|it| wanted.contains(it)) {
            self.book
                .broken(format!("I4: mail {number} has the entries {found:?}"));
        }
        if !mail.kind.is_logged() {
            return;
        }
        let part = at_once(store.original(scope, message, 0..u64::MAX));
        if !part.is_ok_and(|part| self.mails.is_original(number, &part.bytes)) {
            self.book
                .broken(format!("I5: the original of mail {number} is another one"));
        }
        let ids = logged.entries.iter().map(|row| row.entry.id);
        self.book.pages().entries.insert(number, ids.collect());
    }

    /// A mail that is decided by its content is not known again by a key.
    fn note_loose(&self, item: u64, key: &SightingKey) {
        let mut mailbox = self.mailbox.lock().unwrap();
        let decided = mailbox.meant(item).map(|item| item.key);
        if let (Some(decided), SightingKey::Digest(_)) = (decided, key) {
            mailbox.loose.insert(decided);
        }
    }

    fn is_touched(&self, item: u64) -> bool {
        let mailbox = self.mailbox.lock().unwrap();
        let item = mailbox.items.get(&item);
        item.is_none_or(|item| mailbox.touched.contains(&item.key))
    }

    /// What is marked as moved has moved, what is said to have vanished lies nowhere.
    fn look_at_move(&self, moved: &MoveResult) {
        let item = item_id(&moved.item);
        let mut pages = self.book.pages();
        pages.move_after.remove(&item);
        if let MoveOutcome::Retry { next_try, .. } = &moved.outcome {
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
        if first.is_none_or(|it| mailbox.touched.contains(&it.key)) {
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
            MoveOutcome::Vanished if there > 0 => {
                self.book.broken(format!(
                    "I10: item {item} is said to have vanished, and lies there"
                ));
            }
            _ => {}
        }
    }
}
