//! A schedule out of one number: what there is, who goes on, what goes wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mailbox::Server;
use crate::mails::{Company, Kind};
use crate::rng::Rng;
use crate::stage::{Fault, Op, Phase, Point, Stage};
use crate::world::{Deed, Plan, Worker, World};

/// The columns of the fault matrix that exist between a worker and what it calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Column {
    CrashBefore,
    CrashAfter,
    Timeout,
    ReplyLost,
    Busy,
    Unauthorized,
    Partial,
    SecondWorker,
}

/// What a number of schedules met.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) schedules: u64,
    pub(crate) steps: u64,
    pub(crate) faults: u64,
    pub(crate) cells: BTreeMap<(Op, Column), u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.faults += other.faults;
        for (cell, count) in &other.cells {
            *self.cells.entry(*cell).or_default() += count;
        }
    }

    fn hit(&mut self, op: Op, column: Column) {
        self.faults += u64::from(column != Column::SecondWorker);
        *self.cells.entry((op, column)).or_default() += 1;
    }
}

/// Most steps with faults.
const STEPS: usize = 4_000;

/// Faults of a schedule at most: fewer than the attempts of a mail, so that no sound mail is ever set aside.
const FAULTS: usize = 6;

fn plan(rng: &mut Rng) -> Plan {
    let workers = 1 + rng.below(4).min(rng.below(4));
    let mails = match rng.below(40) {
        0 => 1 + rng.below(50),
        1..8 => 1 + rng.below(12),
        _ => 1 + rng.below(4),
    };
    let kinds: Vec<Kind> = crate::mails::kinds(rng, mails);
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
        server: Server {
            stable_keys: !rng.chance(200),
            new_ids: !rng.chance(300),
            old_ids_live: rng.chance(300),
        },
        page: [2, 3, 5, 100][rng.below(4)],
        batch: [1, 2, 3, 50][rng.below(4)],
        connections: [1, 2, 4][rng.below(3)],
        same_name: rng.chance(300),
        quarantine_folder: rng.chance(500),
    }
}

/// Runs the schedule of a seed.
pub(crate) fn run(seed: u64, company: &Arc<Company>, trace: bool) -> Result<Tally, String> {
    let mut rng = Rng::new(seed);
    let plan = plan(&mut rng);
    if trace {
        println!("{plan:?}");
    }
    let stage = Stage::new(seed);
    let store = World::memory_store(&stage);
    let mut chaos = Chaos {
        runs_left: vec![1 + rng.below(3); plan.workers],
        people: plan.server.stable_keys && rng.chance(300),
        faults_left: rng.below(FAULTS + 1),
        per_mille: [10, 30, 80, 200][rng.below(4)],
        tally: Tally::default(),
        rng,
        trace,
    };
    let mut world = World::new(plan, store, stage, Arc::clone(company));
    for _ in 0..STEPS {
        if !chaos.step(&mut world) {
            break;
        }
        world.book.verdict()?;
    }
    world.settle()?;
    world.check()?;
    chaos.tally.schedules = 1;
    Ok(chaos.tally)
}

struct Chaos {
    rng: Rng,
    runs_left: Vec<usize>,
    people: bool,
    faults_left: usize,
    per_mille: u64,
    tally: Tally,
    trace: bool,
}

impl Chaos {
    /// One step. Answers whether there is another one.
    fn step(&mut self, world: &mut World) -> bool {
        self.tally.steps += 1;
        if self.rng.chance(4) {
            self.clock(world);
        }
        if self.people && self.rng.chance(8) {
            let deed = *self.rng.pick(&[Deed::TakeAway, Deed::Copy, Deed::PutBack]);
            self.say(|| format!("a person: {deed:?}"));
            world.person(deed, self.rng.below(50));
        }
        let ready = world.stage.ready();
        let idle: Vec<usize> = (0..world.workers.len())
            .filter(|at| matches!(world.workers[*at], Worker::Idle) && self.runs_left[*at] > 0)
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

    fn start(&mut self, world: &mut World, worker: usize) {
        self.runs_left[worker] -= 1;
        self.say(|| format!("worker {worker} begins a run"));
        world.start(worker);
    }

    fn clock(&mut self, world: &mut World) {
        let seconds = *self.rng.pick(&[1, 30, 200, 400, 3_600, 86_400, -86_400]);
        self.say(|| format!("the clock moves by {seconds} s"));
        world.stage.step_clock(seconds);
    }

    fn go_on(&mut self, world: &mut World, id: u64, worker: usize, point: Point) {
        let Point::Call(op, phase) = point else {
            world.grant(id, worker, None);
            return;
        };
        let others = world
            .workers
            .iter()
            .filter(|it| matches!(it, Worker::Running(_)));
        if others.count() > 1 {
            self.tally.hit(op, Column::SecondWorker);
        }
        if self.faults_left > 0 && self.rng.chance(self.per_mille) {
            self.faults_left -= 1;
            if self.rng.chance(300) {
                return self.crash(world, worker);
            }
            let fault = *self.rng.pick(faults(op, phase));
            let fault = if let Fault::Partial(_) = fault {
                Fault::Partial(u8::try_from(self.rng.below(250)).unwrap())
            } else {
                fault
            };
            self.tally.hit(op, column(phase, fault));
            self.say(|| format!("worker {worker}: {op:?} {phase:?} {fault:?}"));
            return world.grant(id, worker, Some(fault));
        }
        self.say(|| format!("worker {worker}: {op:?} {phase:?}"));
        world.grant(id, worker, None);
    }

    fn crash(&mut self, world: &mut World, worker: usize) {
        for (op, phase) in world.at(worker) {
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
        if self.trace {
            println!("{}", what());
        }
    }
}

fn column(phase: Phase, fault: Fault) -> Column {
    match (phase, fault) {
        (_, Fault::Partial(_)) => Column::Partial,
        (_, Fault::Busy) => Column::Busy,
        (_, Fault::Unauthorized) => Column::Unauthorized,
        (Phase::Before, Fault::Timeout) => Column::Timeout,
        (Phase::After, Fault::Timeout) => Column::ReplyLost,
    }
}

/// What can go wrong with a call at this phase.
pub(crate) fn faults(op: Op, phase: Phase) -> &'static [Fault] {
    let remote = matches!(
        op,
        Op::OpenFolder | Op::List | Op::Fetch | Op::Move | Op::Locate
    );
    let batched = matches!(op, Op::List | Op::Fetch | Op::Move);
    match phase {
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
