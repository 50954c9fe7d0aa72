//! One schedule: the mailbox, the store, the workers, and what people and time do to them.

use std::collections::BTreeSet;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use email_logging::EmailLogger;
use email_logging::decision::LoggingPolicy;
use email_logging::logger::{
    EmailLoggerBuilder, ReconcileOptions, ReconcileReport, RequeueReport, RunError, RunReport,
    RunSettings,
};
use jiff::Timestamp;

use crate::book::{Book, MAILBOX, scope};
use crate::commits::Commits;
use crate::counts::Counts;
use crate::database::{Database, Open};
use crate::host::{SimSetup, SimSink, path};
use crate::late::Late;
use crate::mailbox::{Label, Mailbox, Place, Server, Service};
use crate::mails::{Company, INLINE, Kind, Mails, SimDirectory};
use crate::source::SimSource;
use crate::stage::{Dice, Fault, Op, Stage, StageClock};
use crate::store::SimStore;

pub(crate) type Run = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// What a worker is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Run,
    /// To bring back what the store has lost.
    Reconcile,
    /// To give all that was set aside another try.
    Requeue,
}

/// How a worker's task ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Run(Result<RunReport, RunError>),
    Reconcile(Result<ReconcileReport, RunError>),
    Requeue(Result<RequeueReport, email_logging::Error>),
}

/// What a schedule begins with.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // each is one way in which a world can differ
pub(crate) struct Plan {
    pub(crate) workers: usize,
    /// The mails; those that no item in the queue is a copy of are what a person makes of others.
    pub(crate) kinds: Vec<Kind>,
    /// Which mail each item in the queue is a copy of.
    pub(crate) queue: Vec<usize>,
    /// Which items in the queue have no search key, by their place there.
    pub(crate) keyless: BTreeSet<usize>,
    /// Whether such items may be given a key.
    pub(crate) stamps: bool,
    /// Whether the policy deletes what is not logged, and what can never be moved.
    pub(crate) deletes: bool,
    /// Which items in the queue the server never moves to the storage folder, by their place there.
    pub(crate) stuck: BTreeSet<usize>,
    /// Whether workers sign in by tokens, and ask for another one where theirs is refused.
    pub(crate) refreshes: bool,
    pub(crate) server: Server,
    pub(crate) page: u32,
    pub(crate) batch: u32,
    pub(crate) connections: u32,
    /// Mails that a run takes at most; 0 is no limit.
    pub(crate) run_size: u32,
    /// Whether a worker that comes back after a crash has the name that it had.
    pub(crate) same_name: bool,
    pub(crate) quarantine_folder: bool,
    pub(crate) not_logged_folder: bool,
    /// Whether entries go to a log of the host's too.
    pub(crate) sink: bool,
    /// Whether the set-up is stored, so that it can be disabled in mid-run.
    pub(crate) setup: bool,
    /// Whether the store may be put back to an earlier state.
    pub(crate) restores: bool,
    /// Whether each run is a process of its own, as a scheduled job is.
    pub(crate) process_per_run: bool,
    /// Whether what was set aside may be given another try.
    pub(crate) requeues: bool,
    /// A contact that is in the directory at some times and not at others.
    pub(crate) comes_and_goes: Option<&'static str>,
    /// Which items in the queue the server fails to render in passing, every time, by their place there.
    pub(crate) flaky: BTreeSet<usize>,
}

/// A worker: a process with its logger, and the run that goes on in it.
#[derive(Default)]
pub(crate) struct Worker {
    logger: Option<Arc<EmailLogger>>,
    run: Option<Run>,
    lives: u64,
    /// When it wants to come back, where it was told to wait.
    due: Option<Timestamp>,
    /// The set-up that it reads, where one is stored.
    setup: Option<Arc<SimSetup>>,
}

impl Worker {
    pub(crate) fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Whether time passes before its next run.
    pub(crate) fn waits(&self) -> bool {
        self.due.is_some()
    }
}

