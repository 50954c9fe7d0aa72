//! What the simulation knows for sure: what was read, committed and handed over, who may write, and the first promise that
//! was broken.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use email_logging::source::{ItemRef, SightingKey};
use email_logging::{EntryId, Scope};
use jiff::{SignedDuration, Timestamp};

use crate::mailbox::Place;
use crate::mails::Entry;
use crate::world::Task;

/// The mailbox whose mail is logged.
pub(crate) const MAILBOX: &str = "sales";

/// How long a mail system that has too much to do wants to be left alone.
pub(crate) const WISH: Duration = Duration::from_secs(30);

/// The company that it belongs to; not the one that is taken where none is named.
pub(crate) fn scope() -> &'static Scope {
    static SCOPE: LazyLock<Scope> = LazyLock::new(|| Scope::new("acme", "north").unwrap());
    &SCOPE
}

/// The truth about one schedule, kept by the effects themselves.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Debug, Default, Hash)]
pub(crate) struct Pages {
    /// Which mails were read under an id; several where a person edited it.
    pub(crate) read: BTreeMap<u64, BTreeSet<usize>>,
    /// Items that a durable commit decided about.
    pub(crate) committed: BTreeSet<u64>,
    /// Keys of sightings whose decision is durable.
    pub(crate) decided: BTreeSet<SightingKey>,
    /// By the id of an item without a key, under which ones the ledger knows it.
    pub(crate) digests: BTreeMap<u64, BTreeSet<SightingKey>>,
    /// Where the ledger's decision sends a sighting.
    pub(crate) targets: BTreeMap<SightingKey, Place>,
    /// Sightings that were logged: whatever the directory says later, they stay so.
    pub(crate) logged_keys: BTreeSet<SightingKey>,
    /// Every entry that a durable commit holds.
    pub(crate) logged: BTreeSet<Entry>,
    /// Whether the contact that comes and goes is not in the directory.
    pub(crate) is_away: bool,
    /// With which directories a worker may have decided an item since it read it: with that contact, and without it.
    seen: BTreeMap<(usize, u64), [bool; 2]>,
    /// Workers that walk over the folders and bring back what a store has lost.
    pub(crate) walking: BTreeSet<usize>,
    /// Whether anybody did so: a walk ends the plan of a half-done move, and what then lies in the queue without a key is
    /// nowhere that the ledger knows.
    pub(crate) walked: bool,
    /// Workers that give what was set aside another try.
    pub(crate) requeuing: BTreeSet<usize>,
    /// The entries of each mail that a commit wrote.
    pub(crate) entries: BTreeMap<usize, BTreeSet<EntryId>>,
    /// When an item may be read or moved again, after an attempt that failed.
    pub(crate) read_after: BTreeMap<u64, Timestamp>,
    pub(crate) move_after: BTreeMap<u64, Timestamp>,
    /// What the clock showed after its last leap.
    leapt_to: Option<Timestamp>,
    /// Attempts that were counted, by key.
    pub(crate) attempts: BTreeMap<SightingKey, u32>,
    /// What the host's own log holds, with how often it was handed over.
    pub(crate) host: BTreeMap<EntryId, u32>,
    /// What the store knows to be in the host's own log.
    pub(crate) confirmed: BTreeSet<EntryId>,
    /// The epoch of the last lease that was given.
    epoch: u64,
    /// Who has it.
    pub(crate) holder: Option<usize>,
    /// Workers that were told in this run that logging is disabled.
    quiet: BTreeSet<usize>,
    /// Until when the mail system wants to be left alone, as the worker was told that is at work, and for how long at most.
    told: BTreeMap<usize, (Timestamp, Duration)>,
    /// What the last worker knew of that when it gave the mailbox back, and when that was.
    left_alone: Option<(Timestamp, Timestamp)>,
    /// Workers whose sign-in was refused in this run.
    signed_out: BTreeSet<usize>,
    /// Effects at the mail system under a lease that was lost, or that came late.
    stale_effects: u64,
    broken: Option<String>,
}

