//! Every schedule of a small world: all orders of the workers' steps, with every fault, crash and leap of the clock at every
//! point, up to a number of them.
//!
//! What a worker does next follows from what it has seen since it began to live. So a state is: what each worker has seen, what
//! the mailbox holds, what was written to the store and in which order, the clock, and what may still happen. Two schedules
//! that reach one state go on alike, and the rest is searched once; every schedule is counted all the same.
//!
//! While the clock cannot leap any more, a worker that next does what no other worker can tell (it begins, it takes an answer
//! that was worked out, it asks what always answers alike) does it first: in any order with the steps of the others the same
//! state is reached, and its faults at that point are tried there. Schedules are counted up to such orders.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::database::memory;
use crate::mails::Company;
use crate::seeded::{Column, column, comes_late, faults};
use crate::stage::{Fault, Op, Phase, Point};
use crate::world::{Plan, Task, World};

/// What is searched.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    pub(crate) name: &'static str,
    pub(crate) plan: Plan,
    /// Faults, crashes and leaps of the clock in a schedule, at most.
    pub(crate) faults: usize,
    /// Runs that each worker begins while faults may come; a crash gives one more.
    pub(crate) runs: usize,
    /// Leaps of the clock, in seconds.
    pub(crate) leaps: &'static [i64],
    /// The call before which alone the clock leaps.
    pub(crate) leaps_at: Option<Op>,
    /// How many of the faults may be leaps, and how many something else.
    pub(crate) most_leaps: usize,
    pub(crate) most_others: usize,
    /// The calls at which alone something else than a leap goes wrong, if not at all of them.
    pub(crate) faults_at: Option<&'static [Op]>,
    /// What each worker does, one after the other and then from the first again; the second worker begins with the second.
    pub(crate) tasks: &'static [Task],
    /// Whether effects come late.
    pub(crate) late: bool,
}

/// What was searched.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    /// Different states.
    pub(crate) states: u64,
    /// Steps from one state to another.
    pub(crate) steps: u64,
    /// States in which a schedule ends; each was let settle and was checked.
    pub(crate) ends: u64,
    /// Different schedules, from the beginning to an end.
    pub(crate) schedules: u128,
    /// Steps at which something had come late, or under a lease that was lost, in all ends together.
    pub(crate) stale: u64,
    pub(crate) cells: BTreeMap<(Op, Column), u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Start(usize),
    /// The n-th of what is ready goes on.
    Go(usize, Option<Fault>),
    Crash(usize),
    Leap(i64),
    /// The n-th of the effects that are under way arrives.
    Come(usize),
    /// Nothing else can happen: time passes.
    Wake,
}

/// A schedule on its way.
struct Place {
    world: World,
    faults_left: usize,
    leaps_left: usize,
    others_left: usize,
    runs_left: Vec<usize>,
    /// Tasks that each worker began.
    begun: Vec<usize>,
    tasks: &'static [Task],
}

impl Place {
    fn new(space: &Space, company: &Arc<Company>) -> Self {
        let workers = space.plan.workers;
        let world = World::new(space.plan.clone(), memory, company);
        world.stage.watch(workers);
        Self {
            world,
            faults_left: space.faults,
            leaps_left: space.most_leaps.min(space.faults),
            others_left: space.most_others.min(space.faults),
            runs_left: vec![space.runs; workers],
            begun: vec![0; workers],
            tasks: space.tasks,
        }
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.world.digest().hash(&mut hasher);
        (self.faults_left, self.leaps_left, self.others_left).hash(&mut hasher);
        (&self.runs_left, &self.begun).hash(&mut hasher);
        hasher.finish()
    }

