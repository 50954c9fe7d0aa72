//! The look at everything when the faults have stopped and all is settled.

use std::collections::{BTreeMap, BTreeSet};

use email_logging::source::SightingKey;
use email_logging::store::{DecisionFilter, DecisionRecord, EventKind, LogFilter, SightingState};

use crate::book::{MAILBOX, item_ref, scope};
use crate::database::at_once;
use crate::mailbox::{Item, Mailbox, Place, key_of};
use crate::mails::{Entry, Kind};
use crate::world::World;

/// More than any schedule has.
const ALL: u32 = 10_000;

impl World {
    /// Whether nothing but what can never be read is left in the queue, and no move is planned.
    pub(crate) fn is_settled(&self) -> bool {
        let mailbox = self.mailbox.lock().unwrap();
        let left = mailbox.list(Place::Queue);
        left.iter()
            .all(|id| self.waits_for_a_person(&mailbox, *id, &mailbox.items[id]))
            && self.open_moves() == 0
            && self.hosts_are_told()
    }

    /// Whether a mail is set aside and stays in the queue: there is no folder for it, or a person put it there again.
    fn waits_for_a_person(&self, mailbox: &Mailbox, id: u64, item: &Item) -> bool {
        if !mailbox.server.stable_keys {
            return self.mails.is_poison(item.mail)
                && !self.plan.quarantine_folder
                && self.quarantined() > 0;
        }
        let store = self.database.store();
        // What was never read is remembered by its id.
        let by_id = || SightingKey::Digest(*blake3::hash(item_ref(id).id.as_bytes()).as_bytes());
        let keys = [key_of(id, item).unwrap_or_else(by_id)];
        let known = at_once(store.known(scope(), &MAILBOX.into(), &keys)).unwrap();
        let is_set_aside = known
            .iter()
            .flatten()
            .any(|it| it.state == SightingState::Quarantined);
        is_set_aside && (!self.plan.quarantine_folder || mailbox.touched.contains(&item.key))
    }

    fn open_moves(&self) -> usize {
        let (scope, end) = (scope(), jiff::Timestamp::MAX);
        let store = self.database.store();
        at_once(store.pending_moves(scope, &MAILBOX.into(), end, ALL))
            .unwrap()
            .len()
    }

    fn hosts_are_told(&self) -> bool {
        let store = self.database.store();
        let open = at_once(store.undelivered(scope(), &MAILBOX.into(), ALL));
        open.unwrap().is_empty()
    }

    /// Sightings that are set aside.
    fn quarantined(&self) -> usize {
        let mut filter = DecisionFilter::default();
        filter.outcome = Some("quarantined".into());
        let store = self.database.store();
        let page = at_once(store.decisions(scope(), &filter, None, ALL)).unwrap();
        page.rows.len()
    }

