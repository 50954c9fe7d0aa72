//! One schedule: the mailbox, the store, the workers, and the look at everything when the faults have stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use email_logging::logger::{RunError, RunReport, RunSettings};
use email_logging::source::FolderPath;
use email_logging::store::{DecisionFilter, InteractionStore, LogFilter, MemoryStore};
use email_logging::{EmailLogger, Scope};

use crate::book::Book;
use crate::mailbox::{Mailbox, Place, Server};
use crate::mails::{Company, Entry, INLINE, Kind, Mails, SimDirectory};
use crate::source::SimSource;
use crate::stage::{Fault, Op, Phase, Stage, StageClock};
use crate::store::{SimStore, at_once};

pub(crate) type Run = Pin<Box<dyn Future<Output = Result<RunReport, RunError>> + Send>>;

/// What a schedule begins with.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) workers: usize,
    pub(crate) kinds: Vec<Kind>,
    /// Which mail each item in the queue is a copy of.
    pub(crate) queue: Vec<usize>,
    pub(crate) server: Server,
    pub(crate) page: u32,
    pub(crate) batch: u32,
    pub(crate) connections: u32,
    /// Whether a worker that comes back after a crash has the name that it had.
    pub(crate) same_name: bool,
    pub(crate) quarantine_folder: bool,
}

/// A worker.
pub(crate) enum Worker {
    Idle,
    Running(Run),
}

/// A schedule as it runs.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) mailbox: Arc<Mutex<Mailbox>>,
    pub(crate) mails: Arc<Mails>,
    pub(crate) book: Arc<Book>,
    pub(crate) store: Arc<dyn InteractionStore>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) company: Arc<Company>,
    plan: Plan,
    lives: u64,
    /// What people did: mails that one took away, and copies that they made.
    taken_away: BTreeMap<usize, usize>,
    copies: usize,
    /// Half-done moves, which leave a copy behind.
    half_moves: usize,
    crashes: usize,
}

/// Polls a run until it waits for something on the stage: sets of futures wake themselves to let others go first.
fn poll_to_a_halt(run: &mut Run) -> Poll<Result<RunReport, RunError>> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        woken.0.store(false, Ordering::Relaxed);
        let polled = run.as_mut().poll(&mut context);
        if polled.is_ready() || !woken.0.load(Ordering::Relaxed) {
            return polled;
        }
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn path(name: &str) -> FolderPath {
    format!(r"\Email Logging\{name}\").parse().unwrap()
}

/// What a person does to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    TakeAway,
    Copy,
    PutBack,
}

impl World {
    pub(crate) fn new(
        plan: Plan,
        store: Arc<dyn InteractionStore>,
        stage: Stage,
        company: Arc<Company>,
    ) -> Self {
        let mails = Arc::new(Mails::of(&plan.kinds));
        let mut mailbox = Mailbox::new(plan.server);
        for (at, mail) in plan.queue.iter().enumerate() {
            let received =
                stage.now() + jiff::SignedDuration::from_secs(i64::try_from(at / 2).unwrap());
            mailbox.deliver(*mail, Arc::clone(&mails.0[*mail].original), received);
        }
        Self {
            stage,
            mailbox: Arc::new(Mutex::new(mailbox)),
            mails,
            book: Arc::default(),
            store,
            workers: (0..plan.workers).map(|_| Worker::Idle).collect(),
            company,
            plan,
            lives: 0,
            taken_away: BTreeMap::new(),
            copies: 0,
            half_moves: 0,
            crashes: 0,
        }
    }

    pub(crate) fn memory_store(stage: &Stage) -> Arc<dyn InteractionStore> {
        let clock = Arc::new(StageClock {
            stage: stage.clone(),
            worker: usize::MAX,
        });
        let store = MemoryStore::new()
            .with_clock(clock)
            .with_entropy(Arc::new(stage.clone()));
        Arc::new(store)
    }

    /// Begins a run of a worker that has none.
    pub(crate) fn start(&mut self, worker: usize) {
        let (stage, book) = (self.stage.clone(), Arc::clone(&self.book));
        let source = SimSource {
            stage: stage.clone(),
            worker,
            mailbox: Arc::clone(&self.mailbox),
            mails: Arc::clone(&self.mails),
            book: Arc::clone(&book),
            page: self.plan.page,
            batch: self.plan.batch,
        };
        let store = Arc::new(SimStore {
            stage: stage.clone(),
            worker,
            inner: Arc::clone(&self.store),
            book,
        });
        let directory = SimDirectory {
            stage: stage.clone(),
            worker,
            company: Arc::clone(&self.company),
        };
        let mut settings = RunSettings::default();
        settings.fetch_batch = self.plan.batch;
        settings.move_batch = self.plan.batch;
        settings.connections = self.plan.connections;
        settings.inline_bytes = INLINE;
        self.lives += 1;
        let life = if self.plan.same_name { 0 } else { self.lives };
        let mut builder = EmailLogger::builder()
            .with_source(Arc::new(source))
            .with_directory(Arc::new(directory))
            .with_store(Arc::new(Arc::clone(&self.store)))
            .with_ledger(store.clone())
            .with_content_index(store)
            .with_clock(Arc::new(StageClock {
                stage: stage.clone(),
                worker,
            }))
            .with_entropy(Arc::new(stage))
            .with_worker(format!("worker-{worker}-{life}").as_str())
            .with_queue_folder(path("Queue"))
            .with_storage_folder(path("Storage"))
            .with_settings(settings);
        if self.plan.quarantine_folder {
            builder = builder.with_quarantine_folder(path("Quarantine"));
        }
        let logger = builder.build().unwrap();
        self.workers[worker] = Worker::Running(Box::pin(async move { logger.run_once().await }));
        self.poll(worker);
    }

