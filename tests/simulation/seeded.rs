//! A schedule out of one number: what there is, who goes on, what goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::database::Open;
use crate::mailbox::{Server, Service};
use crate::mails::{Company, Kind};
use crate::rng::Rng;
use crate::stage::{Fault, Op, Phase, Point};
use crate::world::{Deed, Plan, Task, World};

/// The columns of the fault matrix that exist between a worker and what it calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Column {
    CrashBefore,
    CrashAfter,
    Timeout,
    Late,
    ReplyLost,
    Busy,
    Unauthorized,
    Full,
    Partial,
    SecondWorker,
}

const COLUMNS: [Column; 10] = [
    Column::CrashBefore,
    Column::CrashAfter,
    Column::Timeout,
    Column::Late,
    Column::ReplyLost,
    Column::Busy,
    Column::Unauthorized,
    Column::Full,
    Column::Partial,
    Column::SecondWorker,
];

const OPS: [Op; 26] = [
    Op::LoadSetup,
    Op::Acquire,
    Op::Renew,
    Op::Release,
    Op::OpenFolder,
    Op::Refresh,
    Op::Undelivered,
    Op::ReadMail,
    Op::PendingMoves,
    Op::Locate,
    Op::List,
    Op::Known,
    Op::Stamp,
    Op::Fetch,
    Op::Stage,
    Op::Resolve,
    Op::Commit,
    Op::WithMessageIds,
    Op::Staged,
    Op::ReadOriginal,
    Op::Put,
    Op::Move,
    Op::Remove,
    Op::Unindexed,
    Op::Index,
    Op::Requeue,
];

/// Whether a cell of the matrix exists: every call can crash, time out and lose its reply, beside another worker.
fn exists(op: Op, column: Column) -> bool {
    let before = faults(op, Phase::Before);
    match column {
        Column::Late => comes_late(op),
        Column::Busy => before.contains(&Fault::Busy),
        Column::Unauthorized => before.contains(&Fault::Unauthorized),
        Column::Full => before.contains(&Fault::Full),
        Column::Partial => before.contains(&Fault::Partial(0)),
        _ => true,
    }
}

/// What a number of schedules met.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) schedules: u64,
    pub(crate) steps: u64,
    pub(crate) faults: u64,
    /// Effects at the mail system under a lease that was lost, or that came late.
    pub(crate) stale: u64,
    pub(crate) cells: BTreeMap<(Op, Column), u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.faults += other.faults;
        self.stale += other.stale;
        for (cell, count) in &other.cells {
            *self.cells.entry(*cell).or_default() += count;
        }
    }

    /// How often each cell was hit.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{:<16}", "");
        for column in COLUMNS {
            let _ = write!(text, "{:>13}", format!("{column:?}"));
        }
        for op in OPS {
            let _ = write!(text, "\n{:<16}", format!("{op:?}"));
            for column in COLUMNS {
                let count = self.cells.get(&(op, column)).copied().unwrap_or_default();
                let cell = if exists(op, column) {
                    count.to_string()
                } else {
                    "-".into()
                };
                let _ = write!(text, "{cell:>13}");
            }
        }
        text
    }

    /// The cells that exist and were never hit.
    pub(crate) fn missed(&self) -> Vec<(Op, Column)> {
        let all = OPS
            .iter()
            .flat_map(|op| COLUMNS.map(|column| (*op, column)));
        all.filter(|(op, column)| exists(*op, *column))
            .filter(|cell| !self.cells.contains_key(cell))
            .collect()
    }

    /// The cells that exist over a service and were never hit. Graph has a key for every mail.
    pub(crate) fn missed_over(&self, service: Service) -> Vec<(Op, Column)> {
        let mut missed = self.missed();
        missed.retain(|(op, _)| service == Service::Ews || *op != Op::Stamp);
        missed
    }

    fn hit(&mut self, op: Op, column: Column) {
        self.faults += u64::from(column != Column::SecondWorker);
        *self.cells.entry((op, column)).or_default() += 1;
    }
}

/// In a thousand, how likely an effect that comes late comes at a step.
const COMES: u64 = 60;

/// Most steps with faults.
const STEPS: usize = 6_000;

/// Faults of a schedule at most: fewer than the attempts of a mail, so that no sound mail is ever set aside.
const FAULTS: usize = 7;

