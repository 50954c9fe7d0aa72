//! The look at everything when the faults have stopped and all is settled.

use std::collections::{BTreeMap, BTreeSet};

use email_logging::source::{ItemRef, SightingKey};
use email_logging::store::{DecisionFilter, DecisionRecord, EventKind, LogFilter, SightingState};

use crate::book::{MAILBOX, digest_of, item_ref, scope};
use crate::commits::NAMES;
use crate::database::at_once;
use crate::mailbox::{Item, Label, Mailbox, Place, Service};
use crate::mails::Entry;
use crate::promises::place;
use crate::raw::Told;
use crate::world::World;

/// More than any schedule has.
const ALL: u32 = 10_000;

impl World {
    /// Whether nothing but what can never be read is left in the queue, and no move is planned.
    pub(crate) fn is_settled(&self) -> bool {
        let mailbox = self.mailbox.lock().unwrap();
        let left = mailbox.list(Place::Queue);
        let left: Vec<u64> = left
            .into_iter()
            .filter(|id| !self.waits_for_a_person(&mailbox, *id, &mailbox.items[id]))
            .collect();
        let (stuck, left): (Vec<u64>, Vec<u64>) = left
            .into_iter()
            .partition(|id| mailbox.may_stay(&self.mails, *id));
        let committed = |id: &u64| self.book.pages().committed.contains(id);
        left.is_empty()
            && stuck.iter().all(committed)
            && self.open_moves() == stuck.len()
            && self.hosts_are_told()
    }

    /// Whether a mail is set aside and stays in the queue: there is no folder for it, or a person put it there again.
    fn waits_for_a_person(&self, mailbox: &Mailbox, id: u64, item: &Item) -> bool {
        let store = self.database.store();
        // What was never read is remembered by its id.
        let keys = [mailbox.own_key(id, item).unwrap_or_else(|| digest_of(id))];
        let known = at_once(store.known(scope(), &MAILBOX.into(), &keys)).unwrap();
        let is_set_aside = known
            .iter()
            .flatten()
            .any(|it| it.state == SightingState::Quarantined);
        is_set_aside && (!self.plan.quarantine_folder || mailbox.is_undetermined(item.key))
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

    /// The sightings that are set aside, or were before they got another try.
    pub(crate) fn set_aside(&self) -> Vec<SightingKey> {
        let mut filter = DecisionFilter::default();
        filter.outcome = Some("quarantined".into());
        let store = self.database.store();
        let page = at_once(store.decisions(scope(), &filter, None, ALL)).unwrap();
        page.rows.into_iter().map(|row| row.sighting).collect()
    }

    /// Looks at everything: the promises that hold when all is settled.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.book.verdict()?;
        let entries = self.check_entries()?;
        let decisions = self.decisions()?;
        self.check_items(&decisions)?;
        self.check_host()?;
        let count = usize::try_from(entries).unwrap();
        self.database.look(|| Told {
            counts: [count, decisions.len(), self.open_moves()],
            stamped: self.stamped_unasked(),
        })?;
        if self.undisturbed {
            self.check_counts(entries)?;
        }
        Ok(())
    }