    fn choices(&self, space: &Space) -> Vec<Choice> {
        let workers = 0..self.runs_left.len();
        let running = |worker: &usize| self.world.workers[*worker].is_running();
        let may_start = |worker: &usize| !running(worker) && self.runs_left[*worker] > 0;
        let mut all: Vec<Choice> = workers
            .clone()
            .filter(may_start)
            .map(Choice::Start)
            .collect();
        let ready = self.world.stage.ready();
        all.extend((0..ready.len()).map(|at| Choice::Go(at, None)));
        all.extend((0..self.world.late()).map(Choice::Come));
        if all.is_empty() {
            let sleeps = self.world.stage.next_wake().is_some();
            return if sleeps { vec![Choice::Wake] } else { all };
        }
        if self.faults_left > 0 {
            self.failing(space, &ready, &mut all);
        }
        // What is under way may arrive before or after what anybody else does.
        let none_comes = self.world.late() == 0;
        let leaps = self.faults_left > 0 && self.leaps_left > 0 && !space.leaps.is_empty();
        let clock_stands = !leaps && none_comes;
        let first = (0..self.runs_left.len()).find(|at| clock_stands && self.is_alone(*at, &ready));
        if let Some(worker) = first {
            all.retain(|choice| match choice {
                Choice::Start(at) | Choice::Crash(at) => *at == worker,
                Choice::Go(at, _) => ready[*at].1 == worker,
                Choice::Leap(_) | Choice::Come(_) | Choice::Wake => false,
            });
        }
        all
    }

    /// What may go wrong now.
    fn failing(&self, space: &Space, ready: &[(u64, usize, Point)], all: &mut Vec<Choice>) {
        let fails = |op: Op| space.faults_at.is_none_or(|at| at.contains(&op));
        if self.others_left > 0 {
            all.extend(failing(ready, space.late, fails));
            let dies = |worker: &usize| {
                let waits = self.world.stage.calls_of(*worker);
                let is_there = space.faults_at.is_none() || waits.iter().any(|(op, _)| fails(*op));
                self.world.workers[*worker].is_running() && is_there
            };
            let workers = 0..self.runs_left.len();
            all.extend(workers.filter(dies).map(Choice::Crash));
        }
        let at = |(_, _, point): &(u64, usize, Point)| {
            let op = space.leaps_at;
            op.is_none_or(|op| *point == Point::Call(op, Phase::Before))
        };
        if self.leaps_left > 0 && ready.iter().any(at) {
            all.extend(space.leaps.iter().map(|seconds| Choice::Leap(*seconds)));
        }
    }

    /// Whether no other worker can tell what a worker does next, whichever of its points goes on.
    fn is_alone(&self, worker: usize, ready: &[(u64, usize, Point)]) -> bool {
        let mut own = ready.iter().filter(|(_, of, _)| *of == worker).peekable();
        if own.peek().is_none() {
            let of = &self.world.workers[worker];
            return !of.is_running() && !of.waits() && self.runs_left[worker] > 0;
        }
        own.all(|(_, _, point)| {
            matches!(
                point,
                Point::Call(_, Phase::After)
                    | Point::Call(Op::Resolve | Op::OpenFolder, Phase::Before)
                    | Point::Sleep(_)
            )
        })
    }

    /// Takes a step; answers the cells of the fault matrix that it is in.
    fn step(&mut self, choice: Choice) -> Vec<(Op, Column)> {
        let world = &mut self.world;
        let mut cells = Vec::new();
        match choice {
            Choice::Start(worker) => {
                self.runs_left[worker] -= 1;
                let task = self.tasks[(worker + self.begun[worker]) % self.tasks.len()];
                self.begun[worker] += 1;
                world.begin(worker, task);
            }
            Choice::Go(at, fault) => {
                let (id, worker, point) = world.stage.ready()[at];
                self.faults_left -= usize::from(fault.is_some());
                self.others_left -= usize::from(fault.is_some());
                if let Point::Call(op, phase) = point {
                    let running = world.workers.iter().filter(|it| it.is_running());
                    if running.count() > 1 {
                        cells.push((op, Column::SecondWorker));
                    }
                    if world.grant(id, worker, fault) {
                        cells.extend(fault.map(|fault| (op, column(phase, fault))));
                    }
                } else {
                    world.grant(id, worker, fault);
                }
            }
            Choice::Come(which) => _ = world.come(which),
            Choice::Crash(worker) => {
                (self.faults_left, self.others_left) = (self.faults_left - 1, self.others_left - 1);
                self.runs_left[worker] += 1;
                cells.extend(world.stage.calls_of(worker).into_iter().map(crashed));
                world.crash(worker);
            }
            Choice::Leap(seconds) => {
                (self.faults_left, self.leaps_left) = (self.faults_left - 1, self.leaps_left - 1);
                world.undisturbed = false;
                world.step_clock(seconds);
            }
            Choice::Wake => {
                if let Some(wake) = world.stage.next_wake() {
                    world.stage.set_clock(wake);
                }
            }
        }
        cells
    }
}