fn plan(rng: &mut Rng) -> Plan {
    let workers = 1 + rng.below(4).min(rng.below(4));
    let mails = match rng.below(60) {
        0 => 1 + rng.below(50),
        1..8 => 1 + rng.below(12),
        _ => 1 + rng.below(4),
    };
    let mut kinds: Vec<Kind> = crate::mails::kinds(rng, mails);
    // What a person makes of another mail.
    kinds.push(Kind::Plain);
    let mut queue = Vec::new();
    for mail in 0..mails {
        queue.push(mail);
        if rng.chance(150) {
            queue.push(mail);
        }
    }
    Plan {
        workers,
        kinds,
        queue,
        keyless: BTreeSet::new(),
        stamps: false,
        deletes: false,
        stuck: BTreeSet::new(),
        refreshes: false,
        server: Server {
            service: Service::Ews,
            stable_keys: !rng.chance(200),
            new_ids: !rng.chance(300),
            old_ids_live: rng.chance(300),
        },
        page: [2, 3, 5, 100][rng.below(4)],
        batch: [1, 2, 3, 50][rng.below(4)],
        connections: [1, 2, 4][rng.below(3)],
        run_size: [0, 0, 0, 0, 1, 2, 3][rng.below(7)],
        same_name: rng.chance(300),
        quarantine_folder: rng.chance(500),
        not_logged_folder: rng.chance(300),
        sink: rng.chance(250),
        setup: rng.chance(150),
        restores: rng.chance(30),
        process_per_run: false,
        requeues: false,
        comes_and_goes: None,
        flaky: BTreeSet::new(),
    }
}

/// The service of a seed comes from numbers of their own: what else a seed chooses stays as it is.
fn numbers_of_service(seed: u64) -> Rng {
    Rng::new(seed ^ 0x0047_7261_7068_2121)
}

/// By which service the schedule of a seed reaches its mailbox, unless it is told.
pub(crate) fn service_of(seed: u64) -> Service {
    Service::ALL[numbers_of_service(seed).below(2)]
}

/// The same mailbox over Graph, with some mails that have no search key.
fn over_graph(plan: &mut Plan, rng: &mut Rng) {
    plan.server = GRAPH;
    let queue = 0..plan.queue.len();
    plan.keyless = queue.filter(|_| rng.chance(250)).collect();
}

/// What was not in the first worlds comes from numbers of its own: what else a seed chooses stays as it is.
fn add_to(plan: &mut Plan, rng: &mut Rng) {
    plan.refreshes = rng.chance(500);
    plan.deletes = rng.chance(250);
    let queue = 0..plan.queue.len();
    let has_keys = plan.server.stable_keys;
    if plan.server.service == Service::Ews && has_keys && rng.chance(300) {
        plan.stamps = rng.chance(850);
        plan.keyless = queue.clone().filter(|_| rng.chance(500)).collect();
    }
    if plan.deletes && has_keys && rng.chance(500) {
        // Those without a key come later.
        let by_content =
            |at: &usize| plan.server.service == Service::Ews && plan.keyless.contains(at);
        plan.stuck = queue
            .filter(|at| !by_content(at) && rng.chance(300))
            .collect();
    }
}

/// What came later still has numbers of its own too.
fn add_more_to(plan: &mut Plan, rng: &mut Rng) {
    let has_keys = plan.server.stable_keys
        && (plan.keyless.is_empty() || plan.server.service == Service::Graph);
    if rng.chance(60) && !plan.restores {
        plan.flaky.insert(rng.below(plan.queue.len()));
    }
    if rng.chance(300) {
        let queue = 0..plan.queue.len();
        let by_content = |at: &usize| !plan.server.stable_keys || plan.keyless.contains(at);
        let is_ews = plan.server.service == Service::Ews && !plan.stamps;
        plan.stuck
            .extend(queue.filter(|at| is_ews && by_content(at) && rng.chance(300)));
    }
    let is_aside = plan.kinds.contains(&Kind::Poison) || !plan.flaky.is_empty();
    plan.requeues = has_keys && is_aside && !plan.restores && rng.chance(500);
    if !plan.sink && rng.chance(120) {
        plan.comes_and_goes = Some(*rng.pick(&["C1", "C2"]));
    }
}

pub(crate) const GRAPH: Server = Server {
    service: Service::Graph,
    stable_keys: true,
    new_ids: true,
    old_ids_live: false,
};

/// How a schedule is repeated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replay {
    pub(crate) trace: bool,
    /// Faults that do not happen, by their number.
    pub(crate) skipped: BTreeSet<usize>,
    /// Whether the seed chooses with the first chances that there were.
    pub(crate) first_odds: bool,
    /// The service, if not that of the seed.
    pub(crate) service: Option<Service>,
    /// Whether the world is one of the first, in which nothing was stamped, deleted or refreshed.
    pub(crate) first_worlds: bool,
}