    fn stamped_unasked(&self) -> Vec<ItemRef> {
        let mailbox = self.mailbox.lock().unwrap();
        mailbox
            .stamped_unasked
            .iter()
            .copied()
            .map(item_ref)
            .collect()
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
                let known = |text: &str| *NAMES.iter().find(|it| **it == text).unwrap();
                let contact = known(row.entry.contact_no.as_str());
                let salesperson = known(row.entry.salesperson_code.as_str());
                let entry = (subject.clone(), contact, salesperson);
                *found.entry(entry).or_default() += 1;
            }
            if logged.entries.is_empty() {
                continue;
            }
            let number: usize = subject[1..].parse().unwrap();
            let part = at_once(store.original(scope, &logged.message, 0..u64::MAX)).unwrap();
            if !self.mails.is_original(number, &part.bytes) {
                return Err(format!("I5: the original of {subject} differs"));
            }
        }
        if let Some((entry, count)) = found.iter().find(|(_, count)| **count > 1) {
            return Err(format!("I3: {entry:?} was logged {count} times"));
        }
        let count = found.len() as u64;
        let delivered: BTreeSet<usize> = self.plan.queue.iter().copied().collect();
        let bases = delivered.iter().map(|mail| self.mails.base(*mail));
        let all: BTreeSet<usize> = bases.chain(self.interfered.iter().copied()).collect();
        for mail in all {
            let wanted = self.is_wanted(mail);
            for entry in &self.mails.all[mail].entries {
                let is_wanted = match self.plan.comes_and_goes {
                    // What was logged once stays logged, whoever is in the directory now.
                    Some(_) => wanted.map(|_| self.book.pages().logged.contains(entry)),
                    None => wanted,
                };
                let is_there = found.remove(entry).is_some();
                match is_wanted {
                    Some(true) if !is_there => {
                        return Err(format!("I1: {entry:?} was never logged"));
                    }
                    Some(false) if is_there => {
                        return Err(format!("I6: {entry:?} was logged of what nobody can read"));
                    }
                    _ => {}
                }
            }
        }
        match found.pop_first() {
            Some((entry, _)) => Err(format!("I6: {entry:?} must not be there")),
            None => Ok(count),
        }
    }

    /// Whether the log must have the entries of a mail, or must not; `None` where that depends on the moment.
    fn is_wanted(&self, mail: usize) -> Option<bool> {
        if self.interfered.contains(&mail) {
            return None;
        }
        let mailbox = self.mailbox.lock().unwrap();
        let copies = mailbox.items.values();
        let mut copies = copies.filter(|item| self.mails.base(item.mail) == mail);
        if copies.clone().any(|item| self.may_wait(&mailbox, item)) {
            return None;
        }
        // No walk goes through what was deleted.
        let walked = |item: &Item| !self.restored || item.place != Place::Deleted;
        let mut readable = copies
            .by_ref()
            .filter(|it| !mailbox.is_unreadable(&self.mails, it));
        match readable.next() {
            None => Some(false),
            Some(first) => (walked(first) || readable.any(walked)).then_some(true),
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
        // What has no key is known by where it lay.
        let pages = self.book.pages();
        let lay = pages.digests.iter().filter_map(|(id, keys)| {
            let item = mailbox.meant(*id)?;
            Some((item.key, keys.first()?.clone()))
        });
        let digests: BTreeMap<u64, SightingKey> = lay.collect();
        drop(pages);
        let mut sightings: BTreeMap<(Option<SightingKey>, u64), Vec<&Item>> = BTreeMap::new();
        for (id, item) in &mailbox.items {
            by_key.entry(item.key).or_default().push(item);
            if !mailbox.loose.contains(&item.key) {
                let own = mailbox.own_key(*id, item);
                let sighting = own.or_else(|| digests.get(&item.key).cloned());
                sightings
                    .entry((sighting, item.key))
                    .or_default()
                    .push(item);
            }
        }
        if by_key.len() != self.plan.queue.len() {
            return Err(format!(
                "I1: of {} mails {} are left",
                self.plan.queue.len(),
                by_key.len()
            ));
        }
        for (key, items) in by_key {
            if !mailbox.is_undetermined(key) {
                self.check_places(&mailbox, key, &items)?;
            }
        }
        for ((sighting, key), items) in sightings {
            if !mailbox.is_undetermined(key) {
                let decision = sighting.and_then(|sighting| decisions.get(&sighting));
                self.check_sighting(&mailbox, &items, decision)?;
            }
        }
        Ok(())
    }

    fn check_places(&self, mailbox: &Mailbox, key: u64, items: &[&Item]) -> Result<(), String> {
        let belongs = self.places(mailbox, items[0]);
        // Each that was deleted was looked at when it was.
        let is_stuck = mailbox.stuck.contains(&key) && !has_key(mailbox, items[0]);
        // A copy that a person made may have got the other try that was given to what was set aside, or have been read when it
        // was mended: that stays there. So does what a move without its lease set aside, after the other try was given.
        let is_mended = mailbox.mended && self.mails.is_poison(items[0].mail);
        let is_requeued = mailbox.requeued.contains(&key);
        let is_left = (is_requeued || is_mended) && mailbox.is_touched(key)
            || is_requeued && mailbox.unseen.contains(&key);
        let may_lie = |it: &&Item| belongs.contains(&it.place) || it.place == Place::Deleted;
        // Never all of them.
        let is_left = is_left && items.iter().any(may_lie);
        let is_there = |it: &&Item| {
            let may_stay = match it.place {
                Place::Queue => is_stuck,
                Place::Quarantine => is_left,
                _ => false,
            };
            may_lie(it) || may_stay
        };
        if let Some(item) = items.iter().find(|item| !is_there(item)) {
            let (mail, place) = (item.mail, item.place);
            return Err(format!(
                "I1: mail {mail} lies in {place:?} and not in {belongs:?}"
            ));
        }
        let explained = mailbox.explained.get(&key).copied().unwrap_or_default();
        let lie = items.iter().filter(|it| it.place != Place::Deleted);
        let lie = lie.count();
        if !mailbox.loose.contains(&key) && lie > 1 + explained {
            let mail = items[0].mail;
            return Err(format!(
                "I10: {lie} copies of mail {mail}, {explained} are explained"
            ));
        }
        Ok(())
    }

    /// Where an item lies in the end.
    fn places(&self, mailbox: &Mailbox, item: &Item) -> Vec<Place> {
        let outcomes = self.outcomes(mailbox, item).into_iter();
        outcomes.map(|it| self.lies(it)).collect()
    }

    /// What may have become of an item.
    fn outcomes(&self, mailbox: &Mailbox, item: &Item) -> BTreeSet<&'static str> {
        let mut outcomes = self.mails.outcomes(mailbox, item, [true; 2]);
        if self.may_wait(mailbox, item) {
            outcomes.insert("quarantined");
        }
        outcomes
    }

    /// Whether what was set aside may be so still, though it was mended: nobody asked for it in the end.
    fn may_wait(&self, mailbox: &Mailbox, item: &Item) -> bool {
        !self.asks_again && mailbox.mended && self.mails.is_poison(item.mail)
    }

    fn lies(&self, outcome: &str) -> Place {
        match place(&self.plan, outcome) {
            Place::Quarantine if !self.plan.quarantine_folder => Place::Queue,
            place => place,
        }
    }

    fn check_sighting(
        &self,
        mailbox: &Mailbox,
        items: &[&Item],
        decision: Option<&DecisionRecord>,
    ) -> Result<(), String> {
        let (mail, key) = (items[0].mail, items[0].key);
        let Some(decision) = decision else {
            // No walk goes through what was deleted; and where two mails without keys are one by their content, a walk finds
            // the decision of the one for the other.
            let is_deleted = items.iter().all(|it| it.place == Place::Deleted);
            if self.restored && (is_deleted || !has_key(mailbox, items[0])) {
                return Ok(());
            }
            return Err(format!("I14: a copy of mail {mail} has no decision"));
        };
        let outcome = match decision.outcome.as_str() {
            "already-logged" => "logged",
            outcome => outcome,
        };
        let wanted = self.outcomes(mailbox, items[0]);
        if !wanted.contains(outcome) {
            return Err(format!("I14: mail {mail} was {outcome}"));
        }
        self.check_where(mailbox, items, outcome)?;
        let unseen = mailbox.unseen.contains(&key);
        let copies = |place| items.iter().filter(|it| it.place == place).count();
        let most = [Place::Storage, Place::NotLogged, Place::Quarantine].map(copies);
        let is_copied = most.iter().any(|it| *it > 1);
        let is_looked_for = has_key(mailbox, items[0]);
        // What is not logged is decided anew when a person puts another copy into the queue. Over Graph a look at an id tells
        // nothing of a copy that a person made: of two moves whose answers were lost none is known as the second.
        // And a run that decides of two copies otherwise, since the directory changed in its middle, knows of the first no more
        // than its store.
        let is_looked_at = outcome == "logged"
            && mailbox.server.service == Service::Ews
            && self.plan.comes_and_goes.is_none();
        let is_told = is_looked_at || !mailbox.is_touched(key);
        if is_copied
            && is_told
            && is_looked_for
            && !self.walked
            && !unseen
            && !self.has_note(decision)
        {
            return Err(format!(
                "I10: nothing tells of the copies of mail {mail}: {most:?}"
            ));
        }
        Ok(())
    }

    /// I14: the copies of a mail lie where its outcome says.
    fn check_where(&self, mailbox: &Mailbox, items: &[&Item], outcome: &str) -> Result<(), String> {
        let (mail, key) = (items[0].mail, items[0].key);
        // Mails without keys are one sighting where they have one content.
        let is_one = has_key(mailbox, items[0]) && !mailbox.is_touched(key) && !self.restored;
        // A walk that does not know where the mail lies decides it anew, with whoever is in the directory by then, and moves
        // nothing.
        let may_be_anew = self.walked && self.plan.comes_and_goes.is_some();
        let may_lie = |it: &&Item| match it.place {
            Place::Deleted => true,
            Place::Queue if mailbox.stuck.contains(&key) => true,
            lies if may_be_anew && lies == self.lies("not-matched") => true,
            lies => lies == self.lies(outcome),
        };
        // A copy of a worker that had lost its lease may lie elsewhere, and so may one that was decided with another directory;
        // but never all of them.
        let may_differ = mailbox.unseen.contains(&key) || self.plan.comes_and_goes.is_some();
        let astray = items.iter().filter(|it| !may_lie(it));
        let astray: Vec<Place> = astray.map(|it| it.place).collect();
        if is_one && !astray.is_empty() && !(may_differ && astray.len() < items.len()) {
            return Err(format!(
                "I14: mail {mail} was {outcome}, and lies in {astray:?}"
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
}

/// Whether an item has a key that lasts.
fn has_key(mailbox: &Mailbox, item: &Item) -> bool {
    mailbox.server.stable_keys && item.label != Label::Nothing
}