/// A schedule as it runs.
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) mailbox: Arc<Mutex<Mailbox>>,
    pub(crate) mails: Arc<Mails>,
    pub(crate) book: Arc<Book>,
    pub(crate) database: Arc<Database>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) plan: Arc<Plan>,
    late: Late,
    company: Arc<Company>,
    pub(crate) enabled: Arc<AtomicBool>,
    /// Mails that a person took away or changed: what the log holds of them depends on the moment.
    pub(crate) interfered: BTreeSet<usize>,
    /// Whether the store was put back, and so does not know of all that was done.
    pub(crate) restored: bool,
    /// Whether somebody walked over the folders: then moves count as done whose items lie there, and nothing tells of another.
    pub(crate) walked: bool,
    /// The last task that ended in a world that settles.
    pub(crate) ended: Option<Ended>,
    /// Whether all that was set aside gets one more try in the end, where it may. That mends much: what has to hold without it is
    /// looked at only where nobody asks.
    pub(crate) asks_again: bool,
    /// Whether nothing has gone wrong and nobody interfered: then all counts are exact.
    pub(crate) undisturbed: bool,
    /// Whether every step is printed.
    pub(crate) trace: bool,
    /// The counts of all runs that ended.
    pub(crate) counted: Counts,
}

/// Polls a run until it waits for something on the stage: sets of futures wake themselves to let others go first.
fn poll_to_a_halt(run: &mut Run) -> Poll<Ended> {
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

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    TakeAway,
    Copy,
    PutBack,
    Edit,
    RenameFolder,
    Disable,
    RestoreStore,
    /// The contact that comes and goes does.
    ChangeDirectory,
    /// What could not be read can be.
    Mend,
}

impl World {
    pub(crate) fn new(plan: Plan, open: Open, company: &Arc<Company>) -> Self {
        let stage = Stage::new();
        let mails = Arc::new(Mails::of(&plan.kinds, plan.comes_and_goes));
        let mut mailbox = Mailbox::new(plan.server);
        for (at, mail) in plan.queue.iter().enumerate() {
            // Two of them in each second: the order of equal times is that of the ids.
            let seconds = jiff::SignedDuration::from_secs(i64::try_from(at / 2).unwrap());
            let received = stage.now() + seconds;
            let label = match (plan.keyless.contains(&at), plan.server.service) {
                (false, _) => Label::SearchKey,
                (true, Service::Graph) => Label::Id,
                (true, Service::Ews) => Label::Nothing,
            };
            let original = Arc::clone(&mails.all[*mail].original);
            let key = mailbox.deliver((*mail, label), original, received);
            if plan.stuck.contains(&at) {
                mailbox.stuck.insert(key);
            }
            if plan.flaky.contains(&at) {
                mailbox.flaky.insert(key);
            }
        }
        Self {
            mailbox: Arc::new(Mutex::new(mailbox)),
            mails,
            book: Arc::default(),
            database: Arc::new(Database::new(open, &stage, plan.restores)),
            workers: (0..plan.workers).map(|_| Worker::default()).collect(),
            late: Late::default(),
            company: Arc::clone(company),
            enabled: Arc::new(AtomicBool::new(true)),
            interfered: BTreeSet::new(),
            restored: false,
            walked: false,
            ended: None,
            asks_again: true,
            undisturbed: true,
            counted: Counts::default(),
            trace: false,
            stage,
            plan: Arc::new(plan),
        }
    }

    fn commits(&self) -> Commits {
        Commits {
            book: Arc::clone(&self.book),
            mails: Arc::clone(&self.mails),
            mailbox: Arc::clone(&self.mailbox),
            plan: Arc::clone(&self.plan),
        }
    }

    fn source(&self, worker: usize) -> SimSource {
        SimSource {
            stage: self.stage.clone(),
            worker,
            mailbox: Arc::clone(&self.mailbox),
            mails: Arc::clone(&self.mails),
            book: Arc::clone(&self.book),
            plan: Arc::clone(&self.plan),
            service: self.plan.server.service,
            late: self.late.clone(),
            is_late: false,
        }
    }

    fn settings(&self) -> RunSettings {
        let mut settings = RunSettings::default();
        settings.fetch_batch = self.plan.batch;
        settings.move_batch = self.plan.batch;
        settings.batch_size = self.plan.run_size;
        settings.connections = self.plan.connections;
        settings.inline_bytes = INLINE;
        settings
    }