impl Pages {
    /// A worker reads an item.
    pub(crate) fn reads(&mut self, worker: usize, item: u64, mail: usize) {
        self.read.entry(item).or_default().insert(mail);
        self.seen
            .insert((worker, item), [!self.is_away, self.is_away]);
    }

    /// The contact comes or goes.
    pub(crate) fn directory_changes(&mut self) {
        self.is_away = !self.is_away;
        let now = usize::from(self.is_away);
        for seen in self.seen.values_mut() {
            seen[now] = true;
        }
    }

    /// The key of an item's sighting: its own, or the one that the ledger gave it.
    pub(crate) fn sighting(&self, own: Option<SightingKey>, id: u64) -> SightingKey {
        let given = || self.digests.get(&id)?.first().cloned();
        own.or_else(given).unwrap_or_else(|| digest_of(id))
    }

    /// Whether anything waits for a time that a clock shows: one more than two days ahead is not waited for.
    pub(crate) fn is_waited_for(&self, due: Timestamp) -> bool {
        let days = SignedDuration::from_hours(48);
        self.leapt_to.is_none_or(|now| due <= now + days)
    }

    /// With which directories a worker may have decided an item.
    pub(crate) fn seen(&self, worker: usize, item: u64) -> [bool; 2] {
        let seen = self.seen.get(&(worker, item));
        seen.copied().unwrap_or([!self.is_away, self.is_away])
    }
}