    /// Kills a worker where it is.
    pub(crate) fn crash(&mut self, worker: usize) {
        self.workers[worker] = Worker::Idle;
        self.crashes += 1;
    }

    /// Lets a point go on and its worker with it.
    pub(crate) fn grant(&mut self, id: u64, worker: usize, fault: Option<Fault>) {
        if matches!(fault, Some(Fault::Partial(_))) {
            self.half_moves += 1;
        }
        self.stage.grant(id, fault);
        self.poll(worker);
    }

    fn poll(&mut self, worker: usize) {
        let Worker::Running(run) = &mut self.workers[worker] else {
            return;
        };
        let Poll::Ready(ended) = poll_to_a_halt(run) else {
            return;
        };
        self.workers[worker] = Worker::Idle;
        let report = match &ended {
            Ok(report) => report,
            Err(error) => &error.report,
        };
        if !report.closes() {
            self.book
                .broken(format!("I14: the counts do not close: {ended:?}"));
        }
        if let Err(error) = &ended
            && error.error.kind() == email_logging::ErrorKind::Internal
        {
            self.book.broken(format!("a run ended with {error}"));
        }
    }

    /// A person does something to a mail that lies there.
    pub(crate) fn person(&mut self, deed: Deed, which: usize) {
        let mut mailbox = self.mailbox.lock().unwrap();
        let from = if deed == Deed::PutBack {
            Place::Storage
        } else {
            Place::Queue
        };
        let there = mailbox.list(from);
        let Some(id) = there.get(which % there.len().max(1)).copied() else {
            return;
        };
        let mail = mailbox.items[&id].mail;
        match deed {
            Deed::TakeAway => {
                mailbox.move_item(from, id, Place::Person);
                *self.taken_away.entry(mail).or_default() += 1;
            }
            Deed::Copy => {
                mailbox.copy_item(from, id, Place::Queue);
                self.copies += 1;
            }
            Deed::PutBack => {
                mailbox.move_item(from, id, Place::Queue);
                self.copies += 1;
            }
        }
    }

    /// Lets every run end without faults, then runs until nothing is left to do.
    pub(crate) fn settle(&mut self) -> Result<usize, String> {
        self.let_all_end()?;
        let mut runs = 0;
        loop {
            // Past every back-off and every lease.
            self.stage.step_clock(3 * 86_400);
            self.start(0);
            self.let_all_end()?;
            runs += 1;
            if self.is_settled() {
                return Ok(runs);
            }
            if runs > 12 {
                let left = self.mailbox.lock().unwrap().list(Place::Queue).len();
                return Err(format!(
                    "I8: {left} mails are left in the queue after {runs} runs without a fault"
                ));
            }
        }
    }

    fn let_all_end(&mut self) -> Result<(), String> {
        for _ in 0..100_000 {
            if let Some((id, worker, _)) = self.stage.ready().first().copied() {
                self.grant(id, worker, None);
            } else if let Some(wake) = self.stage.next_wake() {
                self.stage.set_clock(wake);
            } else {
                break;
            }
        }
        self.book.verdict()?;
        let stuck = self
            .workers
            .iter()
            .any(|worker| matches!(worker, Worker::Running(_)));
        if stuck {
            let waits = (self.stage.ready(), self.stage.next_wake(), self.stage.now());
            Err(format!("I8: a run neither goes on nor ends: {waits:?}"))
        } else {
            Ok(())
        }
    }

    /// Whether nothing but what can never be read is left in the queue.
    fn is_settled(&self) -> bool {
        let mailbox = self.mailbox.lock().unwrap();
        let left = mailbox.list(Place::Queue);
        if self.plan.quarantine_folder || left.is_empty() {
            return left.is_empty();
        }
        let poison = left
            .iter()
            .all(|id| self.mails.is_poison(mailbox.items[id].mail));
        poison && self.poison_is_set_aside()
    }

    fn poison_is_set_aside(&self) -> bool {
        let mut filter = filter();
        filter.outcome = Some("quarantined".into());
        let page = at_once(
            self.store
                .decisions(&Scope::default(), &filter, None, 1_000),
        )
        .unwrap();
        let copies = self
            .plan
            .queue
            .iter()
            .filter(|mail| self.mails.is_poison(**mail))
            .count();
        page.rows.len() >= copies
    }