    /// A process begins.
    fn bear(&mut self, worker: usize) {
        self.stage.forgets(worker);
        self.workers[worker].lives += 1;
        let mut builder = self.builder(worker);
        if self.plan.quarantine_folder {
            builder = builder.with_quarantine_folder(path("Quarantine"));
        }
        if self.plan.not_logged_folder {
            builder = builder.with_not_logged_folder(path("NotLogged"));
        }
        if self.plan.deletes {
            builder = builder.with_policy(LoggingPolicy::business_central());
        }
        if self.plan.sink {
            builder = builder.with_sink(Arc::new(SimSink {
                stage: self.stage.clone(),
                worker,
                book: Arc::clone(&self.book),
            }));
        }
        if self.plan.setup {
            let setup = Arc::new(SimSetup {
                stage: self.stage.clone(),
                worker,
                book: Arc::clone(&self.book),
                enabled: Arc::clone(&self.enabled),
                read: AtomicBool::new(false),
            });
            self.workers[worker].setup = Some(Arc::clone(&setup));
            builder = builder.with_setup_store(setup);
        }
        self.workers[worker].logger = Some(Arc::new(builder.build().unwrap()));
    }

    /// What every logger has.
    fn builder(&self, worker: usize) -> EmailLoggerBuilder {
        let stage = self.stage.clone();
        let store = Arc::new(SimStore {
            stage: stage.clone(),
            worker,
            database: Arc::clone(&self.database),
            commits: self.commits(),
            late: self.late.clone(),
        });
        let directory = SimDirectory {
            stage: stage.clone(),
            worker,
            company: Arc::clone(&self.company),
            book: Arc::clone(&self.book),
            comes_and_goes: self.plan.comes_and_goes,
        };
        let life = self.workers[worker].lives;
        let name = if self.plan.same_name { 0 } else { life };
        let dice = Dice::new((worker as u64) << 32 | life);
        EmailLogger::builder()
            .with_source(Arc::new(self.source(worker)))
            .with_directory(Arc::new(directory))
            .with_log(Arc::<SimStore>::clone(&store))
            .with_ledger(Arc::<SimStore>::clone(&store))
            .with_content_index(store)
            .with_clock(Arc::new(StageClock { stage, worker }))
            .with_entropy(Arc::new(dice))
            .with_worker(format!("worker-{worker}-{name}").as_str())
            .with_scope(scope().clone())
            .with_mailbox(MAILBOX)
            .with_queue_folder(path("Queue"))
            .with_storage_folder(path("Storage"))
            .with_settings(self.settings())
    }

    /// Begins a task of a worker that has none.
    pub(crate) fn begin(&mut self, worker: usize, task: Task) {
        let all_rest = !self.workers.iter().any(Worker::is_running);
        if let Some(due) = self.workers[worker].due.take().filter(|_| all_rest) {
            self.stage.set_clock(due.max(self.stage.now()));
        }
        if self.workers[worker].logger.is_none() {
            self.bear(worker);
        }
        self.book.begins(worker, task);
        self.stage.sees(worker, &("begins", task, self.stage.now()));
        let keys = match task {
            Task::Requeue => self.set_aside(),
            Task::Run | Task::Reconcile => Vec::new(),
        };
        self.undisturbed &= task == Task::Run;
        self.walked |= task == Task::Reconcile;
        let of = &mut self.workers[worker];
        if let Some(setup) = &of.setup {
            setup.read.store(false, Ordering::Relaxed);
        }
        if let Some(logger) = of.logger.clone() {
            of.run = Some(Box::pin(async move {
                match task {
                    Task::Run => Ended::Run(logger.run_once().await),
                    Task::Reconcile => {
                        let options = ReconcileOptions::default();
                        Ended::Reconcile(logger.reconcile(&options).await)
                    }
                    Task::Requeue => Ended::Requeue(logger.requeue(&keys).await),
                }
            }));
        }
        self.poll(worker);
    }

    /// Kills a worker where it is.
    pub(crate) fn crash(&mut self, worker: usize) {
        self.undisturbed = false;
        self.workers[worker].run = None;
        self.workers[worker].logger = None;
        self.workers[worker].due = None;
        self.stage.forgets(worker);
    }

    pub(crate) fn step_clock(&self, seconds: i64) {
        self.stage.step_clock(seconds);
        self.book.clock_leapt(self.stage.now());
    }

