//! A simulated Exchange and a store file, the processes that run on them, and what must hold whenever none runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use email_logging::source::SightingKey;
use email_logging::store::{
    DecisionFilter, InteractionStore, LogFilter, PostgresOptions, PostgresStore, SqliteStore,
};
use email_logging::testkit::exchange::{Delivery, SimulatedExchange, SimulatedItem};
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation, SimulatedGraph};
use email_logging::{ErrorKind, MailboxKey, Scope};
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::child;
use crate::company::{
    Entry, Mail, Profile, QUARANTINE, QUEUE, STORAGE, Service, TOKEN, Target, USER,
};
use crate::crm;

/// How a process is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself.
    Itself,
    /// By SIGKILL at the n-th passing of a fail point.
    Point(String, u64),
    /// Whatever the library under it does at the n-th operation of a kind, on the file with this ending or on any.
    Disk {
        operation: char,
        file: Option<String>,
        at: u64,
        what: &'static str,
        /// Only at that one, not from that one on.
        once: bool,
    },
    /// By SIGKILL after a while.
    After(Duration),
    /// By SIGKILL while the server of Graph works on a batch of moves, of which this one, from the beginning, is not done.
    Parts(u64),
    /// By itself, while this process of another program ends by SIGKILL after a while.
    Other(Pid, Duration),
}

/// Where the log is kept.
#[derive(Debug, Clone)]
pub(crate) enum Base {
    /// In a file of its own.
    File,
    /// In a schema of a database.
    Database { url: String, schema: String },
}

/// How a process did end.
#[derive(Debug)]
pub(crate) enum Ended {
    Killed,
    /// What the run answered, and how often each point was passed.
    ByItself {
        report: String,
        passed: BTreeMap<String, u64>,
        took: Duration,
    },
}

/// The fail point within a batch of moves.
pub(crate) const PARTS: &str = "move_to.parts";

/// One sighting: a mail as it was delivered.
#[derive(Debug)]
struct Delivered {
    mail: Mail,
    id: String,
    key: [u8; 16],
    round: u64,
}

pub(crate) struct World {
    runtime: Runtime,
    exchange: SimulatedExchange,
    /// The same mailbox over Graph, where the processes reach it so.
    graph: Option<SimulatedGraph>,
    folder: TempDir,
    library: PathBuf,
    base: Base,
    /// Whether a process has ended by itself: until then the tables may have to be made.
    pub(crate) settled: bool,
    pub(crate) service: Service,
    pub(crate) profile: Profile,
    /// Whether every operation on the disk is recorded.
    pub(crate) traced: bool,
    delivered: Vec<Delivered>,
    round: u64,
    runs: u64,
    ahead: u64,
    /// What was done, for the words of a failure.
    story: Vec<String>,
}