/// How seeds choose.
struct Odds {
    /// Runs of a worker at least, and how many numbers of them there are.
    runs: (usize, usize),
    /// Faults at least.
    faults: usize,
    per_mille: [u64; 4],
    weight: fn(Op) -> u64,
}

const ODDS: Odds = Odds {
    runs: (3, 3),
    faults: 3,
    per_mille: [10, 20, 40, 60],
    weight,
};

/// Those under which the first seeds found something.
const FIRST_ODDS: Odds = Odds {
    runs: (2, 4),
    faults: 2,
    per_mille: [10, 20, 40, 100],
    weight: first_weight,
};

/// Runs the schedule of a seed.
pub(crate) fn run(
    seed: u64,
    open: Open,
    company: &Arc<Company>,
    replay: &Replay,
) -> Result<Tally, String> {
    let mut rng = Rng::new(seed);
    let mut plan = plan(&mut rng);
    if replay.service.unwrap_or_else(|| service_of(seed)) == Service::Graph {
        let mut numbers = numbers_of_service(seed);
        numbers.next();
        over_graph(&mut plan, &mut numbers);
    }
    let mut more = Rng::new(seed ^ 0x004d_6f72_6521_2121);
    if !replay.first_worlds {
        add_to(&mut plan, &mut Rng::new(seed ^ 0x0053_7461_6d70_2121));
        add_more_to(&mut plan, &mut more);
    }
    if replay.trace {
        println!("{plan:?}");
    }
    let mut chaos = Chaos::new(&plan, rng, replay);
    chaos.late = Rng::new(seed ^ 0x004c_6174_6521_2121);
    chaos.more = more;
    let mut world = World::new(plan, open, company);
    world.trace = replay.trace;
    world.asks_again = Rng::new(seed ^ 0x0041_6761_696e_2121).chance(500);
    for _ in 0..STEPS {
        if !chaos.step(&mut world) {
            break;
        }
        world.book.verdict()?;
    }
    world.settle()?;
    world.check()?;
    (chaos.tally.schedules, chaos.tally.stale) = (1, world.book.stale_effects());
    Ok(chaos.tally)
}

/// The faults that a schedule cannot do without: one after the other is left out, as long as it still fails.
pub(crate) fn shrink(seed: u64, open: Open, company: &Arc<Company>) -> BTreeSet<usize> {
    let mut replay = Replay::default();
    for number in 0..MOST_NUMBERED {
        replay.skipped.insert(number);
        if run(seed, open, company, &replay).is_ok() {
            replay.skipped.remove(&number);
        }
    }
    let all = 0..MOST_NUMBERED;
    all.filter(|number| !replay.skipped.contains(number))
        .collect()
}

/// Faults are left out one by one up to this number.
pub(crate) const MOST_NUMBERED: usize = 64;

/// In a thousand, how likely one of the deeds that were added is at a step.
const DEEDS: u64 = 20;

/// In a thousand, how likely a worker does something else than a run.
const TASKS: u64 = 350;

fn more_deeds(plan: &Plan) -> Vec<Deed> {
    let mut deeds = Vec::new();
    deeds.extend(plan.comes_and_goes.map(|_| Deed::ChangeDirectory));
    if plan.requeues && plan.kinds.contains(&Kind::Poison) {
        deeds.push(Deed::Mend);
    }
    deeds
}

fn more_tasks(plan: &Plan) -> Vec<Task> {
    let mut tasks = Vec::new();
    tasks.extend(plan.restores.then_some(Task::Reconcile));
    tasks.extend(plan.requeues.then_some(Task::Requeue));
    tasks
}

struct Chaos<'a> {
    rng: Rng,
    /// What comes late, and when, comes from numbers of its own: what else a seed chooses stays as it is.
    late: Rng,
    /// What was added to the alphabet since, likewise.
    more: Rng,
    replay: &'a Replay,
    odds: &'static Odds,
    runs_left: Vec<usize>,
    deeds: Vec<Deed>,
    /// Those that were added.
    more_deeds: Vec<Deed>,
    /// What a worker may be told to do instead of a run.
    more_tasks: Vec<Task>,
    /// Chances in a thousand, per step.
    clock: u64,
    person: u64,
    faults_left: usize,
    per_mille: u64,
    /// How many faults there were, those that were skipped included.
    number: usize,
    tally: Tally,
}