/// Every fault of every call that waits.
fn failing(ready: &[(u64, usize, Point)], late: bool, fails: impl Fn(Op) -> bool) -> Vec<Choice> {
    let mut all = Vec::new();
    for (at, (_, _, point)) in ready.iter().enumerate() {
        if let Point::Call(op, phase) = point
            && fails(*op)
        {
            let faults = variants(*op, *phase);
            all.extend(faults.into_iter().map(|it| Choice::Go(at, Some(it))));
            if late && *phase == Phase::Before && comes_late(*op) {
                all.push(Choice::Go(at, Some(Fault::Late)));
            }
        }
    }
    all
}

fn crashed((op, phase): (Op, Phase)) -> (Op, Column) {
    match phase {
        Phase::Before => (op, Column::CrashBefore),
        Phase::After => (op, Column::CrashAfter),
    }
}

/// Every fault of a call, with every way in which a batch can go wrong.
fn variants(op: Op, phase: Phase) -> Vec<Fault> {
    let ways: u8 = match op {
        Op::List | Op::Stamp => 3,
        Op::Fetch => 4,
        Op::Move | Op::Remove => 5,
        _ => 1,
    };
    let mut all = Vec::new();
    for fault in faults(op, phase) {
        match fault {
            Fault::Partial(_) => all.extend((0..ways).map(Fault::Partial)),
            fault => all.push(*fault),
        }
    }
    all
}

struct Search<'a> {
    space: &'a Space,
    company: &'a Arc<Company>,
    /// The schedules that begin in a state.
    known: HashMap<u64, u128>,
    path: Vec<Choice>,
    covered: Covered,
}

/// Searches a space.
pub(crate) fn search(space: &Space, company: &Arc<Company>) -> Result<Covered, String> {
    let mut search = Search {
        space,
        company,
        known: HashMap::new(),
        path: Vec::new(),
        covered: Covered::default(),
    };
    let begin = Place::new(space, company);
    search.covered.schedules = search.explore(begin)?;
    search.covered.states = search.known.len() as u64;
    Ok(search.covered)
}

impl Search<'_> {
    /// Goes on from a place in every way; answers how many schedules that are.
    fn explore(&mut self, mut place: Place) -> Result<u128, String> {
        let digest = place.digest();
        if let Some(schedules) = self.known.get(&digest) {
            return Ok(*schedules);
        }
        let choices = place.choices(self.space);
        let Some((last, others)) = choices.split_last() else {
            self.covered.ends += 1;
            let ended = place.world.settle().and_then(|_| place.world.check());
            ended.map_err(|broken| self.told(&broken))?;
            self.covered.stale += place.world.book.stale_effects();
            self.known.insert(digest, 1);
            return Ok(1);
        };
        let mut schedules = 0_u128;
        for choice in others {
            let again = self.again();
            schedules = schedules.saturating_add(self.go(again, *choice)?);
        }
        schedules = schedules.saturating_add(self.go(place, *last)?);
        self.known.insert(digest, schedules);
        Ok(schedules)
    }

    fn go(&mut self, mut place: Place, choice: Choice) -> Result<u128, String> {
        self.covered.steps += 1;
        self.path.push(choice);
        for cell in place.step(choice) {
            *self.covered.cells.entry(cell).or_default() += 1;
        }
        let verdict = place.world.book.verdict();
        verdict.map_err(|broken| self.told(&broken))?;
        let schedules = self.explore(place);
        self.path.pop();
        schedules
    }

    /// The same place once more: all steps from the beginning.
    fn again(&self) -> Place {
        let mut place = Place::new(self.space, self.company);
        for choice in &self.path {
            place.step(*choice);
        }
        place
    }

    fn told(&self, broken: &str) -> String {
        let mut place = Place::new(self.space, self.company);
        let mut told = format!("{}: {broken}", self.space.name);
        for choice in &self.path {
            let waits = place.world.stage.ready();
            let point = match choice {
                Choice::Go(at, _) => Some(waits[*at]),
                _ => None,
            };
            let _ = write!(told, "\n{choice:?} {point:?}");
            place.step(*choice);
        }
        told
    }
}
