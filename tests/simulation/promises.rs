//! What is promised of every effect at the mail system, looked at when it comes: nothing moves before its commit, against its
//! decision or during its back-off, and a copy has a reason.

use crate::mailbox::{Item, Label, Mailbox, Place};
use crate::source::SimSource;
use crate::world::Plan;

/// How many items a key has before an effect, and whether they can be looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lying(Option<(u64, usize, bool)>);

impl Lying {
    /// Of the mail that an id means or meant.
    pub(crate) fn of(mailbox: &Mailbox, id: u64) -> Self {
        let found = mailbox.meant(id).map(|item| {
            let can_be_found = mailbox.server.stable_keys && item.label != Label::Nothing;
            (item.key, mailbox.count(item.key), can_be_found)
        });
        Self(found)
    }
}

impl SimSource {
    /// Whether the worker has lost its lease, known or not: its clock may have stood while the others' moved on. What comes
    /// late knows of no lease.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_late || self.book.pages().holder != Some(self.worker)
    }

    /// A copy that a half-done move left, or a worker without its lease, is explained. Where the server takes the old id for
    /// the item, a move of such a worker explains the copy too that the holder makes after it; and nobody can look for
    /// a mail that has no key, so that it is moved once more there. A call without an effect explains nothing.
    pub(crate) fn explain(&self, mailbox: &mut Mailbox, before: Lying, is_moved: bool) {
        let Some((key, before, can_be_found)) = before.0 else {
            return;
        };
        let is_copied = mailbox.count(key) > before;
        let is_stale = self.is_stale();
        let is_half = is_copied && !is_moved;
        let makes_another = is_stale && is_moved && mailbox.server.old_ids_live;
        let is_explained = is_copied && (is_stale || !can_be_found);
        if is_half || is_explained || makes_another {
            *mailbox.explained.entry(key).or_default() += 1;
        }
        if is_stale && (is_copied || is_moved) {
            mailbox.unseen.insert(key);
        }
    }

    /// I1, I2, I8: a mail moves or is deleted only after its commit, to where it belongs, and not during its back-off.
    pub(crate) fn check_move(&self, mailbox: &Mailbox, (from, to): (Place, Place), id: u64) {
        let Some(item) = mailbox.find(from, id) else {
            return;
        };
        if self.is_stale() {
            self.book.stale_effect();
        }
        if from == Place::Quarantine {
            return self.check_return(to, id);
        }
        self.check_time(mailbox, item, id);
        if !mailbox.is_undetermined(item.key) {
            self.check_target(mailbox, item, id, to);
        }
    }

    /// What was set aside goes back to the queue, where somebody asked for it.
    fn check_return(&self, to: Place, id: u64) {
        let is_asked = self.book.pages().requeuing.contains(&self.worker);
        if to != Place::Queue || !(is_asked || self.is_stale()) {
            self.book
                .broken(format!("I14: item {id} leaves the quarantine for {to:?}"));
        }
    }

    fn check_time(&self, mailbox: &Mailbox, item: &Item, id: u64) {
        let is_stale = self.is_stale();
        let pages = self.book.pages();
        let committed = pages.committed.contains(&id);
        let early = !mailbox.loose.contains(&item.key)
            && !is_stale
            && pages
                .move_after
                .get(&id)
                .is_some_and(|it| *it > self.stage.latest());
        // The plan of what was requeued may be in the hands of a worker that does not know of it.
        let excused = mailbox.requeued.contains(&item.key) && (is_stale || self.plan.setup);
        drop(pages);
        if !committed && !excused {
            self.book
                .broken(format!("I2: item {id} moves before its commit"));
        }
        if early {
            self.book
                .broken(format!("I8: item {id} moves during its back-off"));
        }
    }

    fn check_target(&self, mailbox: &Mailbox, item: &Item, id: u64, to: Place) {
        let is_last = to == Place::Deleted && self.may_be_deleted(mailbox, item, id);
        let belongs = self.places(mailbox, item);
        if !belongs.contains(&to) && !is_last {
            self.book.broken(format!(
                "I2: item {id} moves to {to:?}, it belongs in {belongs:?}"
            ));
        }
        let pages = self.book.pages();
        let key = pages.sighting(mailbox.own_key(id, item), id);
        let planned = pages.targets.get(&key).copied();
        drop(pages);
        let is_known = !self.is_stale() && !mailbox.loose.contains(&item.key);
        if is_known && !is_last && planned.is_some_and(|planned| planned != to) {
            self.book.broken(format!(
                "I2: item {id} moves to {to:?}, the ledger says {planned:?}"
            ));
        }
        let is_logged = to == Place::Storage || is_last;
        if self.plan.sink && is_logged && !self.is_delivered(item.mail) {
            self.book
                .broken(format!("I2: item {id} moves before the host's log has it"));
        }
    }

    /// Where an item may go, whoever is in the directory.
    fn places(&self, mailbox: &Mailbox, item: &Item) -> Vec<Place> {
        let outcomes = self.mails.outcomes(mailbox, item, [true; 2]);
        let mut places: Vec<Place> = outcomes.iter().map(|it| place(&self.plan, it)).collect();
        // What was set aside before it was mended goes there.
        if self.mails.is_poison(item.mail) {
            places.push(Place::Quarantine);
        }
        places
    }

    /// I1: what is logged is deleted only if its move was refused for good, and entries and original were found in the store
    /// when they were committed.
    fn may_be_deleted(&self, mailbox: &Mailbox, item: &Item, id: u64) -> bool {
        let base = self.mails.base(item.mail);
        let is_kept = self.book.pages().entries.contains_key(&base);
        self.plan.deletes && mailbox.refused.contains(&id) && is_kept
    }

    fn is_delivered(&self, mail: usize) -> bool {
        let base = self.mails.base(mail);
        let pages = self.book.pages();
        let there = pages.entries.get(&base).cloned().unwrap_or_default();
        let wanted = self.mails.all[base].entries.len();
        there
            .iter()
            .filter(|id| pages.host.contains_key(*id))
            .count()
            >= wanted
    }

    /// I8: what failed is not read again during its back-off, by the worker that may know of it; what is decided and waits for
    /// its move is not read again at all.
    pub(crate) fn check_read(&self, id: u64, item: &Item, may_be_early: bool) {
        let mut pages = self.book.pages();
        pages.reads(self.worker, id, item.mail);
        // Whoever walks over the folders counts no attempts, and waits for none.
        let walks = pages.walking.contains(&self.worker);
        let is_holder = pages.holder == Some(self.worker);
        let early = is_holder
            && pages
                .read_after
                .get(&id)
                .is_some_and(|it| *it > self.stage.latest());
        let is_decided = is_holder && !pages.walked && pages.committed.contains(&id);
        drop(pages);
        if is_decided && !may_be_early && !walks {
            self.book
                .broken(format!("I8: item {id} is read again, and is decided"));
        }
        // Of several copies that a person made one may be decided meanwhile.
        if early && !may_be_early && !walks {
            self.book
                .broken(format!("I8: item {id} is read during its back-off"));
        }
    }
}

/// Where a mail with an outcome belongs.
pub(crate) fn place(plan: &Plan, outcome: &str) -> Place {
    match outcome {
        "quarantined" => Place::Quarantine,
        "not-matched" | "excluded" if plan.deletes => Place::Deleted,
        "not-matched" | "excluded" if plan.not_logged_folder => Place::NotLogged,
        _ => Place::Storage,
    }
}