impl<'a> Chaos<'a> {
    fn new(plan: &Plan, mut rng: Rng, replay: &'a Replay) -> Self {
        let mut deeds = Vec::new();
        if plan.server.stable_keys && rng.chance(250) {
            deeds.extend([Deed::TakeAway, Deed::Copy, Deed::PutBack, Deed::Edit]);
        }
        if rng.chance(100) {
            deeds.push(Deed::RenameFolder);
        }
        if plan.setup {
            deeds.push(Deed::Disable);
        }
        if plan.restores {
            deeds.push(Deed::RestoreStore);
        }
        let no_faults = rng.chance(80);
        let odds = if replay.first_odds {
            &FIRST_ODDS
        } else {
            &ODDS
        };
        Self {
            runs_left: vec![odds.runs.0 + rng.below(odds.runs.1); plan.workers],
            clock: if no_faults {
                0
            } else {
                [2, 4, 40][rng.below(3)]
            },
            person: if no_faults || deeds.is_empty() { 0 } else { 15 },
            faults_left: if no_faults {
                0
            } else {
                odds.faults + rng.below(FAULTS + 1 - odds.faults)
            },
            per_mille: odds.per_mille[rng.below(4)],
            odds,
            number: 0,
            tally: Tally::default(),
            deeds,
            rng,
            late: Rng::new(0),
            more: Rng::new(0),
            more_deeds: if no_faults {
                Vec::new()
            } else {
                more_deeds(plan)
            },
            more_tasks: if no_faults {
                Vec::new()
            } else {
                more_tasks(plan)
            },
            replay,
        }
    }

    /// One step. Answers whether there is another one.
    fn step(&mut self, world: &mut World) -> bool {
        self.tally.steps += 1;
        if self.clock > 0 && self.rng.chance(self.clock) {
            self.clock(world);
        }
        if self.person > 0 && self.rng.chance(self.person) {
            let (deed, which) = (*self.rng.pick(&self.deeds), self.rng.below(5_000));
            if self.happens() {
                self.say(|| format!("a person: {deed:?} {which}"));
                world.person(deed, which);
            }
        }
        if !self.more_deeds.is_empty() && self.more.chance(DEEDS) {
            let deed = *self.more.pick(&self.more_deeds);
            if self.happens() {
                self.say(|| format!("meanwhile: {deed:?}"));
                world.person(deed, 0);
            }
        }
        if world.late() > 0 && self.late.chance(COMES) {
            let op = world.come(self.late.below(world.late()));
            self.say(|| format!("late: {op:?}"));
        }
        let ready = world.stage.ready();
        let idle: Vec<usize> = (0..world.workers.len())
            .filter(|at| !world.workers[*at].is_running() && self.runs_left[*at] > 0)
            .collect();
        let choices = ready.len() + idle.len();
        if choices == 0 {
            let Some(wake) = world.stage.next_wake() else {
                return false;
            };
            world.stage.set_clock(wake);
            return true;
        }
        let choice = self.rng.below(choices);
        match ready.get(choice) {
            None => self.start(world, idle[choice - ready.len()]),
            Some((id, worker, point)) => self.go_on(world, *id, *worker, *point),
        }
        true
    }

    /// Whether the next fault happens or is left out.
    fn happens(&mut self) -> bool {
        let happens = !self.replay.skipped.contains(&self.number);
        self.number += 1;
        happens
    }

    fn start(&mut self, world: &mut World, worker: usize) {
        self.runs_left[worker] -= 1;
        let mut task = Task::Run;
        if !self.more_tasks.is_empty() && self.more.chance(TASKS) {
            let other = *self.more.pick(&self.more_tasks);
            if self.happens() {
                task = other;
            }
        }
        self.say(|| format!("worker {worker} begins: {task:?}"));
        world.begin(worker, task);
    }

    fn clock(&mut self, world: &mut World) {
        let all = [1, 30, 200, 200, 400, 400, 3_600, 86_400, -86_400];
        let mut seconds = *self.rng.pick(&all);
        // Below the time of a lease, as a clock is set right.
        if !self.replay.first_worlds && self.more.chance(250) {
            seconds = -1 - i64::try_from(self.more.below(120)).unwrap();
        }
        if self.happens() {
            self.say(|| format!("the clock moves by {seconds} s"));
            world.undisturbed = false;
            world.step_clock(seconds);
        }
    }

