//! What the simulation knows for sure: what was read, committed and handed over, who may write, and the first promise that
//! was broken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use email_logging::source::{ItemRef, SightingKey};
use email_logging::{EntryId, Scope};
use jiff::Timestamp;

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

#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// Which mails were read under an id; several where a person edited it.
    pub(crate) read: BTreeMap<u64, BTreeSet<usize>>,
    /// Items that a durable commit decided about.
    pub(crate) committed: BTreeSet<u64>,
    /// Keys of sightings whose decision is durable.
    pub(crate) decided: BTreeSet<SightingKey>,
    /// The entries of each mail that a commit wrote.
    pub(crate) entries: BTreeMap<usize, BTreeSet<EntryId>>,
    /// When an item may be read or moved again, after an attempt that failed.
    pub(crate) read_after: BTreeMap<u64, Timestamp>,
    pub(crate) move_after: BTreeMap<u64, Timestamp>,
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
    /// Until when the mail system wants to be left alone, as the worker was told that is at work.
    told: BTreeMap<usize, Timestamp>,
    /// What the last worker knew of that when it gave the mailbox back, and when that was.
    left_alone: Option<(Timestamp, Timestamp)>,
    /// Workers whose sign-in was refused in this run.
    signed_out: BTreeSet<usize>,
    /// Effects at the mail system under a lease that was lost, or that came late.
    stale_effects: u64,
    broken: Option<String>,
}

impl Book {
    pub(crate) fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap()
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
    pub(crate) fn begins(&self, worker: usize) {
        self.set_quiet(worker, false);
        let mut pages = self.pages();
        pages.signed_out.remove(&worker);
        pages.told.remove(&worker);
    }

    /// The mail system tells a worker that it wants to be left alone.
    pub(crate) fn told_to_wait(&self, worker: usize, now: Timestamp) {
        self.pages().told.insert(worker, now + WISH);
    }

    /// What is left of that, as the worker knows it.
    pub(crate) fn told(&self, worker: usize, now: Timestamp) -> Option<Duration> {
        let until = *self.pages().told.get(&worker)?;
        let left = Duration::try_from(until.duration_since(now)).ok()?;
        Some(left.min(WISH)).filter(|left| !left.is_zero())
    }

    /// The worker that may write gives the mailbox back.
    pub(crate) fn given_back(&self, worker: usize, now: Timestamp) {
        let left = self.told(worker, now);
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

pub(crate) fn item_id(item: &ItemRef) -> u64 {
    item.id.strip_prefix('i').unwrap().parse().unwrap()
}