impl Book {
    pub(crate) fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap()
    }

    /// What tells two states apart in which the same may follow but not the same may be promised.
    pub(crate) fn digest(&self, hasher: &mut impl Hasher) {
        self.pages().hash(hasher);
    }

    /// The clock has leapt: what lies too far ahead by it may be tried at once.
    pub(crate) fn clock_leapt(&self, now: Timestamp) {
        let mut pages = self.pages();
        pages.leapt_to = Some(now);
        let mut waits = std::mem::take(&mut pages.read_after);
        waits.retain(|_, due| pages.is_waited_for(*due));
        pages.read_after = waits;
        let mut waits = std::mem::take(&mut pages.move_after);
        waits.retain(|_, due| pages.is_waited_for(*due));
        pages.move_after = waits;
    }

    /// Notes that a promise was broken; the first one counts.
    pub(crate) fn broken(&self, what: impl Into<String>) {
        self.pages().broken.get_or_insert(what.into());
    }

    pub(crate) fn verdict(&self) -> Result<(), String> {
        self.pages().broken.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn stale_effect(&self) {
        self.pages().stale_effects += 1;
    }

    pub(crate) fn stale_effects(&self) -> u64 {
        self.pages().stale_effects
    }

    /// A worker has the mailbox, and may ask the mail system from now on, whatever the clock does afterwards.
    pub(crate) fn lease_given(&self, worker: usize, epoch: u64, now: Timestamp) {
        let mut pages = self.pages();
        pages.holder = Some(worker);
        if pages
            .left_alone
            .take()
            .is_some_and(|(_, until)| until > now)
        {
            let early = "I8: a mailbox is taken while its mail system wants to be left alone";
            pages.broken.get_or_insert(early.into());
        }
        if epoch <= pages.epoch {
            let before = pages.epoch;
            pages
                .broken
                .get_or_insert(format!("I9: the epoch went from {before} to {epoch}"));
        }
        pages.epoch = epoch;
    }

    pub(crate) fn is_stale(&self, epoch: u64) -> bool {
        epoch < self.pages().epoch
    }

    /// The store is an earlier one: what it held later is not durable any more.
    pub(crate) fn restored(&self) {
        let mut pages = self.pages();
        pages.committed.clear();
        pages.decided.clear();
        pages.digests.clear();
        pages.targets.clear();
        pages.logged.clear();
        pages.logged_keys.clear();
        pages.entries.clear();
        pages.read_after.clear();
        pages.move_after.clear();
        pages.attempts.clear();
        pages.confirmed.clear();
        pages.left_alone = None;
        pages.epoch = 0;
    }

    pub(crate) fn set_epoch(&self, epoch: u64) {
        self.pages().epoch = epoch;
    }

    /// A run of a worker begins, or is told whether logging is disabled.
    pub(crate) fn set_quiet(&self, worker: usize, quiet: bool) {
        let mut pages = self.pages();
        if quiet {
            pages.quiet.insert(worker);
        } else {
            pages.quiet.remove(&worker);
        }
    }

    /// A run of a worker begins.
    pub(crate) fn begins(&self, worker: usize, task: Task) {
        self.set_quiet(worker, false);
        let mut pages = self.pages();
        pages.signed_out.remove(&worker);
        pages.told.remove(&worker);
        pages.walking.remove(&worker);
        pages.requeuing.remove(&worker);
        match task {
            Task::Run => false,
            Task::Reconcile => {
                pages.walked = true;
                pages.walking.insert(worker)
            }
            Task::Requeue => pages.requeuing.insert(worker),
        };
    }

    /// The mail system tells a worker that it wants to be left alone.
    pub(crate) fn told_to_wait(&self, worker: usize, now: Timestamp) {
        self.pages().told.insert(worker, (now + WISH, WISH));
    }

    /// The worker asks what is left of that. A clock that is set back afterwards makes it no longer: what is over stays over.
    pub(crate) fn asks_what_is_left(&self, worker: usize, now: Timestamp) -> Option<Duration> {
        let left = self.left(worker, now);
        let mut pages = self.pages();
        match left {
            Some(left) => pages.told.insert(worker, (now + left, left)),
            None => pages.told.remove(&worker),
        };
        left
    }

    fn left(&self, worker: usize, now: Timestamp) -> Option<Duration> {
        let (until, length) = *self.pages().told.get(&worker)?;
        let left = Duration::try_from(until.duration_since(now)).ok()?;
        Some(left.min(length)).filter(|left| !left.is_zero())
    }

    /// The worker that may write gives the mailbox back.
    pub(crate) fn given_back(&self, worker: usize, now: Timestamp) {
        let left = self.left(worker, now);
        self.pages().left_alone = left.map(|left| (now, now + left));
    }

    /// The clock may have been set back since: then nobody can tell any more how much of the wish is left.
    pub(crate) fn looks_at_the_clock(&self, now: Timestamp) {
        let mut pages = self.pages();
        pages.left_alone = pages.left_alone.filter(|(since, _)| *since <= now);
    }

    /// The sign-in of a worker was refused: each further request would be one more wrong password.
    pub(crate) fn signs_out(&self, worker: usize) {
        self.pages().signed_out.insert(worker);
    }

    /// A worker asks the mail system for something.
    pub(crate) fn request(&self, worker: usize) {
        let pages = self.pages();
        let (quiet, signed_out) = (&pages.quiet, &pages.signed_out);
        let (quiet, signed_out) = (quiet.contains(&worker), signed_out.contains(&worker));
        drop(pages);
        if quiet {
            self.broken("a run makes a request while logging is disabled");
        }
        if signed_out {
            self.broken("a run makes a request after its sign-in was refused");
        }
    }
}

pub(crate) fn item_ref(id: u64) -> ItemRef {
    ItemRef::new(format!("i{id}"))
}

/// The key that an item without one is remembered by.
pub(crate) fn digest_of(id: u64) -> SightingKey {
    SightingKey::Digest(*blake3::hash(item_ref(id).id.as_bytes()).as_bytes())
}

pub(crate) fn item_id(item: &ItemRef) -> u64 {
    item.id.strip_prefix('i').unwrap().parse().unwrap()
}