    /// Looks at everything: the promises that hold when all is settled.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.book.verdict()?;
        self.check_entries()?;
        self.check_places()?;
        self.check_decisions()
    }

    /// I3, I5, I6: exactly the entries that were worked out by hand, and each original bit for bit.
    fn check_entries(&self) -> Result<(), String> {
        let page = at_once(
            self.store
                .mails(&Scope::default(), &LogFilter::default(), None, 1_000),
        )
        .unwrap();
        let mut found: BTreeMap<Entry, usize> = BTreeMap::new();
        for logged in &page.rows {
            for row in &logged.entries {
                let entry = &row.entry;
                let known =
                    |text: &str| *["C1", "C2", "AH"].iter().find(|it| **it == text).unwrap();
                let entry = (
                    logged.record.subject.clone(),
                    known(entry.contact_no.as_str()),
                    known(entry.salesperson_code.as_str()),
                );
                *found.entry(entry).or_default() += 1;
            }
            let number: usize = logged.record.subject[1..].parse().unwrap();
            let part = at_once(self.store.original(
                &Scope::default(),
                &logged.message,
                0..u64::MAX,
            ));
            if part.unwrap().bytes != *self.mails.0[number].original {
                return Err(format!(
                    "I5: the original of {} differs",
                    logged.record.subject
                ));
            }
        }
        if let Some((entry, count)) = found.iter().find(|(_, count)| **count != 1) {
            return Err(format!("I3: {entry:?} was logged {count} times"));
        }
        let delivered: BTreeSet<usize> = self.plan.queue.iter().copied().collect();
        for mail in delivered {
            let optional = self.taken_away.contains_key(&mail);
            for entry in &self.mails.0[mail].entries {
                if found.remove(entry).is_none() && !optional {
                    return Err(format!("I1: {entry:?} was never logged"));
                }
            }
        }
        match found.pop_first() {
            Some((entry, _)) => Err(format!("I6: {entry:?} must not be there")),
            None => Ok(()),
        }
    }

    /// I1, I10: each delivered copy is in the storage folder, and no more of them than something explains.
    fn check_places(&self) -> Result<(), String> {
        let mailbox = self.mailbox.lock().unwrap();
        let mut places: BTreeMap<usize, BTreeMap<Place, usize>> = BTreeMap::new();
        for item in mailbox.items.values() {
            *places
                .entry(item.mail)
                .or_default()
                .entry(item.place)
                .or_default() += 1;
        }
        let mut more = 0;
        for (mail, there) in &places {
            let copies = self.plan.queue.iter().filter(|it| *it == mail).count();
            let taken = self.taken_away.get(mail).copied().unwrap_or_default();
            let kept: usize = [Place::Storage, Place::Quarantine]
                .iter()
                .filter_map(|at| there.get(at))
                .sum();
            let poison = self.mails.is_poison(*mail);
            if kept + taken < copies && !poison {
                return Err(format!(
                    "I1: of {copies} copies of mail {mail} only {kept} are kept"
                ));
            }
            if poison && there.values().sum::<usize>() < copies {
                return Err(format!("I1: a mail that cannot be read is lost: {there:?}"));
            }
            more += (kept + taken).saturating_sub(copies);
        }
        let taken: usize = self.taken_away.values().sum();
        let overlaps = (self.plan.workers - 1) * (self.crashes + self.plan.workers);
        // Where an old id still means the item, the move of one that a person took away copies it.
        let explained = self.copies
            + taken * usize::from(self.plan.server.old_ids_live)
            + self.half_moves * 8
            + overlaps * self.plan.queue.len();
        if self.plan.server.stable_keys && more > explained {
            return Err(format!(
                "I10: {more} copies too many, {explained} are explained"
            ));
        }
        Ok(())
    }

    /// I14: one decision per sighting, and one for each copy that nobody took away.
    fn check_decisions(&self) -> Result<(), String> {
        let page = at_once(
            self.store
                .decisions(&Scope::default(), &filter(), None, 10_000),
        )
        .unwrap();
        let keys: BTreeSet<_> = page
            .rows
            .iter()
            .map(|row| row.sighting.to_string())
            .collect();
        if keys.len() != page.rows.len() {
            return Err("I14: a sighting has more than one decision".into());
        }
        if !self.plan.server.stable_keys {
            return Ok(());
        }
        let mailbox = self.mailbox.lock().unwrap();
        let kept = mailbox
            .items
            .values()
            .filter(|item| item.place != Place::Person);
        for item in kept {
            let key = crate::mailbox::key_bytes(item.key).to_string();
            if !keys.contains(&key) {
                return Err(format!("I14: a copy of mail {} has no decision", item.mail));
            }
        }
        let moves = at_once(self.store.pending_moves(
            &Scope::default(),
            &"queue".into(),
            jiff::Timestamp::MAX,
            10,
        ));
        let open = moves.unwrap().len();
        if open > 0 && self.plan.quarantine_folder {
            return Err(format!("I8: {open} moves are still planned"));
        }
        Ok(())
    }

    /// What a worker that is to be killed was about to do or had just done.
    pub(crate) fn at(&self, worker: usize) -> Vec<(Op, Phase)> {
        self.stage.calls_of(worker)
    }
}

fn filter() -> DecisionFilter {
    DecisionFilter::default()
}