    /// Looks at everything: the promises that hold when all is settled.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.book.verdict()?;
        let entries = self.check_entries()?;
        let decisions = self.decisions()?;
        self.check_items(&decisions)?;
        self.check_host()?;
        if self.undisturbed {
            self.check_counts(entries)?;
        }
        Ok(())
    }

    /// I1, I3, I5, I6: exactly the entries that were worked out by hand, and each original bit for bit.
    fn check_entries(&self) -> Result<u64, String> {
        let store = self.database.store();
        let (scope, filter) = (scope(), LogFilter::default());
        let page = at_once(store.mails(scope, &filter, None, ALL)).unwrap();
        let mut found: BTreeMap<Entry, usize> = BTreeMap::new();
        for logged in &page.rows {
            let subject = &logged.record.subject;
            for row in &logged.entries {
                let known =
                    |text: &str| *["C1", "C2", "AH"].iter().find(|it| **it == text).unwrap();
                let contact = known(row.entry.contact_no.as_str());
                let salesperson = known(row.entry.salesperson_code.as_str());
                let entry = (subject.clone(), contact, salesperson);
                *found.entry(entry).or_default() += 1;
            }
            let number: usize = subject[1..].parse().unwrap();
            let part = at_once(store.original(scope, &logged.message, 0..u64::MAX)).unwrap();
            if !self.mails.is_original(number, &part.bytes) {
                return Err(format!("I5: the original of {subject} differs"));
            }
        }
        if let Some((entry, count)) = found.iter().find(|(_, count)| **count != 1) {
            return Err(format!("I3: {entry:?} was logged {count} times"));
        }
        let count = found.len() as u64;
        let delivered: BTreeSet<usize> = self.plan.queue.iter().copied().collect();
        let bases = delivered.iter().map(|mail| self.mails.base(*mail));
        let all: BTreeSet<usize> = bases.chain(self.interfered.iter().copied()).collect();
        for mail in all {
            let optional = self.restored || self.interfered.contains(&mail);
            for entry in &self.mails.0[mail].entries {
                if found.remove(entry).is_none() && !optional {
                    return Err(format!("I1: {entry:?} was never logged"));
                }
            }
        }
        match found.pop_first() {
            Some((entry, _)) => Err(format!("I6: {entry:?} must not be there")),
            None => Ok(count),
        }
    }

    /// I14: one decision per sighting.
    fn decisions(&self) -> Result<BTreeMap<SightingKey, DecisionRecord>, String> {
        let store = self.database.store();
        let filter = DecisionFilter::default();
        let page = at_once(store.decisions(scope(), &filter, None, ALL)).unwrap();
        let count = page.rows.len();
        let by_key: BTreeMap<_, _> = page
            .rows
            .into_iter()
            .map(|row| (row.sighting.clone(), row))
            .collect();
        if by_key.len() == count {
            Ok(by_key)
        } else {
            Err("I14: a sighting has more than one decision".into())
        }
    }

    /// I1, I10, I14: each delivered mail is kept, in the folder where it belongs, once or as often as something explains.
    fn check_items(&self, decisions: &BTreeMap<SightingKey, DecisionRecord>) -> Result<(), String> {
        let mailbox = self.mailbox.lock().unwrap();
        let mut by_key: BTreeMap<u64, Vec<&Item>> = BTreeMap::new();
        let mut sightings = BTreeMap::new();
        for (id, item) in &mailbox.items {
            by_key.entry(item.key).or_default().push(item);
            sightings
                .entry(item.key)
                .or_insert_with(|| key_of(*id, item));
        }
        if by_key.len() != self.plan.queue.len() {
            return Err(format!(
                "I1: of {} mails {} are left",
                self.plan.queue.len(),
                by_key.len()
            ));
        }
        for (key, items) in by_key {
            if mailbox.touched.contains(&key) {
                continue;
            }
            let first = items[0];
            let belongs = self.belongs(first.mail);
            // Each that was deleted was looked at when it was.
            let is_there = |item: &&Item| item.place == belongs || item.place == Place::Deleted;
            if let Some(item) = items.iter().find(|item| !is_there(item)) {
                let (mail, place) = (item.mail, item.place);
                return Err(format!(
                    "I1: mail {mail} lies in {place:?} and not in {belongs:?}"
                ));
            }
            if mailbox.server.stable_keys && !mailbox.loose.contains(&key) {
                let sighting = sightings[&key].as_ref();
                let decision = sighting.and_then(|sighting| decisions.get(sighting));
                self.check_sighting(&mailbox, key, &items, decision)?;
            }
        }
        Ok(())
    }

    fn belongs(&self, mail: usize) -> Place {
        match self.mails.0[mail].kind {
            Kind::Poison if self.plan.quarantine_folder => Place::Quarantine,
            Kind::Poison => Place::Queue,
            Kind::Stranger | Kind::Private if self.plan.deletes => Place::Deleted,
            Kind::Stranger | Kind::Private if self.plan.not_logged_folder => Place::NotLogged,
            _ => Place::Storage,
        }
    }

    fn check_sighting(
        &self,
        mailbox: &Mailbox,
        key: u64,
        items: &[&Item],
        decision: Option<&DecisionRecord>,
    ) -> Result<(), String> {
        let mail = items[0].mail;
        let explained = mailbox.explained.get(&key).copied().unwrap_or_default();
        let lie = items.iter().filter(|it| it.place != Place::Deleted);
        let lie = lie.count();
        if lie > 1 + explained {
            return Err(format!(
                "I10: {lie} copies of mail {mail}, {explained} are explained"
            ));
        }
        let Some(decision) = decision else {
            if self.restored {
                return Ok(());
            }
            return Err(format!("I14: a copy of mail {mail} has no decision"));
        };
        let wanted: &[&str] = match self.mails.0[mail].kind {
            Kind::Poison => &["quarantined"],
            Kind::Stranger => &["not-matched"],
            Kind::Private => &["excluded"],
            _ => &["logged", "already-logged"],
        };
        if !wanted.contains(&decision.outcome.as_str()) {
            return Err(format!("I14: mail {mail} was {}", decision.outcome));
        }
        let unseen = mailbox.unseen.contains(&key);
        if lie > 1 && !self.restored && !unseen && !self.has_note(decision) {
            return Err(format!(
                "I10: nothing tells of the {lie} copies of mail {mail}"
            ));
        }
        Ok(())
    }

    /// Whether an event tells that a mail lies in its target more than once.
    fn has_note(&self, decision: &DecisionRecord) -> bool {
        let store = self.database.store();
        let events = at_once(store.read_events(scope(), "oracle", ALL)).unwrap();
        events.iter().any(|event| {
            event.kind == EventKind::DuplicateCopy && event.message == decision.message
        })
    }

    /// The host's own log has every entry, and nothing else.
    fn check_host(&self) -> Result<(), String> {
        if !self.plan.sink {
            return Ok(());
        }
        let store = self.database.store();
        let (scope, filter) = (scope(), LogFilter::default());
        let page = at_once(store.entries(scope, &filter, None, ALL)).unwrap();
        let host = &self.book.pages().host;
        let missing = page
            .rows
            .iter()
            .find(|row| !host.contains_key(&row.entry.id));
        match missing {
            Some(row) => Err(format!("I1: the host's log lacks entry {}", row.entry_no)),
            None if host.len() > page.rows.len() && !self.restored => {
                Err("I3: the host's log has more entries than there are".into())
            }
            None if self.undisturbed && host.values().any(|count| *count > 1) => {
                Err("I3: an entry was handed over twice without a fault".into())
            }
            None => Ok(()),
        }
    }

    /// I14: without a fault the counts of all runs are what was done.
    fn check_counts(&self, entries: u64) -> Result<(), String> {
        let mailbox = self.mailbox.lock().unwrap();
        let lie = |wanted: fn(Place) -> bool| {
            let items = mailbox.items.values();
            items.filter(|item| wanted(item.place)).count() as u64
        };
        let counted = |what| self.counted.get(what).copied().unwrap_or_default();
        let deleted = lie(|place| place == Place::Deleted);
        let moved = lie(|place| !matches!(place, Place::Queue | Place::Deleted));
        let done = (entries, moved, deleted);
        if (counted("entries"), counted("moved"), counted("deleted")) != done {
            let counted = &self.counted;
            return Err(format!(
                "I14: {counted:?} are counted, {entries} entries, {moved} moves and {deleted} deletions were done"
            ));
        }
        Ok(())
    }
}