    fn go_on(&mut self, world: &mut World, id: u64, worker: usize, point: Point) {
        let Point::Call(op, phase) = point else {
            world.grant(id, worker, None);
            return;
        };
        let running = world.workers.iter().filter(|it| it.is_running());
        if running.count() > 1 {
            self.tally.hit(op, Column::SecondWorker);
        }
        if self.faults_left > 0 && self.rng.chance(self.per_mille * (self.odds.weight)(op)) {
            let crashes = self.rng.chance(300);
            let fault = *self.rng.pick(faults(op, phase));
            let how = u8::try_from(self.rng.below(250)).unwrap();
            if self.happens() {
                self.faults_left -= 1;
                if crashes {
                    return self.crash(world, worker);
                }
                let fault = match fault {
                    Fault::Partial(_) => Fault::Partial(how),
                    Fault::Timeout if self.is_late(op, phase) => Fault::Late,
                    fault => fault,
                };
                self.say(|| format!("worker {worker}: {op:?} {phase:?} {fault:?}"));
                if world.grant(id, worker, Some(fault)) {
                    self.tally.hit(op, column(phase, fault));
                }
                return;
            }
        }
        self.say(|| format!("worker {worker}: {op:?} {phase:?}"));
        world.grant(id, worker, None);
    }

    /// Whether the effect of a call that gets no answer comes later. In the first worlds it never came.
    fn is_late(&mut self, op: Op, phase: Phase) -> bool {
        let may_be = phase == Phase::Before && comes_late(op) && !self.replay.first_worlds;
        may_be && self.late.chance(500)
    }

    fn crash(&mut self, world: &mut World, worker: usize) {
        for (op, phase) in world.stage.calls_of(worker) {
            let column = if phase == Phase::Before {
                Column::CrashBefore
            } else {
                Column::CrashAfter
            };
            self.tally.hit(op, column);
        }
        self.say(|| format!("worker {worker} is killed"));
        self.runs_left[worker] += 1;
        world.crash(worker);
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.replay.trace {
            println!("{} {}", self.number, what());
        }
    }
}

/// How likely a fault is at this call: what every run begins with is seldom, what few runs reach is often.
fn weight(op: Op) -> u64 {
    match op {
        Op::Acquire | Op::OpenFolder | Op::LoadSetup => 1,
        Op::List | Op::Known | Op::PendingMoves | Op::Undelivered => 2,
        Op::Fetch | Op::Resolve | Op::Release | Op::Unindexed => 4,
        Op::Renew => 6,
        _ => 14,
    }
}

fn first_weight(op: Op) -> u64 {
    match op {
        Op::Acquire | Op::OpenFolder | Op::LoadSetup => 1,
        Op::List | Op::Known | Op::PendingMoves | Op::Undelivered => 2,
        Op::Fetch | Op::Resolve | Op::Release => 3,
        Op::Unindexed | Op::Index | Op::ReadOriginal => 4,
        _ => 8,
    }
}

pub(crate) fn column(phase: Phase, fault: Fault) -> Column {
    match (phase, fault) {
        (_, Fault::Partial(_)) => Column::Partial,
        (_, Fault::Busy) => Column::Busy,
        (_, Fault::Unauthorized) => Column::Unauthorized,
        (_, Fault::Full) => Column::Full,
        (_, Fault::Late) => Column::Late,
        (Phase::Before, Fault::Timeout) => Column::Timeout,
        (Phase::After, Fault::Timeout) => Column::ReplyLost,
    }
}

/// Whether the effect of a call may come when nobody waits for its answer any more.
pub(crate) fn comes_late(op: Op) -> bool {
    matches!(op, Op::Move | Op::Remove | Op::Stamp | Op::Commit)
}

/// What can go wrong with a call at this phase, beside that its effect comes late.
pub(crate) fn faults(op: Op, phase: Phase) -> &'static [Fault] {
    let remote = matches!(
        op,
        Op::OpenFolder
            | Op::Refresh
            | Op::List
            | Op::Stamp
            | Op::Fetch
            | Op::Move
            | Op::Remove
            | Op::Locate
    );
    let batched = matches!(op, Op::List | Op::Stamp | Op::Fetch | Op::Move | Op::Remove);
    let writes = matches!(
        op,
        Op::Acquire | Op::Renew | Op::Stage | Op::Commit | Op::Index
    );
    match phase {
        Phase::Before if op == Op::Put => &[Fault::Timeout, Fault::Partial(0)],
        Phase::Before if writes => &[Fault::Timeout, Fault::Full],
        Phase::Before if batched => &[
            Fault::Timeout,
            Fault::Busy,
            Fault::Unauthorized,
            Fault::Partial(0),
        ],
        Phase::Before if remote => &[Fault::Timeout, Fault::Busy, Fault::Unauthorized],
        _ => &[Fault::Timeout],
    }
}