impl World {
    pub(crate) fn new(service: Service, profile: Profile, library: &Path, base: Base) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let builder = SimulatedExchange::builder()
            .with_user(USER.0, USER.1)
            .with_mailbox(USER.0)
            .with_chunk_size(3_000);
        let exchange = runtime.block_on(builder.start()).unwrap();
        for path in [QUEUE, STORAGE, QUARANTINE] {
            exchange.add_folder(&service.place(path)).unwrap();
        }
        let graph = (service == Service::Graph).then(|| {
            let builder = SimulatedGraph::over(&exchange)
                .with_plain_http()
                .with_app_token(TOKEN);
            runtime.block_on(builder.start()).unwrap()
        });
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(child::ARMED), "").unwrap();
        Self {
            runtime,
            exchange,
            graph,
            folder,
            library: library.to_owned(),
            base,
            settled: false,
            service,
            profile,
            traced: false,
            delivered: Vec::new(),
            round: 0,
            runs: 0,
            ahead: 0,
            story: Vec::new(),
        }
    }

    /// Begins a round with new mails in the queue.
    pub(crate) fn deliver(&mut self, mails: Vec<Mail>) {
        self.round += 1;
        self.story.clear();
        for mail in mails {
            let queue = self.service.place(QUEUE);
            let delivery = Delivery::new(mail.bytes.clone());
            let keyless = self.profile == Profile::Stamping && self.service == Service::Ews;
            let delivery = if keyless {
                delivery.without_search_key()
            } else {
                delivery
            };
            let id = self.exchange.deliver_with(&queue, delivery).unwrap();
            let items = self.exchange.items(&queue).unwrap();
            let item = items.iter().find(|item| item.id == id).unwrap();
            let key = known_by(item);
            let round = self.round;
            self.delivered.push(Delivered {
                mail,
                id,
                key,
                round,
            });
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.exchange.count(&self.service.place(QUEUE)).unwrap()
    }

    /// The next process runs as another worker, once every lease and every wait of the earlier ones is over.
    pub(crate) fn let_time_pass(&mut self) {
        self.runs += 1;
        self.ahead += 24 * 60 * 60;
    }

    /// Runs a process until its end.
    pub(crate) fn run(&mut self, end: &End, clock_step: u64) -> Ended {
        self.story.push(format!("{end:?} at step {clock_step}"));
        // What an earlier process did not come to write is not there.
        for file in [child::REPORT, child::PASSED, "counts"] {
            let _ = fs::remove_file(self.folder.path().join(file));
        }
        let (started, moves) = (Instant::now(), self.moves());
        let mut command = self.command(end, clock_step);
        let output = match end {
            End::After(while_) => killed_after(&mut command, *while_),
            End::Parts(at) => self.killed_at(&mut command, *at),
            End::Other(pid, while_) => beside(&mut command, *pid, *while_),
            _ => command.output().unwrap(),
        };
        if output.status.signal() == Some(9) {
            return Ended::Killed;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{said}", self.told());
        self.settled = true;
        let path = |name| self.folder.path().join(name);
        let mut passed = counts(&path(child::PASSED), &path("counts"));
        let moves = self.moves() - moves;
        passed.extend((moves > 0).then(|| (PARTS.to_owned(), moves)));
        Ended::ByItself {
            report: fs::read_to_string(path(child::REPORT)).unwrap(),
            passed,
            took: started.elapsed(),
        }
    }

    /// The moves that the server of Graph was asked for.
    fn moves(&self) -> u64 {
        let statistics = self.graph.as_ref().map(SimulatedGraph::statistics);
        statistics.map_or(0, |it| it.calls(GraphOperation::MoveMessage))
    }

    /// Kills a process while the server stands at the n-th move: the parts before it in its batch are done, it is not.
    fn killed_at(&self, command: &mut Command, at: u64) -> Output {
        let graph = self.graph.as_ref().unwrap();
        let delay = GraphFaultKind::Delay(Duration::from_hours(24));
        let delay = GraphFault::new(delay).on(GraphOperation::MoveMessage);
        let before = graph.faults_fired().len();
        graph.inject(delay.at_call(at));
        let mut child = command.spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if graph.faults_fired().len() > before {
                // Those that run beside it come to their end.
                std::thread::sleep(Duration::from_millis(2));
                let _ = child.kill();
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = child.wait_with_output().unwrap();
        graph.clear_faults();
        output
    }

    fn url(&self) -> String {
        match &self.graph {
            Some(graph) => graph.url(),
            None => self.exchange.url(),
        }
    }

    fn command(&self, end: &End, clock_step: u64) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child::the_child", "--nocapture"])
            .env(child::FOLDER, folder)
            .env(child::URL, self.url())
            .env(child::SERVICE, self.service.name())
            .env(child::PROFILE, self.profile.name())
            .env(child::WORKER, format!("worker-{}", self.runs))
            .env(child::AHEAD, self.ahead.to_string())
            .env(child::STEP, clock_step.to_string())
            .env("LD_PRELOAD", &self.library)
            .env("SHIM_MATCH", child::STORE)
            .env("SHIM_COUNTS", folder.join("counts"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Base::Database { url, schema } = &self.base {
            command.env(child::DATABASE, url).env(child::SCHEMA, schema);
        }
        if self.traced {
            command.env(child::TRACE, self.trace());
        }
        match end {
            End::Itself | End::After(_) | End::Parts(_) | End::Other(..) => {}
            End::Point(point, count) => {
                command.env(child::POINT, format!("{point} {count}"));
            }
            End::Disk {
                operation,
                file,
                at,
                what,
                once,
            } => {
                command
                    .env("SHIM_ARM", folder.join(child::ARMED))
                    .env("SHIM_OPS", operation.to_string())
                    .env("SHIM_AT", at.to_string())
                    .env("SHIM_DO", what)
                    .env("SHIM_LOG", folder.join("events"));
                if let Some(file) = file {
                    command.env("SHIM_FILE", format!("{}{file}", child::STORE));
                }
                if *once {
                    command.env("SHIM_ONCE", "1");
                }
            }
        }
        command
    }

    /// Does something that needs a runtime.
    pub(crate) fn block_on<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// How many operations the library let fail, and forgets them.
    pub(crate) fn failures(&self) -> usize {
        let file = self.folder.path().join("events");
        let events = fs::read_to_string(&file).unwrap_or_default();
        // Nothing failed where there is none.
        let _ = fs::remove_file(file);
        events.lines().filter(|it| it.starts_with("full")).count()
    }

    /// Where the operations are recorded.
    pub(crate) fn trace(&self) -> PathBuf {
        self.folder.path().join("trace")
    }

    fn told(&self) -> String {
        format!(
            "{:?}, {:?}, round {}, run {}: {:#?}",
            self.service, self.profile, self.round, self.runs, self.story
        )
    }

    /// What must hold whenever no process runs: nothing lost, nothing moved that is not committed, nothing twice.
    /// Answers how far the moves are that the log still plans.
    pub(crate) fn check_at_rest(&self) -> Left {
        let seen = self.observe(Look::Rest);
        self.check_entries(&seen);
        for sighting in &self.delivered {
            let key = &sighting.key;
            let gone = sighting.mail.target(self.profile) == Target::Deleted
                && seen.decided.contains_key(key);
            let there = seen.queued.contains_key(key) || seen.moved.contains_key(key);
            let lost = format!("{} is lost. {}", sighting.mail.subject, self.told());
            assert!(there || gone, "{lost}");
        }
        for key in seen.moved.keys() {
            let decided = seen.decided.contains_key(key);
            assert!(decided, "moved and not committed. {}", self.told());
        }
        let queued = |key: &&[u8; 16]| seen.queued.contains_key(*key);
        let waiting = seen.planned.iter().filter(queued).count();
        Left {
            waiting,
            done: seen.planned.len() - waiting,
        }
    }

    /// Nothing that nobody decided, nothing twice, and of each decision everything.
    fn check_entries(&self, seen: &Seen) {
        let oracle = self.oracle();
        for (entry, count) in &seen.entries {
            assert!(oracle.contains(entry), "{entry:?}. {}", self.told());
            assert_eq!(*count, 1, "{entry:?} is logged twice. {}", self.told());
        }
        let decided = |it: &&Delivered| seen.decided.contains_key(&it.key);
        for sighting in self.delivered.iter().filter(decided) {
            let entries = &sighting.mail.entries;
            let whole = entries.iter().all(|it| seen.entries.contains_key(it));
            assert!(whole, "half of {entries:?}. {}", self.told());
        }
    }

    /// What must hold on a disk after a loss of power before which these items were about to leave the queue.
    pub(crate) fn check_image(&self, folder: &Path, moved: &BTreeSet<String>, told: &str) {
        let mut seen = Seen::default();
        if folder.join(child::STORE).exists() {
            self.read_file(folder, Look::Image, &mut seen);
        }
        self.check_entries(&seen);
        for sighting in self.delivered.iter().filter(|it| moved.contains(&it.id)) {
            let subject = &sighting.mail.subject;
            let decided = seen.decided.contains_key(&sighting.key);
            assert!(decided, "{subject} was moved and is not in the log {told}");
        }
    }

    /// What must hold when a process has ended by itself and nothing failed.
    pub(crate) fn check_at_end(&self) {
        self.check_at_rest();
        let seen = self.observe(Look::End);
        assert_eq!(seen.queued, BTreeMap::new(), "{}", self.told());
        let entries: BTreeSet<Entry> = seen.entries.into_keys().collect();
        assert_eq!(entries, self.oracle(), "{}", self.told());
        for sighting in &self.delivered {
            let wanted = sighting.mail.target(self.profile);
            let found = seen.moved.get(&sighting.key).map(Vec::as_slice);
            let expected = [wanted];
            let expected = (wanted != Target::Deleted).then_some(expected.as_slice());
            assert_eq!(found, expected, "{}", self.told());
        }
        assert_eq!(seen.decided.len(), self.delivered.len());
        assert!(seen.decided.values().all(|count| *count == 1));
        if self.profile == Profile::Host {
            let rows = crm::rows(&self.folder.path().join(child::CRM));
            let distinct: BTreeSet<Entry> = rows.iter().cloned().collect();
            assert_eq!(rows.len(), distinct.len(), "{}", self.told());
            assert_eq!(distinct, self.oracle(), "{}", self.told());
        }
    }

    /// Every entry that the log must hold in the end.
    fn oracle(&self) -> BTreeSet<Entry> {
        let mails = self.delivered.iter().map(|it| &it.mail);
        mails
            .flat_map(|mail| mail.entries.iter().cloned())
            .collect()
    }

    /// Looks at the folders first and then at a copy of the store, which leaves what a crash left there for the next
    /// process. A move that was sent before the crash may still arrive between the looks: the queue comes first.
    fn observe(&self, look: Look) -> Seen {
        let mut seen = Seen::default();
        let items = |path| self.exchange.items(&self.service.place(path)).unwrap();
        for item in items(QUEUE) {
            let all = seen.queued.entry(known_by(&item));
            *all.or_default() += 1;
        }
        for (folder, target) in [(STORAGE, Target::Storage), (QUARANTINE, Target::Quarantine)] {
            for item in items(folder) {
                let all = seen.moved.entry(known_by(&item));
                all.or_default().push(target);
            }
        }
        match &self.base {
            Base::File => self.observe_file(look, &mut seen),
            Base::Database { url, schema } => {
                let options = PostgresOptions::new(url.clone().into()).with_schema(schema);
                self.runtime.block_on(async {
                    let store = PostgresStore::open_with(options).unwrap();
                    self.read(&store, look, &mut seen).await;
                });
            }
        }
        seen
    }

    fn observe_file(&self, look: Look, seen: &mut Seen) {
        let copy = TempDir::new().unwrap();
        for ending in ["", "-wal", "-journal"] {
            let name = format!("{}{ending}", child::STORE);
            let from = self.folder.path().join(&name);
            if from.exists() {
                fs::copy(from, copy.path().join(&name)).unwrap();
            }
        }
        if copy.path().join(child::STORE).exists() {
            self.read_file(copy.path(), look, seen);
        }
    }

    /// Reads a store file that nobody else needs any more.
    fn read_file(&self, folder: &Path, look: Look, seen: &mut Seen) {
        let file = folder.join(child::STORE);
        self.check_file(&file);
        self.runtime.block_on(async {
            let store = SqliteStore::open(file).unwrap();
            if look == Look::Image {
                store.migrate().await.unwrap();
            }
            self.read(&store, look, seen).await;
        });
    }

    fn check_file(&self, file: &Path) {
        let database = rusqlite::Connection::open(file).unwrap();
        let check: String = database
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok", "{}", self.told());
        let mut broken = database.prepare("PRAGMA foreign_key_check").unwrap();
        assert!(!broken.exists([]).unwrap(), "{}", self.told());
    }

    async fn check_nothing_is_open<S: InteractionStore>(&self, store: &S, scope: &Scope) {
        let mailbox = MailboxKey::from("queue");
        let moves = store
            .pending_moves(scope, &mailbox, Timestamp::MAX, 10)
            .await;
        assert_eq!(moves.unwrap(), [], "{}", self.told());
        let entries = store.undelivered(scope, &mailbox, 10).await;
        assert!(entries.unwrap().is_empty(), "{}", self.told());
        let contents = store.unindexed(scope, 10).await;
        assert_eq!(contents.unwrap(), [], "{}", self.told());
    }

    async fn read<S: InteractionStore>(&self, store: &S, look: Look, seen: &mut Seen) {
        let scope = Scope::default();
        let all = DecisionFilter::default();
        let decisions = match store.decisions(&scope, &all, None, 10_000).await {
            Err(error) if error.kind() == ErrorKind::Config && look == Look::Rest => return,
            page => page.unwrap(),
        };
        let mut stamped = BTreeMap::new();
        for decision in decisions.rows {
            if let (SightingKey::Stamp(_), Some(message)) = (&decision.sighting, decision.message) {
                let mail = store.mail(&scope, &message).await.unwrap();
                let name = named(&mail.record.subject);
                stamped.insert(decision.sighting.clone(), name);
            }
            let decided = seen.decided.entry(key_of(&stamped, decision.sighting));
            *decided.or_default() += 1;
        }
        let mailbox = MailboxKey::from("queue");
        let moves = store.pending_moves(&scope, &mailbox, Timestamp::MAX, 10_000);
        let moves = moves.await.unwrap().into_iter();
        seen.planned
            .extend(moves.map(|it| key_of(&stamped, it.key)));
        let all = LogFilter::default();
        let entries = store.entries(&scope, &all, None, 10_000).await.unwrap();
        let originals: BTreeMap<&str, &Delivered> = self
            .delivered
            .iter()
            .map(|it| (it.mail.subject.as_str(), it))
            .collect();
        for logged in entries.rows {
            let entry = logged.entry;
            let sighting = originals[entry.description.as_str()];
            if sighting.round == self.round || look == Look::Image {
                let original = store.original(&scope, &entry.message, 0..1_000_000).await;
                let kept = original.unwrap().bytes;
                assert!(kept == sighting.mail.bytes, "{}", self.told());
            }
            let entry = [
                entry.description,
                entry.contact_no.as_str().to_owned(),
                entry.salesperson_code.as_str().to_owned(),
                entry.information_flow.code().to_owned(),
            ];
            *seen.entries.entry(entry).or_default() += 1;
        }
        if look == Look::End {
            self.check_nothing_is_open(store, &scope).await;
        }
    }
}

/// When a store is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// After any end of a process.
    Rest,
    /// When all work is done.
    End,
    /// After a loss of power.
    Image,
}

/// What was found, by search key, with how often.
#[derive(Debug, Default)]
struct Seen {
    queued: BTreeMap<[u8; 16], u64>,
    moved: BTreeMap<[u8; 16], Vec<Target>>,
    decided: BTreeMap<[u8; 16], u64>,
    /// Whose moves the log plans, or does not know to be done.
    planned: BTreeSet<[u8; 16]>,
    entries: BTreeMap<Entry, u64>,
}

/// The moves that a log plans when a process has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    /// How many of them are to be done.
    pub(crate) waiting: usize,
    /// How many of them are done, which nobody has written down.
    pub(crate) done: usize,
}

/// What an item is known by here: its search key, or its subject where it has none.
fn known_by(item: &SimulatedItem) -> [u8; 16] {
    item.search_key.unwrap_or_else(|| named(&item.subject))
}

fn named(subject: &str) -> [u8; 16] {
    let mut name = [0; 16];
    name[..subject.len()].copy_from_slice(subject.as_bytes());
    name
}

/// What the mail of a sighting is known by, where the log says of which mail a key of the logger's own is.
fn key_of(stamped: &BTreeMap<SightingKey, [u8; 16]>, key: SightingKey) -> [u8; 16] {
    match key {
        SightingKey::SearchKey(key) => key.try_into().unwrap(),
        SightingKey::Stamp(_) => stamped[&key],
        key => panic!("{key:?}"),
    }
}

fn killed_after(command: &mut Command, while_: Duration) -> Output {
    let mut child = command.spawn().unwrap();
    std::thread::sleep(while_);
    // It may have ended by itself.
    let _ = child.kill();
    child.wait_with_output().unwrap()
}

fn beside(command: &mut Command, other: Pid, while_: Duration) -> Output {
    let child = command.spawn().unwrap();
    std::thread::sleep(while_);
    kill_process(other, Signal::KILL).unwrap();
    child.wait_with_output().unwrap()
}

/// How often each point was passed: those of the calls, and those of the disk.
fn counts(passed: &Path, disk: &Path) -> BTreeMap<String, u64> {
    let text = [passed, disk].map(|file| fs::read_to_string(file).unwrap_or_default());
    let lines = text.iter().flat_map(|text| text.lines());
    lines
        .map(|line| {
            let (point, count) = line.rsplit_once(' ').unwrap();
            (point.to_owned(), count.parse().unwrap())
        })
        .collect()
}