    /// Lets a point go on and its worker with it. Answers whether it went on: a call is dropped instead where the lease is
    /// short by now.
    pub(crate) fn grant(&mut self, id: u64, worker: usize, fault: Option<Fault>) -> bool {
        self.undisturbed &= fault.is_none();
        self.stage.grant(id, fault);
        self.poll(worker);
        self.stage.was_taken()
    }

    /// How many effects are under way that come late.
    pub(crate) fn late(&self) -> usize {
        self.late.len()
    }

    /// One of them arrives.
    pub(crate) fn come(&mut self, which: usize) -> Option<Op> {
        self.late.come(which)
    }

    fn poll(&mut self, worker: usize) {
        let Some(run) = &mut self.workers[worker].run else {
            return;
        };
        let Poll::Ready(ended) = poll_to_a_halt(run) else {
            return;
        };
        self.workers[worker].run = None;
        if self.plan.process_per_run {
            self.workers[worker].logger = None;
            self.stage.forgets(worker);
        }
        if let Ended::Run(Err(error)) = &ended
            && worker.is_multiple_of(2)
        {
            // The others come back when they like, and are sent away by the store.
            let wait = error.error.retry_after();
            self.workers[worker].due = wait.map(|wait| self.stage.now() + wait);
        }
        self.look_at_end(&ended);
        self.ended = Some(ended);
    }

    /// A person does something.
    pub(crate) fn person(&mut self, deed: Deed, which: usize) {
        self.undisturbed = false;
        match deed {
            Deed::RenameFolder => {
                let place = [Place::Queue, Place::Storage, Place::Quarantine][which % 3];
                let renamed = &mut self.mailbox.lock().unwrap().renamed;
                if !renamed.remove(&place) {
                    renamed.insert(place);
                }
            }
            Deed::Disable => {
                self.enabled.fetch_xor(true, Ordering::Relaxed);
            }
            Deed::RestoreStore => self.restore(which),
            Deed::ChangeDirectory => self.book.pages().directory_changes(),
            Deed::Mend => self.mailbox.lock().unwrap().mended = true,
            Deed::TakeAway | Deed::Copy | Deed::PutBack | Deed::Edit => self.touch(deed, which),
        }
    }

    fn touch(&mut self, deed: Deed, which: usize) {
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
        let (mail, key) = (mailbox.items[&id].mail, mailbox.items[&id].key);
        if deed == Deed::Copy && mailbox.flaky.contains(&key) {
            // Each copy would have attempts of its own, counted under one key.
            return;
        }
        mailbox.deeds.insert((key, deed));
        match deed {
            Deed::TakeAway => {
                mailbox.move_item(from, id, Place::Person);
                self.interfered.insert(self.mails.base(mail));
            }
            Deed::Edit => {
                let spare = self.plan.queue.iter().max().map_or(0, |last| last + 1);
                if let Some(edited) = self.mails.all.get(spare) {
                    mailbox.edit_item(id, spare, Arc::clone(&edited.original));
                    self.interfered.extend([self.mails.base(mail), spare]);
                }
            }
            Deed::Copy => {
                mailbox.copy_item(from, id, Place::Queue);
                *mailbox.explained.entry(key).or_default() += 1;
            }
            _ => {
                mailbox.move_item(from, id, Place::Queue);
            }
        }
    }

    /// All processes end, and the store is an earlier one.
    fn restore(&mut self, which: usize) {
        let writes = self.database.writes();
        if writes == 0 || !self.plan.restores {
            return;
        }
        for worker in 0..self.workers.len() {
            self.crash(worker);
        }
        self.restored = true;
        self.late.forget();
        self.book.restored();
        let commits = self.commits();
        self.database
            .restore(which % writes, |store, batch, receipt| {
                commits.look_again(store, batch, receipt);
            });
        self.book.set_epoch(self.database.epoch());
    }

    /// What tells this state from others, as far as it decides what can follow.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.stage.digest(&mut hasher);
        self.mailbox.lock().unwrap().digest(&mut hasher);
        self.late.digest(&mut hasher);
        self.book.digest(&mut hasher);
        for worker in &self.workers {
            (worker.run.is_some(), worker.logger.is_some(), worker.lives).hash(&mut hasher);
            worker.due.hash(&mut hasher);
        }
        hasher.finish()
    }
}
